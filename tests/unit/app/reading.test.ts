import { expect, test } from 'vitest';
import type { MarkerForecast } from '#domain/forecast.ts';
import { likelyValues, signShares } from '#app/reading.ts';

const marker: MarkerForecast = {
  unit: 'mg/dL',
  bands: [
    { level: 0.5, low: [4], high: [6] },
    { level: 0.8, low: [3], high: [7] },
    { level: 0.9, low: [2], high: [8] },
  ],
  median: [5],
  memberMedians: [],
  courses: [],
};

test('of twenty equally likely values eighteen are read between the bands, and of the outermost only an edge is known', () => {
  const values = likelyValues(marker, 0, 20);
  expect(values.map(({ beyond }) => beyond)).toEqual(['low', ...Array<null>(18).fill(null), 'high']);
  expect(values[0]!.value).toBe(2);
  expect(values[19]!.value).toBe(8);
  // At 7.5 %, half way from the edge of 9 in 10 to that of 8 in 10; at 37.5 %, half way from a quarter to the middle.
  expect(values[1]!.value).toBeCloseTo(2.5);
  expect(values[7]!.value).toBeCloseTo(4.5);
  expect(values.filter(({ value }) => value > 5)).toHaveLength(10);
});
test('without anyone alive there are no values', () =>
  expect(likelyValues({ ...marker, median: [Number.NaN] }, 0, 20)).toEqual([]));
test('a sign is shown by all who are above its first level', () => expect(signShares([[0.7, 0.2, 0.1]])[0]).toBeCloseTo(0.3));
