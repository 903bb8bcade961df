/** Plans as a person edits them: usual care first and locked, then up to four others, each with a letter. */
import type { Plan, PlanBlock, Regimen } from '#domain/plan.ts';
import type { PlanCandidate } from '#domain/planning.ts';
import { daysBetween } from '#domain/record.ts';
import type { IsoMinute, PatientRecord } from '#domain/record.ts';
import { leverInterventions } from '#packs/manifest-views.ts';
import type { Intervention, PackManifest } from '#packs/manifest.ts';
import { usualCareId, usualCarePlan } from '#twin/plan-check.ts';
import { dosedInterventions } from './dosed.ts';
import { continuingRegimens, newRegimen } from './regimens.ts';

export { usualCareId } from '#twin/plan-check.ts';
const letters = ['A', 'B', 'C', 'D'] as const;
/** Usual care and four more: as many hues, dashes and letters as can be told apart. */
export const planLimit = letters.length + 1;

export function horizonDays({ grid }: Pick<PackManifest, 'grid'>): number {
  return grid.horizonSteps * grid.stepDays;
}

/** What may be put into a plan; usual care without any lever is natural history. */
export function offeredInterventions(manifest: PackManifest): readonly Intervention[] {
  return leverInterventions(manifest);
}

/**
 * Usual care and, beside it, one plan to compare at once: the first intervention that usual care lacks and that the evidence lets this
 * person begin today. The choice says nothing of merit; it is the pack's order. Whoever already has doses that go on begins with
 * these alone: what to hold against them is the question.
 */
export function firstPlans(manifest: PackManifest, record: PatientRecord, now: IsoMinute): readonly Plan[] {
  const usual = usualCarePlan(manifest, horizonDays(manifest));
  if (continuingRegimens(manifest, record, now).length > 0) return [usual];
  const isAtEntry = daysBetween(record.entryDate, now.slice(0, 10)) < manifest.grid.stepDays / 2;
  const canBegin = (one: Intervention) =>
    one.timing !== 'from-entry' ||
    isAtEntry ||
    record.treatments.some(({ intervention, stop }) => intervention === one.id && stop === null);
  const lacking = offeredInterventions(manifest).filter((one) => !manifest.usualCare.interventions.includes(one.id));
  const first = lacking.find(canBegin) ?? lacking[0];
  if (!first) return [usual];
  const plan = { id: 'plan-a', name: 'Plan A', blocks: keptBeside(manifest, leverBlocks(manifest, usual), first) };
  if (isDosed(manifest, first.id)) return [usual, { ...plan, regimens: [newRegimen(manifest, first.id, record, now)] }];
  const block = { intervention: first.id, startDay: 0, stopDay: horizonDays(manifest) };
  return [usual, { ...plan, blocks: [...plan.blocks, block] }];
}

/** Given in doses rather than switched on and off. */
export function isDosed(manifest: PackManifest, interventionId: string): boolean {
  return dosedInterventions(manifest).some(({ intervention }) => intervention.id === interventionId);
}

function keptBeside(manifest: PackManifest, blocks: readonly PlanBlock[], chosen: Intervention): readonly PlanBlock[] {
  return blocks.filter(
    (block) => chosen.exclusiveGroup === null || groupOf(manifest, block.intervention) !== chosen.exclusiveGroup,
  );
}

const groupOf = (manifest: PackManifest, id: string) =>
  manifest.interventions.find((one) => one.id === id)?.exclusiveGroup ?? null;

/**
 * A copy with the next free letter; null when there are as many plans as can be drawn. Of usual care the doses that go on are copied
 * as well, so that they can be changed.
 */
export function duplicatePlan(
  manifest: PackManifest,
  plans: readonly Plan[],
  source: Plan,
  continuing: readonly Regimen[],
): Plan | null {
  const named = nextPlan(plans);
  if (!named) return null;
  const blocks = leverBlocks(manifest, source);
  if (source.id !== usualCareId) return { ...source, ...named, blocks };
  return { ...named, blocks, ...(continuing.length > 0 ? { regimens: continuing, stopsCurrentDoses: true } : {}) };
}

/** The next free letter. */
function nextPlan(plans: readonly Plan[]): Pick<Plan, 'id' | 'name'> | null {
  const letter = letters.find((one) => !plans.some((plan) => plan.id === `plan-${one.toLowerCase()}`));
  return letter ? { id: `plan-${letter.toLowerCase()}`, name: `Plan ${letter}` } : null;
}

/**
 * Chosen candidates of the Plan page, each as the plan it becomes beside usual care, in the same order: plans of the page keep their
 * letter, what was found takes the next one that no plan of the page has, or else one whose plan was not chosen. At most as many as can
 * be drawn.
 */
export function letteredPlans<Chosen extends Pick<PlanCandidate, 'plan' | 'origin'>>(
  chosen: readonly Chosen[],
  onPage: readonly Plan[],
): readonly { readonly chosen: Chosen; readonly plan: Plan }[] {
  const own = chosen.filter(({ origin }) => origin === 'own').map(({ plan }) => plan);
  const found = chosen.filter(({ origin }) => origin === 'found');
  const lettered = found.reduce<readonly Plan[]>((plans, { plan }) => {
    const named = nextPlan([...onPage, ...own, ...plans]) ?? nextPlan([...own, ...plans]);
    return named ? [...plans, { ...plan, ...named }] : plans;
  }, []);
  return chosen.flatMap((one) => {
    const plan = one.origin === 'own' ? one.plan : lettered[found.indexOf(one)];
    return one.origin !== 'usual-care' && plan ? [{ chosen: one, plan }] : [];
  });
}

/** Usual care and the chosen ones, by letter. */
export function comparingPlans(
  manifest: PackManifest,
  chosen: readonly Pick<PlanCandidate, 'plan' | 'origin'>[],
  onPage: readonly Plan[],
): readonly Plan[] {
  const plans = letteredPlans(chosen, onPage).map(({ plan }) => plan);
  return [usualCarePlan(manifest, horizonDays(manifest)), ...plans.toSorted((a, b) => a.id.localeCompare(b.id))];
}

export function letterOf(plan: Plan): string {
  return plan.id === usualCareId ? 'U' : (letters.find((letter) => plan.id === `plan-${letter.toLowerCase()}`) ?? '?');
}

/** The part of usual care that stands on the page: natural history is the absence of a choice and has no block. */
export function leverBlocks(manifest: PackManifest, plan: Plan): readonly PlanBlock[] {
  const levers = new Set(offeredInterventions(manifest).map((one) => one.id));
  return plan.blocks.filter((block) => levers.has(block.intervention));
}
