import { expect, test } from 'vitest';
import { dotQuantile } from '#domain/forecast.ts';

test('of fifty equally likely values the third from either end bounds the middle 90 %', () => {
  const dots = Array.from({ length: 50 }, (_, i) => i);
  expect(dotQuantile(dots, 0.05)).toBe(2);
  expect(dotQuantile(dots, 0.95)).toBe(47);
  expect(dotQuantile(dots, 0.5)).toBe(24.5);
});

test('between values the chance runs evenly, and beyond them stand the ends', () => {
  expect(dotQuantile([1, 2, 4], 0.75)).toBeCloseTo(3.5, 12);
  expect([0, 1].map((chance) => dotQuantile([1, 2, 4], chance))).toEqual([1, 4]);
  expect(dotQuantile([], 0.5)).toBeNaN();
});
