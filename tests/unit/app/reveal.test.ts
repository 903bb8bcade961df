import { describe, expect, test } from 'vitest';
import { disagreements } from '#app/disagreement.ts';
import { usualCareId } from '#app/plans.ts';
import { incidenceRange, readingOf } from '#app/reading.ts';
import type { Forecast, PlanForecast } from '#domain/forecast.ts';
import type { EngineClient } from '#engine/client.ts';
import type { RunOrder } from '#engine/protocol.ts';
import { fakeClient, result, toySession } from '../../fixtures/toy-client.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';
import { demonstrationVault } from '../../fixtures/vault/demonstration-vault.ts';

const { manifest } = toyPack();
const [marker] = manifest.markers;

/** Chances by model at the second time, and the marker's middles by model. */
function withModels(forecast: Forecast, chances: readonly number[], middles: readonly number[] = [2, 2]): Forecast {
  const plans = forecast.plans.map((one): PlanForecast => ({
    ...one,
    events: Object.fromEntries(
      manifest.events.map(({ id }, index) => [
        id,
        {
          incidence: [0, index === 0 ? 0.1 : 0],
          low: [0, 0],
          high: [0, 0.2],
          members: chances.map((chance) => [0, index === 0 ? chance : 0]),
        },
      ]),
    ),
    markers: {
      [marker!.id]: {
        unit: marker!.unit,
        median: [2, 2],
        bands: [0.5, 0.8, 0.9].map((level) => ({ level, low: [2, 2 - level], high: [2, 2 + level] })),
        memberMedians: middles.map((middle) => [2, middle]),
        courses: [],
      },
    },
  }));
  return { ...forecast, plans, run: { ...forecast.run, members: chances.length } };
}

async function session(forecast: (order: RunOrder) => Forecast, role: 'clinician' | 'educator' = 'clinician') {
  const now = () => Date.UTC(2026, 10, 23, 12);
  const drawn = { packId: 'toy', packDigest: 'digest-1', seed: 7, number: 1, historySteps: 5, on: '2026-11-23' };
  const fake = fakeClient({
    forecast,
    person: () => ({
      id: 'x',
      alias: 'x',
      isSynthetic: true,
      entryDate: '2025-01-01',
      covariates: { age: 50 },
      observations: [],
      treatments: [],
      events: [],
      note: '',
      drawn,
      updatedAt: 0,
    }),
    drawnFuture: () => ({ timesDays: [0, 90], markers: {}, event: null }),
  });
  const { session: one } = await toySession(await demonstrationVault({ now }), fake.client as EngineClient, now);
  await one.settings.acknowledge(role, 0);
  await one.addDemonstration('toy');
  await one.forecast.run();
  return { ...fake, one };
}

const agreeing = (order: RunOrder) => withModels(result(order), [0.1, 0.12]);

describe('a guess before the reveal', () => {
  test('is asked of educators and of nobody else, until somebody says otherwise', async () => {
    const { one } = await session(agreeing);
    expect(one.reveal.covers).toEqual([]);
    await one.settings.change({ guessFirst: true });
    expect(one.reveal.covers).toEqual(['guess']);
    const taught = await session(agreeing, 'educator');
    expect(taught.one.reveal.covers).toEqual(['guess']);
    await taught.one.settings.change({ guessFirst: false });
    expect(taught.one.reveal.isCovered).toBe(false);
  });

  test('uncovers the result once usual care was guessed, and is asked again for the next person', async () => {
    const { one } = await session(agreeing, 'educator');
    one.reveal.reveal({ 'plan-a': 10 });
    expect(one.reveal.isCovered).toBe(true);
    one.reveal.reveal({ [usualCareId]: 20 });
    expect(one.reveal.isCovered).toBe(false);
    expect(one.reveal.guesses).toEqual({ [usualCareId]: 20 });
    await one.forecast.run();
    expect(one.reveal.isCovered).toBe(false);
    await one.addDemonstration('toy');
    await one.forecast.run();
    expect(one.reveal.covers).toEqual(['guess']);
    expect(one.reveal.guesses).toEqual({});
  });
});

describe('a result with little ground', () => {
  const partly = (reasons: readonly string[]) => (order: RunOrder) => {
    const forecast = agreeing(order);
    return { ...forecast, fit: { ...forecast.fit, standing: 'partly' as const, reasons } };
  };

  test('stays covered until it is opened, and other reasons cover it again', async () => {
    let reasons = ['Albumin is lower than the pack has seen.'];
    const { one } = await session((order) => partly(reasons)(order));
    expect(one.reveal.covers).toEqual(['outside']);
    expect(one.reveal.outside).toEqual(reasons);
    one.reveal.open();
    expect(one.reveal.isCovered).toBe(false);
    await one.forecast.run();
    expect(one.reveal.isCovered).toBe(false);
    reasons = ['Bilirubin is higher than the pack has seen.'];
    await one.forecast.run();
    expect(one.reveal.covers).toEqual(['outside']);
  });

  test('counts plans beyond the evidence, but not hidden ones', async () => {
    const { one } = await session((order) => {
      const forecast = agreeing(order);
      const plans = forecast.plans.map((plan, index) => ({ ...plan, outsideSupport: index === 1 ? ['Begun too late.'] : [] }));
      return { ...forecast, plans };
    });
    expect(one.reveal.outside).toEqual(['Plan A: Begun too late.']);
    one.forecast.setHidden('plan-a', true);
    expect(one.reveal.covers).toEqual([]);
  });

  test('is one whose models tell different stories', async () => {
    const { one } = await session((order) => withModels(result(order), [0.05, 0.6]));
    expect(one.reveal.covers).toEqual(['disagreement']);
    one.reveal.open();
    expect(one.reveal.isCovered).toBe(false);
  });
});

describe('models disagree', () => {
  const order = { plans: [{ id: usualCareId, name: 'Usual care', blocks: [] }], today: '2026-11-23', seed: 1, rollouts: 1000 };
  const made = (chances: readonly number[], middles?: readonly number[]) =>
    withModels(result(order as unknown as RunOrder), chances, middles);
  const found = (forecast: Forecast) => disagreements(forecast, manifest, 'any', 90);

  test('about a chance where they lie 40 of 100 apart', () => {
    expect(found(made([0.1, 0.45]))).toEqual([]);
    expect(found(made([0.1, 0.55]))).toEqual([
      { planId: usualCareId, of: { kind: 'event', event: null }, low: 0.1, high: 0.55, models: 2 },
    ]);
  });

  test('about a marker where their middles span where 8 in 10 courses lie', () => {
    expect(found(made([0.1, 0.1], [2, 3.5]))).toEqual([]);
    expect(found(made([0.1, 0.1], [2, 3.7]))).toMatchObject([{ of: { kind: 'marker', marker: marker!.id }, low: 2, high: 3.7 }]);
  });

  test('only where there are several that carry weight', () => {
    expect(found(made([0.1]))).toEqual([]);
    const forecast = made([0.1, 0.9]);
    const model = {
      id: 'a',
      title: 'A',
      rung: 'prior',
      effectiveSampleSize: 1,
      draws: 1,
      divergedShare: 0,
      parameters: [],
    } as const;
    const equations = {
      models: [
        { ...model, weight: 0.95 },
        { ...model, id: 'b', weight: 0.05 },
      ],
      flattening: null,
      residuals: [],
    };
    expect(found({ ...forecast, fit: { ...forecast.fit, equations } })).toEqual([]);
  });
});

test('the chance of whatever comes first has its own interval, or the events’ together where it was not made', () => {
  const forecast = withModels(
    result({
      plans: [{ id: usualCareId, name: 'Usual care', blocks: [] }],
      today: '2026-11-23',
      seed: 1,
      rollouts: 1000,
    } as unknown as RunOrder),
    [0.08, 0.14],
  );
  const [kept] = forecast.plans;
  const plan = { ...kept!, anyEvent: { low: [0, 0.08], high: [0, 0.14] } };
  expect(incidenceRange(plan, 'any', 1)).toMatchObject({ low: 0.08, high: 0.14 });
  expect(incidenceRange(kept!, 'any', 1)).toMatchObject({ low: 0, high: 0.4 });
  expect(incidenceRange(plan, manifest.events[0]!.id, 1)).toEqual({ value: 0.1, low: 0, high: 0.2 });
  expect(readingOf(forecast, plan, manifest, 'any', 90)).toMatchObject({ kind: 'chance', low: 0.08, high: 0.14 });
});

test('the truth of a drawn person is drawn when it is asked for, and goes with them', async () => {
  const { one, asked } = await session(agreeing);
  expect(one.reveal.hasTruth).toBe(true);
  expect(asked.some(({ name }) => name === 'drawnFuture')).toBe(false);
  await one.reveal.showTruth();
  expect(one.reveal.truth).toEqual({ timesDays: [0, 90], markers: {}, event: null });
  await one.addDemonstration('toy');
  expect(one.reveal.truth).toBeNull();
  const { drawn: _, ...changed } = one.forecast.record!;
  one.forecast.update(changed);
  expect(one.reveal.hasTruth).toBe(false);
});
