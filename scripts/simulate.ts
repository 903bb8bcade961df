// npm run simulate -- --pack ID --patient FILE --plan FILE [--plan FILE] … --out FILE
// The app's own forecast from the command line. docs/forecast-json.md describes the files that go in and come out.
import { readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { AppError } from '#domain/errors.ts';
import type { Plan } from '#domain/plan.ts';
import { addHours, expandCourse, isIsoMinute } from '#domain/doses.ts';
import type { IsoDate, IsoMinute, PatientRecord } from '#domain/record.ts';
import { CpuEngine } from '#engine/cpu/engine.ts';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import type { Engine, Stepper } from '#engine/engine.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import type { Simulator } from '#engine/simulation.ts';
import { loadPack } from '#packs/catalogue.ts';
import { isLearned, type EquationsPack, type LearnedPack, type Pack } from '#packs/pack.ts';
import { encodeHistoryPlain } from '#twin/encoder-plain.ts';
import { fitPerson } from '#twin/equations/fitted-person.ts';
import { forecastEquations } from '#twin/equations/forecast.ts';
import { forecast } from '#twin/forecast.ts';
import { readModels } from './read-models.ts';

const usage = `Usage: npm run simulate -- --pack ID|FOLDER --patient FILE [--plan FILE]... --out FILE
  --pack      id of an installed pack, or a pack's folder
  --patient   the person, as JSON
  --plan      a plan, as JSON; usual care is always forecast beside it
  --today     day of the forecast, YYYY-MM-DD. Default: the last date in the record
  --now       minute of the forecast, YYYY-MM-DDTHH:MM, for packs that count hours. Default: the last minute in the record
  --horizon   days from today. Default: the pack's longest
  --engine    cpu (default), gpu or reference
  --rollouts  simulated futures under each plan. Default: 10000
  --seed      whole number. Default: 1
  --out       where the forecast is written; - for the terminal
docs/forecast-json.md describes the files.`;

/** What a caller can tell apart; docs/forecast-json.md lists them. */
const exitCodes = { completed: 0, broken: 1, usage: 2, refused: 3, notCompleted: 4 } as const;

class UsageError extends Error {}

const routes = ['iv-bolus', 'iv-infusion', 'oral', 'subcutaneous', 'radiation'] as const;

const patientSchema = v.strictObject({
  id: v.optional(v.string(), 'patient'),
  alias: v.optional(v.string(), 'Patient'),
  isSynthetic: v.optional(v.boolean(), false),
  entryDate: v.string(),
  covariates: v.optional(v.record(v.string(), v.union([v.number(), v.string()])), {}),
  observations: v.optional(
    v.array(
      v.strictObject({
        id: v.optional(v.string(), ''),
        code: v.string(),
        date: v.string(),
        time: v.exactOptional(v.string()),
        isBelowLimit: v.exactOptional(v.literal(true)),
        value: v.number(),
        unit: v.optional(v.string(), '1'),
        isConfirmed: v.optional(v.boolean(), false),
        source: v.optional(v.string(), ''),
      }),
    ),
    [],
  ),
  treatments: v.optional(
    v.array(
      v.strictObject({
        id: v.optional(v.string(), ''),
        intervention: v.string(),
        start: v.string(),
        stop: v.optional(v.nullable(v.string()), null),
      }),
    ),
    [],
  ),
  doses: v.exactOptional(
    v.array(
      v.strictObject({
        id: v.optional(v.string(), ''),
        intervention: v.string(),
        amount: v.number(),
        unit: v.string(),
        route: v.picklist(routes),
        durationHours: v.optional(v.nullable(v.number()), null),
        start: v.string(),
        everyHours: v.optional(v.nullable(v.number()), null),
        count: v.optional(v.nullable(v.number()), null),
        exceptions: v.optional(
          v.array(
            v.variant('kind', [
              v.strictObject({ number: v.number(), kind: v.literal('missed') }),
              v.strictObject({ number: v.number(), kind: v.literal('given-at'), at: v.string() }),
              v.strictObject({ number: v.number(), kind: v.literal('amount'), amount: v.number() }),
            ]),
          ),
          [],
        ),
      }),
    ),
  ),
  events: v.optional(v.array(v.strictObject({ event: v.string(), date: v.string() })), []),
  note: v.optional(v.string(), ''),
  updatedAt: v.optional(v.number(), 0),
});

const planSchema = v.strictObject({
  id: v.optional(v.string()),
  name: v.optional(v.string()),
  stopsCurrentDoses: v.exactOptional(v.boolean()),
  regimens: v.exactOptional(
    v.array(
      v.strictObject({
        intervention: v.string(),
        amount: v.number(),
        route: v.picklist(routes),
        durationHours: v.optional(v.nullable(v.number()), null),
        startHour: v.optional(v.number(), 0),
        everyHours: v.optional(v.nullable(v.number()), null),
        count: v.optional(v.nullable(v.number()), null),
      }),
    ),
  ),
  blocks: v.optional(
    v.array(
      v.strictObject({
        intervention: v.string(),
        startDay: v.optional(v.number(), 0),
        // A plan that says nothing never stops; JSON has no infinity, so the largest number of days stands for it.
        stopDay: v.optional(v.number(), Number.MAX_SAFE_INTEGER),
      }),
    ),
    [],
  ),
});

async function main(): Promise<number> {
  const options = readOptions();
  const record: PatientRecord = await readJson(options.patient, patientSchema, 'record_invalid');
  const plans = await Promise.all(options.plans.map(readPlan));
  const pack = await readPack(options.pack);
  const answer = isLearned(pack)
    ? await forecastLearned(pack, record, plans, options)
    : await forecastByEquations(pack, record, plans, options);
  const text = `${JSON.stringify(answer, null, 1)}\n`;
  if (options.out === '-') process.stdout.write(text);
  else await writeFile(options.out, text);
  const { fit, rollOut } = answer.run.elapsedMs;
  console.error(
    `${answer.status}: ${answer.message} (${answer.run.engineDescription}; fit ${fit.toFixed(0)} ms, futures ${rollOut.toFixed(0)} ms)`,
  );
  return answer.status === 'completed' ? exitCodes.completed : exitCodes.notCompleted;
}

type Options = ReturnType<typeof readOptions>;

async function forecastLearned(pack: LearnedPack, record: PatientRecord, plans: readonly Plan[], options: Options) {
  const { engine, stepper } = await startEngine(options.engine);
  return forecast(
    {
      pack,
      record,
      today: options.today ?? options.now?.slice(0, 10) ?? lastDate(record),
      plans,
      seed: options.seed,
      ...(options.rollouts === undefined ? {} : { rollouts: options.rollouts }),
      ...(options.horizonDays === undefined ? {} : { horizonDays: options.horizonDays }),
    },
    { engine, stepper, encode: encodeHistoryPlain, now: () => performance.now() },
  );
}

async function forecastByEquations(pack: EquationsPack, record: PatientRecord, plans: readonly Plan[], options: Options) {
  const simulator = await startSimulator(options.engine);
  const now = options.now ?? (options.today === undefined ? lastMinute(record) : (`${options.today}T00:00` as const));
  if (!isIsoMinute(now)) throw new UsageError(`--now: found '${now}', expected YYYY-MM-DDTHH:MM.`);
  const { seed } = options;
  const clock = { simulator, now: () => performance.now() };
  const fitted = await fitPerson({ pack, record, now, lanes: options.rollouts ?? 10_000, seed }, clock);
  const horizon = options.horizonDays === undefined ? {} : { horizonDays: options.horizonDays };
  return forecastEquations({ pack, fitted, plans, seed, ...horizon }, clock);
}

async function startSimulator(kind: 'cpu' | 'gpu' | 'reference'): Promise<Simulator> {
  if (kind === 'reference') return new ReferenceSimulator();
  if (kind === 'cpu') return new CpuSimulator();
  const [gpu, { GpuSimulator }] = await Promise.all([requireGpu(), import('#engine/gpu/simulation.ts')]);
  return GpuSimulator.create(gpu);
}

function readOptions() {
  const text = { type: 'string' } as const;
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        pack: text,
        patient: text,
        plan: { type: 'string', multiple: true },
        today: text,
        now: text,
        horizon: text,
        engine: text,
        rollouts: text,
        seed: text,
        out: text,
      },
    }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const need = (name: 'pack' | 'patient' | 'out') => {
    const value = values[name];
    if (value === undefined) throw new UsageError(`--${name} is missing.`);
    return value;
  };
  const whole = (name: 'horizon' | 'rollouts' | 'seed', least: number) => {
    const given = values[name];
    if (given === undefined) return undefined;
    const number = Number(given);
    if (Number.isSafeInteger(number) && number >= least) return number;
    throw new UsageError(`--${name}: found '${given}', expected a whole number of at least ${least}.`);
  };
  const engine = values.engine ?? 'cpu';
  if (engine !== 'cpu' && engine !== 'gpu' && engine !== 'reference') {
    throw new UsageError(`--engine: found '${engine}', expected cpu, gpu or reference.`);
  }
  return {
    pack: need('pack'),
    patient: need('patient'),
    plans: values.plan ?? [],
    out: need('out'),
    engine,
    today: values.today,
    now: values.now,
    horizonDays: whole('horizon', 1),
    rollouts: whole('rollouts', 1),
    seed: whole('seed', 0) ?? 1,
  } as const;
}

async function readJson<T extends v.GenericSchema>(
  file: string,
  schema: T,
  code: 'record_invalid' | 'plan_invalid',
): Promise<v.InferOutput<T>> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new UsageError(`${file}: there is no such file that can be read.`);
  });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new AppError(code, `${file}: this is not JSON. Check it for a missing comma or quotation mark.`);
  }
  const result = v.safeParse(schema, parsed);
  if (result.success) return result.output;
  // The message of valibot holds what was found; a path and what was expected are enough, and hold no patient's value.
  const faults = result.issues.map(
    (issue) => `${v.getDotPath(issue) ?? 'the file'}: expected ${issue.expected ?? 'another value'}`,
  );
  throw new AppError(code, `${file}: ${faults.join('; ')}. docs/forecast-json.md shows an example.`);
}

async function readPlan(file: string, index: number): Promise<Plan> {
  const { id = `plan-${index + 1}`, name = basename(file, '.json'), ...rest } = await readJson(file, planSchema, 'plan_invalid');
  return { id, name, ...rest };
}

async function readPack(pack: string): Promise<Pack> {
  const isFolder = await stat(join(pack, 'pack.json')).then(
    () => true,
    () => false,
  );
  if (!isFolder) return loadPack(pack, readModels());
  const folder = resolve(pack);
  return loadPack(basename(folder), readModels(dirname(folder)));
}

async function startEngine(kind: 'cpu' | 'gpu' | 'reference'): Promise<{ engine: Engine; stepper: Stepper }> {
  if (kind === 'reference') {
    const reference = new ReferenceEngine();
    return { engine: reference, stepper: reference };
  }
  const cpu = await CpuEngine.create();
  if (kind === 'cpu') return { engine: cpu, stepper: cpu };
  // Loaded only when asked for: Dawn's bindings are a native module that some machines lack.
  const [gpu, { GpuEngine }] = await Promise.all([requireGpu(), import('#engine/gpu/forecast.ts')]);
  return { engine: await GpuEngine.create(gpu), stepper: cpu };
}

async function requireGpu(): Promise<GPU> {
  const { requestNodeGpu } = await import('./node-gpu.ts');
  const gpu = await requestNodeGpu();
  if (gpu) return gpu;
  throw new AppError('gpu_unavailable', 'There is no GPU adapter here. Run with --engine cpu.');
}

/** No clock: the same files give the same forecast on any day. */
function lastDate(record: PatientRecord): IsoDate {
  const dates = [
    record.entryDate,
    ...record.observations.map(({ date }) => date),
    ...record.treatments.flatMap(({ start, stop }) => (stop === null ? [start] : [start, stop])),
    ...record.events.map(({ date }) => date),
  ];
  return dates.reduce((latest, date) => (date > latest ? date : latest));
}

/** The last level or dose that has been; a course that goes on for ever does not move it. */
function lastMinute(record: PatientRecord): IsoMinute {
  const day = `${lastDate(record)}T00:00`;
  const levels = record.observations.map(({ date, time = '00:00' }) => `${date}T${time}`);
  const doses = (record.doses ?? []).map((course) => {
    if (course.everyHours === null || course.count === null) return course.start;
    return expandCourse(course, addHours(course.start, course.everyHours * course.count)).at(-1)?.at ?? course.start;
  });
  return [day, ...levels, ...doses].reduce((latest, minute) => (minute > latest ? minute : latest));
}

main().then(
  // Dawn keeps the process alive and crashes when it is torn down, so the exit is explicit.
  (code) => process.exit(code),
  (error: unknown) => {
    if (error instanceof UsageError) {
      console.error(`simulate: ${error.message}\n\n${usage}`);
      process.exit(exitCodes.usage);
    }
    if (error instanceof AppError) {
      console.error(`${error.code}: ${error.message}`);
      process.exit(exitCodes.refused);
    }
    console.error(error);
    process.exit(exitCodes.broken);
  },
);
