import { Dexie } from 'dexie';
import type { Table } from 'dexie';
import { AppError } from '#domain/errors.ts';
import type { TableName } from './tables.ts';
import type { Row, RowStore } from './vault.ts';

/** The keys of every table, by version of the stored format. A change is a new version here, with a fixture of the old one in tests. */
const versions: readonly Readonly<Record<TableName, string>>[] = [
  { patients: 'id', drafts: 'id', workspaces: 'id', settings: 'id' },
];

/** Rejects with `vault_unavailable` where the browser has no database for us (some private windows, policy, a damaged profile). */
export async function openDexieStore(name: string): Promise<RowStore> {
  // Strict: "saved" is said only after the row was flushed to the disk.
  const database = new Dexie(name, { chromeTransactionDurability: 'strict' });
  versions.forEach((stores, index) => database.version(index + 1).stores(stores));
  // A newer version of the app waits to upgrade: let it, rather than block it.
  database.on('versionchange', () => database.close());
  try {
    await database.open();
  } catch (cause) {
    throw new AppError(
      'vault_unavailable',
      'This browser does not let Counterpart store anything here (a private window, a policy, or a damaged profile). You can go on, but everything is gone when the tab closes.',
      { cause },
    );
  }
  const rows = (table: TableName): Table<Row, string> => database.table(table);

  return {
    all: (table) => rows(table).toArray(),
    get: (table, id) => rows(table).get(id),
    replace: (table, row, expected) =>
      writing(() =>
        database.transaction('rw', rows(table), async () => {
          const found = await rows(table).get(row.id);
          if (expected !== 'any' && (found?.updatedAt ?? null) !== expected) return { found };
          await rows(table).put(row);
          return 'written' as const;
        }),
      ),
    remove: (table, id) => writing(() => rows(table).delete(id)),
    close: () => database.close(),
  };
}

/** A full disk shows itself as any of QuotaExceededError, DataError, UnknownError and InvalidStateError, so none is told apart. */
async function writing<T>(write: () => PromiseLike<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    throw new AppError(
      'vault_write_failed',
      'The browser could not write to its storage; the disk may be full. What you typed is still on this page. Free some space, then save again.',
      { cause },
    );
  }
}
