import { defined, notDefined, requireFinite, type Estimate, type Numbers } from './estimate.ts';
import { normalQuantile } from './special-functions.ts';
import { quantileOfSorted, sorted } from './quantiles.ts';

export function sum(values: Numbers): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}

function centralMoment(values: Numbers, centre: number, order: number): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += (values[i]! - centre) ** order;
  return total / values.length;
}

/** Sample standard deviation with divisor n − 1. */
export function sampleSd(values: Numbers): Estimate {
  requireFinite('values', values);
  const n = values.length;
  if (n < 2) return notDefined('fewer than two values');
  return defined(Math.sqrt((centralMoment(values, sum(values) / n, 2) * n) / (n - 1)));
}

/** Population skewness m3 / m2^(3/2), without a correction for small samples. */
export function skewness(values: Numbers): Estimate {
  requireFinite('values', values);
  if (values.length < 2) return notDefined('fewer than two values');
  const centre = sum(values) / values.length;
  const m2 = centralMoment(values, centre, 2);
  if (m2 === 0) return notDefined('all values are equal');
  return defined(centralMoment(values, centre, 3) / m2 ** 1.5);
}

/** Factor that makes the median absolute deviation of a normal sample estimate its standard deviation, as R's `mad`. */
const MAD_SCALE = 1.4826;

/** Median absolute deviation from the median, times 1.4826. */
export function scaledMad(values: Numbers): Estimate {
  requireFinite('values', values);
  if (values.length === 0) return notDefined('no values');
  const centre = quantileOfSorted(sorted(values), 0.5);
  const deviations = Array.from(values, (x) => Math.abs(x - centre));
  return defined(MAD_SCALE * quantileOfSorted(sorted(deviations), 0.5));
}

/** Kolmogorov–Smirnov distance of values in [0, 1] from the uniform distribution. */
export function ksUniform(values: Numbers): Estimate {
  requireFinite('values', values);
  const n = values.length;
  if (n === 0) return notDefined('no values');
  const ascending = sorted(values);
  let distance = 0;
  for (let i = 0; i < n; i++) distance = Math.max(distance, (i + 1) / n - ascending[i]!, ascending[i]! - i / n);
  return defined(distance);
}

/** Chance of a Kolmogorov–Smirnov distance from uniform at least as large, by the asymptotic series (Marsaglia, Tsang & Wang 2003, eq. 4). */
export function ksUniformP(values: Numbers): Estimate {
  const distance = ksUniform(values);
  if (!distance.defined) return distance;
  const root = Math.sqrt(values.length);
  const z = (root + 0.12 + 0.11 / root) * distance.value;
  let p = 0;
  for (let k = 1; k < 100; k++) p += 2 * (k % 2 === 1 ? 1 : -1) * Math.exp(-2 * k * k * z * z);
  // Below 0.2 the alternating series no longer converges, and the chance is 1 to nine digits.
  return defined(z < 0.2 ? 1 : Math.min(1, Math.max(0, p)));
}

/** Two-sided critical value of the standard normal, e.g. 1.96 for level 0.95. */
export function normalCritical(level: number): number {
  return normalQuantile(0.5 + level / 2);
}
