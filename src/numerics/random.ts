/**
 * Counter-based random numbers: Philox-4x32-10 (Salmon, Moraes, Dror & Shaw 2011). There is no hidden state: the words of
 * (rollout, step, block, stream) are the same whenever, wherever and in whatever order they are asked for, so the reference
 * engine, WGSL and WebAssembly draw identical bits and any single future can be replayed.
 */

export type Seed = readonly [low: number, high: number];

/** What a counter's last word stands for. The numbers are part of every engine: never renumber them. */
export const streams = { process: 0, event: 1, observation: 2, effect: 3, twin: 4, resample: 5, people: 6, future: 7 } as const;
export type Stream = (typeof streams)[keyof typeof streams];

/** A seed from any safe non-negative integer. */
export function seedFrom(integer: number): Seed {
  if (!Number.isSafeInteger(integer) || integer < 0) throw new RangeError(`A seed is a non-negative integer; found ${integer}.`);
  return [integer >>> 0, Math.floor(integer / 2 ** 32) >>> 0];
}

/** Four 32-bit words for one counter, written to `out[0..3]`. */
export function philox(out: Uint32Array, c0: number, c1: number, c2: number, c3: number, seed: Seed): void {
  let k0 = seed[0] >>> 0;
  let k1 = seed[1] >>> 0;
  for (let round = 0; round < 10; round++) {
    const low0 = Math.imul(0xd2511f53, c0);
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low1 = Math.imul(0xcd9e8d57, c2);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + (middle >>> 16) + (carry >>> 16)) >>> 0;
}

/** Strictly inside (0, 1) and exact in f32: the upper 23 bits, moved by half. The lower 8 bits stay free for a second use. */
export function uniform(word: number): number {
  return ((word >>> 9) + 0.5) / 8388608;
}

/** Two standard normals from two words (Box–Muller), written to `out[at]` and `out[at + 1]`. */
export function normalPair(out: Float64Array, at: number, wordA: number, wordB: number): void {
  const radius = Math.sqrt(-2 * Math.log(uniform(wordA)));
  const angle = 2 * Math.PI * uniform(wordB);
  out[at] = radius * Math.cos(angle);
  out[at + 1] = radius * Math.sin(angle);
}

/** A sequential generator over one stream, for code that wants "the next number" (covariate draws, bootstrap, shuffles). */
export class RandomSequence {
  #words = new Uint32Array(4);
  #used = 4;
  #counter = 0;
  readonly #seed: Seed;
  readonly #stream: Stream;
  readonly #substream: number;

  constructor(seed: Seed, stream: Stream = streams.people, substream = 0) {
    this.#seed = seed;
    this.#stream = stream;
    this.#substream = substream;
  }

  word(): number {
    if (this.#used === 4) {
      philox(this.#words, this.#counter++, this.#substream, 0, this.#stream, this.#seed);
      this.#used = 0;
    }
    return this.#words[this.#used++]!;
  }

  /** Uniform in (0, 1). */
  uniform = (): number => uniform(this.word());

  /** Standard normal. */
  normal = (): number => Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform());

  /** An integer in [0, bound). */
  below(bound: number): number {
    return Math.min(bound - 1, Math.floor(this.uniform() * bound));
  }
}
