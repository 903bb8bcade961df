/** What the columns of a table mean: suggested from headers and contents, confirmed by a person, remembered by the page. */

export const encodings = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252'] as const;
export type Encoding = (typeof encodings)[number];

export const delimiters = [',', ';', '\t', '|'] as const;
export type Delimiter = (typeof delimiters)[number];

/** How a file becomes rows of cells. Of a workbook only `sheet` counts, of a text file the rest. */
export interface TableReading {
  readonly encoding: Encoding;
  readonly delimiter: Delimiter;
  /** Name of the sheet; null in a text file. */
  readonly sheet: string | null;
  /** False: the first row is data, and columns are called `column 1`, `column 2`… */
  readonly hasHeader: boolean;
}

/** Of dates like 01/02/2023. Dates with the year first, with dots or with a month's name need none. */
export type DateOrder = 'dmy' | 'mdy';
export type DecimalMark = '.' | ',';

export type ColumnRole =
  | { readonly kind: 'ignore' }
  /** Tells people apart; kept as text, zeros in front included. */
  | { readonly kind: 'patient' }
  | { readonly kind: 'name' }
  | { readonly kind: 'sex' }
  /** Kept as the fact `age`, as received: a birth date is never computed from it. */
  | { readonly kind: 'age' }
  /** `order` null: dates that need one stay unread. */
  | { readonly kind: 'birth-date'; readonly order: DateOrder | null }
  | { readonly kind: 'date'; readonly order: DateOrder | null }
  | { readonly kind: 'time' }
  /** Long tables: a name, matched through `TableMapping.names`. */
  | { readonly kind: 'analyte' }
  /** Long tables: a LOINC code, matched at once. */
  | { readonly kind: 'code' }
  | { readonly kind: 'value' }
  | { readonly kind: 'unit' }
  /** `<`, `>`, `≤`, `≥` in a column of its own. */
  | { readonly kind: 'comparator' }
  /** Long tables: what was sampled. Anything but blood is part of the name: creatinine in urine is another quantity. */
  | { readonly kind: 'specimen' }
  /** Something of the person that is not a dated value, kept as text. */
  | { readonly kind: 'fact' }
  /**
   * Wide tables: values of one analyte. `unit` empty: it was not said, and the values stay as received (`unit_missing`); `analyte`
   * null: nobody said what it is.
   */
  | { readonly kind: 'quantity'; readonly analyte: string | null; readonly unit: string };

/** What a name or a local code in a long table stands for: confirmed by a person, or certain. */
export interface NameMapping {
  readonly name: string;
  /** Id of the analyte table; null: kept as received. */
  readonly analyte: string | null;
  /** Of rows whose unit cell is empty; empty: they stay as received. */
  readonly unit: string;
}

export interface TableMapping {
  readonly version: 1;
  readonly shape: 'long' | 'wide';
  readonly reading: TableReading;
  /** One for each column, in the file's order. */
  readonly columns: readonly ColumnRole[];
  readonly names: readonly NameMapping[];
  /** Null: numbers that a comma makes ambiguous stay unread. */
  readonly decimalMark: DecimalMark | null;
  /** Tokens of this file that mean "no value", besides `alwaysMissing`. A token that was asked about and is not here is unread. */
  readonly missing: readonly string[];
}

/** Rows that a first look shows. */
export const sampleRows = 50;
