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

/** One way in which a plan leaves what was seen. */
export interface Departure {
  readonly reason: string;
  /** Above 0: by how many of the seen ranges. */
  readonly distance: number;
}

/**
 * Why a plan leaves what the pack's evidence covers; empty if it does not. Such a plan is forecast all the same, and marked.
 *
 * `from-today` covers a start today that lasts to the horizon. `from-entry` covers people who had the intervention from entry to
 * the horizon, or never: whoever had it from entry and stops it, or starts it later, is outside. What each intervention does is known
 * of it alone: arms that were compared are interventions of their own, so two at once were not among them; nor was
 * none of them where usual care is one.
 */
export function outsideSupport(manifest: LearnedManifest, plan: Plan, history: History, horizonDays: number): string[] {
  return departures(manifest, plan, history, horizonDays).map(({ reason }) => reason);
}

/** The same with how far: in shares of the horizon that is not as the evidence has it, or in horizons by which a start comes too late. */
export function departures(manifest: LearnedManifest, plan: Plan, history: History, horizonDays: number): Departure[] {
  return [
    ...manifest.interventions.flatMap((intervention) => timingDepartures(manifest, intervention, plan, history, horizonDays)),
    ...armDepartures(manifest, plan, horizonDays),
    ...missingArms(manifest, plan, horizonDays),
  ];
}

function timingDepartures(
  { grid: { stepDays } }: LearnedManifest,
  { id, label, timing }: Intervention,
  plan: Plan,
  history: History,
  horizonDays: number,
): Departure[] {
  if (timing === 'any') return [];
  const blocks = plan.blocks.filter(({ intervention, startDay }) => intervention === id && startDay < horizonDays);
  const firstDay = Math.min(...blocks.map(({ startDay }) => startDay));
  const lasts = blocks.length > 0 && firstDay < stepDays / 2 && coversHorizon(blocks, horizonDays);
  const missing = Math.max(0.01, 1 - coveredDays(blocks, horizonDays) / horizonDays);
  if (timing === 'from-today') {
    if (blocks.length === 0 || lasts) return [];
    return [{ reason: `${label}: the evidence covers a start today that lasts to the horizon.`, distance: missing }];
  }
  const past = history.treatments.filter(({ intervention }) => intervention === id);
  const isAtEntry = history.todayDays < stepDays / 2;
  const hadFromEntry = past.some(({ startDay, stopDay }) => startDay < stepDays / 2 && stopDay >= history.todayDays);
  if (blocks.length > 0 && !hadFromEntry && !isAtEntry) {
    const reason = `${label}: the evidence covers a start at entry only, and this person was not on it from then to today.`;
    return [{ reason, distance: (history.todayDays + firstDay) / horizonDays }];
  }
  if (blocks.length > 0 && !lasts) {
    return [{ reason: `${label}: the evidence covers no break, no later start and no stop.`, distance: missing }];
  }
  if (blocks.length === 0 && past.length > 0)
    return [{ reason: `${label}: the person has had it, and the evidence does not cover stopping it.`, distance: 1 }];
  return [];
}

function armDepartures(manifest: LearnedManifest, { blocks }: Plan, horizonDays: number): Departure[] {
  const levers = leverInterventions(manifest);
  const daysTogether = (a: string, b: string) =>
    blocks
      .filter(({ intervention }) => intervention === a)
      .flatMap((one) =>
        blocks.filter(({ intervention }) => intervention === b).map((other) => commonDays(one, other, horizonDays)),
      )
      .reduce((sum, days) => sum + days, 0);
  return levers.flatMap((a, i) =>
    levers.slice(i + 1).flatMap((b): Departure[] => {
      const days = daysTogether(a.id, b.id);
      if (days === 0) return [];
      return [{ reason: `${a.label} with ${b.label}: the evidence covers each alone.`, distance: days / horizonDays }];
    }),
  );
}

/** Where usual care is one of several levers of a group and nothing else is in it, everybody had one of them all the time. */
function missingArms({ usualCare, interventions }: LearnedManifest, { blocks }: Plan, horizonDays: number): Departure[] {
  const groups = new Set(
    usualCare.interventions.flatMap((id) => interventions.find((one) => one.id === id)?.exclusiveGroup ?? []),
  );
  return [...groups].flatMap((group): Departure[] => {
    const members = interventions.filter(({ exclusiveGroup }) => exclusiveGroup === group);
    if (leverInterventions({ interventions: members }).length < members.length) return [];
    const own = blocks.filter(({ intervention }) => members.some(({ id }) => id === intervention));
    const missing = 1 - coveredDays(own, horizonDays) / horizonDays;
    if (missing < 1e-6) return [];
    const labels = members.map(({ label }) => label).join(', ');
    return [{ reason: `Time without any of these: ${labels}. Everybody in the evidence had one of them.`, distance: missing }];
  });
}

function commonDays(a: PlanBlock, b: PlanBlock, horizonDays: number): number {
  return Math.max(0, Math.min(a.stopDay, b.stopDay, horizonDays) - Math.max(a.startDay, b.startDay));
}

/** Of blocks that do not overlap. */
function coveredDays(blocks: readonly PlanBlock[], horizonDays: number): number {
  return blocks.reduce((sum, { startDay, stopDay }) => sum + Math.min(stopDay, horizonDays) - startDay, 0);
}

function coversHorizon(blocks: readonly PlanBlock[], horizonDays: number): boolean {
  let reached = Math.min(...blocks.map(({ startDay }) => startDay));
  for (const { startDay, stopDay } of blocks.toSorted((a, b) => a.startDay - b.startDay)) {
    if (startDay > reached) return false;
    reached = Math.max(reached, stopDay);
  }
  return reached >= horizonDays;
}
