/** From typed courses of doses to doses of the record, or to what is wrong with them and where. */
import { addHours, expandCourse, hoursBetween, isIsoMinute } from '#domain/doses.ts';
import type { DoseCourse, DoseException, IsoDate, IsoMinute } from '#domain/record.ts';
import { dosedInterventions, routeWords } from './dosed.ts';
import type { Dosed } from './dosed.ts';
import { readQuantity } from './read-number.ts';
import { place } from './issues.ts';
import type { Issue, Place } from './issues.ts';
import type { DraftCourse, DraftException } from './record-draft.ts';
import { hoursText, readHours } from './read-time.ts';
import type { PackManifest } from '#packs/manifest.ts';
import { unitMeant, unitText } from './units.ts';

export interface DoseContext {
  readonly manifest: PackManifest;
  readonly now: IsoMinute;
  /** By the age in the record; null where that is not known. */
  readonly born: IsoDate | null;
  /** Of an event that ends the record. */
  readonly ended: IsoDate | null;
}

/** More doses than anybody was given: the interval is a slip. */
export const mostDoses = 5000;
const amountOf = (text: string) => (/^\s*[+]?\d/.test(text) ? readQuantity(text) : null);

/** Every course that can be read, and what is wrong with the others. A course with an issue is never among the doses. */
export function checkCourses(
  courses: readonly DraftCourse[],
  context: DoseContext,
): { readonly issues: readonly Issue[]; readonly doses: readonly DoseCourse[] } {
  const issues: Issue[] = [];
  const doses: DoseCourse[] = [];
  for (const typed of courses) {
    const before = issues.length;
    const course = readCourse(typed, context, issues);
    if (course && issues.length === before) doses.push(course);
  }
  issues.push(...duplicates(doses, context.now));
  return { issues, doses };
}

function readCourse(typed: DraftCourse, { manifest, now, born, ended }: DoseContext, issues: Issue[]): DoseCourse | null {
  const at = place.course(typed.id);
  const refuse = (code: Issue['code'], message: string) => refused(issues, at, code, message);
  const dosed = dosedInterventions(manifest);
  const drug = dosed.find(({ intervention }) => intervention.id === typed.intervention);
  if (typed.intervention === '') return refuse('dose_invalid', 'Choose what was given, or remove the line.');
  // Of another pack: its name and units are not known here, but numbers and times are checked all the same.
  const name = drug?.intervention.label ?? typed.intervention;

  const amount = amountOf(typed.amount);
  if (!amount || amount.value <= 0) {
    return refuse(
      'dose_invalid',
      `${name}: the amount of a dose is a number above zero, like 500. A dose of nothing is a missed dose.`,
    );
  }
  const unit = amount.unit === '' ? typed.unit : unitMeant(amount.unit, drug?.units ?? [typed.unit]);
  if (unit === null || (drug && !drug.units.includes(unit))) {
    const expected = drug?.units.map(unitText).join(' or ') ?? unitText(typed.unit);
    return refuse('unit_unknown', `${name}: “${amount.unit || typed.unit}” is not a unit of this dose. Expected ${expected}.`);
  }
  if (drug && !drug.routes.includes(typed.route)) {
    const expected = drug.routes.map((route) => routeWords[route].label).join(' or ');
    return refuse('dose_invalid', `${name} ${routeWords[typed.route].label}: this pack does not know it. Expected ${expected}.`);
  }

  const isInfused = typed.route === 'iv-infusion';
  // A pump gives under the skin over hours; elsewhere a duration is left empty.
  const duration = isInfused || typed.duration.trim() !== '' ? readHours(typed.duration) : null;
  if ((isInfused || typed.duration.trim() !== '') && (duration === null || duration <= 0))
    return refuse('dose_invalid', `${name}: an infusion lasts longer than no time. Write how long, like 1 h or 90 min.`);
  const every = typed.every.trim() === '' ? null : readHours(typed.every);
  if (typed.every.trim() !== '' && (every === null || every <= 0))
    return refuse('dose_invalid', `${name}: the time between doses is like 12 h or 2 weeks. Leave it empty for a single dose.`);
  if (duration !== null && every !== null && duration > every)
    return refuse(
      'dose_invalid',
      `${name}: each infusion of ${hoursText(duration)} would run into the next, ${hoursText(every)} later.`,
    );
  const count = typed.count.trim() === '' ? null : Number(typed.count);
  if (count !== null && (!Number.isInteger(count) || count < 1 || count > mostDoses))
    return refuse('dose_invalid', `${name}: the number of doses is a whole number from 1 on. Leave it empty while it goes on.`);
  if (every === null && count !== null && count > 1)
    return refuse('dose_invalid', `${name}: ${count} doses need the time between them, like 12 h.`);

  if (!isIsoMinute(typed.start))
    return refuse('date_invalid', `${name}: the day and the clock time of the first dose are needed.`);
  if (typed.start > now)
    return refuse('date_in_future', `${name}: the first dose is in the future. What has yet to be given belongs in a plan.`);
  if (born !== null && typed.start.slice(0, 10) < born) {
    return refuse(
      'dose_before_birth',
      `${name}: by the age in this record, these doses would have been given before birth. Correct the date or the age.`,
    );
  }
  if (ended !== null && typed.start.slice(0, 10) > ended)
    return refuse('dose_invalid', `${name}: a final event is recorded before these doses. Correct one of the two dates.`);
  if (every !== null && hoursBetween(typed.start, now) / every > mostDoses)
    return refuse(
      'dose_invalid',
      `${name}: one dose each ${hoursText(every)} since then is more than ${mostDoses}. Correct the interval.`,
    );

  const exceptions = typed.exceptions.map((one) =>
    readException(one, { name, at: place.dose(typed.id, one.number), now }, issues),
  );
  if (drug && !typed.isConfirmed) confirmLarge(drug, amount.value, unit, manifest, at, issues);
  return {
    id: typed.id,
    intervention: typed.intervention,
    amount: amount.value,
    unit,
    route: typed.route,
    durationHours: duration,
    start: typed.start,
    everyHours: every,
    count: every === null ? 1 : count,
    exceptions: exceptions.filter((one) => one !== null),
  };
}

function readException(
  typed: DraftException,
  { name, at, now }: { readonly name: string; readonly at: Place; readonly now: IsoMinute },
  issues: Issue[],
): DoseException | null {
  const { number } = typed;
  const refuse = (code: Issue['code'], message: string) => refused(issues, at, code, message);
  const where = `${name}, dose ${number + 1}`;
  if (typed.kind === 'missed') return { number, kind: 'missed' };
  if (typed.kind === 'given-at') {
    if (!isIsoMinute(typed.at)) return refuse('date_invalid', `${where}: when was it given? A day and a clock time are needed.`);
    if (typed.at > now)
      return refuse('date_in_future', `${where}: this is in the future. Only what was given belongs in a record.`);
    return { number, kind: 'given-at', at: typed.at };
  }
  const amount = amountOf(typed.amount);
  if (!amount || amount.value <= 0 || amount.unit !== '') {
    return refuse(
      'dose_invalid',
      `${where}: the amount given is a number above zero, in the unit of the line. A dose of nothing is a missed dose.`,
    );
  }
  return { number, kind: 'amount', amount: amount.value };
}

function confirmLarge(
  { intervention, unit: own }: Dosed,
  amount: number,
  unit: string,
  manifest: PackManifest,
  at: Place,
  issues: Issue[],
): void {
  const grid = manifest.kind === 'equations' ? manifest.doseGrids.find((one) => one.intervention === intervention.id) : undefined;
  if (!grid || unit !== own || amount <= grid.maximumDose) return;
  issues.push({
    at,
    code: 'value_implausible',
    message: `${intervention.label}: unusual, this pack knows single doses up to ${grid.maximumDose} ${unitText(own)}. Check the amount and the unit; if both are right, confirm it.`,
    kind: 'confirm',
  });
}

function refused(issues: Issue[], at: Place, code: Issue['code'], message: string): null {
  issues.push({ at, code, message, kind: 'refused' });
  return null;
}

export interface DueDose {
  /** From 0, as exceptions name it. */
  readonly number: number;
  readonly due: IsoMinute;
}

/** The doses of a course that were due until a minute, whatever was made of them. */
export function dueDoses(
  { start, everyHours, count }: Pick<DoseCourse, 'start' | 'everyHours' | 'count'>,
  until: IsoMinute,
): readonly DueDose[] {
  const most =
    everyHours === null ? 1 : Math.min(count ?? Infinity, Math.floor(hoursBetween(start, until) / everyHours + 1e-6) + 1);
  return Array.from({ length: start <= until ? most : 0 }, (_, number) => ({
    number,
    due: addHours(start, number * (everyHours ?? 0)),
  }));
}

/** Two doses of one thing by one route at one minute: probably entered twice. */
function duplicates(courses: readonly DoseCourse[], now: IsoMinute): Issue[] {
  const taken = new Map<string, string>();
  return courses.flatMap((course) =>
    expandCourse(course, now).flatMap(({ number, at }): Issue[] => {
      const key = `${course.intervention} ${course.route} ${at}`;
      const other = taken.get(key);
      taken.set(key, course.id);
      if (other === undefined) return [];
      return [
        {
          at: course.exceptions.some((one) => one.number === number) ? place.dose(course.id, number) : place.course(course.id),
          code: 'dose_duplicate',
          message: `Dose ${number + 1}: another dose of the same is recorded at the same minute in ${other === course.id ? 'this' : 'another'} line. Correct a time, or enter one dose of the sum.`,
          kind: 'refused',
        },
      ];
    }),
  );
}
