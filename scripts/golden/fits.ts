/** Most probable effects: the `map` cases of the pharmacokinetic files, and how any fit is asked of the product's own fitting. */
import type { EquationsManifest } from '#packs/manifest.ts';
import type { EquationsModel, ErrorModel } from '#packs/equations/model.ts';
import type { Program } from '#packs/equations/program.ts';
import { buildTimeline, type TimelineDose } from '#engine/timeline.ts';
import { seedFrom } from '#numerics/random.ts';
import type { MapEstimate, ModelProblem } from '#twin/equations/fit-problem.ts';
import { describeMode, findModes } from '#twin/equations/map.ts';
import { Objective } from '#twin/equations/objective.ts';
import { Prior } from '#twin/equations/prior.ts';
import { fromPublished, publishedModels, type PublishedModel } from '../published-models.ts';
import {
  isNear,
  modelOf,
  programOf,
  requireKnown,
  rowsOf,
  saying,
  valuesOf,
  type Check,
  type Setting,
  type Tolerance,
  type Values,
} from './check.ts';

/** README of the files: effects within 2e-3 (f32 0.02), −2 log posterior within 1e-4 (f64). What follows from the effects, alike. */
export const effectTolerance = ({ isExact }: Setting): number => (isExact ? 2e-3 : 0.02);
export const objectiveTolerance = 1e-4;

const seed = seedFrom(1);
const starts = 8;

/** A row of covariates in a program's order, categories as their numbers. */
export function covariateRow(
  manifest: EquationsManifest,
  program: Program,
  values: Readonly<Record<string, number | string>>,
): Float64Array {
  requireKnown(manifest, values);
  return Float64Array.from(program.covariates, (id) => {
    const covariate = manifest.covariates.find((one) => one.id === id)!;
    const value = values[id];
    if (covariate.kind === 'number') return Number(value);
    return covariate.categories.findIndex((category) => category.value === value);
  });
}

export interface FitInput {
  readonly covariates: Readonly<Record<string, number | string>>;
  readonly doses: readonly TimelineDose[];
  /** `of` is a read-out. */
  readonly observations: readonly { readonly of: string; readonly time: number; readonly value: number }[];
}

export function problemOf(manifest: EquationsManifest, model: EquationsModel, input: FitInput): ModelProblem {
  const program = programOf(manifest, model);
  const observations = input.observations.map(({ of, time, value }) => {
    const readout = program.readouts.findIndex(({ symbol }) => symbol === of);
    return { of: program.observations.findIndex((one) => one.readout === readout), time, value, isBelowLimit: false };
  });
  const times = [...input.doses.map(({ time }) => time), ...observations.map(({ time }) => time), 0];
  const start = Math.min(...times);
  return {
    program,
    logPriorWeight: 0,
    timeline: buildTimeline(program, {
      start,
      end: Math.max(...times) + 1,
      doses: input.doses,
      covariates: [{ time: start, row: covariateRow(manifest, program, input.covariates) }],
      controls: [],
      setStates: [],
      occasions: [],
      steadyState: null,
    }),
    occasions: 1,
    unknownCovariates: [],
    observations,
  };
}

export async function mostProbable({ simulator }: Setting, problem: ModelProblem): Promise<MapEstimate> {
  const objective = new Objective(new Prior(problem, seed), simulator, seed);
  const [best] = await findModes(objective, simulator, objective.prior.draw(starts, 0).points);
  if (!best) throw new Error('no start has any posterior mass');
  return describeMode(objective, best);
}

/** A case of `map` with one observed column. */
export function mapCheck(published: Values): Check {
  const { id, model: name } = published as { readonly id: string; readonly model: string };
  return {
    where: id,
    run: async (setting) => {
      const named = publishedModels[name];
      if (!named) return [`the model '${name}' is not known here`];
      const manifest = await setting.pack(named.pack);
      const model = withStatedErrors(withStatedPrior(modelOf(manifest, named.model), published, named), published);
      const observed = observedReadout(named, published);
      const golden = fromPublished({ ...published, id, model: name, columns: ['t'], rows: [] }, { relative: 0, ofLargest: 0 });
      const problem = problemOf(manifest, model, {
        covariates: golden.covariates,
        doses: golden.doses.map(({ input, duration = 0, ...dose }) => ({
          ...dose,
          duration,
          input: model.inputs!.findIndex(({ symbol }) => symbol === input),
        })),
        observations: rowsOf(published['observations'] ?? published['observations_inr']).map(([time, value]) => ({
          of: observed,
          time: time!,
          value: value!,
        })),
      });
      const estimate = await mostProbable(setting, problem);
      return compareEstimate(setting, published, named, problem, estimate);
    },
  };
}

/** Which column is observed: the INR where there is one, else the first. */
function observedReadout({ columns }: PublishedModel, published: Values): string {
  return 'observations_inr' in published ? columns['INR']! : Object.values(columns)[0]!;
}

function compareEstimate(
  setting: Setting,
  published: Values,
  { effects, parameters }: PublishedModel,
  { program, observations }: ModelProblem,
  estimate: MapEstimate,
): string[] {
  const messages: string[] = [];
  const off = (what: string, found: number, expected: number, tolerance: Tolerance): void => {
    if (!isNear(found, expected, tolerance)) messages.push(saying(what, found, expected));
  };
  const allowed = effectTolerance(setting);
  for (const [name, expected] of Object.entries(namedEffects(published, published['map_eta']))) {
    const column = program.effects.findIndex(({ symbol }) => symbol === effects[name]);
    if (column < 0) messages.push(`map_eta.${name}: this effect is not known here`);
    else off(`map_eta.${name}`, estimate.effects[column]!, expected, { relative: 0, absolute: allowed });
  }
  const objective = published['minus2logpost'];
  if (setting.isExact && typeof objective === 'number') {
    off('minus2logpost', estimate.minus2LogPosterior, objective, { relative: 0, absolute: objectiveTolerance });
  }
  // Log-normal parameters and what is fitted move by as much, relatively, as the effects do.
  for (const [name, expected] of Object.entries(valuesOf(published['params']))) {
    const symbol = parameters[name];
    if (symbol) off(`params.${name}`, estimate.parameters[symbol]!, Number(expected), { relative: allowed });
  }
  const fitted = (published['fitted'] ?? published['fitted_inr'] ?? []) as readonly number[];
  fitted.forEach((expected, i) => {
    off(`fitted at ${observations[i]!.time}`, estimate.fitted[i]!, expected, { relative: allowed });
  });
  return messages;
}

/** Values by published effect: as an object, or as an array in the order of `eta_order`. */
function namedEffects(published: Values, values: unknown): Readonly<Record<string, number>> {
  if (!Array.isArray(values)) return valuesOf(values) as Readonly<Record<string, number>>;
  const order = published['eta_order'] as readonly string[];
  return Object.fromEntries(order.map((name, i) => [name, values[i] as number]));
}

/** The Ω that the case states: `omega` in the order of `eta_order`, or variances as `omega2`. */
function withStatedPrior(model: EquationsModel, published: Values, named: PublishedModel): EquationsModel {
  const { omega, omega2 } = published as { readonly omega?: readonly (readonly number[])[]; readonly omega2?: object };
  if (!omega && !omega2) return model;
  const order = omega ? (published['eta_order'] as readonly string[]) : Object.keys(omega2!);
  const matrix = omega ?? order.map((name, i) => order.map((_, j) => (i === j ? Number(valuesOf(omega2)[name]) : 0)));
  const symbols = order.map((name) => named.effects[name]);
  const without = (model.effects ?? []).find(({ symbol }) => !symbols.includes(symbol));
  if (without) throw new Error(`the case says nothing of the effect '${without.symbol}'`);
  const effects = (model.effects ?? []).map((effect) => {
    const i = symbols.indexOf(effect.symbol);
    return { ...effect, variance: matrix[i]![i]! };
  });
  const correlations = symbols.flatMap((a, i) =>
    symbols.slice(0, i).flatMap((b, j) => {
      const covariance = matrix[i]![j]!;
      const value = covariance / Math.sqrt(matrix[i]![i]! * matrix[j]![j]!);
      return covariance === 0 ? [] : [{ between: [b!, a!] as const, value }];
    }),
  );
  const { correlations: _, ...rest } = model;
  return { ...rest, effects, ...(correlations.length > 0 ? { correlations } : {}) };
}

function withStatedErrors(model: EquationsModel, published: Values): EquationsModel {
  const { sigma_add: sd, sigma_prop: fraction, sigma_log: log } = published as Readonly<Record<string, number | undefined>>;
  let error: ErrorModel;
  if (log !== undefined) error = { kind: 'log', sd: log };
  else if (sd !== undefined && fraction) error = sd > 0 ? { kind: 'combined', sd, fraction } : { kind: 'proportional', fraction };
  else if (sd !== undefined) error = { kind: 'additive', sd };
  else return model;
  return { ...model, observations: model.observations.map((one) => ({ ...one, error })) };
}
