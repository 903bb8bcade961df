import { describe, expect, test, vi } from 'vitest';
import { consentFault, readConsent } from '#app/consent.ts';
import { noConsent } from '#app/record-draft.ts';
import type { Consent } from '#domain/record.ts';
import { memoryDevice, memoryDoor } from '#vault/memory-door.ts';
import { fakeClient, toySession } from '../../fixtures/toy-client.ts';

const today = '2026-11-23';
const consent: Consent = { basis: 'consent', purpose: 'Teaching round', recordedOn: '2026-01-02', expiresOn: '2026-11-23' };

/** A locked vault with one person of the toy pack, not synthetic, who has `given`. */
async function withPerson(given?: Consent) {
  const fake = fakeClient();
  const { vault } = await memoryDoor({ device: memoryDevice() }).create({ kind: 'passphrase', text: 'otter lamp seven bridge' });
  const { session } = await toySession(vault, fake.client);
  const editor = (await session.editRecord(null))!;
  for (const { id, kind } of editor.manifest.covariates) if (kind === 'number') editor.setCovariate(id, '50');
  if (given) editor.draft.consent = { ...given, expiresOn: given.expiresOn ?? '' };
  expect(await editor.save()).toBe(true);
  await session.openPatient(editor.id);
  await session.closeEditor();
  return { session, fake, id: editor.id };
}

describe('the rule', () => {
  test('made-up people need no basis; others do', () => {
    expect(consentFault({ isSynthetic: true }, today)).toBeNull();
    expect(consentFault({ isSynthetic: false }, today)?.code).toBe('consent_missing');
  });

  test('a basis holds to the end of its last day', () => {
    expect(consentFault({ isSynthetic: false, consent }, today)).toBeNull();
    expect(consentFault({ isSynthetic: false, consent }, '2026-11-24')?.code).toBe('consent_expired');
    expect(consentFault({ isSynthetic: false, consent: { ...consent, expiresOn: null } }, '2999-01-01')).toBeNull();
  });

  test('half of what is typed is refused with what is missing; nothing is nothing', () => {
    expect(readConsent(noConsent, today)).toBeNull();
    expect(readConsent({ ...noConsent, purpose: 'x' }, today)).toHaveProperty('fault');
    expect(readConsent({ ...noConsent, basis: 'care' }, today)).toHaveProperty('fault');
    expect(readConsent({ ...noConsent, basis: 'care', purpose: ' Ward 3 ' }, today)).toEqual({
      basis: 'care',
      purpose: 'Ward 3',
      recordedOn: today,
      expiresOn: null,
    });
  });
});

describe('a run', () => {
  test('is held without a basis and goes on once one is recorded, which is noted', async () => {
    const { session, fake, id } = await withPerson();
    expect(session.forecast.held?.code).toBe('consent_missing');
    await session.forecast.run();
    expect(session.forecast.failure?.code).toBe('consent_missing');
    expect(fake.orders()).toEqual([]);
    expect(await session.recordConsent(id, consent)).toBe(true);
    expect(session.forecast.held).toBeNull();
    await session.forecast.run();
    expect(fake.orders()).toHaveLength(2);
    await vi.waitFor(async () => {
      const { entries } = await session.vault.audit.read();
      expect(entries.map(({ action }) => action)).toEqual(['patient.save', 'patient.open', 'consent.record', 'run']);
      expect(entries.at(-1)).toMatchObject({ patientId: id, packId: 'toy', detail: 'forecast, pack digest-1' });
    });
  });

  test('is held when the basis has ended', async () => {
    const { session, fake } = await withPerson({ ...consent, expiresOn: '2026-11-22' });
    await session.forecast.run();
    expect(session.forecast.failure?.code).toBe('consent_expired');
    expect(fake.orders()).toEqual([]);
  });
});

test('what is being typed when a person is erased is not written afterwards', async () => {
  const { session, id } = await withPerson(consent);
  const editor = (await session.editRecord(id))!;
  editor.draft.note = 'half a sent';
  editor.changed();
  session.forecast.newSeed();
  await session.erasePatient(id);
  await new Promise((done) => setTimeout(done, 400));
  expect((await session.vault.storage()).counts).toMatchObject({ patients: 0, drafts: 0, workspaces: 0 });
  expect(session.unsavedIds).toEqual([]);
});

test('withdrawal erases the person, says what it did and leaves nothing to undo', async () => {
  const { session, id } = await withPerson(consent);
  const report = await session.withdrawConsent(id);
  expect(report).toMatchObject({ patientId: id, isKeyShredded: true, lastBackupAt: null });
  expect(session.erasure).toBe(report);
  expect(session.patients.all).toEqual([]);
  expect(session.patients.deleted).toBeNull();
  expect(session.forecast.record).toBeNull();
  await vi.waitFor(async () => {
    const { entries } = await session.vault.audit.read();
    expect(entries.map(({ action }) => action).slice(-2)).toEqual(['consent.withdraw', 'patient.erase']);
  });
});

test('a consent typed with the record is kept with it, and survives editing', async () => {
  const { session, id } = await withPerson(consent);
  expect(session.patients.find(id)?.consent).toEqual(consent);
  const editor = (await session.editRecord(id))!;
  editor.draft.note = 'seen again';
  expect(await editor.save()).toBe(true);
  expect(session.patients.find(id)?.consent).toEqual(consent);
});
