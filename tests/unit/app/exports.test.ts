import { assert, asyncProperty, constantFrom, nat } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limitsOf } from '#app/export/exports.svelte.ts';
import type { ExportFile, Exports, RunKind } from '#app/export/exports.svelte.ts';
import type { PatientRecord } from '#domain/record.ts';
import { pageOf } from '../../fixtures/export-page.ts';
import { dosedRun, learnedRun, token } from '../../fixtures/exported-runs.ts';
import type { MadeRun } from '../../fixtures/exported-runs.ts';

const kinds: readonly RunKind[] = ['run', 'forecast-csv', 'run-fhir', 'run-fhir-courses'];
const all = async (exports: Exports, record: PatientRecord, isWithIdentity: boolean): Promise<ExportFile[]> => {
  const made = [];
  for (const kind of kinds) {
    made.push(await exports.run(kind, { isWithIdentity }));
    expect(exports.failure).toBe(null);
  }
  made.push(
    await exports.records([record.id], 'record-csv', { isWithIdentity }),
    await exports.records([record.id], 'record-fhir', { isWithIdentity }),
  );
  expect(exports.failure).toBe(null);
  return made.map((one) => one!);
};

/** Stands for the first key of an object. */
const first = '*';

function setAt(root: unknown, path: readonly (string | number)[], value: unknown): void {
  let at = root as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) at = at[key === first ? Object.keys(at)[0]! : key] as typeof at;
  at[path.at(-1)!] = value;
}

describe.each([
  ['learned', learnedRun],
  ['dosed', dosedRun],
])('a run of a %s pack', (_, make) => {
  const whole = make();

  test('no de-identified export holds any of the tokens planted in its text fields, nor a true date', async () => {
    const made = await whole;
    const { exports } = await pageOf(made);
    const planted = JSON.stringify([made.record, made.plans]).match(/Zq\w+?Xv/g)!;
    expect(new Set(planted).size).toBeGreaterThanOrEqual(32);
    const dates = [...new Set(JSON.stringify([made.record, made.now]).match(/\d{4}-\d{2}-\d{2}/g)!)];
    for (const { name, text } of await all(exports, made.record, false)) {
      expect(text.match(/Zq\w+?Xv/g), name).toBe(null);
      expect(name).not.toContain('Zq');
      for (const date of dates) expect(text, name).not.toContain(date);
      expect(text, name).not.toContain('2026-11-23');
    }
  });

  test('with identity the names are in, and the log says so', async () => {
    const made = await whole;
    const { exports, noted } = await pageOf(made);
    const files = await all(exports, made.record, true);
    expect(files[0]!.text).toContain(token('name'));
    expect(files[4]!.text).toContain(token('alias'));
    for (const { name } of files) expect(name).not.toContain('Zq');
    const exported = noted.filter(({ action }) => action === 'export');
    expect(exported).toHaveLength(6);
    for (const one of exported) {
      expect(one.detail).toContain('with identity');
      expect(one.patientId).toBe(made.record.id);
    }
  });

  test('a de-identified run opens again, and what it gives then is the same bytes', async () => {
    const made = await whole;
    const first = await pageOf(made);
    const file = (await first.exports.run('run', { isWithIdentity: false }))!;
    const second = await pageOf(null, { packs: [made.pack] });
    expect(await second.exports.open(new TextEncoder().encode(file.text))).toBe(true);
    expect(second.forecast.forecast!.plans.map(({ markers }) => markers)).toEqual(
      made.forecast.plans.map(({ markers }) => markers),
    );
    expect(second.forecast.stale).toEqual([]);
    expect((await second.exports.run('run', { isWithIdentity: false }))!.text).toBe(file.text);
    // Nothing was put back that had been taken out.
    expect((await second.exports.run('run', { isWithIdentity: true }))!.text).toBe(file.text);
  });

  test('a run with identity opens again to the record that it was made from', async () => {
    const made = await whole;
    const first = await pageOf(made);
    const file = (await first.exports.run('run', { isWithIdentity: true }))!;
    const second = await pageOf(null, { packs: [] });
    expect(await second.exports.open(new TextEncoder().encode(file.text))).toBe(true);
    expect(second.forecast.record).toEqual(made.record);
    expect(second.forecast.forecast).toEqual(JSON.parse(JSON.stringify(made.forecast)));
    expect((await second.exports.run('run', { isWithIdentity: true }))!.text).toBe(file.text);
  });

  test('where another build of the pack is installed, the picture keeps the words of the file', async () => {
    const made = await whole;
    const first = await pageOf(made);
    const file = (await first.exports.run('run', { isWithIdentity: false }))!;
    const other = { ...made.pack, digest: 'e'.repeat(64), manifest: { ...made.pack.manifest, version: '2.0.0', title: 'Other' } };
    const second = await pageOf(null, { packs: [other] });
    expect(await second.exports.open(new TextEncoder().encode(file.text))).toBe(true);
    expect(second.forecast.pack?.digest).toBe(made.pack.digest);
    expect(second.forecast.pack?.manifest.title).toBe(made.pack.manifest.title);
    expect(second.forecast.opened?.forecast.pack.version).toBe('1.0.0');
  });

  test('the hash does not depend on how far dates were moved', async () => {
    const made = await whole;
    const hashes = await Promise.all(
      [1, 99].map(async (seed) => {
        const { exports } = await pageOf(made, { seed });
        const run = JSON.parse((await exports.run('run', { isWithIdentity: false }))!.text);
        return [run.inputsHash, run.now];
      }),
    );
    expect(hashes[0]![0]).toBe(hashes[1]![0]);
    expect(hashes[0]![1]).not.toBe(hashes[1]![1]);
  });

  test.each<[what: string, path: readonly (string | number)[], value: unknown]>([
    ['a number', ['forecast', 'plans', 0, 'eventFree', 0], 1.5],
    ['a seed', ['forecast', 'run', 'seed'], 999],
    ['a covariate', ['record', 'covariates', 'age'], 40],
    ['a plan', ['forecast', 'plans', 1, 'plan', 'blocks'], [{ intervention: 'x', startDay: 0, stopDay: 5 }]],
    ['a time', ['forecast', 'timesDays', 1], 0],
    ['a band', ['forecast', 'plans', 0, 'markers', first, 'bands', 0, 'low', 1], 1e9],
    ['a median', ['forecast', 'plans', 0, 'markers', first, 'median', 1], 1],
    ['the pack', ['manifest', 'version'], '9.0.0'],
    ['the notice', ['notice'], 'Measured.'],
    ['simulated', ['simulated'], false],
    ['the format', ['format'], 'counterpart-run/2'],
    ['an extra field', ['script'], 'x'],
    ['a date', ['forecast', 'today'], '2026-02-30'],
  ])('a file with another value for %s is refused and nothing changes', async (_what, path, value) => {
    const made = await whole;
    const page = await pageOf(made);
    const run = JSON.parse((await page.exports.run('run', { isWithIdentity: false }))!.text);
    setAt(run, path, value);
    const second = await pageOf(null, { packs: [made.pack] });
    expect(await second.exports.open(new TextEncoder().encode(JSON.stringify(run)))).toBe(false);
    expect(second.exports.failure?.code).toMatch(/^(run_invalid|pack_)/);
    expect(second.forecast.forecast).toBe(null);
  });
});

test('no mutant of a run crashes the reader, and none that says something else is opened', async () => {
  const made = await learnedRun();
  const { exports } = await pageOf(made);
  const { text } = (await exports.run('run', { isWithIdentity: false }))!;
  const bytes = new TextEncoder().encode(text);
  const second = await pageOf(null, { packs: [made.pack] });
  let opened = 0;
  await assert(
    asyncProperty(
      nat(bytes.length - 1),
      constantFrom('flip', 'cut', 'digit', 'repeat', 'drop'),
      nat(255),
      async (at, kind, by) => {
        const mutant = mutated(bytes, at, kind, by);
        const isOpened = await second.exports.open(mutant);
        if (!isOpened) {
          expect(second.exports.failure?.code).toMatch(/^(run_invalid|pack_|model_)/);
          return;
        }
        opened++;
        // Blanks and the like: what it says is the same.
        expect(JSON.parse(new TextDecoder().decode(mutant))).toEqual(JSON.parse(text));
      },
    ),
    { numRuns: 300 },
  );
  expect(opened).toBeLessThan(100);
}, 60_000);

function mutated(bytes: Uint8Array, at: number, kind: string, by: number): Uint8Array {
  if (kind === 'cut') return bytes.slice(0, at);
  if (kind === 'drop') return Uint8Array.of(...bytes.slice(0, at), ...bytes.slice(at + 1 + (by % 40)));
  if (kind === 'repeat') return Uint8Array.of(...bytes.slice(0, at + 1), ...bytes.slice(at));
  const copy = bytes.slice();
  if (kind === 'flip') copy[at] = copy[at]! ^ (1 << (by % 8));
  // The next digit becomes another one: still JSON, and another number.
  else
    for (let i = at; i < copy.length; i++)
      if (copy[i]! >= 48 && copy[i]! <= 57) return copy.fill(48 + ((copy[i]! - 47) % 10), i, i + 1);
  return copy;
}

test.each([
  ['nothing', ''],
  ['another object', '{"format":"x"}'],
  ['half a file', '{"format":"counterpart-run/1",'],
  ['a key twice', '{"format":"counterpart-run/1","format":"counterpart-run/2"}'],
  ['a prototype', '{"format":"counterpart-run/1","__proto__":{"simulated":true}}'],
  ['a deep file', `{"format":"counterpart-run/1","manifest":${'['.repeat(100_000)}`],
  ['an overflow', '{"format":"counterpart-run/1","rollouts":1e999}'],
])('%s is no run', async (_, text) => {
  const { exports, forecast } = await pageOf(null);
  expect(await exports.open(new TextEncoder().encode(text))).toBe(false);
  expect(exports.failure?.code).toBe('run_invalid');
  expect(forecast.record).toBe(null);
});

test('bytes that are no text are no run', async () => {
  const { exports } = await pageOf(null);
  expect(await exports.open(new Uint8Array([0xff, 0xfe, 0x00]))).toBe(false);
  expect(exports.failure?.code).toBe('run_invalid');
});

test('without a forecast there is nothing to export, and it is said', async () => {
  const { exports } = await pageOf(null);
  expect(await exports.run('run', { isWithIdentity: false })).toBe(null);
  expect(exports.failure?.code).toBe('export_failed');
});

test('an age above 89 leaves as 90', async () => {
  const young = await learnedRun();
  const made: MadeRun = {
    ...young,
    record: { ...young.record, covariates: { ...young.record.covariates, age: 93 } },
    forecast: {
      ...young.forecast,
      fit: {
        ...young.forecast.fit,
        inputs: young.forecast.fit.inputs.map((one) => (one.id === 'age' ? { ...one, value: '93 a' } : one)),
      },
    },
  };
  const { exports } = await pageOf(made);
  const files = await all(exports, made.record, false);
  const run = JSON.parse(files[0]!.text);
  expect(run.record.covariates.age).toBe(90);
  expect(run.record.identity).toBeUndefined();
  expect(run.forecast.fit.inputs.find(({ id }: { id: string }) => id === 'age').value).toBe('90 or above a');
  for (const { text } of files) expect(text).not.toMatch(/(?<![.\d])93(?: a\b|,a\b)/);
});

test('a plan outside the evidence says so in every export: run, CSV, FHIR, pictures', async () => {
  const inside = await dosedRun();
  const reason = 'Toymycin: a dose lies above 3000, the largest the pack is meant for.';
  const made: MadeRun = {
    ...inside,
    forecast: {
      ...inside.forecast,
      plans: inside.forecast.plans.map((one, index) => (index === 1 ? { ...one, outsideSupport: [reason] } : one)),
    },
  };
  const { exports } = await pageOf(made);
  for (const kind of kinds) expect((await exports.run(kind, { isWithIdentity: false }))!.text, kind).toContain(reason);
  const csv = (await exports.run('forecast-csv', { isWithIdentity: false }))!.text.split('\r\n');
  const header = csv.find((line) => line.startsWith('simulated,'))!.split(',');
  const column = header.indexOf('outside_evidence');
  const rows = csv.slice(csv.findIndex((line) => line.startsWith('simulated,')) + 1).filter((line) => line !== '');
  for (const row of rows) {
    const cells = row.split(',');
    const isUsual = cells[header.indexOf('plan')] === 'usual-care';
    expect(cells[column]).toBe(isUsual ? 'FALSE' : 'TRUE');
  }
  const { mark } = (await exports.pictureMark('forecast'))!;
  expect(mark.lines.join(' ')).toMatch(/Outside the pack’s evidence: Plan/);
  const none = await pageOf(inside);
  expect((await none.exports.pictureMark('forecast'))!.mark.lines.join(' ')).not.toContain('Outside');
  await exports.makeReport({ isWithIdentity: false });
  expect(limitsOf(exports.report!, made.pack.manifest).join(' ')).toContain(reason);
});

test('every export of a result carries what the pack is not for and why the person is unusual', async () => {
  const inside = await dosedRun();
  const doubt = 'Creatinine is higher than nearly all of the pack’s people had.';
  const made: MadeRun = {
    ...inside,
    forecast: { ...inside.forecast, fit: { ...inside.forecast.fit, standing: 'partly', reasons: [doubt] } },
  };
  const { exports } = await pageOf(made);
  const { notFor } = made.pack.manifest;
  expect(notFor.length).toBeGreaterThan(0);
  for (const kind of kinds) {
    const { text } = (await exports.run(kind, { isWithIdentity: false }))!;
    expect(text, kind).toContain(doubt);
    for (const what of notFor) expect(text.replaceAll('""', '"'), kind).toContain(JSON.stringify(what).slice(1, -1));
  }
  const { mark } = (await exports.pictureMark('forecast'))!;
  expect(mark.lines).toContain(`Limit: ${doubt}`);
  const written = mark.metadata.filter(([name]) => name === 'limit').map(([, value]) => value);
  expect(written).toEqual([doubt, ...notFor.map((what) => `Not for: ${what}`)]);
});

test('a picture of another page carries the pack’s limits and no name that a person typed', async () => {
  const made = await dosedRun();
  const { exports, forecast } = await pageOf(made);
  const { mark } = (await exports.pictureMark('plan'))!;
  expect(mark.lines).toContain(`Limit: Not for: ${made.pack.manifest.notFor[0]!}`);
  const typed = forecast.plans.filter(({ name }) => name.includes('Zq'));
  expect(typed.length).toBeGreaterThan(0);
  for (const { name } of typed) expect(mark.replaced.get(name)).toMatch(/^Plan [A-D]$/);
});
