import { requireFinite, requireSameLength, MetricInputError, type Numbers } from './estimate.ts';
import { sorted } from './quantiles.ts';

/**
 * Split-conformal quantile: the ⌈(n+1)(1−α)⌉-th smallest calibration score (Vovk et al. 2005). Infinity when that rank
 * exceeds n: so few scores cannot promise the coverage, and the largest of them instead would break it silently.
 */
export function splitConformalQuantile(scores: Numbers, alpha: number): number {
  requireFinite('scores', scores);
  if (!(alpha > 0 && alpha < 1)) throw new MetricInputError(`alpha ${alpha} is not between 0 and 1.`);
  // (n+1)(1−α) may miss a whole number by rounding only, e.g. 10 · (1 − 0.1).
  const rank = Math.ceil((scores.length + 1) * (1 - alpha) - 1e-9);
  return rank > scores.length ? Infinity : sorted(scores)[rank - 1]!;
}

/** Conformity scores of conformalised quantile regression (Romano et al. 2019): how far y lies outside, negative inside. */
export function quantileRegressionScores(y: Numbers, lower: Numbers, upper: Numbers): number[] {
  requireSameLength({ y, lower, upper });
  return Array.from(y, (value, i) => Math.max(lower[i]! - value, value - upper[i]!));
}

/** Weighted conformal quantile under covariate shift (Tibshirani et al. 2019); the test point's weight sits at Infinity. */
export function weightedConformalQuantile(scores: Numbers, weights: Numbers, testWeight: number, alpha: number): number {
  const n = requireSameLength({ scores, weights });
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  const total = order.reduce((t, i) => t + weights[i]!, testWeight);
  let mass = 0;
  for (const i of order) {
    mass += weights[i]!;
    if (mass >= (1 - alpha) * total - 1e-12 * total) return scores[i]!;
  }
  return Infinity;
}

/** Adaptive conformal inference (Gibbs & Candès 2021): the level after each outcome, 1 for a miss. */
export function adaptiveLevels(misses: Numbers, target: number, gamma: number, start = target): number[] {
  let alpha = start;
  return Array.from(misses, (miss) => (alpha += gamma * (target - miss)));
}
