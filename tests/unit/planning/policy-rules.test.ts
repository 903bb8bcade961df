import { assert as assertProperty, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Plan, Regimen } from '#domain/plan.ts';
import type { PolicyRule } from '#domain/planning.ts';
import { composeBlocks, cutAt, goOnFrom } from '#planning/policies/compose.ts';
import { amountPerDayFrom, doseOptions, followFrom, titrate, type DosePlan } from '#planning/policies/dose-rules.ts';
import { measureDaysFrom } from '#planning/policies/target-window.ts';
import { doseHours } from '#planning/doses-given.ts';
import { toyDosedManifest as manifest } from '../../fixtures/toy-dosed.ts';

const regimen: Regimen = {
  intervention: 'toymycin',
  amount: 1000,
  route: 'iv-infusion',
  durationHours: 1,
  startHour: 0,
  everyHours: 12,
  count: null,
};
const plan: DosePlan = { id: 'p', name: 'P', blocks: [], regimens: [regimen], stopsCurrentDoses: true };
const [grid] = manifest.doseGrids;
const noSize = { weightKg: null, surfaceM2: null };

const anyRegimen = record({
  startHour: integer({ min: 0, max: 60 }),
  everyHours: constantFrom(null, 6, 8, 12, 24),
  count: constantFrom(null, 1, 3, 10),
});

describe('a plan until a day and another from then on', () => {
  test('cutting a regimen on a day and going on from it gives every dose once, at its own hour', () => {
    assertProperty(
      property(anyRegimen, integer({ min: 0, max: 8 }), ({ startHour, everyHours, count }, halfDays) => {
        const own = { ...regimen, startHour, everyHours, count: everyHours === null ? 1 : count };
        const day = halfDays / 2;
        const [before, after] = [cutAt(own, day), goOnFrom(own, day)].map((some) => some.flatMap((one) => doseHours(one, 5)));
        expect([...before!, ...after!]).toEqual(doseHours(own, 5));
        expect(before!.every((hour) => hour < day * 24)).toBe(true);
        expect(after!.every((hour) => hour >= day * 24)).toBe(true);
      }),
    );
  });

  test('a dose on the stroke of the decision belongs to what follows', () => {
    expect(cutAt(regimen, 1)).toEqual([{ ...regimen, count: 2 }]);
    expect(goOnFrom(regimen, 1)).toEqual([{ ...regimen, startHour: 24 }]);
  });

  test('blocks are cut, and those that touch become one', () => {
    const block = (intervention: string, startDay: number, stopDay: number) => ({ intervention, startDay, stopDay });
    const first: Plan = { id: 'a', name: 'A', blocks: [block('x', 0, 10), block('y', 0, 3)] };
    const then: Plan = { id: 'b', name: 'B', blocks: [block('x', 0, 20), block('z', 2, 8)] };
    expect(composeBlocks(first, 5, then)).toEqual([block('x', 0, 20), block('y', 0, 3), block('z', 5, 8)]);
    expect(composeBlocks(first, 0, then)).toEqual(then.blocks);
  });

  test('doses of the one end where those of the other begin', () => {
    const other: DosePlan = { ...plan, regimens: [{ ...regimen, amount: 500, everyHours: 24 }] };
    expect(followFrom(plan, 1, other).regimens).toEqual([
      { ...regimen, count: 2 },
      { ...regimen, amount: 500, everyHours: 24, startHour: 24 },
    ]);
  });
});

describe('titration by a table', () => {
  const rule: Extract<PolicyRule, { kind: 'titrate' }> = {
    kind: 'titrate',
    intervention: 'toymycin',
    marker: 'level',
    steps: [
      { below: 10, factor: 1.5 },
      { below: 20, factor: 1 },
      { below: 30, factor: 0.5 },
      { below: null, factor: 1, waitDays: 1 },
    ],
  };

  test('multiplies the doses to come by the step that the value falls into, in whole steps of what can be given', () => {
    expect(titrate(manifest, rule, plan, 1, 9).regimens).toEqual([
      { ...regimen, count: 2 },
      { ...regimen, amount: 1500, startHour: 24 },
    ]);
    expect(titrate(manifest, rule, plan, 1, 20).regimens.at(-1)).toMatchObject({ amount: 500 });
    const odd = { ...plan, regimens: [{ ...regimen, amount: 1250 }] };
    expect(titrate(manifest, rule, odd, 1, 20).regimens.at(-1)).toMatchObject({ amount: 750 });
  });

  test('leaves the plan alone, the very same one, inside the range', () => {
    expect(titrate(manifest, rule, plan, 1, 15)).toBe(plan);
  });

  test('never gives more than the pack is meant for', () => {
    const large = { ...plan, regimens: [{ ...regimen, amount: 2500 }] };
    expect(titrate(manifest, rule, large, 1, 5).regimens.at(-1)).toMatchObject({ amount: 3000 });
  });

  test('a delay moves the next dose and all after it', () => {
    expect(titrate(manifest, rule, plan, 1, 40).regimens.at(-1)).toEqual({ ...regimen, startHour: 48 });
  });

  test('of tablets, a week’s total is given in whole steps', () => {
    const tablets = { ...plan, regimens: [{ ...regimen, route: 'oral' as const, everyHours: 24, amount: 1000 }] };
    const amount = titrate(manifest, { ...rule, steps: [{ below: null, factor: 1.1 }] }, tablets, 1, 5).regimens.at(-1)!.amount;
    expect(7 * amount).toBeCloseTo(250 * Math.round((7 * 1100) / 250), 9);
  });

  test('a drug of the plan that the rule does not name is left alone', () => {
    const both = { ...plan, regimens: [{ ...regimen, intervention: 'other' }, regimen] };
    expect(titrate(manifest, rule, both, 1, 5).regimens[0]).toBe(both.regimens[0]);
  });
});

describe('what may be chosen', () => {
  test('going on first, then every listed dose and rhythm from the next one due', () => {
    const choice = doseOptions(grid!, plan, 0.75, 3, noSize)!;
    expect(choice.effectDay).toBe(1);
    expect(choice.options[0]!.plan).toBe(plan);
    // Three amounts in three rhythms, less the one that is given.
    expect(choice.options).toHaveLength(9);
    for (const { plan: own } of choice.options.slice(1)) {
      expect(own.regimens[0]).toEqual({ ...regimen, count: 2 });
      expect(own.regimens.at(-1)).toMatchObject({ startHour: 24, durationHours: 1 });
    }
  });

  test('every option can be reached from every other by neighbours', () => {
    const { options } = doseOptions(grid!, plan, 0.75, 3, noSize)!;
    const reached = new Set([0]);
    for (const option of reached) for (const next of options[option]!.neighbours) reached.add(next);
    expect(reached.size).toBe(options.length);
  });

  test('nothing where no dose is due before the horizon', () => {
    const late = { ...plan, regimens: [{ ...regimen, startHour: 80 }] };
    expect(doseOptions(grid!, late, 2, 3, noSize)).toBeNull();
  });

  test('where the listed doses do not repeat, one is added and what is planned stays', () => {
    const corrections = { ...grid!, intervalHours: [96] };
    const choice = doseOptions(corrections, plan, 0.5, 3, noSize)!;
    expect(choice.effectDay).toBe(0.5);
    expect(choice.options[0]).toMatchObject({ amountPerDay: 0 });
    expect(choice.options[1]!.plan.regimens).toEqual([
      regimen,
      { ...regimen, amount: 500, startHour: 12, everyHours: null, count: 1 },
    ]);
  });

  test('amounts a day count what is still to come', () => {
    const mixed = {
      ...plan,
      regimens: [
        { ...regimen, count: 2 },
        { ...regimen, amount: 500, startHour: 24, everyHours: 24 },
      ],
    };
    expect(amountPerDayFrom(mixed, 'toymycin', 1)).toBe(500);
  });
});

describe('targets within a future', () => {
  const auc = manifest.targets.find(({ id }) => id === 'auc')!;
  const inDays = { ...auc, measure: { ...auc.measure, window: { kind: 'days', from: 0, to: 2 } as const } };

  test('windows in days count from the decision and end with the horizon', () => {
    expect(measureDaysFrom(inDays, [regimen], 0.5, 3)).toEqual([0.5, 2.5]);
    expect(measureDaysFrom(inDays, [regimen], 2, 3)).toEqual([2, 3]);
    expect(measureDaysFrom(auc, [regimen], 1, 3)).toEqual([2, 3]);
  });
});
