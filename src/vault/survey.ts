/** What lies in a store, read before there are keys, and whether it holds what was written. */
import type { Main } from './damage.ts';
import { readHeader } from './header.ts';
import type { VaultHeader } from './keys.ts';
import { headerId, readNote } from './open-vault.ts';
import type { Stored } from './open-vault.ts';
import { isPlain, openPlain } from './row-sealer.ts';
import type { PlainRow } from './row-sealer.ts';
import { changesOf, commitId, storeVersion } from './store.ts';
import type { Change, Loss, MainStore, StoreHouse } from './store.ts';
import { countEach, storeNames, tableNames } from './tables.ts';
import type { Counts, TableName } from './tables.ts';

export async function surveyHouse(house: StoreHouse, onLost: (how: Loss) => void): Promise<Main> {
  for (const generation of (await house.generations()).toReversed()) {
    const found = await house.inspect(generation);
    if (!found) continue;
    if (found.version > storeVersion) return { kind: 'newer', version: found.version };
    const store = await house.open(generation, onLost);
    const last = await store.get('meta', commitId);
    const counts = await countRows(store).catch(() => null);
    if (last) {
      const header = await storedHeader(store);
      return { kind: 'sealed', generation, store, header, commit: last.counter, note: readNote(last), counts };
    }
    if (counts && tableNames.some((table) => counts[table] > 0)) return { kind: 'plain', generation, store, counts };
    store.close();
  }
  return { kind: 'absent' };
}

async function countRows(store: MainStore): Promise<Counts> {
  const each = await Promise.all(tableNames.map((table) => store.count(table)));
  return countEach((table) => each[tableNames.indexOf(table)]!);
}

/** Null where there is none, or none that can be read. */
export async function storedHeader(store: MainStore): Promise<VaultHeader | null> {
  const row = await store.get('meta', headerId);
  if (!row) return null;
  try {
    return readHeader(JSON.parse(new TextDecoder().decode(row.sealed)));
  } catch {
    return null;
  }
}

/** Whatever a damaged store still gives, store by store. */
export async function readable(store: MainStore): Promise<Change[]> {
  const found: Change[] = [];
  for (const name of storeNames) {
    const rows = await store.all(name).catch(() => []);
    for (const change of changesOf(new Map([[name, rows]]))) found.push(change);
  }
  return found;
}

export async function assertHolds(store: MainStore, changes: readonly Change[]): Promise<void> {
  const held = new Map([...changesOf(await store.everything())].map((change) => [`${change.store}/${change.id}`, change]));
  for (const { store: name, id, counter, sealed } of changes) {
    const found = held.get(`${name}/${id}`);
    const isSame = found?.counter === counter && found.sealed.length === sealed.length;
    if (!isSame || found.sealed.some((byte, at) => byte !== sealed[at])) throw new Error('The store is not what was written.');
  }
}

export async function deleteGenerations(house: StoreHouse, below: number): Promise<void> {
  for (const generation of await house.generations()) if (generation < below) await house.delete(generation);
}

/** Rows of version 1. */
export async function plainRows(store: MainStore): Promise<{ readonly table: TableName; readonly row: PlainRow }[]> {
  const rows: { table: TableName; row: PlainRow }[] = [];
  for (const table of tableNames) {
    for (const row of await store.all(table)) if (isPlain(row)) rows.push({ table, row: row as unknown as PlainRow });
  }
  return rows;
}

/** What could not be read then is kept as it was, and counted as unreadable by whoever reads the table. */
export function storedOf(row: PlainRow): Stored {
  try {
    return { updatedAt: row.updatedAt, value: openPlain(row) };
  } catch {
    return { updatedAt: row.updatedAt, value: [...row.sealed] };
  }
}
