/**
 * Text of a cell to a number or a date, without guessing: what depends on a choice (decimal mark, order of day and month) is read only
 * under that choice, and what cannot be read says why.
 */
import type { ImportCode } from '../import-codes.ts';
import { daysInMonth, type ReadDate } from '../partial-date.ts';
import { monthNumber } from './header-words.ts';
import type { DateOrder, DecimalMark } from './mapping.ts';

/** Never a value, in any column; compared in lower case. */
const alwaysMissing = new Set(
  [
    ['', 'na', 'n/a', '#n/a', 'nan', 'null', '(null)', '\\n', 'none', 'nil', '.', '..', '-', '--', '–', '—', '?', '*'],
    ['missing', 'unknown', 'not done', 'not available', 'nd', 'n.d.', 'n.a.'],
    ['k.a.', 'k. a.', 'fehlt', 'unbekannt', 'entfällt', 'nicht bestimmt'],
    ['manquant', 'inconnu', 'non disponible', 'non fait'],
    ['onbekend', 'ontbreekt', 'niet bepaald'],
    ['desconocido', 'sin dato', 'no disponible', 'no realizado'],
  ].flat(),
);

export function isMissing(text: string, ofThisFile: ReadonlySet<string>): boolean {
  return text.length < 20 && (alwaysMissing.has(text.toLowerCase()) || ofThisFile.has(text));
}

/** Numbers that often stand for "no value": a person is asked. */
export function isAskedAbout(text: string): boolean {
  return /^-(?:9{1,5}|8{2,4}|7{2,4})(?:[.,]0+)?$/.test(text);
}

/** What a spreadsheet shows instead of a value. */
export function isErrorCell(text: string): boolean {
  return /^#(?:VALUE!|REF!|DIV\/0!|NUM!|NAME\?|NULL!|ERROR!|SPILL!|CALC!|WERT!|BEZUG!|ZAHL!|#+)$/i.test(text);
}

export interface CellNumber {
  readonly value: number;
  readonly comparator: '<' | '>' | null;
  /** A unit that stands in the same cell; empty without. */
  readonly unit: string;
}

const limitSigns: Readonly<Record<string, '<' | '>'>> = { '<': '<', '≤': '<', '<=': '<', '>': '>', '≥': '>', '>=': '>' };
const spaces = ' \\u00a0\\u2009\\u202f\\u2007';
const pointNumber = new RegExp(`^[+-]?(?:\\d+|\\d{1,3}(?:,\\d{3})+|\\d{1,3}(?:['’${spaces}]\\d{3})+)?(?:\\.\\d+)?$`);
const commaNumber = new RegExp(`^[+-]?(?:\\d+|\\d{1,3}(?:\\.\\d{3})+|\\d{1,3}(?:['’${spaces}]\\d{3})+)?(?:,\\d+)?$`);
const plainNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?$/i;
const wholeNumber = /^[+-]?\d+$/;
const isAmbiguous = /^[+-]?[1-9]\d{0,2}(?:[.,]\d{3})+$/;

/** The sign in front of a limit, or null. `~5` and `ca. 5` are no numbers. */
export function comparatorOf(text: string): '<' | '>' | null {
  return limitSigns[text.trim()] ?? null;
}

/**
 * `mark` null: what holds a comma, or looks like thousands either way, stays unread (`decimal_comma`). A number that contradicts the mark
 * is no number: 1.1 in a column of decimal commas is never 11.
 */
export function readNumber(received: string, mark: DecimalMark | null): CellNumber | ImportCode {
  let text = received.trim();
  let comparator: '<' | '>' | null = null;
  const sign = /^(?:<=|>=|[<>≤≥])/.exec(text);
  if (sign) {
    comparator = limitSigns[sign[0]];
    text = text.slice(sign[0].length).trimStart();
  }
  let unit = '';
  const first = text.charCodeAt(text.length - 1);
  if (first < 48 || first > 57) {
    // A unit behind the number, `5.4 mmol/L`, or a percent sign.
    const split = /^([+-]?[\d.,'’\u00a0\u2009\u202f]*\d)\s*([^\d\s.,].*)$/.exec(text);
    if (split) [, text, unit] = split;
  }
  text = text.replace(/^−/, '-');
  const value = numberIn(text, mark);
  return typeof value === 'number' ? { value, comparator, unit } : value;
}

function numberIn(text: string, mark: DecimalMark | null): number | ImportCode {
  if (wholeNumber.test(text)) return finite(Number(text));
  if (mark === null) {
    if (text.includes(',') || isAmbiguous.test(text))
      return /\d/.test(text) && /^[\d.,+\-'’\s]+$/.test(text) ? 'decimal_comma' : 'value_not_a_number';
    return plainNumber.test(text) ? finite(Number(text)) : 'value_not_a_number';
  }
  if (mark === '.') {
    if (plainNumber.test(text)) return finite(Number(text));
    if (!/\d/.test(text) || !pointNumber.test(text)) return 'value_not_a_number';
    return finite(Number(text.replace(/[^\d.+-]/g, '')));
  }
  if (/^[+-]?\d+(?:,\d+)?e[+-]?\d{1,3}$/i.test(text)) return finite(Number(text.replace(',', '.')));
  if (!/\d/.test(text) || !commaNumber.test(text)) return 'value_not_a_number';
  return finite(Number(text.replace(/[^\d,+-]/g, '').replace(',', '.')));
}

function finite(value: number): number | ImportCode {
  return Number.isFinite(value) ? value : 'number_overflow';
}

/**
 * What one cell says about the decimal mark of its column: `1,5` and `1.5` are proof, `1,234` and `1.234` may be thousands too. Null: no
 * number, or nothing about it.
 */
export function markEvidence(received: string): 'comma' | 'point' | 'maybeComma' | 'maybePoint' | null {
  const text = received
    .trim()
    .replace(/^(?:<=|>=|[<>≤≥])\s*/, '')
    .replace(/^[+-]/, '');
  if (!/^\d[\d.,]*$/.test(text) || /^\d+$/.test(text)) return null;
  const lastComma = text.lastIndexOf(',');
  const lastPoint = text.lastIndexOf('.');
  if (lastComma >= 0 && lastPoint >= 0) {
    if (commaNumber.test(text)) return 'comma';
    return pointNumber.test(text) ? 'point' : null;
  }
  if (isAmbiguous.test(text)) {
    // 1,234,567 has thousands only.
    if (text.indexOf(',') !== lastComma) return 'point';
    if (text.indexOf('.') !== lastPoint) return 'comma';
    return lastComma >= 0 ? 'maybeComma' : 'maybePoint';
  }
  if (lastComma >= 0) return commaNumber.test(text) ? 'comma' : null;
  return pointNumber.test(text) ? 'point' : null;
}

const isoLike = /^(\d{4})(?:([-/.])(\d{1,2})(?:\2(\d{1,2})(?:[T ]+(.+))?)?)?$/;
const compact = /^(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2})(\d{2})(\d{2})?)?$/;
const dayFirst = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?:[T ,]+(.+))?$/;
const monthYear = /^(\d{1,2})[-/.](\d{4})$/;
const twoDigitYear = /^(\d{1,2})[-/.](\d{1,2})[-/.](\d{2})(?:\s.*)?$/;
const dayName = /^(\d{1,2})[-\s.]{0,2}([\p{L}]{3,10})\.?[-\s,]{0,2}(\d{4})(?:[T\s:,]+(.+))?$/u;
const nameDay = /^([\p{L}]{3,10})\.?\s+(\d{1,2}),?\s+(\d{4})(?:[\s,]+(.+))?$/u;
const clock =
  /^(\d{1,2})[:.hH](\d{2})(?:[:.](\d{2})(?:[.,]\d+)?)?\s*([ap])?\.?\s*(?:m\.?)?\s*(?:uhr)?\s*(z|utc|[+-]\d{2}:?\d{2}|[+-]\d{2})?$/i;

/** What one cell says about the order of day and month in its column. */
export function orderEvidence(received: string): 'dmy' | 'mdy' | 'either' | null {
  const found = dayFirst.exec(received.trim());
  // Nobody writes the month first with dots.
  if (!found || found[2] === '.') return null;
  const [a, b] = [Number(found[1]), Number(found[3])];
  if (a > 12 && a <= 31 && b <= 12) return 'dmy';
  if (b > 12 && b <= 31 && a <= 12) return 'mdy';
  return a >= 1 && a <= 12 && b >= 1 && b <= 12 ? 'either' : null;
}

export function looksLikeDate(text: string): boolean {
  if (text.length < 6 || text.length > 40) return false;
  const first = text.charCodeAt(0);
  if (first >= 48 && first <= 57) {
    if (/^\d+$/.test(text))
      return (text.length === 8 || text.length === 12 || text.length === 14) && typeof readDate(text, 'dmy') === 'object';
    return typeof readDate(text, 'dmy') === 'object' || typeof readDate(text, 'mdy') === 'object' || twoDigitYear.test(text);
  }
  return nameDay.test(text) && typeof readDate(text, null) === 'object';
}

export function readDate(received: string, order: DateOrder | null): ReadDate | ImportCode {
  const text = received.trim();
  let found = isoLike.exec(text);
  // 2161-8 is a LOINC code and no month.
  if (found && !(found[3]?.length === 1 && found[4] === undefined)) return build(found[1], found[3], found[4], found[5]);
  found = compact.exec(text);
  if (found) {
    const time = found[4] === undefined ? undefined : `${found[4]}:${found[5]}:${found[6] ?? '00'}`;
    return build(found[1], found[2], found[3], time);
  }
  found = dayFirst.exec(text);
  if (found) {
    const [, first, separator, second, year, time] = found;
    const evident = separator === '.' ? 'dmy' : order;
    if (evident === null) return 'date_order_ambiguous';
    return evident === 'dmy' ? build(year, second, first, time) : build(year, first, second, time);
  }
  found = monthYear.exec(text);
  if (found) return build(found[2], found[1], undefined, undefined);
  if (twoDigitYear.test(text)) return 'date_order_ambiguous';
  found = dayName.exec(text);
  if (found) return build(found[3], monthNumber(found[2]), found[1], found[4]);
  found = nameDay.exec(text);
  if (found) return build(found[3], monthNumber(found[1]), found[2], found[4]);
  return 'date_impossible';
}

function build(
  year: string,
  month: string | undefined,
  day: string | undefined,
  time: string | undefined,
): ReadDate | ImportCode {
  if (month === undefined) return { date: year, time: null, instant: null };
  const m = month.padStart(2, '0');
  if (!(Number(m) >= 1 && Number(m) <= 12)) return 'date_impossible';
  if (day === undefined) return { date: `${year}-${m}`, time: null, instant: null };
  const d = day.padStart(2, '0');
  if (Number(year) < 1 || Number(d) < 1 || Number(d) > daysInMonth(Number(year), Number(m))) return 'date_impossible';
  const date = `${year}-${m}-${d}`;
  if (time === undefined) return { date, time: null, instant: null };
  const read = readTime(time);
  if (read === null) return 'date_impossible';
  return { date, time: read.time, instant: instantOf(date, read) };
}

export interface CellTime {
  /** `HH:MM`. */
  readonly time: string;
  readonly seconds: number;
  /** Minutes east of UTC; null where the file gives no zone. */
  readonly zone: number | null;
}

/** `14:05`, `2:05 PM`, `14:05:30+01:00`; null if it is no time of day. */
export function readTime(received: string): CellTime | null {
  const found = clock.exec(received.trim());
  if (!found) return null;
  let hour = Number(found[1]);
  const minute = Number(found[2]);
  const seconds = Number(found[3] ?? 0);
  const half = found[4]?.toLowerCase();
  if (half) {
    if (hour < 1 || hour > 12) return null;
    hour = (hour % 12) + (half === 'p' ? 12 : 0);
  }
  if (hour > 23 || minute > 59 || seconds > 60) return null;
  const zone = found[5] === undefined ? null : zoneMinutes(found[5]);
  if (zone !== null && Math.abs(zone) > 14 * 60) return null;
  return { time: `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`, seconds, zone };
}

function zoneMinutes(text: string): number {
  if (!/^[+-]/.test(text)) return 0;
  const digits = text.slice(1).replace(':', '');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2) || 0);
  return text.startsWith('-') ? -minutes : minutes;
}

/** Milliseconds since 1970 of a day and a time with a zone; null without a zone. */
export function instantOf(date: string, { time, seconds, zone }: CellTime): number | null {
  if (zone === null) return null;
  return Date.parse(`${date}T${time}:00Z`) + seconds * 1000 - zone * 60_000;
}
