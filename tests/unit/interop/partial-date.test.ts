import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSurelyBefore, leastYearsBetween, readDate } from '#interop/partial-date.ts';

describe('readDate', () => {
  test.each([
    ['1985', '1985', null, null],
    ['1985-04', '1985-04', null, null],
    ['1985-04-12', '1985-04-12', null, null],
    ['2024-02-29', '2024-02-29', null, null],
    ['2023-05-01T09:30', '2023-05-01', '09:30', null],
    ['2023-05-01T09:30:15', '2023-05-01', '09:30', null],
    ['2023-05-01T00:30:00+14:00', '2023-05-01', '00:30', Date.UTC(2023, 3, 30, 10, 30)],
    ['2023-04-30T23:30:00-11:00', '2023-04-30', '23:30', Date.UTC(2023, 4, 1, 10, 30)],
    ['2023-05-01T09:30:15.250Z', '2023-05-01', '09:30', Date.UTC(2023, 4, 1, 9, 30, 15, 250)],
  ])('%s', (text, date, time, instant) => expect(readDate(text)).toEqual({ date, time, instant }));

  test.each([
    '2023-02-30',
    '2023-02-29',
    '1900-02-29',
    '2023-13',
    '2023-00-01',
    '2023-04-31',
    '0000',
    '23',
    '2023-5-1',
    '01/05/2023',
    '2023-05-01T24:00',
    '2023-05-01T09:60',
    '2023-05-01T09:30:00+15:00',
    '2023-05-01T',
    'T09:30',
    ' 2023',
    '２０２３',
    '2023-05-01T09:30:00+99:00',
  ])('%s is no date', (text) =>
    // prettier-ignore
    expect(readDate(text)).toBeNull(),
  );

  test('every day that there is, and no other', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9999 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 31 }),
        (year, month, day) => {
          const text = `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
          const date = new Date(0);
          date.setUTCFullYear(year, month - 1, day);
          expect(readDate(text) !== null).toBe(date.getUTCMonth() === month - 1);
        },
      ),
    );
  });
});

test('what is not known decides nothing', () => {
  expect(isSurelyBefore('1961', '1961-04')).toBe(false);
  expect(isSurelyBefore('1961-03', '1961-04-12')).toBe(true);
  expect(isSurelyBefore('1961-04-12', '1961-04')).toBe(false);
  expect(leastYearsBetween('1900', '2020-06-01')).toBe(119);
  expect(leastYearsBetween('1900-06-02', '2020-06-01')).toBe(119);
  expect(leastYearsBetween('1900-06-01', '2020-06-01')).toBe(120);
});
