import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
let folder: string;

function check(...paths: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', join(root, 'scripts/import-check.ts'), ...paths],
    { cwd: root, encoding: 'utf8' },
  );
  return {
    status,
    stderr,
    lines: stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'counterpart-import-'));
  writeFileSync(join(folder, 'labs.csv'), 'patient_id,date,creatinine (umol/L),BMI\n1,2023-05-01,97,27\n');
  writeFileSync(join(folder, 'empty.csv'), '');
  writeFileSync(
    join(folder, 'noise.bin'),
    Uint8Array.from({ length: 500 }, (_, i) => i % 256),
  );
  mkdirSync(join(folder, 'omop'));
  writeFileSync(join(folder, 'omop/person.csv'), 'person_id,gender_concept_id,year_of_birth\n1,8532,1948\n');
  writeFileSync(
    join(folder, 'omop/measurement.csv'),
    'person_id,measurement_concept_id,measurement_date,value_as_number,unit_concept_id\n1,3016723,2020-01-01,1.1,8840\n',
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

test('one line a file, also of refused and missing ones, and files of one model joined by folder', () => {
  const { status, lines } = check(
    ...['labs.csv', 'empty.csv', 'noise.bin', 'nothing.csv', 'omop'].map((name) => join(folder, name)),
  );
  expect(status).toBe(0);
  const line = (name: string) => lines.find(({ file }) => file.endsWith(name));
  expect(lines).toHaveLength(6);
  expect(line('labs.csv')).toMatchObject({ outcome: 'accepted', format: 'table-wide', patients: 1, code: 'unit_missing' });
  expect(line('labs.csv').kept).toMatchObject([
    { patient: '1', analyte: 'creatinine', date: '2023-05-01', unit: 'mg/dL', received: { value: '97', unit: 'umol/L' } },
  ]);
  expect(line('labs.csv').refused).toMatchObject([
    { place: 'line 2, column "BMI"', code: 'unit_missing', received: { value: '27', unit: '' } },
  ]);
  expect(line('empty.csv')).toMatchObject({ outcome: 'refused', code: 'empty' });
  expect(line('noise.bin')).toMatchObject({ outcome: 'refused', code: 'not_text' });
  expect(line('nothing.csv')).toMatchObject({ outcome: 'refused' });
  expect(line('person.csv')).toMatchObject({ joined: ['measurement.csv', 'person.csv'], patients: 1, kept: [] });
  expect(line('measurement.csv').kept).toMatchObject([{ analyte: 'creatinine', value: 1.1 }]);
});

test('no file is a usage error', () => {
  expect(check()).toMatchObject({ status: 2, lines: [] });
  expect(check('--help').status).toBe(2);
});
