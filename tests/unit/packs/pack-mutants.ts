/** Ways to spoil a pack's files for tests. */
import { createHash } from 'node:crypto';
import type { PackFiles } from '#packs/pack.ts';

// A test reaches into any field to spoil it.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any;

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value);
const digest = (value: Uint8Array): string => createHash('sha256').update(value).digest('hex');

/** The files with `pack.json` changed as text. */
export function withManifestText(files: PackFiles, change: (manifest: string) => string): PackFiles {
  return { ...files, manifest: bytes(change(text(files.manifest))) };
}

/** The files with `pack.json` changed as an object, `change` working in place. */
export function withManifest(files: PackFiles, change: (manifest: Json) => void): PackFiles {
  return withManifestText(files, (manifest) => {
    const value = JSON.parse(manifest);
    change(value);
    return JSON.stringify(value);
  });
}

/** As if the author had written another file: digests and size in `pack.json` fit it. */
export function withFile(
  files: PackFiles,
  key: 'weights' | 'golden' | 'card',
  content: Uint8Array<ArrayBuffer> | string,
): PackFiles {
  const file = typeof content === 'string' ? bytes(content) : content;
  return withManifest({ ...files, [key]: file }, (manifest) => {
    manifest[key].sha256 = digest(file);
    if (key === 'weights') manifest.weights.bytes = file.length;
  });
}

export function withGolden(files: PackFiles, change: (golden: Json) => void): PackFiles {
  const golden = JSON.parse(text(files.golden));
  change(golden);
  return withFile(files, 'golden', JSON.stringify(golden));
}

/** One weight of a tensor changed. */
export function withWeight(files: PackFiles, name: string, index: number, value: number): PackFiles {
  const { offset } = JSON.parse(text(files.manifest)).tensors.find((tensor: Json) => tensor.name === name);
  const weights = files.weights.slice();
  new DataView(weights.buffer).setFloat32(offset + 4 * index, value, true);
  return withFile(files, 'weights', weights);
}
