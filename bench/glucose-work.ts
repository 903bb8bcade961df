/**
 * The work t1d-10000x24h: 10,000 virtual patients of the pack type-1-diabetes through a day with three meals, glucose every five
 * minutes. Patients are drawn around the 30 published ones, each in turn, with a quarter of the population’s spread and its
 * correlations; draws that break a constraint again. (The population itself reaches patients whom RK4 cannot follow in steps of a
 * minute: some absorb at more than 2.8 a minute, the bound of its stability.) Each is on its own nominal basal rate, and boluses
 * follow the rule of 500 with a daily dose of twice the basal one, so insulin is counted in minutes of nominal basal rate:
 * 2 · 1440/500 of them to a gram.
 */
import type { SimulationRequest } from '#engine/simulation.ts';
import { individualParameters } from '#engine/reference/compiled-model.ts';
import { buildTimeline } from '#engine/timeline.ts';
import { cholesky } from '#numerics/linear-algebra.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { compileModel } from '#packs/equations/compile.ts';
import { evaluate } from '#packs/equations/evaluate.ts';
import type { StepperChoice } from '#packs/equations/model.ts';
import type { Expr, Program } from '#packs/equations/program.ts';
import type { EquationsManifest } from '#packs/manifest.ts';

/** What of a pack is needed; plain data, so that it can be handed to a page. */
export interface GlucosePack extends Pick<EquationsManifest, 'models' | 'covariates' | 'markers' | 'interventions' | 'events'> {
  /** The published patients: covariates by id, effects by symbol. */
  readonly published: readonly {
    readonly covariates: Readonly<Record<string, number | string>>;
    readonly effects: Readonly<Record<string, number>>;
  }[];
}

/** Of the population's. */
const spread = 0.25;

export const minutesOfDay = 1440;
/**
 * Of RK4, in every path. With steps of a whole minute two of the published patients, whose stomachs switch sharply (b above 0.95), are
 * off by 0.25 and 0.27 mg/dL after the second meal; with half of one nobody is off by 0.2.
 */
export const stepsPerMinute = 2;
const minutesOfReport = 5;

const meals = [
  { minute: 420, grams: 50 },
  { minute: 720, grams: 70 },
  { minute: 1080, grams: 60 },
] as const;
const basalMinutesPerGram = (2 * minutesOfDay) / 500;

/** Measured by the makers of the specification: the public Python simulator, its own step loop, on one core of this kind of machine. */
export const simglucosePatientDaysPerSecond = 0.53;

export const glucoseSteppers = {
  rk4: { kind: 'rk4', step: 1 / stepsPerMinute },
  dopri5: {
    kind: 'dopri5',
    relativeTolerance: 3e-5,
    absoluteTolerance: 1e-6,
    firstStep: 0.5,
    maximumStep: 60,
    maximumSteps: 100_000,
  },
  exact: {
    kind: 'dopri5',
    relativeTolerance: 1e-10,
    absoluteTolerance: 1e-10,
    firstStep: 0.1,
    maximumStep: 60,
    maximumSteps: 1_000_000,
  },
} as const satisfies Record<string, StepperChoice>;
export type GlucoseStepper = keyof typeof glucoseSteppers;

export interface GlucoseWork {
  readonly name: string;
  readonly lanes: number;
  readonly minutes: number;
  request(stepper: GlucoseStepper): SimulationRequest;
  /** By symbol of the model, and BW: [lanes] each. What the hand-written paths compute from. */
  readonly patients: Readonly<Record<string, Float64Array>>;
  /** By minute: carbohydrate eaten in mg/min, insulin in nominal basal rates. */
  readonly eaten: Float64Array;
  readonly insulin: Float64Array;
  /** Minutes after which glucose is reported, from 0. */
  readonly reports: readonly number[];
}

/** A way to do the work, ready to be timed. */
export interface GlucosePath {
  /** How much of the work `run` does; the rest costs as much again, step by step. */
  readonly share: number;
  run(): Promise<void>;
  /** The same, for its result: glucose in mg/dL, [reports × lanes], of as much of the day. */
  glucose(): Promise<Float32Array | Float64Array>;
  dispose(): void;
}

export function glucoseWork(pack: GlucosePack, lanes: number, minutes = minutesOfDay): GlucoseWork {
  const model = pack.models[0];
  const program = inBasalMinutes(compileModel(model, pack, 'models[0]'));
  const people = drawPatients(program, pack, lanes);
  const input = (symbol: string): number => program.inputs.findIndex((own) => own.symbol === symbol);
  const eatenNow = meals.filter(({ minute }) => minute < minutes);
  const timeline = buildTimeline(program, {
    start: 0,
    end: minutes,
    doses: [
      { input: input('BASAL'), time: 0, amount: minutesOfDay, duration: minutesOfDay },
      ...eatenNow.flatMap(({ minute, grams }) => [
        { input: input('MEAL'), time: minute, amount: grams, duration: 0 },
        { input: input('BOLUS'), time: minute, amount: grams * basalMinutesPerGram, duration: 0 },
      ]),
    ],
    covariates: [{ time: 0, row: new Float64Array(program.covariates.length).fill(NaN) }],
    controls: [],
    setStates: [],
    occasions: [],
    steadyState: null,
  });
  const reports = Array.from({ length: minutes / minutesOfReport + 1 }, (_, i) => i * minutesOfReport);
  const requestOf = (stepper: GlucoseStepper): SimulationRequest => ({
    program: { ...program, stepper: glucoseSteppers[stepper] },
    timelines: [timeline],
    times: Float64Array.from(reports),
    readouts: [program.readouts.findIndex(({ symbol }) => symbol === 'glucose')],
    lanes,
    effects: people.effects,
    laneCovariates: people.covariates.map((values, covariate) => ({ covariate, values })),
    seed: seedFrom(1),
  });
  const requests = new Map<GlucoseStepper, SimulationRequest>();
  const eaten = new Float64Array(minutes);
  const insulin = new Float64Array(minutes).fill(1);
  const perMinute = program.inputs[input('MEAL')].maximumRate!;
  for (const { minute, grams } of eatenNow) {
    insulin[minute] += grams * basalMinutesPerGram;
    for (let m = minute, left = grams; left > 0; m++, left -= perMinute) eaten[m] += 1000 * Math.min(perMinute, left);
  }
  return {
    name: `t1d-${lanes}x${minutes / 60}h`,
    lanes,
    minutes,
    // One program a stepper, so that engines compile it once.
    request(stepper) {
      const known = requests.get(stepper) ?? requestOf(stepper);
      requests.set(stepper, known);
      return known;
    },
    patients: people.parameters,
    eaten,
    insulin,
    reports,
  };
}

/** Both insulins in minutes of the patient's own nominal basal rate instead of units. */
function inBasalMinutes(program: Program): Program {
  const uss = program.parameters.findIndex(({ symbol }) => symbol === 'uss');
  const bioavailability: Expr = { op: 'read', from: 'parameter', index: uss };
  return { ...program, inputs: program.inputs.map((own) => (own.symbol === 'MEAL' ? own : { ...own, bioavailability })) };
}

interface Patients {
  /** [effects × lanes] */
  readonly effects: Float64Array;
  /** [covariate][lanes] */
  readonly covariates: readonly Float64Array[];
  readonly parameters: Readonly<Record<string, Float64Array>>;
}

function drawPatients(program: Program, { published, models, covariates: own }: GlucosePack, lanes: number): Patients {
  const random = new RandomSequence(seedFrom(2008));
  const size = program.effects.length;
  const factor = cholesky(Array.from({ length: size }, (_, i) => program.omega.slice(i * size, (i + 1) * size)))!;
  const spreadOfWeight = models[0].tables!.find(({ symbol }) => symbol === 'sd_BW')!.values;
  const effects = new Float64Array(size * lanes);
  const covariates = program.covariates.map(() => new Float64Array(lanes));
  const parameters: Record<string, Float64Array> = { BW: covariates[program.covariates.indexOf('weight')] };
  for (const { symbol } of program.parameters) parameters[symbol] = new Float64Array(lanes);
  const numberOf = (id: string, value: number | string): number => {
    const covariate = own.find((each) => each.id === id)!;
    return covariate.kind === 'category' ? covariate.categories.findIndex((each) => each.value === value) : Number(value);
  };
  for (let lane = 0; lane < lanes; lane++) {
    const around = published[lane % published.length];
    for (let isKept = false; !isKept;) {
      const perWeight = Math.exp(spread * spreadOfWeight[around.covariates['age-group']] * random.normal());
      const row = program.covariates.map((id) => numberOf(id, around.covariates[id]) * (id === 'weight' ? perWeight : 1));
      const z = Float64Array.from({ length: size }, () => random.normal());
      const drawn = program.effects.map(
        ({ symbol }, e) => around.effects[symbol] + spread * factor[e].reduce((sum, weight, j) => sum + weight * z[j], 0),
      );
      const values = individualParameters(program, row, drawn);
      const read = (from: string, index: number): number =>
        from === 'parameter' ? values[program.parameters[index].symbol] : from === 'effect' ? drawn[index] : row[index];
      isKept = program.constraints.every((constraint) => evaluate(constraint, read) !== 0);
      drawn.forEach((value, e) => (effects[e * lanes + lane] = value));
      row.forEach((value, c) => (covariates[c][lane] = value));
      for (const [symbol, value] of Object.entries(values)) parameters[symbol][lane] = value;
    }
  }
  return { effects, covariates, parameters };
}

/** Largest difference in mg/dL, of all patients and times. NaN where either has none. */
export function largestGlucoseError(found: ArrayLike<number>, exact: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < exact.length; i++) {
    const error = Math.abs(found[i] - exact[i]);
    if (!(error <= worst)) worst = error;
  }
  return worst;
}
