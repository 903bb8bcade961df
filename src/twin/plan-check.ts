/** Which plans a pack can answer, and which it answers beyond its evidence. */
import { AppError } from '#domain/errors.ts';
import type { Plan, PlanBlock } from '#domain/plan.ts';
import { leverInterventions } from '#packs/manifest-views.ts';
import type { Intervention, LearnedManifest, PackDescription } from '#packs/manifest.ts';
import type { History } from './history.ts';

export const usualCareId = 'usual-care';

/**
 * The plan that every other is held against: what the manifest says usual care is, from today on. Under a pack of equations the
 * record's open courses of doses go on as well.
 */
export function usualCarePlan({ usualCare }: Pick<PackDescription, 'usualCare'>, horizonDays: number): Plan {
  return {
    id: usualCareId,
    name: usualCare.label,
    blocks: usualCare.interventions.map((intervention) => ({ intervention, startDay: 0, stopDay: horizonDays })),
  };
}

/** Throws `plan_invalid` for a plan that takes the name of usual care. */
export function refuseUsualCareId(plan: Plan): void {
  if (plan.id !== usualCareId) return;
  throw new AppError(
    'plan_invalid',
    `Plan '${plan.name}': the id '${usualCareId}' stands for usual care, which is always forecast.`,
  );
}

/** Throws `plan_outside_pack` for an intervention that is not among the ids that can be given so. */
export function requireOffered(
  { title }: Pick<PackDescription, 'title'>,
  where: string,
  intervention: string,
  offered: readonly string[],
): void {
  if (offered.includes(intervention)) return;
  const ids = offered.join(', ') || 'none';
  throw new AppError('plan_outside_pack', `${where}: ${title} does not offer '${intervention}'. It offers: ${ids}.`);
}

/** Throws `plan_invalid` for a block that begins before today or ends before it begins. */
export function checkBlockDays(where: string, { startDay, stopDay }: PlanBlock): void {
  if (startDay >= 0 && stopDay > startDay) return;
  const found = `days ${startDay} to ${stopDay}`;
  throw new AppError('plan_invalid', `${where}: found ${found}, expected a start from day 0 on and a later stop.`);
}

/** Throws `plan_invalid` for what makes no sense and `plan_outside_pack` for what the pack does not offer. */
export function checkPlan(manifest: LearnedManifest, plan: Plan): void {
  refuseUsualCareId(plan);
  const offered = new Map(leverInterventions(manifest).map((intervention) => [intervention.id, intervention]));
  plan.blocks.forEach((block, i) => {
    const where = `Plan '${plan.name}', block ${i + 1}`;
    requireOffered(manifest, where, block.intervention, [...offered.keys()]);
    checkBlockDays(where, block);
    const rival = plan.blocks.slice(0, i).find((other) => overlap(block, other) && isExclusive(offered, block, other));
    if (rival) {
      const both = `'${rival.intervention}' and '${block.intervention}'`;
      throw new AppError('plan_invalid', `${where}: ${both} cannot be given at the same time. Stop one before the other starts.`);
    }
  });
}

function overlap(a: PlanBlock, b: PlanBlock): boolean {
  return a.startDay < b.stopDay && b.startDay < a.stopDay;
}

function isExclusive(offered: ReadonlyMap<string, Intervention>, a: PlanBlock, b: PlanBlock): boolean {
  const group = offered.get(a.intervention)!.exclusiveGroup;
  return a.intervention === b.intervention || (group !== null && group === offered.get(b.intervention)!.exclusiveGroup);
}

/**
 * Why a plan leaves what the pack's evidence covers; empty if it does not. Such a plan is forecast all the same, and marked.
 *
 * `from-today` covers a start today that lasts to the horizon. `from-entry` covers people who had the intervention from entry to
 * the horizon, or never: whoever had it from entry and stops it, or starts it later, is outside.
 */
export function outsideSupport(manifest: LearnedManifest, plan: Plan, history: History, horizonDays: number): string[] {
  const { stepDays } = manifest.grid;
  return manifest.interventions.flatMap(({ id, label, timing }) => {
    const blocks = plan.blocks.filter(({ intervention, startDay }) => intervention === id && startDay < horizonDays);
    const startsToday = blocks.some(({ startDay }) => startDay < stepDays / 2);
    const lasts = startsToday && coversHorizon(blocks, horizonDays);
    if (timing === 'from-today') {
      return blocks.length === 0 || lasts ? [] : [`${label}: the evidence covers a start today that lasts to the horizon.`];
    }
    if (timing === 'any') return [];
    const past = history.treatments.filter(({ intervention }) => intervention === id);
    const isAtEntry = history.todayDays < stepDays / 2;
    const hadFromEntry = past.some(({ startDay, stopDay }) => startDay < stepDays / 2 && stopDay >= history.todayDays);
    if (blocks.length > 0 && !hadFromEntry && !isAtEntry) {
      return [`${label}: the evidence covers a start at entry only, and this person was not on it from then to today.`];
    }
    if (blocks.length > 0 && !lasts) return [`${label}: the evidence covers no break, no later start and no stop.`];
    if (blocks.length === 0 && past.length > 0)
      return [`${label}: the person has had it, and the evidence does not cover stopping it.`];
    return [];
  });
}

function coversHorizon(blocks: readonly PlanBlock[], horizonDays: number): boolean {
  let reached = Math.min(...blocks.map(({ startDay }) => startDay));
  for (const { startDay, stopDay } of blocks.toSorted((a, b) => a.startDay - b.startDay)) {
    if (startDay > reached) return false;
    reached = Math.max(reached, stopDay);
  }
  return reached >= horizonDays;
}
