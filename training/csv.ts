/** A table as text: the header's names and, for each further line of the file, one field a column and the line it began on. */
export interface CsvTable {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly line: number; readonly fields: readonly string[] }[];
}

/** A file that is not what its format promises. The message names file, row and column, never a person's values. */
export class ClinicalDataError extends Error {
  readonly code = 'clinical_data_invalid';

  constructor(message: string) {
    super(`clinical_data_invalid: ${message}`);
    this.name = 'ClinicalDataError';
  }
}

/** Splits RFC 4180 text into records; quoted fields may hold commas, doubled quotes and line breaks. */
function records(text: string, file: string): { line: number; fields: string[] }[] {
  const out: { line: number; fields: string[] }[] = [];
  let line = 1;
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  while (at < text.length) {
    const started = line;
    const fields: string[] = [];
    for (;;) {
      let field = '';
      if (text[at] === '"') {
        at++;
        for (;;) {
          const close = text.indexOf('"', at);
          if (close < 0)
            throw new ClinicalDataError(`${file}, row ${started}: a quoted field is not closed. Add the missing quote.`);
          field += text.slice(at, close);
          at = close + 1;
          if (text[at] !== '"') break;
          field += '"';
          at++;
        }
        line += field.split('\n').length - 1;
        if (at < text.length && !',\r\n'.includes(text[at]!)) {
          throw new ClinicalDataError(
            `${file}, row ${started}: text after a closing quote. Expected a comma or the end of the row.`,
          );
        }
      } else {
        const from = at;
        while (at < text.length && !',\r\n"'.includes(text[at]!)) at++;
        if (text[at] === '"') {
          throw new ClinicalDataError(`${file}, row ${started}: a quote inside an unquoted field. Quote the whole field.`);
        }
        field = text.slice(from, at);
      }
      fields.push(field);
      if (text[at] !== ',') break;
      at++;
    }
    if (text[at] === '\r') at++;
    if (text[at] === '\n') at++;
    line++;
    out.push({ line: started, fields });
  }
  return out;
}

/** Reads strict CSV: a header of distinct names, then rows of exactly as many fields. `file` names the source in errors. */
export function parseCsv(text: string, file: string): CsvTable {
  const [header, ...rows] = records(text, file);
  if (header === undefined) throw new ClinicalDataError(`${file} is empty. Expected a header row.`);
  const columns = header.fields;
  columns.forEach((name, j) => {
    if (name === '') throw new ClinicalDataError(`${file}, row 1: column ${j + 1} has no name.`);
    if (columns.indexOf(name) !== j) throw new ClinicalDataError(`${file}, row 1: column '${name}' appears twice.`);
  });
  for (const { line, fields } of rows) {
    if (fields.length !== columns.length) {
      throw new ClinicalDataError(`${file}, row ${line}: ${fields.length} fields. Expected ${columns.length}, as in the header.`);
    }
  }
  return { columns, rows };
}

const numberPattern = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** The number that a field spells, or `null` when it spells none. */
export function parseNumber(field: string): number | null {
  return numberPattern.test(field) ? Number(field) : null;
}
