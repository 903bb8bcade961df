import { defined, notDefined, MetricInputError, type Estimate } from './estimate.ts';
import { normalCritical } from './moments.ts';
import { betaQuantile } from './special-functions.ts';

export interface Interval {
  readonly lower: number;
  readonly upper: number;
}

function checkCounts(successes: number, trials: number, level: number): void {
  if (!Number.isInteger(successes) || !Number.isInteger(trials) || successes < 0 || successes > trials) {
    throw new MetricInputError(`${successes} successes of ${trials} trials. Expected whole numbers, 0 ≤ successes ≤ trials.`);
  }
  if (!(level > 0 && level < 1)) throw new MetricInputError(`level ${level} is not between 0 and 1.`);
}

/** Wilson (1927) score interval of a proportion, without continuity correction. `level` defaults to 0.95. */
export function wilsonInterval(successes: number, trials: number, level = 0.95): Estimate<Interval> {
  checkCounts(successes, trials, level);
  if (trials === 0) return notDefined('no trials');
  const z = normalCritical(level);
  const p = successes / trials;
  const denominator = 1 + (z * z) / trials;
  const centre = (p + (z * z) / (2 * trials)) / denominator;
  const half = (z / denominator) * Math.sqrt((p * (1 - p)) / trials + (z * z) / (4 * trials * trials));
  return defined({
    lower: successes === 0 ? 0 : centre - half,
    upper: successes === trials ? 1 : centre + half,
  });
}

/** Clopper–Pearson (1934) exact interval of a proportion. `level` defaults to 0.95. */
export function clopperPearsonInterval(successes: number, trials: number, level = 0.95): Estimate<Interval> {
  checkCounts(successes, trials, level);
  if (trials === 0) return notDefined('no trials');
  const tail = (1 - level) / 2;
  return defined({
    lower: successes === 0 ? 0 : betaQuantile(tail, successes, trials - successes + 1),
    upper: successes === trials ? 1 : betaQuantile(1 - tail, successes + 1, trials - successes),
  });
}
