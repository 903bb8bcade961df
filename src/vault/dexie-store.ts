import { Dexie } from 'dexie';
import type { Table } from 'dexie';
import { commitId, goneId } from './store.ts';
import type { Loss, MainStore, Row, StoreHouse } from './store.ts';
import { storeNames } from './tables.ts';
import type { StoreName } from './tables.ts';

/**
 * The stores of every version of the format; a change is a new version here, with a fixture of the old one in tests/fixtures/vault.
 * Version 1 was in the clear: `{ id, updatedAt, sealed }`, where a byte 0 stood before JSON. `VaultHost.create` seals such rows.
 */
const versions: readonly Readonly<Partial<Record<StoreName, string>>>[] = [
  { patients: 'id', drafts: 'id', workspaces: 'id', settings: 'id' },
  { mappings: 'id', keys: 'id', audit: 'id', meta: 'id', gone: 'id' },
  { frozen: 'id', corrections: 'id' },
];

/** Dexie's version 1 is the browser's 10. */
const versionStep = 10;

/** The databases `name`, `name-1`, … of one origin or of one storage bucket. */
export function dexieHouse(name: string, idb: IDBFactory): StoreHouse {
  const nameOf = (generation: number) => (generation === 0 ? name : `${name}-${generation}`);

  return {
    async generations() {
      const numbers = (await idb.databases()).flatMap((found) => {
        if (found.name === name) return [0];
        const number = found.name?.startsWith(`${name}-`) ? Number(found.name.slice(name.length + 1)) : NaN;
        return Number.isInteger(number) && number > 0 ? [number] : [];
      });
      return numbers.sort((a, b) => a - b);
    },
    async inspect(generation) {
      const database = await openAsItIs(idb, nameOf(generation));
      if (!database) return null;
      const { version } = database;
      database.close();
      return { version: Math.ceil(version / versionStep) };
    },
    open: (generation, onLost) => openStore(nameOf(generation), idb, onLost),
    delete: (generation) =>
      new Promise((done, failed) => {
        const request = idb.deleteDatabase(nameOf(generation));
        request.onsuccess = () => done();
        request.onerror = () => failed(request.error);
      }),
  };
}

/** Without a version nothing is upgraded, and what would be created is undone. */
function openAsItIs(idb: IDBFactory, name: string): Promise<IDBDatabase | null> {
  return new Promise((done, failed) => {
    const request = idb.open(name);
    let isNew = false;
    request.onupgradeneeded = () => {
      isNew = true;
      request.transaction?.abort();
    };
    request.onsuccess = () => done(request.result);
    request.onerror = (event) => {
      event.preventDefault();
      if (isNew) done(null);
      else failed(request.error);
    };
  });
}

async function openStore(name: string, idb: IDBFactory, onLost: (how: Loss) => void): Promise<MainStore> {
  const database = new Dexie(name, {
    // "Saved" is said only after the row was flushed to the disk.
    chromeTransactionDurability: 'strict',
    // After the browser closed a damaged database, Dexie would open an empty one by itself and write into that.
    autoOpen: false,
    indexedDB: idb,
  });
  versions.forEach((stores, index) => database.version(index + 1).stores(stores));
  const rows = (store: StoreName): Table<Row, string> => database.table(store);
  let state: 'opening' | 'open' | 'reopening' | 'closed' = 'opening';
  let isEmptied = false;
  /** The last commit that was written here: a store that knows less is another one. */
  let lastCommit = 0;
  let ready: Promise<unknown> = Promise.resolve();

  function lose(how: Loss): void {
    if (state === 'closed') return;
    state = 'closed';
    database.close();
    onLost(how);
  }

  /** Phones close the databases of pages in the background; that is no loss if everything is there on the way back. */
  async function reopen(): Promise<void> {
    // Otherwise Dexie takes it for open, and opens it anew by itself.
    database.close();
    await database.open();
    const last = await rows('meta').get(commitId);
    if (isEmptied || (last?.counter ?? 0) < lastCommit) throw new Error('The database came back without what was in it.');
    state = 'open';
  }

  // A newer version of the app, or a vault put in this one's place: let it, rather than block it.
  database.on('versionchange', () => {
    lose('replaced');
    // Dexie would do the same again and write about it to the console.
    return false;
  });
  // Told by the browser, and by Dexie of a closing of ours.
  database.on('close', () => {
    if (state !== 'open') return;
    state = 'reopening';
    ready = reopen().catch(() => lose('closed'));
  });
  database.on('populate', () => {
    isEmptied = state === 'reopening';
  });
  await database.open();
  state = 'open';
  const all = storeNames.map(rows);

  return {
    all: (store) => ready.then(() => rows(store).toArray()),
    get: (store, id) => ready.then(() => rows(store).get(id)),
    getMany: (places) =>
      ready.then(() =>
        database.transaction('r', [...new Set(places.map(([store]) => store))].map(rows), () =>
          Promise.all(places.map(([store, id]) => rows(store).get(id))),
        ),
      ),
    count: (store) => ready.then(() => rows(store).count()),
    everything: () =>
      ready.then(() =>
        database.transaction('r', all, async () => {
          const contents = await Promise.all(all.map((table) => table.toArray()));
          return new Map(storeNames.map((store, index) => [store, contents[index]!]));
        }),
      ),
    async commit(previous, changes) {
      await ready;
      const touched = new Set(changes.map(({ store }) => store).concat('meta', 'gone'));
      const isWritten = await database.transaction('rw', [...touched].map(rows), async () => {
        const last = await rows('meta').get(commitId);
        if ((last?.counter ?? 0) !== previous) return false;
        for (const store of touched) {
          const own = changes.filter((change) => change.store === store);
          const written = own.filter(({ isGone }) => !isGone).map(({ id, counter, sealed }) => ({ id, counter, sealed }));
          if (written.length > 0) await rows(store).bulkPut(written);
          const gone = own.filter(({ isGone }) => isGone);
          if (gone.length === 0) continue;
          await rows(store).bulkDelete(gone.map(({ id }) => id));
          await rows('gone').bulkPut(gone.map(({ id, counter, sealed }) => ({ id: goneId(store, id), counter, sealed })));
        }
        return true;
      });
      if (isWritten) lastCommit = previous + 1;
      return isWritten;
    },
    prune: (upTo) =>
      ready
        .then(() =>
          rows('gone')
            .filter(({ counter }) => counter <= upTo)
            .delete(),
        )
        .then(() => {}),
    close() {
      state = 'closed';
      database.close();
    },
  };
}
