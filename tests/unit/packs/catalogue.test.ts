import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describePack, listPacks, loadPack, type FetchBytes } from '#packs/catalogue.ts';
import type { PackFiles } from '#packs/pack.ts';
import { readModels } from '../../../scripts/read-models.ts';
import { toyPackFiles } from '../../fixtures/toy-pack.ts';

let folder: string;
let files: PackFiles;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'models-'));
  files = await toyPackFiles();
  writePack('toy', files);
});
afterEach(() => rmSync(folder, { recursive: true }));

function writePack(id: string, { manifest, weights, golden, card }: PackFiles): void {
  mkdirSync(join(folder, id));
  writeFileSync(join(folder, id, 'pack.json'), manifest);
  writeFileSync(join(folder, id, 'weights.bin'), weights);
  writeFileSync(join(folder, id, 'golden.json'), golden);
  writeFileSync(join(folder, id, 'card.md'), card);
}

/** Serves the folder with one file's bytes changed after it was listed. */
function served(path: string, change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>): FetchBytes {
  const read = readModels(folder);
  return async (asked) => (asked === path ? change(await read(asked)) : read(asked));
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe('the catalogue', () => {
  test('lists, describes and loads the packs of a folder', async () => {
    const read = readModels(folder);
    const [listing, ...others] = await listPacks(read);
    expect(others).toEqual([]);
    expect(listing).toMatchObject({
      id: 'toy',
      files: [{ name: 'card.md' }, { name: 'golden.json' }, { name: 'pack.json' }, { name: 'weights.bin' }],
    });
    expect(await describePack(listing!, read)).toMatchObject({ title: 'Toy disease' });
    expect(await loadPack('toy', read)).toMatchObject({
      manifest: { id: 'toy' },
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test('an empty folder is an empty list', async () => {
    expect(await listPacks(readModels(join(folder, 'nowhere')))).toEqual([]);
  });

  test.each(['other', '../toy', '', 'constructor'])('there is no pack %j', async (id) => {
    await expect(loadPack(id, readModels(folder))).rejects.toMatchObject({ code: 'pack_not_found' });
  });

  test('a file that is missing, and one that cannot be read', async () => {
    rmSync(join(folder, 'toy', 'card.md'));
    await expect(loadPack('toy', readModels(folder))).rejects.toMatchObject({
      code: 'pack_not_found',
      message: expect.stringContaining('models/toy/card.md'),
    });
    const offline: FetchBytes = () => Promise.reject(new TypeError('Failed to fetch'));
    await expect(listPacks(offline)).rejects.toMatchObject({
      code: 'pack_not_found',
      message: expect.stringContaining('models/index.json'),
    });
  });

  test('a file that is not the listed one is refused, the manifest included', async () => {
    const longer = served('models/toy/pack.json', (content) => bytes(`${new TextDecoder().decode(content)} `));
    await expect(loadPack('toy', longer)).rejects.toMatchObject({ code: 'pack_digest_mismatch' });
    const shorter = served('models/toy/weights.bin', (content) => content.slice(0, 100));
    await expect(loadPack('toy', shorter)).rejects.toMatchObject({ code: 'pack_weights_truncated' });
  });

  test('a pack that is listed as too large is not fetched', async () => {
    const asked: string[] = [];
    const fetchBytes: FetchBytes = async (path) => {
      asked.push(path);
      const index = JSON.parse(new TextDecoder().decode(await readModels(folder)('models/index.json')));
      index.packs[0].files.find(({ name }: { name: string }) => name === 'pack.json').bytes = 2 ** 30;
      return bytes(JSON.stringify(index));
    };
    const [listing] = await listPacks(fetchBytes);
    await expect(describePack(listing!, fetchBytes)).rejects.toMatchObject({ code: 'pack_too_large' });
    expect(asked).toEqual(['models/index.json']);
  });

  test('a pack in a folder of another name is refused', async () => {
    writePack('renamed', files);
    await expect(loadPack('renamed', readModels(folder))).rejects.toMatchObject({
      code: 'pack_schema_invalid',
      message: expect.stringContaining("models/renamed/pack.json, id: found 'toy'"),
    });
  });

  test.each(['', '[]', '{"packs": [{"id": "../x", "files": []}]}', '{"packs": [], "more": 1}'])(
    'an index of %j is refused',
    async (text) => {
      await expect(listPacks(async () => bytes(text))).rejects.toMatchObject({
        code: expect.stringMatching(/^pack_(not_json|schema_invalid)$/),
      });
    },
  );
});
