import 'fake-indexeddb/auto';
import { describe, expect, test } from 'vitest';
import { openDexieStore } from '#vault/dexie-store.ts';
import { memoryStore } from '#vault/memory-store.ts';
import { plainSealer } from '#vault/sealer.ts';
import { soleTab } from '#vault/tabs.ts';
import type { Tabs } from '#vault/tabs.ts';
import { makeVault } from '#vault/vault.ts';
import type { RowStore } from '#vault/vault.ts';

interface Thing {
  readonly name: string;
}

function readThing(stored: unknown): Thing {
  if (typeof stored === 'object' && stored && 'name' in stored && typeof stored.name === 'string') return { name: stored.name };
  throw new Error('not a thing');
}

function vaultOn(store: RowStore, options: { tabs?: Tabs; now?: () => number } = {}) {
  return makeVault({
    store,
    sealer: plainSealer,
    tabs: options.tabs ?? soleTab(),
    isLasting: true,
    now: options.now ?? (() => 1000),
  });
}

let opened = 0;
const stores: Record<string, () => Promise<RowStore>> = {
  memory: async () => memoryStore(),
  dexie: () => openDexieStore(`vault-test-${++opened}`),
};

for (const [name, makeStore] of Object.entries(stores)) {
  describe(`${name} store`, () => {
    test('what is put can be read back', async () => {
      const shelf = vaultOn(await makeStore()).shelf('patients', readThing);
      const updatedAt = await shelf.put('p1', { name: 'Ada' }, null);
      expect(await shelf.get('p1')).toEqual({ id: 'p1', updatedAt, value: { name: 'Ada' } });
      expect(await shelf.get('p2')).toBeNull();
    });

    test('an edit of an older version is refused and nothing is overwritten', async () => {
      const shelf = vaultOn(await makeStore()).shelf('patients', readThing);
      const first = await shelf.put('p1', { name: 'first' }, null);
      await shelf.put('p1', { name: 'second' }, first);
      await expect(shelf.put('p1', { name: 'late' }, first)).rejects.toMatchObject({ code: 'vault_in_use' });
      expect((await shelf.get('p1'))?.value.name).toBe('second');
    });

    test('an edit of a row that was deleted elsewhere is refused and says so', async () => {
      const shelf = vaultOn(await makeStore()).shelf('patients', readThing);
      const first = await shelf.put('p1', { name: 'first' }, null);
      await shelf.remove('p1');
      await expect(shelf.put('p1', { name: 'late' }, first)).rejects.toThrow(/deleted in another tab/);
    });

    test('a later writing has a later time even when the clock was set back', async () => {
      let clock = 5000;
      const shelf = vaultOn(await makeStore(), { now: () => clock }).shelf('patients', readThing);
      const first = await shelf.put('p1', { name: 'first' }, null);
      clock = 10;
      expect(await shelf.put('p1', { name: 'second' }, first)).toBeGreaterThan(first);
    });

    test('a row that cannot be read is counted and kept', async () => {
      const store = await makeStore();
      const shelf = vaultOn(store).shelf('patients', readThing);
      await shelf.put('p1', { name: 'Ada' }, null);
      await store.replace('patients', { id: 'p2', updatedAt: 1, sealed: Uint8Array.of(9, 9) }, null);
      expect(await shelf.all()).toMatchObject({ kept: [{ id: 'p1' }], unreadable: 1 });
      expect(await store.get('patients', 'p2')).toBeDefined();
    });

    test('a tab that does not write can keep drafts and settings, but no patients', async () => {
      const reader = vaultOn(await makeStore(), { tabs: { ...soleTab(), isWriter: false } });
      await expect(reader.shelf('patients', readThing).put('p1', { name: 'Ada' }, null)).rejects.toMatchObject({
        code: 'vault_in_use',
      });
      await reader.shelf('drafts', readThing).put('p1', { name: 'Ada' }, 'any');
      expect((await reader.shelf('drafts', readThing).get('p1'))?.value.name).toBe('Ada');
    });
  });
}

test('a stored row shows its id, its time and sealed bytes, and nothing else', async () => {
  const store = await openDexieStore('vault-test-row');
  await vaultOn(store).shelf('patients', readThing).put('p1', { name: 'Ada' }, null);
  const row = await store.get('patients', 'p1');
  expect(Object.keys(row!).sort()).toEqual(['id', 'sealed', 'updatedAt']);
  expect(ArrayBuffer.isView(row!.sealed)).toBe(true);
});

test('a failing disk is reported as vault_write_failed', async () => {
  const store = await openDexieStore('vault-test-closed');
  store.close();
  const shelf = vaultOn(store).shelf('patients', readThing);
  await expect(shelf.put('p1', { name: 'Ada' }, null)).rejects.toMatchObject({ code: 'vault_write_failed' });
});
