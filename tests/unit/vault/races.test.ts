import * as fc from 'fast-check';
import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { describe, expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { dexieHouse } from '#vault/dexie-store.ts';
import { memoryDevice, memoryDoor } from '#vault/memory-door.ts';
import type { MemoryDevice } from '#vault/memory-door.ts';
import { memoryHouse } from '#vault/memory-store.ts';
import type { StoreHouse } from '#vault/store.ts';
import type { Shelf, Vault } from '#vault/vault.ts';
import { fakeFolder } from '../../fixtures/vault/fake-folder.ts';
import { failFrom } from '../../fixtures/vault/failing-puts.ts';

const none = { kind: 'none' } as const;
const asNumber = (stored: unknown) => (stored as { count: number }).count;
type Counter = Shelf<{ count: number }>;

/** Reads and writes of the store take turns as the scheduler says. */
function scheduled(house: StoreHouse, scheduler: fc.Scheduler): StoreHouse {
  return {
    ...house,
    async open(generation, onLost) {
      const store = await house.open(generation, onLost);
      return {
        ...store,
        getMany: scheduler.scheduleFunction(store.getMany),
        commit: scheduler.scheduleFunction(store.commit),
      };
    },
  };
}

/** One more on the number that all share, as often as it takes. Gives how often it was refused. */
async function addOne(shelf: Shelf<number>, counter: Counter): Promise<number> {
  for (let refused = 0; ; refused++) {
    const before = await shelf.get('n');
    try {
      await counter.put('n', { count: (before?.value ?? 0) + 1 }, before?.updatedAt ?? null);
      return refused;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'vault_in_use') throw error;
    }
  }
}
const shelves = (vault: Vault) =>
  [vault.shelf('drafts', asNumber), vault.shelf('drafts', (stored) => stored as { count: number })] as const;

describe('several writers', () => {
  test('lose no update, whatever the order, even where there are no Web Locks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 3 }), async (scheduler, tabs) => {
        const house = memoryHouse();
        const device: MemoryDevice = { ...memoryDevice(), houses: [house], exclusive: (_, work) => work() };
        (await memoryDoor({ device }).create(none)).vault.close();
        const slow = { ...device, houses: [scheduled(house, scheduler)] };
        const opened = await Promise.all(Array.from({ length: tabs }, () => memoryDoor({ device: slow }).unlock(none)));
        const edits = 3;
        const work = Promise.all(
          opened.map(async (vault) => {
            const [shelf, counter] = shelves(vault);
            for (let edit = 0; edit < edits; edit++) await addOne(shelf, counter);
          }),
        );
        let isDone = false;
        void work.finally(() => (isDone = true));
        while (!isDone) {
          if (scheduler.count() > 0) await scheduler.waitOne();
          // Let what was scheduled go on: sealing is asynchronous, too.
          await new Promise((done) => setTimeout(done, 0));
        }
        await work;
        const end = await memoryDoor({ device }).unlock(none);
        expect((await shelves(end)[0].get('n'))?.value).toBe(tabs * edits);
      }),
      { numRuns: 15 },
    );
  });

  test('four tabs of 20 edits each: none is lost, the log is whole, and the second copy has all', async () => {
    const idb = new IDBFactory();
    const device = { ...memoryDevice(), houses: [dexieHouse('test', idb)], folder: fakeFolder() };
    const { vault } = await memoryDoor({ device }).create(none);
    const tabs = [vault, ...(await Promise.all([1, 2, 3].map(() => memoryDoor({ device }).unlock(none))))];
    await Promise.all(
      tabs.map(async (tab, who) => {
        const [shelf, counter] = shelves(tab);
        for (let edit = 1; edit <= 20; edit++) {
          await addOne(shelf, counter);
          await counter.put(`tab ${who}`, { count: edit }, 'any');
          await tab.audit.append({ action: 'run', detail: `${who}/${edit}` });
        }
      }),
    );
    const log = await vault.audit.read();
    expect([log.entries.length, log.brokenAt]).toEqual([80, null]);
    for (const tab of tabs) tab.close();
    await new Promise((done) => (idb.deleteDatabase('test').onsuccess = done));
    const recovered = await memoryDoor({ device }).recover(none);
    const { kept } = await shelves(recovered)[0].all();
    expect(Object.fromEntries(kept.map(({ id, value }) => [id, value]))).toEqual({
      n: 80,
      'tab 0': 20,
      'tab 1': 20,
      'tab 2': 20,
      'tab 3': 20,
    });
    expect(await recovered.audit.read()).toMatchObject({ brokenAt: null, headCode: log.headCode });
  });
});

describe('a write that fails', () => {
  async function filled() {
    const device = { ...memoryDevice(), houses: [dexieHouse('test', new IDBFactory())], folder: fakeFolder() };
    const { vault } = await memoryDoor({ device }).create(none);
    await vault.shelf('patients', asNumber).put('p1', { count: 1 } as never, null);
    return { device, vault, shelf: vault.shelf('patients', (stored) => stored as { count: number }) };
  }

  test('at any of its rows changes nothing', async () => {
    for (let nth = 1; nth <= 4; nth++) {
      const { device, vault, shelf } = await filled();
      const mend = failFrom(nth, () => new DOMException('io', 'UnknownError'));
      await expect(shelf.putAll(['p2', 'p3'].map((id) => ({ id, value: { count: 2 }, expected: null })))).rejects.toMatchObject({
        code: 'vault_write_failed',
      });
      mend();
      expect((await shelf.all()).kept.map(({ id }) => id)).toEqual(['p1']);
      vault.close();
      expect(await (await device.houses[0]!.open(0, () => {})).count('keys')).toBe(1);
    }
  });

  test('for the quota is told, and the next is written once there is room', async () => {
    const { shelf } = await filled();
    const mend = failFrom(1, () => new DOMException('quota', 'QuotaExceededError'));
    await expect(shelf.put('p2', { count: 2 }, null)).rejects.toMatchObject({ code: 'vault_write_failed' });
    mend();
    await shelf.put('p2', { count: 2 }, null);
    expect((await shelf.get('p2'))?.value.count).toBe(2);
  });

  test('for any other reason ends all writing; the store is rebuilt at the next start', async () => {
    const { device, vault, shelf } = await filled();
    const told = new Promise((done) => vault.onDamage(done));
    const mend = failFrom(1, () => new DOMException('io', 'UnknownError'));
    await expect(shelf.put('p2', { count: 2 }, null)).rejects.toMatchObject({ code: 'vault_write_failed' });
    mend();
    expect(await told).toMatchObject({ kind: 'disk-full', secondCopy: { counts: { patients: 1 } } });
    await expect(shelf.put('p2', { count: 2 }, null)).rejects.toMatchObject({ code: 'vault_damaged' });
    vault.close();
    const door = memoryDoor({ device });
    expect(await door.look()).toMatchObject({ kind: 'damaged', damage: { kind: 'disk-full', readable: { patients: 1 } } });
    const rebuilt = await door.recover(none);
    expect((await rebuilt.shelf('patients', asNumber).get('p1'))?.value).toBe(1);
    rebuilt.close();
    expect(await memoryDoor({ device }).look()).toEqual({ kind: 'demonstration' });
    expect(await device.houses[0]!.generations()).toEqual([1]);
  });
});
