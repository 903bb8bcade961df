import { describe, expect, test } from 'vitest';
import { codes, fileOf, readAll, values } from '../../../fixtures/import/read-all.ts';

const lines = (...rows: string[]) => `${rows.join('\n')}\n`;

const person = fileOf(
  'person.csv',
  lines(
    'person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,person_source_value,gender_source_value',
    '1,8532,1948,6,14,A-1,female',
    '2,8507,1932,6,,A-2,male',
    '3,0,1976,,,A-3,unknown',
  ),
);
const measurement = (...rows: string[]) =>
  fileOf(
    'measurement.csv',
    lines(
      'measurement_id,person_id,measurement_concept_id,measurement_date,measurement_datetime,operator_concept_id,value_as_number,unit_concept_id,measurement_source_value,unit_source_value,value_source_value',
      ...rows.map((row, i) => `${i + 1},${row}`),
    ),
  );

describe('OMOP', () => {
  test('tables given together are one import, joined on person_id', async () => {
    const [read, ...others] = await readAll([
      measurement('1,3016723,2012-02-21,2012-02-21 03:15:25,,1.1,8840,,,', '2,0,2012-02-21,,,97,0,14682-9,umol/L,97'),
      person,
      fileOf(
        'condition_occurrence.csv',
        lines(
          'condition_occurrence_id,person_id,condition_concept_id,condition_start_date,condition_end_date,condition_source_value',
          '1,1,201826,2011-01-01,,E11',
        ),
      ),
      fileOf(
        'drug_exposure.csv',
        lines(
          'drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,quantity,days_supply,drug_source_value',
          '1,2,0,2012-01-01,30,30,316049',
        ),
      ),
      fileOf(
        'observation.csv',
        lines(
          'observation_id,person_id,observation_concept_id,observation_date,value_as_number,value_as_string,observation_source_value',
          '1,1,0,2012-01-01,,never,smoking',
        ),
      ),
      fileOf('death.csv', lines('person_id,death_date', '2,2012-01-15')),
      fileOf('visit_occurrence.csv', lines('visit_occurrence_id,person_id,visit_concept_id', '1,1,9201')),
    ]);
    expect(others).toEqual([]);
    expect(read.group).toMatchObject({
      format: 'omop',
      files: [
        { part: 'measurement' },
        { part: 'person' },
        { part: 'condition_occurrence' },
        { part: 'drug_exposure' },
        { part: 'observation' },
        { part: 'death' },
        { part: 'other' },
      ],
    });
    expect(values(read)).toEqual([
      ['creatinine', '2012-02-21', 1.1],
      ['creatinine', '2012-02-21', expect.closeTo(97 / 88.4, 10)],
    ]);
    const [first, second, third] = ['1', '2', '3'].map((key) => read.people.find((one) => one.key === key)!);
    expect(first.identity).toEqual({
      birthDate: '1948-06-14',
      sex: 'female',
      identifiers: [
        { system: '', value: '1' },
        { system: '', value: 'A-1' },
      ],
    });
    expect(second.identity).toMatchObject({ birthDate: '1932-06', sex: 'male' });
    expect(third.identity).toMatchObject({ birthDate: '1976', sex: 'unknown' });
    expect(second.deceasedOn).toBe('2012-01-15');
    expect(second.observations[0]).toMatchObject({ doubts: ['after_death'], place: 'measurement.csv line 3' });
    expect(first.background.map(({ kind, label, date }) => [kind, label, date])).toEqual([
      ['condition', 'E11', '2011-01-01'],
      ['observation', 'smoking', '2012-01-01'],
    ]);
    expect(second.background).toMatchObject([
      { kind: 'medication', label: '316049', detail: 'quantity 30, days of supply 30', source: { file: 'drug_exposure.csv' } },
    ]);
    expect(codes(read).toSorted()).toEqual(['after_death', 'resource_unread']);
  });

  test.each([
    [
      'a comparator by its concept',
      '1,3016723,2012-02-21,,4171756,0.5,8840,,,',
      { comparator: '<', value: 0.5, receivedValue: '<0.5' },
    ],
    [
      'a comparator in the source alone',
      '1,3016723,2012-02-21,,,0.5,8840,,,<0.5',
      { comparator: '<', value: 0.5, receivedValue: '<0.5' },
    ],
    ['comparators that differ', '1,3016723,2012-02-21,,4172704,0.5,8840,,,<0.5', { value: null, problem: 'value_not_a_number' }],
    ['units that differ', '1,3016723,2012-02-21,,,97,8840,,umol/L,', { value: null, problem: 'unit_contradicts' }],
    ['codes that differ', '1,3016723,2012-02-21,,,97,8840,2345-7,,', { value: null, problem: 'analyte_unknown' }],
    ['a concept that is not known', '1,3999999,2012-02-21,,,97,8840,xyz,,', { value: null, problem: 'analyte_unknown' }],
    ['no unit', '1,3016723,2012-02-21,,,97,0,,,', { value: null, problem: 'unit_missing' }],
    ['no value', '1,3016723,2012-02-21,,,,8840,,,', { value: null, problem: 'value_absent' }],
    ['no date', '1,3016723,,,,1.1,8840,,,', { value: 1.1, date: null, doubts: ['date_missing'] }],
  ])('%s', async (_, row, expected) => {
    const [read] = await readAll([measurement(row)]);
    expect(read.people[0].observations).toMatchObject([expected]);
  });

  test('a code that a person named once is read', async () => {
    const files = [measurement('1,0,2012-02-21,,,97,0,KREA,umol/L,')];
    const [open] = await readAll(files);
    expect(open.summary.unknown).toMatchObject([{ system: '', code: 'KREA', count: 1, units: ['umol/L'] }]);
    const [said] = await readAll(files, { confirmed: [{ system: '', code: 'krea ', analyte: 'creatinine' }] });
    expect(values(said)).toEqual([['creatinine', '2012-02-21', expect.closeTo(97 / 88.4, 10)]]);
  });

  test('people who are in no person table are told', async () => {
    const [read] = await readAll([person, measurement('9,3016723,2012-02-21,,,1.1,8840,,,')]);
    expect(codes(read)).toEqual(['patient_unknown']);
  });
});

const lb = (...rows: string[]) =>
  fileOf(
    'lb.csv',
    lines(
      'STUDYID,DOMAIN,USUBJID,LBTESTCD,LBTEST,LBSPEC,LBLOINC,LBORRES,LBORRESU,LBSTRESC,LBSTRESN,LBSTRESU,LBSTAT,LBDTC',
      ...rows.map((row) => `S,LB,${row}`),
    ),
  );

describe('SDTM', () => {
  test('domains given together are one import, joined on USUBJID', async () => {
    const [read] = await readAll([
      fileOf(
        'dm.csv',
        lines(
          'STUDYID,DOMAIN,USUBJID,BRTHDTC,AGE,SEX,ARM,DTHDTC',
          'S,DM,S-1,1950-05,73,M,Placebo,',
          'S,DM,S-2,,61,F,Active,2024-01-01',
        ),
      ),
      lb('S-1,CREAT,Creatinine,SERUM,,97,umol/L,97,97,umol/L,,2023-05-01T08:30'),
      fileOf(
        'vs.csv',
        lines(
          'DOMAIN,USUBJID,VSTESTCD,VSTEST,VSORRES,VSORRESU,VSSTRESC,VSSTRESN,VSSTRESU,VSDTC',
          'VS,S-1,WEIGHT,Weight,180,LB,81.6,81.6,kg,2023-05-01',
          'VS,S-2,SYSBP,Systolic Blood Pressure,121,mmHg,,,,2023-05-01T08',
        ),
      ),
      fileOf(
        'ae.csv',
        lines('DOMAIN,USUBJID,AETERM,AEDECOD,AESEV,AESTDTC,AEENDTC', 'AE,S-2,head ache,Headache,MILD,2023-05-02,2023-05-03'),
      ),
      fileOf(
        'ex.csv',
        lines(
          'DOMAIN,USUBJID,EXTRT,EXDOSE,EXDOSU,EXDOSFRQ,EXROUTE,EXSTDTC,EXENDTC',
          'EX,S-2,METFORMIN,500,mg,BID,ORAL,2023-05-01,2023-05-28',
          'EX,S-2,VANCOMYCIN,1000,mg,ONCE,INTRAVENOUS DRIP,2023-05-01T08:00,2023-05-01T09:30',
          'EX,S-2,METFORMIN,500,mg,BID,ORAL,2023-06-01,',
          'EX,S-2,METFORMIN,500,,QD,ORAL,2023-07-01,2023-07-10',
        ),
      ),
    ]);
    expect(read.group.files.map(({ part }) => part)).toEqual(['DM', 'LB', 'VS', 'AE', 'EX']);
    expect(values(read)).toEqual([
      ['weight', '2023-05-01', 81.6],
      ['creatinine', '2023-05-01', expect.closeTo(97 / 88.4, 10)],
      ['systolic-blood-pressure', '2023-05-01', 121],
    ]);
    const [one, two] = read.people;
    expect(one).toMatchObject({
      key: 'S-1',
      identity: { birthDate: '1950-05', sex: 'male' },
      facts: { age: '73', arm: 'Placebo' },
    });
    expect(two.deceasedOn).toBe('2024-01-01');
    expect(two.doses).toMatchObject([
      {
        label: 'METFORMIN',
        amount: 500,
        unit: 'mg',
        route: 'oral',
        everyHours: 12,
        start: '2023-05-01',
        stop: '2023-05-28',
        count: null,
      },
      { label: 'VANCOMYCIN', route: 'iv-infusion', durationHours: 1.5, count: 1, time: '08:00' },
    ]);
    expect(two.background.map(({ kind, label }) => [kind, label])).toEqual([
      ['condition', 'Headache'],
      ['medication', 'METFORMIN'],
      ['medication', 'METFORMIN'],
    ]);
  });

  test.each([
    [
      'a limit',
      'S-1,CREAT,Creatinine,SERUM,,<0.1,mg/dL,<0.1,,mg/dL,,2023-05-01',
      { value: 0.1, comparator: '<', receivedValue: '<0.1' },
    ],
    [
      'a limit beside its number',
      'S-1,CREAT,Creatinine,SERUM,,<0.1,mg/dL,<0.1,0.1,mg/dL,,2023-05-01',
      { value: 0.1, comparator: '<' },
    ],
    [
      'a number beside another one',
      'S-1,CREAT,Creatinine,SERUM,,1.1,mg/dL,1.1,97,umol/L,,2023-05-01',
      { value: null, problem: 'value_not_a_number' },
    ],
    [
      'results as collected only',
      'S-1,CREAT,Creatinine,SERUM,,97,umol/L,,,,,2023-05-01',
      { value: expect.closeTo(97 / 88.4, 10), receivedUnit: 'umol/L' },
    ],
    [
      'creatinine in urine',
      'S-1,CREAT,Creatinine,URINE,,80,mg/dL,80,80,mg/dL,,2023-05-01',
      { value: null, problem: 'analyte_unknown' },
    ],
    ['a LOINC code before the test code', 'S-1,XYZ,Creatinine,,2160-0,1.1,mg/dL,1.1,1.1,mg/dL,,2023-05-01', { value: 1.1 }],
    [
      'a date without a day',
      'S-1,CREAT,Creatinine,,,1.1,mg/dL,1.1,1.1,mg/dL,,2023-05',
      { value: 1.1, date: '2023-05', doubts: ['date_partial'] },
    ],
    ['a date without a month', 'S-1,CREAT,Creatinine,,,1.1,mg/dL,1.1,1.1,mg/dL,,2023---15', { value: 1.1, date: '2023' }],
  ])('%s', async (_, row, expected) => {
    const [read] = await readAll([lb(row)]);
    expect(read.people[0].observations).toMatchObject([expected]);
  });

  test('a test that was not done is no value', async () => {
    const [read] = await readAll([lb('S-1,CREAT,Creatinine,,,,,,,,NOT DONE,2023-05-01')]);
    expect(values(read)).toEqual([]);
    expect(codes(read)).toEqual(['value_absent']);
  });
});

test('bulk NDJSON files given together are one import, each with its own lines', async () => {
  const [read, ...others] = await readAll([
    fileOf(
      'Observation.000.ndjson',
      `${JSON.stringify({ resourceType: 'Observation', id: 'o', status: 'final', code: { coding: [{ system: 'http://loinc.org', code: '2160-0' }] }, subject: { reference: 'Patient/p' }, effectiveDateTime: '2020-01-01', valueQuantity: { value: 1.1, unit: 'mg/dL' } })}\nnot json`,
      11,
    ),
    fileOf('Patient.000.ndjson', `{"resourceType":"Patient","id":"p","gender":"male"}\n{`, 11),
  ]);
  expect(others).toEqual([]);
  expect(values(read)).toEqual([['creatinine', '2020-01-01', 1.1]]);
  expect(read.people[0].identity.sex).toBe('male');
  expect(read.summary.notices.map(({ place }) => place)).toEqual(['Observation.000.ndjson line 2', 'Patient.000.ndjson line 2']);
});
