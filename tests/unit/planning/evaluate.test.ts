import { beforeAll, describe, expect, test } from 'vitest';
import { drawPerson } from '#cohorts/people.ts';
import type { Forecast } from '#domain/forecast.ts';
import type { Measure } from '#domain/planning.ts';
import type { Plan } from '#domain/plan.ts';
import type { PatientRecord } from '#domain/record.ts';
import { CpuEngine } from '#engine/cpu/engine.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { seedFrom } from '#numerics/random.ts';
import { decodePack } from '#packs/decode.ts';
import type { PackManifest } from '#packs/manifest.ts';
import type { EquationsPack } from '#packs/pack.ts';
import { equationsEvaluator } from '#planning/evaluate-equations.ts';
import { learnedEvaluator } from '#planning/evaluate-learned.ts';
import { meanOfGroups, measureValues, type PlanEvaluator } from '#planning/evaluate.ts';
import { encodeHistoryPlain } from '#twin/encoder-plain.ts';
import { fitPerson, type FittedPerson } from '#twin/equations/fitted-person.ts';
import { forecastEquations } from '#twin/equations/forecast.ts';
import { fitTwin } from '#twin/fit.ts';
import { forecast } from '#twin/forecast.ts';
import { readHistory } from '#twin/history.ts';
import { toyEquationsFiles } from '../../fixtures/toy-equations.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';

const horizonDays = 720;

describe('plans under a learned pack', () => {
  const pack = toyPack();
  const plans: readonly Plan[] = [
    { id: 'none', name: 'None', blocks: [] },
    { id: 'r', name: 'R', blocks: [{ intervention: 'drug-r', startDay: 0, stopDay: 3600 }] },
    { id: 'x', name: 'X', blocks: [{ intervention: 'drug-x', startDay: 90, stopDay: 270 }] },
  ];
  let evaluatorOf: (measures: readonly Measure[], seed: number) => PlanEvaluator;
  let held: Forecast;
  const figures = async (measures: readonly Measure[], { rollouts = 4000, seed = 1, of = plans } = {}) =>
    (await evaluatorOf(measures, seed).evaluate(of, rollouts)).map(({ groups }) => groups);

  beforeAll(async () => {
    const engine = await CpuEngine.create();
    const { record, today } = drawPerson(pack, seedFrom(5), { historySteps: 4, today: '2024-06-01', stepper: engine, number: 3 });
    const history = readHistory(pack.manifest, record, today);
    const twin = fitTwin({ pack, history, stepper: engine, posterior: encodeHistoryPlain(pack, history), seed: seedFrom(1) });
    evaluatorOf = (measures, seed) => learnedEvaluator({ pack, history, twin, engine }, measures, { horizonDays, seed });
    held = await forecast(
      { pack, record, today, plans, horizonDays, rollouts: 4000, seed: 2 },
      { engine, stepper: engine, encode: encodeHistoryPlain },
    );
  });

  test('days without an event and chances of events are those of the forecast', async () => {
    const found = await figures([
      { kind: 'event-free-days' },
      { kind: 'event', event: 'death', byDay: 360 },
      { kind: 'event', event: null, byDay: 720 },
    ]);
    found.forEach((groups, p) => {
      const { eventFreeDays, events, eventFree } = held.plans[p + 1]!;
      // Other starts and other noise: within five standard errors of the sixteen groups.
      expect(Math.abs(meanOfGroups(groups[0]!) - eventFreeDays.value)).toBeLessThan(5 * errorOf(groups[0]!));
      expect(Math.abs(meanOfGroups(groups[1]!) - events['death']!.incidence[4]!)).toBeLessThan(5 * errorOf(groups[1]!));
      expect(Math.abs(1 - meanOfGroups(groups[2]!) - eventFree.at(-1)!)).toBeLessThan(5 * errorOf(groups[2]!));
    });
  });

  test('half the futures without an event lie below the forecast’s median, and nine in ten inside its band', async () => {
    const { median, bands } = held.plans[1]!.markers['bilirubin']!;
    const band = bands.find(({ level }) => level === 0.9)!;
    const [groups] = await figures([
      { kind: 'marker-at', marker: 'bilirubin', low: null, high: median[4]!, day: 360 },
      { kind: 'marker-at', marker: 'bilirubin', low: band.low[4]!, high: band.high[4]!, day: 360 },
    ]);
    // √(0.25 / 4000) = 0.008; both estimates err.
    expect(Math.abs(meanOfGroups(groups![0]!) - 0.5)).toBeLessThan(0.04);
    expect(Math.abs(meanOfGroups(groups![1]!) - 0.9)).toBeLessThan(0.03);
  });

  test('measures of whole courses hang together', async () => {
    const range = { marker: 'albumin', low: 3, high: 4 } as const;
    const [groups] = await figures([
      { kind: 'marker-time', ...range, fromDay: 0, toDay: 720 },
      { kind: 'marker-ever-outside', ...range, fromDay: 0, toDay: 720 },
      { kind: 'marker-ever-outside', ...range, fromDay: 0, toDay: 90 },
      { kind: 'marker-time', marker: 'albumin', low: -100, high: 100, fromDay: 0, toDay: 720 },
      { kind: 'event-free-days' },
      { kind: 'marker-ever-outside', marker: 'albumin', low: -100, high: 100, fromDay: 0, toDay: 720 },
    ]);
    const [time, ever, early, anywhere, free, never] = groups!.map(meanOfGroups);
    expect(early!).toBeGreaterThan(0);
    expect(early!).toBeLessThan(ever!);
    expect(ever!).toBeLessThanOrEqual(1);
    // Who is inside all the time was never outside, and who has an event is inside no longer.
    expect(time!).toBeLessThan(anywhere!);
    expect(anywhere!).toBeLessThanOrEqual(1);
    expect(Math.abs(anywhere! - free! / horizonDays)).toBeLessThan(0.08);
    expect(never).toBe(0);
  });

  test('a plan’s figures are the same whatever plans stand beside it, and another seed gives other futures', async () => {
    const measures = [
      { kind: 'event-free-days' },
      { kind: 'marker-at', marker: 'albumin', low: 3, high: null, day: 90 },
    ] as const;
    const together = await figures(measures, { rollouts: 200 });
    const alone = await figures(measures, { rollouts: 200, of: [plans[2]!] });
    expect(alone[0]).toEqual(together[2]);
    const other = await figures(measures, { rollouts: 200, seed: 2 });
    expect(other[2]).not.toEqual(together[2]);
  });

  test('burdens come from the plan alone, and need no futures', async () => {
    const found = await figures([{ kind: 'burden', of: 'days-on-treatment' }]);
    expect(found.map(([groups]) => meanOfGroups(groups!))).toEqual([0, 720, 180]);
  });
});

describe('plans under a pack of equations', () => {
  const simulator = new ReferenceSimulator();
  const now = '2024-01-02T00:00';
  let pack: EquationsPack;
  let fitted: FittedPerson;
  let held: Forecast;
  const doses = {
    intervention: 'drug',
    route: 'iv-bolus',
    durationHours: null,
    startHour: 0,
    everyHours: 12,
    count: null,
  } as const;
  const plans: readonly Plan[] = [
    { id: 'a', name: 'A', blocks: [], regimens: [{ ...doses, amount: 50 }], stopsCurrentDoses: true },
    { id: 'b', name: 'B', blocks: [], regimens: [{ ...doses, amount: 100, everyHours: 8 }], stopsCurrentDoses: true },
    { id: 'c', name: 'C', blocks: [{ intervention: 'blocker', startDay: 0, stopDay: 3 }], regimens: [{ ...doses, amount: 50 }] },
  ];
  const figures = async (measures: readonly Measure[], of = plans) =>
    (
      await equationsEvaluator({ manifest: pack.manifest, fitted, simulator, changes: [] }, measures, {
        horizonDays: 3,
        seed: 1,
      }).evaluate(of, 400)
    ).map(({ groups }) => groups);

  beforeAll(async () => {
    pack = (await decodePack(await toyEquationsFiles())) as EquationsPack;
    const intervention = pack.manifest.interventions[0]!.id;
    const input = pack.manifest.models[0]!.inputs![0]!;
    for (const plan of plans) {
      for (const regimen of plan.regimens!) Object.assign(regimen, { intervention, route: input.routes[0] });
    }
    fitted = await fitPerson({ pack, record: record(pack), now, lanes: 400, seed: 1 }, { simulator });
    held = await forecastEquations({ pack, fitted, plans, horizonDays: 3, seed: 1 }, { simulator });
  });

  test('chances of targets and of events are those of the forecast, draw for draw', async () => {
    const targets = pack.manifest.targets.map(({ id }): Measure => ({ kind: 'target', target: id }));
    const found = await figures([...targets, { kind: 'event', event: 'relapse', byDay: 1.5 }, { kind: 'event-free-days' }]);
    found.forEach((groups, p) => {
      const plan = held.plans[p + 1]!;
      pack.manifest.targets.forEach(({ id }, t) => {
        expect(meanOfGroups(groups[t]!)).toBeCloseTo(plan.targets![id]?.probability ?? 0, 9);
      });
      const at = held.timesDays.findIndex((day) => Math.abs(day - 1.5) < 1e-9);
      expect(meanOfGroups(groups[targets.length]!)).toBeCloseTo(plan.events['relapse']!.incidence[at]!, 9);
      expect(meanOfGroups(groups[targets.length + 1]!)).toBeCloseTo(plan.eventFreeDays.value, 6);
    });
  });

  test('a marker lies half the time below its median, and is outside at some time at least as often as at one', async () => {
    const { id } = pack.manifest.markers[0]!;
    const { median, bands } = held.plans[1]!.markers[id]!;
    const day = held.timesDays[12]!;
    const band = bands.find(({ level }) => level === 0.8)!;
    const range = { marker: id, low: band.low[12]!, high: band.high[12]! };
    const [groups] = await figures(
      [
        { kind: 'marker-at', marker: id, low: null, high: median[12]!, day },
        { kind: 'marker-at', ...range, day },
        { kind: 'marker-ever-outside', ...range, fromDay: 0, toDay: 3 },
        { kind: 'marker-time', ...range, fromDay: day, toDay: day },
      ],
      [plans[0]!],
    );
    const [below, inside, ever, time] = groups!.map(meanOfGroups);
    expect(Math.abs(below! - 0.5)).toBeLessThan(0.01);
    expect(Math.abs(inside! - 0.8)).toBeLessThan(0.01);
    expect(ever!).toBeGreaterThanOrEqual(1 - inside! - 1e-9);
    expect(time).toBeCloseTo(inside!, 9);
  });

  test('a plan’s figures are the same whatever plans stand beside it', async () => {
    const measures = pack.manifest.targets.map(({ id }): Measure => ({ kind: 'target', target: id }));
    const together = await figures(measures);
    for (const [p, plan] of plans.entries()) expect((await figures(measures, [plan]))[0]).toEqual(together[p]);
  });
});

describe('a figure and what it is more than usual care’s', () => {
  const none = Number.NaN;
  const goal = (measure: Measure) => ({ measure, wish: 'less', weight: 1 }) as const;
  const valueOf = (manifest: PackManifest, measure: Measure, plan: readonly number[], usual: readonly number[]) =>
    measureValues(
      { goals: [goal(measure)], limits: [], horizonDays: 100 },
      manifest,
      [Float64Array.from(plan)],
      [Float64Array.from(usual)],
    ).goals[0]!;
  const event: Measure = { kind: 'event', event: null, byDay: 90 };
  const { manifest: learned } = toyPack();

  test('is taken group by group, and a group that says nothing is left out', async () => {
    const { manifest: equations } = await decodePack(await toyEquationsFiles());
    const { value, difference } = valueOf(equations, event, [0.3, 0.5, none, 0.7], [0.1, 0.2, 0.1, 0.3]);
    expect(value).toBeCloseTo(0.5, 12);
    // Batches of one posterior: 0.2, 0.3 and 0.4 more, whose mean has a standard error of 0.1/√3 and two degrees of freedom.
    expect(difference.value).toBeCloseTo(0.3, 12);
    expect(difference.dots).toHaveLength(50);
    expect(difference.dots[2]).toBeCloseTo(0.3 - (0.1 / Math.sqrt(3)) * 2.91999, 5);
    expect([difference.low, difference.high]).toEqual([difference.dots[2], difference.dots[47]]);
    expect(valueOf(equations, event, [none], [1])).toMatchObject({ value: none, low: none, difference: { dots: [] } });
  });

  test('of a learned pack goes by its members, and the dots are of the interval’s own distribution', () => {
    const { value, low, high, difference } = valueOf(learned, event, [0.3, 0.32, 0.4, 0.42], [0.3, 0.3, 0.3, 0.3]);
    expect(value).toBeCloseTo(0.36, 12);
    // Two members leave one degree of freedom: nearly anything may be so, but no chance beyond 0 and 1.
    expect([low, high]).toEqual([0, expect.closeTo(0.887, 3)]);
    expect(difference.value).toBeCloseTo(0.06, 12);
    expect(difference.dots).toHaveLength(50);
    expect([difference.low, difference.high]).toEqual([difference.dots[2], difference.dots[47]]);
    expect(difference.dots[0]).toBeCloseTo(-0.3, 12);
    expect(difference.dots.at(-1)).toBeCloseTo(0.7, 12);
  });

  test('has no interval where all groups are alike, and a burden no end', () => {
    const { difference, ...own } = valueOf(learned, { kind: 'burden', of: 'days-on-treatment' }, [500, 500], [400, 400]);
    expect(own).toEqual({ value: 500, low: 500, high: 500 });
    expect(new Set(difference.dots)).toEqual(new Set([100]));
    expect(valueOf(learned, { kind: 'event-free-days' }, [170, 180], [170, 100]).high).toBe(180);
  });
});

const errorOf = (groups: Float64Array) => {
  const mean = meanOfGroups(groups);
  return Math.sqrt(groups.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (groups.length - 1) / groups.length);
};

function record({ manifest }: EquationsPack): PatientRecord {
  const covariates = Object.fromEntries(
    manifest.covariates.map((one) => [
      one.id,
      one.kind === 'number' ? (one.plausible[0] + one.plausible[1]) / 2 : one.categories[0]!.value,
    ]),
  );
  return {
    id: 'p',
    alias: 'P',
    isSynthetic: true,
    entryDate: '2024-01-01',
    covariates,
    observations: [],
    treatments: [],
    events: [],
    note: '',
    updatedAt: 0,
  };
}
