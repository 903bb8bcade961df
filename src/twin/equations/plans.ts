/** Which plans an `equations` pack can answer, and which it answers beyond what its patients had. */
import { AppError } from '#domain/errors.ts';
import type { Plan, Regimen } from '#domain/plan.ts';
import { leverInterventions } from '#packs/manifest-views.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import { checkBlockDays, refuseUsualCareId, requireOffered } from '../plan-check.ts';
import { planRegimens } from './course.ts';
import type { Person } from './person.ts';

/** Throws `plan_invalid` for what makes no sense and `plan_outside_pack` for what the pack does not offer. */
export function checkEquationsPlan(manifest: EquationsManifest, plan: Plan): void {
  refuseUsualCareId(plan);
  const offered = leverInterventions(manifest).map(({ id }) => id);
  const controlled = new Set(manifest.models.flatMap(({ controls = [] }) => controls.map(({ intervention }) => intervention)));
  plan.blocks.forEach((block, i) => {
    const where = `Plan '${plan.name}', block ${i + 1}`;
    requireOffered(
      manifest,
      where,
      block.intervention,
      offered.filter((id) => controlled.has(id)),
    );
    checkBlockDays(where, block);
  });
  (plan.regimens ?? []).forEach((regimen, i) => {
    const where = `Plan '${plan.name}', doses ${i + 1}`;
    requireOffered(manifest, where, regimen.intervention, offered);
    checkRegimen(manifest, regimen, where);
  });
}

function checkRegimen(manifest: EquationsManifest, regimen: Regimen, where: string): void {
  const inputs = manifest.models
    .flatMap((model) => model.inputs ?? [])
    .filter((one) => one.intervention === regimen.intervention);
  const routes = [...new Set(inputs.flatMap((input) => input.routes))];
  const { amount, durationHours, startHour, everyHours, count, route } = regimen;
  const expected = (what: string) => new AppError('plan_invalid', `${where}: expected ${what}. Correct it.`);
  if (!routes.includes(route)) throw expected(`a route of ${routes.join(', ') || 'none'}`);
  if (!(Number.isFinite(amount) && amount >= 0)) throw expected('an amount of 0 or more');
  if (!(startHour >= 0)) throw expected('a start from now on');
  if (everyHours !== null && !(everyHours > 0)) throw expected('an interval above 0 hours');
  if (durationHours !== null && !(durationHours > 0)) throw expected('an infusion time above 0 hours');
  if (count !== null && !(Number.isInteger(count) && count >= 1)) throw expected('a whole number of doses of at least 1');
}

/** Why a plan's doses leave what the pack's grid covers; empty if they do not. Such a plan is forecast all the same, and marked. */
export function outsideRegimens(manifest: EquationsManifest, person: Person, plan: Plan): string[] {
  const reasons = planRegimens(person, plan).flatMap(({ intervention, amount, everyHours }) => {
    const grid = manifest.doseGrids.find((one) => one.intervention === intervention);
    if (!grid) return [];
    const label = manifest.interventions.find(({ id }) => id === intervention)!.label;
    const [shortest, longest] = [Math.min(...grid.intervalHours), Math.max(...grid.intervalHours)];
    return [
      ...(amount > grid.maximumDose
        ? [`${label}: a dose lies above ${grid.maximumDose}, the largest the pack is meant for.`]
        : []),
      ...(everyHours !== null && (everyHours < shortest || everyHours > longest)
        ? [`${label}: the interval lies outside ${shortest} to ${longest} hours, which the pack is meant for.`]
        : []),
    ];
  });
  return [...new Set(reasons)];
}
