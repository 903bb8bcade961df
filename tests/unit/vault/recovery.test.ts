import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, test } from 'vitest';
import { dexieHouse } from '#vault/dexie-store.ts';
import { memoryDevice, memoryDoor } from '#vault/memory-door.ts';
import type { MemoryDevice } from '#vault/memory-door.ts';
import type { Vault } from '#vault/vault.ts';
import { fakeFolder } from '../../fixtures/vault/fake-folder.ts';
import type { FakeFolder } from '../../fixtures/vault/fake-folder.ts';

const none = { kind: 'none' } as const;
const asIs = (stored: unknown) => stored as { name: string };
const namesOf = async (vault: Vault) => {
  const { kept, unreadable } = await vault.shelf('patients', asIs).all();
  expect(unreadable).toBe(0);
  return kept.map(({ value }) => value.name).sort();
};

let idb: IDBFactory;
let folder: FakeFolder;
let device: MemoryDevice;
beforeEach(() => {
  idb = new IDBFactory();
  folder = fakeFolder();
  device = { ...memoryDevice(), houses: [dexieHouse('test', idb)], folder };
});

async function filled(names: readonly string[]): Promise<Vault> {
  const { vault } = await memoryDoor({ device }).create(none);
  for (const name of names) await vault.shelf('patients', asIs).put(name, { name }, null);
  return vault;
}

function deleted(name: string): Promise<void> {
  return new Promise((done, failed) => {
    const request = idb.deleteDatabase(name);
    request.onsuccess = () => done();
    request.onerror = () => failed(request.error);
  });
}

describe('a store that was emptied', () => {
  test('is announced, and comes back from the second copy', async () => {
    (await filled(['Ada', 'Bea'])).close();
    await deleted('test');
    const door = memoryDoor({ device });
    expect(await door.look()).toMatchObject({
      kind: 'damaged',
      damage: {
        kind: 'emptied',
        remembered: { patients: 2 },
        readable: { patients: 0 },
        secondCopy: { counts: { patients: 2 } },
      },
    });
    await expect(door.unlock(none)).rejects.toMatchObject({ code: 'vault_damaged' });
    const vault = await door.recover(none);
    expect(await namesOf(vault)).toEqual(['Ada', 'Bea']);
    vault.close();
    expect(await memoryDoor({ device }).look()).toEqual({ kind: 'demonstration' });
    expect(await namesOf(await memoryDoor({ device }).unlock(none))).toEqual(['Ada', 'Bea']);
  });

  test('without a second copy is announced all the same', async () => {
    device = { ...device, folder: null };
    (await filled(['Ada'])).close();
    await deleted('test');
    const door = memoryDoor({ device });
    expect(await door.look()).toMatchObject({ kind: 'damaged', damage: { kind: 'emptied', secondCopy: null } });
    await expect(door.recover(none)).rejects.toMatchObject({ code: 'vault_damaged' });
  });

  test('is noticed by the second copy alone', async () => {
    (await filled(['Ada'])).close();
    await deleted('test');
    device.memory.removeItem('counterpart-canary');
    expect(await memoryDoor({ device }).look()).toMatchObject({ kind: 'damaged', damage: { kind: 'emptied' } });
  });
});

test('a store that was put back to an older state is announced, and the later work comes back', async () => {
  (await filled(['Ada'])).close();
  const old = await (await dexieHouse('test', idb).open(0, () => {})).everything();
  const vault = await memoryDoor({ device }).unlock(none);
  await vault.shelf('patients', asIs).put('Bea', { name: 'Bea' }, null);
  vault.close();
  await deleted('test');
  const store = await dexieHouse('test', idb).open(0, () => {});
  await store.commit(
    0,
    [...old].flatMap(([name, rows]) => rows.map((row) => ({ ...row, store: name, isGone: false }))),
  );
  store.close();
  const door = memoryDoor({ device });
  expect(await door.look()).toMatchObject({ kind: 'damaged', damage: { kind: 'rolled-back' } });
  expect(await namesOf(await door.recover(none))).toEqual(['Ada', 'Bea']);
});

test('a store without its header is announced and opens with that of the second copy', async () => {
  (await filled(['Ada'])).close();
  const store = await dexieHouse('test', idb).open(0, () => {});
  const last = (await store.get('meta', 'commit'))!;
  await store.commit(last.counter, [
    { store: 'meta', id: 'header', counter: last.counter, sealed: new Uint8Array(3), isGone: false },
  ]);
  store.close();
  const door = memoryDoor({ device });
  expect(await door.look()).toMatchObject({ kind: 'damaged', damage: { kind: 'header-missing' } });
  expect(await namesOf(await door.recover(none))).toEqual(['Ada']);
});

test('what was erased does not come back with the second copy', async () => {
  const vault = await filled(['Ada', 'Bea']);
  expect(await vault.erase('Ada')).toMatchObject({ rows: 1, isKeyShredded: true, isSecondCopyClean: true });
  const kept = [...folder.files.values()].map((bytes) => new TextDecoder('latin1').decode(bytes)).join();
  expect(kept).toContain('["patients","Bea"');
  expect(kept).not.toMatch(/\["(keys|patients)","Ada",\d+,false/);
  vault.close();
  await deleted('test');
  expect(await namesOf(await memoryDoor({ device }).recover(none))).toEqual(['Bea']);
});

test('two tabs copy what each of them wrote, and a snapshot of one empties the journal of the other', async () => {
  const first = await filled(['Ada']);
  const second = await memoryDoor({ device }).unlock(none);
  await second.shelf('patients', asIs).put('Bea', { name: 'Bea' }, null);
  expect(folder.files.size).toBe(2);
  expect(await first.erase('Ada')).toMatchObject({ isSecondCopyClean: true });
  await second.shelf('patients', asIs).put('Cyd', { name: 'Cyd' }, null);
  first.close();
  second.close();
  await deleted('test');
  expect(await namesOf(await memoryDoor({ device }).recover(none))).toEqual(['Bea', 'Cyd']);
});

test('a disk that refuses the second copy loses no save, and the copy is made good later', async () => {
  const vault = await filled(['Ada']);
  folder.fail(new DOMException('full', 'QuotaExceededError'));
  await vault.shelf('patients', asIs).put('Bea', { name: 'Bea' }, null);
  expect(await namesOf(vault)).toEqual(['Ada', 'Bea']);
  folder.fail(null);
  await expect
    .poll(async () => folder.files.size && [...folder.files.keys()].some((name) => name.startsWith('snapshot')), {
      timeout: 5000,
    })
    .toBe(true);
  vault.close();
  await deleted('test');
  expect(await namesOf(await memoryDoor({ device }).recover(none))).toEqual(['Ada', 'Bea']);
});

test('a torn end of a journal costs the torn commit only', async () => {
  (await filled(['Ada', 'Bea'])).close();
  for (const [name, bytes] of folder.files) folder.files.set(name, bytes.slice(0, -7));
  await deleted('test');
  expect(await namesOf(await memoryDoor({ device }).recover(none))).toEqual(['Ada']);
});

describe('a backup', () => {
  test('restores everything on another device, audit log included', async () => {
    const vault = await filled(['Ada', 'Bea']);
    await vault.audit.append({ action: 'vault.create' });
    const { headCode } = await vault.audit.read();
    const file = await vault.backup();
    expect((await vault.storage()).lastBackupAt).not.toBeNull();
    const other = { ...memoryDevice(), houses: [dexieHouse('other', new IDBFactory())], folder: fakeFolder() };
    const door = memoryDoor({ device: other });
    expect(await door.lookAtBackup(file)).toEqual({ ways: [{ kind: 'none', credentialId: null }] });
    const opened = await door.openBackup(file, none);
    expect(opened).toMatchObject({ counts: { patients: 2, drafts: 0 }, unreadable: 0, isOlder: false, isOtherVault: false });
    expect(Math.abs(opened.madeAt! - Date.now())).toBeLessThan(60_000);
    const restored = await opened.restore();
    expect(await namesOf(restored)).toEqual(['Ada', 'Bea']);
    expect(await restored.audit.read()).toMatchObject({ brokenAt: null, headCode });
    restored.close();
    expect(await memoryDoor({ device: other }).look()).toEqual({ kind: 'demonstration' });
  });

  test('that is older than what is here says so before anything is changed', async () => {
    const vault = await filled(['Ada']);
    const file = await vault.backup();
    await vault.shelf('patients', asIs).put('Bea', { name: 'Bea' }, null);
    vault.close();
    const door = memoryDoor({ device });
    const opened = await door.openBackup(file, none);
    expect(opened).toMatchObject({ counts: { patients: 1 }, isOlder: true, isOtherVault: false });
    await opened.close();
    await expect(opened.restore()).rejects.toThrow();
    expect(await namesOf(await door.unlock(none))).toEqual(['Ada', 'Bea']);
    expect(await namesOf(await (await memoryDoor({ device }).openBackup(file, none)).restore())).toEqual(['Ada']);
    expect(await memoryDoor({ device }).look()).toEqual({ kind: 'demonstration' });
  });

  test('of another vault says so, and is refused when a vault was made here since it was opened', async () => {
    const file = await (await filled(['Ada'])).backup();
    const other = { ...memoryDevice(), houses: [dexieHouse('other', new IDBFactory())], folder: fakeFolder() };
    const early = await memoryDoor({ device: other }).openBackup(file, none);
    expect(early.isOtherVault).toBe(false);
    const { vault } = await memoryDoor({ device: other }).create(none);
    await vault.shelf('patients', asIs).put('Cyd', { name: 'Cyd' }, null);
    await expect(early.restore()).rejects.toMatchObject({ code: 'backup_older' });
    expect(await namesOf(vault)).toEqual(['Cyd']);
    const late = await memoryDoor({ device: other }).openBackup(file, none);
    expect(late).toMatchObject({ isOlder: false, isOtherVault: true });
    expect(await namesOf(await late.restore())).toEqual(['Ada']);
  });

  test('is refused when work went on in another tab while its contents were read', async () => {
    const vault = await filled(['Ada']);
    const file = await vault.backup();
    const opened = await memoryDoor({ device }).openBackup(file, none);
    expect(opened.isOlder).toBe(false);
    await vault.shelf('patients', asIs).put('Bea', { name: 'Bea' }, null);
    await expect(opened.restore()).rejects.toMatchObject({ code: 'backup_older' });
    // Nothing was changed, and the other tab was not locked.
    expect(await namesOf(vault)).toEqual(['Ada', 'Bea']);
  });

  test('opens where the browser stores nothing', async () => {
    const file = await (await filled(['Ada'])).backup();
    const broken = { ...dexieHouse('x', idb), generations: () => Promise.reject(new DOMException('no', 'SecurityError')) };
    const door = memoryDoor({ device: { ...memoryDevice(), houses: [broken] } });
    expect(await door.look()).toEqual({ kind: 'unavailable' });
    const vault = await (await door.openBackup(file, none)).restore();
    expect(vault.isLasting).toBe(false);
    expect(await namesOf(vault)).toEqual(['Ada']);
    await vault.shelf('patients', asIs).put('Bea', { name: 'Bea' }, null);
    expect((await vault.backup()).size).toBeGreaterThan(0);
  });

  test('rescued from a store that does not open restores', async () => {
    (await filled(['Ada'])).close();
    const file = (await memoryDoor({ device }).rescue())!;
    const other = { ...memoryDevice(), houses: [dexieHouse('other', new IDBFactory())], folder: fakeFolder() };
    const opened = await memoryDoor({ device: other }).openBackup(file, none);
    expect(opened).toMatchObject({ madeAt: null, counts: { patients: 1 }, isOtherVault: false });
    expect(await namesOf(await opened.restore())).toEqual(['Ada']);
    const cut = file.slice(0, file.size - 3);
    await expect(memoryDoor({ device: other }).openBackup(cut, none)).rejects.toMatchObject({
      code: 'backup_truncated',
    });
  });
});

test('starting over leaves nothing', async () => {
  (await filled(['Ada'])).close();
  await memoryDoor({ device }).startOver();
  expect(folder.files.size).toBe(0);
  expect(await idb.databases()).toEqual([]);
  expect(await memoryDoor({ device }).look()).toEqual({ kind: 'nothing' });
});
