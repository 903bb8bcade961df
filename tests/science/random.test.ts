import { beforeAll, describe, expect, it } from 'vitest';
import { loadKernel, type Kernel } from '#engine/cpu/kernel.ts';
import { normalPair, philox, seedFrom, streams, uniform } from '#numerics/random.ts';
import { normalCdf } from '#numerics/special-functions.ts';

// Known answers of the Random123 library for philox4x32 with 10 rounds (its file kat_vectors).
const ones = 0xffffffff;
const knownAnswers = [
  { counter: [0, 0, 0, 0], key: [0, 0], words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
  { counter: [ones, ones, ones, ones], key: [ones, ones], words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd] },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
] as const;

let kernel: Kernel;
beforeAll(async () => {
  kernel = await loadKernel();
});

/** Word or normal `i` of each of the kernel's eight lanes. */
const kernelWords = (i: number) => new Uint32Array(kernel.memory.buffer, kernel.words.value + 32 * i, 8);
const kernelNormals = (i: number) => new Float32Array(kernel.memory.buffer, kernel.normals.value + 32 * i, 8);

describe('Philox-4x32-10', () => {
  it.each(knownAnswers)('gives the known words for counter $counter', ({ counter, key, words }) => {
    const [c0, c1, c2, c3] = counter;
    const out = new Uint32Array(4);
    philox(out, c0, c1, c2, c3, key);
    expect(Array.from(out)).toEqual([...words]);
    kernel.setSeed(key[0], key[1]);
    kernel.drawWords(c0, c1, c2, c3);
    expect([0, 1, 2, 3].map((i) => kernelWords(i)[0])).toEqual([...words]);
  });

  it('draws the same words in the kernel for eight rollouts in a row', () => {
    const seed = seedFrom(2 ** 41 + 77);
    const out = new Uint32Array(4);
    kernel.setSeed(seed[0], seed[1]);
    for (const [first, step, block] of [
      [0, 0, 0],
      [8, 59, 3],
      [12345, 364, 1],
    ]) {
      kernel.drawWords(first, step, block, streams.observation);
      for (let lane = 0; lane < 8; lane++) {
        philox(out, first + lane, step, block, streams.observation, seed);
        expect([0, 1, 2, 3].map((i) => kernelWords(i)[lane])).toEqual(Array.from(out));
      }
    }
  });
});

describe('normals', () => {
  const count = 200_000;
  const normals = drawNormals(count);

  it('have the moments of N(0, 1)', () => {
    // Standard errors of the first four moments' means: sqrt(1, 2, 15, 96) over sqrt(n). Five of them hold but for 1 seed in 10⁶.
    const moment = (order: number) => normals.reduce((sum, value) => sum + value ** order, 0) / count;
    const within = (standardDeviation: number) => (5 * standardDeviation) / Math.sqrt(count);
    expect(Math.abs(moment(1))).toBeLessThan(within(1));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(within(Math.sqrt(2)));
    expect(Math.abs(moment(3))).toBeLessThan(within(Math.sqrt(15)));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(within(Math.sqrt(96)));
  });

  it('have the distribution of N(0, 1)', () => {
    // Kolmogorov's 0.999 quantile is 1.95 / sqrt(n).
    const ascending = normals.slice().sort();
    let distance = 0;
    ascending.forEach((value, i) => {
      const expected = normalCdf(value);
      distance = Math.max(distance, expected - i / count, (i + 1) / count - expected);
    });
    expect(distance).toBeLessThan(1.95 / Math.sqrt(count));
  });

  it('do not hang together between neighbours, halves of a pair, rollouts, steps or streams', () => {
    const next = (lag: number) => normals.slice(lag).reduce((sum, value, i) => sum + value * normals[i], 0) / (count - lag);
    for (const lag of [1, 2, 4, 400]) expect(Math.abs(next(lag))).toBeLessThan(5 / Math.sqrt(count));
  });

  it('are in the kernel what they are in f64, to the last bits of f32', () => {
    const seed = seedFrom(5);
    const words = new Uint32Array(4);
    const pair = new Float64Array(2);
    kernel.setSeed(seed[0], seed[1]);
    let worst = 0;
    for (let first = 0; first < 80_000; first += 8) {
      kernel.drawWords(first, 1, 2, streams.process);
      kernel.drawNormals(0);
      for (let lane = 0; lane < 8; lane++) {
        philox(words, first + lane, 1, 2, streams.process, seed);
        normalPair(pair, 0, words[0], words[1]);
        worst = Math.max(worst, Math.abs(pair[0] - kernelNormals(0)[lane]), Math.abs(pair[1] - kernelNormals(1)[lane]));
      }
    }
    // Normals reach 4.5 here, where f32 numbers are 4.8e-7 apart; logarithm, root and product round once each.
    expect(worst).toBeLessThan(1.5e-6);
  });
});

describe('uniform', () => {
  it('stays inside (0, 1) and leaves the low 8 bits of its word free', () => {
    expect(uniform(0)).toBeGreaterThan(0);
    expect(uniform(ones)).toBeLessThan(1);
    expect(uniform(0xff)).toBe(uniform(0));
    expect(Math.fround(uniform(ones))).toBe(uniform(ones));
    expect(Math.fround(1 - uniform(0))).toBe(1 - uniform(0));
  });
});

/** Four normals to a counter, 100 steps to a rollout: the order in which an engine uses them. */
function drawNormals(count: number): Float64Array {
  const out = new Float64Array(count);
  const words = new Uint32Array(4);
  const seed = seedFrom(2024);
  for (let at = 0; at < count; at += 4) {
    philox(words, Math.floor(at / 400), (at / 4) % 100, 0, streams.process, seed);
    normalPair(out, at, words[0], words[1]);
    normalPair(out, at + 2, words[2], words[3]);
  }
  return out;
}
