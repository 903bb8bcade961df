import { describe, expect, test } from 'vitest';
import type { ColumnRole, TableMapping } from '#interop/tables/mapping.ts';
import { codes, fileOf, readAll, readOne, values } from '../../../fixtures/import/read-all.ts';

const header = 'patient_id,date,age,sex,creatinine_mg_dl,note';
const row = '1,2023-05-01,61,F,1.1,ok';

const lines = (...rows: string[]) => `${rows.join('\n')}\n`;
const withRole = (index: number, role: ColumnRole) => (suggestion: TableMapping) => ({
  ...suggestion,
  columns: suggestion.columns.map((own, i) => (i === index ? role : own)),
});

describe('a table with a unit in its header', () => {
  test('is read without a word', async () => {
    const read = await readOne('a.csv', lines(header, row));
    expect(read.summary.status).toBe('accepted');
    expect(values(read)).toEqual([['creatinine', '2023-05-01', 1.1]]);
    expect(read.people[0]).toMatchObject({
      key: '1',
      identity: { sex: 'female', identifiers: [{ system: '', value: '1' }] },
      facts: { age: '61' },
    });
    expect(read.people[0].observations[0]).toMatchObject({
      receivedValue: '1.1',
      receivedUnit: 'mg/dl',
      unit: 'mg/dL',
      place: 'line 2, column "creatinine_mg_dl"',
    });
  });

  test.each(['\n', '\r\n', '\r'])('whatever ends its lines (%j), in pieces of any length', async (end) => {
    const text = [header, '1,2023-05-01,61,F,1.1,"two\nlines, ""quoted"""', '2,2023-05-02,61,F,1.2,x', '']
      .join('\n')
      .replaceAll('\n', end);
    for (const length of [1, 7, 4096]) {
      const [read] = await readAll([fileOf('a.csv', text, length)]);
      expect(read.summary.status).toBe('accepted');
      expect(values(read)).toEqual([
        ['creatinine', '2023-05-01', 1.1],
        ['creatinine', '2023-05-02', 1.2],
      ]);
      expect(read.people[1].observations[0].place).toBe('line 4, column "creatinine_mg_dl"');
    }
  });

  test('keeps zeros in front of ids, and ids that look like numbers, apart', async () => {
    const read = await readOne('a.csv', lines(header, ...['007', '7', '1E5', '100000'].map((id) => row.replace('1,', `${id},`))));
    expect(read.people.map(({ key }) => key)).toEqual(['007', '7', '1E5', '100000']);
  });

  test('keeps formulas and markup as text', async () => {
    const read = await readOne(
      'a.csv',
      lines(header.replace('note', 'diagnosis'), '1,2023-05-01,61,F,1.1,=HYPERLINK(1)', '2,2023-05-01,61,F,1.1,<svg onload=x>'),
    );
    expect(read.summary.status).toBe('accepted');
    expect(read.people.map(({ facts }) => facts.diagnosis)).toEqual(['=HYPERLINK(1)', '<svg onload=x>']);
  });
});

describe('headers', () => {
  const quantity = async (title: string) => {
    const { group } = await readOne('a.csv', lines(`id;patient;date;${title}`, 'x;1;2023-05-01;1.5').replaceAll(';', '\t'));
    const role = group.table!.suggestion.columns[3];
    return role.kind === 'quantity' ? [role.analyte, role.unit] : role.kind;
  };
  test.each([
    ['HbA1c (%)', ['hba1c', '%']],
    ['HbA1c [mmol/mol]', ['hba1c', 'mmol/mol']],
    ['Total Chol (mg/dL)', ['cholesterol', 'mg/dL']],
    ['glucose_mmol_l', ['glucose', 'mmol/l']],
    ['Kreatinin (µmol/l)', ['creatinine', 'µmol/l']],
    ['Gewicht in kg', ['weight', 'kg']],
    ['Hémoglobine (g/L)', ['haemoglobin', 'g/L']],
    ['Potasio, mmol/L', ['potassium', 'mmol/L']],
    ['BMI', ['bmi', '']],
    ['weight_kg', ['weight', 'kg']],
    ['zip', [null, '']],
    ['Creatinine (furlongs)', [null, '']],
    ['Creatinine (urine)', [null, '']],
  ])('%s', async (title, expected) => expect(await quantity(title)).toEqual(expected));

  test.each([
    ['Patientennummer;Geburtsdatum;Geschlecht;Entnahmedatum;Analyse;Ergebnis;Einheit'],
    ['numéro patient;date de naissance;sexe;date de prélèvement;paramètre;résultat;unité'],
    ['patiëntnummer;geboortedatum;geslacht;afnamedatum;bepaling;uitslag;eenheid'],
    ['número paciente;fecha de nacimiento;sexo;fecha de toma;prueba;resultado;unidad'],
    ['MRN;DOB;Gender;Collection Date;Test Name;Result;Units'],
  ])('%s', async (titles) => {
    const read = await readOne('a.csv', lines(titles, '17;12.03.1950;m;01.05.2023;Creatinine;1,1;mg/dl'));
    expect(read.group.table!.suggestion.columns.map(({ kind }) => kind)).toEqual([
      'patient',
      'birth-date',
      'sex',
      'date',
      'analyte',
      'value',
      'unit',
    ]);
    expect(values(read)).toEqual([['creatinine', '2023-05-01', 1.1]]);
    expect(read.people[0].identity).toMatchObject({ birthDate: '1950-03-12', sex: 'male' });
    expect(codes(read)).toEqual(['decimal_comma']);
  });

  test('that are there twice are told, and neither column is read', async () => {
    const read = await readOne('a.csv', lines('patient_id,date,creatinine (mg/dL),creatinine (mg/dL)', '1,2023-05-01,1.1,9.9'));
    expect(codes(read)).toContain('header_duplicate');
    expect(values(read)).toEqual([]);
  });

  test('that are parts of every object are told and left out', async () => {
    const read = await readOne('a.csv', lines('__proto__,constructor,age', '1,2,61'));
    expect(read.summary.status).toBe('warned');
    expect(codes(read)).toContain('header_forbidden');
    expect(({} as Record<string, unknown>).age).toBeUndefined();
    expect(read.people[0].facts).toEqual({ age: '61' });
  });

  test('that are missing do not swallow the first row', async () => {
    const read = await readOne('a.csv', lines('A1,2023-05-01,1.1', 'A2,2023-05-02,1.2'), {
      mapping: (suggestion) => ({
        ...suggestion,
        columns: [{ kind: 'patient' }, { kind: 'date', order: null }, { kind: 'quantity', analyte: 'creatinine', unit: 'mg/dL' }],
      }),
    });
    expect(read.group.table!.suggestion.reading.hasHeader).toBe(false);
    expect(values(read)).toEqual([
      ['creatinine', '2023-05-01', 1.1],
      ['creatinine', '2023-05-02', 1.2],
    ]);
  });

  test('come after titles and comments', async () => {
    const read = await readOne('a.csv', lines('Export of 1 May 2023', '# made by hand, twice', '', header, row));
    expect(values(read)).toEqual([['creatinine', '2023-05-01', 1.1]]);
    expect(read.people[0].observations[0].place).toMatch(/^line 5/);
  });
});

describe('what a person has to say', () => {
  test('a comma is a decimal mark where one cell proves it, and it is to be confirmed', async () => {
    const read = await readOne(
      'a.csv',
      `\ufeffpatient_id;date;creatinine_mg_dl\n1;01.05.2023;1,1\n2;01.05.2023;1,234\n3;01.05.2023;1.234,5\n`,
    );
    expect(values(read).map(([, , value]) => value)).toEqual([1.1, 1.234, 'value_impossible']);
    expect(codes(read)).toContain('decimal_comma');
    expect(read.group.table!.questions).toMatchObject([{ code: 'decimal_comma', isOpen: false }]);
  });

  test('where commas may be thousands nothing is read until it is said', async () => {
    const text = lines('patient_id\tdate\tplatelets (/uL)', '1\t2023-05-01\t210,000', '2\t2023-05-01\t95,000');
    const open = await readOne('a.tsv', text);
    expect(values(open).map(([, , value]) => value)).toEqual(['decimal_comma', 'decimal_comma']);
    expect(open.group.table!.questions).toMatchObject([{ code: 'decimal_comma', isOpen: true }]);
    const said = await readOne('a.tsv', text, { mapping: (suggestion) => ({ ...suggestion, decimalMark: '.' }) });
    expect(values(said).map(([, , value]) => value)).toEqual([210, 95]);
  });

  test('both marks in one table leave the table unread where they matter', async () => {
    const read = await readOne('a.csv', lines('patient_id;date;creatinine_mg_dl', '1;2023-05-01;1,1', '2;2023-05-01;1.2'));
    expect(values(read).map(([, , value]) => value)).toEqual(['decimal_comma', 1.2]);
  });

  test('one date proves the order of its column, and the order is told', async () => {
    const read = await readOne(
      'a.csv',
      lines(header, row.replace('2023-05-01', '01/02/2023'), row.replace('2023-05-01', '13/02/2023')),
    );
    expect(values(read).map(([, date]) => date)).toEqual(['2023-02-01', '2023-02-13']);
    expect(codes(read)).toEqual(['date_order_ambiguous']);
  });

  test('without proof, or with proof of both, dates stay unread until an order is chosen', async () => {
    const text = lines(header, row.replace('2023-05-01', '01/02/2023'), row.replace('2023-05-01', '03/04/2023'));
    const open = await readOne('a.csv', text);
    expect(values(open).map(([, date, value]) => [date, value])).toEqual([
      [null, 'date_order_ambiguous'],
      [null, 'date_order_ambiguous'],
    ]);
    const said = await readOne('a.csv', text, { mapping: withRole(1, { kind: 'date', order: 'mdy' }) });
    expect(values(said).map(([, date]) => date)).toEqual(['2023-01-02', '2023-03-04']);
    const both = await readOne(
      'a.csv',
      lines(header, row.replace('2023-05-01', '13/02/2023'), row.replace('2023-05-01', '02/13/2023')),
    );
    expect(values(both).map(([, , value]) => value)).toEqual(['date_order_ambiguous', 'date_order_ambiguous']);
  });

  test('a proof far down counts for the first row', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `${i},05/06/2023,61,F,1.1,x`);
    const read = await readOne('a.csv', lines(header, ...rows, '20001,05/13/2023,61,F,1.1,x'));
    expect(values(read)[0]).toEqual(['creatinine', '2023-05-06', 1.1]);
  });

  test('a column without a unit is kept as received until one is chosen', async () => {
    const text = lines('patient_id,date,BMI', '1,2023-05-01,27.8');
    const open = await readOne('a.csv', text);
    expect(values(open)).toEqual([['bmi', '2023-05-01', 'unit_missing']]);
    expect(open.people[0].observations[0]).toMatchObject({ receivedValue: '27.8', receivedUnit: '', value: null });
    const said = await readOne('a.csv', text, { mapping: withRole(2, { kind: 'quantity', analyte: 'bmi', unit: 'kg/m2' }) });
    expect(values(said)).toEqual([['bmi', '2023-05-01', 27.8]]);
  });

  test('tokens of "no value" are never zero, and -999 is asked about', async () => {
    const tokens = ['NA', '', '.', '-', 'NULL', 'NaN', '#N/A', 'n.d.', '-999'];
    const text = lines('patient_id,date,creatinine (mg/dL)', ...tokens.map((token) => `1,2023-05-01,${token}`));
    const read = await readOne('a.csv', text);
    expect(values(read)).toEqual([['creatinine', '2023-05-01', 'missing_token']]);
    expect(read.people[0].observations[0].receivedValue).toBe('-999');
    const said = await readOne('a.csv', text, { mapping: (suggestion) => ({ ...suggestion, missing: ['-999'] }) });
    expect(values(said)).toEqual([]);
    expect(said.group.table!.questions).toMatchObject([{ code: 'missing_token', token: '-999', isOpen: true }]);
  });

  test('a table without a column for people is one person, and that is told', async () => {
    const read = await readOne('a.csv', lines('date,glucose (mg/dL)', '2023-05-01,100', '2023-05-02,110'));
    expect(read.people).toHaveLength(1);
    expect(codes(read)).toEqual(['no_patient']);
  });
});

describe('long tables', () => {
  const long = (...rows: string[]) => lines('patient_id,collected_at,loinc,test,value,unit', ...rows);

  test('codes match at once and units are converted', async () => {
    const read = await readOne(
      'a.csv',
      long(
        '1,2012-02-21T03:15:25+00:00,14682-9,Creatinine,97,umol/L',
        '1,2012-02-22 14:05,2345-7,Glucose,"5,4",mmol/L'.replace('"5,4"', '5.4'),
      ),
    );
    expect(read.summary.status).toBe('accepted');
    const [first, second] = read.people[0].observations;
    expect(first).toMatchObject({
      date: '2012-02-21',
      time: '03:15',
      instant: Date.UTC(2012, 1, 21, 3, 15, 25),
      receivedUnit: 'umol/L',
      unit: 'mg/dL',
    });
    expect(first.value).toBeCloseTo(97 / 88.4, 10);
    expect(second.value).toBeCloseTo(5.4 * 18.016, 10);
  });

  test.each([
    ['<0.5', 0.5, '<'],
    ['≤ 0.5', 0.5, '<'],
    ['>1000', 'value_impossible', '>'],
  ] as const)('%s is a limit', async (text, value, comparator) => {
    const read = await readOne('a.csv', long(`1,2012-02-21,2160-0,Creatinine,${text},mg/dL`));
    expect(values(read)[0][2]).toBe(value);
    expect(read.people[0].observations[0]).toMatchObject({ comparator, receivedValue: text });
    expect(read.people[0].observations[0].doubts).toContain('value_censored');
  });

  test('a comparator of its own column counts', async () => {
    const read = await readOne(
      'a.csv',
      lines('patient_id,date,loinc,comparator,value,unit', '1,2012-02-21,2160-0,<,0.5,mg/dL', '1,2012-02-22,2160-0,=,0.7,mg/dL'),
    );
    expect(read.people[0].observations.map(({ comparator, value }) => [comparator, value])).toEqual([
      ['<', 0.5],
      [null, 0.7],
    ]);
  });

  test.each([
    ['haemolysed', 'mg/dL', 'value_not_a_number'],
    ['#DIV/0!', 'mg/dL', 'value_not_a_number'],
    ['1.1', '', 'unit_missing'],
    ['1.1', 'furlong', 'unit_unknown'],
    ['1.1', 'mm[Hg]', 'unit_contradicts'],
    ['1.1 umol/L', 'mg/dL', 'unit_contradicts'],
    ['', 'mg/dL', 'value_absent'],
    ['NA', 'mg/dL', 'value_absent'],
    ['-999', 'mg/dL', 'missing_token'],
    ['-1.1', 'mg/dL', 'value_impossible'],
  ])('%s %s is kept as received: %s', async (text, unit, problem) => {
    const read = await readOne('a.csv', long(`1,2012-02-21,2160-0,Creatinine,${text},${unit}`));
    expect(values(read)).toEqual([['creatinine', '2012-02-21', problem]]);
    expect(read.people[0].observations[0]).toMatchObject({ receivedValue: text, receivedUnit: unit, value: null, unit: '' });
    expect(codes(read)).toContain(problem === 'value_absent' && text === 'NA' ? 'missing_token' : problem);
  });

  test('a code that is not known is not replaced by the name beside it', async () => {
    const read = await readOne('a.csv', long('1,2012-02-21,2161-8,Creatinine,80,mg/dL'));
    expect(values(read)).toEqual([['Creatinine', '2012-02-21', 'analyte_unknown']]);
  });

  test('names without codes match exactly, with a unit that fits', async () => {
    const text = lines('patient_id,date,test,value,unit', '1,2012-02-21,Kreatinin,97,µmol/l', '1,2012-02-21,Wunderwert,5,mg/dL');
    const read = await readOne('a.csv', text);
    expect(values(read).map(([name]) => name)).toEqual(['creatinine', 'Wunderwert']);
    expect(values(read)[1][2]).toBe('analyte_unknown');
    const said = await readOne('a.csv', text, {
      mapping: (suggestion) => ({
        ...suggestion,
        names: [
          ...suggestion.names.filter(({ name }) => name !== 'Wunderwert'),
          { name: 'Wunderwert', analyte: 'crp', unit: '' },
        ],
      }),
    });
    expect(values(said)[1]).toEqual(['crp', '2012-02-21', 50]);
  });

  test('what was sampled is part of the name unless it is blood', async () => {
    const text = lines(
      'patient_id,date,test,specimen,value,unit',
      '1,2012-02-21,Creatinine,Serum,1.1,mg/dL',
      '1,2012-02-22,Creatinine,Urine,80,mg/dL',
    );
    const read = await readOne('a.csv', text);
    expect(values(read)).toEqual([
      ['creatinine', '2012-02-21', 1.1],
      ['Creatinine, Urine', '2012-02-22', 'analyte_unknown'],
    ]);
    expect(read.group.table!.names.map(({ name }) => name)).toEqual(['Creatinine', 'Creatinine, Urine']);
  });

  test('values before birth, in the future, and twice', async () => {
    const text = lines(
      'patient_id,birth date,date,loinc,value,unit',
      '1,1980-05-01,1979-01-01,2160-0,1.1,mg/dL',
      '1,1980-05-01,2030-01-01,2160-0,1.1,mg/dL',
      '1,1980-05-01,2020-01-01,2160-0,1.1,mg/dL',
      '1,1980-05-01,2020-01-01,2160-0,1.1,mg/dL',
      '1,1980-05-01,,2160-0,1.1,mg/dL',
    );
    const read = await readOne('a.csv', text);
    expect(read.people[0].observations.map(({ date, doubts, problem }) => [date, ...doubts, problem])).toEqual([
      [null, 'date_missing', null],
      ['1979-01-01', 'before_birth', null],
      ['2020-01-01', null],
      ['2020-01-01', 'duplicate_value'],
      ['2030-01-01', 'date_in_future', null],
    ]);
  });

  test('birth dates in the future, too long ago, or different from row to row are not kept', async () => {
    for (const [dates, code] of [
      [['2031-01-01'], 'birth_in_future'],
      [['1850-01-01'], 'age_implausible'],
      [['1950-01-01', '1951-01-01'], 'id_duplicate'],
      [['1950-02-30'], 'date_impossible'],
    ] as const) {
      const read = await readOne(
        'a.csv',
        lines('patient_id,birth date,date,loinc,value,unit', ...dates.map((date) => `1,${date},2020-01-01,2160-0,1.1,mg/dL`)),
      );
      expect(codes(read)).toContain(code);
      expect(read.people[0].identity.birthDate).toBeUndefined();
    }
  });
});

describe('rows that do not fit', () => {
  test('are told by line, kept as received and never shifted', async () => {
    const read = await readOne(
      'a.csv',
      lines(header, '1,2023-05-01,61,F,1.1', '2,2023-05-01,61,F,1.1,x,extra', '3,2023-05-01,61,F,1.1,x,', row),
    );
    expect(read.summary.notices.map(({ code, place }) => [code, place])).toEqual([
      ['row_ragged', 'line 2'],
      ['row_ragged', 'line 3'],
    ]);
    expect(values(read).map(([, , value]) => value)).toEqual(['row_ragged', 1.1, 'row_ragged', 1.1]);
  });

  test('a row without a person is left out and told', async () => {
    const read = await readOne('a.csv', lines(header, ',2023-05-01,61,F,1.1,x', row));
    expect(codes(read)).toEqual(['patient_unknown']);
    expect(read.people).toHaveLength(1);
  });

  test.each([
    [lines(header, '1,2023-05-01,61,F,1.1,"oops', row)],
    [lines(header, '1,2023-05-01,61,F,1.1,"oops', '2,2023-05-01,61,F,1.1,"x"')],
    [`${header}\n1,2023-05-01,61,F,1.1,"`],
  ])('a quote that is never closed refuses the file', async (text) => {
    const read = await readOne('a.csv', text);
    expect(read.group.refusal?.code).toBe('quote_unterminated');
    expect(read.people).toEqual([]);
  });

  test('an open quote over megabytes is refused before it fills the memory', async () => {
    const read = await readOne('a.csv', `${header}\n1,"${'x'.repeat(12_000_000)}`);
    expect(read.group.refusal?.code).toBe('quote_unterminated');
    const wide = await readOne('a.csv', `${header}\n1,${'x'.repeat(12_000_000)}`);
    expect(wide.group.refusal?.code).toBe('too_large');
  });
});

describe('encodings', () => {
  const bytes = (text: string, bigEndian: boolean) => {
    const array = new Uint8Array(text.length * 2);
    const view = new DataView(array.buffer);
    [...text].forEach((letter, i) => view.setUint16(i * 2, letter.charCodeAt(0), !bigEndian));
    return array;
  };
  const text = lines('patient_id,name,date,creatinine_mg_dl', '1,Müller,2023-05-01,1.1');

  test.each([
    ['UTF-16LE', bytes(`\ufeff${text}`, false)],
    ['UTF-16BE', bytes(`\ufeff${text}`, true)],
    ['UTF-16LE without a mark', bytes(text, false)],
    ['Latin-1', Uint8Array.from(text, (letter) => letter.charCodeAt(0))],
  ])('%s is read, and that it is not UTF-8 is told', async (_, content) => {
    for (const length of [1, 5, 4096]) {
      const [read] = await readAll([fileOf('a.csv', content, length)]);
      expect(read.people[0].identity.name).toBe('Müller');
      expect(values(read)).toEqual([['creatinine', '2023-05-01', 1.1]]);
      expect(codes(read)).toEqual(['encoding_guessed']);
    }
  });

  test('UTF-8 needs no word', async () => {
    const [read] = await readAll([fileOf('a.csv', text, 3)]);
    expect(read.people[0].identity.name).toBe('Müller');
    expect(read.summary.status).toBe('accepted');
  });
});

describe('files of other kinds', () => {
  const ascii = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  test.each([
    ['', 'empty'],
    ['\ufeff', 'empty'],
    ['just a sentence without a table', 'format_unknown'],
    ['<?xml version="1.0"?><Patient/>', 'is_xml'],
    ['%PDF-1.7 …', 'format_unknown'],
    [`${'HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!'}`, 'format_unknown'],
    ['{"format":"counterpart-run/1"}', 'format_unknown'],
  ])('%j is refused', async (text, code) => {
    const read = await readOne('a.csv', text);
    expect(read.group.refusal?.code ?? read.summary.code).toBe(code);
    expect(read.people).toEqual([]);
  });

  test('images, archives and noise are refused', async () => {
    const dicom = new Uint8Array(400);
    dicom.set(ascii('DICM'), 128);
    const nifti = new Uint8Array(400);
    nifti.set([0x5c, 1, 0, 0]);
    nifti.set(ascii('n+1'), 344);
    for (const [content, code] of [
      [dicom, 'format_unknown'],
      [nifti, 'format_unknown'],
      [ascii('\x1f\x8b\x08'), 'format_unknown'],
      [ascii('\xd0\xcf\x11\xe0'), 'spreadsheet_unreadable'],
      [ascii('PK\x03\x04 nothing else'), 'spreadsheet_unreadable'],
      [Uint8Array.from({ length: 2000 }, (_, i) => (i * 37) % 256), 'not_text'],
    ] as const) {
      expect((await readOne('x', content)).group.refusal?.code).toBe(code);
    }
  });

  test('a table with a header and no rows is taken with a warning', async () => {
    const read = await readOne('a.csv', `${header}\n`);
    expect(read.summary).toMatchObject({ status: 'warned', code: 'no_rows', patientCount: 0 });
  });
});

describe('a column of codes', () => {
  const table = lines(
    'patient,loinc,test,date,value,unit',
    '1,2160-0,Creatinine,2023-05-01,1.1,mg/dL',
    '1,99999-9,Strange,2023-05-01,5,mg/dL',
    '1,6301-6,,2023-05-01,2.3,',
    '1,2823-3,Potassium,2023-05-01,4.1,',
  );

  test('shows what each code names, and what the rows call it', async () => {
    const { group } = await readOne('a.csv', table);
    expect(group.table!.names).toEqual([
      { name: '2160-0', count: 1, units: ['mg/dL'], label: 'Creatinine', byCode: 'creatinine' },
      { name: '2823-3', count: 1, units: [], label: 'Potassium', byCode: 'potassium' },
      { name: '6301-6', count: 1, units: [], label: '', byCode: 'inr' },
      { name: '99999-9', count: 1, units: ['mg/dL'], label: 'Strange', byCode: null },
    ]);
    // A pure number needs no unit, and a code that is known no mapping.
    expect(group.table!.questions.map(({ code, token }) => [code, token])).toEqual([
      ['unit_missing', '2823-3'],
      ['analyte_unknown', '99999-9'],
    ]);
    expect(group.table!.suggestion.names).toEqual([{ name: '99999-9', analyte: null, unit: '' }]);
  });

  test('gives a unit to a code, and lets a person overrule one', async () => {
    const said =
      (name: string, analyte: string | null, unit = '') =>
      (suggestion: TableMapping) => ({
        ...suggestion,
        names: [...suggestion.names, { name, analyte, unit }],
      });
    const withUnit = await readOne('a.csv', table, { mapping: said('2823-3', 'potassium', 'mmol/L') });
    expect(values(withUnit)).toContainEqual(['potassium', '2023-05-01', 4.1]);
    const overruled = await readOne('a.csv', table, { mapping: said('2160-0', 'glucose') });
    expect(values(overruled)[0]).toEqual(['glucose', '2023-05-01', 1.1]);
    expect(overruled.people[0].observations[0].concept).toMatchObject({ codings: [], label: 'Creatinine' });
    const refused = await readOne('a.csv', table, { mapping: said('2160-0', null) });
    expect(values(refused)[0]).toEqual(['Creatinine', '2023-05-01', 'analyte_unknown']);
  });
});

describe('tables as they come', () => {
  test('with titles above, blank rows of separators, and a last line', async () => {
    const read = await readOne(
      'a.csv',
      lines('Labor Musterstadt;;;;', 'Befund vom 05.04.2023;;;;', ';;;;', 'Pat-Nr;Datum;Test;Wert;Einheit', '7;05.04.2023;GPT (ALT);35;U/l', ';;;;', 'Ende der Liste;;;;'), // prettier-ignore
    );
    expect(values(read)).toEqual([['alt', '2023-04-05', 35]]);
    expect(read.people.map(({ key }) => key)).toEqual(['7']);
    expect(read.summary.notices).toMatchObject([{ code: 'value_absent', place: 'line 7' }]);
  });

  test('whose measurements stand under "name": nobody is called Creatinine', async () => {
    const read = await readOne('a.csv', lines('patient,date,name,value,unit', '1,2023-05-01,Creatinine,1.1,mg/dL', '2,2023-05-01,Potassium,4.1,mmol/L')); // prettier-ignore
    expect(values(read)).toEqual([
      ['creatinine', '2023-05-01', 1.1],
      ['potassium', '2023-05-01', 4.1],
    ]);
    expect(read.people.map(({ identity }) => identity.name)).toEqual([undefined, undefined]);
  });

  test('with the bare number beside the result: the limit counts; the day of sampling, not of the order', async () => {
    const read = await readOne('a.csv', lines('patient,result date,collection date,test,numeric result,result,unit', '1,2023-05-04,2023-05-01,CRP,5,<5,mg/L')); // prettier-ignore
    expect(read.people[0].observations).toMatchObject([{ value: 5, comparator: '<', date: '2023-05-01', receivedValue: '<5' }]);
  });

  test('with two numbers in a cell: kept as received, not as a fact of the person', async () => {
    const read = await readOne('a.csv', lines('patient,date,BP,weight (kg)', '1,2023-05-01,120/80,80', '1,2023-05-02,130/85,81'));
    expect(values(read)).toContainEqual(['BP', '2023-05-01', 'value_not_a_number']);
    expect(values(read)).toContainEqual(['BP', '2023-05-02', 'value_not_a_number']);
  });

  test('whose rows give one person different facts: said, never silent', async () => {
    const read = await readOne('a.csv', lines('patient,date,treatment,weight (kg)', '1,2023-05-01,A,80', '1,2023-05-02,B,81'));
    expect(read.people[0].facts).toEqual({});
    expect(read.summary.notices).toMatchObject([{ code: 'id_duplicate', place: 'column "treatment"' }]);
  });

  test('with dates as headers: the person is told to turn it', async () => {
    const { group } = await readOne('a.csv', lines('Test,Unit,2023-01-05,2023-02-05', 'Creatinine,mg/dL,1.1,1.2'));
    expect(group.table!.questions.map(({ code }) => code)).toContain('column_unmapped');
  });

  test('with shares that a spreadsheet holds as fractions: never a saturation of one per cent', async () => {
    const read = await readOne('a.csv', lines('patient,date,SpO2 (%),LVEF (%)', '1,2023-05-01,0.97,0.55'));
    expect(values(read).map(([, , value]) => value)).toEqual(['value_impossible', 'value_impossible']);
  });

  test.each([
    ['Thrombozyten', '250', '/nl', 250],
    ['Thrombozyten', '250', 'Tsd./µl', 250],
    ['Erythrozyten', '4.5', '/pl', 4.5],
    ['Erythrozyten', '4.5', 'Mio/µl', 4.5],
    ['HbA1c (IFCC)', '55', 'mmol/mol', 7.1834],
    ['Hemoglobin A1c', '7.2', '% of total Hgb', 7.2],
    ['Harnsäure', '5.6', 'mg/dl', 5.6],
  ])('%s of %s %s', async (name, value, unit, expected) => {
    const read = await readOne(
      'a.csv',
      lines('patient\tdatum\ttest\twert\teinheit', `1\t2023-05-01\t${name}\t${value}\t${unit}`),
    );
    expect(values(read)[0][2]).toBeCloseTo(expected, 4);
  });
});
