import { expect, test } from 'vitest';
import { rankCorrelation } from '#numerics/rank-correlation.ts';

test('depends on the order alone', () => {
  expect(rankCorrelation([1, 2, 3, 4], [1, 10, 100, 1000])).toBeCloseTo(1, 12);
  expect(rankCorrelation([1, 2, 3, 4], [4, 3, 2, -9])).toBeCloseTo(-1, 12);
});

// Without ties 1 − 6 Σ d² / (n (n² − 1)): here d = (0, 1, −1, 0, 0), so 1 − 12 / 120.
test('is Spearman’s', () => {
  expect(rankCorrelation([1, 2, 3, 4, 5], [1, 3, 2, 4, 5])).toBeCloseTo(0.9, 12);
});

test('ties take their mean rank, and a list of ties tells nothing', () => {
  // Ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3: 4.5 / √(4.5 · 5).
  expect(rankCorrelation([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(22.5), 12);
  expect(rankCorrelation([7, 7, 7], [1, 2, 3])).toBe(0);
});
