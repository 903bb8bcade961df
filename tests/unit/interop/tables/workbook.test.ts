import { describe, expect, test } from 'vitest';
import { openFiles } from '#interop/read-file.ts';
import { fileOf, noPacing, readOne, values } from '../../../fixtures/import/read-all.ts';
import { packed, workbook } from '../../../fixtures/import/workbook.ts';
import { workbookParts, type Cell } from '../../../fixtures/import/workbook-parts.ts';

const rows: readonly (readonly Cell[])[] = [
  ['Patient ID', 'Date', 'Creatinine (mg/dL)', 'Glucose (mg/dL)', 'Diagnosis'],
  ['007', { date: 45047 }, 1.1, '95', { formula: 'A1', result: '=SUM(A1)' }],
  ['7', { date: 45048.59375 }, { error: '#DIV/0!' }, '5,4', null],
  ['8', '01.05.2023', 1.1000000000000001, null, null],
];

describe('a workbook', () => {
  test('gives the rows of its sheet; dates, numbers as text, formulas and error cells included', async () => {
    const read = await readOne('labs.xlsx', workbook([{ name: 'Labs', rows }]));
    expect(read.group.table).toMatchObject({ sheets: ['Labs'], rowCount: 3 });
    expect(read.people.map(({ key }) => key)).toEqual(['007', '7', '8']);
    expect(values(read)).toEqual([
      ['creatinine', '2023-05-01', 1.1],
      ['glucose', '2023-05-01', 95],
      ['creatinine', '2023-05-02', 'value_not_a_number'],
      // Numbers have points here, and this text a comma: nobody knows what it means.
      ['glucose', '2023-05-02', 'decimal_comma'],
      ['creatinine', '2023-05-01', 1.1],
    ]);
    expect(read.people[1].observations[0]).toMatchObject({
      time: '14:15',
      receivedValue: '#DIV/0!',
      place: 'sheet "Labs", row 3, column "Creatinine (mg/dL)"',
    });
    expect(read.people[0].facts).toEqual({ Diagnosis: '=SUM(A1)' });
  });

  test('of the 1904 system has its dates four years and a day later', async () => {
    const read = await readOne('labs.xlsx', workbook([{ name: 'Labs', rows: rows.slice(0, 2) }], { is1904: true }));
    expect(read.people[0].observations[0].date).toBe('2027-05-02');
  });

  test('with a cover of sentences is read by the sheet that has a table, and says so', async () => {
    const cover = [['Exported by the laboratory'], ['on the first of May']];
    const [open] = await openFiles([fileOf('labs.xlsx', workbook([{ name: 'Cover', rows: cover }, { name: 'Labs', rows }]))], noPacing); // prettier-ignore
    expect(open.group.table!.suggestion.reading.sheet).toBe('Labs');
    expect(open.group.notices).toMatchObject([{ code: 'resource_unread', place: 'sheet "Labs"' }]);
  });

  test('of several sheets is read by the first with rows, until another is chosen', async () => {
    const content = workbook([
      { name: 'Cover', rows: [] },
      { name: 'Labs', rows },
      { name: 'More', rows: [rows[0], ['9', { date: 45047 }, 2.2, null, null]] },
    ]);
    const [open] = await openFiles([fileOf('labs.xlsx', content)], noPacing);
    expect(open.group.table).toMatchObject({ sheets: ['Cover', 'Labs', 'More'], suggestion: { reading: { sheet: 'Labs' } } });
    const again = await open.look({ ...open.group.table!.suggestion.reading, sheet: 'More' }, noPacing);
    const staged = await again.stage(
      { group: 0, mapping: again.group.table!.suggestion, confirmed: [], today: '2026-01-01' },
      noPacing,
    );
    expect(staged.take('9', 0, 10)).toMatchObject([{ value: 2.2 }]);
  });
});

describe('archives that are refused', () => {
  const parts = workbookParts([{ name: 'Labs', rows }]);
  const refusal = async (content: Uint8Array) => (await readOne('labs.xlsx', content)).group.refusal?.code;
  const sheet = parts.find(({ name }) => name.includes('sheet1'))!;

  test('cut off, changed, doubled, encrypted', async () => {
    const whole = packed(parts);
    for (let length = 60; length < whole.length; length += 97)
      expect(await refusal(whole.subarray(0, length))).toBe('spreadsheet_unreadable');
    expect(await refusal(packed([...parts, sheet]))).toBe('spreadsheet_unreadable');
    expect(await refusal(packed(parts.map((part) => ({ ...part, flags: 1 }))))).toBe('spreadsheet_unreadable');
    expect(await refusal(packed(parts.map((part) => (part === sheet ? { ...part, crc: 1 } : part))))).toBe(
      'spreadsheet_unreadable',
    );
  });

  test('that unpack to more than they say, or to far too much', async () => {
    const zeros = { name: 'xl/worksheets/sheet1.xml', bytes: new Uint8Array(32 * 1024 * 1024) };
    const others = parts.filter((part) => part !== sheet);
    expect(await refusal(packed([...others, zeros]))).toBe('too_large');
    expect(await refusal(packed([...others, { ...zeros, claimedSize: 1000 }]))).toBe('spreadsheet_unreadable');
    expect(await refusal(packed([...others, { ...sheet, claimedSize: 200 * 1024 * 1024 }]))).toBe('too_large');
  });

  test('with a cell so far out that the gap would fill the memory', async () => {
    const far = (at: string, row: string) =>
      workbook([
        {
          name: 'Labs',
          rows: [],
          xml: `<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="${row}"><c r="${at}"><v>1</v></c></row></sheetData></worksheet>`,
        },
      ]);
    expect(await refusal(far('A999999999', '999999999'))).toBe('too_large');
    expect(await refusal(far('XFD2', '2'))).toBe('too_large');
  });

  test('with parts that are no XML, or that are no workbook', async () => {
    expect(
      await refusal(
        packed(
          parts.map((part) =>
            part === sheet ? { ...part, bytes: new TextEncoder().encode('<worksheet><sheetData><row') } : part,
          ),
        ),
      ),
    ).toBeDefined();
    expect(await refusal(packed([{ name: 'pack.json', bytes: new Uint8Array(10) }]))).toBe('format_unknown');
    expect(
      await refusal(
        packed([{ name: 'mimetype', bytes: new TextEncoder().encode('application/vnd.oasis.opendocument.spreadsheet') }]),
      ),
    ).toBe('spreadsheet_unreadable');
    expect(await refusal(packed([]))).toBe('format_unknown');
  });
});
