/** Targets as they are asked at a decision within a future. */
import { hoursPerDay } from '#domain/doses.ts';
import type { Regimen } from '#domain/plan.ts';
import { measureDays } from '#engine/target-measure.ts';
import type { Target } from '#packs/manifest.ts';

/**
 * Days from now at which a target's read-out is needed when it is asked from `from` on, as if that were today; a window that would
 * reach beyond the horizon ends with it. Null where it makes no sense.
 */
export function measureDaysFrom(
  target: Target,
  regimens: readonly Regimen[],
  from: number,
  horizonDays: number,
): number[] | null {
  const left = horizonDays - from;
  const shifted = regimens.map((regimen) => ({ ...regimen, startHour: regimen.startHour - from * hoursPerDay }));
  const days = measureDays(cutWindow(target, left), shifted, left);
  return days && days[0]! >= -1e-9 ? days.map((day) => day + from) : null;
}

function cutWindow(target: Target, days: number): Target {
  const { window } = target.measure;
  if (window.kind !== 'days') return target;
  return { ...target, measure: { ...target.measure, window: { ...window, to: Math.min(window.to, days) } } };
}
