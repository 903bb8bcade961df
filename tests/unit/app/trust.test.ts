import { expect, test } from 'vitest';
import { readCorrections, readFrozen } from '#app/frozen.ts';
import { usualCareId } from '#app/plans.ts';
import type { ConformalTable, RecalibrationAnswer, Standing } from '#domain/trust.ts';
import type { RunOrder } from '#engine/protocol.ts';
import { fakeClient, result, toySession } from '../../fixtures/toy-client.ts';
import { demonstrationVault } from '../../fixtures/vault/demonstration-vault.ts';

const now = () => Date.UTC(2026, 10, 23, 12);

const standing: Standing = {
  verdict: 'partly',
  reasons: ['Unlike the others.'],
  farOut: 1.2,
  scores: [],
  missingShare: 0,
  outOfRange: [],
  drivers: [],
  method: '',
};

const table: ConformalTable = {
  format: 'counterpart-conformal/1',
  packId: 'toy',
  model: 'a'.repeat(64),
  learnedFrom: 'nobody',
  markers: {},
  events: [{ event: 'any', level: 0.9, incidence: 0.05, people: 40 }],
};

const better = (id: string): RecalibrationAnswer => ({
  status: 'better',
  message: 'Better.',
  recalibration: {
    format: 1,
    id,
    packId: 'toy',
    packDigest: 'digest-1',
    madeAt: 0,
    correction: { kind: 'intervals', factors: { bilirubin: 1.5 } },
    trainedOn: 20,
    testedOn: 20,
    before: [],
    after: [],
    isOn: false,
  },
});

/** A worker that names what it was asked to correct with, as the real one does. */
function forecast(order: RunOrder) {
  const made = { ...result(order), pack: { id: 'toy', version: '1.0.0', digest: 'digest-1', title: 'Toy' } };
  const corrections = (order.corrections ?? []).map(({ id, words, correction: { kind } }) => ({ id, words, kind }));
  return corrections.length > 0 ? { ...made, corrections } : made;
}

async function session(answers: Parameters<typeof fakeClient>[0] = {}) {
  const vault = await demonstrationVault({ now });
  const fake = fakeClient({ forecast, standing: () => standing, conformalTable: () => table, ...answers });
  const { session: one } = await toySession(vault, fake.client, now);
  await one.addDemonstration('toy');
  await one.forecast.run();
  await one.trust.load();
  return { ...fake, one, vault };
}

test('a person is placed once, and again only after the record changed', async () => {
  const { one, asked } = await session();
  await one.trust.place();
  expect(one.trust.standing).toEqual(standing);
  await one.trust.place();
  expect(asked.filter(({ name }) => name === 'standing')).toHaveLength(1);
  one.forecast.record = { ...one.forecast.record!, covariates: { age: 51 } };
  expect(one.trust.isStandingStale).toBe(true);
  await one.trust.place();
  expect(asked.filter(({ name }) => name === 'standing')).toHaveLength(2);
});

test('a frozen forecast is sealed in the patient’s own row, noted in the log, read back whole, and erased with the patient', async () => {
  const { one, vault } = await session();
  const frozen = await one.trust.freeze(usualCareId);
  expect(one.trust.failure).toBeNull();
  expect(one.trust.rows).toMatchObject([{ isIntact: true, frozen: { id: frozen!.id, planId: usualCareId } }]);
  expect((await vault.storage()).counts).toMatchObject({ frozen: 1 });
  await expect.poll(async () => (await vault.audit.read()).entries.map(({ action }) => action)).toContain('forecast.freeze');
  await one.erasePatient(one.forecast.record!.id);
  expect((await vault.storage()).counts).toMatchObject({ frozen: 0, patients: 0 });
});

test('a frozen forecast that was changed afterwards is shown as such and counts for nothing', async () => {
  const { one, vault } = await session();
  await one.trust.freeze(usualCareId);
  expect(one.trust.cases).toHaveLength(1);
  const shelf = vault.shelf('frozen', readFrozen);
  const { id, value } = (await shelf.all()).kept[0]!;
  const [first] = value.forecasts;
  const changed = { ...first!, forecast: { ...first!.forecast, message: 'another' } };
  await shelf.put(id, { format: 1, forecasts: [changed] }, 'any');
  await one.trust.loadFrozen();
  expect(one.trust.rows).toMatchObject([{ isIntact: false }]);
  expect(one.trust.cases).toEqual([]);
});

test('discarding one leaves the others', async () => {
  const { one } = await session();
  const first = await one.trust.freeze(usualCareId);
  const second = await one.trust.freeze(usualCareId);
  await one.trust.discard(first!);
  expect(one.trust.rows.map(({ frozen }) => frozen.id)).toEqual([second!.id]);
});

test('what is preliminary, or from a file, cannot be frozen', async () => {
  const { one } = await session();
  one.forecast.isPreliminary = true;
  expect(await one.trust.freeze(usualCareId)).toBeNull();
});

test('a learned correction is kept switched off, is used once it is on, named in the forecast, and gone with one press', async () => {
  const { one, orders } = await session({ recalibrate: () => better('r-1') });
  await one.trust.recalibrate('intervals');
  expect(one.trust.shelf?.made).toMatchObject([{ id: 'r-1', isOn: false }]);
  expect(one.forecast.stale).toEqual([]);
  await one.trust.setOn('r-1', true);
  expect(one.forecast.stale).toEqual(['run']);
  await one.forecast.run();
  expect(orders().at(-1)!.corrections).toMatchObject([{ id: 'r-1', correction: { kind: 'intervals' } }]);
  expect(one.forecast.forecast!.corrections![0]!.words).toContain('20 local patients');
  await one.trust.setOn('r-1', false);
  await one.forecast.run();
  expect(one.forecast.forecast!.corrections).toBeUndefined();
  // With a correction on, a frozen forecast says nothing of the pack itself.
  await one.trust.setOn('r-1', true);
  await one.forecast.run();
  await one.trust.freeze(usualCareId);
  expect(one.trust.rows).toHaveLength(1);
  expect(one.trust.cases).toEqual([]);
});

test('one that is no better is not kept', async () => {
  const answer: RecalibrationAnswer = { status: 'no-better', message: 'No better.', before: [], after: [] };
  const { one, vault } = await session({ recalibrate: () => answer });
  await one.trust.recalibrate('intervals');
  expect(one.trust.answers.intervals).toEqual(answer);
  expect((await vault.storage()).counts).toMatchObject({ corrections: 0 });
});

test('a correction of another version of the pack is kept and not used', async () => {
  const { one, vault, orders } = await session();
  const { recalibration } = better('r-old') as Extract<RecalibrationAnswer, { status: 'better' }>;
  const old = { ...recalibration, packDigest: 'digest-0', isOn: true };
  await vault.shelf('corrections', readCorrections).put('toy', { format: 1, isConformalOn: false, made: [old] }, 'any');
  await one.trust.loadCorrections();
  one.forecast.corrections = null;
  await one.forecast.run();
  expect(orders().at(-1)!.corrections).toEqual([]);
  expect(one.trust.shelf!.made).toHaveLength(1);
});

test('conformal ranges are off by default, and say what they assume once they are on', async () => {
  const { one } = await session();
  expect(one.trust.shelf!.isConformalOn).toBe(false);
  expect(one.trust.eventBounds).toEqual([]);
  await one.trust.setConformal(true);
  await one.forecast.run();
  expect(one.forecast.forecast!.corrections![0]!.words).toContain('assumes that this person could have been one of them');
  // Usual care reaches 10 % by 90 days, so 5 % by 45.
  expect(one.trust.eventBounds).toMatchObject([{ level: 0.9, days: expect.closeTo(45, 6) as number }]);
});
