/** Courses of doses, spelled out dose by dose; and the person's clock, which knows no time zone and no summer time. */
import { AppError } from './errors.ts';
import { isIsoDate, type DoseCourse, type IsoMinute } from './record.ts';

export interface GivenDose {
  /** Number within its course, from 0. */
  readonly number: number;
  readonly at: IsoMinute;
  /** In the course's unit. */
  readonly amount: number;
}

export const hoursPerDay = 24;
const hourMs = 3_600_000;
/** A course that would come to more doses than this is a slip: a dose every minute for a month and a half. */
const mostDoses = 65_536;

export function isIsoMinute(text: string): boolean {
  return /^.{10}T([01]\d|2[0-3]):[0-5]\d$/.test(text) && isIsoDate(text.slice(0, 10));
}

/** Hours from `from` to `to`, negative if `to` is earlier. */
export function hoursBetween(from: IsoMinute, to: IsoMinute): number {
  return (instant(to) - instant(from)) / hourMs;
}

/** To the nearest minute. */
export function addHours(minute: IsoMinute, hours: number): IsoMinute {
  return new Date(instant(minute) + Math.round(hours * 60) * 60_000).toISOString().slice(0, 16);
}

// Read as UTC, so that every day has 24 hours.
function instant(minute: IsoMinute): number {
  return Date.parse(`${minute}:00Z`);
}

/**
 * The doses of a course up to and including a minute, in order of time: missed ones left out, others as they really were.
 *
 * @throws AppError `date_invalid`, `dose_invalid` naming the field, never its value.
 */
export function expandCourse(course: DoseCourse, until: IsoMinute): GivenDose[] {
  checkCourse(course);
  const { start, everyHours, count, amount, exceptions } = course;
  const due = hoursBetween(start, until);
  const byRhythm = everyHours === null ? 1 : Math.floor(due / everyHours + 1e-9) + 1;
  // A dose that was moved may lie before `until` though its turn comes after.
  const moved = Math.max(0, ...exceptions.map(({ number }) => number + 1));
  const most = Math.min(everyHours === null ? 1 : (count ?? Infinity), Math.max(byRhythm, moved));
  if (most > mostDoses) {
    throw new AppError('dose_invalid', `A course comes to more than ${mostDoses} doses. Check its interval and its start.`);
  }
  const doses: GivenDose[] = [];
  for (let number = 0; number < most; number++) {
    const own = exceptions.filter((exception) => exception.number === number);
    if (own.some(({ kind }) => kind === 'missed')) continue;
    const given = own.find((exception) => exception.kind === 'given-at');
    const other = own.find((exception) => exception.kind === 'amount');
    const at = given ? given.at : addHours(start, number * (everyHours ?? 0));
    if (hoursBetween(at, until) >= 0) doses.push({ number, at, amount: other ? other.amount : amount });
  }
  return doses.sort((a, b) => a.at.localeCompare(b.at));
}

function checkCourse({ start, amount, durationHours, everyHours, count, exceptions }: DoseCourse): void {
  const refuse = (what: string, expected: string) => {
    throw new AppError('dose_invalid', `${what}: expected ${expected}. Correct it, or remove the line.`);
  };
  const minutes = [start, ...exceptions.flatMap((exception) => (exception.kind === 'given-at' ? [exception.at] : []))];
  if (!minutes.every(isIsoMinute)) {
    throw new AppError('date_invalid', 'Time of a dose: expected a day and a time of day, YYYY-MM-DDTHH:MM.');
  }
  const amounts = [amount, ...exceptions.flatMap((exception) => (exception.kind === 'amount' ? [exception.amount] : []))];
  if (!amounts.every((one) => Number.isFinite(one) && one >= 0)) refuse('Amount of a dose', 'a number of 0 or more');
  if (durationHours !== null && !(durationHours > 0 && Number.isFinite(durationHours)))
    refuse('Infusion time', 'more than 0 hours');
  if (everyHours !== null && !(everyHours > 0 && Number.isFinite(everyHours))) refuse('Interval', 'more than 0 hours');
  if (count !== null && !(Number.isInteger(count) && count >= 1)) refuse('Number of doses', 'a whole number of at least 1');
  if (exceptions.some(({ number }) => !(Number.isInteger(number) && number >= 0))) {
    refuse('Exception', 'the number of a dose of its course');
  }
}
