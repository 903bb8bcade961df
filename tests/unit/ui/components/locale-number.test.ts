import { expect, test } from 'vitest';
import { formatForEditing, parseLocaleNumber } from '#ui/components/locale-number.ts';

test.each([
  ['5.4', 'en-GB', 5.4],
  ['1,234.5', 'en-GB', 1234.5],
  ['1 234.5', 'en-GB', 1234.5],
  ['−3', 'en-GB', -3],
  ['.5', 'en-GB', 0.5],
  ['5,4', 'de-DE', 5.4],
  ['1.234,5', 'de-DE', 1234.5],
  ['5.4', 'de-DE', 5.4],
  ['5,4', 'en-GB', 5.4],
  ['1’234.5', 'de-CH', 1234.5],
])('"%s" in %s is %f', (text, locale, value) => {
  expect(parseLocaleNumber(text, locale)).toBe(value);
});

test.each([
  ['about 5', 'en-GB'],
  ['5.4.1', 'en-GB'],
  ['1,2345', 'en-GB'],
  ['4-5', 'en-GB'],
  ['<5', 'en-GB'],
])('"%s" in %s is no number, and is not guessed', (text, locale) => {
  expect(parseLocaleNumber(text, locale)).toBeNaN();
});

test('nothing typed is nothing, not zero', () => {
  expect(parseLocaleNumber('  ')).toBeNull();
  expect(formatForEditing(null)).toBe('');
});

test('what is shown for editing reads back as itself', () => {
  for (const locale of ['en-GB', 'de-DE', 'fr-FR', 'de-CH']) {
    for (const value of [1234.5, -0.25, 6000000]) expect(parseLocaleNumber(formatForEditing(value, locale), locale)).toBe(value);
  }
});
