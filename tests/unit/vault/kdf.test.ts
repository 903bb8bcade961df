import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkCost, chooseKdf, floor, stretch, tuned } from '#vault/kdf.ts';
import type { KdfParameters } from '#vault/keys.ts';

const argon2 = (memoryKiB: number, iterations: number): KdfParameters => ({
  name: 'argon2id',
  memoryKiB,
  iterations,
  parallelism: 1,
});
const pbkdf2 = (iterations: number): KdfParameters => ({ name: 'pbkdf2-sha256', iterations });
const refused = expect.objectContaining({ code: 'vault_cost_refused' });
const mebi = 1024;

describe('what a stored derivation may cost', () => {
  test.each([
    argon2(19 * mebi, 2),
    argon2(64 * mebi, 3),
    argon2(1024 * mebi, 4),
    argon2(204 * mebi, 20),
    pbkdf2(600_000),
    pbkdf2(10_000_000),
  ])('%o is accepted', (kdf) => expect(() => checkCost(kdf)).not.toThrow());

  test.each([
    argon2(19 * mebi - 1, 2),
    argon2(64 * mebi, 1),
    argon2(64 * mebi, 0),
    argon2(1024 * mebi + 1, 2),
    argon2(64 * mebi, 21),
    argon2(1024 * mebi, 20),
    argon2(4 * mebi * mebi * mebi, 3),
    argon2(NaN, 3),
    argon2(64 * mebi, 2.5),
    argon2(-64 * mebi, -3),
    argon2(Infinity, 2),
    { ...argon2(64 * mebi, 3), parallelism: 4 as 1 } as KdfParameters,
    pbkdf2(599_999),
    pbkdf2(10_000_001),
    pbkdf2(0),
    pbkdf2(NaN),
  ])('%o is refused, and nothing is computed', async (kdf) => {
    expect(() => checkCost(kdf)).toThrow(refused);
    const start = performance.now();
    await expect(stretch(new Uint8Array(16), new Uint8Array(16), kdf)).rejects.toEqual(refused);
    expect(performance.now() - start).toBeLessThan(100);
  });
});

describe('tuning', () => {
  const work = (kdf: KdfParameters) => (kdf.name === 'argon2id' ? kdf.memoryKiB * kdf.iterations : kdf.iterations);

  test('a device of the speed that 64 MiB in three passes take a second on gets just that', () => {
    expect(tuned('argon2id', (1000 * 19 * 2) / (64 * 3))).toEqual(argon2(64 * mebi, 3));
  });

  test('a faster one gets more memory first, then more passes; a slower one two passes, down to the floor and never below', () => {
    expect(tuned('argon2id', 100)).toEqual(argon2(126 * mebi, 3));
    expect(tuned('argon2id', 10)).toEqual(argon2(128 * mebi, 20));
    expect(tuned('argon2id', 300)).toEqual(argon2(63 * mebi, 2));
    expect(tuned('argon2id', 447)).toEqual(argon2(42 * mebi, 2));
    expect(tuned('argon2id', 2000)).toEqual(floor.argon2id);
    expect(tuned('argon2id', 60_000)).toEqual(floor.argon2id);
    expect(tuned('pbkdf2-sha256', 300)).toEqual(pbkdf2(2_000_000));
    expect(tuned('pbkdf2-sha256', 5000)).toEqual(floor['pbkdf2-sha256']);
  });

  test('whatever was measured, the result is within the limits and is not expected to take longer than a second or the floor', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('argon2id' as const, 'pbkdf2-sha256' as const),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        (name, floorMs) => {
          const kdf = tuned(name, floorMs);
          expect(() => checkCost(kdf)).not.toThrow();
          const expectedMs = (floorMs * work(kdf)) / work(floor[name]);
          expect(expectedMs).toBeLessThanOrEqual(Math.max(1000, floorMs) * 1.0001);
        },
      ),
      { seed: 1, numRuns: 2000 },
    );
  });

  test('of two measurements the faster one counts', async () => {
    const ticks = [0, 5000, 6000, 6447];
    expect(await chooseKdf(() => ticks.shift()!)).toEqual(tuned('argon2id', 447));
  });
});
