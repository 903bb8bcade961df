/** A first look at a whole table: what the mapping screen shows, and a mapping suggested from all of its cells. */
import { analyteOf } from '../analytes.ts';
import { cleanText, shortened } from '../clean-text.ts';
import type { ImportFormat } from '../imported.ts';
import { Notices } from '../notices.ts';
import { detached } from '../observation-store.ts';
import type { TableLook, TableName } from '../protocol.ts';
import { ImportRefusal } from '../refusal.ts';
import { importSentences } from '../sentences.ts';
import { isMissing } from './cells.ts';
import { findDelimiter } from './csv-rows.ts';
import { ColumnEvidence } from './evidence.ts';
import { nameWithSpecimen } from './header-words.ts';
import { sampleRows, type ColumnRole, type TableReading } from './mapping.ts';
import { loinc } from './observation-sink.ts';
import { suggestColumns, suggestMapping } from './suggest.ts';
import { findStart, fits, tableRows, type TableBatch, type TableStart } from './table-rows.ts';
import { findEncoding, textOf, type FileSource, type Pace } from './text-file.ts';
import { readWorkbook, type Sheet } from './workbook.ts';

const mostNames = 500;
/** Rows from which the columns' meanings are suggested; decimal marks and orders of dates are looked for in all. */
const rowsForRoles = 2000;

export interface LookedAt {
  readonly format: ImportFormat;
  readonly table: TableLook;
  readonly notices: Notices;
}

/** How a text file is probably written, and its headers. `delimiterIsUncertain`: a person should look. */
export interface TextGuess {
  readonly reading: TableReading;
  readonly delimiterIsUncertain: boolean;
  readonly headers: readonly string[];
}

const sampleLength = 256 * 1024;

/** Reads the file once for its encoding, and its beginning for the rest. */
export async function guessReading(file: FileSource, pace: Pace): Promise<TextGuess> {
  const encoding = await findEncoding(file, pace);
  let sample = '';
  let isWhole = true;
  for await (const text of textOf(file, encoding, () => {})) {
    sample += text;
    if (sample.length < sampleLength) continue;
    isWhole = false;
    break;
  }
  const { delimiter, isUncertain } = findDelimiter(sample, isWhole);
  const reading = { encoding, delimiter, sheet: null, hasHeader: true };
  for await (const batch of tableRows(file, reading, () => {})) {
    if (batch.rows.length === 0) continue;
    const { headers, hasHeader } = findStart(batch.rows, null);
    return { reading: { ...reading, hasHeader }, delimiterIsUncertain: isUncertain, headers };
  }
  throw new ImportRefusal('empty', importSentences.empty);
}

/** The sheets of a workbook, and how its first sheet with rows is read. */
export async function guessSheet(
  file: FileSource,
  pace: Pace,
): Promise<{ readonly sheets: readonly string[]; readonly reading: TableReading }> {
  const sheets = await readWorkbook(file, pace);
  // A cover or a legend in front has sentences, not rows of cells.
  const hasRow = (least: number) => (sheet: Sheet) =>
    sheet.rows.some((row) => row.filter((cell) => cell.trim() !== '').length >= least);
  const first = sheets.find(hasRow(3)) ?? sheets.find(hasRow(1)) ?? sheets[0];
  if (!first) throw new ImportRefusal('empty', 'The workbook has no sheet.');
  const rows = first.rows.filter((row) => row.some((cell) => cell.trim() !== '')).slice(0, 100);
  const { hasHeader } = findStart(rows, null);
  return {
    sheets: sheets.map(({ name }) => name),
    reading: { encoding: 'utf-8', delimiter: ',', sheet: first.name, hasHeader },
  };
}

/** Reads the whole table once. */
export async function lookAtTable(
  file: FileSource,
  reading: TableReading,
  sheets: readonly string[],
  delimiterIsUncertain: boolean,
  pace: Pace,
): Promise<LookedAt> {
  const gatherer = new Gatherer();
  for await (const batch of tableRows(file, reading, pace)) gatherer.take(batch, reading);
  const { start, evidence } = gatherer;
  if (!start) throw new ImportRefusal('empty', importSentences.empty);
  const columns = gatherer.columns();
  const names = gatherer.names();
  const { mapping, questions } = suggestMapping(start.headers, columns, evidence, names, reading);
  const notices = new Notices();
  if (delimiterIsUncertain) notices.add('delimiter_guessed', '', importSentences.delimiter_guessed);
  if (reading.sheet !== null && sheets.length > 1) {
    notices.add('resource_unread', `sheet "${reading.sheet}"`, 'One sheet is read at a time. For the others, choose the file again and another sheet.'); // prettier-ignore
  }
  if (gatherer.rowCount === 0) notices.add('no_rows', '', importSentences.no_rows);
  return {
    format: mapping.shape === 'long' ? 'table-long' : 'table-wide',
    notices,
    table: {
      sheets,
      columns: start.headers.map((header, index) => ({
        header: shortened(cleanText(header), 200),
        samples: evidence[index].samples,
        filled: evidence[index].filled,
        numbers: evidence[index].numbers,
        dates: evidence[index].dates,
      })),
      rows: gatherer.samples,
      rowCount: gatherer.rowCount,
      names,
      suggestion: mapping,
      questions: delimiterIsUncertain
        ? [
            { code: 'delimiter_guessed', column: null, token: '', message: importSentences.delimiter_guessed, isOpen: false },
            ...questions,
          ]
        : questions,
    },
  };
}

class Gatherer {
  start: TableStart | null = null;
  evidence: readonly ColumnEvidence[] = [];
  rowCount = 0;
  readonly samples: string[][] = [];
  readonly #names = new Map<string, { count: number; readonly units: Set<string>; label: string; readonly isCode: boolean }>();
  #columns: readonly ColumnRole[] | null = null;
  #nameColumns: { readonly code: number; readonly analyte: number; readonly unit: number; readonly specimen: number } | null =
    null;
  /** Rows seen before the columns' meanings were settled. */
  #early: (readonly string[])[] = [];

  take(batch: TableBatch, reading: TableReading): void {
    let from = 0;
    if (!this.start) {
      if (batch.rows.length === 0) return;
      this.start = findStart(batch.rows, reading.hasHeader);
      this.evidence = this.start.headers.map(() => new ColumnEvidence());
      from = this.start.first;
    }
    const width = this.evidence.length;
    for (let i = from; i < batch.rows.length; i++) {
      const row = batch.rows[i];
      this.rowCount++;
      if (this.samples.length < sampleRows) {
        this.samples.push(Array.from({ length: width }, (_, column) => detached((row[column] ?? '').slice(0, 500))));
      }
      if (!fits(row, width) || batch.broken.has(i)) continue;
      for (let column = 0; column < width; column++) this.evidence[column].see(row[column]);
      if (this.#columns) this.#seeName(row);
      else if (this.#early.push(row) === rowsForRoles) this.columns();
    }
  }

  columns(): readonly ColumnRole[] {
    if (!this.#columns) {
      const columns = suggestColumns(this.start?.headers ?? [], this.evidence);
      const at = (kind: ColumnRole['kind']) => columns.findIndex((role) => role.kind === kind);
      this.#columns = columns;
      this.#nameColumns = { code: at('code'), analyte: at('analyte'), unit: at('unit'), specimen: at('specimen') };
      for (const row of this.#early) this.#seeName(row);
      this.#early = [];
    }
    return this.#columns;
  }

  #seeName(row: readonly string[]): void {
    const { code, analyte, unit: unitAt, specimen } = this.#nameColumns!;
    // A LOINC code needs no name; one that is not known shows as a code that somebody may name.
    const coded = (row[code] ?? '').trim();
    const label = nameWithSpecimen((row[analyte] ?? '').trim(), specimenOf(row[specimen] ?? ''));
    const name = coded || label;
    if (name === '') return;
    const known = this.#names.get(name);
    const unit = (row[unitAt] ?? '').trim();
    if (known) {
      known.count++;
      if (known.label === '' && coded !== '' && label !== '') known.label = detached(label);
      if (unit !== '' && known.units.size < 5 && !known.units.has(unit)) known.units.add(detached(unit));
    } else if (this.#names.size < mostNames * 4) {
      this.#names.set(detached(name), {
        count: 1,
        units: new Set(unit === '' ? [] : [detached(unit)]),
        label: coded === '' ? '' : detached(label),
        isCode: coded !== '',
      });
    }
  }

  names(): readonly TableName[] {
    return [...this.#names]
      .map(([name, { count, units, label, isCode }]) => ({
        name,
        count,
        units: [...units],
        label: shortened(cleanText(label)),
        byCode: isCode ? (analyteOf([{ system: loinc, code: name }], '')?.analyte.id ?? null) : null,
      }))
      .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
      .slice(0, mostNames);
  }
}

const none: ReadonlySet<string> = new Set();

function specimenOf(cell: string): string {
  const text = cell.trim();
  return isMissing(text, none) ? '' : text;
}
