import { bootstrapDifference, bootstrapInterval, type ResampleStatistic } from '#numerics/bootstrap.ts';
import { defined, notDefined, type Estimate } from '#numerics/estimate.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';

export interface Metric {
  readonly name: string;
  readonly value: number | null;
  readonly se: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** People. */
  readonly n: number;
  readonly better: 'higher' | 'lower' | 'nearer' | null;
  /** For `nearer`: what the value should be near to. */
  readonly target?: number;
  readonly baseline: string | null;
  readonly baselineValue: number | null;
  /** value − baselineValue on the same people, with its 95 % interval. */
  readonly difference?: { readonly value: number; readonly low: number; readonly high: number };
  readonly note?: string;
}

export interface MetricInput {
  readonly name: string;
  readonly n: number;
  readonly better: Metric['better'];
  readonly target?: number;
  readonly statistic: ResampleStatistic;
  readonly baseline?: { readonly name: string; readonly statistic: ResampleStatistic };
  readonly resamples?: number;
  readonly note?: string;
}

/** A figure with its bootstrap interval over people, and its paired difference to the baseline on the same resamples. */
export function measure({ name, n, better, target, statistic, baseline, resamples = 500, note }: MetricInput): Metric {
  const options = () => ({ persons: n, resamples, random: new RandomSequence(seedFrom(20_261_123)).uniform });
  const interval = bootstrapInterval(statistic, options());
  const difference = baseline ? bootstrapDifference(statistic, baseline.statistic, options()) : null;
  const whole = Int32Array.from({ length: n }, (_, i) => i);
  const baselineValue = baseline ? baseline.statistic(whole) : null;
  return {
    name,
    value: interval.defined ? interval.value.estimate : null,
    se: interval.defined ? interval.value.standardError : null,
    low: interval.defined ? interval.value.lower : null,
    high: interval.defined ? interval.value.upper : null,
    n,
    better,
    ...(target === undefined ? {} : { target }),
    baseline: baseline?.name ?? null,
    baselineValue: baselineValue?.defined ? baselineValue.value : null,
    ...(difference?.defined
      ? { difference: { value: difference.value.estimate, low: difference.value.lower, high: difference.value.upper } }
      : {}),
    ...(interval.defined ? (note === undefined ? {} : { note }) : { note: `Not defined: ${interval.reason}.` }),
  };
}

/** Rows of several visits a person: a statistic over visits of resampled people. */
export function overVisits<T>(
  byPerson: readonly (readonly T[])[],
  statistic: (visits: readonly T[]) => number,
): ResampleStatistic {
  return (rows) => {
    const visits: T[] = [];
    for (const row of rows) visits.push(...byPerson[row]!);
    return visits.length === 0 ? notDefined('no visits') : finite(statistic(visits));
  };
}

/** The people of a resample. */
export const pick = <T>(rows: Int32Array, of: readonly T[]): T[] => Array.from(rows, (row) => of[row]!);

export function finite(value: number): Estimate {
  return Number.isFinite(value) ? defined(value) : notDefined('not a finite number');
}

export function printMetrics(metrics: readonly Metric[]): string {
  const lines = metrics.map((metric) => {
    const own = `${show(metric.value)}  (${show(metric.low)} to ${show(metric.high)})  n ${metric.n}`;
    const target = metric.target === undefined ? '' : `  target ${show(metric.target)}`;
    const base = metric.baseline ? `  | ${metric.baseline} ${show(metric.baselineValue)}` : '';
    const gap = metric.difference
      ? `  difference ${show(metric.difference.value)} (${show(metric.difference.low)} to ${show(metric.difference.high)})`
      : '';
    return `${metric.name.padEnd(58)} ${own}${target}${base}${gap}${metric.note ? `  [${metric.note}]` : ''}`;
  });
  return lines.join('\n');
}

const show = (value: number | null): string =>
  value === null ? '–' : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3);
