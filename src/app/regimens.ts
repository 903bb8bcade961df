/** Regimens of plans: what goes on of the record, what a new one starts as, and how they are said. */
import { AppError } from '#domain/errors.ts';
import type { Regimen } from '#domain/plan.ts';
import type { IsoMinute, PatientRecord } from '#domain/record.ts';
import { middleRegimen, sizeFor } from '#planning/listed-doses.ts';
import { bodySize, readPerson, type Person } from '#twin/equations/person.ts';
import type { EquationsManifest, PackManifest } from '#packs/manifest.ts';
import { dosedInterventions, routeWords } from './dosed.ts';
import { hoursText } from './read-time.ts';
import { unitText } from './units.ts';

/** Courses of the record that go on after `now`: what usual care gives. None where the record cannot be read; the run says why. */
export function continuingRegimens(manifest: PackManifest, record: PatientRecord, now: IsoMinute): readonly Regimen[] {
  return manifest.kind === 'equations' ? (personOf(manifest, record, now)?.continuing ?? []) : [];
}

/** Null where the pack cannot read the record. */
function personOf(manifest: EquationsManifest, record: PatientRecord, now: IsoMinute): Person | null {
  try {
    return readPerson(manifest, record, now);
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

/** Something to begin with: the middle of the pack's grid, else one unit once. The choice says nothing of merit. */
export function newRegimen(manifest: PackManifest, intervention: string, record: PatientRecord, now: IsoMinute): Regimen {
  const grid = manifest.kind === 'equations' && manifest.doseGrids.find((one) => one.intervention === intervention);
  if (grid) {
    const person = personOf(manifest, record, now);
    return middleRegimen(grid, (person && sizeFor(grid.per, bodySize(person))) ?? 1);
  }
  const route = dosedInterventions(manifest).find((one) => one.intervention.id === intervention)?.routes[0] ?? 'oral';
  const durationHours = route === 'iv-infusion' ? 1 : null;
  return { intervention, amount: 1, route, durationHours, startHour: 0, everyHours: null, count: 1 };
}

/** "1000 mg IV over 1 h every 12 h", with "6 doses" and "first in 24 h" behind it where they apply. */
export function regimenText(regimen: Regimen, manifest: PackManifest): string {
  const { amount, route, durationHours, startHour, everyHours, count } = regimen;
  const often = everyHours === null ? 'once' : `every ${hoursText(everyHours)}`;
  const over = durationHours === null ? '' : ` over ${hoursText(durationHours)}`;
  const many = everyHours === null || count === null ? '' : `, ${count} ${count === 1 ? 'dose' : 'doses'}`;
  return `${amountText(amount)} ${unitOf(regimen, manifest)} ${routeWords[route].short}${over} ${often}${many}${startHour > 0 ? `, first in ${hoursText(startHour)}` : ''}`;
}

/** For inside a block: "1000 mg q12h". */
export function shortRegimenText({ amount, everyHours, ...regimen }: Regimen, manifest: PackManifest): string {
  const often = everyHours === null ? '' : ` q${hoursText(everyHours).replace(' ', '')}`;
  return `${amountText(amount)} ${unitOf(regimen, manifest)}${often}`;
}

/** All of a plan or a candidate in one line, the loading dose first. */
export function regimensText(regimens: readonly Regimen[], manifest: PackManifest): string {
  return regimens.length === 0 ? 'nothing' : regimens.map((one) => regimenText(one, manifest)).join(', then ');
}

const amountText = (amount: number) => String(Number(amount.toPrecision(6)));

function unitOf({ intervention }: Pick<Regimen, 'intervention'>, manifest: PackManifest): string {
  return unitText(dosedInterventions(manifest).find((one) => one.intervention.id === intervention)?.unit ?? '');
}
