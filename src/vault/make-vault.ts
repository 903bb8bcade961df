/**
 * Where everything a person enters is kept, on this device only. A row is `{ id, updatedAt, sealed }`: the id is random, the time says
 * which writing is the later one, and the rest is closed by a `Sealer`. Nothing clinical is an index, a key or a table's name.
 */
import { AppError } from '#domain/errors.ts';
import type { Sealer } from './sealer.ts';
import type { TableName } from './tables.ts';
import type { Tabs } from './tabs.ts';

import type { Shelf, Kept, Vault } from './vault.ts';

export interface Row {
  readonly id: string;
  readonly updatedAt: number;
  readonly sealed: Uint8Array<ArrayBuffer>;
}

/** Rows without knowing what they hold. `replace` compares and writes in one transaction. */
export interface RowStore {
  all(table: TableName): Promise<Row[]>;
  get(table: TableName, id: string): Promise<Row | undefined>;
  /** Writes `row` if the stored one still has `expected` as its time (null: there is none yet); otherwise gives the stored one. */
  replace(table: TableName, row: Row, expected: number | null | 'any'): Promise<'written' | { readonly found: Row | undefined }>;
  remove(table: TableName, id: string): Promise<void>;
  close(): void;
}

export interface Kept<T> {
  readonly id: string;
  readonly updatedAt: number;
  readonly value: T;
}

/** One kind of thing in the vault. */
export interface Shelf<T> {
  /** Everything that can be read; rows that cannot are counted and left untouched. */
  all(): Promise<{ readonly kept: readonly Kept<T>[]; readonly unreadable: number }>;
  get(id: string): Promise<Kept<T> | null>;
  /**
   * Resolves once the row is on the disk, with its new time. `expected` is the time of the version that was edited (null: new);
   * another one there is `vault_in_use`, and nothing is written.
   */
  put(id: string, value: T, expected: number | null | 'any'): Promise<number>;
  remove(id: string): Promise<void>;
  /** Another tab wrote or removed a row. */
  onElsewhere(listener: (id: string) => void): () => void;
}

export interface Vault {
  /** False where the browser keeps nothing beyond this tab. */
  readonly isLasting: boolean;
  readonly tabs: Tabs;
  /** `read` is the one door for what was stored: it checks, and throws on what it does not know. */
  shelf<T>(table: TableName, read: (stored: unknown) => T): Shelf<T>;
  close(): void;
}

/** Drafts and settings belong to the tab that types them; the rest has one writing tab at a time. */
const writersOnly: ReadonlySet<TableName> = new Set(['patients', 'workspaces']);

export interface VaultParts {
  readonly store: RowStore;
  readonly sealer: Sealer;
  readonly tabs: Tabs;
  readonly isLasting: boolean;
  readonly now: () => number;
}

export function makeVault({ store, sealer, tabs, isLasting, now }: VaultParts): Vault {
  function assertWriter(table: TableName): void {
    if (tabs.isWriter || !writersOnly.has(table)) return;
    throw new AppError(
      'vault_in_use',
      'Counterpart is open for editing in another tab. What you typed is kept here. Choose “Edit in this tab” and save again.',
    );
  }

  function shelf<T>(table: TableName, read: (stored: unknown) => T): Shelf<T> {
    const open = async (row: Row): Promise<Kept<T>> => ({
      id: row.id,
      updatedAt: row.updatedAt,
      value: read(await sealer.open(row.sealed)),
    });
    return {
      async all() {
        const opened = await Promise.allSettled((await store.all(table)).map(open));
        const kept = opened.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
        return { kept, unreadable: opened.length - kept.length };
      },
      async get(id) {
        const row = await store.get(table, id);
        return row ? open(row) : null;
      },
      async put(id, value, expected) {
        assertWriter(table);
        // Later than what it replaces even when the clock was set back, so that "has it changed?" stays a comparison of numbers.
        const updatedAt = Math.max(now(), typeof expected === 'number' ? expected + 1 : 0);
        // Sealed before the transaction opens: awaiting anything else inside one lets it commit early.
        const row: Row = { id, updatedAt, sealed: await sealer.seal(value) };
        const outcome = await store.replace(table, row, expected);
        if (outcome !== 'written') {
          throw new AppError(
            'vault_in_use',
            outcome.found
              ? 'This was changed in another tab after you opened it here. Nothing was overwritten: compare with the saved version, then save yours or keep that one.'
              : 'This was deleted in another tab after you opened it here. What you typed is kept: save it as a new patient, or let it go.',
          );
        }
        tabs.announce({ table, id });
        return updatedAt;
      },
      async remove(id) {
        assertWriter(table);
        await store.remove(table, id);
        tabs.announce({ table, id });
      },
      onElsewhere: (listener) =>
        tabs.onAnnounced((change) => {
          if (change.table === table) listener(change.id);
        }),
    };
  }

  return {
    isLasting,
    tabs,
    shelf,
    close() {
      tabs.close();
      store.close();
    },
  };
}
