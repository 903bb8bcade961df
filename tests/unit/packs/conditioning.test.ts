import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conditioningAt, covariateInputs, fromState, levelOf, toCanonical, toState, unitsOf } from '#packs/conditioning.ts';
import { covariateInputCount, headsOf, leverInterventions } from '#packs/manifest-views.ts';
import type { LearnedManifest } from '#packs/manifest.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';

const { manifest } = toyPack();
const [bilirubin, albumin, platelets] = manifest.markers;

const withInputs = (conditioning: LearnedManifest['conditioning']): LearnedManifest => ({ ...manifest, conditioning });

describe('the inputs that describe a person', () => {
  test('numbers are standardised and categories become 0 or 1', () => {
    expect(covariateInputs(manifest, { age: 60, sex: 'female' }, {})).toEqual({ values: Float64Array.of(1, 1), missing: [] });
    expect(covariateInputs(manifest, { age: 45, sex: 'male' }, {}).values).toEqual(Float64Array.of(-0.5, 0));
  });

  test('what is missing is replaced as the pack says, and named once', () => {
    const twice = withInputs([
      ...manifest.conditioning.slice(0, 2),
      { from: 'covariate', id: 'sex', equals: 'male', whenMissing: 0.4 },
      { from: 'entry-marker', id: 'bilirubin', whenMissing: 0.1 },
    ]);
    expect(covariateInputs(twice, {}, {})).toEqual({
      values: Float64Array.of(0, 0.6, 0.4, 0.1),
      missing: ['age', 'sex', 'bilirubin'],
    });
  });

  test('an entry marker is standardised as the marker is', () => {
    const entry = withInputs([{ from: 'entry-marker', id: 'bilirubin', whenMissing: 0 }]);
    expect(covariateInputs(entry, {}, { bilirubin: 2 }).values[0]).toBe(toState(bilirubin!, 2));
  });

  test('a covariate that the pack does not read is ignored', () => {
    expect(covariateInputs(manifest, { age: 50, sex: 'male', height: 170 }, { iron: 3 }).missing).toEqual([]);
  });

  test('an id that every object inherits is not mistaken for a value', () => {
    const inherited = withInputs([{ from: 'covariate', id: 'constructor', equals: 'x', whenMissing: 0.25 }]);
    expect(covariateInputs(inherited, {}, {}).values[0]).toBe(0.25);
  });

  test.each([
    [{ age: 'old' }, /^Age: expected a number in a\./],
    [{ age: NaN }, /^Age: expected a number/],
    [{ sex: 'x' }, /^Sex: expected one of female, male\./],
    [{ sex: 1 }, /^Sex/],
  ])('%j is refused without repeating the value', (covariates, message) => {
    expect(() => covariateInputs(manifest, covariates as Record<string, number | string>, {})).toThrow(
      expect.objectContaining({ code: 'covariate_invalid', message: expect.stringMatching(message) }),
    );
  });
});

describe('the conditioning of one step', () => {
  const base = covariateInputs(manifest, { age: 60, sex: 'male' }, {}).values;

  test('is the person, then 1 for each active intervention that the network reads', () => {
    expect(conditioningAt(manifest, base, new Set(), {})).toEqual(Float64Array.of(1, 0, 0, 0));
    expect(conditioningAt(manifest, base, new Set(['drug-r', 'drug-x']), {})).toEqual(Float64Array.of(1, 0, 1, 0));
    expect(conditioningAt(manifest, base, new Set(['habit-o']), {})).toEqual(Float64Array.of(1, 0, 0, 1));
  });

  test('a conditional input holds only in the people it names, and in nobody whose covariate is missing', () => {
    const conditional = withInputs([
      ...manifest.conditioning.slice(0, 2),
      { from: 'intervention', id: 'drug-r', when: { covariate: 'sex', equals: 'female' } },
    ]);
    const active = new Set(['drug-r']);
    expect(conditioningAt(conditional, base, active, { sex: 'female' })[2]).toBe(1);
    expect(conditioningAt(conditional, base, active, { sex: 'male' })[2]).toBe(0);
    expect(conditioningAt(conditional, base, active, {})[2]).toBe(0);
    expect(conditioningAt(conditional, base, new Set(), { sex: 'female' })[2]).toBe(0);
  });

  test('an empty plan conditions like no plan', () => {
    expect(conditioningAt(manifest, base, new Set(), { sex: 'male' })).toEqual(
      conditioningAt(manifest, base, new Set(['tea']), {}),
    );
  });
});

describe('transforms', () => {
  test.each([bilirubin!, albumin!, platelets!])('of $id go there and back within the plausible range', (marker) => {
    const [low, high] = marker.plausible;
    fc.assert(
      fc.property(fc.double({ min: low, max: high, noNaN: true }), (value) => {
        expect(fromState(marker, toState(marker, value)) / value).toBeCloseTo(1, 9);
      }),
    );
  });

  test('zero and less stand for half the lowest plausible value under a logarithm, for zero under a root', () => {
    expect(toState(bilirubin!, 0)).toBe(toState(bilirubin!, 0.05));
    expect(toState(bilirubin!, -3)).toBe(toState(bilirubin!, 0.05));
    expect(toState(platelets!, -1)).toBe(toState(platelets!, 0));
    expect(toState(albumin!, -1)).toBe(-9);
  });

  test('a state far below zero is no count under a root', () => {
    expect(fromState(platelets!, -20)).toBe(0);
  });
});

describe('levels and units', () => {
  test('a sign is read by its value', () => {
    expect([0, 0.5, 1].map((value) => levelOf(manifest.signs[0]!, value))).toEqual([0, 1, 2]);
    expect(() => levelOf(manifest.signs[0]!, 0.7)).toThrow(
      expect.objectContaining({
        code: 'level_unknown',
        message: expect.stringContaining('0 (none), 0.5 (treated), 1 (despite treatment)'),
      }),
    );
  });

  test('a value in another unit becomes canonical, and a unit it has not is named with those it has', () => {
    expect(toCanonical(albumin!, 35, 'g/L')).toBeCloseTo(3.5, 12);
    expect(toCanonical(albumin!, 3.5, 'g/dL')).toBe(3.5);
    expect(unitsOf(albumin!)).toEqual(['g/dL', 'g/L']);
    expect(() => toCanonical(albumin!, 35, 'G/L')).toThrow(
      expect.objectContaining({
        code: 'unit_unknown',
        message: "Albumin: 'G/L' is not a unit of this measure. Expected one of g/dL, g/L.",
      }),
    );
  });
});

describe('views of a manifest', () => {
  test('what was only observed and natural history are never levers', () => {
    expect(leverInterventions(manifest).map(({ id }) => id)).toEqual(['drug-r', 'drug-x']);
    const mechanistic = manifest.interventions.map((intervention) => ({ ...intervention, whatIfClass: 'M' as const }));
    expect(leverInterventions({ interventions: mechanistic })).toHaveLength(4);
  });

  test('heads are the markers, then the signs with their cuts', () => {
    expect(headsOf(manifest)).toEqual([
      { kind: 'continuous' },
      { kind: 'continuous' },
      { kind: 'continuous' },
      { kind: 'ordinal', cuts: [1, 2.5] },
    ]);
    expect(covariateInputCount(manifest)).toBe(2);
  });
});
