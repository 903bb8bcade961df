/**
 * Stores in a storage bucket of their own (Chromium): all databases of the default bucket share one set of files, and when those
 * will not open any more, only another bucket helps without the person having to clear the site's data.
 */
import { dexieHouse } from './dexie-store.ts';
import type { StoreHouse } from './store.ts';

/** What TypeScript's library does not know yet: https://wicg.github.io/storage-buckets/ */
export interface StorageBuckets {
  keys(): Promise<readonly string[]>;
  open(name: string, options?: { readonly durability: 'strict' }): Promise<{ readonly indexedDB: IDBFactory }>;
}

/** Makes the bucket only when a store is to be opened in it. */
export function bucketHouse(name: string, buckets: StorageBuckets): StoreHouse {
  let opened: Promise<StoreHouse> | null = null;
  const house = () =>
    (opened ??= buckets.open(name, { durability: 'strict' }).then(({ indexedDB }) => dexieHouse(name, indexedDB)));
  return {
    generations: async () => ((await buckets.keys()).includes(name) ? (await house()).generations() : []),
    inspect: async (generation) => (await house()).inspect(generation),
    open: async (generation, onLost) => (await house()).open(generation, onLost),
    delete: async (generation) => (await house()).delete(generation),
  };
}
