/** Reads golden.json of a pack of equations and checks that its cases fit the pack's programs. */
import * as v from 'valibot';
import { parseJson } from '../json.ts';
import type { EquationsManifest } from '../manifest.ts';
import { quoted, refusal } from '../refusal.ts';
import { checkSchema } from '../schema-check.ts';
import { finite, id, list, positive } from '../schema-parts.ts';
import type { EquationsGolden, EquationsGoldenCase } from './golden.ts';
import type { Program } from './program.ts';
import { symbol } from './schema.ts';

/** Steps of fixed-step models and rows of answers, summed over all cases: some seconds on the slowest engine. */
const maxGoldenSteps = 500_000;
const maxGoldenValues = 200_000;
const maxTime = 1e7;

const time = v.pipe(finite, v.minValue(-maxTime), v.maxValue(maxTime));
const amount = v.pipe(finite, v.minValue(0), v.maxValue(1e9));
const tolerance = v.pipe(positive, v.maxValue(0.01));
const schema = v.strictObject({
  cases: list(
    v.strictObject({
      id,
      model: id,
      covariates: v.record(id, v.union([finite, v.string()])),
      effects: v.record(symbol, v.pipe(finite, v.minValue(-100), v.maxValue(100))),
      doses: list(v.strictObject({ input: symbol, time, amount, duration: v.exactOptional(amount) }), 0, 2000),
      controls: list(v.strictObject({ control: symbol, from: time, value: finite }), 0, 2000),
      initialStates: v.record(symbol, finite),
      noise: v.exactOptional(list(finite, 0, 100_000)),
      times: list(time, 1, 5000),
      readouts: list(symbol, 1, 64),
      rows: list(list(finite, 1, 64), 1, 5000),
      tolerance: v.strictObject({ relative: tolerance, ofLargest: tolerance }),
    }),
    1,
    128,
  ),
}) satisfies v.GenericSchema<unknown, EquationsGolden>;

const file = 'golden.json';

/** Throws like `decodePack`. */
export function decodeEquationsGolden(
  bytes: Uint8Array,
  manifest: Pick<EquationsManifest, 'covariates'>,
  programs: readonly Program[],
): EquationsGolden {
  const golden = checkSchema(schema, parseJson(bytes, file), file);
  let steps = 0;
  let values = 0;
  golden.cases.forEach((each, i) => {
    const at = `cases[${i}]`;
    require(golden.cases.findIndex((other) => other.id === each.id) === i, `${at}.id`, `found ${quoted(each.id)} twice.`);
    const program = programs.find(({ modelId }) => modelId === each.model);
    require(program, `${at}.model`, `${quoted(each.model)} is no model of this pack.`);
    checkCase(each, manifest, program, at);
    const begin = Math.min(each.times[0]!, ...each.doses.map((dose) => dose.time), ...each.controls.map(({ from }) => from));
    if ('step' in program.stepper) steps += (each.times.at(-1)! - begin) / program.stepper.step;
    values += each.times.length * each.readouts.length;
  });
  require(steps <= maxGoldenSteps, 'cases', `ask for ${Math.round(steps)} steps in all, expected at most ${maxGoldenSteps}.`);
  require(values <= maxGoldenValues, 'cases', `ask for ${values} values in all, expected at most ${maxGoldenValues}.`);
  return golden;
}

function checkCase(
  { covariates, effects, doses, controls, initialStates, noise, times, readouts, rows }: EquationsGoldenCase,
  manifest: Pick<EquationsManifest, 'covariates'>,
  program: Program,
  at: string,
): void {
  for (const [name, value] of Object.entries(covariates)) {
    const covariate = manifest.covariates.find((each) => each.id === name);
    const fits =
      covariate?.kind === 'number'
        ? typeof value === 'number'
        : covariate?.categories.some((category) => category.value === value);
    require(fits, `${at}.covariates`, `found ${quoted(value)} for ${quoted(name)}, expected a value of a covariate of this pack.`);
  }
  const missing = program.covariates.find((name) => !Object.hasOwn(covariates, name));
  require(missing === undefined, `${at}.covariates`, `there is no ${quoted(missing)}, which the model reads.`);
  requireSymbols(Object.keys(effects), program.effects, `${at}.effects`);
  requireSymbols(Object.keys(initialStates), program.states, `${at}.initialStates`);
  requireSymbols(
    doses.map(({ input }) => input),
    program.inputs,
    `${at}.doses`,
  );
  requireSymbols(
    controls.map(({ control }) => control),
    program.controls,
    `${at}.controls`,
  );
  requireSymbols(readouts, program.readouts, `${at}.readouts`);
  const ascends = times.every((value, i) => i === 0 || value > times[i - 1]!);
  require(ascends, `${at}.times`, 'expected ascending times.');
  require(rows.length === times.length, `${at}.rows`, `found ${rows.length} rows, expected ${times.length}, one a time.`);
  const short = rows.findIndex((row) => row.length !== readouts.length);
  require(short < 0, `${at}.rows[${short}]`, `found ${rows[short]?.length} values, expected ${readouts.length}, one a read-out.`);
  const noises = program.noises.length;
  const isWhole = noise === undefined || (noises > 0 && noise.length % noises === 0);
  require(isWhole, `${at}.noise`, `found ${noise?.length} numbers, expected a multiple of ${noises} noises.`);
}

function requireSymbols(found: readonly string[], known: readonly { readonly symbol: string }[], at: string): void {
  const stranger = found.find((name) => known.every((each) => each.symbol !== name));
  require(stranger === undefined, at, `${quoted(stranger)} is no such symbol of the model.`);
}

function require(condition: unknown, at: string, what: string): asserts condition {
  if (!condition) throw refusal('pack_schema_invalid', `${file}, ${at}`, what);
}
