import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { dexieHouse } from '#vault/dexie-store.ts';
import { memoryDevice, memoryDoor } from '#vault/memory-door.ts';
import type { MemoryDevice } from '#vault/memory-door.ts';
import { readRescue, writeRescue } from '#vault/rescue.ts';
import type { CopySummary } from '#vault/second-copy.ts';
import type { Vault } from '#vault/vault.ts';
import { fakeFolder } from '../../fixtures/vault/fake-folder.ts';

const none = { kind: 'none' } as const;
const passphrase = { kind: 'passphrase', text: 'violet anchor tundra mosaic' } as const;
const asIs = (stored: unknown) => stored as { name: string };
const canaryKey = 'counterpart-canary';

let idb: IDBFactory;
let device: MemoryDevice;
beforeEach(() => {
  idb = new IDBFactory();
  device = { ...memoryDevice(), houses: [dexieHouse('test', idb)], folder: fakeFolder() };
});

async function filled(secret: typeof none | typeof passphrase = none): Promise<Vault> {
  const { vault } = await memoryDoor({ device }).create(secret);
  await vault.shelf('patients', asIs).put('Ada', { name: 'Ada' }, null);
  return vault;
}

async function namesOf(vault: Vault): Promise<string[]> {
  const { kept, unreadable } = await vault.shelf('patients', asIs).all();
  expect(unreadable).toBe(0);
  return kept.map(({ value }) => value.name);
}

describe('a canary that somebody wrote', () => {
  const forged = [
    ['later commits', { commit: Number.MAX_SAFE_INTEGER, generation: 0 }],
    ['a later generation', { commit: 1, generation: Number.MAX_SAFE_INTEGER }],
    ['another vault', { vaultId: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    ['a failed write', { isSuspect: true }],
  ] as const;

  test.each(forged)('of %s raises an alarm, and costs nothing', async (_, changed) => {
    (await filled()).close();
    const kept = JSON.parse(device.memory.getItem(canaryKey)!) as object;
    device.memory.setItem(canaryKey, JSON.stringify({ ...kept, ...changed }));
    const door = memoryDoor({ device });
    expect((await door.look()).kind).toBe('damaged');
    const vault = await door.recover(none);
    expect(await namesOf(vault)).toEqual(['Ada']);
    // Numbers go on from what was stored, and not from what was claimed.
    await vault.shelf('patients', asIs).put('Bea', { name: 'Bea' }, null);
    vault.close();
    expect(await memoryDoor({ device }).look()).toEqual({ kind: 'demonstration' });
    expect(await idb.databases()).toMatchObject([{ name: 'test-1' }]);
    // The second copy still counts.
    await new Promise((done) => (idb.deleteDatabase('test-1').onsuccess = done));
    expect(await namesOf(await memoryDoor({ device }).recover(none))).toEqual(['Ada', 'Bea']);
  });

  test('of another kind, or none, is as none', async () => {
    (await filled()).close();
    for (const text of ['{', '{}', '[]', 'null', '{"commit":-1}']) {
      device.memory.setItem(canaryKey, text);
      expect(await memoryDoor({ device }).look()).toEqual({ kind: 'demonstration' });
    }
  });
});

test('a worker that was ended and begun anew compares with what is remembered before it opens', async () => {
  (await filled()).close();
  const early = memoryDoor({ device });
  expect((await early.look()).kind).toBe('demonstration');
  // Another tab starts over: the worker behind `early` ends.
  await memoryDoor({ device }).startOver();
  const remembered = { vaultId: 'x', version: 2, generation: 0, commit: 9, entries: 0, isSuspect: false };
  const counts = { patients: 3, drafts: 0, workspaces: 0, frozen: 0, settings: 0, mappings: 0, corrections: 0 };
  device.memory.setItem(canaryKey, JSON.stringify({ ...remembered, counts }));
  await expect(early.unlock(none)).rejects.toMatchObject({ code: 'vault_damaged' });
  await expect(early.create(none)).rejects.toMatchObject({ code: 'vault_damaged' });
});

describe('a rescue file that somebody changed', () => {
  async function forged(commit: number): Promise<Blob> {
    (await filled()).close();
    const { header, changes } = await readRescue((await memoryDoor({ device }).rescue())!);
    return writeRescue({ header, commit } as CopySummary, changes);
  }

  test('cannot use up the numbers of commits', async () => {
    const opened = await memoryDoor({ device }).openBackup(await forged(Number.MAX_SAFE_INTEGER), none);
    const vault = await opened.restore();
    await vault.shelf('patients', asIs).put('Bea', { name: 'Bea' }, null);
    vault.close();
    expect(Number(JSON.parse(device.memory.getItem(canaryKey)!).commit)).toBeLessThan(20);
  });

  test('whose rows bear numbers that no vault reaches is refused, and nothing is changed', async () => {
    (await filled()).close();
    const { header, changes } = await readRescue((await memoryDoor({ device }).rescue())!);
    const raised = changes.map((change) => ({ ...change, counter: Number.MAX_SAFE_INTEGER }));
    const file = await writeRescue({ header, commit: 5 } as CopySummary, raised);
    const opened = await memoryDoor({ device }).openBackup(file, none);
    expect(opened.unreadable).toBeGreaterThan(0);
    await expect(opened.restore()).rejects.toMatchObject({ code: 'vault_damaged' });
    expect(await namesOf(await memoryDoor({ device }).unlock(none))).toEqual(['Ada']);
  });

  test('shows the time of its log, which is sealed', async () => {
    const vault = await filled();
    await vault.audit.append({ action: 'run' });
    const [entry] = (await vault.audit.read()).entries;
    const opened = await memoryDoor({ device }).openBackup((await memoryDoor({ device }).rescue())!, none);
    expect(opened.madeAt).toBe(Date.parse(entry!.at));
  });
});

describe('several tabs', () => {
  test('a way of unlocking that one tab took out does not come back with what another changes', async () => {
    const first = await filled(passphrase);
    const second = await memoryDoor({ device }).unlock(passphrase);
    const recovery = (await first.ways()).find(({ kind }) => kind === 'recovery')!;
    const [removed, changed] = await Promise.allSettled([
      first.removeWay(passphrase, recovery.id),
      second.setSecret(passphrase, { kind: 'passphrase', text: 'copper willow magnet harbour' }),
    ]);
    expect(removed.status).toBe('fulfilled');
    expect(changed).toMatchObject({ status: 'rejected', reason: { code: 'vault_in_use' } });
    expect((await second.ways()).map(({ kind }) => kind)).toEqual(['passphrase']);
  });

  test('a passphrase that was changed in another tab since the look does not unlock', async () => {
    const first = await filled(passphrase);
    const second = memoryDoor({ device });
    await second.look();
    const next = { kind: 'passphrase', text: 'copper willow magnet harbour' } as const;
    await first.setSecret(passphrase, next);
    await expect(second.unlock(passphrase)).rejects.toMatchObject({ code: 'vault_secret_wrong' });
    expect(await namesOf(await second.unlock(next))).toEqual(['Ada']);
  });

  test('what is being typed when another tab locks is kept; then the keys go, even if the page does nothing', async () => {
    const first = await filled();
    const second = await memoryDoor({ device }).unlock(none);
    const told = new Promise<void>((done) => second.onLocked(done));
    await first.lock();
    await told;
    await second.shelf('drafts', asIs).put('Ada', { name: 'typed last' }, null);
    await vi.waitFor(() => expect(second.ways()).rejects.toMatchObject({ code: 'vault_locked' }), {
      timeout: 5000,
      interval: 100,
    });
    const after = await memoryDoor({ device }).unlock(none);
    expect((await after.shelf('drafts', asIs).get('Ada'))?.value.name).toBe('typed last');
  });
});
