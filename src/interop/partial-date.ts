/** Dates and times as records write them: precision is kept, nothing rolls over, nothing is invented. */
import type { PartialDate } from '#domain/record.ts';

export interface ReadDate {
  readonly date: PartialDate;
  /** `HH:MM` of the clock that the file was written by; null where it gives none. */
  readonly time: string | null;
  /** Milliseconds since 1970, where a time and a zone are given. */
  readonly instant: number | null;
}

// FHIR dateTime, date and instant; seconds may be missing, as several exporters leave them out.
const pattern =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s?(Z|z|[+-]\d{2}:?\d{2})?)?)?)?$/u;

/** A day, a time and a zone from `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or a date with a time; null for anything else, 30 February included. */
export function readDate(text: string): ReadDate | null {
  const parts = pattern.exec(text);
  if (!parts) return null;
  const [, year = '', month, day, hours, minutes, seconds, fraction, zone] = parts;
  if (Number(year) < 1) return null;
  if (month === undefined) return { date: year, time: null, instant: null };
  if (Number(month) < 1 || Number(month) > 12) return null;
  if (day === undefined) return { date: `${year}-${month}`, time: null, instant: null };
  if (Number(day) < 1 || Number(day) > daysInMonth(Number(year), Number(month))) return null;
  const date = `${year}-${month}-${day}`;
  if (hours === undefined || minutes === undefined) return { date, time: null, instant: null };
  // A leap second is written :60.
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds ?? 0) > 60) return null;
  const offset = zone === undefined ? null : zoneMinutes(zone);
  if (offset === undefined) return null;
  const time = `${hours}:${minutes}`;
  if (offset === null) return { date, time, instant: null };
  const milliseconds = Number((fraction ?? '').padEnd(3, '0').slice(0, 3));
  const clock = Date.parse(`${date}T${time}:00Z`) + Number(seconds ?? 0) * 1000 + milliseconds;
  return { date, time, instant: clock - offset * 60_000 };
}

/** Minutes east of Greenwich; undefined for an offset that no place has. */
function zoneMinutes(zone: string): number | undefined {
  if (zone === 'Z' || zone === 'z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(-2));
  if (hours > 14 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** True only where `a` lies before `b` whatever the parts that are missing: `1961` is not before `1961-04`. */
export function isSurelyBefore(a: PartialDate, b: PartialDate): boolean {
  const length = Math.min(a.length, b.length);
  return a.slice(0, length) < b.slice(0, length);
}

/** Whether it names a day and not only a month or a year. */
export function isWholeDay(date: PartialDate): boolean {
  return date.length === 10;
}

/** Whole years from the one to the other at the least. Each as precise as it is. */
export function leastYearsBetween(from: PartialDate, to: PartialDate): number {
  const years = Number(to.slice(0, 4)) - Number(from.slice(0, 4));
  return to.slice(4) < from.slice(4) || from.length !== to.length ? years - 1 : years;
}
