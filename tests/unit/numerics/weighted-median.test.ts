import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { weightedMedian } from '#numerics/weighted-median.ts';

test('a weighted median is what sorting gives', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: -20, max: 20 }), fc.integer({ min: 0, max: 8 })), { minLength: 1, maxLength: 60 }),
      (pairs) => {
        const values = pairs.map(([value]) => value);
        const weights = pairs.map(([, weight]) => weight);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const sorted = pairs.filter(([, weight]) => weight > 0).sort(([a], [b]) => a - b);
        let reached = 0;
        const wanted = sorted.find(([, weight]) => (reached += weight) >= total / 2)?.[0] ?? Number.NaN;
        expect(weightedMedian(values, weights)).toBe(wanted);
      },
    ),
    { numRuns: 500 },
  );
});

test('values that are no number have no say', () => {
  expect(weightedMedian([Number.NaN, 1, 2, 3], [100, 1, 1, 1])).toBe(2);
  expect(weightedMedian([Number.NaN], [1])).toBeNaN();
});
