import { commitId, goneId } from './store.ts';
import type { MainStore, Row, StoreHouse } from './store.ts';
import { storeNames } from './tables.ts';
import type { StoreName } from './tables.ts';

/** Rows that live as long as their house: for tests, and for browsers that refuse to store anything. */
function memoryStore(): MainStore {
  const stores = new Map<StoreName, Map<string, Row>>(storeNames.map((name) => [name, new Map()]));
  const rows = (store: StoreName) => stores.get(store)!;
  return {
    all: async (store) => [...rows(store).values()],
    get: async (store, id) => rows(store).get(id),
    getMany: async (places) => places.map(([store, id]) => rows(store).get(id)),
    count: async (store) => rows(store).size,
    everything: async () => new Map(storeNames.map((name) => [name, [...rows(name).values()]])),
    async commit(previous, changes) {
      if ((rows('meta').get(commitId)?.counter ?? 0) !== previous) return false;
      for (const { store, isGone, ...row } of changes) {
        if (isGone) {
          rows(store).delete(row.id);
          rows('gone').set(goneId(store, row.id), { ...row, id: goneId(store, row.id) });
        } else rows(store).set(row.id, row);
      }
      return true;
    },
    async prune(upTo) {
      for (const { id, counter } of rows('gone').values()) if (counter <= upTo) rows('gone').delete(id);
    },
    close() {},
  };
}

export function memoryHouse(): StoreHouse {
  const stores = new Map<number, MainStore>();
  return {
    generations: async () => [...stores.keys()].sort((a, b) => a - b),
    inspect: async (generation) => (stores.has(generation) ? { version: 2 } : null),
    async open(generation) {
      const store = stores.get(generation) ?? memoryStore();
      stores.set(generation, store);
      return store;
    },
    async delete(generation) {
      stores.delete(generation);
    },
  };
}
