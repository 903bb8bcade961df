// The vault as it is shipped: its worker, the browser's database and private files.
// oxlint-disable-next-line import/default -- Vite makes it: the query asks for the address of the worker.
import workerUrl from '#vault/worker.ts?worker&url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDoor } from '#vault/client.ts';
import type { Vault, VaultDoor } from '#vault/vault.ts';

const none = { kind: 'none' } as const;
const asIs = (stored: unknown) => stored as { name: string };

const open: (Worker | Vault)[] = [];
function door(): VaultDoor {
  return openDoor({
    startWorker: () => {
      const worker = new Worker(workerUrl, { type: 'module' });
      open.push(worker);
      return worker;
    },
  });
}
function kept(vault: Vault): Vault {
  open.push(vault);
  return vault;
}
/** As a reload: nothing of the page's vault is left. */
function end(): void {
  for (const one of open.splice(0)) {
    if ('terminate' in one) one.terminate();
    else one.close();
  }
}

beforeEach(async () => {
  await door().startOver();
  end();
});
afterEach(end);

async function filled(names: readonly string[]): Promise<Vault> {
  const vault = kept((await door().create(none)).vault);
  for (const name of names) await vault.shelf('patients', asIs).put(name, { name }, null);
  return vault;
}
async function namesOf(vault: Vault): Promise<string[]> {
  const { kept: rows, unreadable } = await vault.shelf('patients', asIs).all();
  expect(unreadable).toBe(0);
  return rows.map(({ value }) => value.name).sort();
}
function deleteDatabases(): Promise<void[]> {
  return indexedDB.databases().then((found) =>
    Promise.all(
      found.map(
        ({ name }) =>
          new Promise<void>((done, failed) => {
            const request = indexedDB.deleteDatabase(name!);
            request.onsuccess = () => done();
            request.onerror = () => failed(request.error!);
          }),
      ),
    ),
  );
}

test('rows are there again after the worker was killed', async () => {
  await filled(['Ada', 'Bea']);
  end();
  const next = door();
  expect(await next.look()).toEqual({ kind: 'demonstration' });
  expect(await namesOf(kept(await next.unlock(none)))).toEqual(['Ada', 'Bea']);
});

test('a database that was deleted is announced before anything else, and comes back from the private files', async () => {
  await filled(['Ada', 'Bea']);
  end();
  await deleteDatabases();
  const next = door();
  expect(await next.look()).toMatchObject({
    kind: 'damaged',
    damage: { kind: 'emptied', remembered: { patients: 2 }, secondCopy: { counts: { patients: 2 } } },
  });
  expect(await namesOf(kept(await next.recover(none)))).toEqual(['Ada', 'Bea']);
  end();
  expect(await door().look()).toEqual({ kind: 'demonstration' });
});

test('two tabs write beside each other, and what one erases leaves the journal of the other', async () => {
  const first = await filled(['Ada']);
  const second = kept(await door().unlock(none));
  const drafts = [first, second].map((vault) => vault.shelf('drafts', asIs));
  await Promise.all(Array.from({ length: 40 }, (_, i) => drafts[i % 2]!.put(`d${i}`, { name: `d${i}` }, null)));
  expect((await first.shelf('drafts', asIs).all()).kept).toHaveLength(40);
  expect(await first.erase('Ada')).toMatchObject({ rows: 1, isKeyShredded: true, isSecondCopyClean: true });
});

test('locking one tab locks the other, which first keeps what is being typed there', async () => {
  const first = await filled(['Ada']);
  const second = kept(await door().unlock(none));
  const locked = new Promise<void>((done) => second.onLocked(done));
  await first.lock();
  await locked;
  await second.shelf('drafts', asIs).put('Ada', { name: 'typed last' }, null);
  // By itself: a page that hangs must not keep its vault open.
  await expect
    .poll(
      () =>
        second
          .shelf('patients', asIs)
          .get('Ada')
          .catch((error: { code: string }) => error.code),
      { timeout: 6000 },
    )
    .toBe('vault_locked');
  const after = kept(await door().unlock(none));
  expect((await after.shelf('drafts', asIs).get('Ada'))?.value.name).toBe('typed last');
});

test('a database cleared while it is open is told, and nothing is written into an empty one', async () => {
  const vault = await filled(['Ada']);
  const told = new Promise((done) => {
    vault.onDamage(done);
    vault.onLocked(() => done('locked'));
  });
  await deleteDatabases();
  await told;
  await expect(vault.shelf('patients', asIs).put('Bea', { name: 'Bea' }, null)).rejects.toThrow();
  end();
  const next = door();
  expect(await next.look()).toMatchObject({ kind: 'damaged' });
  expect(await namesOf(kept(await next.recover(none)))).toEqual(['Ada']);
});

test('a vault with a passphrase backs up, and the file opens after everything was deleted', async () => {
  const secret = { kind: 'passphrase', text: 'violet anchor tundra mosaic lantern' } as const;
  const { vault, recoveryKey } = await door().create(secret);
  kept(vault);
  expect(recoveryKey).toMatch(/\w/);
  await vault.shelf('patients', asIs).put('Ada', { name: 'Ada' }, null);
  const file = await vault.backup();
  end();
  await door().startOver();
  const next = door();
  expect(await next.look()).toEqual({ kind: 'nothing' });
  expect(await namesOf(kept(await (await next.openBackup(file, { kind: 'recovery', text: recoveryKey! })).restore()))).toEqual([
    'Ada',
  ]);
});
