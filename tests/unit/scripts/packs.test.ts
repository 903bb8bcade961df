import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { listPacks } from '../../../scripts/vite-plugins.ts';

test('models/index.json lists every pack with the size and digest of its files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'counterpart-packs-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const id of ['b', 'a', 'notes']) mkdirSync(join(folder, id));
  writeFileSync(join(folder, 'a/weights.bin'), Buffer.from([1, 2, 3]));
  for (const name of ['a/pack.json', 'b/pack.json', 'a/.hidden', 'notes/card.md']) writeFileSync(join(folder, name), '{}');

  const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
  const pack = { name: 'pack.json', bytes: 2, sha256: sha256('{}') };
  const weights = { name: 'weights.bin', bytes: 3, sha256: sha256(Buffer.from([1, 2, 3])) };
  expect(listPacks(folder)).toEqual([
    { id: 'a', files: [pack, weights] },
    { id: 'b', files: [pack] },
  ]);
});

test('a clone without packs lists none', () => {
  expect(listPacks(join(tmpdir(), 'no-such-folder-of-packs'))).toEqual([]);
});
