import { describe, expect, test } from 'vitest';
import { addHours, expandCourse, hoursBetween, isIsoMinute } from '#domain/doses.ts';
import type { DoseCourse } from '#domain/record.ts';

const course: DoseCourse = {
  id: 'c',
  intervention: 'vancomycin',
  amount: 1000,
  unit: 'mg',
  route: 'iv-infusion',
  durationHours: 1,
  start: '2026-03-28T20:00',
  everyHours: 12,
  count: 4,
  exceptions: [],
};
const times = (one: DoseCourse, until: string) => expandCourse(one, until).map(({ at }) => at);

describe('doses', () => {
  test('a regimen is spelled out across the night when clocks change, 12 hours apart', () => {
    expect(times(course, '2026-04-02T00:00')).toEqual([
      '2026-03-28T20:00',
      '2026-03-29T08:00',
      '2026-03-29T20:00',
      '2026-03-30T08:00',
    ]);
  });

  test('a dose at the minute asked for counts, a later one does not', () => {
    expect(times(course, '2026-03-29T08:00')).toHaveLength(2);
    expect(times(course, '2026-03-29T07:59')).toHaveLength(1);
    expect(times(course, '2026-03-28T19:59')).toHaveLength(0);
  });

  test('an open course goes on to the minute asked for', () => {
    expect(times({ ...course, count: null }, '2026-04-07T20:00')).toHaveLength(21);
  });

  test('missed, moved and changed doses are as they really were', () => {
    const doses = expandCourse(
      {
        ...course,
        exceptions: [
          { number: 0, kind: 'missed' },
          { number: 2, kind: 'given-at', at: '2026-03-29T07:00' },
          { number: 1, kind: 'amount', amount: 500 },
        ],
      },
      '2026-03-29T09:00',
    );
    expect(doses).toEqual([
      { number: 2, at: '2026-03-29T07:00', amount: 1000 },
      { number: 1, at: '2026-03-29T08:00', amount: 500 },
    ]);
  });

  test('a single dose is given once', () => {
    expect(times({ ...course, everyHours: null, count: 1 }, '2026-12-01T00:00')).toEqual(['2026-03-28T20:00']);
  });

  test.each([
    ['a negative amount', { amount: -1 }, 'dose_invalid', 'Amount of a dose'],
    ['a negative infusion time', { durationHours: -1 }, 'dose_invalid', 'Infusion time'],
    ['no interval', { everyHours: 0 }, 'dose_invalid', 'Interval'],
    ['half a dose', { count: 1.5 }, 'dose_invalid', 'Number of doses'],
    ['a day that does not exist', { start: '2026-02-30T08:00' }, 'date_invalid', 'Time of a dose'],
    ['a dose every second for ever', { everyHours: 1 / 3600, count: null }, 'dose_invalid', 'more than 65536 doses'],
  ] as const)('%s is refused with its place', (_, change, code, words) => {
    expect(() => expandCourse({ ...course, ...change }, '2027-01-01T00:00')).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(words) as string }),
    );
  });

  test('hours between and added agree', () => {
    expect(hoursBetween('2026-03-28T20:00', addHours('2026-03-28T20:00', 37.5))).toBe(37.5);
    expect(isIsoMinute('2026-03-28T24:00')).toBe(false);
    expect(isIsoMinute('2026-03-28')).toBe(false);
  });
});
