import { describe, expect, test } from 'vitest';
import type { PlanQuestion } from '#domain/planning.ts';
import type { Plan } from '#domain/plan.ts';
import type { LearnedManifest } from '#packs/manifest.ts';
import { listedPlans, onOffPlans } from '#planning/candidates.ts';
import { burdenOf } from '#planning/doses-given.ts';
import { searchPlans } from '#planning/plan-search.ts';
import { offeredSpaces, rhythmOf } from '#planning/spaces.ts';
import { learnedSupport } from '#planning/support.ts';
import type { History } from '#twin/history.ts';
import { toyDosedManifest } from '../../fixtures/toy-dosed.ts';
import { dosedQuestion, dosedSubject, madeUpSubject } from '../../fixtures/toy-planning.ts';
import { toyManifestDraft } from '../../fixtures/toy-pack.ts';

const manifest = { ...toyManifestDraft, kind: 'learned' } as unknown as LearnedManifest;
const receiver = { manifest, continuing: [], bodySize: { weightKg: null, surfaceM2: null } };
const asked = { excluded: [], maximumPerDay: {}, insistsOutside: false, horizonDays: 720 } as const;
const listed = { kind: 'listed', intervention: null, withLoadingDose: false } as const;
const historyOf = (todayDays: number, treatments: History['treatments'] = []) =>
  ({ todayDays, treatments }) as unknown as History;

describe('spaces', () => {
  test('a pack with levers offers them listed and switched, a dosed pack its doses listed and continuous', () => {
    expect(offeredSpaces(manifest).map(({ kind }) => kind)).toEqual(['listed', 'on-off']);
    expect(offeredSpaces(manifest)[1]).toMatchObject({ interventions: ['drug-r'], periodDays: 90 });
    expect(offeredSpaces(toyDosedManifest).map(({ kind }) => kind)).toEqual(['listed', 'amounts']);
    expect(offeredSpaces({ ...toyDosedManifest, doseGrids: [], interventions: [] })).toEqual([]);
  });

  test.each([
    [1, 24],
    [0.5, 12],
    [2, 24],
    [1 / 3, 8],
    [0.1, 8],
    [1.5, 12],
  ])('a period of %d days is dosed every %d hours', (days, hours) => {
    expect(rhythmOf({ intervalHours: [24, 8, 12] }, days)).toBe(hours);
  });

  test('levers without a time of their own are listed over stretches, the others over the whole horizon', () => {
    const plans = listedPlans(listed, asked, receiver);
    // Ten stretches or none of drug R, all or none of drug X.
    expect(plans).toHaveLength(22);
    expect(new Set(plans.map(({ name }) => name)).size).toBe(22);
    const names = plans.map(({ name }) => name);
    expect(names).toContain('None of the pack’s treatments');
    expect(names).toContain('Drug R from year 0.493 on; Drug X throughout');
    for (const { blocks } of plans) {
      for (const { intervention, startDay, stopDay } of blocks) {
        if (intervention === 'drug-x') expect([startDay, stopDay]).toEqual([0, 720]);
        expect(startDay % 90).toBe(0);
      }
    }
  });

  test('what is excluded is not listed, and who insists is offered every time for every lever', () => {
    expect(listedPlans(listed, { ...asked, excluded: ['drug-r'] }, receiver).map(({ name }) => name)).toEqual([
      'None of the pack’s treatments',
      'Drug X throughout',
    ]);
    const insisted = listedPlans(listed, { ...asked, insistsOutside: true }, receiver);
    expect(insisted.length).toBe(121);
  });

  test('a schedule becomes blocks that join, and levers of one group are never on together', () => {
    const both = {
      ...manifest,
      interventions: manifest.interventions.map((one) => ({ ...one, exclusiveGroup: 'one', timing: 'any' as const })),
    };
    const space = onOffPlans({ kind: 'on-off', interventions: ['drug-r', 'drug-x'], periodDays: 180 }, asked, {
      ...receiver,
      manifest: both,
    })!;
    expect([space.decisions, space.options]).toEqual([4, 3]);
    expect(space.plan(Uint8Array.of(1, 1, 0, 2)).blocks).toEqual([
      { intervention: 'drug-r', startDay: 0, stopDay: 360 },
      { intervention: 'drug-x', startDay: 540, stopDay: 720 },
    ]);
    expect(
      onOffPlans({ kind: 'on-off', interventions: ['drug-r'], periodDays: 180 }, { ...asked, excluded: ['drug-r'] }, receiver),
    ).toBeNull();
  });

  test('a search of schedules finds the one that is wanted among four thousand', async () => {
    const wanted = [1, 1, 0, 0, 1, 0, 1, 1, 1, 0, 0, 1];
    const matches = ({ blocks }: Plan) =>
      wanted.filter((on, k) => Number(blocks.some(({ startDay, stopDay }) => startDay <= 60 * k && stopDay > 60 * k)) === on)
        .length;
    const of = madeUpSubject(
      { ...dosedSubject(), manifest, support: () => ({ distance: 0, reasons: [] }) },
      { truth: (plan) => [matches(plan)], noise: 0.5 },
    );
    const question: PlanQuestion = {
      ...dosedQuestion,
      goals: [{ measure: { kind: 'event-free-days' }, wish: 'more', weight: 1 }],
      space: { kind: 'on-off', interventions: ['drug-r'], periodDays: 60 },
      horizonDays: 720,
      rollouts: 4000,
    };
    const { candidates, fullEnumeration } = await searchPlans(question, { subject: of });
    const [first] = candidates.toSorted((a, b) => b.score - a.score);
    expect(matches(first!.plan)).toBe(12);
    expect(fullEnumeration / 4000).toBeLessThan(1500);
    expect(candidates[0]!.origin).toBe('usual-care');
  });
});

describe('support', () => {
  const plan = (...blocks: Plan['blocks']): Plan => ({ id: 'p', name: 'P', blocks });
  const drugX = (startDay: number, stopDay: number) => ({ intervention: 'drug-x', startDay, stopDay });
  const distance = (own: Plan, history = historyOf(0), of = manifest) => learnedSupport(of, history, own, 720).distance;

  test('grows with how much of the horizon is not as the evidence has it', () => {
    expect(distance(plan())).toBe(0);
    expect(distance(plan(drugX(0, 720)))).toBe(0);
    expect(distance(plan(drugX(0, 540)))).toBeCloseTo(0.25, 9);
    expect(distance(plan(drugX(360, 720)))).toBeCloseTo(0.5, 9);
    expect(distance(plan({ intervention: 'drug-r', startDay: 90, stopDay: 180 }))).toBe(0);
  });

  test('two levers at once were no arm', () => {
    const { distance: far, reasons } = learnedSupport(
      manifest,
      historyOf(0),
      plan(drugX(0, 720), { intervention: 'drug-r', startDay: 0, stopDay: 180 }),
      720,
    );
    expect(far).toBeCloseTo(0.25, 9);
    expect(reasons).toEqual(['Drug R with Drug X: the evidence covers each alone.']);
  });

  test('from entry on counts from entry, and what the person had', () => {
    const trial = {
      ...manifest,
      interventions: manifest.interventions.map((one) => ({ ...one, timing: 'from-entry' as const })),
    };
    expect(distance(plan(drugX(0, 720)), historyOf(0), trial)).toBe(0);
    expect(distance(plan(drugX(0, 720)), historyOf(360), trial)).toBeCloseTo(0.5, 9);
    const had = historyOf(360, [{ intervention: 'drug-x', startDay: 0, stopDay: Infinity }]);
    expect(distance(plan(drugX(0, 720)), had, trial)).toBe(0);
    expect(distance(plan(), had, trial)).toBe(1);
  });

  test('where usual care is one arm of several, time without any arm was never seen', () => {
    const arms = {
      ...manifest,
      interventions: manifest.interventions
        .filter(({ id }) => id.startsWith('drug'))
        .map((one) => ({ ...one, exclusiveGroup: 'arm', timing: 'any' as const })),
      usualCare: { ...manifest.usualCare, interventions: ['drug-r'] },
    };
    expect(distance(plan(), historyOf(0), arms)).toBe(1);
    expect(distance(plan(drugX(0, 360)), historyOf(0), arms)).toBeCloseTo(0.5, 9);
    expect(distance(plan(drugX(0, 360), { intervention: 'drug-r', startDay: 360, stopDay: 720 }), historyOf(0), arms)).toBe(0);
  });
});

describe('burdens', () => {
  const regimen = {
    intervention: 'a',
    amount: 100,
    route: 'iv-infusion',
    durationHours: 2,
    startHour: 0,
    everyHours: 12,
    count: null,
  } as const;
  const given = {
    regimens: [
      regimen,
      { ...regimen, route: 'subcutaneous', amount: 10, durationHours: null, startHour: 30, everyHours: 48, count: 2 } as const,
    ],
    blocks: [{ intervention: 'b', startDay: 1.5, stopDay: 10 }],
  };
  test.each([
    ['doses', 6 + 1],
    ['injections', 1],
    ['infusion-hours', 12],
    ['visits', 3],
    ['amount', 610],
    ['days-on-treatment', 3],
  ] as const)('of three days: %s are %d', (burden, expected) => {
    expect(burdenOf(burden, given, 3)).toBe(expected);
  });

  test('are nothing of a plan that gives nothing, and an infusion counts up to the horizon', () => {
    for (const burden of ['doses', 'injections', 'infusion-hours', 'visits', 'amount', 'days-on-treatment'] as const) {
      expect(burdenOf(burden, { regimens: [{ ...regimen, amount: 0 }], blocks: [] }, 3)).toBe(0);
    }
    expect(burdenOf('infusion-hours', { regimens: [{ ...regimen, startHour: 71 }], blocks: [] }, 3)).toBe(1);
  });
});
