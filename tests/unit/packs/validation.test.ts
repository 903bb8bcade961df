import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { sectionIds, type Drawing } from '#domain/validation.ts';
import { AppError } from '#domain/errors.ts';
import { listPacks, loadPack, loadValidation, type FetchBytes } from '#packs/catalogue.ts';
import { sha256 } from '#packs/digests.ts';
import { decodeValidation, decodeValidationSection, modelDigest } from '#packs/validation.ts';
import { readModels } from '../../../scripts/read-models.ts';
import { madeUpReport } from '../../fixtures/validation-report.ts';

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const decode = (value: unknown) => decodeValidation(bytesOf(value), 'validation.json');

/** The message of the refusal. */
function refusalOf(value: unknown): string {
  try {
    decode(value);
  } catch (error) {
    if (error instanceof AppError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'was not refused';
}

describe('a validation report', () => {
  test('comes through its door as it was', () => {
    expect(decode(madeUpReport())).toEqual(madeUpReport());
  });

  test('with an unknown field is refused with its place', () => {
    const report = madeUpReport();
    expect(refusalOf({ ...report, sections: [{ ...report.sections[0], verdict: 'good' }, ...report.sections.slice(1)] })).toMatch(
      /pack_schema_invalid validation\.json, sections\[0\]\.verdict/,
    );
  });

  test.each([
    ['a section that is neither there nor named as absent', { absent: [] }, /'what-if' is neither a section nor named as absent/],
    ['a digest that is none', { packDigest: 'abc' }, /packDigest/],
    ['a web address', { validatedOn: 'See https:\u002f\u002fexample.org.' }, /pack_text_forbidden/],
  ])('with %s is refused', (_, changes, message) => {
    expect(refusalOf(madeUpReport(changes))).toMatch(message);
  });

  test('that names a section twice is refused', () => {
    const report = madeUpReport();
    expect(refusalOf({ ...report, sections: [...report.sections, report.sections[0]] })).toMatch(
      /'markers' stands in sections\[0\] too/,
    );
  });

  test('with lists of different lengths in a drawing is refused', () => {
    const report = madeUpReport();
    const events = report.sections[1]!;
    const drawings = events.drawings.map((one) => (one.kind === 'decision' ? { ...one, treatAll: one.treatAll.slice(1) } : one));
    expect(
      refusalOf({ ...report, sections: [report.sections[0], { ...events, drawings }, ...report.sections.slice(2)] }),
    ).toMatch(/sections\[1\], drawings\[\d\]: one list has 3 entries, another 4/);
  });

  test('with a figure that stands twice is refused', () => {
    const report = madeUpReport();
    const [first] = report.sections;
    const twice = { ...first!, figures: [...first!.figures, first!.figures[0]!] };
    expect(refusalOf({ ...report, sections: [twice, ...report.sections.slice(1)] })).toMatch(/figures\[2\].*stands here twice/);
  });
});

describe('reading a report', () => {
  const folderOf = async (text: Uint8Array<ArrayBuffer>, listed?: string): Promise<FetchBytes> => {
    const digest = listed ?? (await sha256(text));
    const files = [{ name: 'validation.json', bytes: text.byteLength, sha256: digest }];
    return (path) =>
      Promise.resolve(
        path === 'models/index.json'
          ? bytesOf({
              packs: [
                { id: 'made-up', files },
                { id: 'bare', files: [] },
              ],
            })
          : text,
      );
  };

  test('a pack without one has none', async () => {
    expect(await loadValidation('bare', await folderOf(bytesOf(madeUpReport())))).toBeNull();
    expect(await loadValidation('unknown', await folderOf(bytesOf(madeUpReport())))).toBeNull();
  });

  test('the file must be the one that is listed', async () => {
    const fetchBytes = await folderOf(bytesOf(madeUpReport()), '0'.repeat(64));
    await expect(loadValidation('made-up', fetchBytes)).rejects.toMatchObject({ code: 'pack_digest_mismatch' });
  });

  test('it must be of the pack in whose folder it lies', async () => {
    const fetchBytes = await folderOf(bytesOf(madeUpReport({ packId: 'another' })));
    await expect(loadValidation('made-up', fetchBytes)).rejects.toThrow(/packId: found 'another'/);
  });
});

/** Every count of people that a drawing tells. */
function countsOf(drawing: Drawing): number[] {
  switch (drawing.kind) {
    case 'coverage':
      return drawing.rows.map(({ people }) => people);
    case 'calibration':
      return drawing.points.map(({ n }) => n);
    case 'forest':
      return [...drawing.rows, ...drawing.unscored].flatMap(({ n }) => (n === null ? [] : [n]));
    case 'counts':
      return drawing.groups.flatMap(({ rows }) => rows.flatMap(({ n }) => (n === null ? [] : [n])));
    case 'pit':
      return [drawing.people];
    case 'd-calibration':
    case 'decision':
      return [drawing.n];
    default:
      return [];
  }
}

const root = fileURLToPath(new URL('../../..', import.meta.url));
const ids = readdirSync(join(root, 'models')).filter((id) => existsSync(join(root, 'models', id, 'pack.json')));

describe.each(ids)('the report of %s', (id) => {
  test('is there and was made for the pack as it is', async () => {
    const [report, pack] = [await loadValidation(id, readModels()), await loadPack(id, readModels())];
    // After a change of the pack: npm run validate -- --pack ID, with --make where what computes has changed.
    expect(report?.packDigest).toBe(pack.digest);
    const model = await modelDigest(pack.manifest);
    expect(report!.sections.map(({ made }) => made.model)).toEqual(report!.sections.map(() => model));
  });

  test('says what its stored parts say', async () => {
    const report = await loadValidation(id, readModels());
    const folder = join(root, 'training/results/validation', id);
    const names = existsSync(folder) ? readdirSync(folder) : [];
    expect(names.toSorted()).toEqual(report!.sections.map((section) => `${section.id}.json`).toSorted());
    for (const section of report!.sections) {
      const file = join(folder, `${section.id}.json`);
      expect(section).toEqual(decodeValidationSection(new Uint8Array(readFileSync(file)), file));
    }
  });

  test('tells no count of fewer than five people', async () => {
    const report = await loadValidation(id, readModels());
    const counts = report!.sections.flatMap(({ drawings }) => drawings.flatMap(countsOf));
    expect(counts.filter((n) => n > 0 && n < 5)).toEqual([]);
  });
});

test('every pack is listed once', async () => {
  expect((await listPacks(readModels())).map((pack) => pack.id)).toEqual(ids.toSorted());
  expect(new Set(sectionIds).size).toBe(sectionIds.length);
});
