import Papa from 'papaparse';
import { array, assert, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvCell, csvText } from '#interop/export/csv.ts';

describe('a cell', () => {
  test.each([
    ['=1+1', "'=1+1"],
    ['+49 30 1234', "'+49 30 1234"],
    ['-2+3', "'-2+3"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['＝1+1', "'＝1+1"],
    ['＋1+1', "'＋1+1"],
    ['－1+1', "'－1+1"],
    ['＠A1', "'＠A1"],
    [' =1+1', "' =1+1"],
    ['\t=1', '"\'\t=1"'],
    ['\r=1', '"\'\r=1"'],
    ['\ufeff=1', "'\ufeff=1"],
  ])('%j cannot be run as a formula', (text, written) => {
    const [row] = Papa.parse<string[]>(`${csvCell(text)},x`).data;
    expect(row![0]).toBe(`'${text}`);
    if (!written.startsWith('"')) expect(csvCell(text)).toBe(written);
  });

  test.each(['-5', '+5', '-1.5e-3', '3.14'])('%s stays the number that it is', (text) => {
    expect(csvCell(text)).toBe(text);
  });

  test('numbers keep every digit; what is none is empty', () => {
    expect([0.1 + 0.2, -0.5, Number.NaN, Infinity, true, null].map(csvCell)).toEqual([
      '0.30000000000000004',
      '-0.5',
      '',
      '',
      'TRUE',
      '',
    ]);
  });

  test('any text comes back through a CSV reader as it was, or behind an apostrophe', () => {
    assert(
      property(array(string({ unit: 'grapheme' }), { minLength: 1, maxLength: 4 }), (cells) => {
        const text = csvText([], ['h'], [cells], { hasByteOrderMark: false });
        const rows = Papa.parse<string[]>(text, { newline: '\r\n', delimiter: ',' }).data;
        expect(rows[1]!.map((cell, i) => (cell === `'${cells[i]!}` ? cells[i] : cell))).toEqual(cells);
        expect(rows[1]!.some((cell) => /^[=+\-@＝＋－＠\t\r]/.test(cell) && !/^[+-]?\d/.test(cell))).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('a comment stays one line', () => {
    const text = csvText(['two\r\nlines'], ['a'], [[1]], { hasByteOrderMark: false });
    expect(text).toBe('# two lines\r\na\r\n1\r\n');
  });

  test('the mark for spreadsheets comes first unless left out', () => {
    expect(csvText([], ['a'], []).startsWith('\ufeff')).toBe(true);
  });
});
