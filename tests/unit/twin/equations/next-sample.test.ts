import { describe, expect, test } from 'vitest';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { valueSamples } from '#twin/equations/next-sample.ts';

const lanes = 2000;
const random = new RandomSequence(seedFrom(5));
const a = Float64Array.from({ length: lanes }, random.normal);
const b = Float64Array.from({ length: lanes }, random.normal);
const seed = seedFrom(1);

describe('the value of a further sample', () => {
  test('agrees with the closed form where everything is normal', () => {
    // Quantity q = 3a; a measurement of g·a + h·b with sd 0.5. var(q | y) = 9 − (3g)²/(g² + h² + 0.25).
    const weights = [
      [1, 0],
      [0.5, 1],
      [0, 1],
    ] as const;
    const predictions = Float64Array.from(weights.flatMap(([g, h]) => [...a].map((value, i) => g * value + h * b[i]!)));
    const group = { lanes, predictions, quantity: a.map((value) => 3 * value), error: { kind: 'additive', sd: 0.5 } } as const;
    const result = valueSamples([group], 3, seed);
    expect(result.sdNow).toBeCloseTo(3, 0);
    weights.forEach(([g, h], c) => {
      const share = (g * g) / (g * g + h * h + 0.25);
      const { expectedSd, standardError, information } = result.candidates[c]!;
      // 4 standard errors of the values tried, and what 2,000 draws leave uncertain of the standard deviation itself.
      expect(Math.abs(expectedSd - 3 * Math.sqrt(1 - share))).toBeLessThan(4 * standardError + 0.02 * 3);
      expect(Math.abs(information + 0.5 * Math.log(1 - share))).toBeLessThan(0.08);
    });
  });

  test('a measurement that says nothing leaves the quantity as it was', () => {
    const group = { lanes, predictions: new Float64Array(lanes).fill(4), quantity: a, error: { kind: 'log', sd: 0.2 } } as const;
    const { sdNow, candidates } = valueSamples([group], 1, seed);
    expect(candidates[0]!.expectedSd).toBeCloseTo(sdNow, 2);
    expect(candidates[0]!.information).toBeCloseTo(0, 2);
  });

  test('two models that predict apart are told apart by what they predict', () => {
    const half = (quantity: number, prediction: number) => ({
      lanes: 500,
      predictions: new Float64Array(500).fill(prediction),
      quantity: new Float64Array(500).fill(quantity),
      error: { kind: 'additive', sd: 1 } as const,
    });
    const { sdNow, candidates } = valueSamples([half(-1, 0), half(1, 20)], 1, seed);
    expect(sdNow).toBeCloseTo(1, 6);
    expect(candidates[0]!.expectedSd).toBeLessThan(1e-6);
  });
});
