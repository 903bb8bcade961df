/** Tables of the OMOP common data model, version 5.4, as CSV: https://ohdsi.github.io/CommonDataModel/cdm54.html. */
import { sameUnit } from '../analytes.ts';
import { cleanText, shortened } from '../clean-text.ts';
import type { ConfirmedCodes } from '../confirmed-codes.ts';
import type { ImportCode } from '../import-codes.ts';
import type { ReadDate } from '../partial-date.ts';
import { importSentences } from '../sentences.ts';
import { readDate, readNumber, type CellNumber } from './cells.ts';
import type { ModelFile, ModelRow } from './model-rows.ts';
import { loinc, type KnownConcept, type ObservationSink } from './observation-sink.ts';
import { comparatorOfConcept, loincOfConcept, sexOfConcept, unitOfConcept } from './omop-concepts.ts';
import { tell, type Person } from './people.ts';
import type { DataModel, ModelReader } from './stage-model.ts';

/** Not a system of any standard: a concept id says nothing outside OMOP. */
const omop = 'https://athena.ohdsi.org';

/** The table that these headers are of; `other` for one that is not read; null if they are not OMOP's. */
export function omopPart(headers: readonly string[]): string | null {
  const names = new Set(headers.map((header) => header.trim().toLowerCase()));
  if (!names.has('person_id')) return null;
  if (names.has('year_of_birth') || names.has('gender_concept_id')) return 'person';
  if (names.has('measurement_concept_id')) return 'measurement';
  if (names.has('drug_concept_id')) return 'drug_exposure';
  if (names.has('condition_concept_id')) return 'condition_occurrence';
  if (names.has('observation_concept_id')) return 'observation';
  if (names.has('death_date')) return 'death';
  return [...names].some((name) => name.endsWith('_concept_id')) ? 'other' : null;
}

export const omopModel: DataModel = {
  format: 'omop',
  unread: 'Of OMOP, person, measurement, observation, condition_occurrence, drug_exposure and death are read. This table is not.',
  reader: (sink, confirmed) => new OmopReader(sink, confirmed),
};

class OmopReader implements ModelReader {
  readonly #sink: ObservationSink;
  readonly #confirmed: ConfirmedCodes;
  /** Row numbers in `people.all` of those whom the person table names. */
  readonly #named = new Set<number>();

  constructor(sink: ObservationSink, confirmed: ConfirmedCodes) {
    this.#sink = sink;
    this.#confirmed = confirmed;
  }

  read(part: string, row: ModelRow, where: string, file: string): void {
    const { people, notices } = this.#sink;
    const key = row.cell('person_id');
    const place = `${where} ${row.row}`;
    if (key === '') {
      notices.add('patient_unknown', place, 'The row has no person_id. It was left out.');
      return;
    }
    const number = people.numberOf(key);
    const person = people.all[number];
    if (part === 'person') {
      this.#named.add(number);
      this.#readPerson(person, row, place);
    } else if (part === 'measurement' || part === 'observation') this.#readValue(part, number, row, where, file);
    else if (part === 'death') {
      const when = readDate(row.cell('death_date'), null);
      if (typeof when === 'string') notices.add(when, place, importSentences[when]);
      else tell(person, 'deceasedOn', when.date);
    } else if (part === 'condition_occurrence') {
      this.#keep(person, 'condition', row, 'condition', [until(row.cell('condition_end_date'))], where, file);
    } else {
      const said = [
        quantity('quantity', row.cell('quantity')),
        quantity('days of supply', row.cell('days_supply')),
        row.cell('sig'),
        row.cell('dose_unit_source_value'),
        until(row.cell('drug_exposure_end_date')),
      ];
      this.#keep(person, 'medication', row, 'drug_exposure', said, where, file);
    }
  }

  /** Tells of people who are in other tables only. */
  finish(files: readonly ModelFile[]): void {
    if (!files.some(({ part }) => part === 'person')) return;
    const strangers = this.#sink.people.all.filter((_, number) => !this.#named.has(number)).length;
    if (strangers > 0) {
      this.#sink.notices.add(
        'patient_unknown',
        'person',
        `${strangers} of the people with values are not in the person table: their sex and birth date are not known.`,
      );
    }
  }

  #readPerson(person: Person, row: ModelRow, place: string): void {
    const sex = sexOfConcept[row.cell('gender_concept_id')];
    const said = row.cell('gender_source_value');
    if (sex) tell(person, 'sex', sex);
    else if (said !== '') this.#sink.tellSex(person, said, place);
    const source = row.cell('person_source_value');
    if (source !== '') person.identifiers.push({ system: '', value: source });
    const [year, month, day] = ['year_of_birth', 'month_of_birth', 'day_of_birth'].map((name) => row.cell(name));
    const text = /^\d{4}$/.test(year)
      ? [year, ...(month ? [month.padStart(2, '0'), ...(day ? [day.padStart(2, '0')] : [])] : [])].join('-')
      : row.cell('birth_datetime');
    if (text === '') return;
    const birth = readDate(text, null);
    this.#sink.tellBirth(person, typeof birth === 'string' ? birth : { ...birth, time: null, instant: null }, place);
  }

  #readValue(part: 'measurement' | 'observation', patient: number, row: ModelRow, where: string, file: string): void {
    const asNumber = row.cell('value_as_number');
    const asText = row.cell('value_source_value') || row.cell('value_as_string');
    const person = this.#sink.people.all[patient];
    const when = dateOf(row, `${part}_datetime`, `${part}_date`, `${part}_time`);
    if (part === 'observation' && asNumber === '' && typeof readNumber(asText, '.') === 'string') {
      this.#keep(person, 'observation', row, 'observation', [asText], where, file);
      return;
    }
    const operator = comparatorOfConcept[row.cell('operator_concept_id')];
    const number = numberOf(asNumber, asText, operator);
    const sourceUnit = row.cell('unit_source_value');
    const conceptUnit = unitOfConcept[row.cell('unit_concept_id')] ?? '';
    const concept = this.#conceptOf(part, row);
    const differs =
      sourceUnit !== '' &&
      conceptUnit !== '' &&
      concept.analyte !== null &&
      !sameUnit(concept.analyte, concept.code, sourceUnit, conceptUnit);
    const sign = operator === '<' || operator === '>' ? operator : '';
    const received = asNumber === '' ? asText : sign !== '' && !/^[<>]/.test(asNumber) ? `${sign}${asNumber}` : asNumber;
    this.#sink.add({
      patient,
      concept,
      when,
      received: typeof number === 'object' && number.comparator !== null && !/^[<>≤≥]/.test(received) ? asText : received,
      receivedUnit: differs ? `${sourceUnit} (coded ${conceptUnit})` : sourceUnit || conceptUnit,
      number: differs ? 'unit_contradicts' : number,
      where,
      row: row.row,
      column: '',
      isNoted: () => true,
    });
  }

  #conceptOf(part: string, row: ModelRow): KnownConcept {
    const id = row.cell(`${part}_concept_id`);
    const source = row.cell(`${part}_source_value`);
    const standard = loincOfConcept[id];
    const codings = [
      ...(standard ? [{ system: loinc, code: standard }] : []),
      ...(/^\d{1,7}-\d$/.test(source) && source !== standard ? [{ system: loinc, code: source }] : []),
      ...(id !== '' && id !== '0' ? [{ system: omop, code: id }] : []),
    ];
    const analyte = this.#confirmed.find(omop, id) ?? this.#confirmed.find(loinc, source) ?? this.#confirmed.find('', source);
    return this.#sink.conceptOf(codings, source || `OMOP concept ${id}`, analyte ? { analyte, unit: '' } : null);
  }

  #keep(
    person: Person,
    kind: 'condition' | 'medication' | 'observation',
    row: ModelRow,
    part: string,
    detail: readonly string[],
    where: string,
    file: string,
  ): void {
    const table = part === 'drug_exposure' ? 'drug' : part;
    const when =
      dateOf(row, `${part}_start_datetime`, `${part}_start_date`, '') ?? dateOf(row, `${part}_datetime`, `${part}_date`, '');
    const place = `${where} ${row.row}`;
    if (typeof when === 'string') this.#sink.notices.add(when, place, importSentences[when]);
    const id = row.cell(`${table}_concept_id`);
    person.background.push({
      kind,
      label: shortened(cleanText(row.cell(`${table}_source_value`) || `OMOP concept ${id}`)),
      date: typeof when === 'object' && when !== null ? when.date : null,
      detail: shortened(cleanText(detail.filter(Boolean).join(', '))),
      source: { file, place },
    });
  }
}

/** With a comparator from its concept or from the value as it came: 0.5 with a source of <0.5 is a limit. */
function numberOf(asNumber: string, asText: string, operator: '<' | '>' | '=' | undefined): CellNumber | ImportCode {
  const source = asText === '' ? null : readNumber(asText, '.');
  const number = asNumber === '' ? source : readNumber(asNumber, '.');
  if (number === null) return 'value_absent';
  if (typeof number === 'string') return number;
  const sourceSign = source !== null && typeof source === 'object' ? source.comparator : null;
  const sign = operator === '<' || operator === '>' ? operator : number.comparator;
  if (sign !== null && sourceSign !== null && sign !== sourceSign) return 'value_not_a_number';
  return { value: number.value, comparator: sign ?? sourceSign, unit: '' };
}

function dateOf(row: ModelRow, datetime: string, date: string, time: string): ReadDate | ImportCode | null {
  const clock = time === '' ? '' : row.cell(time);
  const day = row.cell(date);
  const text = row.cell(datetime) || (clock !== '' && /^\d{4}-\d{2}-\d{2}$/.test(day) ? `${day} ${clock}` : day);
  return text === '' ? null : readDate(text, null);
}

const quantity = (name: string, value: string): string => (value === '' ? '' : `${name} ${value}`);
const until = (date: string): string => (date === '' ? '' : `until ${date}`);
