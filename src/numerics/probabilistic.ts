import {
  defined,
  notDefined,
  requireFinite,
  requireSameLength,
  MetricInputError,
  type Estimate,
  type Numbers,
} from './estimate.ts';
import { sum } from './moments.ts';
import { quantileOfSorted, sorted } from './quantiles.ts';
import { normalCdf, normalPdf } from './special-functions.ts';

/**
 * Continuous ranked probability score of an ensemble of m members, in the unit of y; lower is better.
 * 'plain' divides the spread term by m² and scores the ensemble as the forecast; 'fair' divides by m(m − 1) and estimates
 * the score of the distribution that the members were drawn from (Ferro 2014). Default 'plain'.
 */
export function crpsEnsemble(y: number, members: Numbers, form: 'plain' | 'fair' = 'plain'): Estimate {
  requireFinite('members', members);
  requireFinite('y', [y]);
  const m = members.length;
  if (m < (form === 'fair' ? 2 : 1)) return notDefined('too few members');
  const ascending = sorted(members);
  let error = 0;
  let spread = 0; // Σ over pairs i < j of the distance, by ranks
  for (let k = 0; k < m; k++) {
    error += Math.abs(ascending[k]! - y);
    spread += (2 * k - m + 1) * ascending[k]!;
  }
  return defined(error / m - spread / (form === 'fair' ? m * (m - 1) : m * m));
}

/** CRPS of a normal forecast (Gneiting & Raftery 2007), in the unit of y. A standard deviation of 0 gives |y − mu|. */
export function crpsGaussian(y: number, mu: number, sigma: number): number {
  if (!(sigma >= 0)) throw new MetricInputError(`sigma is ${sigma}. Expected a standard deviation.`);
  if (sigma === 0) return Math.abs(y - mu);
  const z = (y - mu) / sigma;
  return sigma * (z * (2 * normalCdf(z) - 1) + 2 * normalPdf(z) - 1 / Math.sqrt(Math.PI));
}

/** Logarithm of the normal density at y: higher is better. */
export function gaussianLogScore(y: number, mu: number, sigma: number): number {
  return -0.5 * Math.log(2 * Math.PI) - Math.log(sigma) - 0.5 * ((y - mu) / sigma) ** 2;
}

/** Pinball loss of the quantile forecast q at `level`. */
export function pinballLoss(y: number, q: number, level: number): number {
  return y >= q ? level * (y - q) : (1 - level) * (q - y);
}

/** Interval (Winkler) score of a central interval with mass `level`: width plus 2/α times the miss. */
export function intervalScore(y: number, lower: number, upper: number, level: number): number {
  const alpha = 1 - level;
  return upper - lower + (2 / alpha) * (Math.max(lower - y, 0) + Math.max(y - upper, 0));
}

/** Weighted interval score (Bracher et al. 2021) of a median and central intervals, each with its mass. */
function weightedIntervalScore(
  y: number,
  median: number,
  intervals: readonly { readonly level: number; readonly lower: number; readonly upper: number }[],
): number {
  let total = 0.5 * Math.abs(y - median);
  for (const { level, lower, upper } of intervals) total += ((1 - level) / 2) * intervalScore(y, lower, upper, level);
  return total / (intervals.length + 0.5);
}

/** Weighted interval score of an ensemble from its type 7 quantiles: the median and the 50 % and 90 % central intervals. */
export function ensembleWeightedIntervalScore(y: number, members: Numbers): Estimate {
  requireFinite('members', members);
  if (members.length === 0) return notDefined('no members');
  const ascending = sorted(members);
  const interval = (level: number): { level: number; lower: number; upper: number } => ({
    level,
    lower: quantileOfSorted(ascending, (1 - level) / 2),
    upper: quantileOfSorted(ascending, (1 + level) / 2),
  });
  return defined(weightedIntervalScore(y, quantileOfSorted(ascending, 0.5), [interval(0.5), interval(0.9)]));
}

/** Share of y inside [lower, upper], ends included. */
export function coverage(y: Numbers, lower: Numbers, upper: Numbers): Estimate {
  const n = requireSameLength({ y, lower, upper });
  if (n === 0) return notDefined('no observations');
  let inside = 0;
  for (let i = 0; i < n; i++) if (y[i]! >= lower[i]! && y[i]! <= upper[i]!) inside++;
  return defined(inside / n);
}

/** Mean width of intervals. */
export function meanWidth(lower: Numbers, upper: Numbers): Estimate {
  const n = requireSameLength({ lower, upper });
  return n === 0 ? notDefined('no intervals') : defined((sum(upper) - sum(lower)) / n);
}

/**
 * Probability integral transform of y in an ensemble: the shares of members below y and at or below y. A calibrated
 * forecast's value, drawn uniformly between the two, is uniform.
 */
export function ensemblePit(y: number, members: Numbers): Estimate<{ readonly lower: number; readonly upper: number }> {
  const m = members.length;
  if (m === 0) return notDefined('no members');
  let below = 0;
  let atOrBelow = 0;
  for (let k = 0; k < m; k++) {
    if (members[k]! < y) below++;
    if (members[k]! <= y) atOrBelow++;
  }
  return defined({ lower: below / m, upper: atOrBelow / m });
}

function distance(a: Numbers, b: Numbers): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(total);
}

/** Energy score of vector-valued draws (`draws[k]` is one vector as long as y), plain form dividing by m². */
export function energyScore(y: Numbers, draws: readonly Numbers[]): Estimate {
  const m = draws.length;
  if (m === 0) return notDefined('no draws');
  let error = 0;
  let spread = 0;
  for (let a = 0; a < m; a++) {
    requireSameLength({ y, draw: draws[a]! });
    error += distance(draws[a]!, y);
    for (let b = 0; b < a; b++) spread += 2 * distance(draws[a]!, draws[b]!);
  }
  return defined(error / m - spread / (2 * m * m));
}

/** Root mean squared error of the ensemble means, and the ensembles' spread, which should be about equal to it. */
export interface SpreadSkill {
  readonly rmseOfMean: number;
  /** Square root of the mean over forecasts of the members' sample variance (divisor m − 1; Fortin et al. 2014). */
  readonly meanSpread: number;
}

export function spreadSkill(y: Numbers, ensembles: readonly Numbers[]): Estimate<SpreadSkill> {
  const n = requireSameLength({ y, ensembles: { length: ensembles.length } });
  if (n === 0) return notDefined('no forecasts');
  let squared = 0;
  let spread = 0;
  for (let i = 0; i < n; i++) {
    const members = ensembles[i]!;
    const m = members.length;
    if (m < 2) return notDefined('an ensemble has fewer than two members');
    const centre = sum(members) / m;
    squared += (centre - y[i]!) ** 2;
    let variance = 0;
    for (let k = 0; k < m; k++) variance += (members[k]! - centre) ** 2;
    spread += variance / (m - 1);
  }
  return defined({ rmseOfMean: Math.sqrt(squared / n), meanSpread: Math.sqrt(spread / n) });
}

/** Root mean squared error. */
export function rmse(y: Numbers, predicted: Numbers): Estimate {
  const n = requireSameLength({ y, predicted });
  requireFinite('y', y);
  requireFinite('predicted', predicted);
  if (n === 0) return notDefined('no observations');
  let total = 0;
  for (let i = 0; i < n; i++) total += (y[i]! - predicted[i]!) ** 2;
  return defined(Math.sqrt(total / n));
}

/**
 * Histogram of probability integral transforms, shares of all forecasts. Where a forecast is discrete, its mass is spread evenly from
 * the lower to the upper value of `ensemblePit` instead of being drawn (Czado, Gneiting & Held 2009). Bins are equal, from 0 to 1.
 */
export function pitHistogram(
  pits: readonly { readonly lower: number; readonly upper: number }[],
  bins: number,
): Estimate<number[]> {
  if (pits.length === 0) return notDefined('no forecasts');
  const shares = new Array<number>(bins).fill(0);
  for (const { lower, upper } of pits) {
    for (let k = 0; k < bins; k++) {
      const [from, to] = [k / bins, (k + 1) / bins];
      if (upper > lower) shares[k]! += Math.max(0, Math.min(upper, to) - Math.max(lower, from)) / (upper - lower);
      else if (Math.min(bins - 1, Math.floor(lower * bins)) === k) shares[k]! += 1;
    }
  }
  return defined(shares.map((share) => share / pits.length));
}
