/** Which plans an `equations` pack can answer, and which it answers beyond what its patients had. */
import { AppError } from '#domain/errors.ts';
import type { Plan, Regimen } from '#domain/plan.ts';
import { leverInterventions } from '#packs/manifest-views.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import { checkBlockDays, refuseUsualCareId, requireOffered, type Departure } from '../plan-check.ts';
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
  return regimenDepartures(manifest, person, plan).map(({ reason }) => reason);
}

/** The same with how far: in widths of the range that the grid spans, doses and rates from 0 on. */
export function regimenDepartures(manifest: EquationsManifest, person: Person, plan: Plan): Departure[] {
  const found = new Map<string, Departure>();
  for (const { intervention, amount, everyHours, durationHours } of planRegimens(person, plan)) {
    const grid = manifest.doseGrids.find((one) => one.intervention === intervention);
    if (!grid) continue;
    const label = manifest.interventions.find(({ id }) => id === intervention)!.label;
    const [shortest, longest] = [Math.min(...grid.intervalHours), Math.max(...grid.intervalHours)];
    const durations = [...grid.durationHours, ...(grid.loadingDurationHours === undefined ? [] : [grid.loadingDurationHours])];
    const fastest = durations.length > 0 ? grid.maximumDose / Math.min(...durations) : Infinity;
    const note = (reason: string, distance: number) => {
      if (distance > (found.get(reason)?.distance ?? 0)) found.set(reason, { reason, distance });
    };
    note(
      `${label}: a dose lies above ${grid.maximumDose}, the largest the pack is meant for.`,
      beyond(amount, 0, grid.maximumDose),
    );
    if (everyHours !== null) {
      note(
        `${label}: the interval lies outside ${shortest} to ${longest} hours, which the pack is meant for.`,
        beyond(everyHours, shortest, longest),
      );
    }
    if (durationHours !== null) {
      note(`${label}: a dose is given faster than the pack is meant for.`, beyond(amount / durationHours, 0, fastest));
    }
  }
  return [...found.values()];
}

/** By how many widths of the range a value lies outside it; of a range without width, by how many of its own value. */
function beyond(value: number, low: number, high: number): number {
  const outside = Math.max(0, low - value, value - high);
  // Decimal doses over decimal durations are not exact.
  return outside <= 1e-9 * high || high === Infinity ? 0 : outside / (high > low ? high - low : high);
}
