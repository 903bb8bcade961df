/** Figures of a report: a statistic over people with its bootstrap interval, and its paired differences to simpler methods. */
import type { Counted, Drawing, Figure } from '#domain/validation.ts';
import { bootstrapDifference, bootstrapInterval, type ResampleStatistic } from '#numerics/bootstrap.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import type { Metric } from '../evaluation/metrics.ts';

export const bootstrapSeed = 20_261_123;

export interface FigureInput {
  readonly name: string;
  readonly set: string | null;
  /** Who is resampled. */
  readonly people: number;
  readonly counted?: Counted;
  readonly better: Figure['better'];
  readonly wanted?: number;
  readonly statistic: ResampleStatistic;
  readonly baselines?: readonly { readonly name: string; readonly statistic: ResampleStatistic }[];
  readonly resamples?: number;
  readonly note?: string;
}

export function figureOf(input: FigureInput): Figure {
  const { name, set, people, counted = 'people', better, wanted = null, statistic, baselines = [], resamples = 500 } = input;
  const options = () => ({ persons: people, resamples, random: new RandomSequence(seedFrom(bootstrapSeed)).uniform });
  const own = bootstrapInterval(statistic, options());
  const everyone = Int32Array.from({ length: people }, (_, i) => i);
  return {
    name,
    set,
    value: own.defined ? own.value.estimate : null,
    interval: own.defined ? { low: own.value.lower, high: own.value.upper } : null,
    n: people,
    counted,
    better,
    wanted,
    baselines: baselines.map((baseline) => {
      const value = baseline.statistic(everyone);
      const difference = bootstrapDifference(statistic, baseline.statistic, options());
      return {
        name: baseline.name,
        value: value.defined ? value.value : null,
        difference: difference.defined
          ? { value: difference.value.estimate, low: difference.value.lower, high: difference.value.upper }
          : null,
      };
    }),
    note: own.defined ? (input.note ?? null) : `Not defined: ${own.reason}.`,
  };
}

/** A figure of models/ID/evaluation-test.json in the report's form. */
export function fromMetric(metric: Metric, set: string | null, counted: Counted = 'people'): Figure {
  return {
    name: capital(metric.name),
    set,
    value: metric.value,
    interval: metric.low === null || metric.high === null ? null : { low: metric.low, high: metric.high },
    n: metric.n,
    counted,
    better: metric.better,
    wanted: metric.target ?? null,
    baselines:
      metric.baseline === null
        ? []
        : [{ name: metric.baseline, value: metric.baselineValue, difference: metric.difference ?? null }],
    note: metric.note ?? null,
  };
}

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Six digits are more than any interval here resolves, and keep files small. */
export function rounded<T>(value: T): T {
  if (typeof value === 'number') return (Number.isFinite(value) ? Number(value.toPrecision(6)) : value) as T;
  if (Array.isArray(value)) return value.map(rounded) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, rounded(child)])) as T;
}

/** Rows of several values a person, in the order in which people first appear. */
export function byPersonOf<T extends { readonly person: string }>(rows: readonly T[]): T[][] {
  const people = new Map<string, T[]>();
  for (const row of rows) {
    const own = people.get(row.person);
    if (own) own.push(row);
    else people.set(row.person, [row]);
  }
  return [...people.values()];
}

export const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

export type DrawingOf<Kind extends Drawing['kind']> = Extract<Drawing, { kind: Kind }>;
