/** What a column of a table can be, in words, in the order in which a person looks for it. */
import type { ColumnRole, Delimiter, Encoding } from '#interop/tables/mapping.ts';

export const columnRoles: readonly (readonly [kind: ColumnRole['kind'], label: string])[] = [
  ['ignore', 'left out'],
  ['patient', 'who (number of the person)'],
  ['name', 'name of the person'],
  ['sex', 'sex'],
  ['birth-date', 'date of birth'],
  ['age', 'age'],
  ['date', 'date of the values'],
  ['time', 'time of day'],
  ['analyte', 'name of the measurement'],
  ['code', 'LOINC code of the measurement'],
  ['value', 'value'],
  ['unit', 'unit'],
  ['comparator', '< or > of the value'],
  ['specimen', 'what was sampled (blood, urine …)'],
  ['quantity', 'values of one measurement'],
  ['fact', 'a fact of the person'],
];

/** A column that was given another meaning starts with nothing else said. */
export function roleOf(kind: ColumnRole['kind']): ColumnRole {
  if (kind === 'date' || kind === 'birth-date') return { kind, order: null };
  if (kind === 'quantity') return { kind, analyte: null, unit: '' };
  return { kind };
}

export const delimiterWords: readonly (readonly [Delimiter, string])[] = [
  [',', 'comma'],
  [';', 'semicolon'],
  ['\t', 'tab'],
  ['|', 'bar'],
];

export const encodingWords: readonly (readonly [Encoding, string])[] = [
  ['utf-8', 'UTF-8'],
  ['windows-1252', 'Western (Windows)'],
  ['utf-16le', 'UTF-16'],
  ['utf-16be', 'UTF-16, big end first'],
];

/** What is known of the measurements that a long table names, in one sentence. */
export function countSentence({
  open,
  code,
  name,
}: {
  readonly open: number;
  readonly code: number;
  readonly name: number;
}): string {
  const known = [code > 0 && `${code.toLocaleString()} by code`, name > 0 && `${name.toLocaleString()} by name`]
    .filter(Boolean)
    .join(' and ');
  if (open === 0) return `All are recognised: ${known}.`;
  const what = `${open.toLocaleString()} ${open === 1 ? 'is' : 'are'} not recognised, or without a unit: ${open === 1 ? 'it comes' : 'they come'} first`;
  return known === '' ? `${what}.` : `${what}. The others are recognised: ${known}.`;
}
