import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { pad, sizeClass, smallestClass, unpad } from '#vault/padding.ts';

test('what was padded comes back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), (plain) => {
      const padded = pad(plain);
      expect(padded).toHaveLength(sizeClass(plain.length + 4));
      expect(unpad(padded)).toEqual(new Uint8Array(plain));
    }),
    { seed: 1 },
  );
});

test('a class is never smaller than what it holds, grows with it, and is its own class', () => {
  let before = 0;
  for (let length = 0; length <= 300_000; length += 7) {
    const size = sizeClass(length);
    expect(size).toBeGreaterThanOrEqual(Math.max(length, before, smallestClass));
    expect(sizeClass(size)).toBe(size);
    before = size;
  }
});

test('above the smallest class at most 6.3 % are added', () => {
  const sizes = Array.from({ length: 200_000 }, (_, at) => smallestClass + at);
  for (let length = 2 ** 18; length < 2 ** 31; length = Math.ceil(length * 1.001)) sizes.push(length);
  expect(sizes.filter((length) => sizeClass(length) / length > 1.063)).toEqual([]);
});

test('there are few classes: 369 up to 16 MiB', () => {
  const classes = new Set([smallestClass]);
  for (let size = smallestClass; size <= 2 ** 24; size = sizeClass(size + 1)) classes.add(size);
  expect(classes.size).toBe(1 + 7 * 16 + 8 * 32);
});

test('what was not padded here is refused', () => {
  const padded = pad(new Uint8Array(600));
  expect(unpad(padded.slice(0, -1))).toBeNull();
  expect(unpad(new Uint8Array(0))).toBeNull();
  expect(unpad(new Uint8Array(512).fill(255))).toBeNull();
});
