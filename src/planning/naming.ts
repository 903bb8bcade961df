/** Plans in words, as candidates are called: "1,000 mg every 12 h", "Ursodiol from year 2 on". */
import { hoursPerDay } from '#domain/doses.ts';
import type { Plan, PlanBlock, Regimen } from '#domain/plan.ts';
import type { EquationsManifest, PackManifest } from '#packs/manifest.ts';
import { doseHours } from './doses-given.ts';
import { gridsOf, switchedInterventions } from './spaces.ts';

const daysPerUnit = { years: 365.25, weeks: 7, days: 1, hours: 1 / 24, minutes: 1 / 1440 } as const;
/** More spells than this are counted, not listed. */
const mostSpells = 4;

/** The doses of one intervention, in the order of time; a course of which one dose falls into the horizon is given once. */
export function dosesName(manifest: EquationsManifest, regimens: readonly Regimen[], horizonDays: number): string {
  const [first] = regimens;
  if (!first) return 'No doses';
  const unit = doseUnit(manifest, first.intervention);
  const drug =
    gridsOf(manifest).length > 1 ? `${manifest.interventions.find(({ id }) => id === first.intervention)!.label}: ` : '';
  const repeated = regimens.filter(
    (one) => one.everyHours !== null && (regimens.length > 1 || doseHours(one, horizonDays).length > 1),
  );
  const loading = regimens.find(({ everyHours }) => everyHours === null);
  const [course] = repeated;
  const overText = ({ durationHours }: Regimen) => (durationHours === null ? '' : ` over ${hoursText(durationHours)}`);
  if (!course) return `${drug}${amountText(first.amount)} ${unit}${overText(first)} once${laterText(first.startHour)}`;
  const amounts = repeated.map(({ amount }) => amountText(amount));
  const amount = amounts.every((one) => one === amounts[0]) ? amounts[0]! : amounts.join(', then ');
  const changes = amount === amounts[0] ? '' : `, changed every ${hoursText(repeated[1]!.startHour - course.startHour)}`;
  const before = loading ? `${amountText(loading.amount)} ${unit} first, then ` : '';
  return `${drug}${before}${amount} ${unit}${overText(course)} every ${hoursText(course.everyHours!)}${changes}${laterText((loading ?? course).startHour)}`;
}

/** Levers that are on or off. */
export function blocksName(manifest: PackManifest, { blocks }: Pick<Plan, 'blocks'>, horizonDays: number): string {
  const spoken = switchedInterventions(manifest).flatMap(({ id, label }) => {
    const own = blocks.filter(({ intervention }) => intervention === id).toSorted((a, b) => a.startDay - b.startDay);
    return own.length === 0 ? [] : [`${label} ${spellsText(manifest, own, horizonDays)}`];
  });
  return spoken.length === 0 ? 'None of the pack’s treatments' : spoken.join('; ');
}

function spellsText(manifest: PackManifest, spells: readonly PlanBlock[], horizonDays: number): string {
  const listed = spells.slice(0, mostSpells).map((spell) => spellText(manifest, spell, horizonDays));
  if (spells.length <= mostSpells) return listed.join(', ');
  const days = spells.reduce((sum, { startDay, stopDay }) => sum + Math.min(stopDay, horizonDays) - startDay, 0);
  return `${listed.join(', ')} and ${spells.length - mostSpells} more spells, ${numberText(days)} of ${numberText(horizonDays)} days in all`;
}

function spellText({ grid }: PackManifest, { startDay, stopDay }: PlanBlock, horizonDays: number): string {
  const at = (day: number) => `${grid.timeUnit.slice(0, -1)} ${numberText(day / daysPerUnit[grid.timeUnit])}`;
  const isToEnd = stopDay >= horizonDays * (1 - 1e-9);
  if (startDay <= 0) return isToEnd ? 'throughout' : `from now to ${at(stopDay)}`;
  return isToEnd ? `from ${at(startDay)} on` : `from ${at(startDay)} to ${at(stopDay)}`;
}

/** UCUM, of the input that takes the intervention. */
export function doseUnit({ models }: EquationsManifest, intervention: string): string {
  return models.flatMap(({ inputs = [] }) => inputs).find((input) => input.intervention === intervention)?.unit ?? '1';
}

function laterText(startHour: number): string {
  return startHour > 0 ? `, first in ${hoursText(startHour)}` : '';
}

function hoursText(hours: number): string {
  if (hours < 1) return `${numberText(hours * 60)} min`;
  if (hours > 2 * hoursPerDay && hours % hoursPerDay === 0) return `${numberText(hours / hoursPerDay)} days`;
  return `${numberText(hours)} h`;
}

const amountText = (amount: number) => numberText(amount, 6);

/** To three digits unless told otherwise, whole numbers in full, thousands with commas. */
function numberText(value: number, digits = 3): string {
  const rounded = Math.abs(value) >= 10 ** (digits - 1) ? Math.round(value) : Number(value.toPrecision(digits));
  return rounded.toLocaleString('en-GB', { maximumFractionDigits: 6 });
}
