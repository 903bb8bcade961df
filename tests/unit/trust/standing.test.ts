import { describe, expect, test } from 'vitest';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { readHistory } from '#twin/history.ts';
import { drawPerson } from '#cohorts/people.ts';
import { seedFrom } from '#numerics/random.ts';
import { decodePack } from '#packs/decode.ts';
import type { PatientRecord } from '#domain/record.ts';
import { equationsReference, learnedReference } from '#trust/reference.ts';
import { ofHistory, standingOf } from '#trust/standing.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';
import { toyEquationsFiles } from '../../fixtures/toy-equations.ts';

const pack = toyPack();
const stepper = new ReferenceEngine();
const today = '2020-06-01';
const steps = 3;
const reference = learnedReference(pack, steps, stepper, 400);

function drawn(number: number): PatientRecord {
  // Another seed than the reference people's.
  return drawPerson(pack, seedFrom(77), { historySteps: steps, today, stepper, number }).record;
}

function place(record: PatientRecord, conflict: number | null = null) {
  return standingOf(reference, ofHistory(readHistory(pack.manifest, record, today), conflict));
}

/** Every value of a marker multiplied, as by a wrong unit that somebody confirmed. */
function scaled(record: PatientRecord, code: string, by: number): PatientRecord {
  return {
    ...record,
    observations: record.observations.map((one) =>
      one.code === code ? { ...one, value: one.value * by, isConfirmed: true } : one,
    ),
  };
}

describe('a person among the pack’s people', () => {
  const people = Array.from({ length: 120 }, (_, i) => drawn(i));

  test('of the pack’s own people hardly one in twenty is told otherwise, and none is withheld', () => {
    const verdicts = people.map((record) => place(record).verdict);
    expect(verdicts.filter((verdict) => verdict !== 'inside').length).toBeLessThanOrEqual(6);
    expect(verdicts).not.toContain('outside');
  });

  test('a far shift of one marker is noticed, named, and further out than the same person without it', () => {
    for (const record of people.slice(0, 20)) {
      const shifted = place(scaled(record, 'bilirubin', 2000));
      expect(shifted.verdict).not.toBe('inside');
      expect(shifted.farOut).toBeGreaterThan(place(record).farOut);
      expect(shifted.drivers[0]).toMatchObject({ id: 'bilirubin' });
      expect(shifted.reasons.join(' ')).toContain('Bilirubin');
      // What a reason says may stand anywhere, so it holds no value.
      expect(shifted.reasons.join(' ')).not.toMatch(/\d+(\.\d+)? mg\/dL/);
    }
  });

  test('whoever is known by a part of the inputs is compared in that part, and more than half missing is said', () => {
    const [record] = people;
    const few = { ...record!, observations: record!.observations.filter(({ code }) => code === 'bilirubin') };
    const standing = place(few);
    expect(standing.missingShare).toBeGreaterThan(0);
    expect(standing.scores.map(({ id }) => id)).toContain('mahalanobis');
    const nothing = place({ ...record!, observations: [] });
    expect(nothing.missingShare).toBeGreaterThan(0.5);
    expect(nothing.verdict).toBe('partly');
    expect(nothing.reasons.join(' ')).toContain('not known');
  });

  test('the model’s own surprise counts in how far out a person is', () => {
    const [record] = people;
    const surprised = place(record!, 1e-6);
    expect(surprised.scores.at(-1)).toMatchObject({ id: 'likelihood', value: 6, pValue: 1e-6, reference: 0 });
    expect(surprised.farOut).toBeGreaterThanOrEqual(3);
  });

  test('the same person stands in the same place every time', () => {
    expect(place(people[3]!)).toEqual(place(people[3]!));
  });

  test('shares of the drivers are of the whole', () => {
    const { drivers } = place(scaled(people[5]!, 'bilirubin', 100));
    const shares = drivers.map(({ share }) => share);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(1 + 1e-9);
    expect(shares).toEqual(shares.toSorted((a, b) => b - a));
  });
});

describe('under a pack of equations', () => {
  test('covariates are held against the percentiles that the pack states', async () => {
    const { manifest } = await decodePack(await toyEquationsFiles());
    if (manifest.kind !== 'equations') throw new Error('The toy pack is of equations.');
    const equations = equationsReference(manifest, 400);
    const usual = new Map(
      equations.inputs.flatMap((input) =>
        input.kind === 'number' && input.of === 'covariate' ? [[input.id, input.fromCoordinate(0.3)] as const] : [],
      ),
    );
    expect(standingOf(equations, { values: usual, uses: [], conflictProbability: null }).verdict).toBe('inside');
    const far = new Map(
      equations.inputs.flatMap((input) =>
        input.kind === 'number' && input.of === 'covariate' ? [[input.id, input.fromCoordinate(12)] as const] : [],
      ),
    );
    const standing = standingOf(equations, { values: far, uses: [], conflictProbability: null });
    expect(standing.verdict).toBe('outside');
    expect(standing.outOfRange.length).toBeGreaterThan(0);
  });
});
