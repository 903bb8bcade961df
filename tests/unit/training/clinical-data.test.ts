import { describe, expect, test } from 'vitest';
import { eventOf, idsOfSplit, lastValue, readClinicalData, readRows, valueAt } from '#training/clinical-data.ts';
import { ClinicalDataError, parseCsv } from '#training/csv.ts';
import { writeFolder, type FolderText } from '../../fixtures/synthetic-clinical.ts';

const good: FolderText = {
  'subjects.csv': 'id,split,age,note\n007,train,51.5,"quiet, ""well"""\nb,test,,\n',
  'visits.csv': 'id,time,variable,value\n007,30,bili,2\n007,0,bili,1.5\n007,0,albumin,\n007,30,bili,4\n',
  'events.csv': 'id,event,time,status\n007,death,400,1\nb,death,12.5,0\n',
};

const read = (changes: Partial<FolderText> = {}) => readClinicalData(writeFolder({ ...good, ...changes } as FolderText));

describe('CSV', () => {
  test('quoted fields may hold commas, quotes and line breaks, and rows know their line', () => {
    const table = parseCsv('\uFEFFa,b\r\n"x,\r\n""y""",2\r\n3,4', 't.csv');
    expect(table.columns).toEqual(['a', 'b']);
    expect(table.rows).toEqual([
      { line: 2, fields: ['x,\r\n"y"', '2'] },
      { line: 4, fields: ['3', '4'] },
    ]);
  });

  test.each([
    ['', 't.csv is empty'],
    ['a,a\n', "column 'a' appears twice"],
    ['a,\n', 'column 2 has no name'],
    ['a,b\n1\n', 't.csv, row 2: 1 fields. Expected 2'],
    ['a,b\n1,"2\n', 't.csv, row 2: a quoted field is not closed'],
    ['a,b\n1,2"\n', 't.csv, row 2: a quote inside an unquoted field'],
    ['a,b\n1,"2"x\n', 't.csv, row 2: text after a closing quote'],
  ])('%j is refused with its place', (text, message) => {
    expect(() => parseCsv(text, 't.csv')).toThrow(message);
    expect(() => parseCsv(text, 't.csv')).toThrow(ClinicalDataError);
  });
});

describe('a clinical folder', () => {
  test('is read into persons, visits in time and events; an empty field is missing and an id stays text', () => {
    const data = read();
    expect([...data.subjects.keys()]).toEqual(['007', 'b']);
    expect(data.subjects.get('007')).toEqual({ id: '007', split: 'train', age: 51.5, note: 'quiet, "well"' });
    expect(data.subjects.get('b')).toMatchObject({ age: null, note: null });
    expect(data.visits.get('007')!.map((visit) => visit.time)).toEqual([0, 30]);
    expect(data.visits.get('b')).toEqual([]);
    expect(valueAt(data, '007', 'albumin', 0)).toBeUndefined();
    expect(eventOf(data, '007', 'death')).toEqual({ event: 'death', time: 400, happened: true });
    expect(eventOf(data, 'b', 'transplant')).toBeUndefined();
    expect(idsOfSplit(data, 'test')).toEqual(['b']);
  });

  test('a variable given twice at one time counts as its mean, and the last value looks back', () => {
    const data = read();
    expect(valueAt(data, '007', 'bili', 30)).toBe(3);
    expect(lastValue(data, '007', 'bili', 29)).toBe(1.5);
    expect(lastValue(data, '007', 'bili', -1)).toBeUndefined();
  });

  test.each([
    [{ 'visits.csv': 'id,time,variable,value\nx,0,bili,1\n' }, "visits.csv, row 2, column 'id': 'x' is not in subjects.csv"],
    [{ 'visits.csv': 'id,time,variable,value\nb,0,bili,high\n' }, "visits.csv, row 2, column 'value': not a number"],
    [{ 'visits.csv': 'id,time,value\n' }, "visits.csv has no column 'variable'"],
    [{ 'events.csv': 'id,event,time,status\nb,death,3,2\n' }, "events.csv, row 2, column 'status': not 0 (censored) or 1"],
    [{ 'events.csv': 'id,event,time,status\nb,death,-3,1\n' }, "column 'time': before entry"],
    [{ 'subjects.csv': 'id\n007\nb\n007\n' }, "subjects.csv, row 4, column 'id': '007' appears twice"],
  ])('%j is refused with its place', (changes, message) => {
    expect(() => read(changes as Partial<FolderText>)).toThrow(message);
  });

  test('a file that is missing and a column that must be numeric are named', () => {
    const { 'events.csv': _, ...rest } = good;
    expect(() => readClinicalData(writeFolder(rest))).toThrow(/events\.csv is missing/);
    const folder = writeFolder({ ...good, 'subjects.csv': 'id,age\n007,old\nb,3\n' });
    expect(() => readClinicalData(folder, { numericColumns: ['age'] })).toThrow("row 2, column 'age': not a number");
    expect(() => readClinicalData(folder, { numericColumns: ['weight'] })).toThrow("no column 'weight'. Found id, age.");
    expect(readRows(`${folder}/subjects.csv`)[1]).toEqual({ id: 'b', age: '3' });
  });
});
