/** A vault that was unlocked, in its worker: rows opened and sealed, commits one after the other, the audit log's chain. */
import { AppError, invariant } from '#domain/errors.ts';
import { emptyHead, follow, headAfter, headCode, nextLink, readCode } from './audit.ts';
import type { Head, Link } from './audit.ts';
import type { VaultHeader, VaultKeys } from './keys.ts';
import { makeRowSealer } from './row-sealer.ts';
import type { RowSealer } from './row-sealer.ts';
import { commitId } from './store.ts';
import type { Change, MainStore, Place, Row } from './store.ts';
import { countEach, isOfPatient, patientTables } from './tables.ts';
import type { Counts, StoreName, TableName } from './tables.ts';
import type { AuditEntry, AuditEvent } from './vault.ts';

export const headerId = 'header';
const headId = 'audit-head';

/** What every commit leaves in the clear beside its number. */
export interface CommitNote {
  readonly counts: Counts;
  /** Entries of the audit log. */
  readonly entries: number;
}

/** A row as it lies under its seal. */
export interface Stored {
  readonly updatedAt: number;
  readonly value: unknown;
}

export interface OpenedRow extends Stored {
  readonly id: string;
}

export interface Writing {
  readonly id: string;
  readonly value: unknown;
  readonly expected: number | null | 'any';
}

/** Runs one piece of work of a kind at a time, over all tabs. */
export type Exclusive = <T>(what: 'commit' | 'copy', work: () => Promise<T>) => Promise<T>;

interface OpenVaultParts {
  readonly store: MainStore;
  readonly keys: VaultKeys;
  readonly exclusive: Exclusive;
  readonly now: () => number;
  /** After each commit, before it is acknowledged. Must not reject. */
  readonly onCommit: (commit: number, changes: readonly Change[], note: CommitNote) => Promise<void>;
  /** The browser refused a write or a read. */
  readonly onFailure: (cause: unknown) => void;
  /** False once the store cannot be trusted any more. */
  readonly mayWrite: () => boolean;
}

/** Rows are opened in pieces of so many, and so many sealed bytes, so that the page is never busy with one for long. */
const pieceRows = 100;
const pieceBytes = 256 * 1024;
/** Up to so many rows their keys are read one by one; of more, all there are. */
const fewRows = 20;

export class OpenVault {
  readonly keys: VaultKeys;
  readonly store: MainStore;
  readonly rows: RowSealer;
  readonly #parts: OpenVaultParts;
  /** Unwrapped keys of patients, with the counter of the row they came from. */
  readonly #patientKeys = new Map<string, { readonly counter: number; readonly key: CryptoKey }>();

  constructor(parts: OpenVaultParts) {
    this.#parts = parts;
    this.store = parts.store;
    this.keys = parts.keys;
    this.rows = makeRowSealer(parts.keys);
  }

  /** Everything of a table, a piece at a time; `unreadable` counts rows that did not open. */
  async *all(table: TableName): AsyncGenerator<{ readonly rows: readonly OpenedRow[]; readonly unreadable: number }> {
    const rows = await this.#reading(() => this.store.all(table));
    const wrapped = isOfPatient(table) ? await this.#reading(() => this.#keysOf(rows)) : new Map<string, Row>();
    for (const piece of piecesOf(rows)) {
      const opened = await Promise.allSettled(piece.map((row) => this.#open(table, row, wrapped.get(row.id))));
      const good = opened.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      yield { rows: good, unreadable: piece.length - good.length };
    }
  }

  async #keysOf(rows: readonly Row[]): Promise<ReadonlyMap<string, Row>> {
    if (rows.length === 0) return new Map();
    const keys =
      rows.length <= fewRows
        ? await this.store.getMany(rows.map(({ id }) => ['keys', id] as const))
        : await this.store.all('keys');
    return new Map(keys.flatMap((row) => (row ? [[row.id, row] as const] : [])));
  }

  async get(table: TableName, id: string): Promise<OpenedRow | null> {
    const [row, wrapped] = await this.#reading(() => this.store.getMany(placesOf(table, id)));
    return row ? this.#open(table, row, wrapped) : null;
  }

  /** All or none; gives the new times. */
  put(table: TableName, writings: readonly Writing[]): Promise<number[]> {
    return this.commit(
      async (draft) => {
        const times: number[] = [];
        for (const writing of writings) times.push(await draft.put(table, writing));
        return times;
      },
      writings.flatMap(({ id }) => placesOf(table, id)),
    );
  }

  /** Removes one row; of a patient: everything that is theirs, key first. Gives the number of rows. */
  remove(table: TableName, id: string): Promise<number> {
    return table === 'patients' ? this.erase(id) : this.commit((draft) => draft.remove(table, id));
  }

  erase(patientId: string): Promise<number> {
    return this.commit((draft) => draft.erase(patientId));
  }

  async log(event: AuditEvent): Promise<void> {
    await this.commit((draft) => draft.log(event), [['meta', headId]]);
  }

  async readLog(): Promise<{ entries: readonly AuditEntry[]; brokenAt: number | null; headCode: string }> {
    const { links, head } = await this.#links();
    const { brokenAt } = await follow(links, head);
    return {
      entries: links.flatMap((link) => (link ? [entryOf(link)] : [])),
      brokenAt,
      headCode: await headCode(this.keys, head ?? emptyHead),
    };
  }

  async checkCode(typed: string): Promise<number | null> {
    const code = readCode(typed);
    const { links, head } = await this.#links();
    const { heads } = await follow(links, head);
    for (const one of heads.toReversed()) if ((await headCode(this.keys, one)) === code) return one.number;
    return null;
  }

  async #links(): Promise<{ links: readonly (Link | null)[]; head: Head | null }> {
    const [rows, headRow] = await this.#reading(() => Promise.all([this.store.all('audit'), this.store.get('meta', headId)]));
    const opened = await Promise.allSettled(rows.map((row) => this.rows.open('audit', row)));
    const links = opened.map((outcome) => (outcome.status === 'fulfilled' ? (outcome.value as Link) : null));
    return { links, head: headRow ? ((await this.rows.open('meta', headRow)) as Head) : null };
  }

  /** A row of `meta` under the data key. */
  async note(id: string): Promise<unknown> {
    const row = await this.#reading(() => this.store.get('meta', id));
    return row ? this.rows.open('meta', row) : null;
  }

  /**
   * One transaction. `prepare` runs again if another tab committed meanwhile, which without Web Locks can happen; everything is sealed
   * before the transaction opens, as awaiting anything else inside one lets it commit early. `places`: rows that it will ask for, read
   * at once to save time.
   */
  async commit<T>(prepare: (draft: Draft) => Promise<T>, places: readonly Place[] = []): Promise<T> {
    if (!this.#parts.mayWrite()) throw damaged();
    const { outcome, commit, changes, note } = await this.#parts.exclusive('commit', async () => {
      for (;;) {
        const wanted: readonly Place[] = [['meta', commitId], ...places];
        const [last, ...rows] = await this.#reading(() => this.store.getMany(wanted));
        const known = new Map(places.map(([store, id], index) => [`${store}/${id}`, rows[index]]));
        const patientKey = (id: string, wrapped: Row | undefined) => this.#patientKey(id, wrapped);
        const draft = new Draft({ vault: this, patientKey, now: this.#parts.now, last, known });
        const outcome = await prepare(draft);
        const { commit, changes, note } = draft.finish();
        if (changes.length === 0 || (await this.#writing(() => this.store.commit(commit - 1, changes)))) {
          return { outcome, commit, changes, note };
        }
      }
    });
    if (changes.length > 0) await this.#parts.onCommit(commit, changes, note);
    return outcome;
  }

  async #open(table: TableName, row: Row, wrapped: Row | undefined): Promise<OpenedRow> {
    const key = isOfPatient(table) ? await this.#patientKey(row.id, wrapped) : undefined;
    const { updatedAt, value } = (await this.rows.open(table, row, key)) as Stored;
    return { id: row.id, updatedAt, value };
  }

  async #patientKey(id: string, wrapped: Row | undefined): Promise<CryptoKey> {
    if (!wrapped) {
      throw new AppError('vault_row_changed', 'A stored row has no key any more: its patient was erased. It was left as it is.');
    }
    const known = this.#patientKeys.get(id);
    if (known?.counter === wrapped.counter) return known.key;
    const key = await this.keys.openPatientKey(id, wrapped.sealed);
    this.#patientKeys.set(id, { counter: wrapped.counter, key });
    return key;
  }

  async #reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (cause) {
      this.#parts.onFailure(cause);
      throw damaged(cause);
    }
  }

  /** A full disk shows itself as any of QuotaExceededError, DataError, UnknownError and InvalidStateError, so none is told apart here. */
  async #writing<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (cause) {
      this.#parts.onFailure(cause);
      throw new AppError(
        'vault_write_failed',
        'The browser could not write to its storage; the disk may be full. What you typed is still on this page. Free some space, then save again.',
        { cause },
      );
    }
  }
}

interface DraftParts {
  readonly vault: OpenVault;
  readonly patientKey: (id: string, wrapped: Row | undefined) => Promise<CryptoKey>;
  readonly now: () => number;
  /** The last commit's row of `meta`. */
  readonly last: Row | undefined;
  /** Rows that were read before, by store and id. */
  readonly known: ReadonlyMap<string, Row | undefined>;
}

/** One commit while it is put together. Everything in it bears its number. */
class Draft {
  readonly counter: number;
  readonly #vault: OpenVault;
  readonly #patientKey: DraftParts['patientKey'];
  readonly #now: () => number;
  readonly #known: DraftParts['known'];
  readonly #changes = new Map<string, Change>();
  readonly #newKeys = new Map<string, CryptoKey>();
  #note: CommitNote;

  constructor({ vault, patientKey, now, last, known }: DraftParts) {
    this.#vault = vault;
    this.#patientKey = patientKey;
    this.#now = now;
    this.#known = known;
    this.counter = (last?.counter ?? 0) + 1;
    this.#note = last ? readNote(last) : emptyNote;
  }

  async put(table: TableName, { id, value, expected }: Writing): Promise<number> {
    const found = await this.#find(table, id);
    const key = isOfPatient(table) ? await this.#keyFor(id) : undefined;
    const before = found ? await this.#timeOf(table, found, key) : null;
    if (expected !== 'any' && before !== expected) throw changedElsewhere(found !== undefined);
    // Later than what it replaces even when the clock was set back, so that "has it changed?" stays a comparison of numbers.
    const updatedAt = Math.max(this.#now(), (before ?? 0) + 1);
    const stored: Stored = { updatedAt, value };
    const sealed = await this.#vault.rows.seal(table, { id, counter: this.counter }, stored, key);
    this.#set({ store: table, id, counter: this.counter, sealed, isGone: false });
    if (!found) this.#count(table, 1);
    return updatedAt;
  }

  /** 1 if there was such a row. */
  async remove(store: StoreName, id: string): Promise<number> {
    const found = await this.#find(store, id);
    if (!found) return 0;
    const sealed = await this.#vault.rows.proveGone(store, id, this.counter);
    this.#set({ store, id, counter: this.counter, sealed, isGone: true });
    if (store in this.#note.counts) this.#count(store as TableName, -1);
    // A draft of somebody who was never saved leaves no key behind.
    if (store === 'drafts') {
      const others = await Promise.all(patientTables.filter((table) => table !== 'drafts').map((table) => this.#find(table, id)));
      if (others.every((row) => row === undefined)) await this.remove('keys', id);
    }
    return 1;
  }

  /** A row of version 1, with the time it had. */
  async adopt(table: TableName, id: string, stored: Stored): Promise<void> {
    const key = isOfPatient(table) ? await this.#keyFor(id) : undefined;
    const sealed = await this.#vault.rows.seal(table, { id, counter: this.counter }, stored, key);
    this.#set({ store: table, id, counter: this.counter, sealed, isGone: false });
    this.#count(table, 1);
  }

  async erase(patientId: string): Promise<number> {
    let removed = 0;
    await this.remove('keys', patientId);
    for (const table of patientTables) removed += await this.remove(table, patientId);
    return removed;
  }

  async log(event: AuditEvent): Promise<void> {
    const headRow = await this.#find('meta', headId);
    const head = headRow ? ((await this.#vault.rows.open('meta', headRow)) as Head) : emptyHead;
    const link = nextLink(head, event, this.#now());
    await this.note('audit', String(link.number).padStart(10, '0'), link);
    await this.note('meta', headId, await headAfter(link));
    this.#note = { ...this.#note, entries: link.number };
  }

  /** A row under the data key, without a time. */
  async note(store: 'audit' | 'meta', id: string, value: unknown): Promise<void> {
    const sealed = await this.#vault.rows.seal(store, { id, counter: this.counter }, value);
    this.#set({ store, id, counter: this.counter, sealed, isGone: false });
  }

  /** The header is no secret and must be readable before anything is open. */
  header(header: VaultHeader): void {
    this.#set(headerChange(this.counter, header));
  }

  finish(): { commit: number; changes: readonly Change[]; note: CommitNote } {
    const changes = [...this.#changes.values()];
    if (changes.length > 0) changes.push(commitChange(this.counter, this.#note));
    return { commit: this.counter, changes, note: this.#note };
  }

  async #find(store: StoreName, id: string): Promise<Row | undefined> {
    const changed = this.#changes.get(`${store}/${id}`);
    if (changed) return changed.isGone ? undefined : changed;
    if (this.#known.has(`${store}/${id}`)) return this.#known.get(`${store}/${id}`);
    return this.#vault.store.get(store, id);
  }

  async #keyFor(id: string): Promise<CryptoKey> {
    const made = this.#newKeys.get(id);
    if (made) return made;
    const found = await this.#find('keys', id);
    if (found) return this.#patientKey(id, found);
    const { key, wrapped } = await this.#vault.keys.newPatientKey(id);
    this.#newKeys.set(id, key);
    this.#set({ store: 'keys', id, counter: this.counter, sealed: wrapped, isGone: false });
    return key;
  }

  /** Null where the row cannot be opened: then nobody can have edited it, and only `any` may replace it. */
  async #timeOf(table: TableName, row: Row, key: CryptoKey | undefined): Promise<number | null> {
    try {
      return ((await this.#vault.rows.open(table, row, key)) as Stored).updatedAt;
    } catch {
      return Number.NaN;
    }
  }

  #set(change: Change): void {
    this.#changes.set(`${change.store}/${change.id}`, change);
  }

  #count(table: TableName, by: number): void {
    const { counts } = this.#note;
    this.#note = { ...this.#note, counts: { ...counts, [table]: counts[table] + by } };
  }
}

const emptyNote: CommitNote = { counts: countEach(() => 0), entries: 0 };

export function commitChange(commit: number, note: CommitNote): Change {
  return { store: 'meta', id: commitId, counter: commit, sealed: jsonBytes(note), isGone: false };
}

export function headerChange(commit: number, header: VaultHeader): Change {
  return { store: 'meta', id: headerId, counter: commit, sealed: jsonBytes(header), isGone: false };
}

export function readNote(row: Row): CommitNote {
  const { counts, entries } = JSON.parse(new TextDecoder().decode(row.sealed)) as CommitNote;
  // Version 2 had fewer tables.
  return { counts: countEach((table) => counts[table] ?? 0), entries };
}

function* piecesOf(rows: readonly Row[]): Generator<readonly Row[]> {
  let from = 0;
  let bytes = 0;
  for (const [index, { sealed }] of rows.entries()) {
    bytes += sealed.length;
    if (bytes < pieceBytes && index - from < pieceRows - 1 && index < rows.length - 1) continue;
    yield rows.slice(from, index + 1);
    from = index + 1;
    bytes = 0;
  }
}

/** What is read to open or replace a row. */
function placesOf(table: TableName, id: string): readonly Place[] {
  return isOfPatient(table)
    ? [
        [table, id],
        ['keys', id],
      ]
    : [[table, id]];
}

function jsonBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

function entryOf({ previous, ...entry }: Link): AuditEntry {
  invariant(typeof previous === 'string', 'an entry is linked');
  return entry;
}

function damaged(cause?: unknown): AppError {
  return new AppError(
    'vault_damaged',
    'The browser could not read or write what it stores here, and nothing more is written. What you typed is still on this page. Free some space and reload: the page compares with the second copy and offers to put back what is missing.',
    { cause },
  );
}

function changedElsewhere(isThere: boolean): AppError {
  return new AppError(
    'vault_in_use',
    isThere
      ? 'This was changed in another tab after you opened it here. Nothing was overwritten: compare with the saved version, then save yours or keep that one.'
      : 'This was deleted in another tab after you opened it here. What you typed is kept: save it as a new patient, or let it go.',
  );
}
