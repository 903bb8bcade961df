/** Text to rows of cells, with the line that each row starts on. */
import Papa from 'papaparse';
import { ImportRefusal } from '../refusal.ts';
import { delimiters, type Delimiter } from './mapping.ts';

/** Rows in the file's order. `place` numbers are 1-based: lines of a text file, rows of a sheet. */
export interface RowBatch {
  readonly rows: readonly (readonly string[])[];
  readonly places: readonly number[];
  /** Indices of rows whose quotes are malformed: what belongs to which cell is not certain. */
  readonly broken: ReadonlySet<number>;
}

/** A longer line, or an open quote over so much text, is no table. */
const longestRow = 4 * 1024 * 1024;
export const mostColumns = 2000;
/** Text is parsed in pieces of about this length: long enough that the row cut in two at the end is parsed again at little cost. */
const pieceLength = 256 * 1024;

interface Parsed {
  readonly data: string[][];
  readonly errors: readonly { readonly code: string; readonly row?: number }[];
  readonly meta: { readonly cursor: number };
}

/**
 * `Papa.parse` can stream only a File, with file readers of its own; its parser alone takes text that somebody else decoded, and leaves the
 * last row for the next piece.
 */
function parse(text: string, delimiter: Delimiter, isLast: boolean): Parsed {
  return new Papa.Parser({ delimiter, newline: '\n', quoteChar: '"' }).parse(text, 0, !isLast) as Parsed;
}

/** Blank lines, with separators or without, and lines that are one cell starting with `#`, are left out wherever they stand. Refuses a quote that is never closed. */
export async function* csvRows(text: AsyncIterable<string>, delimiter: Delimiter): AsyncGenerator<RowBatch> {
  let rest = '';
  let line = 1;
  function take(piece: string, isLast: boolean): RowBatch {
    const { data, errors, meta } = parse(piece, delimiter, isLast);
    const isQuoted = piece.includes('"');
    const rows: string[][] = [];
    const places: number[] = [];
    const broken = new Set<number>();
    const brokenRows = new Set<number>();
    for (const { code, row } of errors) {
      if (code === 'MissingQuotes') throw unterminated(line + linesBefore(data, row ?? data.length));
      brokenRows.add(row ?? data.length);
    }
    data.forEach((row, index) => {
      const lines = isQuoted ? lineCount(row) : 1;
      if (brokenRows.has(index) && lines > 1) throw unterminated(line);
      const isEmpty = row.every((cell) => cell.trim() === '') || (row.length === 1 && row[0].startsWith('#'));
      if (!isEmpty) {
        if (row.length > mostColumns) throw tooWide(line, row.length);
        if (brokenRows.has(index)) broken.add(rows.length);
        rows.push(row);
        places.push(line);
      }
      line += lines;
    });
    rest = isLast ? '' : piece.slice(meta.cursor);
    if (rest.length > longestRow) throw rest.includes('"') ? unterminated(line) : tooLong(line);
    return { rows, places, broken };
  }

  let waiting: string[] = [];
  let waitingLength = 0;
  for await (const part of text) {
    waiting.push(part);
    waitingLength += part.length;
    if (waitingLength < pieceLength) continue;
    yield take(rest + waiting.join(''), false);
    waiting = [];
    waitingLength = 0;
  }
  const last = rest + waiting.join('');
  if (last) yield take(last, true);
}

function lineCount(row: readonly string[]): number {
  let lines = 1;
  for (const cell of row) {
    for (let at = cell.indexOf('\n'); at >= 0; at = cell.indexOf('\n', at + 1)) lines++;
  }
  return lines;
}

function linesBefore(rows: readonly (readonly string[])[], end: number): number {
  let lines = 0;
  for (let i = 0; i < end && i < rows.length; i++) lines += lineCount(rows[i]);
  return lines;
}

export interface DelimiterGuess {
  readonly delimiter: Delimiter;
  /** Another one would fit as well, or none does. */
  readonly isUncertain: boolean;
}

/** The delimiter that gives most rows the same number of cells, at least two. `sample` may end in the middle of a row. */
export function findDelimiter(sample: string, isWhole: boolean): DelimiterGuess {
  const fits = delimiters.map((delimiter) => {
    const rows = parse(sample, delimiter, isWhole)
      .data.filter((row) => (row.length > 1 || row[0].trim() !== '') && !row[0].startsWith('#'))
      .slice(0, 200);
    const counts = new Map<number, number>();
    for (const row of rows) counts.set(row.length, (counts.get(row.length) ?? 0) + 1);
    const [width, times] = [...counts].filter(([cells]) => cells > 1).sort((a, b) => b[1] - a[1] || b[0] - a[0])[0] ?? [1, 0];
    return { delimiter, width, share: rows.length === 0 ? 0 : times / rows.length };
  });
  const [best, second] = fits.toSorted((a, b) => b.share - a.share || b.width - a.width);
  if (best.share === 0) return { delimiter: ',', isUncertain: true };
  return { delimiter: best.delimiter, isUncertain: second.share === best.share && second.width === best.width };
}

function unterminated(line: number): ImportRefusal {
  return new ImportRefusal(
    'quote_unterminated',
    `line ${line}: a cell starts with a quotation mark that is not closed where the cell ends, so it would swallow the rows after it. Close it, or write it twice, and choose the file again.`,
  );
}

function tooWide(line: number, cells: number): ImportRefusal {
  return new ImportRefusal('too_large', `line ${line}: ${cells} cells. A table may have ${mostColumns} columns.`);
}

function tooLong(line: number): ImportRefusal {
  return new ImportRefusal(
    'too_large',
    `line ${line}: the line does not end within ${longestRow / 1024 / 1024} million characters.`,
  );
}
