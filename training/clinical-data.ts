import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClinicalDataError, parseCsv, parseNumber, type CsvTable } from './csv.ts';

/** A cell of a subjects table; an empty field is `null`. */
export type Cell = string | number | null;
export type Row = Readonly<Record<string, Cell>>;

/** What was measured at one time. */
export interface Visit {
  /** In the folder's unit, days from entry in all folders used here. */
  readonly time: number;
  readonly values: ReadonlyMap<string, number>;
}

export interface ClinicalEvent {
  readonly event: string;
  /** Of the event, or of the end of follow-up without it. */
  readonly time: number;
  readonly happened: boolean;
}

/** A folder of patients in the project's long format. Persons keep the order of `subjects.csv`. */
export interface ClinicalData {
  readonly folder: string;
  readonly subjects: ReadonlyMap<string, Row>;
  /** By person, ascending in time; a person never seen has an empty list. */
  readonly visits: ReadonlyMap<string, readonly Visit[]>;
  readonly events: ReadonlyMap<string, readonly ClinicalEvent[]>;
}

export interface ReadOptions {
  /** Columns of `subjects.csv` that must be there and hold a number or nothing. Others are numbers if every field is one. */
  readonly numericColumns?: readonly string[];
}

function readTable(folder: string, name: string): CsvTable {
  const path = join(folder, name);
  if (!existsSync(path)) {
    throw new ClinicalDataError(`${path} is missing. Expected a folder with subjects.csv, visits.csv and events.csv.`);
  }
  return parseCsv(readFileSync(path, 'utf8'), path);
}

function columnIndex(table: CsvTable, column: string, file: string): number {
  const j = table.columns.indexOf(column);
  if (j < 0) throw new ClinicalDataError(`${file} has no column '${column}'. Found ${table.columns.join(', ')}.`);
  return j;
}

/** Rows of any CSV file as records: a column is numeric when all of its fields that are not empty spell numbers. */
export function readRows(path: string, numericColumns: readonly string[] = []): Row[] {
  if (!existsSync(path)) throw new ClinicalDataError(`${path} is missing.`);
  return rowsOf(parseCsv(readFileSync(path, 'utf8'), path), path, numericColumns);
}

function rowsOf(table: CsvTable, file: string, numericColumns: readonly string[]): Row[] {
  for (const column of numericColumns) {
    const j = columnIndex(table, column, file);
    for (const { line, fields } of table.rows) {
      if (fields[j] !== '' && parseNumber(fields[j]!) === null) {
        throw new ClinicalDataError(
          `${file}, row ${line}, column '${column}': not a number. Expected a number or an empty field.`,
        );
      }
    }
  }
  const isNumeric = table.columns.map((column, j) => {
    return column !== 'id' && table.rows.every(({ fields }) => fields[j] === '' || parseNumber(fields[j]!) !== null);
  });
  return table.rows.map(({ fields }) =>
    Object.fromEntries(
      table.columns.map((column, j) => [column, fields[j] === '' ? null : isNumeric[j] ? Number(fields[j]) : fields[j]!]),
    ),
  );
}

function readSubjects(folder: string, options: ReadOptions): Map<string, Row> {
  const table = readTable(folder, 'subjects.csv');
  const file = join(folder, 'subjects.csv');
  const id = columnIndex(table, 'id', file);
  const rows = rowsOf(table, file, options.numericColumns ?? []);
  const subjects = new Map<string, Row>();
  table.rows.forEach(({ line, fields }, i) => {
    const key = fields[id]!;
    if (key === '') throw new ClinicalDataError(`${file}, row ${line}, column 'id': empty. Every person needs an id.`);
    if (subjects.has(key)) throw new ClinicalDataError(`${file}, row ${line}, column 'id': '${key}' appears twice.`);
    subjects.set(key, rows[i]!);
  });
  return subjects;
}

/** A reader of the fields of one file by column name, with errors that say where. */
function fieldReader(table: CsvTable, file: string, subjects: ReadonlyMap<string, Row>) {
  const index = (column: string): number => columnIndex(table, column, file);
  const id = index('id');
  return {
    index,
    person(row: CsvTable['rows'][number]): string {
      const key = row.fields[id]!;
      if (!subjects.has(key)) {
        throw new ClinicalDataError(`${file}, row ${row.line}, column 'id': '${key}' is not in subjects.csv.`);
      }
      return key;
    },
    text(row: CsvTable['rows'][number], column: number): string {
      const field = row.fields[column]!;
      if (field === '') throw new ClinicalDataError(`${file}, row ${row.line}, column '${table.columns[column]}': empty.`);
      return field;
    },
    number(row: CsvTable['rows'][number], column: number): number {
      const value = parseNumber(row.fields[column]!);
      if (value === null) {
        throw new ClinicalDataError(
          `${file}, row ${row.line}, column '${table.columns[column]}': not a number. Expected a number.`,
        );
      }
      return value;
    },
  };
}

function readVisits(folder: string, subjects: ReadonlyMap<string, Row>): Map<string, Visit[]> {
  const table = readTable(folder, 'visits.csv');
  const read = fieldReader(table, join(folder, 'visits.csv'), subjects);
  const [time, variable, value] = [read.index('time'), read.index('variable'), read.index('value')];
  // Person → time → variable → sum and count: a variable given twice at one time counts as its mean.
  const people = new Map<string, Map<number, Map<string, [sum: number, count: number]>>>();
  for (const row of table.rows) {
    const person = read.person(row);
    const at = read.number(row, time);
    const name = read.text(row, variable);
    if (row.fields[value] === '') continue; // an empty value is one not measured
    const number = read.number(row, value);
    const times = people.get(person) ?? new Map<number, Map<string, [number, number]>>();
    people.set(person, times);
    const values = times.get(at) ?? new Map<string, [number, number]>();
    times.set(at, values);
    const [sum, count] = values.get(name) ?? [0, 0];
    values.set(name, [sum + number, count + 1]);
  }
  const visits = new Map<string, Visit[]>();
  for (const person of subjects.keys()) {
    const times = [...(people.get(person) ?? [])].sort(([a], [b]) => a - b);
    visits.set(
      person,
      times.map(([at, values]) => ({
        time: at,
        values: new Map([...values].map(([name, [sum, count]]) => [name, sum / count])),
      })),
    );
  }
  return visits;
}

function readEvents(folder: string, subjects: ReadonlyMap<string, Row>): Map<string, ClinicalEvent[]> {
  const file = join(folder, 'events.csv');
  const table = readTable(folder, 'events.csv');
  const read = fieldReader(table, file, subjects);
  const [event, time, status] = [read.index('event'), read.index('time'), read.index('status')];
  const events = new Map<string, ClinicalEvent[]>([...subjects.keys()].map((person) => [person, []]));
  for (const row of table.rows) {
    const state = read.number(row, status);
    if (state !== 0 && state !== 1) {
      throw new ClinicalDataError(`${file}, row ${row.line}, column 'status': not 0 (censored) or 1 (happened).`);
    }
    const at = read.number(row, time);
    if (at < 0) throw new ClinicalDataError(`${file}, row ${row.line}, column 'time': before entry.`);
    events.get(read.person(row))!.push({ event: read.text(row, event), time: at, happened: state === 1 });
  }
  return events;
}

/** Reads `subjects.csv`, `visits.csv` (id, time, variable, value) and `events.csv` (id, event, time, status) of a folder. */
export function readClinicalData(folder: string, options: ReadOptions = {}): ClinicalData {
  const subjects = readSubjects(folder, options);
  return { folder, subjects, visits: readVisits(folder, subjects), events: readEvents(folder, subjects) };
}

/** A number of a subject's row that a model needs; throws when it is missing. */
export function requiredNumber(row: Row, column: string, id: string): number {
  const value = row[column];
  if (typeof value !== 'number') {
    throw new ClinicalDataError(`subjects.csv, id '${id}', column '${column}': no number. The model needs one.`);
  }
  return value;
}

/** A word of a subject's row that a model needs, one of `allowed`; throws otherwise. */
export function requiredLevel<T extends string>(row: Row, column: string, allowed: readonly T[], id: string): T {
  const value = String(row[column] ?? '');
  const found = allowed.find((level) => level === value);
  if (found === undefined) {
    throw new ClinicalDataError(`subjects.csv, id '${id}', column '${column}': not one of ${allowed.join(', ')}.`);
  }
  return found;
}

/** Ids of the persons whose `split` column is one of the given. */
export function idsOfSplit(data: ClinicalData, ...splits: readonly string[]): string[] {
  return [...data.subjects].filter(([, row]) => splits.includes(String(row['split']))).map(([id]) => id);
}

/** One named event of a person, or `undefined` when the file does not follow that person for it. */
export function eventOf(data: ClinicalData, id: string, event: string): ClinicalEvent | undefined {
  return data.events.get(id)?.find((e) => e.event === event);
}

/** The last value of a variable at or before `time`, or `undefined` when there is none. */
export function lastValue(data: ClinicalData, id: string, variable: string, time: number): number | undefined {
  let value: number | undefined;
  for (const visit of data.visits.get(id) ?? []) {
    if (visit.time > time) break;
    value = visit.values.get(variable) ?? value;
  }
  return value;
}

/** The value of a variable exactly at `time`, or `undefined`. */
export function valueAt(data: ClinicalData, id: string, variable: string, time: number): number | undefined {
  return data.visits
    .get(id)
    ?.find((visit) => visit.time === time)
    ?.values.get(variable);
}
