/**
 * Simulation-based calibration (Talts et al. 2018) of fits: people are drawn from a pack's own models, measured with the models' own
 * error and fitted. If fitting is right, what is true of a person ranks uniformly in the posterior, and nine intervals of 90 % in ten
 * hold it, whatever the models are worth.
 */
import type { Simulator } from '#engine/simulation.ts';
import { buildTimeline, type TimelineDose } from '#engine/timeline.ts';
import { ksUniformP } from '#numerics/moments.ts';
import { RandomSequence, seedFrom, streams } from '#numerics/random.ts';
import { normalQuantile } from '#numerics/special-functions.ts';
import { compileModel } from '#packs/equations/compile.ts';
import type { Program } from '#packs/equations/program.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import { fitEquations } from '#twin/equations/averaging.ts';
import { spread } from '#twin/equations/error-models.ts';
import type { EquationsTwin, FitObservation, FittedModel, ModelProblem, Rung } from '#twin/equations/fit-problem.ts';
import { Prior } from '#twin/equations/prior.ts';

/** What happens to one person; everything in model time. */
export interface Scenario {
  /** By manifest id. */
  readonly covariates: Readonly<Record<string, number | string>>;
  /** Categories that nobody knows, with the shares that the truth is drawn from. */
  readonly unknown?: Readonly<Record<string, readonly number[]>>;
  readonly doses: readonly Omit<TimelineDose, 'input'>[];
  readonly observations: readonly { readonly marker: string; readonly time: number }[];
  /** A measurement below it is reported as "below". */
  readonly limit?: number;
  /** Read-outs at these times are what is to be forecast. */
  readonly readout: string;
  readonly futureTimes: readonly number[];
}

export interface Study {
  readonly id: string;
  readonly manifest: Omit<EquationsManifest, 'golden' | 'card'>;
  readonly draw: (random: RandomSequence) => Scenario;
  /** From the read-out at `futureTimes`: what is forecast and ranked beside the effects. */
  readonly quantities: Readonly<Record<string, (future: Float64Array) => number>>;
  /** A quantity whose chance to fall below `threshold` is compared with the most probable patient's own answer. */
  readonly risk?: { readonly quantity: string; readonly threshold: number };
}

export interface FittedScenario {
  readonly model: string;
  /** Share of the posterior below the truth, by effect of the true model alone and by quantity of all models averaged. */
  readonly ranks: Readonly<Record<string, number>>;
  readonly rungs: readonly Rung[];
  readonly effectiveSampleSize: number;
  readonly conflictProbability: number;
  /** Posterior chance, most probable patient's answer (0 or 1), and what was true. */
  readonly risk: { readonly posterior: number; readonly plugIn: number; readonly truth: number } | null;
}

export interface StudyOptions {
  readonly people: number;
  readonly seed: number;
  readonly draws: number;
  readonly lanes: number;
}

export async function runStudy(
  study: Study,
  options: StudyOptions,
  simulator: Simulator,
  onPerson: (done: number) => void = () => {},
): Promise<FittedScenario[]> {
  const { manifest } = study;
  const programs = manifest.models
    .map((model, m) => compileModel(model, manifest, `pack.json, models[${m}]`))
    .filter(({ priorWeight }) => priorWeight > 0);
  const random = new RandomSequence(seedFrom(options.seed), streams.people);
  const fitted: FittedScenario[] = [];
  for (let person = 0; person < options.people; person++) {
    fitted.push(await fitPerson(study, programs, random, { ...options, seed: options.seed * 100_000 + person }, simulator));
    onPerson(person + 1);
  }
  return fitted;
}

async function fitPerson(
  study: Study,
  programs: readonly Program[],
  random: RandomSequence,
  { draws, lanes, seed: integer }: StudyOptions,
  simulator: Simulator,
): Promise<FittedScenario> {
  const seed = seedFrom(integer);
  const scenario = study.draw(random);
  const totalWeight = programs.reduce((sum, { priorWeight }) => sum + priorWeight, 0);
  const problems = programs.map((program) =>
    problemOf(study.manifest, program, scenario, Math.log(program.priorWeight / totalWeight)),
  );
  const own = drawModel(programs, totalWeight, random);
  const truth = await simulateTruth(problems[own]!, scenario, simulator, random);
  const models = problems.map((problem) => ({
    ...problem,
    observations: observationsFor(problem.program, scenario, truth.measured),
  }));
  const averaged = await fitEquations({ models, simulator, seed, draws, lanes });
  const alone = models.length === 1 ? averaged : await fitEquations({ models: [models[own]!], simulator, seed, draws, lanes });
  const ranks: Record<string, number> = {};
  const { lanes: ownLanes } = alone.models[0]!;
  programs[own]!.effects.forEach(({ symbol }, e) => {
    const column = ownLanes.effects.subarray(e * ownLanes.lanes, (e + 1) * ownLanes.lanes);
    ranks[`${programs[own]!.modelId} ${symbol}`] = shareBelow(column, truth.effects[e]!);
  });
  const future = await futureOf(averaged, models, scenario, simulator, integer);
  for (const [name, quantity] of Object.entries(study.quantities)) {
    ranks[name] = shareBelow(future.map(quantity), quantity(truth.future));
  }
  return {
    model: programs[own]!.modelId,
    ranks,
    rungs: averaged.models.map(({ rung }) => rung),
    effectiveSampleSize: Math.min(...averaged.models.map(({ effectiveSampleSize }) => effectiveSampleSize)),
    conflictProbability: averaged.conflictProbability ?? 1,
    risk: study.risk
      ? await riskOf(study, study.risk, averaged, models, scenario, truth.future, future, simulator, integer)
      : null,
  };
}

function drawModel(programs: readonly Program[], totalWeight: number, random: RandomSequence): number {
  let left = random.uniform() * totalWeight;
  return Math.max(
    0,
    programs.findIndex(({ priorWeight }) => (left -= priorWeight) < 0),
  );
}

function problemOf(manifest: Study['manifest'], program: Program, scenario: Scenario, logPriorWeight: number): ModelProblem {
  const row = Float64Array.from(program.covariates, (id) => {
    const covariate = manifest.covariates.find((one) => one.id === id)!;
    if (scenario.unknown?.[id]) return Number.NaN;
    const value = scenario.covariates[id];
    if (value === undefined) throw new Error(`The scenario has no covariate '${id}'.`);
    return covariate.kind === 'number' ? Number(value) : covariate.categories.findIndex((category) => category.value === value);
  });
  const end = Math.max(...scenario.futureTimes) + 1;
  const start = Math.min(0, ...scenario.doses.map(({ time }) => time));
  return {
    program,
    logPriorWeight,
    timeline: buildTimeline(program, {
      start,
      end,
      doses: scenario.doses.map((dose) => ({ ...dose, input: 0 })),
      covariates: [{ time: start, row }],
      controls: [],
      setStates: [],
      occasions: [],
      steadyState: null,
    }),
    occasions: 1,
    unknownCovariates: program.covariates.flatMap((id, covariate) => {
      const shares = scenario.unknown?.[id];
      return shares ? [{ covariate, shares }] : [];
    }),
    observations: [],
  };
}

interface Truth {
  readonly effects: Float64Array;
  readonly measured: readonly number[];
  readonly future: Float64Array;
}

async function simulateTruth(
  problem: ModelProblem,
  scenario: Scenario,
  simulator: Simulator,
  random: RandomSequence,
): Promise<Truth> {
  const { program, timeline } = problem;
  const seed = seedFrom(Math.floor(random.uniform() * 2 ** 31));
  const prior = new Prior(problem, seed);
  const { points } = prior.draw(1, 0);
  const lanes = prior.lanes(points);
  const observed = scenario.observations.map(({ marker }) => observationIndex(program, marker));
  const times = Float64Array.from(new Set([...scenario.observations.map(({ time }) => time), ...scenario.futureTimes])).sort();
  const readouts = [
    ...new Set([...observed.map((of) => program.observations[of]!.readout), readoutIndex(program, scenario.readout)]),
  ];
  const { values } = await simulator.simulate({ ...lanes, program, timelines: [timeline], times, readouts, seed });
  const at = (readout: number, time: number): number =>
    values[0]![readouts.indexOf(readout) * times.length + times.indexOf(time)]!;
  const measured = scenario.observations.map(({ time }, i) => {
    const { readout, factor, error } = program.observations[observed[i]!]!;
    const f = factor * at(readout, time);
    const z = normalQuantile(random.uniform());
    if (error.kind === 'log') return f * Math.exp(error.sd * z);
    return f + z * spread({ index: i, observation: { of: 0, time, value: f, isBelowLimit: false }, error, transitionSd: 0 }, f);
  });
  const future = Float64Array.from(scenario.futureTimes, (time) => at(readoutIndex(program, scenario.readout), time));
  return { effects: Float64Array.from(lanes.effects), measured, future };
}

function observationsFor(
  program: Program,
  { observations, limit = -Infinity }: Scenario,
  measured: readonly number[],
): FitObservation[] {
  return observations.map(({ marker, time }, i) => {
    const isBelowLimit = measured[i]! < limit;
    return { of: observationIndex(program, marker), time, value: isBelowLimit ? limit : measured[i]!, isBelowLimit };
  });
}

/** [lanes of all models] of [future times]. */
async function futureOf(
  twin: EquationsTwin,
  problems: readonly ModelProblem[],
  scenario: Scenario,
  simulator: Simulator,
  seed: number,
): Promise<Float64Array[]> {
  const all: Float64Array[] = [];
  for (const model of twin.models) all.push(...(await courses(model, model.lanes, problems, scenario, simulator, seed)));
  return all;
}

async function courses(
  { program }: FittedModel,
  lanes: FittedModel['lanes'],
  problems: readonly ModelProblem[],
  scenario: Scenario,
  simulator: Simulator,
  seed: number,
): Promise<Float64Array[]> {
  if (lanes.lanes === 0) return [];
  const { timeline } = problems.find((problem) => problem.program === program)!;
  const times = Float64Array.from(scenario.futureTimes);
  const readouts = [readoutIndex(program, scenario.readout)];
  const { values } = await simulator.simulate({
    ...lanes,
    program,
    timelines: [timeline],
    times,
    readouts,
    seed: seedFrom(seed),
  });
  return Array.from({ length: lanes.lanes }, (_, lane) =>
    Float64Array.from(times, (__, t) => values[0]![t * lanes.lanes + lane]!),
  );
}

/** The plug-in answer is that of the most probable patient of the most probable model. */
async function riskOf(
  study: Study,
  { quantity, threshold }: { readonly quantity: string; readonly threshold: number },
  twin: EquationsTwin,
  problems: readonly ModelProblem[],
  scenario: Scenario,
  truth: Float64Array,
  future: readonly Float64Array[],
  simulator: Simulator,
  seed: number,
): Promise<FittedScenario['risk']> {
  const of = study.quantities[quantity]!;
  const best = twin.models.reduce((most, model) => (model.weight > most.weight ? model : most));
  const [plugIn] = await courses(
    best,
    { lanes: 1, effects: best.map.effects, laneCovariates: [] },
    problems,
    scenario,
    simulator,
    seed,
  );
  const isBelow = (course: Float64Array): number => (of(course) < threshold ? 1 : 0);
  return {
    posterior: future.reduce((sum, course) => sum + isBelow(course), 0) / future.length,
    plugIn: isBelow(plugIn!),
    truth: isBelow(truth),
  };
}

function observationIndex({ observations }: Program, marker: string): number {
  return observations.findIndex((one) => one.marker === marker);
}

function readoutIndex({ readouts }: Program, symbol: string): number {
  return readouts.findIndex((one) => one.symbol === symbol);
}

/** A rank in finitely many draws, in (0, 1): half a draw to each side. */
function shareBelow(values: ArrayLike<number>, truth: number): number {
  let below = 0;
  for (let i = 0; i < values.length; i++) if (values[i]! < truth) below++;
  return (below + 0.5) / (values.length + 1);
}

export interface CalibrationReport {
  readonly people: number;
  /** By effect and quantity. */
  readonly ranks: Readonly<Record<string, { readonly n: number; readonly p: number; readonly coverage90: number }>>;
  readonly rungs: Readonly<Record<string, number>>;
  readonly inConflict: number;
  readonly risk: RiskReport | null;
}

export interface RiskReport {
  readonly events: number;
  readonly brier: { readonly posterior: number; readonly plugIn: number };
  /** Of people whose posterior chance lies in a tenth of (0, 1): how many there are, their mean chance, the share with the event. */
  readonly posteriorByTenth: readonly { readonly n: number; readonly mean: number; readonly share: number }[];
  /** Of people whom the most probable patient calls safe, and of those it calls at risk: the share with the event. */
  readonly plugIn: {
    readonly safe: { readonly n: number; readonly share: number };
    readonly atRisk: { readonly n: number; readonly share: number };
  };
}

export function summarise(fitted: readonly FittedScenario[]): CalibrationReport {
  const names = [...new Set(fitted.flatMap(({ ranks }) => Object.keys(ranks)))].sort();
  const ranks = names.map((name) => {
    const values = fitted.flatMap(({ ranks: own }) => own[name] ?? []);
    const p = ksUniformP(values);
    const inside = values.filter((rank) => rank > 0.05 && rank < 0.95).length;
    return [name, { n: values.length, p: p.defined ? p.value : Number.NaN, coverage90: inside / values.length }] as const;
  });
  const rungs: Record<string, number> = {};
  for (const rung of fitted.flatMap((one) => one.rungs)) rungs[rung] = (rungs[rung] ?? 0) + 1;
  const risks = fitted.flatMap(({ risk }) => risk ?? []);
  return {
    people: fitted.length,
    ranks: Object.fromEntries(ranks),
    rungs,
    inConflict: fitted.filter(({ conflictProbability }) => conflictProbability < 0.01).length,
    risk: risks.length > 0 ? summariseRisk(risks) : null,
  };
}

function summariseRisk(risks: readonly NonNullable<FittedScenario['risk']>[]): RiskReport {
  const brier = (chance: 'posterior' | 'plugIn'): number => mean(risks.map((risk) => (risk[chance] - risk.truth) ** 2));
  const group = (members: typeof risks) => ({ n: members.length, share: mean(members.map(({ truth }) => truth)) });
  return {
    events: risks.reduce((sum, { truth }) => sum + truth, 0),
    brier: { posterior: brier('posterior'), plugIn: brier('plugIn') },
    posteriorByTenth: Array.from({ length: 10 }, (_, tenth) => {
      const members = risks.filter(({ posterior }) => Math.min(9, Math.floor(posterior * 10)) === tenth);
      return { ...group(members), mean: mean(members.map(({ posterior }) => posterior)) };
    }),
    plugIn: {
      safe: group(risks.filter(({ plugIn }) => plugIn === 0)),
      atRisk: group(risks.filter(({ plugIn }) => plugIn === 1)),
    },
  };
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
