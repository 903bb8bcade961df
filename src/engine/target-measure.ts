/** The measures of a pack's targets (trough, area under the curve, time in range …), lane by lane from simulated read-outs. */
import { hoursPerDay } from '#domain/doses.ts';
import type { TargetForecast } from '#domain/forecast.ts';
import type { Regimen } from '#domain/plan.ts';
import { wilsonInterval } from '#numerics/intervals.ts';
import { quantileOfSorted } from '#numerics/quantiles.ts';
import type { Target } from '#packs/manifest.ts';

/** Points inside a window where a course is looked at: 15 minutes apart in a dosing interval of 12 hours. */
const pointsInWindow = 49;
const quantileLevels = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

/**
 * Ascending days from now at which a target's read-out is needed, the window's two ends first and last. Null where the target makes
 * no sense for a plan: a dosing interval of a plan without a regimen, or one that is not over within the horizon.
 */
export function measureDays(target: Target, regimens: readonly Regimen[], horizonDays: number): number[] | null {
  const span = windowDays(target, regimens, horizonDays);
  if (!span || !(span.to > span.from)) return null;
  const { statistic } = target.measure;
  if (statistic === 'at-end') return [span.to];
  if (statistic === 'increase') return [span.from, span.to];
  const step = (span.to - span.from) / (pointsInWindow - 1);
  return Array.from({ length: pointsInWindow }, (_, i) => (i === pointsInWindow - 1 ? span.to : span.from + i * step));
}

function windowDays(
  { measure: { window } }: Target,
  regimens: readonly Regimen[],
  horizonDays: number,
): { readonly from: number; readonly to: number } | null {
  if (window.kind === 'horizon') return { from: 0, to: horizonDays };
  if (window.kind === 'last-days') return { from: Math.max(0, horizonDays - window.days), to: horizonDays };
  if (window.kind === 'days') return window.to <= horizonDays + 1e-9 ? window : null;
  const repeated = regimens.find(({ everyHours }) => everyHours !== null);
  if (!repeated) return null;
  const every = repeated.everyHours!;
  const inHorizon = Math.floor((horizonDays * hoursPerDay - repeated.startHour) / every + 1e-9);
  const over = Math.min(inHorizon, repeated.count ?? Infinity);
  if (over < 1) return null;
  const from = repeated.startHour + (over - 1) * every;
  return { from: from / hoursPerDay, to: (from + every) / hoursPerDay };
}

/** `at(i, lane)` is the read-out at the i-th of `days`. Writes one number a lane; NaN where the course is not a number. */
export function measureLanes(
  target: Target,
  days: readonly number[],
  at: (index: number, lane: number) => number,
  lanes: number,
): Float64Array {
  const { statistic, between } = target.measure;
  const last = days.length - 1;
  const over = (lane: number, combine: (sum: number, value: number) => number, start: number) => {
    let sum = start;
    for (let i = 0; i <= last; i++) {
      const value = at(i, lane);
      if (Number.isNaN(value)) return Number.NaN;
      sum = combine(sum, value);
    }
    return sum;
  };
  return Float64Array.from({ length: lanes }, (_, lane) => {
    switch (statistic) {
      case 'increase':
        return at(last, lane) - at(0, lane);
      case 'at-end':
        return at(last, lane);
      case 'minimum':
        return over(lane, Math.min, Infinity);
      case 'maximum':
        return over(lane, Math.max, -Infinity);
      case 'mean':
        return trapezoid(days, (i) => at(i, lane)) / (days[last]! - days[0]!);
      case 'share-within': {
        const { low = -Infinity, high = Infinity } = between ?? {};
        return over(lane, (sum, value) => sum + (value >= low && value <= high ? 1 : 0), 0) / days.length;
      }
      default:
        return statistic satisfies never;
    }
  });
}

function trapezoid(days: readonly number[], at: (index: number) => number): number {
  let sum = 0;
  for (let i = 1; i < days.length; i++) sum += ((days[i]! - days[i - 1]!) * (at(i) + at(i - 1))) / 2;
  return sum;
}

export function isReached({ low = -Infinity, high = Infinity }: Pick<Target, 'low' | 'high'>, value: number): boolean {
  return value >= low && value <= high;
}

/** Draws that are not a number are left out of the counts; null if none is left. */
export function summariseTarget(target: Target, values: Float64Array): TargetForecast | null {
  const known = values.filter((value) => !Number.isNaN(value)).sort();
  if (known.length === 0) return null;
  const reached = known.reduce((count, value) => count + (isReached(target, value) ? 1 : 0), 0);
  const interval = wilsonInterval(reached, known.length);
  const [low, high] = interval.defined ? [interval.value.lower, interval.value.upper] : [0, 1];
  const [a, b, c, d, e] = quantileLevels.map((level) => quantileOfSorted(known, level));
  return { probability: reached / known.length, low, high, unit: target.unit, quantiles: [a!, b!, c!, d!, e!] };
}
