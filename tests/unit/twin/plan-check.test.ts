import { describe, expect, test } from 'vitest';
import type { Plan, PlanBlock } from '#domain/plan.ts';
import { checkPlan, outsideSupport, usualCarePlan } from '#twin/plan-check.ts';
import type { History } from '#twin/history.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';

const { manifest } = toyPack();
const horizon = 900;
const block = (intervention: string, startDay = 0, stopDay = horizon): PlanBlock => ({ intervention, startDay, stopDay });
const plan = (...blocks: PlanBlock[]): Plan => ({ id: 'a', name: 'A', blocks });

describe('a plan', () => {
  test.each([
    ['an unknown intervention', plan(block('aspirin')), 'plan_outside_pack'],
    ['an observed habit, which is no lever', plan(block('habit-o')), 'plan_outside_pack'],
    ['natural history, which is no lever', plan(block('no-drug')), 'plan_outside_pack'],
    ['a stop before the start', plan(block('drug-r', 90, 30)), 'plan_invalid'],
    ['a start in the past', plan(block('drug-r', -10, 30)), 'plan_invalid'],
    ['the same drug twice at a time', plan(block('drug-r', 0, 100), block('drug-r', 50, 200)), 'plan_invalid'],
    ['the id of usual care', { ...plan(), id: 'usual-care' }, 'plan_invalid'],
  ])('%s is refused', (_, refused, code) => {
    expect(() => checkPlan(manifest, refused)).toThrow(expect.objectContaining({ code }));
  });

  test('two drugs of one exclusive group may follow each other and not overlap', () => {
    const twin = { ...manifest.interventions[0]!, id: 'drug-r2' };
    const two = { ...manifest, interventions: [...manifest.interventions, twin] };
    expect(() => checkPlan(two, plan(block('drug-r', 0, 90), block('drug-r2', 90, 180)))).not.toThrow();
    expect(() => checkPlan(two, plan(block('drug-r', 0, 91), block('drug-r2', 90, 180)))).toThrow(
      expect.objectContaining({ code: 'plan_invalid' }),
    );
  });

  test('usual care is what the manifest says, from today to the horizon', () => {
    expect(usualCarePlan(manifest, horizon).blocks).toEqual([block('no-drug')]);
  });
});

describe('the evidence for timings', () => {
  const at = (todayDays: number, treatments: History['treatments'] = []) => ({ todayDays, treatments }) as History;
  const fromEntry = {
    ...manifest,
    interventions: manifest.interventions.map((own) => (own.id === 'drug-r' ? { ...own, timing: 'from-entry' as const } : own)),
  };
  const since = (startDay: number, stopDay = Infinity) => [{ intervention: 'drug-r', startDay, stopDay }];

  test('from today: a later start or a stop is marked', () => {
    expect(outsideSupport(manifest, plan(block('drug-x')), at(0), horizon)).toEqual([]);
    expect(outsideSupport(manifest, plan(block('drug-x', 200)), at(0), horizon)).toHaveLength(1);
    expect(outsideSupport(manifest, plan(block('drug-x', 0, 300)), at(0), horizon)).toHaveLength(1);
  });

  test('from entry: the whole time or never', () => {
    const reasons = (days: number, past: History['treatments'], ...blocks: PlanBlock[]) =>
      outsideSupport(fromEntry, plan(...blocks), at(days, past), horizon).length;
    expect(reasons(0, [], block('drug-r'))).toBe(0);
    expect(reasons(400, since(0), block('drug-r'))).toBe(0);
    expect(reasons(400, [])).toBe(0);
    expect(reasons(400, [], block('drug-r'))).toBe(1);
    expect(reasons(400, since(0))).toBe(1);
    expect(reasons(400, since(0), block('drug-r', 0, 300))).toBe(1);
    expect(reasons(400, since(200), block('drug-r'))).toBe(1);
  });
});
