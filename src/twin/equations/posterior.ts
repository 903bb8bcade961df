/**
 * One model's posterior by a ladder of methods, each dearer than the one before: draws of the prior with importance weights, a
 * Student-t mixture around the modes, tempered sequential Monte Carlo. The first whose effective sample size suffices is taken.
 */
import { AppError } from '#domain/errors.ts';
import type { RunHooks } from '#engine/engine.ts';
import type { Simulator } from '#engine/simulation.ts';
import { RandomSequence, streams, type Seed } from '#numerics/random.ts';
import { systematic } from '#numerics/weighted-draws.ts';
import { chanceBelow } from './error-models.ts';
import type { FittedModel, ModelProblem, ObservationResidual, Rung } from './fit-problem.ts';
import { joinLaplace, samplePrior, weigh, type Sample, type WeightedSample } from './importance.ts';
import { describeMode, findModes, type Mode } from './map.ts';
import { Objective } from './objective.ts';
import { copyPoint, allocatePoints, Prior, type Points } from './prior.ts';
import { gather, sampleTempered } from './smc.ts';

export interface FitOptions {
  /**
   * Draws of the prior, and of the mixture where it is needed. Default 65,536; without a GPU 8,192 for differential
   * equations and 4,096 for stiff ones; fewer where there are more than 64 observations.
   */
  readonly draws?: number;
  /** Factor on Ω. Default 1. */
  readonly flattening?: number;
  /** Effective draws at which the ladder ends. Default `sufficientSize`; who weighs a few doses needs fewer than who draws bands. */
  readonly sufficient?: number;
  /** Starts of the search for modes, the prior's centre among them. Default 8; each costs as much as the others. */
  readonly starts?: number;
}

/** A posterior before it is known how many lanes it is to give. */
export interface ModelPosterior {
  readonly objective: Objective;
  readonly rung: Rung;
  readonly sample: WeightedSample;
  readonly modes: readonly Mode[];
  /** Weighted against the prior and, where it was needed, the mixture: what observations are predicted from, one by one. */
  readonly predictive: Sample;
  readonly draws: number;
}

const mostDraws = 65_536;
/**
 * Without a GPU a differential equation takes a third of a millisecond a draw, a stiff one two: a fit then takes seconds, and enough
 * draws still count.
 */
const drawsWithoutGpu = { 'closed-form': mostDraws, map: mostDraws, rosenbrock: 4096, other: 8192 } as const;
/** Predictions that are kept, 32 MB: a day of glucose every five minutes is fitted on 14,000 draws. */
const mostPredictions = 2 ** 22;
const fewestDraws = 4096;

function drawsFor({ program: { stepper }, observations }: ModelProblem, { kind }: Pick<Simulator, 'kind'>): number {
  const costs = stepper.kind in drawsWithoutGpu ? (stepper.kind as keyof typeof drawsWithoutGpu) : 'other';
  const affordable = kind === 'gpu' ? mostDraws : drawsWithoutGpu[costs];
  return Math.min(affordable, Math.max(fewestDraws, Math.floor(mostPredictions / Math.max(1, observations.length))));
}

/**
 * Quantiles of a thousand independent draws err by one or two percentiles, which is less than models differ by. With fewer draws
 * than 8,000, an eighth of them suffices.
 */
export const sufficientSize = (draws: number): number => Math.min(1000, draws / 8);
/** Moves visit each particle many times, so that an eighth of the draws costs as much as the other rungs together. */
const temperedShare = 8;
const startPool = 256;

/** Throws fit_failed where no draw of the population could have been observed like this. */
export async function fitModel(
  problem: ModelProblem,
  simulator: Simulator,
  seed: Seed,
  { draws = drawsFor(problem, simulator), flattening = 1, sufficient = sufficientSize(draws), starts = 8 }: FitOptions = {},
  hooks: RunHooks = {},
): Promise<ModelPosterior> {
  const objective = new Objective(new Prior(problem, seed, flattening), simulator, seed);
  const quiet: RunHooks = hooks.signal ? { signal: hooks.signal } : {};
  const { sample: fromPrior, acceptance } = await samplePrior(objective, draws, part(hooks, 0, 0.4));
  let sample = weigh(fromPrior);
  const modes = await findModes(objective, simulator, chooseStarts(objective, fromPrior, starts), quiet);
  if (modes.length === 0) throw impossible(problem);
  hooks.onProgress?.(0.45);
  const isSeen = objective.measurements.length > 0;
  let rung: Rung = isSeen ? 'importance' : 'prior';
  let predictive: Sample = fromPrior;
  let total = draws;
  if (isSeen && sample.effectiveSampleSize < sufficient) {
    predictive = await joinLaplace(objective, fromPrior, acceptance, modes, draws, part(hooks, 0.45, 0.8));
    sample = weigh(predictive);
    rung = 'laplace';
    total += draws;
    if (sample.effectiveSampleSize < sufficient) {
      const moved = await sampleTempered(objective, fromPrior, Math.ceil(draws / temperedShare), quiet);
      if (moved.effectiveSampleSize > sample.effectiveSampleSize) {
        sample = moved;
        rung = 'smc';
        total += moved.points.n;
      }
    }
  }
  if (sample.effectiveSampleSize === 0) throw impossible(problem);
  hooks.onProgress?.(1);
  return { objective, rung, sample, modes, predictive, draws: total };
}

/** `lanes` equally weighted draws, shuffled, so that the first few are a sample as well. */
export function drawLanes(
  { objective, rung, sample, modes, draws }: ModelPosterior,
  weight: number,
  lanes: number,
  seed: Seed,
): FittedModel {
  const { prior } = objective;
  const { program } = prior.problem;
  const random = new RandomSequence(seed, streams.resample);
  const order = shuffled(lanes, random);
  const from = new Uint32Array(lanes);
  systematic(sample.weights, lanes, random.uniform(), (to, lane) => (from[order[to]!] = lane));
  const points = allocatePoints(prior, lanes);
  for (let lane = 0; lane < lanes; lane++) copyPoint(points, lane, sample.points, from[lane]!);
  return {
    program,
    weight,
    logMarginal: sample.logMarginal,
    rung,
    effectiveSampleSize: sample.effectiveSampleSize,
    draws,
    diverged: sample.lost,
    lanes: prior.lanes(points),
    map: describeMode(objective, modes[0]!),
    residuals: residuals(objective, sample, random),
  };
}

/** Hooks of a part of the work, from one fraction to another. */
export function part({ onProgress, signal }: RunHooks, from: number, to: number): RunHooks {
  return {
    ...(onProgress ? { onProgress: (fraction: number) => onProgress(from + fraction * (to - from)) } : {}),
    ...(signal ? { signal } : {}),
  };
}

function impossible({ program }: ModelProblem): AppError {
  return new AppError(
    'fit_failed',
    `No virtual patient of model '${program.modelId}' could have been observed like this: every draw diverged or had ended before. Check the doses, their times and the observations.`,
  );
}

/**
 * The prior's centre, the best of the draws, and then from the best 256 always the one that is farthest from those chosen: several
 * modes are found if the draws have seen them.
 */
function chooseStarts({ prior }: Objective, { points, logLikelihood }: Sample, count: number): Points {
  const D = prior.activeColumns;
  const { n, z, categories } = points;
  const logs = logLikelihood.map((log, lane) => {
    let value = log + prior.logShare(points, lane);
    for (let j = 0; j < D; j++) value -= 0.5 * z[j * n + lane]! ** 2;
    return value;
  });
  const pool = bestOf(logs, startPool);
  const distance = (a: number, b: number): number => {
    let sum = 0;
    for (let j = 0; j < D; j++) sum += (z[j * n + a]! - z[j * n + b]!) ** 2;
    for (const values of categories) if (values[a] !== values[b]) sum += 4;
    return sum;
  };
  const chosen = pool.slice(0, 1);
  const nearest = pool.map((lane) => distance(lane, pool[0]!));
  while (chosen.length < count - 1 && chosen.length < pool.length) {
    let farthest = 0;
    for (let i = 1; i < pool.length; i++) if (nearest[i]! > nearest[farthest]!) farthest = i;
    const next = pool[farthest]!;
    chosen.push(next);
    pool.forEach((lane, i) => (nearest[i] = Math.min(nearest[i]!, distance(lane, next))));
  }
  const starts = allocatePoints(prior, chosen.length + 1);
  chosen.forEach((lane, s) => copyPoint(starts, s + 1, points, lane));
  if (chosen.length > 0) {
    copyPoint(starts, 0, points, chosen[0]!);
    for (let j = 0; j < prior.columns; j++) starts.z[j * starts.n] = 0;
  }
  return starts;
}

/** Indices of the largest finite values, largest first. */
function bestOf(values: Float64Array, count: number): number[] {
  const threshold = values.length > count ? values.slice().sort().at(-count)! : -Infinity;
  const best: number[] = [];
  values.forEach((value, i) => {
    if (value >= threshold && value > -Infinity) best.push(i);
  });
  return best.sort((a, b) => values[b]! - values[a]! || a - b).slice(0, count);
}

const residualDraws = 1000;
const residualLevels = [0.05, 0.5, 0.95] as const;

/** What a measurement at the time of each observation would show, under the posterior. */
function residuals(objective: Objective, sample: WeightedSample, random: RandomSequence): ObservationResidual[] {
  const { prior, measurements } = objective;
  const lanes = new Uint32Array(residualDraws);
  systematic(sample.weights, residualDraws, random.uniform(), (to, lane) => (lanes[to] = lane));
  const { predictions } = gather(prior, sample, lanes);
  // A state that the model starts from as it was observed is no surprise.
  const all = prior.problem.observations.map((observation): ObservationResidual => {
    const { value } = observation;
    return { observation, predicted: [value, value, value], probabilityBelow: 0.5 };
  });
  measurements.forEach((measurement, m) => {
    const f = predictions.subarray(m * residualDraws, (m + 1) * residualDraws).filter((value) => !Number.isNaN(value));
    const below = (y: number): number => f.reduce((sum, value) => sum + chanceBelow(measurement, y, value), 0) / f.length;
    const { observation } = measurement;
    all[measurement.index] = {
      observation,
      predicted: residualLevels.map((level) => mixtureQuantile(below, f, level)) as [number, number, number],
      probabilityBelow: below(observation.value),
    };
  });
  return all;
}

/** Where a continuous, rising `below` reaches `level`, by bisection from the range of the predictions outwards. */
function mixtureQuantile(below: (y: number) => number, predictions: Float64Array, level: number): number {
  let low = Infinity;
  let high = -Infinity;
  for (const f of predictions) {
    if (f < low) low = f;
    if (f > high) high = f;
  }
  const width = high - low || Math.abs(high) || 1;
  for (let reach = width; below(low) > level && reach < 1e6 * width; reach *= 2) low -= reach;
  for (let reach = width; below(high) < level && reach < 1e6 * width; reach *= 2) high += reach;
  for (let k = 0; k < 40 && high - low > 1e-7 * (Math.abs(low) + Math.abs(high)); k++) {
    const middle = (low + high) / 2;
    if (below(middle) < level) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function shuffled(length: number, random: RandomSequence): Uint32Array {
  const order = Uint32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
