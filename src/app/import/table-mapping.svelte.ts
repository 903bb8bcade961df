/** The meaning of one table's columns while a person settles it: suggested, or remembered from an earlier file, then theirs. */
import type { ImportClient } from '#interop/client.ts';
import type { ImportedObservation } from '#interop/imported.ts';
import { analyteById, needsUnit } from '#interop/analytes.ts';
import type { ImportGroup, TableLook, TableName, TableQuestion } from '#interop/protocol.ts';
import type { IsoDate } from '#domain/record.ts';
import type { ColumnRole, DateOrder, DecimalMark, NameMapping, TableMapping, TableReading } from '#interop/tables/mapping.ts';

/** How it is known what a name stands for; `open`: it is not, or nobody said the unit, so that its values stay as received. */
type NameState = 'open' | 'code' | 'name';

export class TableMappingState {
  readonly group: number;
  look = $state.raw({} as TableLook);
  mapping = $state.raw({} as TableMapping);
  /** Where the mapping came from; `own` once a person changed anything. */
  origin = $state<'suggested' | 'remembered' | 'own'>('suggested');
  /** What is still left open by the file and by the person: values concerned stay as received. */
  readonly open: readonly TableQuestion[] = $derived(
    this.look.questions.filter((question) => question.isOpen && !isAnswered(question, this.mapping)),
  );
  /** What a long table names, what is not recognised first. The order is that of the first sight: no row moves under a person's hand. */
  names = $state.raw<readonly TableName[]>([]);
  /** Whether any of `names` was not recognised at first sight. */
  hasUnrecognised = $state(false);
  readonly nameCounts: Readonly<Record<NameState, number>> = $derived.by(() => {
    const counts = { open: 0, code: 0, name: 0 };
    for (const one of this.look.names) counts[this.nameState(one)]++;
    return counts;
  });
  /** The first rows as they would be read; null until that is known. */
  sample = $state.raw<readonly ImportedObservation[] | null>(null);
  readonly #client: ImportClient;
  readonly #today: () => IsoDate;
  #sampling = new AbortController();

  constructor(client: ImportClient, { id, table }: ImportGroup, remembered: TableMapping | null, today: () => IsoDate) {
    this.#client = client;
    this.#today = today;
    this.group = id;
    this.look = table!;
    this.mapping = remembered ?? table!.suggestion;
    this.origin = remembered ? 'remembered' : 'suggested';
    this.#sortNames();
    void this.#resample();
  }

  /** Reads the file's shape anew, with another sheet, encoding or separator. The columns may be others then. */
  async reread(change: Partial<TableReading>): Promise<void> {
    const reading = { ...this.mapping.reading, ...change };
    const { table } = await this.#client.call('look', { group: this.group, reading });
    if (!table) return;
    const isSame =
      table.columns.length === this.look.columns.length &&
      table.columns.every(({ header }, index) => header === this.look.columns[index]!.header);
    this.look = table;
    this.mapping = isSame ? { ...this.mapping, reading } : table.suggestion;
    if (!isSame) this.origin = 'suggested';
    this.#sortNames();
    await this.#resample();
  }

  setRole(column: number, role: ColumnRole): void {
    const columns = this.mapping.columns.map((one, index) => (index === column ? role : one));
    // Wide as soon as a column holds values of one thing; long when one holds the values of all.
    const shape = columns.some(({ kind }) => kind === 'value')
      ? 'long'
      : columns.some(({ kind }) => kind === 'quantity')
        ? 'wide'
        : this.mapping.shape;
    this.#change({ columns, shape });
  }

  setDateOrder(column: number, order: DateOrder | null): void {
    const role = this.mapping.columns[column]!;
    if (role.kind === 'date' || role.kind === 'birth-date') this.setRole(column, { ...role, order });
  }

  setDecimalMark(decimalMark: DecimalMark | null): void {
    this.#change({ decimalMark });
  }

  /** `isMissing`: the token means that nothing was measured. */
  setMissing(token: string, isMissing: boolean): void {
    const others = this.mapping.missing.filter((one) => one !== token);
    this.#change({ missing: isMissing ? [...others, token] : others });
  }

  nameMapping(name: string): NameMapping {
    const said = this.mapping.names.find((one) => one.name === name);
    return said ?? { name, analyte: this.look.names.find((one) => one.name === name)?.byCode ?? null, unit: '' };
  }

  nameState({ name, units, byCode }: TableName): NameState {
    const { analyte: id, unit } = this.nameMapping(name);
    const analyte = id === null ? null : analyteById(id);
    if (!analyte || (units.length === 0 && unit === '' && needsUnit(analyte))) return 'open';
    return byCode === id ? 'code' : 'name';
  }

  setName(name: string, change: Partial<Omit<NameMapping, 'name'>>): void {
    const changed = { ...this.nameMapping(name), ...change };
    const isThere = this.mapping.names.some((one) => one.name === name);
    const names = this.mapping.names.map((one) => (one.name === name ? changed : one));
    this.#change({ names: isThere ? names : [...names, changed] });
  }

  /** Back to what the file itself suggests. */
  useSuggestion(): void {
    this.mapping = { ...this.look.suggestion, reading: this.mapping.reading };
    this.origin = 'suggested';
    this.#sortNames();
    void this.#resample();
  }

  #sortNames(): void {
    const isOpen = (one: TableName) => this.nameState(one) === 'open';
    const open = this.look.names.filter(isOpen);
    this.names = [...open, ...this.look.names.filter((one) => !isOpen(one))];
    this.hasUnrecognised = open.length > 0;
  }

  #change(change: Partial<TableMapping>): void {
    this.mapping = { ...this.mapping, ...change };
    this.origin = 'own';
    void this.#resample();
  }

  /** The last change wins. A sample that fails is simply not there: the file is read in earnest later, and says why. */
  async #resample(): Promise<void> {
    this.#sampling.abort();
    const own = (this.#sampling = new AbortController());
    const order = { group: this.group, mapping: this.mapping, confirmed: [], today: this.#today() };
    try {
      const sample = await this.#client.call('sample', order, { signal: own.signal });
      if (this.#sampling === own) this.sample = sample;
    } catch {
      if (this.#sampling === own) this.sample = null;
    }
  }
}

function isAnswered({ code, column, token }: TableQuestion, mapping: TableMapping): boolean {
  const role = column === null ? undefined : mapping.columns[column];
  if (role?.kind === 'ignore') return true;
  switch (code) {
    case 'date_order_ambiguous':
      return !role || (role.kind !== 'date' && role.kind !== 'birth-date') || role.order !== null;
    case 'decimal_comma':
      return mapping.decimalMark !== null;
    case 'missing_token':
      return mapping.missing.includes(token);
    case 'analyte_unknown':
      return role?.kind === 'quantity'
        ? role.analyte !== null
        : mapping.names.some((one) => one.name === token && one.analyte !== null);
    case 'unit_missing':
      return role?.kind === 'quantity' ? role.unit !== '' : mapping.names.some((one) => one.name === token && one.unit !== '');
    default:
      return false;
  }
}
