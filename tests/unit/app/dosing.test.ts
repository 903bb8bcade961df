import { describe, expect, test, vi } from 'vitest';
import { samplingHours } from '#app/dosing.svelte.ts';
import { usualCareId } from '#app/plans.ts';
import { regimenText, shortRegimenText } from '#app/regimens.ts';
import { Session } from '#app/session.svelte.ts';
import { AppError } from '#domain/errors.ts';
import type { DoseAnswer } from '#domain/dosing.ts';
import type { Regimen } from '#domain/plan.ts';
import type { EngineClient } from '#engine/client.ts';
import type { CallName, DoseOrder, SamplingOrder } from '#engine/protocol.ts';
import { demonstrationVault } from '../../fixtures/vault/demonstration-vault.ts';
import { noImports, noPage, noPasskeys } from '../../fixtures/vault/no-page.ts';
import { toyDosedManifest as manifest } from '../../fixtures/toy-dosed.ts';

const regimen = (amount: number): Regimen => ({
  intervention: 'toymycin',
  amount,
  route: 'iv-infusion',
  durationHours: 1,
  startHour: 0,
  everyHours: 12,
  count: null,
});

const answer: DoseAnswer = {
  candidates: [1, 2, 3, 4].map((number) => ({
    id: `candidate-${number}`,
    regimens: [regimen(500 * number)],
    amountPerDay: 1000 * number,
    targets: {},
    allReached: 0.5,
    keepsLimits: number < 3,
    draws: 4096,
    outsideSupport: [],
  })),
  simulated: 100,
  fullEnumeration: 400,
  elapsedMs: 1,
  seed: 1,
};

/** With one course that goes on. */
const person = {
  id: 'x',
  alias: 'x',
  isSynthetic: true,
  entryDate: '2026-11-20',
  covariates: { age: 50, creatinine: 1 },
  observations: [],
  treatments: [],
  doses: [{ ...regimen(1000), id: 'c', unit: 'mg', start: '2026-11-20T08:00', exceptions: [] }],
  events: [],
  note: 'A made-up person.',
  updatedAt: 0,
};

/** The worker's part, played by a table of answers. */
function fakeClient(answers: Partial<Record<CallName, (argument: unknown, signal?: AbortSignal) => unknown>> = {}) {
  const asked: { name: CallName; argument: unknown }[] = [];
  const table: Partial<Record<CallName, (argument: unknown, signal?: AbortSignal) => unknown>> = {
    packs: () => ({ packs: [{ manifest, digest: 'digest-1', card: '' }], refused: [] }),
    engine: () => ({ kind: 'reference', description: 'f64', reason: 'test', attempts: [] }),
    golden: () => ({ packId: 'toy-dosed', isPassed: true, engine: 'f64', lines: [] }),
    person: () => person,
    doseSearch: () => answer,
    samplingTimes: () => ({ unit: 'mg.h/L', now: [300, 450, 600], sdNow: 90, candidates: [] }),
    ...answers,
  };
  const client: EngineClient = {
    async call(name, argument, hooks) {
      asked.push({ name, argument });
      const given = await table[name]!(argument, hooks?.signal);
      hooks?.signal?.throwIfAborted();
      return given as never;
    },
    restart: vi.fn(),
    dispose() {},
  };
  const last = (name: CallName) => asked.findLast((one) => one.name === name)?.argument;
  return { client, last };
}

let made = 0;
async function session(client: EngineClient) {
  const now = () => Date.UTC(2026, 10, 23, 12);
  const vault = await demonstrationVault({ now });
  const one = new Session({
    vault,
    client,
    importClient: noImports,
    passkeys: noPasskeys,
    leaving: noPage(),
    now,
    newId: () => `id-${++made}`,
    randomSeed: () => 4711,
    version: '0',
  });
  await one.start();
  await vi.waitFor(() => expect(one.packs.status).toBe('ready'));
  await one.addDemonstration('toy-dosed');
  return one;
}

describe('the dose search', () => {
  test('asks what stands on the page, and ticks nothing by itself', async () => {
    const fake = fakeClient();
    const { dosing } = await session(fake.client);
    expect(dosing.question).toMatchObject({ reach: ['auc'], atMost: {}, withLoadingDose: false, changes: {} });
    dosing.setReach('trough', true);
    dosing.setLimit('auc-high', 0.2);
    dosing.setChange('creatinine', 2);
    dosing.set({ maximumPerDay: 3000, withLoadingDose: true });
    await dosing.search();
    const { question } = fake.last('doseSearch') as DoseOrder;
    expect(question).toMatchObject({
      intervention: 'toymycin',
      reach: ['auc', 'trough'],
      avoid: [{ target: 'auc-high', atMost: 0.2 }],
      covariateChanges: [{ covariate: 'creatinine', value: 2, fromDay: 0 }],
      withLoadingDose: true,
      maximumPerDay: 3000,
      horizonDays: 3,
      seed: 1,
    });
    expect(dosing.answer).toEqual(answer);
    expect(dosing.ticked).toEqual([]);
    expect(dosing.isStale).toBe(false);
    dosing.setLimit('auc-high', null);
    expect(dosing.isStale).toBe(true);
  });

  test('is not run without a target', async () => {
    const fake = fakeClient();
    const { dosing } = await session(fake.client);
    dosing.setReach('auc', false);
    await dosing.search();
    expect(dosing.fault).toMatch(/at least one target/);
    expect(fake.last('doseSearch')).toBeUndefined();
  });

  test('says why it failed, and a stop is no failure', async () => {
    const refusing = fakeClient({
      doseSearch: () => {
        throw new AppError('request_invalid', 'No dose lies below the maximum.');
      },
    });
    const { dosing } = await session(refusing.client);
    await dosing.search();
    expect(dosing.failure).toBe('No dose lies below the maximum.');
    expect(dosing.running).toBeNull();

    const slow = fakeClient({ doseSearch: (_, signal) => new Promise((done) => signal?.addEventListener('abort', done)) });
    const other = (await session(slow.client)).dosing;
    const search = other.search();
    expect(other.running).toBe('doses');
    other.stop();
    await search;
    expect(other.failure).toBeNull();
    expect(other.answer).toBeNull();
  });

  test('shows those that keep the limits when asked to', async () => {
    const { dosing } = await session(fakeClient().client);
    await dosing.search();
    expect(dosing.shown).toHaveLength(4);
    dosing.onlyKeepingLimits = true;
    expect(dosing.shown.map(({ id }) => id)).toEqual(['candidate-1', 'candidate-2']);
  });

  test('gives up to three ticked candidates to the forecast page, where undo brings the plans back', async () => {
    const { dosing, forecast } = await session(fakeClient().client);
    const before = forecast.plans;
    await dosing.search();
    expect(dosing.compare()).toBe(false);
    for (const { id } of answer.candidates) dosing.tick(id, true);
    expect(dosing.ticked).toEqual(['candidate-1', 'candidate-2', 'candidate-3']);
    dosing.tick('candidate-2', false);
    expect(dosing.compare()).toBe(true);
    expect(forecast.plans).toMatchObject([
      { id: usualCareId },
      { id: 'plan-a', regimens: [{ amount: 500 }], stopsCurrentDoses: true },
      { id: 'plan-b', regimens: [{ amount: 1500 }], stopsCurrentDoses: true },
    ]);
    forecast.undo();
    expect(forecast.plans).toEqual(before);
  });

  test('begins anew with another patient', async () => {
    const one = await session(fakeClient().client);
    await one.dosing.search();
    one.dosing.set({ maximumPerDay: 1 });
    await one.addDemonstration('toy-dosed');
    expect(one.dosing.answer).toBeNull();
    expect(one.dosing.question?.maximumPerDay).toBeNull();
  });
});

test('where next to measure is asked of a marker and a target', async () => {
  const fake = fakeClient();
  const { dosing } = await session(fake.client);
  dosing.sampling = { marker: 'level', target: 'trough' };
  await dosing.findTimes();
  const { question } = fake.last('samplingTimes') as SamplingOrder;
  expect(question).toMatchObject({ marker: 'level', target: 'trough', horizonDays: 3 });
  expect(question.candidateHours.every((hours) => hours > 0 && hours <= 72)).toBe(true);
  expect(dosing.samplingAnswer?.sdNow).toBe(90);
  expect(samplingHours({ grid: { stepDays: 7, horizonSteps: 20, historySteps: 20, timeUnit: 'weeks' } }, 84)).toHaveLength(12);
});

describe('a plan of a dosed pack', () => {
  test('begins with usual care alone where doses go on; a copy of it takes them along to be changed', async () => {
    const { forecast } = await session(fakeClient().client);
    expect(forecast.plans.map(({ id }) => id)).toEqual([usualCareId]);
    expect(forecast.continuing).toMatchObject([{ amount: 1000, everyHours: 12, startHour: 8, count: null }]);
    forecast.duplicate(usualCareId);
    expect(forecast.plans[1]).toMatchObject({
      id: 'plan-a',
      regimens: [{ amount: 1000, startHour: 8 }],
      stopsCurrentDoses: true,
    });
    expect(forecast.faultOf(forecast.plans[1]!)).toBeNull();
    const wrong = { ...forecast.plans[1]!, regimens: [{ ...regimen(500), everyHours: -12 }] };
    expect(forecast.faultOf(wrong)).toMatch(/interval above 0/);
  });

  test('begins with the middle of the grid where nothing is given', async () => {
    const { forecast } = await session(fakeClient({ person: () => ({ ...person, doses: [] }) }).client);
    expect(forecast.plans).toMatchObject([
      { id: usualCareId },
      { regimens: [{ amount: 1000, everyHours: 12, durationHours: 1 }] },
    ]);
  });
});

test('a regimen is said in one line', () => {
  expect(regimenText(regimen(1000), manifest)).toBe('1000 mg IV over 1 h every 12 h');
  expect(regimenText({ ...regimen(1500), everyHours: null, count: 1, durationHours: 1.5 }, manifest)).toBe(
    '1500 mg IV over 90 min once',
  );
  expect(regimenText({ ...regimen(750), count: 6 }, manifest)).toBe('750 mg IV over 1 h every 12 h, 6 doses');
  expect(regimenText({ ...regimen(750), startHour: 24 }, manifest)).toBe('750 mg IV over 1 h every 12 h, first in 24 h');
  expect(shortRegimenText(regimen(1000), manifest)).toBe('1000 mg q12h');
});
