import { describe, expect, test } from 'vitest';
import { RandomSequence, seedFrom, streams } from '#numerics/random.ts';
import { normalQuantile } from '#numerics/special-functions.ts';
import { learnEventBound, learnShifts, lowerBoundDays, shiftOf, type BandCase, type EventCase } from '#trust/conformal.ts';

/** People whose values spread `spread` times as far as their bands say; values of one person share half of their error. */
function bandCases(people: number, perPerson: number, spread: number, seed: number): BandCase[] {
  return Array.from({ length: people }, (_, person) => {
    const random = new RandomSequence(seedFrom(seed), streams.people, person);
    const own = random.normal();
    return Array.from({ length: perPerson }, (__, i): BandCase => {
      const z = normalQuantile(0.95);
      const y = (spread * (own + random.normal())) / Math.SQRT2;
      return { person: `p${person}`, days: 10 + i, y, bands: [{ level: 0.9, low: -z, high: z }] };
    });
  }).flat();
}

const covered = (cases: readonly BandCase[], shift: number) =>
  cases.filter(({ y, bands }) => y >= bands[0]!.low - shift && y <= bands[0]!.high + shift).length / cases.length;

describe('shifts of bands', () => {
  test.each([
    ['too narrow', 1.6],
    ['too wide', 0.6],
    ['right', 1],
  ])('learned from bands that are %s, they hold what they promise on others', (_, spread) => {
    const rows = learnShifts(bandCases(300, 4, spread, 1), [100]);
    const others = bandCases(2000, 4, spread, 2);
    expect(Math.abs(covered(others, shiftOf(rows, 20, 0.9)) - 0.9)).toBeLessThan(0.035);
  });

  test('of too few people nothing is promised', () => {
    const rows = learnShifts(bandCases(12, 4, 2, 1), [100]);
    expect(rows[0]).toMatchObject({ people: 12, shifts: [{ level: 0.9, shift: null }] });
    expect(shiftOf(rows, 20, 0.9)).toBe(0);
  });

  test('one person’s many values weigh as one person', () => {
    const usual = bandCases(60, 1, 1, 1);
    const wild = Array.from({ length: 200 }, (_, i): BandCase => ({ ...usual[0]!, person: 'wild', y: 50 + i }));
    const [row] = learnShifts([...usual, ...wild], [100]);
    expect(row!.people).toBe(61);
    expect(row!.shifts[0]!.shift).toBeLessThan(2);
  });

  test('what comes after the last horizon takes its shift', () => {
    const rows = learnShifts(bandCases(60, 4, 2, 1), [11, 13]);
    expect(rows.map(({ untilDays }) => untilDays)).toEqual([11, 13]);
    expect(shiftOf(rows, 999, 0.9)).toBe(rows[1]!.shifts[0]!.shift);
    expect(shiftOf([], 5, 0.9)).toBe(0);
  });
});

describe('lower bounds of event times', () => {
  const horizon = 1000;
  /** Exponential times with a rate `times` that of the forecast, censored at random. */
  function people(n: number, times: number, seed: number): (EventCase & { readonly eventDays: number })[] {
    return Array.from({ length: n }, (_, i) => {
      const random = new RandomSequence(seedFrom(seed), streams.people, i);
      const rate = Math.exp(random.normal() * 0.5) / 700;
      const eventDays = -Math.log(random.uniform()) / (times * rate);
      const end = Math.min(horizon, -Math.log(random.uniform()) * 1500);
      const days = Math.min(eventDays, end);
      return { days, happened: eventDays <= end, incidence: 1 - Math.exp(-rate * days), eventDays, rate };
    });
  }

  test.each([1, 2, 0.5])('hold for nine in ten where events come %s times as fast as forecast', (times) => {
    const incidence = learnEventBound(people(600, times, 1), horizon, 0.9)!;
    const outlived = people(3000, times, 2).filter((one) => {
      const rate = (one as unknown as { rate: number }).rate;
      return one.eventDays >= Math.min(horizon, -Math.log(1 - incidence) / rate);
    });
    expect(Math.abs(outlived.length / 3000 - 0.9)).toBeLessThan(0.035);
  });

  test('are not promised from a handful of people', () => {
    expect(learnEventBound(people(5, 1, 1), horizon, 0.9)).toBeNull();
    expect(learnEventBound([], horizon, 0.9)).toBeNull();
  });

  test('are read off usual care between its times, and are the horizon where it never gets there', () => {
    const forecast = { timesDays: [0, 100, 200] };
    expect(lowerBoundDays(forecast, [1, 0.9, 0.7], 0.2)).toBeCloseTo(150, 9);
    expect(lowerBoundDays(forecast, [1, 0.9, 0.7], 0.5)).toBe(200);
    expect(lowerBoundDays(forecast, [1, 0.9, 0.7], 0)).toBe(0);
  });
});
