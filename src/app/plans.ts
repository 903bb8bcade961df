/** Plans as a person edits them: usual care first and locked, then up to four others, each with a letter. */
import type { Plan, PlanBlock } from '#domain/plan.ts';
import { daysBetween } from '#domain/record.ts';
import type { IsoDate, PatientRecord } from '#domain/record.ts';
import { leverInterventions } from '#packs/manifest-views.ts';
import type { Intervention, PackManifest } from '#packs/manifest.ts';

export const usualCareId = 'usual-care';
const letters = ['A', 'B', 'C', 'D'] as const;
/** Usual care and four more: as many hues, dashes and letters as can be told apart. */
export const planLimit = letters.length + 1;

export function horizonDays({ grid }: Pick<PackManifest, 'grid'>): number {
  return grid.horizonSteps * grid.stepDays;
}

export function usualCarePlan(manifest: PackManifest): Plan {
  const stopDay = horizonDays(manifest);
  return {
    id: usualCareId,
    name: manifest.usualCare.label,
    blocks: manifest.usualCare.interventions.map((intervention) => ({ intervention, startDay: 0, stopDay })),
  };
}

/** What may be put into a plan; usual care without any lever is natural history. */
export function offeredInterventions(manifest: PackManifest): readonly Intervention[] {
  return leverInterventions(manifest);
}

/**
 * Usual care and, beside it, one plan to compare at once: the first intervention that usual care lacks and that the evidence lets this
 * person begin today. The choice says nothing of merit; it is the pack's order.
 */
export function firstPlans(manifest: PackManifest, record: PatientRecord, today: IsoDate): readonly Plan[] {
  const usual = usualCarePlan(manifest);
  const isAtEntry = daysBetween(record.entryDate, today) < manifest.grid.stepDays / 2;
  const canBegin = (one: Intervention) =>
    one.timing !== 'from-entry' ||
    isAtEntry ||
    record.treatments.some(({ intervention, stop }) => intervention === one.id && stop === null);
  const lacking = offeredInterventions(manifest).filter((one) => !manifest.usualCare.interventions.includes(one.id));
  const first = lacking.find(canBegin) ?? lacking[0];
  if (!first) return [usual];
  const block = { intervention: first.id, startDay: 0, stopDay: horizonDays(manifest) };
  return [usual, { id: 'plan-a', name: 'Plan A', blocks: [...keptBeside(manifest, leverBlocks(manifest, usual), first), block] }];
}

function keptBeside(manifest: PackManifest, blocks: readonly PlanBlock[], chosen: Intervention): readonly PlanBlock[] {
  return blocks.filter(
    (block) => chosen.exclusiveGroup === null || groupOf(manifest, block.intervention) !== chosen.exclusiveGroup,
  );
}

const groupOf = (manifest: PackManifest, id: string) =>
  manifest.interventions.find((one) => one.id === id)?.exclusiveGroup ?? null;

/** A copy with the next free letter; null when there are as many plans as can be drawn. */
export function duplicatePlan(manifest: PackManifest, plans: readonly Plan[], source: Plan): Plan | null {
  const letter = letters.find((one) => !plans.some((plan) => plan.id === `plan-${one.toLowerCase()}`));
  return letter ? { id: `plan-${letter.toLowerCase()}`, name: `Plan ${letter}`, blocks: leverBlocks(manifest, source) } : null;
}

export function letterOf(plan: Plan): string {
  return plan.id === usualCareId ? 'U' : (letters.find((letter) => plan.id === `plan-${letter.toLowerCase()}`) ?? '?');
}

/** The part of usual care that stands on the page: natural history is the absence of a choice and has no block. */
export function leverBlocks(manifest: PackManifest, plan: Plan): readonly PlanBlock[] {
  const levers = new Set(offeredInterventions(manifest).map((one) => one.id));
  return plan.blocks.filter((block) => levers.has(block.intervention));
}
