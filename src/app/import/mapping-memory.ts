/** What a person once said about a file's columns, names and codes: kept sealed in the vault, and offered again. */
import { analyteById } from '#interop/analytes.ts';
import type { ConfirmedCode, TableLook } from '#interop/protocol.ts';
import { delimiters, encodings } from '#interop/tables/mapping.ts';
import type { TableMapping } from '#interop/tables/mapping.ts';
import type { Kept, Shelf } from '#vault/vault.ts';
import * as v from 'valibot';

const order = v.nullable(v.picklist(['dmy', 'mdy']));
const plainRoles = [
  'ignore',
  'patient',
  'name',
  'sex',
  'age',
  'time',
  'analyte',
  'code',
  'value',
  'unit',
  'comparator',
  'specimen',
  'fact',
] as const;

const role = v.variant('kind', [
  v.object({ kind: v.picklist(plainRoles) }),
  v.object({ kind: v.picklist(['birth-date', 'date']), order }),
  v.object({ kind: v.literal('quantity'), analyte: v.nullable(v.string()), unit: v.string() }),
]);

const mappingSchema = v.object({
  version: v.literal(1),
  shape: v.picklist(['long', 'wide']),
  reading: v.object({
    encoding: v.picklist(encodings),
    delimiter: v.picklist(delimiters),
    sheet: v.nullable(v.string()),
    hasHeader: v.boolean(),
  }),
  columns: v.array(role),
  names: v.array(v.object({ name: v.string(), analyte: v.nullable(v.string()), unit: v.string() })),
  decimalMark: v.nullable(v.picklist(['.', ','])),
  missing: v.array(v.string()),
});

const schema = v.variant('kind', [
  v.object({ kind: v.literal('table'), headers: v.array(v.string()), mapping: mappingSchema }),
  v.object({
    kind: v.literal('codes'),
    codes: v.array(v.object({ system: v.string(), code: v.string(), analyte: v.string() })),
  }),
]);
export type Remembered = v.InferOutput<typeof schema>;

/** The one door for what is stored in the table `mappings`. */
export function readRemembered(stored: unknown): Remembered {
  return v.parse(schema, stored);
}

/** The confirmed codes stand in one row of their own. */
const codesId = 'codes';

export class MappingMemory {
  readonly #shelf: Shelf<Remembered>;
  readonly #newId: () => string;
  #rows: readonly Kept<Remembered>[] = [];

  constructor(shelf: Shelf<Remembered>, newId: () => string) {
    this.#shelf = shelf;
    this.#newId = newId;
  }

  /** What cannot be read is asked for anew: nothing is lost but a convenience. */
  async load(): Promise<void> {
    this.#rows = (await this.#shelf.all()).kept;
  }

  /** The mapping confirmed for a table with these columns, fitted to this file; null if there is none. */
  mappingFor(look: TableLook): TableMapping | null {
    const row = this.#tableRow(look.columns.map(({ header }) => header));
    return row ? fitted(row.mapping, look) : null;
  }

  get codes(): readonly ConfirmedCode[] {
    const row = this.#rows.find(({ id }) => id === codesId)?.value;
    // An analyte that this version no longer knows is asked about again.
    return row?.kind === 'codes' ? row.codes.filter(({ analyte }) => analyteById(analyte) !== null) : [];
  }

  /** A mapping that cannot be kept still holds for this import. */
  async rememberTable(look: TableLook, mapping: TableMapping): Promise<void> {
    const headers = look.columns.map(({ header }) => header);
    const there = this.#rows.find(({ value }) => value.kind === 'table' && sameHeaders(value.headers, headers));
    const old = there?.value.kind === 'table' ? there.value.mapping.names : [];
    // Names of earlier files stay known.
    const names = [...mapping.names, ...old.filter(({ name }) => !mapping.names.some((one) => one.name === name))];
    const value = { kind: 'table', headers, mapping: { ...mapping, names } } as Remembered;
    await this.#shelf.put(there?.id ?? this.#newId(), value, 'any');
    await this.load();
  }

  async rememberCodes(codes: readonly ConfirmedCode[]): Promise<void> {
    const isSame = (a: ConfirmedCode, b: ConfirmedCode) => a.system === b.system && a.code === b.code;
    const kept = this.codes.filter((one) => !codes.some((other) => isSame(one, other)));
    await this.#shelf.put(codesId, { kind: 'codes', codes: [...kept, ...codes] }, 'any');
    await this.load();
  }

  #tableRow(headers: readonly string[]) {
    const row = this.#rows.find(({ value }) => value.kind === 'table' && sameHeaders(value.headers, headers))?.value;
    return row?.kind === 'table' ? row : null;
  }
}

function sameHeaders(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((header, index) => header === other[index]);
}

/** Meanings come from memory; how the file is written comes from the file. */
function fitted(remembered: TableMapping, { suggestion }: TableLook): TableMapping {
  const known = remembered.names.filter(({ analyte }) => analyte === null || analyteById(analyte) !== null);
  return {
    ...remembered,
    reading: suggestion.reading,
    names: [...known, ...suggestion.names.filter(({ name }) => !known.some((one) => one.name === name))],
    columns: remembered.columns.map((column, index) =>
      column.kind === 'quantity' && column.analyte !== null && analyteById(column.analyte) === null
        ? suggestion.columns[index]!
        : column,
    ),
  };
}
