/**
 * Tempered sequential Monte Carlo (Del Moral, Doucet & Jasra 2006) from prior to posterior, for people whom neither the prior nor a
 * mixture around the modes reaches: temperatures are chosen so that each step keeps half of the effective sample, and after each the
 * particles move by Metropolis–Hastings, all of them as the lanes of one simulation.
 */
import type { RunHooks } from '#engine/engine.ts';
import { cholesky, zeros } from '#numerics/linear-algebra.ts';
import { effectiveSize, normaliseLogWeights, systematic } from '#numerics/weighted-draws.ts';
import { rounds, type Sample, type WeightedSample } from './importance.ts';
import type { Evaluation, Objective } from './objective.ts';
import { allocatePoints, copyPoint, pick, type Points, type Prior } from './prior.ts';

/** Half of the sample may be lost between temperatures. */
const keptShare = 0.5;
/** A temperature is over when the accepted moves add up to this in units of the population's own spread, or after so many rounds. */
const reachWanted = 1;
const mostRounds = { between: 8, last: 20 } as const;
const mostTemperatures = 200;
const wantedAcceptance = { low: 0.15, high: 0.45 } as const;

/**
 * `n` equally weighted particles, starting from draws of the prior. The effective sample size counts lineages: copies that no
 * accepted move has parted since they were last resampled count once. Moves leave parted copies correlated, so it is an upper bound,
 * and the standard error of the marginal likelihood, which takes the temperatures as independent, is a lower one.
 */
export async function sampleTempered(
  objective: Objective,
  fromPrior: Sample,
  n: number,
  hooks?: RunHooks,
): Promise<WeightedSample> {
  const { prior } = objective;
  const start = weighDiverged(fromPrior);
  const particles = takeFirst(objective, fromPrior, n);
  const size = particles.points.n;
  let lineage = Int32Array.from({ length: size }, (_, i) => i);
  let temperature = 0;
  let value = 0;
  let variance = 0;
  let round: number = rounds.smc;
  const scales = { independent: 0.5, walk: 1 };
  for (let step = 0; temperature < 1 && step < mostTemperatures; step++) {
    const next = nextTemperature(particles.logLikelihood, temperature);
    const { weights, logMean, standardError } = normaliseLogWeights(tempered(particles.logLikelihood, next - temperature));
    value += logMean;
    variance += standardError ** 2;
    temperature = next;
    const population = describe(prior, particles.points, weights);
    lineage = resample(objective, particles, weights, lineage, prior.uniform(step, rounds.smc, 1));
    const isLast = temperature === 1;
    let reached = 0;
    for (let k = 0; k < (isLast ? mostRounds.last : mostRounds.between); k++) {
      const kind = k % 2 === 0 ? 'independent' : 'walk';
      const accepted = await move(
        { objective, particles, lineage, population, temperature, round: ++round, kind, scale: scales[kind] },
        hooks,
      );
      reached += (accepted / size) * Math.min(1, scales[kind]) ** 2;
      if (accepted < wantedAcceptance.low * size) scales[kind] /= 1.6;
      else if (accepted > wantedAcceptance.high * size) scales[kind] = Math.min(kind === 'walk' ? 3 : 1, scales[kind] * 1.4);
      if (reached > (isLast ? 2 : 1) * reachWanted) break;
    }
  }
  return {
    ...particles,
    logRatio: new Float64Array(size),
    weights: new Float64Array(size).fill(1 / size),
    effectiveSampleSize: effectiveLineages(lineage),
    logMarginal: { value, standardError: Math.sqrt(variance) },
    lost: start,
  };
}

function weighDiverged({ diverged }: Sample): { readonly count: number; readonly weight: number } {
  const count = diverged.reduce((sum, lost) => sum + lost, 0);
  return { count, weight: count / diverged.length };
}

/** The first draws of the prior that did not diverge; `n` of them where there are so many. */
function takeFirst(objective: Objective, source: Sample, n: number): Evaluation {
  const lanes: number[] = [];
  for (let lane = 0; lane < source.points.n && lanes.length < n; lane++) if (source.diverged[lane] === 0) lanes.push(lane);
  return gather(objective.prior, source, lanes);
}

/** The lanes named, in that order, each as often as it is named. */
export function gather(prior: Prior, source: Evaluation, lanes: ArrayLike<number>): Evaluation {
  const n = lanes.length;
  const from = source.points.n;
  const points = allocatePoints(prior, n);
  const predictions = new Float64Array((source.predictions.length / from) * n);
  const logLikelihood = new Float64Array(n);
  const diverged = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    const lane = lanes[i]!;
    copyPoint(points, i, source.points, lane);
    for (let m = 0; m * n < predictions.length; m++) predictions[m * n + i] = source.predictions[m * from + lane]!;
    logLikelihood[i] = source.logLikelihood[lane]!;
    diverged[i] = source.diverged[lane]!;
  }
  return { points, predictions, logLikelihood, diverged };
}

function tempered(logLikelihood: Float64Array, by: number): Float64Array {
  return logLikelihood.map((log) => (log === -Infinity ? -Infinity : by * log));
}

/** As far as half of the effective sample allows, by bisection; 1 where that is reached. */
function nextTemperature(logLikelihood: Float64Array, from: number): number {
  const wanted = keptShare * logLikelihood.length;
  const sizeAt = (to: number): number => normaliseLogWeights(tempered(logLikelihood, to - from)).effectiveSize;
  if (sizeAt(1) >= wanted) return 1;
  let low = from;
  let high = 1;
  for (let k = 0; k < 30; k++) {
    const middle = (low + high) / 2;
    if (sizeAt(middle) >= wanted) low = middle;
    else high = middle;
  }
  // Where more than half of the particles cannot have been observed at all, no step is small enough: take the first.
  return low > from ? low : high;
}

interface Population {
  /** [active] */
  readonly mean: Float64Array;
  /** [active × active] lower triangular. */
  readonly factor: readonly (readonly number[])[];
  /** [unknown covariates][categories], with a fifth of the prior's shares. */
  readonly shares: readonly Float64Array[];
}

function describe(prior: Prior, { n, z, categories }: Points, weights: Float64Array): Population {
  const D = prior.activeColumns;
  const mean = new Float64Array(D);
  for (let j = 0; j < D; j++) for (let i = 0; i < n; i++) mean[j]! += weights[i]! * z[j * n + i]!;
  const covariance = zeros(D, D);
  for (let a = 0; a < D; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += weights[i]! * (z[a * n + i]! - mean[a]!) * (z[b * n + i]! - mean[b]!);
      covariance[a]![b] = sum;
    }
    // A direction in which the particles have collapsed keeps a little of the prior's width, so that moves can open it again.
    covariance[a]![a]! += 1e-6;
  }
  const shares = prior.problem.unknownCovariates.map(({ shares: own }, u) => {
    const counted = Float64Array.from(own, (share) => 0.2 * share);
    for (let i = 0; i < n; i++) counted[categories[u]![i]!]! += 0.8 * weights[i]!;
    return counted;
  });
  return { mean, factor: cholesky(covariance) ?? identity(D), shares };
}

function identity(D: number): number[][] {
  return Array.from({ length: D }, (_, i) => Array.from({ length: D }, (__, j) => (i === j ? 1 : 0)));
}

/** In place; gives the new lineages: copies share the number of the particle they are copies of. */
function resample(
  { prior }: Objective,
  particles: Evaluation,
  weights: Float64Array,
  lineage: Int32Array,
  start: number,
): Int32Array<ArrayBuffer> {
  const lanes = new Int32Array(weights.length);
  systematic(weights, weights.length, start, (to, from) => (lanes[to] = from));
  const copy = gather(prior, particles, lanes);
  particles.points.z.set(copy.points.z);
  particles.points.categories.forEach((values, u) => values.set(copy.points.categories[u]!));
  particles.predictions.set(copy.predictions);
  particles.logLikelihood.set(copy.logLikelihood);
  particles.diverged.set(copy.diverged);
  return lanes.map((from) => lineage[from]!);
}

interface Move {
  readonly objective: Objective;
  readonly particles: Evaluation;
  readonly lineage: Int32Array;
  readonly population: Population;
  readonly temperature: number;
  readonly round: number;
  readonly kind: 'independent' | 'walk';
  readonly scale: number;
}

/**
 * One round for all particles, in place. `independent`: a preconditioned Crank–Nicolson step (Cotter, Roberts, Stuart & White 2013)
 * z' = m + √(1 − β²)(z − m) + βLξ, reversible for N(m, LLᵀ), the population of the temperature before; half of these also draw the
 * categories anew from the population's shares. `walk`: z' = z + scale · 2.38/√D · Lξ, for particles in tails that are heavier than
 * a normal's. Gives how many were accepted.
 */
async function move(
  { objective, particles, lineage, population, temperature, round, kind, scale }: Move,
  hooks?: RunHooks,
): Promise<number> {
  const { prior } = objective;
  const { points, predictions, logLikelihood } = particles;
  const { n } = points;
  const D = prior.activeColumns;
  const { mean, factor, shares } = population;
  const keep = kind === 'independent' ? Math.sqrt(1 - scale * scale) : 1;
  const reach = kind === 'independent' ? scale : (scale * 2.38) / Math.sqrt(D);
  const proposal = prior.noise(n, round);
  const xi = new Float64Array(D);
  for (let lane = 0; lane < n; lane++) {
    for (let j = 0; j < D; j++) xi[j] = proposal.z[j * n + lane]!;
    for (let i = 0; i < D; i++) {
      let step = 0;
      for (let j = 0; j <= i; j++) step += factor[i]![j]! * xi[j]!;
      const at = i * n + lane;
      const centre = kind === 'independent' ? mean[i]! : points.z[at]!;
      proposal.z[at] = centre + keep * (points.z[at]! - centre) + reach * step;
    }
    // Occasions to come are independent of everything seen and stay as they are.
    for (let j = D; j < prior.columns; j++) proposal.z[j * n + lane] = points.z[j * n + lane]!;
    const isRedrawn = kind === 'independent' && prior.uniform(lane, round, 1) < 0.5;
    proposal.categories.forEach((values, u) => {
      values[lane] = isRedrawn ? pick(shares[u]!, prior.uniform(lane, round, 2 + u)) : points.categories[u]![lane]!;
    });
  }
  const allowed = prior.allowed(proposal);
  const next = await objective.evaluate(proposal, hooks);
  const logTarget = (at: Points, logs: Float64Array, lane: number): number => {
    let log = temperature * logs[lane]! + prior.logShare(at, lane);
    for (let j = 0; j < D; j++) log -= 0.5 * at.z[j * n + lane]! ** 2;
    return log;
  };
  const solved = new Float64Array(D);
  const logReference = (at: Points, lane: number): number => {
    let log = 0;
    for (let i = 0; i < D; i++) {
      let value = at.z[i * n + lane]! - mean[i]!;
      for (let j = 0; j < i; j++) value -= factor[i]![j]! * solved[j]!;
      solved[i] = value / factor[i]![i]!;
      log -= 0.5 * solved[i]! ** 2;
    }
    // Categories that stay as they are have the same factor on both sides.
    shares.forEach((own, u) => (log += Math.log(own[at.categories[u]![lane]!]!)));
    return log;
  };
  let accepted = 0;
  for (let lane = 0; lane < n; lane++) {
    if (allowed[lane] === 0 || next.logLikelihood[lane] === -Infinity) continue;
    let log = logTarget(proposal, next.logLikelihood, lane) - logTarget(points, logLikelihood, lane);
    if (kind === 'independent') log += logReference(points, lane) - logReference(proposal, lane);
    if (!(Math.log(prior.uniform(lane, round, 0)) < log)) continue;
    copyPoint(points, lane, proposal, lane);
    for (let m = 0; m * n < predictions.length; m++) predictions[m * n + lane] = next.predictions[m * n + lane]!;
    logLikelihood[lane] = next.logLikelihood[lane]!;
    lineage[lane] = round * n + lane;
    accepted++;
  }
  return accepted;
}

function effectiveLineages(lineage: Int32Array): number {
  const counts = new Map<number, number>();
  for (const id of lineage) counts.set(id, (counts.get(id) ?? 0) + 1 / lineage.length);
  return effectiveSize(Float64Array.from(counts.values()));
}
