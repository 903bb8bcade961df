/** What every table does with its values, OMOP and SDTM too: convert, keep with place and reason, tell. */
import type { IsoDate } from '#domain/record.ts';
import { analyteById, analyteOf, convert, sameUnit, type Analyte } from '../analytes.ts';
import { cleanText, shortened } from '../clean-text.ts';
import type { ImportCode } from '../import-codes.ts';
import type { ImportedConcept, ImportFormat } from '../imported.ts';
import { Notices } from '../notices.ts';
import { detached, ObservationStore, placeText } from '../observation-store.ts';
import { isSurelyBefore, type ReadDate } from '../partial-date.ts';
import type { UnknownCode } from '../protocol.ts';
import { ImportRefusal } from '../refusal.ts';
import { importSentences } from '../sentences.ts';
import { stagedTable, type Staged } from '../staged.ts';
import type { readNumber } from './cells.ts';
import { readSex } from './header-words.ts';
import type { NameMapping } from './mapping.ts';
import { People, tell, tellFact, type Person } from './people.ts';
import { analyteNamed } from './quantity-header.ts';

export const loinc = 'http://loinc.org';

/** Three million numbers with their texts are about 250 MB. */
const mostObservations = 3_000_000;

/** A concept as it is looked up for each row. */
export interface KnownConcept {
  readonly number: number;
  readonly analyte: Analyte | null;
  /** The LOINC code that matched: a twin quantity has its own units. */
  readonly code: string | null;
  /** Where the row has none. */
  readonly unit: string;
}

/** What all tables do with a number, OMOP and SDTM too: read it, convert it, keep it with its place or with its problem. */
export class ObservationSink {
  readonly people = new People();
  readonly store = new ObservationStore();
  readonly notices = new Notices();
  readonly #today: IsoDate;
  readonly #concepts = new Map<string, KnownConcept>();
  readonly #unknown = new Map<number, { count: number; readonly units: Set<string> }>();

  constructor(today: IsoDate) {
    this.#today = today;
  }

  /** By LOINC; else what a person confirmed, or what a standard's own term is certain to mean. */
  conceptOf(
    codings: ImportedConcept['codings'],
    label: string,
    confirmed: Pick<NameMapping, 'analyte' | 'unit'> | null,
  ): KnownConcept {
    const key = `${label}\n${codings.map(({ system, code }) => `${system} ${code}`).join('\n')}\n${confirmed?.analyte ?? ''}`;
    const known = this.#concepts.get(key);
    if (known) return known;
    const match = analyteOf(codings, '');
    const byHand = confirmed?.analyte ? analyteById(confirmed.analyte) : null;
    // Codes that name two analytes are wrong in one of them: then neither code nor term decides.
    const hasLoinc = codings.some(({ system, code }) => analyteOf([{ system, code }], '') !== null);
    const analyte = match?.analyte ?? (hasLoinc ? null : byHand);
    const shown = shortened(cleanText(label)) || codings[0]?.code || 'Value without a name';
    const made = {
      number: this.store.concept({ codings, label: shown, analyte: analyte?.id ?? null }, analyte?.unit ?? ''),
      analyte,
      code: match?.code ?? null,
      unit: confirmed?.unit ?? '',
    };
    this.#concepts.set(detached(key), made);
    return made;
  }

  /** What could not be named, most frequent first: at most 500. */
  unknown(): readonly UnknownCode[] {
    return [...this.#unknown]
      .map(([number, { count, units }]) => {
        const { codings, label } = this.store.conceptAt(number);
        return {
          system: codings[0]?.system ?? '',
          code: codings[0]?.code ?? label,
          label,
          count,
          units: [...units],
          suggestion: analyteNamed(label)?.id ?? null,
        };
      })
      .sort((a, b) => b.count - a.count)
      .slice(0, 500);
  }

  /** One value. `isNoted` false: the reason is told once for the column and not for each row. */
  add(value: {
    readonly patient: number;
    readonly concept: KnownConcept;
    readonly when: ReadDate | ImportCode | null;
    readonly received: string;
    readonly receivedUnit: string;
    readonly number: ReturnType<typeof readNumber>;
    readonly where: string;
    readonly row: number;
    readonly column: string;
    readonly isNoted: (code: ImportCode) => boolean;
  }): void {
    if (this.store.length === mostObservations) {
      throw new ImportRefusal(
        'too_large',
        `More than ${mostObservations / 1e6} million values. Split the file by patient and import the parts one after the other.`,
      );
    }
    const { concept, number, when } = value;
    const doubts: ImportCode[] = [];
    let problem: ImportCode | null = null;
    let converted: number | null = null;
    if (typeof when === 'string') problem = when;
    else if (when === null) doubts.push('date_missing');
    else {
      if (when.date.length < 10) doubts.push('date_partial');
      if (isSurelyBefore(this.#today, when.date)) doubts.push('date_in_future');
    }
    let comparator: '<' | '>' | null = null;
    let unit = value.receivedUnit;
    if (typeof number === 'string') problem ??= number;
    else {
      comparator = number.comparator;
      if (comparator) doubts.push('value_censored');
      if (number.unit !== '') {
        if (unit === '') unit = number.unit;
        else if (concept.analyte && !sameUnit(concept.analyte, concept.code, unit, number.unit)) problem ??= 'unit_contradicts';
      }
      if (problem === null && concept.analyte === null) {
        problem = 'analyte_unknown';
        const seen = this.#unknown.get(concept.number) ?? { count: 0, units: new Set<string>() };
        this.#unknown.set(concept.number, seen);
        seen.count++;
        if (seen.units.size < 5) seen.units.add(unit);
      }
      if (problem === null && concept.analyte) {
        const result = convert(concept.analyte, number.value, unit === '' ? concept.unit : unit, concept.code);
        problem = result.problem;
        converted = result.value;
        doubts.push(...result.doubts);
      }
    }
    const told = problem ?? doubts.find((doubt) => doubt !== 'value_censored') ?? null;
    const place = told && value.isNoted(told) ? placeText(value.where, value.row, value.column) : null;
    if (told && place !== null) this.notices.add(told, place, importSentences[told]);
    const date = typeof when === 'string' ? null : when;
    this.store.add({
      patient: value.patient,
      concept: concept.number,
      date: date?.date ?? null,
      time: date?.time ?? null,
      instant: date?.instant ?? null,
      receivedValue: value.received,
      receivedUnit: unit,
      value: problem === null ? converted : null,
      comparator,
      problem,
      doubts,
      where: value.where,
      row: value.row,
      column: value.column,
    });
  }

  /** A birth date as said by a row; tells what is wrong with it. */
  tellBirth(person: Person, when: ReadDate | ImportCode, place: string): void {
    if (typeof when === 'string') this.notices.add(when, place, importSentences[when]);
    else if (isSurelyBefore(this.#today, when.date)) this.notices.add('birth_in_future', place, importSentences.birth_in_future);
    else if (Number(this.#today.slice(0, 4)) - Number(when.date.slice(0, 4)) > 120) {
      this.notices.add('age_implausible', place, importSentences.age_implausible);
    } else if (!tell(person, 'birthDate', when.date)) this.#differs(place, 'birth date');
  }

  tellSex(person: Person, text: string, place: string): void {
    const sex = readSex(text);
    if (sex === null) {
      if (tellFact(person, 'sex', text)) return;
    } else if (tell(person, 'sex', sex)) return;
    this.#differs(place, 'sex');
  }

  #differs(place: string, what: string): void {
    this.notices.add('id_duplicate', place, `Rows of this person give a different ${what}. None of them is kept.`);
  }

  async close(file: string, format: ImportFormat, breathe: () => void | Promise<void>): Promise<Staged> {
    const { all } = this.people;
    await this.store.close(all.length, {
      breathe,
      doubtOf: (number, date) => {
        const { birthDate, deceasedOn } = all[number];
        if (birthDate !== null && isSurelyBefore(date, birthDate)) return 'before_birth';
        return deceasedOn !== null && isSurelyBefore(deceasedOn, date) ? 'after_death' : null;
      },
      onDoubt: (code, place) => this.notices.add(code, place, importSentences[code]),
    });
    return stagedTable(file, format, this, format === 'omop' || format === 'sdtm' ? this.unknown() : []);
  }
}
