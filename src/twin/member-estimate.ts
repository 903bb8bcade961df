/**
 * What is not known of a figure between 0 and `most` that comes by group, NaN where a group says nothing. Of a learned pack: over its members
 * and the draws of the world inside them (`groups` of `RolloutRequest`: members one after the other). Of a pack of equations, whose one
 * posterior the figure is of: how far chance moves it, from batches of its draws.
 */
import type { Estimate } from '#domain/forecast.ts';
import type { Numbers } from '#numerics/estimate.ts';
import { batchSpread, memberSpread, spreadDots, spreadQuantile, type MemberSpread } from '#numerics/member-spread.ts';

/** Equally likely values that are drawn of a difference. */
const dots = 50;

/** Mean over the groups, and the middle 90 %. */
export const overMembers = (groups: Numbers, members: number, most: number): Estimate =>
  middle(memberSpread(groups, members), most);

/** Mean over batches of draws, and the middle 90 % of where chance moves it. */
export const overBatches = (batches: Numbers, most: number): Estimate => middle(batchSpread(batches), most);

function middle(spread: MemberSpread, most: number): Estimate {
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
  return dotsWithin(memberSpread(paired(plan, usualCare), members), overMembers(usualCare, members, most), most);
}

/** The same of batches of draws, each the same draws under both plans. */
export function batchDifferenceDots(plan: Numbers, usualCare: Numbers, most: number): number[] {
  return dotsWithin(batchSpread(paired(plan, usualCare)), overBatches(usualCare, most), most);
}

function dotsWithin(difference: MemberSpread, usualCare: Estimate, most: number): number[] {
  if (Number.isNaN(difference.centre)) return [];
  return spreadDots(difference, dots).map((value) => Math.min(most - usualCare.low, Math.max(-usualCare.high, value)));
}
