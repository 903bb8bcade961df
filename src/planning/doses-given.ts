/** What a plan gives and when, known without any simulation. */
import { hoursPerDay } from '#domain/doses.ts';
import type { Plan, PlanBlock, Regimen } from '#domain/plan.ts';
import type { Burden } from '#domain/planning.ts';

/** What a plan comes to for a person: its own doses with those of the record that go on, and the blocks of its levers. */
export interface Given {
  readonly regimens: readonly Regimen[];
  readonly blocks: readonly PlanBlock[];
}

/** Hours from now of the doses of a regimen before the horizon. */
export function doseHours({ startHour, everyHours, count }: Regimen, horizonDays: number): number[] {
  const left = horizonDays * hoursPerDay - startHour;
  const most = everyHours === null ? (left > 0 ? 1 : 0) : Math.ceil(left / everyHours - 1e-9);
  return Array.from({ length: Math.max(0, Math.min(count ?? Infinity, most)) }, (_, k) => startHour + k * (everyHours ?? 0));
}

/** Doses by these routes are given to a person who comes for them, not taken at home. */
const givenAtVisits: readonly Regimen['route'][] = ['iv-bolus', 'iv-infusion', 'radiation'];

/**
 * A burden within the horizon. Injections are boluses into a vein and doses under the skin. Visits are the days on which something is
 * given into a vein or irradiated. A day counts as on treatment when a block covers part of it, as much as it covers, or when a dose
 * is given on it. Days are counted from now, 24 hours each.
 */
export function burdenOf(burden: Burden, { regimens, blocks }: Given, horizonDays: number): number {
  const dosed = regimens
    .filter(({ amount }) => amount > 0)
    .map((regimen) => ({ regimen, hours: doseHours(regimen, horizonDays) }));
  const countOf = (isCounted: (regimen: Regimen) => boolean) =>
    sum(dosed.map(({ regimen, hours }) => (isCounted(regimen) ? hours.length : 0)));
  switch (burden) {
    case 'doses':
      return countOf(() => true);
    case 'injections':
      return countOf(({ route }) => route === 'iv-bolus' || route === 'subcutaneous');
    case 'amount':
      return sum(dosed.map(({ regimen, hours }) => regimen.amount * hours.length));
    case 'infusion-hours':
      return sum(
        dosed.flatMap(({ regimen: { route, durationHours }, hours }) =>
          route === 'iv-infusion' ? hours.map((hour) => Math.min(durationHours ?? 0, horizonDays * hoursPerDay - hour)) : [],
        ),
      );
    case 'visits':
      return new Set(dosed.flatMap(({ regimen, hours }) => (givenAtVisits.includes(regimen.route) ? hours.map(dayOf) : []))).size;
    case 'days-on-treatment': {
      const doseDays = [...new Set(dosed.flatMap(({ hours }) => hours.map(dayOf)))];
      const spans = [
        ...doseDays.map((day) => [day, Math.min(horizonDays, day + 1)] as const),
        ...blocks.map(({ startDay, stopDay }) => [startDay, Math.min(horizonDays, stopDay)] as const),
      ];
      return lengthOfUnion(spans);
    }
  }
  return burden satisfies never;
}

/** The most of one intervention that any 24 hours up to the horizon hold. */
export function mostInADay(regimens: readonly Regimen[], intervention: string, horizonDays: number): number {
  const doses = regimens
    .filter((regimen) => regimen.intervention === intervention)
    .flatMap((regimen) => doseHours(regimen, horizonDays).map((hour) => ({ hour, amount: regimen.amount })))
    .sort((a, b) => a.hour - b.hour);
  let most = 0;
  let within = 0;
  for (let first = 0, next = 0; first < doses.length; first++) {
    while (next < doses.length && doses[next]!.hour < doses[first]!.hour + hoursPerDay - 1e-9) within += doses[next++]!.amount;
    most = Math.max(most, within);
    within -= doses[first]!.amount;
  }
  return most;
}

/** Whether a plan gives none of some interventions, and of others no more than so much in any 24 hours. */
export function isWithin(
  { blocks, regimens = [] }: Pick<Plan, 'blocks' | 'regimens'>,
  excluded: readonly string[],
  maximumPerDay: Readonly<Record<string, number>>,
  horizonDays: number,
): boolean {
  const given = [...blocks, ...regimens.filter(({ amount }) => amount > 0)];
  return (
    !given.some(({ intervention }) => excluded.includes(intervention)) &&
    Object.entries(maximumPerDay).every(
      ([intervention, most]) => mostInADay(regimens, intervention, horizonDays) <= most * (1 + 1e-9),
    )
  );
}

const dayOf = (hour: number) => Math.floor(hour / hoursPerDay + 1e-9);

function lengthOfUnion(spans: readonly (readonly [from: number, to: number])[]): number {
  let total = 0;
  let reached = 0;
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0])) {
    total += Math.max(0, to - Math.max(from, reached));
    reached = Math.max(reached, to);
  }
  return total;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
