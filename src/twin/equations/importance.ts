/** Weighted draws of one model's posterior: from the prior, and from a mixture of Student-t distributions around the modes. */
import type { RunHooks } from '#engine/engine.ts';
import { cholesky, logDeterminantCholesky } from '#numerics/linear-algebra.ts';
import { logGamma } from '#numerics/special-functions.ts';
import { apportion, normaliseLogWeights } from '#numerics/weighted-draws.ts';
import type { Mode } from './map.ts';
import type { Evaluation, Objective } from './objective.ts';
import { copyPoint, allocatePoints, type Points, type Prior } from './prior.ts';

/** Draws of a proposal, simulated. */
export interface Sample extends Evaluation {
  /** [n] log prior density less log proposal density; −Infinity where a constraint is broken. */
  readonly logRatio: Float64Array;
}

export interface WeightedSample extends Sample {
  /** [n], add up to one. */
  readonly weights: Float64Array;
  readonly effectiveSampleSize: number;
  readonly logMarginal: { readonly value: number; readonly standardError: number };
  /** Draws whose simulation left the numbers, and the share of the prior that they stand for. */
  readonly lost: { readonly count: number; readonly weight: number };
}

/** Rounds of the prior's counters. */
export const rounds = { prior: 0, laplace: 1, smc: 16 } as const;

export async function samplePrior(
  objective: Objective,
  n: number,
  hooks?: RunHooks,
): Promise<{ sample: Sample; acceptance: number }> {
  const { points, acceptance } = objective.prior.draw(n, rounds.prior);
  const evaluation = await objective.evaluate(points, hooks);
  return { sample: { ...evaluation, logRatio: new Float64Array(n) }, acceptance };
}

/**
 * Weights prior × likelihood / proposal. Draws that diverged are left out: the prior is then the population whose simulation stays
 * finite, and the marginal likelihood is that of this population.
 */
export function weigh(sample: Sample): WeightedSample {
  const { logRatio, logLikelihood, diverged } = sample;
  const n = logRatio.length;
  const own = normaliseLogWeights(logLikelihood.map((log, i) => log + logRatio[i]!));
  let count = 0;
  let lost = 0;
  let all = 0;
  for (let i = 0; i < n; i++) {
    const mass = Math.exp(logRatio[i]!);
    all += mass;
    if (diverged[i] === 1 && mass > 0) {
      count++;
      lost += mass;
    }
  }
  const weight = all > 0 ? lost / all : 0;
  return {
    ...sample,
    weights: own.weights,
    effectiveSampleSize: own.effectiveSize,
    logMarginal: { value: weight < 1 ? own.logMean - Math.log1p(-weight) : -Infinity, standardError: own.standardError },
    lost: { count, weight },
  };
}

// With four degrees of freedom the tails outlast those of any posterior that is a normal prior times a bounded likelihood.
const freedom = 4;
/** Gauss–Newton covariances are a little too narrow where the model is curved. */
const widening = 1.2;
/** Chance of a component to keep its own category of an unknown covariate; else it is drawn from the shares. */
const keepsCategory = 0.7;

/**
 * `n` draws of the mixture, joined with the draws of the prior that are there already. Each draw is weighted against both proposals
 * in their proportions (the balance heuristic of Veach & Guibas 1995), so the prior's draws defend the mixture's tails and none is
 * lost.
 */
export async function joinLaplace(
  objective: Objective,
  fromPrior: Sample,
  acceptance: number,
  modes: readonly Mode[],
  n: number,
  hooks?: RunHooks,
): Promise<Sample> {
  const { prior } = objective;
  const components = mixture(prior, modes);
  const points = drawMixture(prior, components, n);
  const allowed = prior.allowed(points);
  const fresh = await objective.evaluate(points, hooks);
  const total = fromPrior.points.n + n;
  const ratioOf = (at: Points, lane: number): number => {
    const density = logMixture(prior, components, at, lane) - logPrior(prior, at, lane) + Math.log(acceptance);
    return -Math.log((fromPrior.points.n + n * Math.exp(density)) / total);
  };
  const logRatio = new Float64Array(total);
  for (let i = 0; i < fromPrior.points.n; i++) logRatio[i] = ratioOf(fromPrior.points, i);
  for (let i = 0; i < n; i++) logRatio[fromPrior.points.n + i] = allowed[i] === 1 ? ratioOf(points, i) : -Infinity;
  return { ...join(prior, fromPrior, fresh), logRatio };
}

interface Component {
  readonly share: number;
  /** [active] */
  readonly centre: Float64Array;
  /** [active][active] lower triangular. */
  readonly factor: readonly (readonly number[])[];
  readonly logConstant: number;
  /** [unknown covariates] */
  readonly categories: readonly number[];
}

function mixture({ activeColumns: D }: Prior, modes: readonly Mode[]): Component[] {
  const least = modes[0]!.minus2LogPosterior;
  // Laplace's mass of each mode; a tenth is shared alike, because the approximation may be poor.
  const masses = modes.map((mode) => Math.exp(-0.5 * (mode.minus2LogPosterior - least) + 0.5 * mode.logDeterminantCovariance));
  const mass = masses.reduce((sum, value) => sum + value, 0);
  return modes.map((mode, k) => {
    const factor = cholesky(mode.covariance.map((row) => row.map((value) => value * widening ** 2)))!;
    return {
      share: 0.9 * (masses[k]! / mass) + 0.1 / modes.length,
      centre: mode.point.z.subarray(0, D),
      factor,
      logConstant:
        logGamma((freedom + D) / 2) -
        logGamma(freedom / 2) -
        (D / 2) * Math.log(freedom * Math.PI) -
        logDeterminantCholesky(factor) / 2,
      categories: mode.point.categories.map((values) => values[0]!),
    };
  });
}

/** Each component gives its exact share of the draws: which component a draw came from is not left to chance. */
function drawMixture(prior: Prior, components: readonly Component[], n: number): Points {
  const D = prior.activeColumns;
  const points = prior.noise(n, rounds.laplace);
  const counts = apportion(
    n,
    components.map(({ share }) => share),
  );
  const own = new Float64Array(D);
  let lane = 0;
  components.forEach(({ centre, factor, categories }, k) => {
    for (let left = counts[k]!; left > 0; left--, lane++) {
      // χ² with four degrees of freedom is −2 ln of a product of two uniforms.
      const u = prior.uniform(lane, rounds.laplace, 0) * prior.uniform(lane, rounds.laplace, 1);
      const stretch = Math.sqrt(freedom / (-2 * Math.log(u)));
      for (let j = 0; j < D; j++) own[j] = points.z[j * n + lane]!;
      for (let i = 0; i < D; i++) {
        let step = 0;
        for (let j = 0; j <= i; j++) step += factor[i]![j]! * own[j]!;
        points.z[i * n + lane] = centre[i]! + stretch * step;
      }
      points.categories.forEach((values, c) => {
        if (prior.uniform(lane, rounds.laplace, 2 + c) < keepsCategory) values[lane] = categories[c]!;
      });
    }
  });
  return points;
}

function logMixture(prior: Prior, components: readonly Component[], { n, z, categories }: Points, lane: number): number {
  const D = prior.activeColumns;
  const { unknownCovariates } = prior.problem;
  const solved = new Float64Array(D);
  let sum = 0;
  let largest = -Infinity;
  for (const { share, centre, factor, logConstant, categories: own } of components) {
    let distance = 0;
    for (let i = 0; i < D; i++) {
      let value = z[i * n + lane]! - centre[i]!;
      for (let j = 0; j < i; j++) value -= factor[i]![j]! * solved[j]!;
      solved[i] = value / factor[i]![i]!;
      distance += solved[i]! ** 2;
    }
    let log = Math.log(share) + logConstant - ((freedom + D) / 2) * Math.log1p(distance / freedom);
    unknownCovariates.forEach(({ shares }, u) => {
      const value = categories[u]![lane]!;
      log += Math.log((value === own[u] ? keepsCategory : 0) + (1 - keepsCategory) * shares[value]!);
    });
    if (log > largest) {
      sum = sum * Math.exp(largest - log) + 1;
      largest = log;
    } else sum += Math.exp(log - largest);
  }
  return largest + Math.log(sum);
}

/** Of the unconstrained prior, over the active columns. */
function logPrior(prior: Prior, points: Points, lane: number): number {
  const { n, z } = points;
  let log = -0.5 * prior.activeColumns * Math.log(2 * Math.PI) + prior.logShare(points, lane);
  for (let j = 0; j < prior.activeColumns; j++) log -= 0.5 * z[j * n + lane]! ** 2;
  return log;
}

function join(prior: Prior, first: Evaluation, second: Evaluation): Evaluation {
  const [a, b] = [first.points.n, second.points.n];
  const n = a + b;
  const points = allocatePoints(prior, n);
  for (let i = 0; i < a; i++) copyPoint(points, i, first.points, i);
  for (let i = 0; i < b; i++) copyPoint(points, a + i, second.points, i);
  const predictions = new Float64Array((first.predictions.length / a) * n);
  for (let m = 0; m * n < predictions.length; m++) {
    predictions.set(first.predictions.subarray(m * a, (m + 1) * a), m * n);
    predictions.set(second.predictions.subarray(m * b, (m + 1) * b), m * n + a);
  }
  const logLikelihood = new Float64Array(n);
  logLikelihood.set(first.logLikelihood);
  logLikelihood.set(second.logLikelihood, a);
  const diverged = new Uint8Array(n);
  diverged.set(first.diverged);
  diverged.set(second.diverged, a);
  return { points, predictions, logLikelihood, diverged };
}
