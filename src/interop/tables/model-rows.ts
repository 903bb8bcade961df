/** Rows of a table whose columns a data model names: OMOP and SDTM. */
import { hasHiddenControls } from '../clean-text.ts';
import type { Notices } from '../notices.ts';
import { importSentences } from '../sentences.ts';
import type { TableReading } from './mapping.ts';
import { findStart, fits, tableRows } from './table-rows.ts';
import type { FileSource, Pace } from './text-file.ts';

/** A file of a model, and which of its tables it is. */
export interface ModelFile {
  readonly file: FileSource;
  readonly reading: TableReading;
  readonly part: string;
}

export interface ModelRow {
  /** By name in any case; empty for a column that is not there and for tokens of "no value". */
  readonly cell: (name: string) => string;
  readonly row: number;
}

/** What databases, SAS and R write for an empty field. Words are left: in a data model `NOT DONE` and `unknown` say something. */
const empty: ReadonlySet<string> = new Set(['', '.', '\\n', 'null', '(null)', 'na', 'nan']);

/** Calls `take` for each whole row. `where` names file and line, as in `measurement.csv line`. */
export async function eachRow(
  { file, reading }: ModelFile,
  notices: Notices,
  pace: Pace,
  take: (row: ModelRow, where: string) => void,
): Promise<void> {
  const where = `${file.name} line`;
  let columns: ReadonlyMap<string, number> | null = null;
  let width = 0;
  for await (const batch of tableRows(file, reading, pace)) {
    let from = 0;
    if (!columns) {
      if (batch.rows.length === 0) continue;
      const start = findStart(batch.rows, true);
      columns = new Map(start.headers.map((header, index) => [header.toLowerCase(), index]));
      width = start.headers.length;
      from = start.first;
    }
    const known = columns;
    for (let i = from; i < batch.rows.length; i++) {
      const cells = batch.rows[i];
      const row = batch.places[i];
      if (!fits(cells, width) || batch.broken.has(i)) {
        notices.add(
          'row_ragged',
          `${where} ${row}`,
          `${cells.length} cells where the header has ${width}. The row was left out.`,
        );
        continue;
      }
      const cell = (name: string): string => {
        const index = known.get(name);
        if (index === undefined) return '';
        const text = cells[index].trim();
        return text.length < 7 && empty.has(text.toLowerCase()) ? '' : text;
      };
      if (cells.some((text) => text.includes('\ufffd')))
        notices.add('text_damaged', `${where} ${row}`, importSentences.text_damaged);
      if (cells.some(hasHiddenControls))
        notices.add('text_control_characters', `${where} ${row}`, importSentences.text_control_characters);
      take({ cell, row }, where);
    }
  }
}
