import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newProfile, openBrowser, removeProfile, rendererBytes, sleep } from '../browser.ts';
import type { TortureCase } from '../case.ts';
import type { Driver } from '../driver/main.ts';

declare const driver: Driver;

const mostTaskMs = 200;
const mostCancelMs = 1000;
const mostMiB = 512;

const analytes = [
  { loinc: '2160-0', label: 'Creatinine', unit: 'mg/dL', low: 0.6, span: 1.4 },
  { loinc: '2345-7', label: 'Glucose', unit: 'mg/dL', low: 70, span: 90 },
  { loinc: '718-7', label: 'Hemoglobin', unit: 'g/dL', low: 10, span: 6 },
  { loinc: '777-3', label: 'Platelets', unit: '10*3/uL', low: 120, span: 250 },
  { loinc: '1975-2', label: 'Bilirubin', unit: 'mg/dL', low: 0.3, span: 2 },
];

/** Row i of a ward's export: who, what, when, and a value that follows from i. */
function measured(i: number, patients: number) {
  const analyte = analytes[i % analytes.length]!;
  const day = new Date(Date.UTC(2010, 0, 1 + (Math.floor(i / patients) % 5000))).toISOString().slice(0, 10);
  const value = (analyte.low + analyte.span * (((i * 7919) % 1000) / 1000)).toFixed(2);
  return { ...analyte, patient: `P${String(i % patients).padStart(5, '0')}`, day, value };
}

function writeLines(file: string, lines: Iterable<string>): void {
  const handle = openSync(file, 'w');
  let batch: string[] = [];
  const flush = () => {
    writeSync(handle, batch.join(''));
    batch = [];
  };
  for (const line of lines) {
    batch.push(`${line}\n`);
    if (batch.length === 10_000) flush();
  }
  flush();
  closeSync(handle);
}

function* tableLines(rows: number): Generator<string> {
  yield 'patient_id,loinc,test,value,unit,date';
  for (let i = 0; i < rows; i++) {
    const { patient, loinc, label, value, unit, day } = measured(i, 2000);
    yield `${patient},${loinc},${label},${value},${unit},${day}`;
  }
}

function* resourceLines(resources: number): Generator<string> {
  const patients = 1000;
  for (let p = 0; p < patients; p++) {
    const id = `P${String(p).padStart(5, '0')}`;
    yield JSON.stringify({ resourceType: 'Patient', id, gender: 'female', birthDate: `${1930 + (p % 60)}-05-17` });
  }
  for (let i = 0; i < resources - patients; i++) {
    const { patient, loinc, label, value, unit, day } = measured(i, patients);
    yield JSON.stringify({
      resourceType: 'Observation',
      id: `o${i}`,
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: loinc, display: label }], text: label },
      subject: { reference: `Patient/${patient}` },
      effectiveDateTime: `${day}T08:30:00+00:00`,
      valueQuantity: { value: Number(value), unit, system: 'http://unitsofmeasure.org', code: unit },
    });
  }
}

export const largeFiles: TortureCase = {
  name: 'large-files',
  must: '1,000,000-row CSV, 200,000-resource NDJSON: no task over 200 ms on the page, progress, cancel within 1 s, memory below 512 MiB',
  // Thousands of rows of the table; a fifth of it is the number of resources.
  times: { short: 50, long: 1000 },
  limitSeconds: 120,
  async run({ driverUrl, times, progress }) {
    const failures: string[] = [];
    const figures: Record<string, number> = {};
    const folder = mkdtempSync(join(tmpdir(), 'counterpart-large-'));
    const rows = times * 1000;
    const files = [
      { name: 'table.csv', wanted: rows, lines: tableLines(rows) },
      { name: 'bulk.ndjson', wanted: rows / 5 - 1000, lines: resourceLines(rows / 5) },
    ];
    try {
      for (const [at, { name, wanted, lines }] of files.entries()) {
        progress(at, files.length, name);
        const path = join(folder, name);
        writeLines(path, lines);
        const profile = newProfile();
        const context = await openBrowser(profile);
        try {
          const page = await context.newPage();
          await page.goto(driverUrl);
          await page.locator('input[type=file]').setInputFiles(path);
          await sleep(500);
          await page.evaluate(() => void driver.longTasks());
          let mostBytes = 0;
          const meter = setInterval(() => (mostBytes = Math.max(mostBytes, rendererBytes(profile))), 100);
          const read = await page.evaluate(() => driver.readChosen());
          clearInterval(meter);
          const longest = Math.max(0, ...(await page.evaluate(() => driver.longTasks())));
          const cancelMs = await page.evaluate(() => driver.cancelChosen());
          const kind = name.split('.')[1]!;
          figures[`${kind}Seconds`] = Number((read.ms / 1000).toFixed(1));
          figures[`${kind}LongestTaskMs`] = Math.round(longest);
          figures[`${kind}PeakMiB`] = Math.round(mostBytes / 2 ** 20);
          figures[`${kind}CancelMs`] = Math.round(cancelMs);
          if (read.kept !== wanted) failures.push(`${name}: ${read.kept} values kept of ${wanted}; ${read.message}`);
          if (read.reports < 3) failures.push(`${name}: progress was told ${read.reports} times`);
          if (longest > mostTaskMs) failures.push(`${name}: a task of ${Math.round(longest)} ms on the page`);
          if (cancelMs > mostCancelMs)
            failures.push(`${name}: ${Math.round(cancelMs)} ms until the worker was free after a cancel`);
          if (mostBytes > mostMiB * 2 ** 20) failures.push(`${name}: ${Math.round(mostBytes / 2 ** 20)} MiB of memory`);
        } finally {
          await context.close();
          removeProfile(profile);
        }
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
    return { tried: files.length, failures, figures };
  },
};
