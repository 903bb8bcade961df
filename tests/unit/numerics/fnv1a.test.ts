import { expect, test } from 'vitest';
import { fnv1a } from '#numerics/fnv1a.ts';

// Vectors of the reference implementation (Fowler, Noll & Vo), for texts of ASCII.
test.each([
  ['', 0x811c9dc5],
  ['a', 0xe40c292c],
  ['foobar', 0xbf9cf968],
])('hashes %j as published', (text, hash) => {
  expect(fnv1a(text)).toBe(hash);
});
