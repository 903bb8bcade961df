/** Which plans an `equations` pack can answer, and which it answers beyond what its patients had. */
import { AppError } from '#domain/errors.ts';
import type { Plan, Regimen } from '#domain/plan.ts';
import { leverInterventions } from '#packs/manifest-views.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import { usualCareId } from '../plan-check.ts';
import { planRegimens } from './course.ts';
import type { Person } from './person.ts';

/** The plan that every other is held against: the record's open courses go on, and what the manifest calls usual care is given. */
export function usualCourse({ usualCare }: EquationsManifest, horizonDays: number): Plan {
  return {
    id: usualCareId,
    name: usualCare.label,
    blocks: usualCare.interventions.map((intervention) => ({ intervention, startDay: 0, stopDay: horizonDays })),
  };
}

/** Throws `plan_invalid` for what makes no sense and `plan_outside_pack` for what the pack does not offer. */
export function checkEquationsPlan(manifest: EquationsManifest, plan: Plan): void {
  if (plan.id === usualCareId) {
    throw new AppError(
      'plan_invalid',
      `Plan '${plan.name}': the id '${usualCareId}' stands for usual care, which is always forecast.`,
    );
  }
  const offered = leverInterventions(manifest).map(({ id }) => id);
  const refuse = (where: string, intervention: string) => {
    throw new AppError(
      'plan_outside_pack',
      `${where}: ${manifest.title} does not offer '${intervention}'. It offers: ${offered.join(', ') || 'none'}.`,
    );
  };
  const controlled = new Set(manifest.models.flatMap(({ controls = [] }) => controls.map(({ intervention }) => intervention)));
  plan.blocks.forEach(({ intervention, startDay, stopDay }, i) => {
    const where = `Plan '${plan.name}', block ${i + 1}`;
    if (!offered.includes(intervention) || !controlled.has(intervention)) refuse(where, intervention);
    if (!(startDay >= 0 && stopDay > startDay)) {
      const found = `days ${startDay} to ${stopDay}`;
      throw new AppError('plan_invalid', `${where}: found ${found}, expected a start from day 0 on and a later stop.`);
    }
  });
  (plan.regimens ?? []).forEach((regimen, i) => {
    const where = `Plan '${plan.name}', doses ${i + 1}`;
    if (!offered.includes(regimen.intervention)) refuse(where, regimen.intervention);
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
