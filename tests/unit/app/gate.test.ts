import { describe, expect, test, vi } from 'vitest';
import { Gate } from '#app/gate.svelte.ts';
import type { GateParts } from '#app/gate.svelte.ts';
import type { Session } from '#app/session.svelte.ts';
import { AppError } from '#domain/errors.ts';
import { memoryDevice, memoryDoor } from '#vault/memory-door.ts';
import type { Found, VaultDoor } from '#vault/vault.ts';
import { fakeClient, toySession } from '../../fixtures/toy-client.ts';
import { noPasskeys } from '../../fixtures/vault/no-page.ts';

const passphrase = 'otter lamp seven bridge';

/** A page's start on a device; `entered` holds the session once it is open. */
async function start(door: VaultDoor, parts: Partial<GateParts> = {}) {
  const entered: Session[] = [];
  const gate = new Gate({
    door,
    passkeys: noPasskeys,
    open: async (vault) => (await toySession(vault, fakeClient().client)).session,
    now: () => 7,
    after: { isLocked: false, next: null },
    countRemains: async () => ({ databases: 0, files: 0, keptItems: 0 }),
    onentered: (session) => entered.push(session),
    ...parts,
  });
  await gate.start();
  return { gate, entered };
}

async function vaultOn(device = memoryDevice()) {
  const { gate, entered } = await start(memoryDoor({ device }));
  gate.acknowledge('researcher');
  await gate.create(passphrase, { withPasskey: false });
  const key = gate.recoveryKey!;
  gate.enter();
  return { device, key, session: entered[0]! };
}

describe('a first start', () => {
  test('asks for the role, then makes a vault, and goes in only after the printed key was shown', async () => {
    const { gate, entered } = await start(memoryDoor());
    expect(gate.step).toBe('welcome');
    gate.acknowledge('researcher');
    expect(gate.step).toBe('choose');
    await gate.create(passphrase, { withPasskey: false });
    expect(gate.step).toBe('recovery-key');
    expect(gate.recoveryKey).toMatch(/^([0-9A-Z]{5}-){6}[0-9A-Z]{5}$/);
    expect(entered).toEqual([]);
    gate.enter();
    expect(gate.recoveryKey).toBeNull();
    expect(entered[0]!.settings.acknowledged).toMatchObject({ role: 'researcher', at: 7 });
  });

  test('refuses a weak passphrase and says what is missing', async () => {
    const { gate, entered } = await start(memoryDoor());
    gate.acknowledge('student');
    await gate.create('too short', { withPasskey: false });
    expect(gate.failure?.code).toBe('vault_secret_weak');
    expect(entered).toEqual([]);
  });

  test('a passkey that cannot be made does not keep the vault from being made', async () => {
    const { gate } = await start(memoryDoor());
    gate.acknowledge('student');
    await gate.create(passphrase, { withPasskey: true });
    expect(gate.step).toBe('recovery-key');
    expect(gate.passkeyFailure).toMatch(/Settings/);
  });

  test('the demonstration vault opens without a secret, and at once the next time', async () => {
    const device = memoryDevice();
    const first = await start(memoryDoor({ device }));
    first.gate.acknowledge('educator');
    await first.gate.createDemonstration();
    expect(first.entered[0]!.vault.isDemonstration).toBe(true);
    first.entered[0]!.vault.close();
    const second = await start(memoryDoor({ device }));
    expect(second.entered).toHaveLength(1);
    expect(second.entered[0]!.settings.acknowledged?.role).toBe('educator');
  });

  test('the demonstration vault that was just closed by hand waits to be opened', async () => {
    const device = memoryDevice();
    const first = await start(memoryDoor({ device }));
    await first.gate.createDemonstration();
    first.entered[0]!.vault.close();
    const second = await start(memoryDoor({ device }), { after: { isLocked: true, next: null } });
    expect(second.gate.step).toBe('closed-demonstration');
    expect(second.entered).toEqual([]);
  });
});

describe('a locked vault', () => {
  test('opens with the passphrase and with the printed key, however that is typed, and with nothing else', async () => {
    const { device, key, session } = await vaultOn();
    session.vault.close();
    const { gate, entered } = await start(memoryDoor({ device }));
    expect(gate.step).toBe('unlock');
    await gate.unlock({ kind: 'passphrase', text: 'otter lamp seven bridges' });
    expect(gate.failure?.code).toBe('vault_secret_wrong');
    expect(entered).toEqual([]);
    await gate.unlock({ kind: 'recovery', text: key.toLowerCase().replaceAll('-', '  ') });
    expect(gate.failure).toBeNull();
    expect(entered).toHaveLength(1);
    entered[0]!.vault.close();
    const again = await start(memoryDoor({ device }));
    await again.gate.unlock({ kind: 'passphrase', text: passphrase });
    expect(again.entered).toHaveLength(1);
  });

  test('notes making, unlocking and locking, with the role', async () => {
    const { device, session } = await vaultOn();
    await session.lock('button');
    const { gate, entered } = await start(memoryDoor({ device }));
    await gate.unlock({ kind: 'passphrase', text: passphrase });
    await vi.waitFor(async () => {
      const { entries, brokenAt } = await entered[0]!.vault.audit.read();
      expect(brokenAt).toBeNull();
      expect(entries.map(({ action, role, detail }) => [action, role, detail])).toEqual([
        ['vault.create', 'researcher', undefined],
        ['vault.lock', 'researcher', 'button'],
        ['vault.unlock', 'researcher', 'passphrase'],
      ]);
    });
  });

  test('is replaced by a backup only with the secret of the backup; a cut file is refused', async () => {
    const { session } = await vaultOn();
    await session.addDemonstration('toy');
    const backup = (await session.storage.backup())!;
    const { gate, entered } = await start(memoryDoor());
    gate.go('restore');
    await gate.chooseBackup(new File([backup.slice(0, backup.size - 20)], 'cut.vault'));
    await gate.openBackup({ kind: 'passphrase', text: passphrase });
    expect(gate.preview).toBeNull();
    expect(gate.failure?.code).toMatch(/^backup_/);
    await gate.chooseBackup(new File([backup], 'whole.vault'));
    expect(gate.backup?.ways.map(({ kind }) => kind).sort()).toEqual(['passphrase', 'recovery']);
    await gate.openBackup({ kind: 'passphrase', text: 'not this one at all' });
    expect(gate.failure?.code).toBe('vault_secret_wrong');
    await gate.openBackup({ kind: 'passphrase', text: passphrase });
    expect(gate.preview).toMatchObject({ counts: { patients: 1 }, isOlder: false, isOtherVault: false });
    expect(entered).toEqual([]);
    await gate.restore();
    expect(entered[0]!.patients.all).toHaveLength(1);
  });

  test('is deleted whole, and what is left is counted', async () => {
    const { device, session } = await vaultOn();
    session.vault.close();
    const door = memoryDoor({ device });
    const { gate } = await start(door, { after: { isLocked: true, next: 'start-over' } });
    expect(gate.step).toBe('start-over');
    await gate.startOver();
    expect(gate.step).toBe('deleted');
    expect(gate.remains).toEqual({ databases: 0, files: 0, keptItems: 0 });
    expect((await door.look()).kind).toBe('nothing');
  });
});

describe('what else is found', () => {
  const counts = { patients: 2, drafts: 0, workspaces: 1, frozen: 0, settings: 1, mappings: 0, corrections: 0 };
  const doorOf = (found: Found): VaultDoor => ({ ...memoryDoor(), look: async () => found });

  test.each([
    ['unencrypted', { kind: 'unencrypted', counts }, 'seal'],
    ['newer', { kind: 'newer', version: 9 }, 'newer'],
    [
      'damaged',
      { kind: 'damaged', header: null, damage: { kind: 'emptied', remembered: counts, readable: counts, secondCopy: null } },
      'damaged',
    ],
    ['unavailable', { kind: 'unavailable' }, 'welcome'],
  ] as const)('%s has its own screen before any other', async (_, found, step) => {
    const { gate, entered } = await start(doorOf(found));
    expect(gate.step).toBe(step);
    expect(entered).toEqual([]);
  });

  test('damage without a readable header offers both secrets that can be typed', async () => {
    const { gate } = await start(
      doorOf({
        kind: 'damaged',
        header: null,
        damage: { kind: 'emptied', remembered: counts, readable: counts, secondCopy: { at: 1, counts } },
      }),
    );
    expect(gate.ways.map(({ kind }) => kind)).toEqual(['passphrase', 'recovery']);
  });

  test('a vault that turns out damaged when it is opened gets the screen of damage', async () => {
    const { device, session } = await vaultOn();
    session.vault.close();
    const door = memoryDoor({ device });
    let looks = 0;
    const { gate } = await start({
      ...door,
      look: async () =>
        looks++ === 0
          ? door.look()
          : {
              kind: 'damaged',
              header: null,
              damage: { kind: 'rolled-back', remembered: counts, readable: counts, secondCopy: null },
            },
      unlock: () => Promise.reject(new AppError('vault_damaged', 'An older state.')),
    });
    await gate.unlock({ kind: 'passphrase', text: passphrase });
    expect(gate.step).toBe('damaged');
  });

  test('a store that cannot be looked at says so and may be tried again', async () => {
    let isBroken = true;
    const door = memoryDoor();
    const { gate } = await start({
      ...door,
      look: () => (isBroken ? Promise.reject(new Error('no')) : door.look()),
    });
    expect(gate.step).toBe('failed');
    expect(gate.failure?.message).not.toContain('no.');
    isBroken = false;
    await gate.start();
    expect(gate.step).toBe('welcome');
  });
});
