/** Clock times, days and lengths of time as people type them. */
import { hoursBetween } from '#domain/doses.ts';
import { addDays, daysBetween, isIsoDate } from '#domain/record.ts';
import type { IsoDate, IsoMinute } from '#domain/record.ts';

const hoursPer: Readonly<Record<string, number>> = { m: 1 / 60, h: 1, d: 24, w: 168 };

/** "12", "12 h", "90 min", "8 weeks", "2 d" → hours; null for what is none. A bare number is hours. */
export function readHours(typed: string): number | null {
  const match = /^([+\-−]?\d+(?:[.,]\d+)?)\s*(m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?)?\.?$/i.exec(typed.trim());
  if (!match) return null;
  const value = Number(match[1]!.replace(',', '.').replace('−', '-'));
  // 1 min is 1/60 h in binary: sixty of them must be an hour again.
  return Math.round(value * hoursPer[(match[2] ?? 'h')[0]!.toLowerCase()]! * 1e9) / 1e9;
}

/** Hours as they are said: "90 min", "12 h", "8 weeks". */
export function hoursText(hours: number): string {
  if (hours > 0 && hours < 2 && hours !== 1) return `${Number((hours * 60).toPrecision(6))} min`;
  if (hours >= 168 && hours % 168 === 0) return hours === 168 ? '1 week' : `${hours / 168} weeks`;
  if (hours > 48 && hours % 24 === 0) return `${hours / 24} days`;
  return `${Number(hours.toPrecision(6))} h`;
}

/** "8:00", "08.30", "0830", "8" → `HH:MM`; null for what is no time of day. */
export function readClock(typed: string): string | null {
  const match = /^(\d{1,2})(?:[:.h](\d{2}))?$/.exec(typed.trim()) ?? /^(\d{2})(\d{2})$/.exec(typed.trim());
  if (!match) return null;
  const [hour, minute] = [Number(match[1]), Number(match[2] ?? 0)];
  return hour < 24 && minute < 60 ? `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}` : null;
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/**
 * "2026-11-20", "20.11.", "20.11.2026", "20 Nov", "today", "yesterday" → a day; without a year the last one that was. Null for
 * what is none; a slash is refused where two countries read it differently.
 */
export function readDay(typed: string, today: IsoDate): IsoDate | null {
  const text = typed.trim().toLowerCase();
  if (text === 'today') return today;
  if (text === 'yesterday') return addDays(today, -1);
  if (isIsoDate(text)) return text;
  const dotted = /^(\d{1,2})([./])(\d{1,2})\.?(?:\2?(\d{4}))?$/.exec(text);
  const named = /^(\d{1,2})\.?\s*([a-z]{3})[a-z]*\.?(?:\s*(\d{4}))?$/.exec(text);
  const day = Number((dotted ?? named)?.[1]);
  const month = dotted ? Number(dotted[3]) : named ? months.indexOf(named[2]!) + 1 : 0;
  if (!day || !month || (dotted?.[2] === '/' && day <= 12 && month <= 12 && day !== month)) return null;
  const year = dotted?.[4] ?? named?.[3];
  const on = (year: number) => `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
  const thisYear = Number(today.slice(0, 4));
  const date = year ? on(Number(year)) : on(thisYear) <= today ? on(thisYear) : on(thisYear - 1);
  return isIsoDate(date) ? date : null;
}

/** Days from now: by the clock where a time was typed, else by the day, so that today's value lies at 0. */
export function dayOf(date: IsoDate, time: string, now: IsoMinute): number {
  const clock = readClock(time);
  return clock ? hoursBetween(now, `${date}T${clock}`) / 24 : daysBetween(now.slice(0, 10), date);
}
