import { describe, expect, test } from 'vitest';
import { apportion, effectiveSize, normaliseLogWeights, systematic } from '#numerics/weighted-draws.ts';

describe('weighted draws', () => {
  test('equal weights are worth as many draws as there are, and one alone is worth one', () => {
    expect(effectiveSize(new Float64Array(8).fill(1 / 8))).toBeCloseTo(8, 12);
    expect(effectiveSize(Float64Array.of(0, 1, 0))).toBe(1);
  });

  test('log weights far beyond exp give the same shares as small ones', () => {
    const small = normaliseLogWeights(Float64Array.of(0, Math.log(3)));
    const large = normaliseLogWeights(Float64Array.of(-5000, -5000 + Math.log(3)));
    // −5,000 + ln 3 is rounded to 1e-12.
    expect(large.weights[1]).toBeCloseTo(0.75, 11);
    expect(small.weights[1]).toBeCloseTo(0.75, 14);
    expect(large.logMean).toBeCloseTo(-5000 + Math.log(2), 10);
    // 1/ESS − 1/n with weights 1/4 and 3/4.
    expect(small.standardError).toBeCloseTo(Math.sqrt(1 / 16 + 9 / 16 - 1 / 2), 14);
  });

  test('draws of which none counts have no weight and no mean', () => {
    const none = normaliseLogWeights(Float64Array.of(-Infinity, -Infinity));
    expect([...none.weights]).toEqual([0, 0]);
    expect(none.logMean).toBe(-Infinity);
    expect(none.effectiveSize).toBe(0);
  });

  test('systematic resampling takes a draw of weight w about w · count times, never more than one off', () => {
    const weights = Float64Array.of(0.5, 0.03, 0.27, 0.2);
    for (const start of [0.01, 0.4, 0.99]) {
      const taken = [0, 0, 0, 0];
      systematic(weights, 10, start, (_, from) => taken[from]!++);
      taken.forEach((count, i) => expect(Math.abs(count - 10 * weights[i]!)).toBeLessThan(1));
    }
  });

  test('lanes are given out whole and add up', () => {
    expect(apportion(10, [0.55, 0.25, 0.2])).toEqual([6, 2, 2]);
    expect(apportion(3, [1e-9, 1 - 1e-9])).toEqual([0, 3]);
  });
});
