import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { dexieHouse } from '#vault/dexie-store.ts';
import { memoryDevice, memoryDoor } from '#vault/memory-door.ts';
import type { MemoryDevice } from '#vault/memory-door.ts';
import { tableNames } from '#vault/tables.ts';
import type { Vault } from '#vault/vault.ts';
import { dumpDatabase, loadDatabase } from '../../fixtures/vault/dump.ts';
import type { DumpedDatabase } from '../../fixtures/vault/dump.ts';
import { failFrom } from '../../fixtures/vault/failing-puts.ts';
import { fakeFolder } from '../../fixtures/vault/fake-folder.ts';

function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../fixtures/vault/${name}`, import.meta.url), 'utf8')) as T;
}
const first = fixture<DumpedDatabase>('store-version-1.json');
const second = fixture<{
  passphrase: string;
  recoveryKey: string;
  headCode: string;
  canary: string;
  database: DumpedDatabase;
  files: Record<string, string>;
}>('store-version-2.json');

/** What version 1 holds, read by hand: byte 0, then JSON. */
const values = Object.fromEntries(
  Object.entries(first.stores).map(([table, rows]) => [
    table,
    rows.map(({ id, sealed }) => {
      const bytes = Buffer.from((sealed as { bytes: string }).bytes, 'base64');
      return { id, value: JSON.parse(bytes.subarray(1).toString()) as unknown };
    }),
  ]),
);

const asIs = (stored: unknown) => stored;
async function allOf(vault: Vault): Promise<Record<string, unknown>> {
  const tables: Record<string, unknown> = {};
  for (const table of tableNames) {
    const { kept, unreadable } = await vault.shelf(table, asIs).all();
    expect(unreadable).toBe(0);
    if (kept.length > 0) tables[table] = kept.map(({ id, value }) => ({ id, value }));
  }
  return tables;
}

let idb: IDBFactory;
let device: MemoryDevice;
beforeEach(() => {
  idb = new IDBFactory();
  device = { ...memoryDevice(), houses: [dexieHouse('counterpart', idb)], folder: fakeFolder() };
});
const none = { kind: 'none' } as const;

describe('version 1, in the clear', () => {
  beforeEach(() => loadDatabase(idb, 'counterpart', first));

  test('is announced, sealed when a secret is chosen, and holds what it held', async () => {
    const secret = { kind: 'passphrase', text: second.passphrase } as const;
    const door = memoryDoor({ device });
    expect(await door.look()).toEqual({
      kind: 'unencrypted',
      counts: { patients: 3, drafts: 2, workspaces: 1, frozen: 0, settings: 1, mappings: 0, corrections: 0 },
    });
    const { vault } = await door.create(secret);
    expect(await allOf(vault)).toEqual(values);
    expect((await vault.shelf('patients', asIs).get('p-1'))?.updatedAt).toBe(first.stores['patients']![0]!['updatedAt']);
    vault.close();
    const dumped = JSON.stringify(await dumpDatabase(idb, 'counterpart'));
    expect(Buffer.from(dumped).toString()).not.toContain('updatedAt');
    for (const rows of Object.values(first.stores)) {
      for (const { sealed } of rows) expect(dumped).not.toContain((sealed as { bytes: string }).bytes);
    }
    const again = memoryDoor({ device });
    expect(await again.look()).toMatchObject({ kind: 'locked' });
    expect(await allOf(await again.unlock(secret))).toEqual(values);
  });

  test('is all there after a crash at any write of the sealing, which then begins anew', async () => {
    let nth = 1;
    for (let isThrough = false; !isThrough; nth++) {
      const again = failFrom(nth, () => new DOMException('crashed', 'UnknownError'));
      const door = memoryDoor({ device });
      try {
        (await door.create(none)).vault.close();
        isThrough = true;
      } catch (error) {
        expect(error).toMatchObject({ code: 'vault_write_failed' });
      }
      again();
      if (isThrough) break;
      // The crash takes the worker with it; the next one looks anew.
      expect(await door.look()).toMatchObject({ kind: 'unencrypted', counts: { patients: 3 } });
      const { stores } = await dumpDatabase(idb, 'counterpart');
      expect(stores).toMatchObject(first.stores);
      expect(stores['meta']).toEqual([]);
    }
    // Seven rows, four keys, header and commit.
    expect(nth).toBe(14);
    expect(await allOf(await memoryDoor({ device }).unlock(none))).toEqual(values);
  });
});

describe('version 2, sealed', () => {
  test('opens with its passphrase and with its recovery key, and its log is whole', async () => {
    await loadDatabase(idb, 'counterpart', second.database);
    device.memory.setItem('counterpart-canary', second.canary);
    const door = memoryDoor({ device });
    expect(await door.look()).toMatchObject({ kind: 'locked', ways: [{ kind: 'passphrase' }, { kind: 'recovery' }] });
    await expect(door.unlock({ kind: 'passphrase', text: 'violet anchor tundra mosaic lamp' })).rejects.toMatchObject({
      code: 'vault_secret_wrong',
    });
    const vault = await door.unlock({ kind: 'passphrase', text: second.passphrase });
    expect(await allOf(vault)).toMatchObject({ ...values, drafts: [{ id: 'p-2' }, { id: 'p-9', value: { later: true } }] });
    expect(await vault.audit.read()).toMatchObject({
      brokenAt: null,
      headCode: second.headCode,
      entries: [{ number: 1 }, { number: 2 }],
    });
    // Tables that came later are there, and count from nothing.
    await vault.shelf('frozen', asIs).put('p-1', { format: 1 }, null);
    await vault.shelf('corrections', asIs).put('pbc', { format: 1 }, null);
    expect((await vault.storage()).counts).toMatchObject({ patients: 3, frozen: 1, corrections: 1 });
    expect((await vault.erase('p-1')).rows).toBe(3);
    expect((await vault.storage()).counts).toMatchObject({ patients: 2, frozen: 0, corrections: 1 });
    vault.close();
    expect(await allOf(await memoryDoor({ device }).unlock({ kind: 'recovery', text: second.recoveryKey }))).toHaveProperty(
      'mappings',
    );
  });

  test('comes back from its second copy alone', async () => {
    const folder = fakeFolder();
    for (const [name, bytes] of Object.entries(second.files))
      folder.files.set(name, new Uint8Array(Buffer.from(bytes, 'base64')));
    device = { ...device, folder };
    const door = memoryDoor({ device });
    expect(await door.look()).toMatchObject({ kind: 'damaged', damage: { kind: 'emptied', remembered: { patients: 3 } } });
    const vault = await door.recover({ kind: 'passphrase', text: second.passphrase });
    expect(await allOf(vault)).toMatchObject({ ...values, drafts: [{ id: 'p-2' }, { id: 'p-9', value: { later: true } }] });
    expect(await vault.audit.check(second.headCode)).toBe(2);
  });
});

test('a store of a later version is left alone', async () => {
  await loadDatabase(idb, 'counterpart', { version: 40, stores: { patients: [] } });
  const door = memoryDoor({ device });
  expect(await door.look()).toEqual({ kind: 'newer', version: 4 });
  await expect(door.create(none)).rejects.toThrow();
  expect((await dumpDatabase(idb, 'counterpart')).version).toBe(40);
});
