import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyteById } from '#interop/analytes.ts';
import { readFhir, readFhirNdjson } from '#interop/fhir/read-fhir.ts';
import type { ImportedObservation, ImportOutcome } from '#interop/imported.ts';
import { items, part } from '../../fixtures/fhir/build.ts';

// Published examples and hostile files, where they are at hand; the cases of tests/fixtures/fhir stand in for them elsewhere.
const published = '/work/shared/data/fhir';
const hostile = '/work/shared/data/bad-input';

const options = (file: string): { file: string; today: string } => ({ file, today: '2026-11-23' });

async function* wholeOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function read(path: string): Promise<ImportOutcome> {
  const bytes = new Uint8Array(readFileSync(path));
  return path.endsWith('.ndjson') ? readFhirNdjson(wholeOf(bytes), options(path)) : readFhir(bytes, options(path));
}

const observationsOf = (outcome: ImportOutcome): readonly ImportedObservation[] =>
  outcome.patients.flatMap((one) => one.observations);

/** Numbers of Observations as JSON.parse sees them, by their digits: written without any of the code under test. */
function numbersOf(path: string): readonly { readonly number: number; readonly status: string }[] {
  const text = readFileSync(path, 'utf8');
  const resources = path.endsWith('.ndjson')
    ? text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as unknown)
    : [JSON.parse(text) as unknown];
  const found: { number: number; status: string }[] = [];
  const visit = (resource: unknown): void => {
    const type = part(resource, 'resourceType');
    if (type === 'Bundle') for (const entry of items(part(resource, 'entry'))) visit(part(entry, 'resource'));
    if (type !== 'Observation') return;
    for (const node of [resource, ...items(part(resource, 'component'))]) {
      const text = part(node, 'valueString');
      const written = typeof text === 'string' && /^[\d.]+$/u.test(text) ? Number(text) : null;
      const number = part(node, 'valueQuantity', 'value') ?? part(node, 'valueInteger') ?? written;
      if (typeof number === 'number') found.push({ number, status: String(part(resource, 'status')) });
    }
  };
  for (const resource of resources) visit(resource);
  return found;
}

describe.skipIf(!existsSync(published))('published FHIR files', () => {
  const files = existsSync(published)
    ? readdirSync(published, { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(?:json|ndjson)$/u.test(name) && name !== 'manifest.json')
        .sort()
    : [];

  test('there are all of them', () => expect(files.length).toBeGreaterThan(150));

  test.each(files)('%s: every number is kept with its canonical unit, or has a reason', async (name) => {
    const path = join(published, name);
    const outcome = await read(path);
    if (name.startsWith('old-versions/')) {
      expect(outcome).toMatchObject({ status: 'refused', code: 'fhir_version_unsupported' });
      expect(outcome.message).toContain(name.includes('dstu2') ? 'DSTU2' : 'STU3');
      return;
    }
    expect(outcome.status).not.toBe('refused');
    const observations = observationsOf(outcome);
    const numbers = numbersOf(path);
    const excluded = numbers.filter(({ status }) => status === 'entered-in-error' || status === 'cancelled');
    expect(observations.length).toBe(numbers.length - excluded.length);
    for (const one of observations) {
      if (one.value === null) expect(one.problem).not.toBeNull();
      else expect(one.unit).toBe(analyteById(one.concept.analyte ?? '')?.unit);
    }
    // The same digits, in the same number: none dropped, none made up.
    const digits = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => a - b);
    expect(digits(observations.map((one) => Number(one.receivedValue)))).toEqual(
      digits(numbers.filter((one) => !excluded.includes(one)).map((one) => one.number)),
    );
  });
});

interface Case {
  readonly file: string;
  readonly surface: string;
  readonly expect: 'accept' | 'accept-with-warning' | 'reject';
  readonly check?: { noPollution?: string; noGlobal?: string; expectMgDl?: number; relTol?: number; order?: readonly string[] };
}

describe.skipIf(!existsSync(hostile))('hostile FHIR files', () => {
  const cases = existsSync(hostile)
    ? (JSON.parse(readFileSync(join(hostile, 'manifest.json'), 'utf8')).files as readonly Case[]).filter(
        (one) => one.surface === 'fhir',
      )
    : [];

  test.each(cases)('$file: $expect', async ({ file, expect: wanted, check }) => {
    const outcome = await read(join(hostile, file));
    expect(outcome.status).toBe({ accept: 'accepted', 'accept-with-warning': 'warned', reject: 'refused' }[wanted]);
    if (wanted !== 'accept') expect(outcome.message).toMatch(/\w{3,} .+[.]/u);
    if (wanted === 'reject') expect(outcome.patients).toEqual([]);
    if (check?.noPollution) expect(({} as Record<string, unknown>)[check.noPollution]).toBeUndefined();
    if (check?.noGlobal) expect((globalThis as Record<string, unknown>)[check.noGlobal]).toBeUndefined();
    if (check?.expectMgDl !== undefined) {
      const [one] = observationsOf(outcome);
      expect(one?.unit).toBe('mg/dL');
      expect(Math.abs((one?.value ?? 0) / check.expectMgDl - 1)).toBeLessThan(check.relTol ?? 0.005);
    }
    if (check?.order) {
      const inTime = observationsOf(outcome).toSorted((a, b) => (a.instant ?? 0) - (b.instant ?? 0));
      expect(inTime.map((one) => one.place.replace('Observation/', ''))).toEqual(check.order);
    }
  });
});
