import { describe, expect, test } from 'vitest';
import { AppError, errorCodes } from '#domain/errors.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { decodePack } from '#packs/decode.ts';
import type { PackFiles } from '#packs/pack.ts';
import { toyPackFiles } from '../../fixtures/toy-pack.ts';
import { withFile, withManifest, withManifestText, type Json } from './pack-mutants.ts';

type Mutate = (files: PackFiles, random: RandomSequence) => PackFiles;

const oddValues = [
  null,
  true,
  -1,
  0,
  0.5,
  1e9,
  1e308,
  -1e308,
  '',
  'x',
  '\u0000',
  'constructor',
  [],
  {},
  [[[]]],
  { id: 'x' },
  Array(300).fill(0),
];
const oddText = [
  '{',
  '}',
  '[',
  ']',
  '"',
  '\\',
  ',',
  ':',
  '-',
  '1e400',
  'null',
  '"__proto__":1,',
  '\u0000',
  '\ud800',
  '((((',
  '{"a":',
];

/** A random place in a JSON value: the object or list, and the key in it. */
function place(root: Json, random: RandomSequence): [parent: Json, key: string] {
  let parent = root;
  for (;;) {
    const keys = Object.keys(parent);
    const key = keys[random.below(keys.length)]!;
    const child = parent[key];
    const isLeaf = typeof child !== 'object' || child === null || Object.keys(child).length === 0;
    if (isLeaf || random.uniform() < 0.2) return [parent, key];
    parent = child;
  }
}

const mutations: readonly (readonly [name: string, mutate: Mutate])[] = [
  [
    'a field of another value',
    (files, random) =>
      withManifest(files, (pack) => {
        const [parent, key] = place(pack, random);
        parent[key] = oddValues[random.below(oddValues.length)];
      }),
  ],
  [
    'a field taken away',
    (files, random) =>
      withManifest(files, (pack) => {
        const [parent, key] = place(pack, random);
        if (Array.isArray(parent)) parent.splice(Number(key), 1);
        else delete parent[key];
      }),
  ],
  [
    'a field copied to another place',
    (files, random) =>
      withManifest(files, (pack) => {
        const [from, fromKey] = place(pack, random);
        const [to, toKey] = place(pack, random);
        to[toKey] = structuredClone(from[fromKey]);
      }),
  ],
  [
    'a number moved a little',
    (files, random) =>
      withManifest(files, (pack) => {
        const [parent, key] = place(pack, random);
        if (typeof parent[key] === 'number') parent[key] += random.below(9) - 4;
      }),
  ],
  [
    'text cut, inserted or doubled',
    (files, random) =>
      withManifestText(files, (text) => {
        const at = random.below(text.length);
        const end = at + random.below(40);
        const middle = [oddText[random.below(oddText.length)]!, text.slice(at, end).repeat(2), ''][random.below(3)]!;
        return text.slice(0, at) + middle + text.slice(end);
      }),
  ],
  [
    'random bytes in any file, digests untouched',
    (files, random) => {
      const key = (['manifest', 'weights', 'golden', 'card'] as const)[random.below(4)]!;
      const content = files[key].slice(0, random.uniform() < 0.3 ? random.below(files[key].length) : undefined);
      for (let i = 0; i < 1 + random.below(20); i++) content[random.below(content.length)] = random.below(256);
      return { ...files, [key]: content };
    },
  ],
  [
    'random bytes in weights, signed by their author',
    (files, random) => {
      const weights = files.weights.slice(0, random.uniform() < 0.3 ? random.below(files.weights.length) : undefined);
      for (let i = 0; i < 200; i++) weights[random.below(weights.length)] = random.below(256);
      return withFile(files, 'weights', weights);
    },
  ],
  [
    'golden cases with one odd value, signed by their author',
    (files, random) => {
      const golden = JSON.parse(new TextDecoder().decode(files.golden));
      const [parent, key] = place(golden, random);
      parent[key] = oddValues[random.below(oddValues.length)];
      return withFile(files, 'golden', JSON.stringify(golden));
    },
  ],
];

// `MUTANTS=5000` for the long form: so many over all kinds of mutation.
const seedsPerMutation = Math.ceil(Number(process.env.MUTANTS ?? 500) / mutations.length);

describe.each(mutations)('%s', (_, mutate) => {
  test(`${seedsPerMutation} mutants are packs or refusals, and quickly so`, async () => {
    const files = await toyPackFiles();
    for (let seed = 0; seed < seedsPerMutation; seed++) {
      const mutant = mutate(files, new RandomSequence(seedFrom(seed)));
      const started = performance.now();
      const outcome = await decodePack(mutant).catch((reason: unknown) => reason);
      // A pack of this size takes some 10 ms; what grows with the square of its input takes minutes.
      expect(performance.now() - started, `seed ${seed}`).toBeLessThan(5000);
      if (outcome instanceof AppError) {
        expect(errorCodes, `seed ${seed}`).toContain(outcome.code);
        expect(outcome.message.length, `seed ${seed}`).toBeLessThan(600);
      } else expect(outcome, `seed ${seed}`).toMatchObject({ manifest: { format: 'counterpart-pack/1' } });
    }
  });
});

test('files at their size limits are read or refused in seconds, whatever is in them', async () => {
  const files = await toyPackFiles();
  const MiB = 2 ** 20;
  const repeated = (text: string) => text.repeat(Math.floor(MiB / text.length));
  for (const text of ['a', '"', '\\', '[', '{"a":', '[],', ' ', '(', '0', 'data:', '"a":1,', '//']) {
    const started = performance.now();
    await expect(decodePack(withManifestText(files, () => repeated(text)))).rejects.toBeInstanceOf(AppError);
    await expect(decodePack(withManifestText(files, () => JSON.stringify({ title: repeated(text) })))).rejects.toBeInstanceOf(
      AppError,
    );
    await decodePack(withFile(files, 'card', repeated(text).slice(0, MiB / 4))).catch((error) =>
      expect(error).toBeInstanceOf(AppError),
    );
    expect(performance.now() - started, text).toBeLessThan(5000);
  }
});
