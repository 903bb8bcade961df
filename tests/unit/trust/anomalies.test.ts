import { describe, expect, test } from 'vitest';
import { drawPerson } from '#cohorts/people.ts';
import type { Observation, PatientRecord } from '#domain/record.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { decodePack } from '#packs/decode.ts';
import {
  equationsAnomalyReference,
  findAnomalies,
  learnedAnomalyReference,
  tailP,
  type AnomalyReference,
} from '#trust/anomalies.ts';
import { drawReferenceRecords } from '#trust/reference.ts';
import { toyEquationsFiles } from '../../fixtures/toy-equations.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';

const pack = toyPack();
const stepper = new ReferenceEngine();
const longest = pack.manifest.grid.historySteps;
const reference: AnomalyReference = learnedAnomalyReference(
  pack.manifest,
  (steps) => drawReferenceRecords(pack, steps, stepper, 300),
  5,
);

function drawn(number: number, historySteps = 5): PatientRecord {
  const { record } = drawPerson(pack, seedFrom(77), { historySteps, today: '2020-06-01', stepper, number });
  return { ...record, id: `local-${number}` };
}
const find = (...records: readonly PatientRecord[]) => findAnomalies(reference, records, longest);

/** Changes the n-th value of a marker. */
function changed(
  record: PatientRecord,
  code: string,
  n: number,
  change: (one: Observation) => Partial<Observation>,
): PatientRecord {
  const own = record.observations.filter((one) => one.code === code);
  const target = own[n % own.length]!;
  return { ...record, observations: record.observations.map((one) => (one === target ? { ...one, ...change(one) } : one)) };
}

describe('records of the pack’s own people', () => {
  test('are hardly ever named: of 300 no more than six', () => {
    const answer = find(...Array.from({ length: 300 }, (_, i) => drawn(i)));
    expect(answer.checked).toBe(300);
    expect(answer.found.length).toBeLessThanOrEqual(6);
  });

  test('without any value that the pack reads are not looked at', () => {
    expect(find({ ...drawn(1), covariates: {}, observations: [] })).toMatchObject({ checked: 0, found: [] });
  });
});

describe('planted errors', () => {
  const people = Array.from({ length: 30 }, (_, i) => drawn(i));

  test.each([
    ['a thousand times too large', 1000, /divided by 1000/],
    ['a thousand times too small', 1 / 1000, /multiplied by 1000/],
    ['a hundred times too large', 100, /divided by 100\b/],
  ])('a single value %s is found, also in a vault of one person', (_, factor, words) => {
    let named = 0;
    people.forEach((record, i) => {
      const planted = changed(record, 'bilirubin', i, ({ value }) => ({ value: value * factor, isConfirmed: true }));
      const [found] = find(planted).found;
      expect(found).toMatchObject({ patientId: record.id });
      expect(found!.drivers[0]).toMatchObject({ id: 'bilirubin' });
      if (words.test(found!.message)) named++;
    });
    // The invented marker spreads over a factor of a hundred: a value at its edge fits another slip as well.
    expect(named).toBeGreaterThanOrEqual(20);
  });

  test('a value outside what is plausible is named even where nothing else is known', () => {
    const [record] = people;
    const planted = changed(record!, 'bilirubin', 0, () => ({ value: 900 }));
    expect(
      find({ ...planted, covariates: {}, observations: planted.observations.filter(({ value }) => value === 900) }).found,
    ).toHaveLength(1);
  });

  test('two values that were exchanged are found and named as such', () => {
    let found = 0;
    let named = 0;
    for (const record of people) {
      const day = record.observations.at(-1)!.date;
      const [a, b] = ['bilirubin', 'albumin'].map((code) =>
        record.observations.findLast((one) => one.code === code && one.date === day),
      );
      if (!a || !b) continue;
      const swap = (one: Observation) =>
        one === a
          ? { ...one, value: b.value, isConfirmed: true }
          : one === b
            ? { ...one, value: a.value, isConfirmed: true }
            : one;
      const [anomaly] = find({ ...record, observations: record.observations.map(swap) }).found;
      if (anomaly) found++;
      if (anomaly?.message.includes('exchanged')) named++;
    }
    // Where both values are alike, an exchange changes nothing and cannot be seen.
    expect(found).toBeGreaterThan(15);
    expect(named).toBeGreaterThan(0);
  });

  test('a jump that does not happen is found by its neighbours in time', () => {
    let found = 0;
    for (const record of people) {
      const own = record.observations.filter(({ code }) => code === 'bilirubin');
      if (own.length < 3) continue;
      const planted = changed(record, 'bilirubin', 1, ({ value }) => ({ value: value * 40, isConfirmed: true }));
      const [anomaly] = find(planted).found;
      if (anomaly?.drivers[0]!.date === own[1]!.date) found++;
    }
    expect(found).toBeGreaterThan(20);
  });

  test('a message holds no value of the person', () => {
    const planted = changed(people[2]!, 'bilirubin', 0, ({ value }) => ({ value: value * 1000 + 0.123, isConfirmed: true }));
    const [anomaly] = find(planted).found;
    const value = String(planted.observations.find(({ isConfirmed }) => isConfirmed)!.value);
    expect(anomaly!.message).not.toContain(value.slice(0, 5));
  });

  test('in a clinic whose assay reads higher for everybody, nobody is named for that', () => {
    const higher = Array.from({ length: 60 }, (_, i) => {
      const record = drawn(100 + i);
      const observations = record.observations.map((one) =>
        one.code === 'bilirubin' ? { ...one, value: one.value * 6, isConfirmed: true } : one,
      );
      return { ...record, observations };
    });
    const alone = higher.flatMap((record) => find(record).found).length;
    const together = find(...higher).found.length;
    expect(together).toBeLessThanOrEqual(Math.max(3, alone));
  });
});

test('a pack of equations is asked by the ranges that it states', async () => {
  const { manifest } = await decodePack(await toyEquationsFiles());
  const equations = equationsAnomalyReference(manifest);
  const usual = Object.fromEntries(
    equations.inputs.filter(({ of }) => of === 'covariate').map((input) => [input.id, input.fromCoordinate(0.4)]),
  );
  const record = { ...drawn(1), covariates: usual, observations: [] };
  expect(findAnomalies(equations, [record], 10).found).toEqual([]);
  const [first] = equations.inputs.filter(({ of }) => of === 'covariate');
  const odd = { ...record, covariates: { ...usual, [first!.id]: first!.fromCoordinate(9) } };
  expect(findAnomalies(equations, [odd], 10).found[0]!.drivers[0]).toMatchObject({ id: first!.id });
});

test('beyond every reference person the chance goes on falling', () => {
  const random = new RandomSequence(seedFrom(3));
  const ascending = Float64Array.from({ length: 500 }, () => Math.abs(random.normal())).sort();
  expect(tailP(ascending, 0)).toBeCloseTo(1, 2);
  expect(tailP(ascending, 6)).toBeLessThan(1e-4);
  expect(tailP(ascending, 9)).toBeLessThan(tailP(ascending, 6));
});
