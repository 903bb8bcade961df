import { describe, expect, test, vi } from 'vitest';
import { firstSearchRollouts } from '#app/plan-question.ts';
import { usualCareId } from '#app/plans.ts';
import { latestRollouts } from '#app/planning.svelte.ts';
import { regimenText, shortRegimenText } from '#app/regimens.ts';
import { measurementDays, samplingHours } from '#app/replanning.svelte.ts';
import { Session } from '#app/session.svelte.ts';
import { AppError } from '#domain/errors.ts';
import type { Plan, Regimen } from '#domain/plan.ts';
import type { MeasurementQuestion, PlanAnswer, PlanQuestion, PolicyQuestion, ReadyPolicy } from '#domain/planning.ts';
import type { EngineClient } from '#engine/client.ts';
import type { CallName, PlanOrder, SamplingOrder } from '#engine/protocol.ts';
import { planAnswer } from '../../fixtures/plan-answer.ts';
import { demonstrationVault } from '../../fixtures/vault/demonstration-vault.ts';
import { noImports, noPage, noPasskeys } from '../../fixtures/vault/no-page.ts';
import { fakeClient as toyClient, toySession } from '../../fixtures/toy-client.ts';
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

const dosed = (number: number): Plan => ({
  id: `candidate-${number}`,
  name: `${500 * number} mg every 12 h`,
  blocks: [],
  regimens: [regimen(500 * number)],
  stopsCurrentDoses: true,
});

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
type Played = (argument: unknown, signal?: AbortSignal, onPartial?: (answer: never) => void) => unknown;

function fakeClient(answers: Partial<Record<CallName, Played>> = {}) {
  const asked: { name: CallName; argument: unknown }[] = [];
  const table: Partial<Record<CallName, Played>> = {
    packs: () => ({ packs: [{ manifest, digest: 'digest-1', card: '' }], refused: [] }),
    engine: () => ({ kind: 'reference', description: 'f64', reason: 'test', attempts: [] }),
    golden: () => ({ packId: 'toy-dosed', isPassed: true, engine: 'f64', lines: [] }),
    person: () => person,
    planSearch: (argument) => planAnswer(dosed, (argument as { question: PlanQuestion }).question.own),
    samplingTimes: () => ({ unit: 'mg.h/L', now: [300, 450, 600], sdNow: 90, candidates: [] }),
    ...answers,
  };
  const client: EngineClient = {
    async call(name, argument, hooks) {
      asked.push({ name, argument });
      const given = await table[name]!(argument, hooks?.signal, hooks?.onPartial as never);
      hooks?.signal?.throwIfAborted();
      return given as never;
    },
    restart: vi.fn(),
    dispose() {},
  };
  const last = (name: CallName) => asked.findLast((one) => one.name === name)?.argument;
  return { client, last, asked };
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

const asked = (fake: ReturnType<typeof fakeClient>) => (fake.last('planSearch') as { question: PlanQuestion }).question;

describe('the search of plans', () => {
  test('begins with a benefit, a harm and a burden of the pack, and without a limit', async () => {
    const { planning } = await session(fakeClient().client);
    expect(planning.question).toMatchObject({
      goals: [
        { measure: { kind: 'target', target: 'auc' }, wish: 'more', weight: 5 },
        { measure: { kind: 'target', target: 'auc-high' }, wish: 'less', weight: 5 },
        { measure: { kind: 'burden', of: 'doses' }, wish: 'less', weight: 5 },
      ],
      limits: [],
      excluded: [],
      space: { kind: 'listed', intervention: 'toymycin' },
      insistsOutside: false,
      horizonDays: 3,
    });
  });

  test('asks what stands on the page, first with few futures and then with as many as chosen, and ticks nothing by itself', async () => {
    const fake = fakeClient();
    const { planning, forecast } = await session(fake.client);
    forecast.duplicate(usualCareId);
    planning.addLimit({ kind: 'target', target: 'auc-high' });
    planning.setLimit(0, { atMost: 0.25 });
    planning.setGoal(1, { weight: 8 });
    planning.removeGoal(2);
    planning.setChange('creatinine', 2);
    planning.setMaximum('toymycin', 3000);
    planning.exclude('toymycin', 'allergy');
    expect(planning.fault).toMatch(/excluded/);
    planning.exclude('toymycin', null);
    planning.set({ rollouts: 10_000 });
    await planning.search();
    const rollouts = fake.asked
      .filter(({ name }) => name === 'planSearch')
      .map(({ argument }) => (argument as { question: PlanQuestion }).question.rollouts);
    expect(rollouts).toEqual([firstSearchRollouts(manifest), 10_000]);
    expect(asked(fake)).toMatchObject({
      goals: [{ weight: 5 }, { weight: 8 }],
      limits: [{ measure: { target: 'auc-high' }, atMost: 0.25 }],
      changes: [{ covariate: 'creatinine', value: 2, fromDay: 0 }],
      maximumPerDay: { toymycin: 3000 },
      excluded: [],
      own: [{ id: 'plan-a' }],
      seed: 1,
    });
    expect(planning.ticked).toEqual([]);
    expect(planning.isStale).toBe(false);
    expect(planning.isPreliminary).toBe(false);
    planning.removeLimit(0);
    expect(planning.isStale).toBe(true);
  });

  test('is stale when a plan of the forecast page changed', async () => {
    const { planning, forecast } = await session(fakeClient().client);
    await planning.search();
    expect(planning.isStale).toBe(false);
    forecast.duplicate(usualCareId);
    expect(planning.isStale).toBe(true);
  });

  test('is not run without a goal, nor with a range that is none', async () => {
    const fake = fakeClient();
    const { planning } = await session(fake.client);
    for (let left = 3; left > 0; left--) planning.removeGoal(0);
    await planning.search();
    expect(planning.fault).toMatch(/at least one thing/);
    planning.addGoal({ kind: 'marker-at', marker: 'level', low: 20, high: 10, day: 1 }, 'more');
    expect(planning.fault).toMatch(/lower one below the upper/);
    expect(fake.last('planSearch')).toBeUndefined();
  });

  test('keeps days of goals inside the horizon', async () => {
    const { planning } = await session(fakeClient().client);
    planning.addGoal({ kind: 'marker-time', marker: 'level', low: 10, high: 20, fromDay: 2, toDay: 3 }, 'more');
    planning.set({ horizonDays: 1 });
    expect(planning.question!.goals.at(-1)!.measure).toMatchObject({ fromDay: 0, toDay: 1 });
  });

  test('says why it failed, and a stop is no failure', async () => {
    const refusing = fakeClient({
      planSearch: () => {
        throw new AppError('request_invalid', 'No dose lies below the maximum.');
      },
    });
    const { planning } = await session(refusing.client);
    await planning.search();
    expect(planning.work.failure).toBe('No dose lies below the maximum.');
    expect(planning.work.running).toBeNull();

    const slow = fakeClient({ planSearch: (_, signal) => new Promise((done) => signal?.addEventListener('abort', done)) });
    const other = (await session(slow.client)).planning;
    const search = other.search();
    expect(other.work.running).toBe('search');
    other.stop();
    await search;
    expect(other.work.failure).toBeNull();
    expect(other.answer).toBeNull();
  });

  test('a stop after the first look keeps it, and says that it is one', async () => {
    let calls = 0;
    const fake = fakeClient({
      planSearch: (_, signal) =>
        ++calls === 1 ? planAnswer(dosed) : new Promise((done) => signal?.addEventListener('abort', done)),
    });
    const { planning } = await session(fake.client);
    const search = planning.search();
    await vi.waitFor(() => expect(calls).toBe(2));
    planning.stop();
    await search;
    expect(planning.answer).not.toBeNull();
    expect(planning.isPreliminary).toBe(true);
  });

  test('a stop keeps the newest of what was found, and what was ticked stays the same plan', async () => {
    const partial = (rollouts: number, shift = 0): PlanAnswer => ({
      ...planAnswer((number) => dosed(number + shift)),
      status: 'stopped',
      rounds: [{ candidates: 4, rollouts }],
    });
    let say: (answer: PlanAnswer) => void = () => {};
    let calls = 0;
    const fake = fakeClient({
      planSearch: (_, signal, onPartial) => {
        if (++calls === 1) return { ...partial(320), status: 'completed' };
        say = onPartial as typeof say;
        return new Promise((done) => signal?.addEventListener('abort', done));
      },
    });
    const { planning } = await session(fake.client);
    const search = planning.search();
    await vi.waitFor(() => expect(calls).toBe(2));
    planning.tick('found-2', true);
    planning.tick('found-1', true);
    say(partial(250, 1));
    expect(latestRollouts(planning.answer!)).toBe(320);
    say(partial(1000, 1));
    planning.stop();
    await search;
    expect(planning.answer).toMatchObject({ status: 'stopped', rounds: [{ rollouts: 1000 }] });
    expect(planning.isPreliminary).toBe(true);
    expect(planning.compared.map(({ id, plan }) => [id, plan.name])).toEqual([['found-1', '1000 mg every 12 h']]);
  });

  test('is asked about the moment of the forecast beside it, so that one fit serves both, until the record changed', async () => {
    let minutes = 0;
    const now = () => Date.UTC(2026, 10, 23, 12, minutes);
    const fake = toyClient({ planSearch: () => planAnswer(dosed) });
    const { session: one } = await toySession(await demonstrationVault({ now }), fake.client, now);
    await one.addDemonstration('toy');
    const { forecast, planning } = one;
    await forecast.run();
    const asked = () => (fake.asked.findLast(({ name }) => name === 'planSearch')!.argument as PlanOrder).now;
    minutes = 20;
    await planning.search();
    expect(asked()).toBe(fake.orders().at(-1)!.now);
    forecast.update({ ...forecast.record!, covariates: { age: 51 } });
    await planning.search();
    expect(asked()!.slice(-2)).toBe('20');
  });

  test('is held without a basis for a real person, and noted down with one', async () => {
    const fake = fakeClient();
    const { planning, forecast } = await session(fake.client);
    forecast.update({ ...forecast.record!, isSynthetic: false });
    await planning.search();
    expect(planning.work.failure).toMatch(/on what basis/);
    expect(fake.last('planSearch')).toBeUndefined();

    const allowed = await session(fakeClient().client);
    await allowed.planning.search();
    await vi.waitFor(async () => {
      const { entries } = await allowed.vault.audit.read();
      expect(entries.some(({ action, detail }) => action === 'run' && detail?.startsWith('plan search, pack digest-1'))).toBe(
        true,
      );
    });
  });

  test('hides what lies outside the support unless it was insisted on', async () => {
    const { planning } = await session(fakeClient().client);
    await planning.search();
    expect(planning.candidates.map(({ id }) => id)).toEqual(['usual-care', 'found-1', 'found-2', 'found-3']);
    planning.set({ insistsOutside: true });
    // The answer on the page was not to that question.
    expect(planning.candidates).toHaveLength(4);
    await planning.search();
    expect(planning.candidates.map(({ id }) => id)).toContain('found-4');
  });

  test('lists usual care with those that keep the limits, and what was circled', async () => {
    const { planning } = await session(fakeClient().client);
    await planning.search();
    planning.onlyKeepingLimits = true;
    expect(planning.listed.map(({ id }) => id)).toEqual(['usual-care', 'found-1', 'found-2']);
    planning.circle(['usual-care', 'found-2']);
    expect(planning.listed.map(({ id }) => id)).toEqual(['usual-care', 'found-2']);
    expect(planning.ticked).toEqual(['found-2']);
    planning.circle([]);
    expect(planning.circled).toBeNull();
  });

  test('gives up to three ticked plans to the forecast page, where undo brings the plans back', async () => {
    const { planning, forecast } = await session(fakeClient().client);
    forecast.duplicate(usualCareId);
    const before = forecast.plans;
    planning.set({ insistsOutside: true });
    await planning.search();
    expect(planning.compare()).toBe(false);
    for (const id of ['usual-care', 'found-2', 'own-plan-a', 'found-1', 'found-3']) planning.tick(id, true);
    expect(planning.ticked).toEqual(['found-2', 'own-plan-a', 'found-1']);
    // The page's own plan keeps its letter; the others take the next free ones.
    expect(planning.lettered.map(({ chosen, plan }) => [chosen.id, plan.id])).toEqual([
      ['found-2', 'plan-b'],
      ['own-plan-a', 'plan-a'],
      ['found-1', 'plan-c'],
    ]);
    expect(planning.compare()).toBe(true);
    expect(forecast.plans).toMatchObject([
      { id: usualCareId },
      { id: 'plan-a' },
      { id: 'plan-b', name: 'Plan B', regimens: [{ amount: 1000 }], stopsCurrentDoses: true },
      { id: 'plan-c', regimens: [{ amount: 500 }] },
    ]);
    forecast.undo();
    expect(forecast.plans).toEqual(before);
  });

  test('a letter that a plan of the page has is not given to another while there are free ones', async () => {
    const { planning, forecast } = await session(fakeClient().client);
    forecast.duplicate(usualCareId);
    await planning.search();
    planning.tick('found-1', true);
    expect(planning.lettered.map(({ plan }) => plan.id)).toEqual(['plan-b']);
    for (let more = 0; more < 3; more++) forecast.duplicate(usualCareId);
    expect(planning.lettered.map(({ plan }) => plan.id)).toEqual(['plan-a']);
  });

  test('plans that switch interventions on and off are given whole', async () => {
    const block = { intervention: 'toymycin', startDay: 1, stopDay: 2 };
    const { planning, forecast } = await session(
      fakeClient({ planSearch: () => planAnswer((number) => ({ id: `c${number}`, name: `c${number}`, blocks: [block] })) })
        .client,
    );
    await planning.search();
    planning.tick('found-1', true);
    planning.compare();
    expect(forecast.plans[1]).toEqual({ id: 'plan-a', name: 'Plan A', blocks: [block] });
  });

  test('is kept with the patient and begins anew with another', async () => {
    const one = await session(fakeClient().client);
    await one.planning.search();
    one.planning.setMaximum('toymycin', 1);
    one.planning.exclude('toymycin', 'refused');
    await one.forecast.settled();
    const id = one.forecast.record!.id;
    await one.addDemonstration('toy-dosed');
    expect(one.planning.answer).toBeNull();
    expect(one.planning.question?.maximumPerDay).toEqual({});
    await one.openPatient(id);
    expect(one.planning.question?.maximumPerDay).toEqual({ toymycin: 1 });
    expect(one.planning.question?.excluded).toEqual([{ intervention: 'toymycin', because: 'refused' }]);
  });
});

describe('looking again inside the future', () => {
  const arm = (id: string) => ({
    id,
    name: id,
    kind: 'policy' as const,
    goals: [],
    limits: [],
    changedShare: [],
    dose: [],
    meanMeasurements: 2,
    refits: null,
    support: { distance: 0, reasons: [] },
  });
  const policyAnswer = { status: 'completed', message: '', arms: [arm('p')], units: [], futures: 200, elapsedMs: 1, seed: 1 };
  const value = {
    status: 'completed',
    message: '',
    unit: '1',
    now: 0.5,
    chosen: 'plan-a',
    candidates: [],
    perfect: { gain: 0.1, standardError: 0.01 },
    futures: 400,
    elapsedMs: 1,
    seed: 1,
  };
  const answers = { policies: () => policyAnswer, measurementValue: () => value };

  test('policies are asked for the goals of the page, against the ticked plans', async () => {
    const fake = fakeClient(answers);
    const { planning, replanning } = await session(fake.client);
    const ready = replanning.offered;
    expect(ready.length).toBeGreaterThan(0);
    await planning.search();
    planning.tick('found-2', true);
    await replanning.tryPolicies();
    const { question } = fake.last('policies') as { question: PolicyQuestion };
    expect(question.policies).toEqual(ready.map(({ policy }: ReadyPolicy) => policy));
    expect(question).toMatchObject({ fixed: [{ id: 'plan-a' }], goals: planning.question!.goals, horizonDays: 3, seed: 1 });
    expect(replanning.isPoliciesStale).toBe(false);
    planning.tick('found-2', false);
    expect(replanning.isPoliciesStale).toBe(true);
    for (const { policy } of ready) replanning.setPolicy(policy.id, false);
    await replanning.tryPolicies();
    expect(fake.asked.filter(({ name }) => name === 'policies')).toHaveLength(1);
  });

  test('policies that were simulated before a stop are kept', async () => {
    const fake = fakeClient({
      ...answers,
      policies: (_, signal, onPartial) => {
        onPartial?.({ ...policyAnswer, status: 'stopped' } as never);
        return new Promise((done) => signal?.addEventListener('abort', done));
      },
    });
    const { planning, replanning } = await session(fake.client);
    const trial = replanning.tryPolicies();
    await vi.waitFor(() => expect(replanning.policies).not.toBeNull());
    planning.stop();
    await trial;
    expect(replanning.policies).toMatchObject({ status: 'stopped' });
    expect(replanning.isPoliciesStale).toBe(false);
  });

  test('the value of a measurement is asked for a choice between plans, and not without one', async () => {
    const fake = fakeClient(answers);
    const { planning, replanning } = await session(fake.client);
    await replanning.valueMeasurements();
    expect(fake.last('measurementValue')).toBeUndefined();
    await planning.search();
    planning.tick('found-1', true);
    await replanning.valueMeasurements();
    const { question } = fake.last('measurementValue') as { question: MeasurementQuestion };
    expect(question).toMatchObject({ choices: [{ id: 'plan-a' }], goal: planning.question!.goals[0], horizonDays: 3 });
    expect(question.candidates.map(({ day }) => day)).toEqual(measurementDays(manifest, 3));
    expect(replanning.value?.perfect.gain).toBe(0.1);
    replanning.measurement = { marker: 'level', goal: 1 };
    expect(replanning.isValueStale).toBe(true);
  });

  test('days of a measurement lie on the grid, in the first half of the horizon', () => {
    const grid = { stepDays: 7, horizonSteps: 20, historySteps: 20, timeUnit: 'weeks' } as const;
    const days = measurementDays({ grid }, 140);
    expect(days.every((day) => day % 7 === 0 && day > 0 && day <= 70)).toBe(true);
    expect(new Set(days).size).toBe(days.length);
  });
});

test('when to draw the next level is asked of a marker and a target', async () => {
  const fake = fakeClient();
  const { replanning } = await session(fake.client);
  replanning.sampling = { marker: 'level', target: 'trough' };
  await replanning.findTimes();
  const { question } = fake.last('samplingTimes') as SamplingOrder;
  expect(question).toMatchObject({ marker: 'level', target: 'trough', horizonDays: 3 });
  expect(question.candidateHours.every((hours) => hours > 0 && hours <= 72)).toBe(true);
  expect(replanning.samplingAnswer?.sdNow).toBe(90);
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
