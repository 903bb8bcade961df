import { describe, expect, test } from 'vitest';
import { markEvidence, orderEvidence, readDate, readNumber, readTime } from '#interop/tables/cells.ts';

const value = (text: string, mark: '.' | ',' | null) => {
  const read = readNumber(text, mark);
  return typeof read === 'string' ? read : read.value;
};

describe('numbers', () => {
  test.each([
    ['1.1', '.', 1.1],
    ['1.1', ',', 'value_not_a_number'],
    ['1,1', ',', 1.1],
    ['1,1', '.', 'value_not_a_number'],
    ['1,1', null, 'decimal_comma'],
    ['1,234', '.', 1234],
    ['1,234', ',', 1.234],
    ['1,234', null, 'decimal_comma'],
    ['1.234', null, 'decimal_comma'],
    ['1.5', null, 1.5],
    ['1.234,5', ',', 1234.5],
    ['1,234.5', '.', 1234.5],
    ['1,234,567', '.', 1234567],
    ['12,34', '.', 'value_not_a_number'],
    ["1'234.5", '.', 1234.5],
    ['1 234,5', ',', 1234.5],
    ['1\u202f234,5', ',', 1234.5],
    ['0.5e1', '.', 5],
    ['1E5', '.', 100_000],
    ['1e999', '.', 'number_overflow'],
    ['+3', '.', 3],
    ['−3', '.', -3],
    ['.5', '.', 0.5],
    [',5', ',', 0.5],
    ['3 - 5', '.', 'value_not_a_number'],
    ['haemolysed', '.', 'value_not_a_number'],
    ['1.2.3', '.', 'value_not_a_number'],
    ['5,4,3', ',', 'value_not_a_number'],
    ['Infinity', '.', 'value_not_a_number'],
    ['0x10', '.', 'value_not_a_number'],
    ['', '.', 'value_not_a_number'],
    ['.', ',', 'value_not_a_number'],
    ['2023-05-01', '.', 'value_not_a_number'],
    ['~5', '.', 'value_not_a_number'],
  ] as const)('%s with %s is %s', (text, mark, expected) => expect(value(text, mark)).toBe(expected));

  test.each([
    ['<0.5', '<', 0.5],
    ['< 0.5', '<', 0.5],
    ['≤0.5', '<', 0.5],
    ['>=1000', '>', 1000],
    ['> 1,000', '>', 1000],
  ] as const)('%s is a limit', (text, comparator, number) => {
    expect(readNumber(text, '.')).toEqual({ value: number, comparator, unit: '' });
  });

  test('a unit behind the number is kept apart from it', () => {
    expect(readNumber('5.4 mmol/L', '.')).toEqual({ value: 5.4, comparator: null, unit: 'mmol/L' });
    expect(readNumber('6.5%', '.')).toEqual({ value: 6.5, comparator: null, unit: '%' });
  });

  test.each([
    ['1,5', 'comma'],
    ['0,123', 'comma'],
    ['1.234,5', 'comma'],
    ['1.5', 'point'],
    ['1234.567', 'point'],
    ['1,234.5', 'point'],
    ['1,234,567', 'point'],
    ['1.234.567', 'comma'],
    ['1,234', 'maybeComma'],
    ['1.234', 'maybePoint'],
    ['12', null],
    ['x', null],
  ] as const)('%s says %s of the decimal mark', (text, mark) => expect(markEvidence(text)).toBe(mark));
});

describe('dates', () => {
  const date = (text: string, order: 'dmy' | 'mdy' | null = null) => {
    const read = readDate(text, order);
    return typeof read === 'string' ? read : [read.date, read.time].filter(Boolean).join(' ');
  };
  test.each([
    ['2023-05-01', '2023-05-01'],
    ['2023-05', '2023-05'],
    ['2023', '2023'],
    ['2023/5/1', '2023-05-01'],
    ['20230501', '2023-05-01'],
    ['202305011405', '2023-05-01 14:05'],
    ['01.05.2023', '2023-05-01'],
    ['21.02.2012 03:15', '2012-02-21 03:15'],
    ['1.5.2023, 14:05 Uhr', '2023-05-01 14:05'],
    ['05/2023', '2023-05'],
    ['01MAY2023', '2023-05-01'],
    ['1-Mai-2023', '2023-05-01'],
    ['1 août 2023', '2023-08-01'],
    ['12. März 2023', '2023-03-12'],
    ['May 1, 2023', '2023-05-01'],
    ['2023-05-01T14:05:30.123Z', '2023-05-01 14:05'],
    ['2023-05-01 2:05 PM', '2023-05-01 14:05'],
    ['2023-05-01 12:05 AM', '2023-05-01 00:05'],
    ['2023-02-30', 'date_impossible'],
    ['31.04.2023', 'date_impossible'],
    ['2023-13-01', 'date_impossible'],
    ['2023-05-01 25:00', 'date_impossible'],
    ['01/02/2023', 'date_order_ambiguous'],
    ['01/02/23', 'date_order_ambiguous'],
    ['yesterday', 'date_impossible'],
    ['45000', 'date_impossible'],
  ])('%s is %s', (text, expected) => expect(date(text)).toBe(expected));

  test('the order that was chosen decides, and only that', () => {
    expect(date('01/02/2023', 'dmy')).toBe('2023-02-01');
    expect(date('01/02/2023', 'mdy')).toBe('2023-01-02');
    expect(date('13/02/2023', 'mdy')).toBe('date_impossible');
  });

  test('a zone gives an instant', () => {
    expect(readDate('2012-02-21T03:15:25+02:00', null)).toMatchObject({
      time: '03:15',
      instant: Date.UTC(2012, 1, 21, 1, 15, 25),
    });
    expect(readDate('2012-02-21 03:15:25', null)).toMatchObject({ instant: null });
    expect(readTime('14:05-05:30')).toMatchObject({ zone: -330 });
  });

  test.each([
    ['13/02/2023', 'dmy'],
    ['02/13/2023', 'mdy'],
    ['01/02/2023', 'either'],
    ['13.02.2023', null],
    ['32/02/2023', null],
  ])('%s says %s of the order', (text, order) => expect(orderEvidence(text)).toBe(order));
});
