import { defined, notDefined, MetricInputError, type Estimate } from './estimate.ts';
import { quantileOfSorted, sorted } from './quantiles.ts';

/** A statistic of a resample, given as row numbers of persons (a person may appear more than once). */
export type ResampleStatistic = (rows: Int32Array) => Estimate;

export interface BootstrapOptions {
  /** How many persons there are; rows are 0 … persons − 1. */
  readonly persons: number;
  /** Uniform numbers in [0, 1). */
  readonly random: () => number;
  /** Default 1000. */
  readonly resamples?: number;
  /** Default 0.95. */
  readonly level?: number;
}

export interface BootstrapInterval {
  /** The statistic of the persons themselves. */
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
  /** Standard deviation over the resamples. */
  readonly standardError: number;
  /** Resamples in which the statistic was not defined; they are left out. */
  readonly undefinedResamples: number;
}

/**
 * Percentile bootstrap interval, resampling whole persons so that a person's visits stay together. Not defined when the
 * statistic of the persons themselves is not, or when more than a tenth of the resamples lack one.
 */
export function bootstrapInterval(statistic: ResampleStatistic, options: BootstrapOptions): Estimate<BootstrapInterval> {
  const { persons, random, resamples = 1000, level = 0.95 } = options;
  if (!(level > 0 && level < 1)) throw new MetricInputError(`level ${level} is not between 0 and 1.`);
  if (persons < 2) return notDefined('fewer than two persons');
  const estimate = statistic(Int32Array.from({ length: persons }, (_, i) => i));
  if (!estimate.defined) return estimate;
  const values: number[] = [];
  const rows = new Int32Array(persons);
  for (let b = 0; b < resamples; b++) {
    for (let i = 0; i < persons; i++) rows[i] = Math.min(persons - 1, Math.floor(random() * persons));
    const value = statistic(rows);
    if (value.defined) values.push(value.value);
  }
  const undefinedResamples = resamples - values.length;
  if (undefinedResamples > resamples / 10) return notDefined(`${undefinedResamples} of ${resamples} resamples have no value`);
  const ascending = sorted(values);
  const mean = values.reduce((total, v) => total + v, 0) / values.length;
  const variance = values.reduce((total, v) => total + (v - mean) ** 2, 0) / (values.length - 1);
  return defined({
    estimate: estimate.value,
    lower: quantileOfSorted(ascending, (1 - level) / 2),
    upper: quantileOfSorted(ascending, (1 + level) / 2),
    standardError: Math.sqrt(variance),
    undefinedResamples,
  });
}

/** Interval of first − second, both computed on the same resamples, so that what they share cancels. */
export function bootstrapDifference(
  first: ResampleStatistic,
  second: ResampleStatistic,
  options: BootstrapOptions,
): Estimate<BootstrapInterval> {
  return bootstrapInterval((rows) => {
    const a = first(rows);
    const b = second(rows);
    if (!a.defined) return a;
    return b.defined ? defined(a.value - b.value) : b;
  }, options);
}
