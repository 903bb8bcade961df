/** The doses that a person is on, as a plan from now on: what a policy starts from. */
import type { Regimen } from '#domain/plan.ts';
import type { DoseGrid, EquationsManifest } from '#packs/manifest.ts';
import type { Person, PersonDose } from '#twin/equations/person.ts';

/**
 * The record's courses that go on and, of an intervention that the pack doses and whose course has ended, its last dose in the rhythm of
 * the last two: a course whose end is entered is read as "given up to now", not as "stopped". Empty where nothing was given.
 */
export function currentRegimens(manifest: EquationsManifest, person: Person): readonly Regimen[] {
  const { continuing, doses } = person;
  const ended = manifest.doseGrids.filter(
    ({ intervention }) => !continuing.some((regimen) => regimen.intervention === intervention && regimen.everyHours !== null),
  );
  return [...continuing, ...ended.flatMap((grid) => goOn(grid, doses))];
}

/** Nothing for single doses, as a bolus with a meal: the pack lists no interval that repeats within its horizon, or one dose was given. */
function goOn(grid: DoseGrid, doses: readonly PersonDose[]): Regimen[] {
  const own = doses.filter(({ intervention }) => intervention === grid.intervention);
  const [before, last] = own.slice(-2);
  if (!before || !last) return [];
  const everyHours = nearest(grid.intervalHours, last.hours - before.hours);
  if (last.hours - before.hours < 0.5 * everyHours) return [];
  const { intervention, amount, route, durationHours } = last;
  return [
    {
      intervention,
      amount,
      route,
      durationHours: durationHours > 0 ? durationHours : null,
      startHour: Math.max(0, last.hours + everyHours),
      everyHours,
      count: null,
    },
  ];
}

function nearest(values: readonly number[], to: number): number {
  return values.reduce((best, value) => (Math.abs(value - to) < Math.abs(best - to) ? value : best));
}
