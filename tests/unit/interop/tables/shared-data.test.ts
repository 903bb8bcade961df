import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { codes, fileOf, readAll, type ReadGroup } from '../../../fixtures/import/read-all.ts';

const shared = '/work/shared/data';
const hostile = join(shared, 'bad-input');
const derived = join(shared, 'fhir/derived');
const file = (...path: string[]) => fileOf(path.at(-1)!, new Uint8Array(readFileSync(join(...path))));

interface Case {
  readonly file: string;
  readonly expect: 'accept' | 'accept-with-warning' | 'reject';
  readonly check?: { readonly distinctPatients?: number; readonly noPollution?: string };
}

describe.skipIf(!existsSync(hostile))('hostile files of the project', () => {
  const manifest = existsSync(hostile)
    ? (JSON.parse(readFileSync(join(hostile, 'manifest.json'), 'utf8')) as Case[] | { files: Case[] })
    : [];
  const cases = (Array.isArray(manifest) ? manifest : manifest.files).filter((one) => /^(?:csv|fhir)\//.test(one.file));

  test.each(cases.map((one) => [one.file, one] as const))('%s comes out as its manifest says', async (_, one) => {
    const [read] = await readAll([file(hostile, one.file)]);
    const outcome =
      read.summary.status === 'refused' ? 'reject' : read.summary.noticeCount > 0 ? 'accept-with-warning' : 'accept';
    expect(outcome).toBe(one.expect);
    if (one.check?.distinctPatients) expect(read.people).toHaveLength(one.check.distinctPatients);
    if (one.check?.noPollution) expect(({} as Record<string, unknown>)[one.check.noPollution]).toBeUndefined();
    if (one.expect === 'reject') expect(read.people).toEqual([]);
  });

  test.each(['imaging', 'pack-zip', 'backup'])('nothing of %s is taken for a record', async (folder) => {
    for (const name of readdirSync(join(hostile, folder))) {
      const [read] = await readAll([file(hostile, folder, name)]);
      expect([name, read.summary.status]).toEqual([name, 'refused']);
      expect(read.summary.message).not.toBe('');
    }
  });
});

describe.skipIf(!existsSync(derived))('one person in four formats', () => {
  /** By person, LOINC code, minute and value as far as the roundest file gives it. */
  const keyed = (read: ReadGroup) =>
    new Map(
      read.people.flatMap(({ key, observations }) =>
        observations
          .filter(({ problem }) => problem === null)
          .map(
            (one) =>
              [
                `${key} ${one.concept.codings.find(({ system }) => system.includes('loinc'))?.code ?? one.concept.label} ${one.date} ${one.time}`,
                one,
              ] as const,
          ),
      ),
    );
  /** The American file has four decimals; a hundredth more for the rounding of the bundles themselves. */
  const american = 0.000_05 * 1.01;

  test('the European file has the values of the American one', async () => {
    const [[us], [eu]] = [await readAll([file(derived, 'labs-long-us.csv')]), await readAll([file(derived, 'labs-long-eu.csv')])];
    expect(us.summary.status).toBe('accepted');
    expect(codes(eu)).toContain('decimal_comma');
    const byKey = keyed(us);
    let compared = 0;
    for (const [key, european] of keyed(eu)) {
      const other = byKey.get(key);
      expect(other, key).toBeDefined();
      expect(european.unit).toBe(other!.unit);
      // Three decimals in the European unit (its size in ours is the factor), and a maker whose factors had four figures.
      const factor = european.value! / Number(european.receivedValue.replace(',', '.'));
      expect(Math.abs(other!.value! - european.value!), key).toBeLessThanOrEqual(
        0.0005 * 1.01 * factor + 5e-4 * other!.value! + american,
      );
      compared++;
    }
    expect(compared).toBeGreaterThan(100);
    expect(
      eu.people.flatMap(({ observations }) =>
        observations.filter(({ problem }) => problem !== null).map(({ problem }) => problem),
      ),
    ).toEqual(Array.from({ length: eu.summary.raw }, () => 'unit_contradicts'));
  });

  test('OMOP tables have the values of the American file', async () => {
    const [us] = await readAll([file(derived, 'labs-long-us.csv')]);
    const omop = await readAll(readdirSync(join(derived, 'omop')).map((name) => file(derived, 'omop', name)));
    expect(omop).toHaveLength(1);
    const names = new Map(omop[0].people.map(({ key, identity }) => [key, identity.identifiers[1]?.value]));
    const byKey = keyed(us);
    let compared = 0;
    for (const { key, observations } of omop[0].people) {
      for (const one of observations) {
        const other = byKey.get(`${names.get(key)} ${one.concept.codings[0].code} ${one.date} ${one.time}`);
        expect(other?.value).toBe(one.value);
        compared++;
      }
    }
    expect(compared).toBe(371);
  });

  test('the American file has the values of the bundles it was made from', async () => {
    const [us] = await readAll([file(derived, 'labs-long-us.csv')]);
    const people = new Map(us.people.map((person) => [person.key, person]));
    const folder = join(shared, 'fhir/synthea-r4');
    let compared = 0;
    for (const name of readdirSync(folder)) {
      const [bundle] = await readAll([file(folder, name)]);
      for (const { key, observations } of bundle.people) {
        const own = people.get(key.replace(/^.*[/:]/, ''));
        if (!own) continue;
        const byInstant = new Map(observations.map((one) => [`${one.concept.codings[0]?.code} ${one.instant}`, one]));
        for (const one of own.observations) {
          const other = byInstant.get(`${one.concept.codings[0].code} ${one.instant}`);
          if (!other || other.value === null) continue;
          expect(Math.abs(other.value - one.value!), one.place).toBeLessThanOrEqual(american);
          compared++;
        }
      }
    }
    expect(compared).toBeGreaterThan(100);
  });

  test('the wide file is read but for the column without a unit', async () => {
    const [wide] = await readAll([file(derived, 'labs-wide.csv')]);
    expect(wide.summary).toMatchObject({ kept: 32, raw: 10 });
    expect(codes(wide)).toEqual(['unit_missing']);
  });
});
