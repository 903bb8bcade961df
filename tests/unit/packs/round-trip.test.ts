import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodePack } from '#packs/decode.ts';
import { encodePack, prettyJson } from '#packs/encode.ts';
import { fromHalf, toHalf } from '#packs/float16.ts';
import { parseJson } from '#packs/json.ts';
import { requireLearned, type LearnedPack, type PackFiles } from '#packs/pack.ts';
import { toyCard, toyEncoders, toyGolden, toyManifestDraft, toyPackFiles, toyPackNetwork } from '../../fixtures/toy-pack.ts';

const decodeLearned = async (files: PackFiles): Promise<LearnedPack> => requireLearned(await decodePack(files));

describe('a pack that is written', () => {
  test('is read back as it was, bit for bit', async () => {
    const network = toyPackNetwork();
    const golden = await toyGolden();
    const pack = await decodeLearned(await encodePack(toyManifestDraft, network.members, toyEncoders(), golden, toyCard));
    expect(pack.network).toEqual(network);
    expect(pack.encoder).toEqual(toyEncoders());
    expect(pack.golden).toEqual(golden);
    expect(pack.card).toBe(toyCard);
    expect(pack.manifest).toMatchObject(toyManifestDraft);
  });

  test('from any seed is read back as it was', async () => {
    const golden = await toyGolden();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), fc.string({ unit: 'grapheme', minLength: 1 }), async (seed, place) => {
        const network = toyPackNetwork(seed);
        // A '<' or '//' in any text is refused by design.
        const draft = { ...toyManifestDraft, place: place.replace(/[</:]/g, '-') };
        const pack = await decodeLearned(await encodePack(draft, network.members, toyEncoders(seed), golden, toyCard));
        expect(pack.network).toEqual(network);
        expect(pack.encoder).toEqual(toyEncoders(seed));
        expect(pack.manifest.place).toBe(draft.place);
      }),
      { numRuns: 15 },
    );
  });

  test('in f16 differs from what was trained by rounding only, and is stable when written again', async () => {
    const files = await toyPackFiles({ matrices: 'f16' });
    const pack = await decodeLearned(files);
    const original = toyPackNetwork().members[0]!;
    pack.network.members[0]!.gateX.forEach((value, i) => {
      // Half a unit in the last of 11 bits.
      expect(Math.abs(value - original.gateX[i]!)).toBeLessThanOrEqual(Math.abs(original.gateX[i]!) * 2 ** -11 + 2 ** -25);
    });
    expect(pack.network.members[0]!.tailScale).toEqual(original.tailScale);
    const again = await encodePack(toyManifestDraft, pack.network.members, pack.encoder, pack.golden, pack.card, {
      matrices: 'f16',
    });
    expect(again.weights).toEqual(files.weights);
  });

  test('has the same digest each time, and another when one byte of its card differs', async () => {
    const files = await toyPackFiles();
    const { digest } = await decodePack(files);
    expect((await decodePack(await toyPackFiles())).digest).toBe(digest);
    const golden = await toyGolden();
    const other = await encodePack(toyManifestDraft, toyPackNetwork().members, toyEncoders(), golden, `${toyCard} `);
    expect((await decodePack(other)).digest).not.toBe(digest);
  });
});

describe('half precision', () => {
  test('every pattern of bits survives the way there and back', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = fromHalf(bits);
      if (!Number.isNaN(value)) expect(toHalf(value)).toBe(bits);
    }
  });

  test('a number becomes the nearest, ties going to the even one', () => {
    fc.assert(
      fc.property(fc.float({ min: -65000, max: 65000, noNaN: true }), (value) => {
        const bits = toHalf(value);
        const error = Math.abs(fromHalf(bits) - value);
        for (const neighbour of [bits - 1, bits + 1]) {
          if ((neighbour & 0x7fff) >= 0x7c00 || (neighbour & 0x8000) !== (bits & 0x8000) || neighbour < 0) continue;
          const other = Math.abs(fromHalf(neighbour) - value);
          expect(error < other || (error === other && bits % 2 === 0)).toBe(true);
        }
      }),
    );
  });
});

test('the strict JSON reader agrees with JSON.parse on everything JSON.stringify writes', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const isSafe = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    Object.entries(value).every(
      ([key, child]) => (Array.isArray(value) || !(key in Object.prototype)) && key !== 'prototype' && isSafe(child),
    );
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      fc.pre(isSafe(value));
      for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2), prettyJson(value)]) {
        expect(JSON.stringify(parseJson(bytes(text), 'x.json'))).toBe(JSON.stringify(value));
      }
    }),
  );
});
