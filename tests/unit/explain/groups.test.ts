import { describe, expect, test } from 'vitest';
import { demonstrationRecord } from '#cohorts/demonstrations.ts';
import { drawPerson } from '#cohorts/people.ts';
import type { Plan } from '#domain/plan.ts';
import type { PatientRecord } from '#domain/record.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { absentIn } from '#explain/game.ts';
import { dosesWithout, planWithout, recordWithout } from '#explain/elements.ts';
import { covariateKind, groupInputs } from '#explain/groups.ts';
import { covariateReference } from '#explain/reference.ts';
import { subjectOf } from '#explain/subject.ts';
import { timeBins } from '#explain/time-bins.ts';
import { seedFrom } from '#numerics/random.ts';
import { listPacks, loadPack } from '#packs/catalogue.ts';
import { isLearned, type EquationsPack } from '#packs/pack.ts';
import { readPerson } from '#twin/equations/person.ts';
import { readModels } from '../../../scripts/read-models.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';

const today = '2026-11-23';
const now = `${today}T12:00`;
const stepper = new ReferenceEngine();
const explained = { kind: 'event', event: null } as const;

const packs = await Promise.all((await listPacks(readModels())).map(({ id }) => loadPack(id, readModels())));
const people = packs.map((pack) => {
  const record = isLearned(pack)
    ? drawPerson(pack, seedFrom(2), { historySteps: 2, today, stepper, number: 1 }).record
    : demonstrationRecord(pack.manifest, 0, now)!;
  const horizonDays = pack.manifest.grid.horizonSteps * pack.manifest.grid.stepDays;
  const subject = subjectOf(pack, { record, today, now, explained, plan: null, horizonDays });
  return { pack, subject, person: isLearned(pack) ? null : readPerson(pack.manifest, record, now) };
});

describe.each(people)('$pack.manifest.id', ({ pack, subject, person }) => {
  test('has at most twelve groups, each with words for what is and what is instead', () => {
    const groups = groupInputs(subject, person);
    expect(groups.length).toBeGreaterThan(0);
    expect(groups.length).toBeLessThanOrEqual(12);
    expect(new Set(groups.map(({ id }) => id)).size).toBe(groups.length);
    for (const { label, value, reference, elements } of groups) {
      expect(label).not.toBe('');
      expect(value).not.toMatch(/undefined|NaN|null/);
      expect(reference).not.toMatch(/undefined|NaN|null/);
      expect(elements.length).toBeGreaterThan(0);
    }
  });

  test('coarser groups hold the same elements', () => {
    const all = (most: number) =>
      groupInputs(subject, person, most)
        .flatMap(({ elements }) => elements)
        .map((element) => ('places' in element ? element.places : 'id' in element ? element.id : element.of))
        .flat();
    expect(new Set(all(7))).toEqual(new Set(all(12)));
  });

  test('without any group the record can still be read', () => {
    const groups = groupInputs(subject, person);
    const record = recordWithout(subject, absentIn(groups, 0));
    if (!isLearned(pack)) {
      const bare = readPerson(pack.manifest, record, now);
      expect(bare.levels).toEqual([]);
    } else expect(record.observations).toEqual([]);
    for (const { id, required } of pack.manifest.covariates) {
      if (required && id in subject.record.covariates) expect(record.covariates[id]).toBeDefined();
    }
  });

  test('what must be known has a typical value inside what the pack takes', () => {
    for (const covariate of pack.manifest.covariates) {
      const { value } = covariateReference(pack.manifest, covariate);
      if (!covariate.required) expect(value).toBeNull();
      else if (covariate.kind === 'number') {
        expect(value).toBeGreaterThanOrEqual(covariate.plausible[0]);
        expect(value).toBeLessThanOrEqual(covariate.plausible[1]);
      } else expect(covariate.categories.map((category) => category.value)).toContain(value);
    }
  });
});

describe('kinds of covariates', () => {
  test.each([
    ['vancomycin', { age: 'person', sex: 'person', weight: 'person', creatinine: 'labs' }],
    [
      'warfarin',
      { cyp2c9: 'genes', vkorc1: 'genes', smoker: 'lifestyle', 'baseline-inr': 'labs', race: 'person', height: 'person' },
    ],
    ['tacrolimus', { cyp3a5: 'genes', haematocrit: 'labs', prednisolone: 'person', 'since-transplantation': 'person' }],
    ['hiv-actg175', { karnofsky: 'person', 'injected-drugs': 'lifestyle', weight: 'person' }],
    ['alzheimer-adas', { apoe4: 'genes' }],
    ['neutropenia', { aag: 'labs', 'anc-baseline': 'labs', dexamethasone: 'person' }],
  ])('%s', (id, kinds) => {
    const { manifest } = packs.find((pack) => pack.manifest.id === id)!;
    for (const [covariate, kind] of Object.entries(kinds)) {
      expect(covariateKind(manifest.covariates.find((one) => one.id === covariate)!), covariate).toBe(kind);
    }
  });
});

describe('doses in time', () => {
  const vancomycin = packs.find(({ manifest }) => manifest.id === 'vancomycin') as EquationsPack;
  const { subject, person } = people.find(({ pack }) => pack === vancomycin)!;

  test('that are taken away stay as doses of nothing, so that time begins where it did', () => {
    const [first] = person!.doses;
    const doses = dosesWithout(person!.doses, [
      { of: 'past-doses', intervention: 'vancomycin', from: first!.hours, to: first!.hours + 1 },
    ]);
    expect(doses).toHaveLength(person!.doses.length);
    expect(doses[0]).toEqual({ ...first, amount: 0 });
    expect(doses.slice(1)).toEqual(person!.doses.slice(1));
  });

  test('of a plan are split without loss: with all spans absent nothing is given, with none all', () => {
    const bins = groupInputs(subject, person).filter(({ kind }) => kind === 'plan');
    const elements = bins.flatMap((group) => group.elements);
    expect(planWithout(subject, elements).regimens).toEqual([]);
    const given = planWithout(subject, []).regimens.map(({ count }) => count!);
    const parts = bins.map((_, i) => {
      const others = bins.filter((_, j) => j !== i).flatMap((group) => group.elements);
      return planWithout(subject, others).regimens.reduce((sum, { count }) => sum + count!, 0);
    });
    expect(parts.reduce((sum, count) => sum + count, 0)).toBe(given.reduce((sum, count) => sum + count, 0));
  });

  test('are named by the shortest spans that are few enough', () => {
    const daily = Array.from({ length: 14 }, (_, day) => 24 * day);
    expect(timeBins(daily, 0, 4).map(({ label }) => label)).toEqual(['week 1', 'week 2']);
    expect(timeBins([0, 12, 24, 36], 0, 2).map(({ label }) => label)).toEqual(['day 1', 'day 2']);
    expect(timeBins([3, 7], 0, 4).map(({ label }) => label)).toEqual(['dose 1', 'dose 2']);
    expect(timeBins([5], 0, 4).map(({ label }) => label)).toEqual(['the dose']);
    expect(timeBins([], 0, 4)).toEqual([]);
    expect(timeBins([0, 4e5, 8e5, 1.2e6], 0, 3).length).toBeLessThanOrEqual(3);
  });

  test('every dose lies in exactly one span', () => {
    const hours = Array.from({ length: 40 }, (_, k) => -200 + 7.3 * k);
    for (const most of [1, 2, 3, 4, 9]) {
      const bins = timeBins(hours, -200, most);
      expect(bins.length).toBeLessThanOrEqual(most);
      for (const hour of hours) expect(bins.filter(({ from, to }) => hour >= from && hour < to)).toHaveLength(1);
    }
  });
});

test('a lever that the plan does not change has no group in a difference', () => {
  const pack = toyPack();
  const { record } = drawPerson(pack, seedFrom(5), { historySteps: 2, today, stepper, number: 1 });
  const horizonDays = 4 * pack.manifest.grid.stepDays;
  const plan: Plan = { id: 'same', name: 'Same', blocks: [] };
  const subject = subjectOf(pack, { record, today, now, explained: { kind: 'difference', of: explained }, plan, horizonDays });
  expect(groupInputs(subject, null).filter(({ kind }) => kind === 'plan')).toEqual([]);
});

test('a difference needs a plan, and a horizon lies inside the pack’s', () => {
  const pack = toyPack();
  const record: PatientRecord = drawPerson(pack, seedFrom(5), { historySteps: 2, today, stepper, number: 1 }).record;
  const asked = { record, today, now, plan: null, horizonDays: 90 };
  expect(() => subjectOf(pack, { ...asked, explained: { kind: 'difference', of: explained } })).toThrow(/needs a plan/);
  expect(() => subjectOf(pack, { ...asked, explained, horizonDays: 1e6 })).toThrow(/Horizon/);
});
