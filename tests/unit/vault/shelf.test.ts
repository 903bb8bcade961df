import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { describe, expect, test } from 'vitest';
import { dexieHouse } from '#vault/dexie-store.ts';
import { memoryDevice } from '#vault/memory-door.ts';
import type { MemoryDevice } from '#vault/memory-door.ts';
import { soleTab } from '#vault/tabs.ts';
import { demonstrationVault } from '../../fixtures/vault/demonstration-vault.ts';

interface Thing {
  readonly name: string;
}

function readThing(stored: unknown): Thing {
  if (typeof stored === 'object' && stored && 'name' in stored && typeof stored.name === 'string') return { name: stored.name };
  throw new Error('not a thing');
}

const devices: Record<string, () => MemoryDevice> = {
  memory: () => memoryDevice(),
  dexie: () => ({ ...memoryDevice(), houses: [dexieHouse('test', new IDBFactory())] }),
};

for (const [name, makeDevice] of Object.entries(devices)) {
  describe(`${name} store`, () => {
    const shelfOn = async (device = makeDevice()) => (await demonstrationVault({ device })).shelf('patients', readThing);

    test('what is put can be read back', async () => {
      const shelf = await shelfOn();
      const updatedAt = await shelf.put('p1', { name: 'Ada' }, null);
      expect(await shelf.get('p1')).toEqual({ id: 'p1', updatedAt, value: { name: 'Ada' } });
      expect(await shelf.get('p2')).toBeNull();
    });

    test('an edit of an older version is refused and nothing is overwritten', async () => {
      const shelf = await shelfOn();
      const first = await shelf.put('p1', { name: 'first' }, null);
      await shelf.put('p1', { name: 'second' }, first);
      await expect(shelf.put('p1', { name: 'late' }, first)).rejects.toMatchObject({ code: 'vault_in_use' });
      expect((await shelf.get('p1'))?.value.name).toBe('second');
    });

    test('an edit of a row that was deleted elsewhere is refused and says so', async () => {
      const shelf = await shelfOn();
      const first = await shelf.put('p1', { name: 'first' }, null);
      await shelf.remove('p1');
      await expect(shelf.put('p1', { name: 'late' }, first)).rejects.toThrow(/deleted in another tab/);
    });

    test('a removed patient can come back, under a new key', async () => {
      const shelf = await shelfOn();
      await shelf.put('p1', { name: 'Ada' }, null);
      await shelf.remove('p1');
      await shelf.put('p1', { name: 'Ada' }, null);
      expect((await shelf.get('p1'))?.value.name).toBe('Ada');
    });

    test('several rows are written together or not at all', async () => {
      const shelf = await shelfOn();
      await shelf.put('p2', { name: 'was here' }, null);
      const rows = ['p1', 'p2', 'p3'].map((id) => ({ id, value: { name: id }, expected: null }));
      await expect(shelf.putAll(rows)).rejects.toMatchObject({ code: 'vault_in_use' });
      expect((await shelf.all()).kept.map(({ id }) => id)).toEqual(['p2']);
      expect(await shelf.putAll([rows[0]!, rows[2]!])).toHaveLength(2);
      expect((await shelf.all()).kept.map(({ id }) => id).sort()).toEqual(['p1', 'p2', 'p3']);
    });

    test('many rows cross in pieces and are still all or none', async () => {
      const shelf = await shelfOn();
      const rows = Array.from({ length: 45 }, (_, i) => ({ id: `p${i}`, value: { name: `${i}` }, expected: null }));
      await shelf.put('p44', { name: 'was here' }, null);
      await expect(shelf.putAll(rows)).rejects.toMatchObject({ code: 'vault_in_use' });
      expect((await shelf.all()).kept.map(({ id }) => id)).toEqual(['p44']);
      expect(await shelf.putAll(rows.slice(0, 44))).toHaveLength(44);
      expect((await shelf.all()).kept).toHaveLength(45);
    });

    test('a later writing has a later time even when the clock was set back', async () => {
      let clock = 5000;
      const shelf = (await demonstrationVault({ device: makeDevice(), now: () => clock })).shelf('patients', readThing);
      const first = await shelf.put('p1', { name: 'first' }, null);
      clock = 10;
      expect(await shelf.put('p1', { name: 'second' }, first)).toBeGreaterThan(first);
      expect(await shelf.put('p1', { name: 'third' }, 'any')).toBeGreaterThan(first + 1);
    });

    test('a row that does not open, or that its reader refuses, is counted and kept', async () => {
      const device = makeDevice();
      const vault = await demonstrationVault({ device });
      const shelf = vault.shelf('patients', readThing);
      await shelf.put('p1', { name: 'Ada' }, null);
      await shelf.put('p2', { nickname: 'Ada' } as unknown as Thing, null);
      await shelf.put('p3', { name: 'Ada' }, null);
      const store = await device.houses[0]!.open(0, () => {});
      const [row, last] = [(await store.get('patients', 'p3'))!, (await store.get('meta', 'commit'))!];
      row.sealed[row.sealed.length - 1]! ^= 1;
      await store.commit(last.counter, [{ ...row, store: 'patients', isGone: false }]);
      expect(await shelf.all()).toMatchObject({ kept: [{ id: 'p1' }], unreadable: 2 });
      await expect(shelf.get('p3')).rejects.toMatchObject({ code: 'vault_row_changed' });
      expect(await store.get('patients', 'p2')).toBeDefined();
    });

    test('a tab that does not write can keep drafts and settings, but no patients', async () => {
      const reader = await demonstrationVault({ device: makeDevice(), tabs: { ...soleTab(), isWriter: false } });
      await expect(reader.shelf('patients', readThing).put('p1', { name: 'Ada' }, null)).rejects.toMatchObject({
        code: 'vault_in_use',
      });
      await reader.shelf('drafts', readThing).put('p1', { name: 'Ada' }, 'any');
      expect((await reader.shelf('drafts', readThing).get('p1'))?.value.name).toBe('Ada');
    });

    test('rows are there again after a lock, and nothing is readable between', async () => {
      const device = makeDevice();
      const vault = await demonstrationVault({ device });
      const shelf = vault.shelf('patients', readThing);
      await shelf.put('p1', { name: 'Ada' }, null);
      await vault.lock();
      await expect(shelf.get('p1')).rejects.toMatchObject({ code: 'vault_locked' });
      const again = (await demonstrationVault({ device })).shelf('patients', readThing);
      expect((await again.get('p1'))?.value.name).toBe('Ada');
    });

    test('a stored row shows its id, its number and sealed bytes, and nothing else', async () => {
      const device = makeDevice();
      const shelf = await shelfOn(device);
      await shelf.put('p1', { name: 'Ada' }, null);
      const row = await (await device.houses[0]!.open(0, () => {})).get('patients', 'p1');
      expect(Object.keys(row!).sort()).toEqual(['counter', 'id', 'sealed']);
      expect(new TextDecoder('latin1').decode(row!.sealed)).not.toContain('Ada');
    });
  });
}
