/** Sheets of an .xlsx workbook as rows of text. Formulas count as the text or number that was stored with them; nothing is computed. */
import readWorkbookFile from 'read-excel-file/universal';
import { ImportRefusal } from '../refusal.ts';
import { mostColumns } from './csv-rows.ts';
import type { FileSource, Pace } from './text-file.ts';
import { readZip, storedZip, type ZipEntry } from './zip.ts';

export interface Sheet {
  readonly name: string;
  /** Row `i` is the sheet's row i + 1; blank rows are there, so that places count as the spreadsheet shows them. */
  readonly rows: readonly (readonly string[])[];
}

const mostBytes = 64 * 1024 * 1024;
/** Cells of all sheets, gaps included: a single cell far out makes a sheet as wide and long as its place says. */
const mostCells = 5_000_000;
const mostRows = 1_048_576;

/** Rejects with `spreadsheet_unreadable`, `too_large`, or `format_unknown` for an archive that is no workbook. */
export async function readWorkbook(file: FileSource, pace: Pace): Promise<readonly Sheet[]> {
  if (file.size > mostBytes) {
    throw new ImportRefusal(
      'too_large',
      `The workbook has ${Math.ceil(file.size / 1e6)} MB; at most ${Math.floor(mostBytes / 1e6)} MB are read. Save the sheet as CSV: a text file may be of any size.`,
    );
  }
  const bytes = new Uint8Array(file.size);
  let length = 0;
  for await (const chunk of file.chunks()) {
    bytes.set(chunk.subarray(0, bytes.length - length), length);
    length = Math.min(length + chunk.length, bytes.length);
    await pace(length);
  }
  const entries = await readZip(
    bytes,
    (name) => name === 'mimetype' || (name.startsWith('xl/') && /\.(?:xml|xml\.rels)$/.test(name)),
  );
  if (!entries.some(({ name }) => name === 'xl/workbook.xml')) throw notAWorkbook(entries);
  const parts = entries.filter(({ name }) => name !== 'mimetype').map(checked);
  await pace(length);
  try {
    const sheets = await readWorkbookFile(storedZip(parts), { trim: false, parseNumber: numberText });
    return sheets.map(({ sheet, data }) => ({ name: sheet, rows: data.map((row) => row.map(cellText)) }));
  } catch {
    // Whatever its XML parser stumbled over; the parser's sentences are about tags.
    throw new ImportRefusal(
      'spreadsheet_unreadable',
      'The workbook cannot be read: one of its parts is not what a workbook has there. Open it in a spreadsheet program and save it again, or save the sheet as CSV.',
    );
  }
}

/** As few digits as tell the number apart: a spreadsheet stores 1.1 as 1.1000000000000001. */
function numberText(stored: string): string {
  const value = Number(stored);
  return Number.isFinite(value) ? String(value) : stored;
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  if (cell instanceof Date) return dateText(cell);
  return String(cell);
}

/** A serial date as ISO text; the reader has taken the workbook's 1900 or 1904 system into account. */
function dateText(date: Date): string {
  const second = Math.round(date.getTime() / 1000) * 1000;
  if (!Number.isFinite(second) || Math.abs(second) > 8e15) return '';
  const text = new Date(second).toISOString().slice(0, 19);
  // A time without a day is a share of day zero.
  if (text < '1900-01-01') return text.slice(11, 16);
  return text.endsWith('T00:00:00') ? text.slice(0, 10) : text;
}

/**
 * Of a sheet: refuses cells so far out that the gaps would fill the memory, and turns error cells (`#DIV/0!`), which the library leaves
 * out, into text, so that they are refused with a reason and not taken for empty.
 */
function checked(entry: ZipEntry): ZipEntry {
  if (!entry.name.startsWith('xl/worksheets/') || !entry.name.endsWith('.xml')) return entry;
  const text = new TextDecoder().decode(entry.bytes);
  let row = 0;
  let width = 0;
  let cells = 0;
  for (const [, letters, digits] of text.matchAll(/\sr\s*=\s*["']([A-Za-z]{0,4})(\d{1,10})["']/g)) {
    const column = columnNumber(letters);
    if (Number(digits) !== row) {
      cells += width + Math.max(0, Number(digits) - row - 1);
      row = Number(digits);
      width = 0;
    }
    width = Math.max(width, column);
    if (row > mostRows || column > mostColumns || cells + width > mostCells) {
      throw new ImportRefusal(
        'too_large',
        `The sheet is larger than ${mostColumns} columns or ${mostCells / 1e6} million cells, empty ones between included. Save the part that is needed as CSV.`,
      );
    }
  }
  const shown = text.replace(/(<(?:\w+:)?c\b[^>]*?\st\s*=\s*["'])e(?=["'])/g, '$1str');
  return { name: entry.name, bytes: new TextEncoder().encode(shown) };
}

function columnNumber(letters: string): number {
  let column = 0;
  for (const letter of letters.toUpperCase()) column = column * 26 + letter.charCodeAt(0) - 64;
  return column;
}

function notAWorkbook(entries: readonly ZipEntry[]): ImportRefusal {
  const kind = new TextDecoder().decode(entries.find(({ name }) => name === 'mimetype')?.bytes ?? new Uint8Array());
  if (kind.includes('opendocument')) {
    return new ImportRefusal('spreadsheet_unreadable', 'The file is an OpenDocument file. Save the sheet as .xlsx or CSV.');
  }
  return new ImportRefusal('format_unknown', 'The file is a ZIP archive and no workbook. Unpack it and choose the files in it.');
}
