// The counter-based generator of numerics/random.ts for eight rollouts, one to a lane: the words are the same bits.
import { cosineNearZero, log, sineNearZero, splat } from './math';

/** Streams of numerics/random.ts that the kernel draws from. */
export const PROCESS: i32 = 0;
export const EVENT: i32 = 1;
export const OBSERVATION: i32 = 2;

/** Bytes of one number of eight lanes. */
export const LANES: usize = 32;

/** Four words of each lane, then four standard normals of each lane. */
export const words: usize = memory.data(128, 16);
export const normals: usize = memory.data(128, 16);
const roundKeys: usize = memory.data(80, 16);

export function setSeed(low: i32, high: i32): void {
  for (let round: usize = 0; round < 10; round++) {
    store<i32>(roundKeys + round * 8, low);
    store<i32>(roundKeys + round * 8, high, 4);
    low += 0x9e3779b9;
    high += 0xbb67ae85;
  }
}

/** Philox-4x32-10 of the counters (first + lane, step, block, stream). */
export function drawWords(first: i32, step: i32, block: i32, stream: i32): void {
  for (let half: i32 = 0; half < 2; half++) {
    let c0 = i32x4.add(i32x4.splat(first + 4 * half), i32x4(0, 1, 2, 3));
    let c1 = i32x4.splat(step);
    let c2 = i32x4.splat(block);
    let c3 = i32x4.splat(stream);
    const m0 = i32x4.splat(0xd2511f53);
    const m1 = i32x4.splat(0xcd9e8d57);
    for (let key = roundKeys; key < roundKeys + 80; key += 8) {
      const low0 = i64x2.extmul_low_i32x4_u(c0, m0);
      const high0 = i64x2.extmul_high_i32x4_u(c0, m0);
      const low1 = i64x2.extmul_low_i32x4_u(c2, m1);
      const high1 = i64x2.extmul_high_i32x4_u(c2, m1);
      c0 = v128.xor(v128.xor(upperHalves(low1, high1), c1), v128.load32_splat(key));
      c1 = lowerHalves(low1, high1);
      c2 = v128.xor(v128.xor(upperHalves(low0, high0), c3), v128.load32_splat(key, 4));
      c3 = lowerHalves(low0, high0);
    }
    const out = words + 16 * <usize>half;
    v128.store(out, c0);
    v128.store(out, c1, 32);
    v128.store(out, c2, 64);
    v128.store(out, c3, 96);
  }
}

// @ts-ignore: decorator
@inline
function lowerHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
function upperHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 1, 3, 5, 7);
}

/** Strictly inside (0, 1), and exact: so is 1 − uniform. */
// @ts-ignore: decorator
@inline
export function uniform(word: v128): v128 {
  return f32x4.mul(f32x4.add(f32x4.convert_i32x4_s(i32x4.shr_u(word, 9)), splat(0.5)), splat(1.1920928955078125e-7));
}

/** Box–Muller on two words of each lane, `pair` 0 or 1 of the four: the cosine's normal, then the sine's. */
export function drawNormals(pair: usize): void {
  const from = words + 64 * pair;
  const to = normals + 64 * pair;
  for (let half: usize = 0; half < LANES; half += 16) {
    const radius = f32x4.sqrt(f32x4.mul(splat(-2), log(uniform(v128.load(from + half)))));
    // The angle in quarter turns, folded to ±1/2 without rounding.
    const turns = f32x4.mul(uniform(v128.load(from + half, 32)), splat(4));
    const whole = f32x4.nearest(turns);
    const angle = f32x4.mul(f32x4.sub(turns, whole), splat(1.57079633));
    const sine = sineNearZero(angle);
    const cosine = cosineNearZero(angle);
    // Each quarter turn takes (cos, sin) to (−sin, cos).
    const quarter = i32x4.trunc_sat_f32x4_s(whole);
    const isOdd = i32x4.eq(v128.and(quarter, i32x4.splat(1)), i32x4.splat(1));
    const cosineSign = i32x4.shl(v128.and(i32x4.add(quarter, i32x4.splat(1)), i32x4.splat(2)), 30);
    const sineSign = i32x4.shl(v128.and(quarter, i32x4.splat(2)), 30);
    v128.store(to + half, f32x4.mul(radius, v128.xor(v128.bitselect(sine, cosine, isOdd), cosineSign)));
    v128.store(to + half, f32x4.mul(radius, v128.xor(v128.bitselect(cosine, sine, isOdd), sineSign)), 32);
  }
}
