import { expect, test } from 'vitest';
import type { MarkerForecast } from '#domain/forecast.ts';
import { quantileOf, shareBeyond, signShares } from '#app/reading.ts';

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

test('half of the courses lie above the median', () =>
  expect(shareBeyond(marker, 0, { value: 5, direction: 'above' })).toEqual([0.5, 0.5]));
test('a quarter lie below the lower edge of the middle band', () =>
  expect(shareBeyond(marker, 0, { value: 4, direction: 'below' })?.[0]).toBeCloseTo(0.25));
test('beyond the widest band only a limit is known', () =>
  expect(shareBeyond(marker, 0, { value: 9, direction: 'above' })?.map((x) => Math.round(100 * x))).toEqual([0, 5]));
test('without anyone alive there is no share', () =>
  expect(shareBeyond({ ...marker, median: [Number.NaN] }, 0, { value: 5, direction: 'above' })).toBeNull());
test('quantiles lie between neighbours', () => expect(quantileOf([1, 2, 4], 0.75)).toBe(3));
test('a sign is shown by all who are above its first level', () => expect(signShares([[0.7, 0.2, 0.1]])[0]).toBeCloseTo(0.3));
