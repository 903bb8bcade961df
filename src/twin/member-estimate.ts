/**
 * What a learned pack does not know of a figure: over its members and the draws of the world inside them. Figures come by group (`groups`
 * of `RolloutRequest`: members one after the other), NaN where a group says nothing, and lie between 0 and `most`.
 */
import type { Estimate } from '#domain/forecast.ts';
import type { Numbers } from '#numerics/estimate.ts';
import { memberSpread, spreadDots, spreadQuantile } from '#numerics/member-spread.ts';

/** Equally likely values that are drawn of a difference. */
const dots = 50;

/** Mean over the groups, and the middle 90 %. */
export function overMembers(groups: Numbers, members: number, most: number): Estimate {
  const spread = memberSpread(groups, members);
  return {
    value: spread.centre,
    low: Math.max(0, spreadQuantile(spread, 0.05)),
    high: Math.min(most, spreadQuantile(spread, 0.95)),
  };
}

/** Group by group: a group is the same draw of the world under both plans, so its difference is the plan's effect in that world. */
export function paired(plan: Numbers, usualCare: Numbers): Float64Array {
  return Float64Array.from({ length: plan.length }, (_, g) => plan[g]! - usualCare[g]!);
}

/**
 * Equally likely values of plan less usual care, ascending: none where nothing is known. No more can be taken away than usual care's
 * interval holds, and no more added than is left of `most`.
 */
export function differenceDots(plan: Numbers, usualCare: Numbers, members: number, most: number): number[] {
  const spread = memberSpread(paired(plan, usualCare), members);
  if (Number.isNaN(spread.centre)) return [];
  const { low, high } = overMembers(usualCare, members, most);
  return spreadDots(spread, dots).map((value) => Math.min(most - low, Math.max(-high, value)));
}
