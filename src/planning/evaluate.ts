/**
 * What a plan comes to by the measures of a question. One interface for both kinds of packs: a learned pack's futures
 * (`evaluate-learned.ts`) and an equations pack's posterior draws (`evaluate-equations.ts`). All plans of one evaluator meet the same
 * chance: the same starts, the same noise, the same draws.
 */
import { AppError } from '#domain/errors.ts';
import { dotQuantile } from '#domain/forecast.ts';
import type { Measure, MeasureValue, PlanCandidate, PlanQuestion } from '#domain/planning.ts';
import type { Plan } from '#domain/plan.ts';
import type { RunHooks } from '#engine/engine.ts';
import type { PackManifest, Target } from '#packs/manifest.ts';
import { batchDifferenceDots, differenceDots, overBatches, overMembers, paired } from '#twin/member-estimate.ts';

export interface PlanEvaluator {
  /** About so many futures a plan: rounded up to whole groups, and no more than there are draws. In the order of the plans. */
  evaluate(plans: readonly Plan[], rollouts: number, hooks?: RunHooks): Promise<readonly PlanFigures[]>;
}

/** What one plan came to. */
export interface PlanFigures {
  /**
   * [measure] of [group]; NaN where a group says nothing. Of a learned pack a group is a draw of what is not known of the world, members one
   * after the other; of a pack of equations a batch of posterior draws.
   */
  readonly groups: readonly Float64Array[];
  readonly rollouts: number;
  /** Share of its futures that left the model's range and count nowhere. */
  readonly divergedShare: number;
}

/** Mean over the groups that say something; NaN where none does. */
export function meanOfGroups(groups: Float64Array): number {
  let sum = 0;
  let count = 0;
  for (const value of groups) {
    if (Number.isNaN(value)) continue;
    sum += value;
    count++;
  }
  return count === 0 ? Number.NaN : sum / count;
}

/** The goals and limits of a question, in its order: what a plan comes to by group ([measure], goals first), and usual care. */
export function measureValues(
  { goals, limits, horizonDays }: Pick<PlanQuestion, 'goals' | 'limits' | 'horizonDays'>,
  manifest: PackManifest,
  plan: readonly Float64Array[],
  usualCare: readonly Float64Array[],
): Pick<PlanCandidate, 'goals' | 'limits'> {
  const values = [...goals, ...limits].map(({ measure }, m) =>
    measureValue(measure, plan[m]!, usualCare[m]!, { manifest, horizonDays }),
  );
  return { goals: values.slice(0, goals.length), limits: values.slice(goals.length) };
}

/**
 * A figure with its 90 % interval, and what it is more than usual care's, group by group. Members of an ensemble are few and stand for a
 * distribution (`memberSpread`); of one posterior there is the chance of its draws (`batchSpread`).
 */
function measureValue(
  measure: Measure,
  plan: Float64Array,
  usualCare: Float64Array,
  { manifest, horizonDays }: { readonly manifest: PackManifest; readonly horizonDays: number },
): MeasureValue {
  const most = mostOf(measure, manifest, horizonDays);
  const isLearned = manifest.kind === 'learned';
  const dots = isLearned ? differenceDots(plan, usualCare, manifest.network.M, most) : batchDifferenceDots(plan, usualCare, most);
  return {
    ...(isLearned ? overMembers(plan, manifest.network.M, most) : overBatches(plan, most)),
    difference: {
      value: meanOfGroups(paired(plan, usualCare)),
      low: dotQuantile(dots, 0.05),
      high: dotQuantile(dots, 0.95),
      dots,
    },
  };
}

/** More a measure cannot be. A burden is known from the plan and needs no end. */
function mostOf({ kind }: Measure, manifest: PackManifest, horizonDays: number): number {
  if (kind === 'burden') return Infinity;
  if (kind !== 'event-free-days') return 1;
  if (manifest.kind === 'equations') return horizonDays;
  const { stepDays } = manifest.grid;
  return Math.ceil(horizonDays / stepDays - 1e-9) * stepDays;
}

/** '1' for a chance or a share; else UCUM, counted things in braces. `amountUnit` is that of the one intervention that is dosed. */
export function unitOf(measure: Measure, amountUnit: string): string {
  if (measure.kind === 'event-free-days') return 'd';
  if (measure.kind !== 'burden') return '1';
  const units = { 'days-on-treatment': 'd', 'infusion-hours': 'h', amount: amountUnit } as const;
  const { of } = measure;
  return of === 'doses' || of === 'injections' || of === 'visits' ? `{${of}}` : units[of];
}

/** Throws `request_invalid` for what the pack does not have, or where a day lies beyond the horizon. */
export function checkMeasure(manifest: PackManifest, measure: Measure, horizonDays: number): void {
  const { title } = manifest;
  const among = (what: string, id: string, ids: readonly string[]) => {
    if (ids.includes(id)) return;
    throw new AppError('request_invalid', `${title} has no ${what} '${id}'. It has: ${ids.join(', ') || 'none'}.`);
  };
  const day = (value: number) => {
    if (value >= 0 && value <= horizonDays * (1 + 1e-9)) return;
    throw new AppError('request_invalid', `A measure names day ${value}; expected 0 to ${horizonDays}, the horizon.`);
  };
  switch (measure.kind) {
    case 'event-free-days':
      return;
    case 'event':
      if (measure.event !== null)
        among(
          'event',
          measure.event,
          manifest.events.map(({ id }) => id),
        );
      return day(measure.byDay);
    case 'marker-at':
    case 'marker-time':
    case 'marker-ever-outside': {
      among(
        'marker',
        measure.marker,
        manifest.markers.map(({ id }) => id),
      );
      const { low, high } = measure;
      if ((low === null && high === null) || (low !== null && high !== null && low >= high)) {
        throw new AppError(
          'request_invalid',
          'A range of a marker needs a lower or an upper end, the lower one below the upper.',
        );
      }
      if (measure.kind === 'marker-at') return day(measure.day);
      day(measure.fromDay);
      day(measure.toDay);
      if (measure.fromDay > measure.toDay) throw new AppError('request_invalid', 'A measure ends on a day before it begins.');
      return;
    }
    case 'target': {
      const targets = targetsOf(manifest);
      among(
        'target',
        measure.target,
        targets.map(({ id }) => id),
      );
      const { window } = targets.find(({ id }) => id === measure.target)!.measure;
      if (window.kind !== 'days' || window.to <= horizonDays + 1e-9) return;
      throw new AppError(
        'request_invalid',
        `The target is measured up to day ${window.to}; the horizon is ${horizonDays} days. Choose a longer horizon, or another target.`,
      );
    }
    case 'burden':
      return;
  }
  measure satisfies never;
}

function targetsOf(manifest: PackManifest): readonly Target[] {
  return manifest.kind === 'equations' ? manifest.targets : [];
}
