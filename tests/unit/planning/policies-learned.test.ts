import { describe, expect, test } from 'vitest';
import { drawPerson } from '#cohorts/people.ts';
import type { Plan } from '#domain/plan.ts';
import type { MeasurementQuestion, Policy, PolicyQuestion } from '#domain/planning.ts';
import { CpuEngine } from '#engine/cpu/engine.ts';
import type { FutureEngine } from '#engine/engine.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { seedFrom } from '#numerics/random.ts';
import { learnedPolicies } from '#planning/policies/learned-policies.ts';
import { learnedMeasurementValue } from '#planning/policies/measurement-value.ts';
import { encodeHistoryPlain } from '#twin/encoder-plain.ts';
import { fitTwin } from '#twin/fit.ts';
import { readHistory } from '#twin/history.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';

const pack = toyPack();
const reference = new ReferenceEngine();
const { record, today } = drawPerson(pack, seedFrom(5), { historySteps: 4, today: '2024-06-01', stepper: reference, number: 3 });
const history = readHistory(pack.manifest, record, today);
const twin = fitTwin({
  pack,
  history,
  stepper: reference,
  posterior: encodeHistoryPlain(pack, history),
  seed: seedFrom(1),
  particlesPerMember: 256,
});

const horizonDays = 720;
const nothing: Plan = { id: 'nothing', name: 'Nothing', blocks: [] };
const drug: Plan = { id: 'drug', name: 'Drug', blocks: [{ intervention: 'drug-x', startDay: 0, stopDay: horizonDays }] };
const policy = (value: number, decisionDays: readonly number[] = [90, 180, 360]): Policy => ({
  id: 'by-bilirubin',
  name: 'By bilirubin',
  start: nothing,
  decisionDays,
  measures: ['bilirubin'],
  rule: { kind: 'switch-when', marker: 'bilirubin', direction: 'above', value, to: drug },
});
const question = (change: Partial<PolicyQuestion> = {}): PolicyQuestion => ({
  policies: [policy(1.5)],
  fixed: [nothing, drug],
  goals: [
    { measure: { kind: 'event', event: null, byDay: horizonDays }, wish: 'less', weight: 1 },
    { measure: { kind: 'event-free-days' }, wish: 'more', weight: 1 },
    {
      measure: { kind: 'marker-time', marker: 'bilirubin', low: null, high: 3, fromDay: 0, toDay: horizonDays },
      wish: 'more',
      weight: 1,
    },
  ],
  limits: [],
  futures: 320,
  horizonDays,
  seed: 4,
  ...change,
});
const ask = (change: Partial<PolicyQuestion> = {}, engine: FutureEngine = reference, hooks = {}) =>
  learnedPolicies(question(change), { pack, history, twin, engine }, hooks);

describe('policies of a learned pack', () => {
  test('a rule that never switches is its start, byte for byte', async () => {
    const { arms } = await ask({ policies: [policy(1e6)] });
    expect(arms[3]!.changedShare).toEqual([0, 0, 0]);
    expect(arms[3]!.goals).toEqual(arms[1]!.goals);
  });

  test('a rule that always switches today is the other plan, byte for byte', async () => {
    const { arms } = await ask({ policies: [policy(0, [0, 90])] });
    expect(arms[3]!.changedShare).toEqual([1, 0]);
    expect(arms[3]!.goals).toEqual(arms[2]!.goals);
  });

  test('between the two it lies between them, and measures until it switches or the course ends', async () => {
    const { arms, futures } = await ask();
    const [, never, always, switching] = arms;
    expect(futures).toBe(320);
    const changed = switching!.changedShare.reduce((sum, share) => sum + share);
    expect(changed).toBeGreaterThan(0.05);
    expect(changed).toBeLessThan(1);
    const [low, high] = [never!, always!].map(({ goals }) => goals[1]!.value).sort((a, b) => a - b);
    expect(switching!.goals[1]!.value).toBeGreaterThanOrEqual(low! - 1e-9);
    expect(switching!.goals[1]!.value).toBeLessThanOrEqual(high! + 1e-9);
    expect(switching!.meanMeasurements).toBeLessThan(3);
    expect(switching!.refits).toBeNull();
  });

  test('a later decision changes nothing that came before it', async () => {
    const early: PolicyQuestion['goals'] = [{ measure: { kind: 'event', event: null, byDay: 90 }, wish: 'less', weight: 1 }];
    const { arms } = await ask({ goals: early, policies: [policy(0, [180])] });
    expect(arms[3]!.goals[0]!.value).toBeCloseTo(arms[1]!.goals[0]!.value, 12);
  });

  test('the same question gives the same answer, and another engine the same within rounding', async () => {
    const [one, again, other] = [await ask(), await ask(), await ask({}, await CpuEngine.create())];
    expect(again).toEqual(one);
    other.arms.forEach((arm, a) =>
      arm.goals.forEach(({ value }, g) => expect(Math.abs(value / one.arms[a]!.goals[g]!.value - 1)).toBeLessThan(1e-3)),
    );
  });

  test('is not simulated for a person whose place among the pack’s people withholds the forecast', async () => {
    const placing = () => ({ verdict: 'outside', reasons: ['Far from everybody.'] }) as const;
    const answer = await learnedPolicies(question(), { pack, history, twin, engine: reference, placing });
    expect(answer).toMatchObject({ status: 'outside-support', arms: [] });
    expect(answer.message).toContain('Far from everybody.');
  });

  test('is marked where a course that it may lead to is outside the evidence', async () => {
    const toDrugR: Policy = {
      ...policy(1.5),
      rule: {
        kind: 'switch-when',
        marker: 'bilirubin',
        direction: 'above',
        value: 1.5,
        to: { id: 'r', name: 'R', blocks: [{ intervention: 'drug-r', startDay: 0, stopDay: horizonDays }] },
      },
    };
    const { arms } = await ask({ policies: [toDrugR, policy(1.5)] });
    // Drug R may be started on any day, drug X today only.
    expect(arms[3]!.support).toEqual({ distance: 0, reasons: [] });
    expect(arms[4]!.support.distance).toBeGreaterThan(0);
    expect(arms[4]!.support.reasons.join(' ')).toContain('evidence');
  });

  test('refuses rules for doses and markers that the pack lacks, and stops when told to', async () => {
    const dosing = { ...policy(1), rule: { kind: 'refit-and-dose', intervention: 'drug-x', reach: null, avoid: [] } } as Policy;
    await expect(ask({ policies: [dosing] })).rejects.toMatchObject({ code: 'request_invalid' });
    await expect(ask({ policies: [{ ...policy(1), measures: [] }] })).rejects.toMatchObject({ code: 'request_invalid' });
    const stop = new AbortController();
    stop.abort();
    await expect(ask({}, reference, { signal: stop.signal })).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('the value of a measurement under a learned pack', () => {
  const asked: MeasurementQuestion = {
    choices: [drug],
    goal: { measure: { kind: 'event-free-days' }, wish: 'more', weight: 1 },
    candidates: [0, 90, 360].map((day) => ({ marker: 'bilirubin', day })),
    futures: 640,
    horizonDays,
    seed: 2,
  };
  const value = (change: Partial<MeasurementQuestion> = {}) =>
    learnedMeasurementValue({ ...asked, ...change }, { pack, history, twin, engine: reference });

  test('lies between nothing and what knowing everything would be worth', async () => {
    const { candidates, perfect, chosen, unit, futures } = await value();
    expect(['usual-care', 'drug']).toContain(chosen);
    expect(unit).toBe('d');
    expect(futures).toBe(640);
    for (const { gain, standardError, changesChoice } of candidates) {
      expect(gain).toBeGreaterThan(-4 * standardError - 1e-9);
      expect(gain).toBeLessThanOrEqual(perfect.gain + 1e-9);
      expect(changesChoice).toBeGreaterThanOrEqual(0);
    }
  });

  test('is nothing where there is nothing to choose', async () => {
    const { candidates, perfect } = await value({ choices: [{ ...nothing, id: 'same' }] });
    expect(perfect.gain).toBe(0);
    for (const { gain } of candidates) expect(gain).toBe(0);
    await expect(value({ choices: [] })).rejects.toMatchObject({ code: 'request_invalid' });
    await expect(value({ candidates: [{ marker: 'bilirubin', day: horizonDays }] })).rejects.toMatchObject({
      code: 'request_invalid',
    });
  });

  test('the same question gives the same answer', async () => {
    expect(await value()).toEqual(await value());
  });
});
