import { describe, expect, test } from 'vitest';
import type { Plan } from '#domain/plan.ts';
import type { MeasurementQuestion } from '#domain/planning.ts';
import { equationsMeasurementValue } from '#planning/policies/measurement-value.ts';
import { bestOption } from '#planning/policies/sample-information.ts';
import { fitPolicyPerson, policyHorizon, policyPack, policySimulator } from '../../fixtures/policy-people.ts';

const pack = policyPack();
const { manifest } = pack;
const fitted = fitPolicyPerson(pack);
const dose = (amount: number): Plan => ({
  id: `${amount}`,
  name: `${amount} mg`,
  blocks: [],
  stopsCurrentDoses: true,
  regimens: [
    { intervention: 'toymycin', amount, route: 'iv-infusion', durationHours: 1, startHour: 0, everyHours: 12, count: null },
  ],
});
const question: MeasurementQuestion = {
  choices: [dose(500), dose(1500)],
  goal: { measure: { kind: 'target', target: 'auc' }, wish: 'more', weight: 1 },
  candidates: [
    { marker: 'level', day: 0 },
    { marker: 'level', day: 1 },
    { marker: 'level', day: 2.9 },
    { marker: 'effect', day: 1 },
  ],
  futures: 300,
  horizonDays: policyHorizon,
  seed: 5,
};
const ask = async (change: Partial<MeasurementQuestion> = {}, hooks = {}) =>
  equationsMeasurementValue({ ...question, ...change }, { manifest, fitted: await fitted, simulator: policySimulator }, hooks);

describe('the value of the next measurement', () => {
  test('lies between nothing and what knowing everything would be worth; too late it is nothing', async () => {
    const { status, now, chosen, candidates, perfect, futures, unit } = await ask();
    expect(status).toBe('completed');
    expect(['usual-care', '500', '1500']).toContain(chosen);
    expect(now).toBeGreaterThan(0);
    expect(unit).toBe('1');
    expect(futures).toBe(300);
    for (const { gain, standardError } of candidates) {
      expect(gain).toBeGreaterThan(-4 * standardError - 1e-12);
      expect(gain).toBeLessThanOrEqual(perfect.gain);
    }
    const [today, tomorrow, late] = candidates;
    expect(Math.max(today!.gain, tomorrow!.gain)).toBeGreaterThan(3 * tomorrow!.standardError);
    // The last day, which the target looks at, is almost over.
    expect(late!.gain).toBeLessThan(Math.max(today!.gain, tomorrow!.gain));
  });

  test('of what is wanted less of is a gain as well', async () => {
    const { candidates, perfect } = await ask({
      goal: { measure: { kind: 'target', target: 'auc-high' }, wish: 'less', weight: 1 },
      candidates: [{ marker: 'level', day: 0 }],
    });
    expect(perfect.gain).toBeGreaterThanOrEqual(0);
    expect(candidates[0]!.gain).toBeGreaterThan(-4 * candidates[0]!.standardError - 1e-12);
  });

  test('between equal plans it is exactly nothing', async () => {
    const { candidates, perfect } = await ask({
      choices: [
        { ...dose(1000), stopsCurrentDoses: true },
        { ...dose(1000), id: 'again' },
      ],
    });
    expect(perfect.gain).toBeGreaterThanOrEqual(0);
    const same = await ask({ choices: [{ id: 'same', name: 'Same', blocks: [] }] });
    expect(same.perfect.gain).toBe(0);
    expect(same.candidates.every(({ gain }) => gain === 0)).toBe(true);
    expect(candidates).toHaveLength(4);
  });

  test('the same question gives the same answer, and stops when it is told to', async () => {
    expect(await ask()).toEqual(await ask());
    const stop = new AbortController();
    const running = ask({}, { signal: stop.signal, onProgress: () => stop.abort() });
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('says what is wrong with the question', async () => {
    await expect(ask({ candidates: [] })).rejects.toMatchObject({ code: 'request_invalid' });
    await expect(ask({ candidates: [{ marker: 'level', day: policyHorizon }] })).rejects.toMatchObject({
      code: 'request_invalid',
    });
    await expect(ask({ candidates: [{ marker: 'nothing', day: 1 }] })).rejects.toMatchObject({ code: 'request_invalid' });
    await expect(ask({ choices: [] })).rejects.toMatchObject({ code: 'request_invalid' });
  });
});

test('of options the first of the largest is chosen, and never one that says nothing', () => {
  expect(bestOption([1, 2, 2])).toBe(1);
  expect(bestOption([1, Number.NaN, 0])).toBe(0);
  expect(bestOption([Number.NaN, 0])).toBe(1);
});
