/** Point and interval forecasts of numbers that later came, scored: what both packs' visit figures are made of. */
import { crpsEnsemble } from '#numerics/probabilistic.ts';
import { quantileOfSorted, sorted } from '#numerics/quantiles.ts';
import { predictiveCrps, predictivePoint, type Predictive } from '../baselines/predictive.ts';
import { measure, overVisits, type Metric } from './metrics.ts';

/** One number that was forecast and then measured, all on one scale. */
export interface Forecasted {
  readonly person: string;
  readonly observed: number;
  /** Draws from our forecast. */
  readonly draws: Float64Array;
  readonly baselines: Readonly<Record<string, Predictive>>;
}

export interface Scored {
  readonly observed: number;
  readonly mean: number;
  readonly crps: number;
  readonly inside: Readonly<Record<number, boolean>>;
  /** Rank of what came among the draws, 0…1. */
  readonly pit: number;
  readonly baselines: Readonly<Record<string, { readonly mean: number; readonly crps: number }>>;
}

const coverageLevels = [0.5, 0.8, 0.9] as const;

function score({ observed, draws, baselines }: Forecasted): Scored {
  const ascending = sorted(draws);
  const inside: Record<number, boolean> = {};
  for (const level of coverageLevels) {
    const low = quantileOfSorted(ascending, (1 - level) / 2);
    const high = quantileOfSorted(ascending, (1 + level) / 2);
    inside[level] = observed >= low && observed <= high;
  }
  const crps = crpsEnsemble(observed, draws);
  return {
    observed,
    mean: ascending.reduce((sum, value) => sum + value, 0) / ascending.length,
    crps: crps.defined ? crps.value : NaN,
    inside,
    pit: ascending.filter((value) => value <= observed).length / ascending.length,
    baselines: Object.fromEntries(
      Object.entries(baselines).map(([name, own]) => [name, { mean: predictivePoint(own), crps: predictiveCrps(own, observed) }]),
    ),
  };
}

export function byPerson(forecasts: readonly Forecasted[]): Scored[][] {
  const people = new Map<string, Scored[]>();
  for (const own of forecasts) people.set(own.person, [...(people.get(own.person) ?? []), score(own)]);
  return [...people.values()];
}

const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

export function rmseMetrics(name: string, people: readonly (readonly Scored[])[], baselines: readonly string[]): Metric[] {
  const rmse = (of: (row: Scored) => number) =>
    overVisits(people, (rows) => Math.sqrt(average(rows.map((row) => (of(row) - row.observed) ** 2))));
  return baselines.map((baseline) =>
    measure({
      name: `${name}: RMSE`,
      n: people.length,
      better: 'lower',
      statistic: rmse((row) => row.mean),
      baseline: { name: baseline, statistic: rmse((row) => row.baselines[baseline]!.mean) },
    }),
  );
}

/** 1 − CRPS / CRPS of the baseline: above 0 where ours is better. */
export function skillMetrics(name: string, people: readonly (readonly Scored[])[], baselines: readonly string[]): Metric[] {
  return baselines.map((baseline) =>
    measure({
      name: `${name}: CRPS skill over ${baseline}`,
      n: people.length,
      better: 'higher',
      target: 0,
      statistic: overVisits(
        people,
        (rows) => 1 - average(rows.map(({ crps }) => crps)) / average(rows.map((row) => row.baselines[baseline]!.crps)),
      ),
    }),
  );
}

export function coverageMetrics(name: string, people: readonly (readonly Scored[])[]): Metric[] {
  return coverageLevels.map((level) =>
    measure({
      name: `${name}: coverage of ${level * 100} % intervals`,
      n: people.length,
      better: 'nearer',
      target: level,
      statistic: overVisits(people, (rows) => average(rows.map(({ inside }) => (inside[level] ? 1 : 0)))),
    }),
  );
}
