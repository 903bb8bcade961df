/** A mapping from headers and contents, and the questions that only a person can answer. */
import { analyteById, needsUnit } from '../analytes.ts';
import { shortened } from '../clean-text.ts';
import type { TableName, TableQuestion } from '../protocol.ts';
import { looksLikeDate } from './cells.ts';
import type { ColumnEvidence } from './evidence.ts';
import { plainWords, roleOfHeader } from './header-words.ts';
import type { ColumnRole, DateOrder, DecimalMark, NameMapping, TableMapping, TableReading } from './mapping.ts';
import { analyteNamed, quantityOfHeader } from './quantity-header.ts';

/** Names that would be parts of every object; such a column is never read. */
export function isForbiddenHeader(header: string): boolean {
  return header === '__proto__' || header in Object.prototype || header === 'prototype';
}

const single: ReadonlySet<ColumnRole['kind']> = new Set([
  'patient',
  'birth-date',
  'date',
  'time',
  'sex',
  'age',
  'analyte',
  'code',
  'value',
  'unit',
  'comparator',
  'specimen',
]);

const ofLongTables: ReadonlySet<ColumnRole['kind']> = new Set(['analyte', 'code', 'value', 'unit', 'comparator', 'specimen']);

/** What each column seems to be, from its header and a first look at its cells. */
export function suggestColumns(headers: readonly string[], evidence: readonly ColumnEvidence[]): readonly ColumnRole[] {
  const doubled = doubledHeaders(headers);
  const taken = new Set<ColumnRole['kind']>();
  const words = headers.map((header) => (isForbiddenHeader(header) || doubled.has(plainWords(header)) ? null : wordRole(header)));
  if (!words.includes('analyte')) {
    // `name` heads people in one table and measurements in another: its cells say which.
    const named = words.findIndex((kind, index) => kind === 'name' && namesMeasurements(evidence[index]));
    if (named >= 0) words[named] = 'analyte';
  }
  const value = bestValue(words, evidence);
  const date = bestDate(words, headers);
  const isLong = words.includes('value') && (words.includes('analyte') || words.includes('code') || evidence.some(isLoincColumn));
  return headers.map((header, index): ColumnRole => {
    const cells = evidence[index];
    if (isForbiddenHeader(header) || doubled.has(plainWords(header))) return { kind: 'ignore' };
    let kind = words[index];
    if (kind === 'time' && isDateColumn(cells)) kind = 'date';
    if (kind === 'date' && cells.values > 0 && cells.dates === 0) kind = null;
    if ((kind === 'code' || kind === 'analyte') && isLoincColumn(cells)) kind = 'code';
    else if (kind === 'code') kind = words.includes('analyte') ? 'ignore' : 'analyte';
    // Words of long tables are ordinary words in wide ones: `status`, `level`.
    if (!isLong && kind !== null && ofLongTables.has(kind)) kind = null;
    if (kind === null && isLong && isLoincColumn(cells)) kind = 'code';
    if (kind === null && isDateColumn(cells) && !words.includes('date')) kind = 'date';
    if ((kind === 'value' && index !== value) || (kind === 'date' && date >= 0 && index !== date)) return { kind: 'ignore' };
    if (kind !== null && single.has(kind)) {
      if (taken.has(kind)) return { kind: 'ignore' };
      taken.add(kind);
    }
    if (kind === 'date' || kind === 'birth-date') return { kind, order: orderOf(cells) };
    if (kind !== null) return { kind };
    return isLong ? { kind: 'ignore' } : quantityOrFact(header, cells);
  });
}

function namesMeasurements({ distinct }: ColumnEvidence): boolean {
  const names = [...(distinct?.keys() ?? [])];
  return names.length > 0 && names.filter((name) => analyteNamed(name) !== null).length >= names.length / 3;
}

/** Where one column has the result as text and one its bare number, the text: only it tells `<5` from 5. -1 without any. */
function bestValue(words: readonly (ColumnRole['kind'] | null)[], evidence: readonly ColumnEvidence[]): number {
  const values = words.flatMap((kind, index) => (kind === 'value' ? [index] : []));
  return values.find((index) => evidence[index].limits > 0) ?? values[0] ?? -1;
}

/** Of several dates the one on which it was sampled or measured; a date of the order or of the report is another day. */
function bestDate(words: readonly (ColumnRole['kind'] | null)[], headers: readonly string[]): number {
  const dates = words.flatMap((kind, index) => (kind === 'date' ? [index] : []));
  return dates.find((index) => ofSampling.test(plainWords(headers[index]))) ?? dates[0] ?? -1;
}

const ofSampling =
  /collect|sampl|draw|specimen|measured|taken|effective|chart|entnahme|abnahme|proben|preleve|afname|prik|monster|toma|muestra|extraccion|prelievo|provtag/;

function wordRole(header: string): ReturnType<typeof roleOfHeader> {
  return roleOfHeader(header) ?? roleOfHeader(header.replace(/[([].*$/, ''));
}

function quantityOrFact(header: string, cells: ColumnEvidence): ColumnRole {
  const { analyte, unit } = quantityOfHeader(header);
  if (analyte) return { kind: 'quantity', analyte: analyte.id, unit };
  // Two numbers in a cell are measurements, too: kept as received, where a fact of the person would be kept once.
  if (cells.pairs > cells.values / 2) return { kind: 'quantity', analyte: null, unit };
  if (cells.numbers > cells.values / 2 && cells.dates < cells.values / 2) return { kind: 'quantity', analyte: null, unit };
  return cells.distinct && cells.filled > 0 && cells.distinct.size <= 50 && !/^column \d+$/.test(header)
    ? { kind: 'fact' }
    : { kind: 'ignore' };
}

function isLoincColumn(cells: ColumnEvidence): boolean {
  return cells.loinc > 0 && cells.loinc >= cells.values * 0.5 && cells.dates < cells.values * 0.5;
}

function isDateColumn(cells: ColumnEvidence): boolean {
  return cells.dates > 0 && cells.dates >= cells.values * 0.8;
}

/** One order for a column: what a single cell proves and none contradicts. */
function orderOf({ orders }: ColumnEvidence): DateOrder | null {
  if (orders.dmy > 0 && orders.mdy === 0) return 'dmy';
  return orders.mdy > 0 && orders.dmy === 0 ? 'mdy' : null;
}

function doubledHeaders(headers: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const doubled = new Set<string>();
  for (const header of headers) {
    const plain = plainWords(header);
    if (plain !== '' && seen.has(plain)) doubled.add(plain);
    seen.add(plain);
  }
  return doubled;
}

export interface MarkFinding {
  readonly mark: DecimalMark | null;
  /** A column that shows it; null where nothing does. */
  readonly column: number | null;
}

/**
 * One decimal mark for the table, from the columns that hold values. Where every comma may separate thousands, a table whose cells are
 * not separated by commas has decimal commas: that is what its separator is for. It is asked in any case.
 */
function findMark(columns: readonly ColumnRole[], evidence: readonly ColumnEvidence[], reading: TableReading): MarkFinding {
  const total = { comma: 0, point: 0, maybeComma: 0, maybePoint: 0 };
  let column: number | null = null;
  columns.forEach(({ kind }, index) => {
    if (kind !== 'value' && kind !== 'quantity') return;
    const { marks } = evidence[index];
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += marks[name];
    if (column === null && marks.comma + marks.maybeComma > 0) column = index;
  });
  const { comma, point, maybeComma, maybePoint } = total;
  if (comma > 0) return { mark: point > 0 ? null : ',', column };
  if (point > 0) return { mark: '.', column };
  const isContinental = reading.sheet === null && reading.delimiter === ';';
  if (maybeComma === 0) return { mark: maybePoint > 0 && isContinental ? null : '.', column };
  return { mark: isContinental && maybePoint === 0 ? ',' : null, column };
}

function asksForUnit(id: string): boolean {
  const analyte = analyteById(id);
  return analyte !== null && needsUnit(analyte);
}

export interface Suggestion {
  readonly mapping: TableMapping;
  readonly questions: readonly TableQuestion[];
}

export function suggestMapping(
  headers: readonly string[],
  columns: readonly ColumnRole[],
  evidence: readonly ColumnEvidence[],
  names: readonly TableName[],
  reading: TableReading,
): Suggestion {
  const questions: TableQuestion[] = [];
  const ask = (code: TableQuestion['code'], column: number | null, token: string, isOpen: boolean, message: string) =>
    questions.push({ code, column, token, isOpen, message });
  const titled = (column: number) => `column "${shortened(headers[column], 60)}"`;

  const settled = columns.map((role, index): ColumnRole => {
    if (role.kind !== 'date' && role.kind !== 'birth-date') return role;
    const order = orderOf(evidence[index]);
    const { orders } = evidence[index];
    if (orders.dmy > 0 && orders.mdy > 0) {
      ask('date_order_ambiguous', index, '', true, `${titled(index)}: some dates can only have the day first and others only the month. Nothing is read until one order is chosen; the others then stay unread.`); // prettier-ignore
    } else if (order !== null) {
      const words = order === 'dmy' ? 'the day first' : 'the month first';
      ask(
        'date_order_ambiguous',
        index,
        '',
        false,
        `${titled(index)}: read with ${words}, because some of its dates have no other reading.`,
      );
    } else if (orders.either > 0) {
      ask('date_order_ambiguous', index, '', true, `${titled(index)}: every date can be read with the day or the month first. Choose one; until then its dates stay unread.`); // prettier-ignore
    }
    return { kind: role.kind, order };
  });

  const dated = headers.filter((header) => looksLikeDate(header.trim())).length;
  if (dated > 1) {
    ask('column_unmapped', null, '', true, `${dated} columns are headed by dates. A table is read with one date in each row: turn it, so that the dates stand in a column of their own.`); // prettier-ignore
  }

  const found = findMark(columns, evidence, reading);
  if (found.mark === ',') {
    ask('decimal_comma', found.column, '', false, 'The comma is read as the decimal mark. Confirm it.');
  } else if (found.mark === null) {
    ask('decimal_comma', found.column, '', true, 'Numbers here can be read in two ways: 1,234 or 1.234 as thousands or with decimals, or both marks as decimal. Choose the decimal mark; until then the numbers concerned stay unread, and numbers that contradict it stay unread after.'); // prettier-ignore
  }

  columns.forEach((role, index) => {
    const readsValues = role.kind === 'value' || role.kind === 'quantity' || role.kind === 'age';
    if (readsValues) {
      for (const [token, count] of evidence[index].asked) {
        ask('missing_token', index, token, true, `${titled(index)}: does ${token} (${count} ${count === 1 ? 'cell' : 'cells'}) mean "no value"? Until it is said, these cells stay unread.`); // prettier-ignore
      }
    }
    if (role.kind === 'quantity') {
      if (role.analyte === null)
        ask('analyte_unknown', index, '', true, `${titled(index)}: what was measured is not known. Its values are kept as received until it is chosen.`); // prettier-ignore
      else if (role.unit === '' && asksForUnit(role.analyte))
        ask(
          'unit_missing',
          index,
          '',
          true,
          `${titled(index)}: no unit is given. Its values are kept as received until one is chosen.`,
        );
    }
  });
  if (!columns.some(({ kind }) => kind === 'patient')) {
    ask(
      'no_patient',
      null,
      '',
      true,
      'No column tells people apart. All rows are taken for one person unless a column is chosen.',
    );
  }

  const mapped = names.flatMap(({ name, units, byCode }): NameMapping[] => {
    const analyte = byCode ?? analyteNamed(name)?.id ?? null;
    const shown = `"${shortened(name, 60)}"`;
    if (analyte === null)
      ask('analyte_unknown', null, name, true, `${shown} is not a known analyte. Its values are kept as received until one is chosen.`); // prettier-ignore
    else if (units.length === 0 && asksForUnit(analyte))
      ask('unit_missing', null, name, true, `${shown} comes without a unit. Its values are kept as received until one is chosen.`); // prettier-ignore
    // What a code names needs no mapping: one would be a person's word against the code.
    return byCode === null ? [{ name, analyte, unit: '' }] : [];
  });

  return {
    mapping: {
      version: 1,
      shape: columns.some(({ kind }) => kind === 'value') ? 'long' : 'wide',
      reading,
      columns: settled,
      names: mapped,
      decimalMark: found.mark,
      missing: [],
    },
    questions,
  };
}
