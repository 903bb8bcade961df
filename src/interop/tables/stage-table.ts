/** A table and its mapping to people and observations. Whatever the mapping leaves open stays as received, with the reason. */
import type { IsoDate } from '#domain/record.ts';
import { analyteOf } from '../analytes.ts';
import { cleanText, hasHiddenControls, shortened } from '../clean-text.ts';
import type { ImportCode } from '../import-codes.ts';
import { placeText } from '../observation-store.ts';
import type { ReadDate } from '../partial-date.ts';
import { ImportRefusal } from '../refusal.ts';
import { importSentences } from '../sentences.ts';
import type { Staged } from '../staged.ts';
import { comparatorOf, instantOf, isAskedAbout, isErrorCell, isMissing, readDate, readNumber, readTime } from './cells.ts';
import { nameWithSpecimen } from './header-words.ts';
import { sampleRows, type ColumnRole, type NameMapping, type TableMapping } from './mapping.ts';
import { loinc, ObservationSink, type KnownConcept } from './observation-sink.ts';
import { tellFact, type Person } from './people.ts';
import { isForbiddenHeader } from './suggest.ts';
import { findStart, fits, tableRows, type TableBatch } from './table-rows.ts';
import type { FileSource, Pace } from './text-file.ts';

/** The mapping's columns by what they are. */
interface Layout {
  readonly patient: number;
  readonly names: readonly number[];
  readonly birth: { readonly index: number; readonly role: Extract<ColumnRole, { kind: 'birth-date' }> } | null;
  readonly date: { readonly index: number; readonly role: Extract<ColumnRole, { kind: 'date' }> } | null;
  readonly sex: number;
  readonly age: number;
  readonly time: number;
  readonly analyte: number;
  readonly code: number;
  readonly value: number;
  readonly unit: number;
  readonly comparator: number;
  readonly specimen: number;
  readonly facts: readonly number[];
  readonly quantities: readonly { readonly index: number; readonly role: Extract<ColumnRole, { kind: 'quantity' }> }[];
}

function layoutOf(columns: readonly ColumnRole[]): Layout {
  const first = (kind: ColumnRole['kind']) => columns.findIndex((role) => role.kind === kind);
  const every = (kind: ColumnRole['kind']) => columns.flatMap((role, index) => (role.kind === kind ? [index] : []));
  const birth = first('birth-date');
  const date = first('date');
  return {
    patient: first('patient'),
    names: every('name'),
    birth: birth < 0 ? null : { index: birth, role: columns[birth] as Extract<ColumnRole, { kind: 'birth-date' }> },
    date: date < 0 ? null : { index: date, role: columns[date] as Extract<ColumnRole, { kind: 'date' }> },
    sex: first('sex'),
    age: first('age'),
    time: first('time'),
    analyte: first('analyte'),
    code: first('code'),
    value: first('value'),
    unit: first('unit'),
    comparator: first('comparator'),
    specimen: first('specimen'),
    facts: every('fact'),
    quantities: columns.flatMap((role, index) => (role.kind === 'quantity' ? [{ index, role }] : [])),
  };
}

export function stageTable(file: FileSource, mapping: TableMapping, today: IsoDate, pace: Pace): Promise<Staged> {
  return stageRows(file, mapping, today, pace, Infinity);
}

/** What the first rows come to, as many as a first look shows. */
export function sampleTable(file: FileSource, mapping: TableMapping, today: IsoDate): Promise<Staged> {
  return stageRows(file, mapping, today, () => {}, sampleRows);
}

async function stageRows(file: FileSource, mapping: TableMapping, today: IsoDate, pace: Pace, most: number): Promise<Staged> {
  const sink = new ObservationSink(today);
  let reader: RowReader | null = null;
  let rowCount = 0;
  for await (const batch of tableRows(file, mapping.reading, pace)) {
    let from = 0;
    if (!reader) {
      if (batch.rows.length === 0) continue;
      const start = findStart(batch.rows, mapping.reading.hasHeader);
      if (start.headers.length !== mapping.columns.length) {
        throw new ImportRefusal(
          'format_unknown',
          `The table has ${start.headers.length} columns and the mapping ${mapping.columns.length}. Choose the columns again.`,
        );
      }
      reader = new RowReader(sink, mapping, start.headers);
      from = start.first;
    }
    const until = Math.min(batch.rows.length, from + most - rowCount);
    for (let i = from; i < until; i++) reader.read(batch, i);
    rowCount += until - from;
    if (rowCount >= most) break;
  }
  if (!reader) throw new ImportRefusal('empty', importSentences.empty);
  if (rowCount === 0) sink.notices.add('no_rows', '', importSentences.no_rows);
  reader.sumUp();
  return sink.close(file.name, mapping.shape === 'long' ? 'table-long' : 'table-wide', () => pace(file.size));
}

/** Reads rows one by one; counts what is told once for a column. */
class RowReader {
  readonly #sink: ObservationSink;
  readonly #mapping: TableMapping;
  readonly #headers: readonly string[];
  readonly #layout: Layout;
  readonly #missing: ReadonlySet<string>;
  readonly #names: ReadonlyMap<string, NameMapping>;
  readonly #quantities: readonly { readonly index: number; readonly unit: string; readonly concept: KnownConcept }[];
  /** By column and code or token: how often, and where first. */
  readonly #once = new Map<
    string,
    { count: number; readonly column: number; readonly code: ImportCode; readonly token: string; readonly place: string }
  >();
  readonly #dates = new Map<string, ReadDate | ImportCode>();

  constructor(sink: ObservationSink, mapping: TableMapping, headers: readonly string[]) {
    this.#sink = sink;
    this.#mapping = mapping;
    this.#headers = headers.map((header) => shortened(cleanText(header), 80));
    this.#layout = layoutOf(mapping.columns);
    this.#missing = new Set(mapping.missing);
    this.#names = new Map(mapping.names.map((name) => [name.name, name]));
    this.#quantities = this.#layout.quantities.map(({ index, role }) => ({
      index,
      unit: role.unit,
      concept: sink.conceptOf([], this.#headers[index], role),
    }));
    this.#lookAtHeaders(headers);
  }

  #lookAtHeaders(headers: readonly string[]): void {
    const { notices } = this.#sink;
    const seen = new Map<string, number>();
    headers.forEach((header, index) => {
      const place = `column ${index + 1}`;
      if (isForbiddenHeader(header)) notices.add('header_forbidden', place, importSentences.header_forbidden);
      const before = seen.get(header.toLowerCase());
      if (before !== undefined) {
        notices.add(
          'header_duplicate',
          place,
          `Columns ${before + 1} and ${index + 1} have the same name. Neither is read unless one is chosen.`,
        );
      } else seen.set(header.toLowerCase(), index);
    });
    if (this.#layout.patient < 0) {
      notices.add(
        'no_patient',
        '',
        'No column tells people apart: all rows are taken for one person. Choose the column, or confirm.',
      );
    }
    if (this.#mapping.reading.encoding !== 'utf-8' && this.#mapping.reading.sheet === null) {
      notices.add(
        'encoding_guessed',
        '',
        `The file is not UTF-8; it was read as ${this.#mapping.reading.encoding}. Look whether names with accents are right.`,
      );
    }
  }

  read(batch: TableBatch, index: number): void {
    const row = batch.rows[index];
    const { where } = batch;
    const line = batch.places[index];
    const sink = this.#sink;
    const layout = this.#layout;
    if (batch.broken.has(index)) {
      sink.notices.add(
        'line_invalid',
        `${where} ${line}`,
        'A quotation mark stands in the middle of a quoted cell: where its cells end is not certain. The row was left out.',
      );
      return;
    }
    const width = this.#headers.length;
    const isRagged = !fits(row, width);
    if (isRagged) {
      sink.notices.add(
        'row_ragged',
        `${where} ${line}`,
        `${row.length} cells where the header has ${width}. Its values are kept as received: which column each belongs to is not certain.`,
      );
    }
    const cell = (column: number): string => (column < 0 ? '' : (row[column] ?? '').trim());

    const key = cell(layout.patient);
    if (layout.patient >= 0 && isMissing(key, this.#missing)) {
      sink.notices.add('patient_unknown', `${where} ${line}`, 'The row does not say whose it is. It was left out.');
      return;
    }
    if (layout.patient >= 0 && row.every((text, column) => column === layout.patient || text.trim() === '')) {
      sink.notices.add('value_absent', `${where} ${line}`, 'Nothing stands in the row but whose it is. It was left out.');
      return;
    }
    const patient = sink.people.numberOf(key);
    if (!isRagged) this.#readPerson(sink.people.all[patient], cell, where, line);

    const when = isRagged ? 'row_ragged' : this.#when(cell, where, line);
    if (layout.value >= 0) this.#readLong(patient, cell, when, where, line);
    for (const { index: column, unit, concept } of this.#quantities) {
      const received = cell(column);
      if (received === '') continue;
      if (isMissing(received, this.#missing)) {
        this.#tellOnce('missing_token', column, received, where, line);
        continue;
      }
      sink.add({
        patient,
        concept,
        when,
        received,
        receivedUnit: unit,
        number: this.#number(received, column, where, line),
        where,
        row: line,
        column: this.#headers[column],
        isNoted: (code) => this.#isNoted(code, column, where, line),
      });
    }
  }

  #readLong(
    patient: number,
    cell: (column: number) => string,
    when: ReadDate | ImportCode | null,
    where: string,
    line: number,
  ): void {
    const layout = this.#layout;
    const code = cell(layout.code);
    const specimen = cell(layout.specimen);
    const name = nameWithSpecimen(cell(layout.analyte), isMissing(specimen, this.#missing) ? '' : specimen);
    let received = cell(layout.value);
    if (code === '' && name === '' && received === '') return;
    const sign = cell(layout.comparator);
    const hasSign = sign !== '' && !/^[=~]$/.test(sign) && !isMissing(sign, this.#missing);
    let number: ReturnType<typeof readNumber>;
    if (isMissing(received, this.#missing)) {
      if (received !== '') this.#tellOnce('missing_token', layout.value, received, where, line);
      number = 'value_absent';
    } else {
      number = this.#number(received, layout.value, where, line);
      if (hasSign) {
        received = `${sign}${received}`;
        const comparator = comparatorOf(sign);
        if (typeof number === 'object') {
          number =
            comparator === null || (number.comparator !== null && number.comparator !== comparator)
              ? 'value_not_a_number'
              : { ...number, comparator };
        }
      }
    }
    const said = this.#names.get(code === '' ? name : code) ?? null;
    const byCode = code === '' ? null : analyteOf([{ system: loinc, code }], '');
    // A person may know that a code is wrong: then it says nothing any more, not even of what it would be stored under.
    const isOverruled = said !== null && byCode !== null && said.analyte !== byCode.analyte.id;
    const unit = cell(layout.unit);
    this.#sink.add({
      patient,
      concept: this.#sink.conceptOf(code === '' || isOverruled ? [] : [{ system: loinc, code }], name || code, said),
      when,
      received,
      receivedUnit: isMissing(unit, this.#missing) ? '' : unit,
      number,
      where,
      row: line,
      column: '',
      isNoted: (problem) => this.#isNoted(problem, layout.value, where, line),
    });
  }

  #number(received: string, column: number, where: string, line: number): ReturnType<typeof readNumber> {
    if (isErrorCell(received)) return 'value_not_a_number';
    if (isAskedAbout(received)) {
      this.#tellOnce('missing_token', column, received, where, line);
      return 'missing_token';
    }
    const number = readNumber(received, this.#mapping.decimalMark);
    if (this.#mapping.decimalMark === ',' && received.includes(',')) this.#tellOnce('decimal_comma', column, ',', where, line);
    return number;
  }

  #readPerson(person: Person, cell: (column: number) => string, where: string, line: number): void {
    const layout = this.#layout;
    const sink = this.#sink;
    const said = (column: number): string => {
      const text = cell(column);
      if (text === '' || !isMissing(text, this.#missing)) return text;
      this.#tellOnce('missing_token', column, text, where, line);
      return '';
    };
    if (layout.names.length > 0 && person.name.length === 0) {
      for (const column of layout.names) {
        const text = said(column);
        if (text === '') continue;
        if (hasHiddenControls(text))
          sink.notices.add(
            'text_control_characters',
            placeText(where, line, this.#headers[column]),
            importSentences.text_control_characters,
          );
        if (text.includes('\ufffd'))
          sink.notices.add('text_damaged', placeText(where, line, this.#headers[column]), importSentences.text_damaged);
        person.name.push(cleanText(text));
      }
    }
    if (layout.birth) {
      const text = said(layout.birth.index);
      if (text !== '') {
        const when = this.#date(text, layout.birth.role.order);
        if (when === 'date_order_ambiguous') this.#tellOnce(when, layout.birth.index, '', where, line);
        else {
          if (typeof when === 'object' && layout.birth.role.order !== null && isOrdered(text))
            this.#tellOnce('date_order_ambiguous', layout.birth.index, layout.birth.role.order, where, line);
          sink.tellBirth(person, when, placeText(where, line, this.#headers[layout.birth.index]));
        }
      }
    }
    const sex = said(layout.sex);
    if (sex !== '') sink.tellSex(person, sex, placeText(where, line, this.#headers[layout.sex]));
    const age = said(layout.age);
    if (age !== '') {
      const years = readNumber(age, this.#mapping.decimalMark ?? '.');
      const place = placeText(where, line, this.#headers[layout.age]);
      if (isAskedAbout(age)) this.#tellOnce('missing_token', layout.age, age, where, line);
      else if (typeof years === 'object' && (years.value < 0 || years.value > 120)) {
        sink.notices.add('age_implausible', place, 'No person has this age. It is not kept.');
      } else tellFact(person, 'age', age);
    }
    for (const column of layout.facts) {
      const text = cell(column);
      if (text === '' || isForbiddenHeader(this.#headers[column])) continue;
      if (!tellFact(person, this.#headers[column], text.slice(0, 2000))) this.#tellOnce('id_duplicate', column, '', where, line);
    }
  }

  #when(cell: (column: number) => string, where: string, line: number): ReadDate | ImportCode | null {
    const { date, time } = this.#layout;
    if (!date) return null;
    const text = cell(date.index);
    if (isMissing(text, this.#missing)) {
      if (text !== '') this.#tellOnce('missing_token', date.index, text, where, line);
      return null;
    }
    const when = this.#date(text, date.role.order);
    if (typeof when === 'string') return when;
    if (date.role.order !== null && isOrdered(text))
      this.#tellOnce('date_order_ambiguous', date.index, date.role.order, where, line);
    const clock = cell(time);
    if (when.time !== null || when.date.length < 10 || isMissing(clock, this.#missing)) return when;
    const read = readTime(clock);
    if (read === null) {
      this.#sink.notices.add(
        'date_impossible',
        placeText(where, line, this.#headers[time]),
        'There is no such time of day. The day alone is kept.',
      );
      return when;
    }
    return { date: when.date, time: read.time, instant: instantOf(when.date, read) };
  }

  #date(text: string, order: Parameters<typeof readDate>[1]): ReadDate | ImportCode {
    const key = `${order ?? ''} ${text}`;
    const known = this.#dates.get(key);
    if (known !== undefined) return known;
    const read = readDate(text, order);
    if (this.#dates.size >= 20_000) this.#dates.clear();
    this.#dates.set(key, read);
    return read;
  }

  /** Reasons that are the whole column's are told once, with a count; others with each place. */
  #isNoted(code: ImportCode, column: number, where: string, line: number): boolean {
    const isColumns =
      code === 'missing_token' ||
      code === 'row_ragged' ||
      code === 'date_missing' ||
      code === 'decimal_comma' ||
      code === 'date_order_ambiguous';
    const isWide = this.#mapping.columns[column]?.kind === 'quantity';
    if (
      !isColumns &&
      !(
        isWide &&
        (code === 'unit_missing' || code === 'analyte_unknown' || code === 'unit_unknown' || code === 'unit_contradicts')
      )
    ) {
      return true;
    }
    if (code !== 'missing_token' && code !== 'row_ragged') {
      const dates = code === 'date_missing' || code === 'date_order_ambiguous';
      this.#tellOnce(code, dates ? (this.#layout.date?.index ?? -1) : column, '', where, line);
    }
    return false;
  }

  #tellOnce(code: ImportCode, column: number, token: string, where: string, line: number): void {
    const key = `${code} ${column} ${token}`;
    const known = this.#once.get(key);
    if (known) known.count++;
    else if (this.#once.size < 1000) this.#once.set(key, { count: 1, column, code, token, place: `${where} ${line}` });
  }

  /** Tells what was counted. */
  sumUp(): void {
    for (const { code, column, token, count, place } of this.#once.values()) {
      const name = column < 0 ? '' : `column "${this.#headers[column]}"`;
      this.#sink.notices.add(
        code,
        name || place,
        `${onceSentence(code, token)} First at ${place}; ${count} ${count === 1 ? 'time' : 'times'}.`,
      );
    }
  }
}

/** Whether reading it took a choice of day or month first. */
function isOrdered(text: string): boolean {
  return /^\d{1,2}[-/]\d{1,2}[-/]\d{4}/.test(text);
}

function onceSentence(code: ImportCode, token: string): string {
  switch (code) {
    case 'missing_token':
      return isAskedAbout(token)
        ? `${token} may mean "no value": say whether it does. Until then it is kept as received.`
        : `"${shortened(token, 30)}" is read as no value, never as zero.`;
    case 'decimal_comma':
      return token === ','
        ? 'Numbers are read with a decimal comma: 1,1 is one and a tenth. Confirm it.'
        : 'Numbers can be read in two ways and stay unread until the decimal mark is chosen.';
    case 'date_order_ambiguous':
      if (token === '')
        return 'Day and month cannot be told apart: unread until their order is chosen. A year of two digits stays unread: write it with four.';
      return `Dates are read with ${token === 'dmy' ? 'the day' : 'the month'} first. Confirm it.`;
    case 'id_duplicate':
      return 'Rows of one person say different things here. None of them is kept.';
    default:
      return importSentences[code];
  }
}
