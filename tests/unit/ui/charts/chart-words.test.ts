import { describe, expect, test } from 'vitest';
import {
  beyondSentence,
  countsSentence,
  crossingWords,
  differenceRange,
  dotSentence,
  fanSummary,
  formatMoment,
  formatPercent,
  formatPercentRange,
  formatRange,
  formatSigned,
  formatValue,
  levelWords,
  outcomeSentence,
  roundToDoubt,
  thresholdWords,
} from '#ui/charts/chart-words.ts';

const locale = 'en-GB';
const plain = (text: string) => text.replace(/[\u00a0\u2009]/g, ' ');

test('an outcome is said in people of one denominator, with the difference and its range', () => {
  expect(
    outcomeSentence({
      horizon: 5,
      timeUnit: 'years',
      of: 100,
      verb: 'die or need a transplant',
      arms: [
        { name: 'usual care', count: 23, range: { low: 17.2, high: 31 } },
        { name: 'plan A', count: 19, range: { low: 14, high: 27 }, difference: { estimate: -4, low: -9, high: 1 } },
      ],
      locale,
    }),
  ).toBe(
    'Over 5 years, in 100 people like this: 17–31 (middle 23) die or need a transplant under usual care, 14–27 (middle 19) under plan A (from 1 more to 9 fewer, middle 4 fewer).',
  );
});

test('one person dies where several die, and a harm is called more', () => {
  expect(
    outcomeSentence({
      horizon: 1,
      timeUnit: 'years',
      of: 100,
      verb: 'die',
      verbOne: 'dies',
      arms: [
        { name: 'usual care', count: 1 },
        { name: 'plan B', count: 4, difference: { estimate: 3, low: 1, high: 6 } },
      ],
      locale,
    }),
  ).toBe('Over 1 year, in 100 people like this: 1 dies under usual care, 4 under plan B (from 1 to 6 more, middle 3 more).');
});

test.each([
  [-9, 1, 'from 1 more to 9 fewer'],
  [-9, -2, 'from 2 to 9 fewer'],
  [2, 9, 'from 2 to 9 more'],
  [-9, 0, 'from no difference to 9 fewer'],
  [-0.2, 0.3, 'no difference either way'],
])('the range %f to %f reads "%s"', (low, high, words) => {
  expect(differenceRange(low, high)).toBe(words);
});

test.each([
  [43.27, 6, 43],
  [43.27, 0.8, 43.3],
  [1834, 360, 1800],
  [0.123456, 0.004, 0.123],
])('%f within ±%f is rounded to %f', (value, halfWidth, rounded) => {
  expect(roundToDoubt(value, halfWidth)).toBeCloseTo(rounded, 10);
});

test('numbers follow the locale, with a real minus sign', () => {
  expect(formatValue(-1234.7, { halfWidth: 4, locale: 'de-DE' })).toBe('−1.235');
  expect(formatSigned(3, undefined, locale)).toBe('+3');
  expect(formatSigned(-0.0004, 9, locale)).toBe('0');
  expect(formatRange(-3, 9, { locale })).toBe('−3 to 9');
});

test('the low end of a skewed range does not round to zero', () => {
  expect(formatRange(412, 9120, { locale })).toBe('400–9,000');
});

test('a range that is not there is a dash', () => {
  expect(formatRange(Number.NaN, 3)).toBe('–');
  expect(formatValue(Number.NaN)).toBe('–');
});

test('small shares keep a digit, none becomes 0 %', () => {
  expect(plain(formatPercent(0.008, locale))).toBe('0.8 %');
  expect(plain(formatPercent(0.0001, locale))).toBe('< 0.1 %');
  expect(plain(formatPercent(0.214, locale))).toBe('21 %');
  expect(plain(formatPercentRange(0.214, 0.17, 0.268, locale))).toBe('21 % (17–27)');
});

test('moments are told from today', () => {
  expect(formatMoment(0, 0, 'years', locale)).toBe('today');
  expect(formatMoment(-2.5, 0, 'years', locale)).toBe('2.5 years ago');
  expect(formatMoment(13, 12, 'months', locale)).toBe('in 1 month');
});

test('levels are shares of simulated courses', () => {
  expect([0.5, 0.8, 0.9, 0.95].map(levelWords)).toEqual(['half', '8 in 10', '9 in 10', '95 in 100']);
});

test('crossings name each plan and say a shared denominator once', () => {
  const usual = { colour: 'usual', letter: 'U', name: 'usual care' } as const;
  const planA = { colour: 'a', letter: 'A', name: 'plan A' } as const;
  const crossed = [
    { plan: usual, count: 37, of: 100 },
    { plan: planA, count: 29, of: 100 },
  ];
  expect(crossingWords(crossed.slice(0, 1))).toBe('crossed in 37 of 100');
  expect(crossingWords(crossed)).toBe('crossed in 37 of 100 under usual care, 29 under plan A');
  expect(crossingWords(crossed, true)).toBe('crossed in U 37 of 100, A 29');
});

test('counts add up to everyone', () => {
  expect(
    countsSentence({
      name: 'plan A',
      of: 100,
      events: [
        { verb: 'die', count: 19 },
        { verb: 'start dialysis', count: 12 },
      ],
      free: 'have neither',
    }),
  ).toBe('Under plan A, of 100 people: 19 die, 12 start dialysis, 69 have neither.');
});

test('dots are counted on both sides of zero', () => {
  expect(dotSentence({ below: 43, above: 3, zero: 4 }, { below: 'fewer deaths', above: 'more deaths' })).toBe(
    'Of 50 equally likely outcomes, 43 show fewer deaths and 3 show more deaths; 4 are no different.',
  );
});

test('a fan is never summarised without its range', () => {
  const words = fanSummary({
    title: 'eGFR',
    unit: 'mL/min/1.73 m²',
    timeUnit: 'years',
    today: 0,
    end: 5,
    lastObserved: { time: -0.2, value: 42 },
    plans: [{ name: 'plan A', median: 30.4, half: [23, 38], most: { level: 0.9, low: 8, high: 48 }, members: [28, 33] }],
    supportEnds: 4,
    locale,
  });
  expect(words).toContain('half of simulated courses lie within 23–38');
  expect(words).toContain('9 in 10 within 8–48');
  expect(words).toContain('From 4 years on, the model has seen too few');
});

test('a withheld forecast says why and nothing else', () => {
  const words = fanSummary({
    title: 'eGFR',
    unit: 'mL/min',
    timeUnit: 'years',
    today: 0,
    end: 0,
    plans: [],
    withheld: 'Aged 14.',
    locale,
  });
  expect(words).toBe('eGFR in mL/min. Nothing was observed. No forecast: Aged 14.');
});

describe('what a measurement cannot resolve', () => {
  test('is not written, however narrow the spread', () => {
    expect(formatRange(1.000001, 1.00004, { most: 2, locale: 'en' })).toBe('1.00–1.00');
    expect(formatRange(2.52, 3.03, { most: 2, locale: 'en' })).toBe('2.52–3.03');
    expect(formatValue(0.00012, { halfWidth: 0.0004, most: 1, locale: 'en' })).toBe('0.0');
  });

  test('a line whose name says a number is not given another', () => {
    expect(thresholdWords('above 4', 4)).toBe('above 4');
    expect(thresholdWords('upper limit of normal', 1.2)).toBe('upper limit of normal 1.2');
  });
});

test('a line is answered with counts, and with both where of one only an edge is known', () =>
  expect(
    beyondSentence('above 6 mg/dL', 'in 3 years', 20, [
      { name: 'usual care', count: [7, 7] },
      { name: 'plan A', count: [0, 1] },
    ]),
  ).toBe('Above 6 mg/dL in 3 years: 7 of 20 under usual care, 0 or 1 under plan A.'));
