import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromBase64url, toBase64url } from '#vault/base64url.ts';
import { canonicalBytes } from '#vault/canonical-bytes.ts';

const value = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 4 }),
  fc.nat(),
  fc.maxSafeNat(),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array({ maxLength: 4 }),
);

test('two lists give the same bytes only when they are the same', () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 4 }), fc.array(value, { maxLength: 4 }), (a, b) => {
      const areSame = JSON.stringify(a) === JSON.stringify(b);
      expect(toBase64url(canonicalBytes(...a)) === toBase64url(canonicalBytes(...b))).toBe(areSame);
    }),
    { seed: 1, numRuns: 5000 },
  );
});

test('no bytes can be taken for another list: nearly the same ones differ', () => {
  const lists = [
    ['ab', 'c'],
    ['a', 'bc'],
    ['abc'],
    ['abc', ''],
    ['', 'abc'],
    [],
    [''],
    [null],
    [0],
    [false],
    [1],
    [true],
    ['1'],
    [2 ** 32],
    [2 ** 53 - 1],
    [new Uint8Array()],
    [Uint8Array.of(0x61, 0x62, 0x63)],
  ];
  expect(new Set(lists.map((list) => toBase64url(canonicalBytes(...list)))).size).toBe(lists.length);
});

test('what has no one form is refused', () => {
  for (const wrong of [-1, 1.5, NaN, Infinity, 2 ** 53, '\ud800', 'a\udc00b']) {
    expect(() => canonicalBytes(wrong)).toThrow('Broken promise');
  }
});

test('base64url: what was written reads back, and nothing but what is written is read', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const text = toBase64url(bytes);
      expect(text).toBe(Buffer.from(bytes).toString('base64url'));
      expect(fromBase64url(text)).toEqual(new Uint8Array(bytes));
    }),
    { seed: 1, numRuns: 1000 },
  );
  for (const text of ['A', 'AB', 'AAAAA', 'AA==', 'A+/=', 'AA\n', 'ÄAAA', 'AAF']) expect(fromBase64url(text)).toBeNull();
});
