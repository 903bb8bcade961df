import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { drawPerson } from '#cohorts/people.ts';
import { dotQuantile, type Forecast } from '#domain/forecast.ts';
import type { Plan } from '#domain/plan.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { seedFrom } from '#numerics/random.ts';
import { encodeHistoryPlain } from '#twin/encoder-plain.ts';
import { encodeHistory } from '#twin/encoder.ts';
import { forecast, type ForecastRequest } from '#twin/forecast.ts';
import { readHistory } from '#twin/history.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';

const pack = toyPack();
const engine = new ReferenceEngine();
const { record, today } = drawPerson(pack, seedFrom(5), { historySteps: 4, today: '2024-06-01', stepper: engine, number: 3 });
const drug: Plan = { id: 'drug', name: 'Drug R', blocks: [{ intervention: 'drug-r', startDay: 0, stopDay: 3600 }] };
const cited: Plan = { id: 'cited', name: 'Drug X', blocks: [{ intervention: 'drug-x', startDay: 0, stopDay: 3600 }] };
const placebo: Plan = { id: 'placebo', name: 'Nothing', blocks: [] };

const run = (change: Partial<ForecastRequest> = {}, hooks = {}) =>
  forecast(
    {
      pack,
      record,
      today,
      plans: [drug, cited, placebo],
      horizonDays: 720,
      rollouts: 400,
      seed: 1,
      particlesPerMember: 256,
      ...change,
    },
    { engine, stepper: engine, encode: encodeHistoryPlain },
    hooks,
  );
const whole: Promise<Forecast> = run();

function expectInside(least: number, low: readonly number[], value: readonly number[], high: readonly number[], most: number) {
  value.forEach((middle, t) => {
    expect(low[t]!).toBeGreaterThanOrEqual(least);
    expect(low[t]!).toBeLessThanOrEqual(middle + 1e-12);
    expect(high[t]!).toBeGreaterThanOrEqual(middle - 1e-12);
    expect(high[t]!).toBeLessThanOrEqual(most);
  });
}

describe('a forecast', () => {
  test('has usual care first, every plan on one grid, and says how it went', async () => {
    const { status, message, plans, differences, timesDays, run: made, fit } = await whole;
    expect(status).toBe('completed');
    expect(message).toContain('400 futures');
    expect(plans.map(({ plan }) => plan.id)).toEqual(['usual-care', 'drug', 'cited', 'placebo']);
    expect(differences.map(({ planId }) => planId)).toEqual(['drug', 'cited', 'placebo']);
    expect(timesDays).toEqual([0, 90, 180, 270, 360, 450, 540, 630, 720]);
    expect(made).toMatchObject({ engine: 'reference', seed: 1, rollouts: 400, members: 2 });
    expect(fit.particles).toBe(512);
  });

  test('bands nest around the median, and signs and events are shares', async () => {
    const { plans, timesDays } = await whole;
    for (const { markers, signs, events, eventFree, anyEvent, eventFreeDays } of plans) {
      for (const { bands, median, memberMedians, courses } of Object.values(markers)) {
        expect(bands.map(({ level }) => level)).toEqual([0.5, 0.8, 0.9]);
        median.forEach((middle, t) => {
          const low = bands.map((band) => band.low[t]!);
          const high = bands.map((band) => band.high[t]!);
          expect([...low.toReversed(), middle, ...high]).toEqual(
            [...low.toReversed(), middle, ...high].toSorted((a, b) => a - b),
          );
        });
        expect(memberMedians).toHaveLength(2);
        expect(courses).toHaveLength(20);
      }
      for (const shares of signs['oedema']!) expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1);
      timesDays.forEach((_, t) => {
        const incidence = Object.values(events).reduce((sum, event) => sum + event.incidence[t]!, 0);
        expect(eventFree[t]! + incidence).toBeCloseTo(1);
      });
      for (const { low, incidence, high, members } of Object.values(events)) {
        expect(members.map((own) => own.at(-1)!).reduce((a, b) => a + b) / 2).toBeCloseTo(incidence.at(-1)!);
        expectInside(0, low, incidence, high, 1);
      }
      const chance = eventFree.map((share) => 1 - share);
      expectInside(0, anyEvent!.low, chance, anyEvent!.high, 1);
      expectInside(0, [eventFreeDays.low], [eventFreeDays.value], [eventFreeDays.high], timesDays.at(-1)!);
    }
  });

  test('a plan of nothing differs from usual care in nothing', async () => {
    const nothing = (await whole).differences[2]!;
    for (const { median, bands } of Object.values(nothing.markers)) {
      for (const values of [median, ...bands.flatMap(({ low, high }) => [low, high])])
        expect(values.every((value) => value === 0)).toBe(true);
    }
    expect(nothing.anyEvent.flat().every((value) => value === 0)).toBe(true);
    expect(nothing.eventFreeDays.every((value) => value === 0)).toBe(true);
  });

  test('a cited hazard ratio lowers its event, leaves markers alone, and no difference is one that cannot be', async () => {
    const { differences, plans, timesDays } = await whole;
    const { events, markers, eventFreeDays } = differences[1]!;
    const atEnd = events['death']!.at(-1)!;
    expect(atEnd).toHaveLength(50);
    expect(dotQuantile(atEnd, 0.05)).toBeLessThan(dotQuantile(atEnd, 0.95));
    // Two members leave hardly more than one degree of freedom, so that tails are long.
    expect(dotQuantile(atEnd, 0.5)).toBeLessThan(0);
    expect(dotQuantile(eventFreeDays, 0.5)).toBeGreaterThan(0);
    expect(atEnd[0]!).toBeGreaterThanOrEqual(-plans[0]!.events['death']!.high.at(-1)!);
    expect(eventFreeDays.at(-1)!).toBeLessThanOrEqual(timesDays.at(-1)! - plans[0]!.eventFreeDays.low);
    expect(atEnd).toEqual(atEnd.toSorted((a, b) => a - b));
    expect(markers['albumin']!.median.every((value) => value === 0)).toBe(true);
  });

  test('differences have the unit that makes sense on their scale', async () => {
    const { markers } = (await whole).differences[0]!;
    expect(Object.fromEntries(Object.entries(markers).map(([id, { unit }]) => [id, unit]))).toEqual({
      bilirubin: '%',
      albumin: 'g/dL',
      platelets: '10*9/L',
    });
  });

  test('the same request gives the same answer', async () => {
    const { run: first, ...once } = await whole;
    const { run: second, ...again } = await run();
    expect(again).toEqual(once);
    expect(second.seed).toBe(first.seed);
  });

  test('the encoder on tfjs proposes what the plain one does', async () => {
    await tf.setBackend('cpu');
    const before = tf.memory().numTensors;
    const history = readHistory(pack.manifest, record, today);
    const onTensors = await encodeHistory(pack, history);
    encodeHistoryPlain(pack, history).forEach(({ mean, scale }, m) => {
      mean.forEach((value, l) => expect(onTensors[m]!.mean[l]).toBeCloseTo(value, 4));
      scale.forEach((value, l) => expect(onTensors[m]!.scale[l]).toBeCloseTo(value, 4));
    });
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('an outcome that is no forecast', () => {
  test('a person outside a hard limit gets reasons and no bands', async () => {
    const { status, message, plans, fit } = await run({ record: { ...record, covariates: { ...record.covariates, age: 12 } } });
    expect(status).toBe('outside-support');
    expect(plans).toEqual([]);
    expect(fit.reasons).toContain('The pack saw adults only.');
    expect(message).toContain('withheld');
  });

  test('a person outside a soft limit is forecast and marked', async () => {
    const criteria = pack.manifest.population.criteria.map((own) => (own.severity === 'soft' ? { ...own, max: 0 } : own));
    const strict = { ...pack.manifest, population: { ...pack.manifest.population, criteria } };
    const { status, fit } = await run({ pack: { ...pack, manifest: strict } });
    expect(status).toBe('completed');
    expect(fit.standing).toBe('partly');
    expect(fit.reasons[0]).toBe('Few people had more.');
  });

  test('a run that is stopped says so', async () => {
    const stop = new AbortController();
    const answer = await run({}, { signal: stop.signal, onProgress: () => stop.abort() });
    expect(answer).toMatchObject({ status: 'stopped', plans: [], differences: [] });
  });

  test('a pack whose states run away is called diverged', async () => {
    const runaway = {
      ...pack.network,
      members: pack.network.members.map((own) => ({ ...own, driftBias: own.driftBias.map(() => 9) })),
    };
    const { status, message } = await run({ pack: { ...pack, network: runaway }, record: { ...record, observations: [] } });
    expect(status).toBe('diverged');
    // The others had their event before their state ran away.
    expect(message).toMatch(/^\d+ % of the simulated futures left/);
  });

  test('a horizon beyond the pack is refused', async () => {
    await expect(run({ horizonDays: 99_999 })).rejects.toMatchObject({ code: 'request_invalid' });
  });
});
