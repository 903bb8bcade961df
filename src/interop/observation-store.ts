/**
 * A million observations in about 60 bytes each: columns of numbers, and every text once. Filled by a reader, then closed, then asked for
 * one person's observations in order of time.
 */
import type { PartialDate } from '#domain/record.ts';
import { importCodes, type ImportCode } from './import-codes.ts';
import type { ImportedConcept, ImportedObservation } from './imported.ts';

/** What a reader gives; `place` is kept in two parts because only the number differs from row to row. */
export interface StoredObservation {
  /** Number of the person, from `patient`. */
  readonly patient: number;
  /** Number of the concept, from `concept`. */
  readonly concept: number;
  readonly date: PartialDate | null;
  readonly time: string | null;
  readonly instant: number | null;
  readonly receivedValue: string;
  readonly receivedUnit: string;
  readonly value: number | null;
  readonly comparator: '<' | '>' | null;
  readonly problem: ImportCode | null;
  readonly doubts: readonly ImportCode[];
  /** `line`, `sheet Labs, row`. */
  readonly where: string;
  readonly row: number;
  /** Of a wide table; empty otherwise. */
  readonly column: string;
}

const blockLength = 65_536;

/** Rows of fixed length in blocks, so that growing never copies and never needs twice the memory. */
class Columns {
  readonly patient = new Blocks(Int32Array);
  readonly concept = new Blocks(Int32Array);
  readonly date = new Blocks(Int32Array);
  readonly minute = new Blocks(Int16Array);
  readonly instant = new Blocks(Float64Array);
  readonly receivedValue = new Blocks(Int32Array);
  readonly receivedUnit = new Blocks(Int32Array);
  readonly value = new Blocks(Float64Array);
  readonly comparator = new Blocks(Int8Array);
  readonly problem = new Blocks(Int8Array);
  readonly doubts = new Blocks(Int16Array);
  readonly where = new Blocks(Int16Array);
  readonly row = new Blocks(Int32Array);
  readonly column = new Blocks(Int16Array);
}

type NumberArray = Int8Array | Int16Array | Int32Array | Float64Array;

class Blocks<Kind extends NumberArray> {
  readonly #make: new (length: number) => Kind;
  readonly #blocks: Kind[] = [];

  constructor(make: new (length: number) => Kind) {
    this.#make = make;
  }

  get(index: number): number {
    return this.#blocks[Math.floor(index / blockLength)][index % blockLength];
  }

  set(index: number, value: number): void {
    const block = Math.floor(index / blockLength);
    (this.#blocks[block] ??= new this.#make(blockLength))[index % blockLength] = value;
  }
}

/** Each text once, by number. */
class Texts {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];

  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const own = detached(text);
    const number = this.#texts.length;
    this.#texts.push(own);
    this.#numbers.set(own, number);
    return number;
  }

  at(number: number): string {
    return this.#texts[number];
  }
}

/** A cell cut out of a large text keeps all of that text in memory, in every engine; this copy does not. */
export function detached(text: string): string {
  return text.length < 13 ? text : JSON.parse(JSON.stringify(text));
}

const codeNumber = new Map(importCodes.map((code, index) => [code, index] as const));
const comparators = [null, '<', '>'] as const;

export interface CloseHooks {
  /** Called now and then; throws to stop. */
  readonly breathe: () => void | Promise<void>;
  readonly doubtOf: (patient: number, date: PartialDate) => ImportCode | null;
  readonly onDoubt: (code: ImportCode, place: string) => void;
}

export class ObservationStore {
  readonly #columns = new Columns();
  readonly #texts = new Texts();
  readonly #doubtSets = new Texts();
  readonly #wheres = new Texts();
  readonly #columnNames = new Texts();
  readonly #concepts: { readonly concept: ImportedConcept; readonly unit: string }[] = [];
  #length = 0;
  /** Where each person's observations start in `#order`; one longer than there are people. */
  #starts: Int32Array = new Int32Array(1);
  #order: Int32Array = new Int32Array(0);

  get length(): number {
    return this.#length;
  }

  /** `unit`: of the analyte's values; empty where it has none. */
  concept(concept: ImportedConcept, unit: string): number {
    return this.#concepts.push({ concept, unit }) - 1;
  }

  conceptAt(number: number): ImportedConcept {
    return this.#concepts[number].concept;
  }

  add(observation: StoredObservation): void {
    const at = this.#length++;
    const columns = this.#columns;
    columns.patient.set(at, observation.patient);
    columns.concept.set(at, observation.concept);
    columns.date.set(at, dateNumber(observation.date));
    columns.minute.set(
      at,
      observation.time === null ? -1 : Number(observation.time.slice(0, 2)) * 60 + Number(observation.time.slice(3, 5)),
    );
    columns.instant.set(at, observation.instant ?? Number.NaN);
    columns.receivedValue.set(at, this.#texts.numberOf(observation.receivedValue));
    columns.receivedUnit.set(at, this.#texts.numberOf(observation.receivedUnit));
    columns.value.set(at, observation.value ?? Number.NaN);
    columns.comparator.set(at, comparators.indexOf(observation.comparator));
    columns.problem.set(at, observation.problem === null ? -1 : codeNumber.get(observation.problem)!);
    columns.doubts.set(at, this.#doubtSets.numberOf(observation.doubts.join(' ')));
    columns.where.set(at, this.#wheres.numberOf(observation.where));
    columns.row.set(at, observation.row);
    columns.column.set(at, this.#columnNames.numberOf(observation.column));
  }

  /**
   * Puts everyone's observations in order of time. One that repeats another of the person in concept, date, time, value as received and
   * unit is not computed with (`duplicate_value`). `doubtOf` may add one more doubt to a value, now that all of a person is known.
   */
  async close(patientCount: number, hooks: CloseHooks): Promise<void> {
    const columns = this.#columns;
    const starts = new Int32Array(patientCount + 1);
    for (let i = 0; i < this.#length; i++) starts[columns.patient.get(i) + 1]++;
    for (let i = 0; i < patientCount; i++) starts[i + 1] += starts[i];
    const order = new Int32Array(this.#length);
    const next = starts.slice();
    for (let i = 0; i < this.#length; i++) order[next[columns.patient.get(i)]++] = i;
    for (let person = 0; person < patientCount; person++) {
      if (person % 256 === 0) await hooks.breathe();
      const own = order.subarray(starts[person], starts[person + 1]).sort((a, b) => this.#compare(a, b));
      const sameTime = new Set<string>();
      let previous = -1;
      for (const at of own) {
        if (previous < 0 || this.#compareTimes(previous, at) !== 0) sameTime.clear();
        previous = at;
        const date = columns.date.get(at);
        const doubt = date === 0 ? null : hooks.doubtOf(person, dateText(date)!);
        if (doubt) {
          const doubts = this.#doubtSets.at(columns.doubts.get(at));
          columns.doubts.set(at, this.#doubtSets.numberOf(doubts === '' ? doubt : `${doubts} ${doubt}`));
          hooks.onDoubt(doubt, this.#placeOf(at));
        }
        const identity = this.#identity(at);
        if (date === 0 || !sameTime.has(identity)) {
          sameTime.add(identity);
        } else if (columns.problem.get(at) < 0) {
          columns.problem.set(at, codeNumber.get('duplicate_value')!);
          columns.value.set(at, Number.NaN);
          hooks.onDoubt('duplicate_value', this.#placeOf(at));
        }
      }
    }
    this.#order = order;
    this.#starts = starts;
  }

  countOf(patient: number): number {
    return this.#starts[patient + 1] - this.#starts[patient];
  }

  /** Of one person, in order of time; those without a date first. */
  read(patient: number, from: number, count: number): readonly ImportedObservation[] {
    const start = this.#starts[patient] + Math.max(0, from);
    const end = Math.min(start + count, this.#starts[patient + 1]);
    const found: ImportedObservation[] = [];
    for (let i = start; i < end; i++) found.push(this.#read(this.#order[i]));
    return found;
  }

  /** Without making an object of each. */
  sum(patient: number): { kept: number; raw: number; doubtful: number; from: PartialDate | null; to: PartialDate | null } {
    const columns = this.#columns;
    let kept = 0;
    let raw = 0;
    let doubtful = 0;
    let first = 0;
    let last = 0;
    const none = this.#doubtSets.numberOf('');
    for (let i = this.#starts[patient]; i < this.#starts[patient + 1]; i++) {
      const at = this.#order[i];
      if (columns.problem.get(at) >= 0) raw++;
      else {
        kept++;
        if (columns.doubts.get(at) !== none) doubtful++;
      }
      const date = columns.date.get(at);
      if (date === 0) continue;
      if (first === 0) first = date;
      last = date;
    }
    return { kept, raw, doubtful, from: dateText(first), to: dateText(last) };
  }

  #compare(a: number, b: number): number {
    return this.#compareTimes(a, b) || a - b;
  }

  #compareTimes(a: number, b: number): number {
    const { date, minute, instant } = this.#columns;
    const [one, other] = [instant.get(a), instant.get(b)];
    // NaN where the file gives no zone: then the clock of the file is all there is.
    if (one === one && other === other) return one - other;
    return date.get(a) - date.get(b) || minute.get(a) - minute.get(b);
  }

  #identity(at: number): string {
    const { concept, receivedValue, receivedUnit } = this.#columns;
    return `${concept.get(at)} ${receivedValue.get(at)} ${receivedUnit.get(at)}`;
  }

  #placeOf(at: number): string {
    const { where, row, column } = this.#columns;
    return placeText(this.#wheres.at(where.get(at)), row.get(at), this.#columnNames.at(column.get(at)));
  }

  #read(at: number): ImportedObservation {
    const columns = this.#columns;
    const { concept, unit } = this.#concepts[columns.concept.get(at)];
    const minute = columns.minute.get(at);
    const instant = columns.instant.get(at);
    const value = columns.value.get(at);
    const problem = columns.problem.get(at);
    const doubts = this.#doubtSets.at(columns.doubts.get(at));
    return {
      concept,
      date: dateText(columns.date.get(at)),
      time: minute < 0 ? null : `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`,
      instant: instant === instant ? instant : null,
      receivedValue: this.#texts.at(columns.receivedValue.get(at)),
      receivedUnit: this.#texts.at(columns.receivedUnit.get(at)),
      value: value === value ? value : null,
      unit: value === value ? unit : '',
      comparator: comparators[columns.comparator.get(at)],
      place: this.#placeOf(at),
      problem: problem < 0 ? null : importCodes[problem],
      doubts: doubts === '' ? [] : (doubts.split(' ') as ImportCode[]),
    };
  }
}

/** `line 14`, `sheet "Labs", row 3, column "HbA1c (%)"`. */
export function placeText(where: string, row: number, column: string): string {
  return column === '' ? `${where} ${row}` : `${where} ${row}, column "${column}"`;
}

/** `2023-05-01` is 20230501, `2023-05` 20230500, `2023` 20230000, none 0: in this order they sort as they should. */
function dateNumber(date: PartialDate | null): number {
  return date === null ? 0 : Number(date.replaceAll('-', '').padEnd(8, '0'));
}

function dateText(number: number): PartialDate | null {
  if (number === 0) return null;
  const digits = String(number).padStart(8, '0');
  if (digits.endsWith('0000')) return digits.slice(0, 4);
  if (digits.endsWith('00')) return `${digits.slice(0, 4)}-${digits.slice(4, 6)}`;
  return `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`;
}
