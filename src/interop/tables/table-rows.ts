/** A table, whatever file it stands in: batches of rows, and where its header and its data begin. */
import { looksLikeDate } from './cells.ts';
import { csvRows, type RowBatch } from './csv-rows.ts';
import { roleOfHeader } from './header-words.ts';
import type { TableReading } from './mapping.ts';
import { textOf, type FileSource, type Pace } from './text-file.ts';
import { readWorkbook, type Sheet } from './workbook.ts';

export interface TableBatch extends RowBatch {
  /** What stands before the number in a place: `line`, `sheet "Labs", row`. */
  readonly where: string;
}

/** Reads a text file, or the sheet of a workbook, from the beginning. */
export async function* tableRows(file: FileSource, reading: TableReading, pace: Pace): AsyncGenerator<TableBatch> {
  if (reading.sheet === null) {
    for await (const batch of csvRows(textOf(file, reading.encoding, pace), reading.delimiter)) yield { ...batch, where: 'line' };
    return;
  }
  const sheet = (await readWorkbook(file, pace)).find(({ name }) => name === reading.sheet);
  if (sheet) yield sheetBatch(sheet);
}

const noneBroken: ReadonlySet<number> = new Set();

function sheetBatch({ name, rows }: Sheet): TableBatch {
  const filled = rows
    .map((row, index) => ({ row, place: index + 1 }))
    .filter(({ row }) => row.some((cell) => cell.trim() !== ''));
  const width = Math.max(0, ...filled.map(({ row }) => lastFilled(row)));
  return {
    where: `sheet "${name}", row`,
    // A sheet is a grid: a short row there is one whose last cells are empty.
    rows: filled.map(({ row }) => (row.length === width ? row : Array.from({ length: width }, (_, i) => row[i] ?? ''))),
    places: filled.map(({ place }) => place),
    broken: noneBroken,
  };
}

function lastFilled(row: readonly string[]): number {
  let last = row.length;
  while (last > 0 && row[last - 1].trim() === '') last--;
  return last;
}

export interface TableStart {
  /** Of the header row in the first batch; data start after it. -1 where the table has none and data start at `first`. */
  readonly header: number;
  readonly first: number;
  readonly headers: readonly string[];
  /** False where `hasHeader` was not given and nothing tells a header from data. */
  readonly hasHeader: boolean;
}

/** Titles and comments above a table have fewer cells than it. `hasHeader` null: found out. */
export function findStart(rows: readonly (readonly string[])[], hasHeader: boolean | null): TableStart {
  const seen = rows.slice(0, 100);
  const counts = seen.map((row) => row.filter((cell) => cell.trim() !== '').length);
  // Lines of a single cell say nothing of how wide the table is, however many stand above it.
  const wide = counts.filter((count) => count > 1).toSorted((a, b) => a - b);
  const usual = wide[Math.floor(wide.length / 2)] ?? 0;
  const least = usual >= 2 ? Math.max(2, Math.ceil(usual / 2)) : 1;
  const isComment = (row: readonly string[]) => row[0].startsWith('#') && roleOfHeader(row[0]) === null;
  let start = seen.findIndex((row, index) => counts[index] >= least && !isComment(row));
  if (start < 0) start = 0;
  const row = seen[start] ?? [];
  const isHeader = hasHeader ?? looksLikeHeader(row);
  return {
    header: isHeader ? start : -1,
    first: isHeader ? start + 1 : start,
    headers: row.map((cell, index) => (isHeader && cell.trim() !== '' ? cell.trim() : `column ${index + 1}`)),
    hasHeader: isHeader,
  };
}

function looksLikeHeader(row: readonly string[]): boolean {
  if (row.some((cell) => roleOfHeader(cell) !== null)) return true;
  return !row.some((cell) => /^[<>]?\s*[+-]?\d[\d.,]*$/.test(cell.trim()) || looksLikeDate(cell.trim()));
}

/** Whether a row has the table's cells: more only if they are empty. A row that has not is never read as if it had. */
export function fits(row: readonly string[], width: number): boolean {
  return row.length === width || (row.length > width && lastFilled(row) <= width);
}
