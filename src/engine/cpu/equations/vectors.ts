import { simd, unsigned, v128, type Code } from './wasm-bytes.ts';

/**
 * A vector of floating-point numbers and what can be done with it: `f32x4`, four lanes, or `f64x2`, two lanes of double precision.
 * Code that is written over a `VectorType` exists once and serves both. Truth is all bits of a lane, as comparisons give it.
 */
export interface VectorType {
  readonly name: 'f32x4' | 'f64x2';
  readonly lanes: 4 | 2;
  /** Of one number. */
  readonly bytes: 4 | 8;
  readonly mantissaBits: 23 | 52;
  /** One number in all lanes, as 16 bytes. */
  repeat(value: number): Uint8Array;
  /** One number of memory in all lanes. */
  broadcast(address: Code, offset?: number): Code;
  storeLane(lane: number, address: Code, value: Code, offset?: number): Code;
  add(a: Code, b: Code): Code;
  sub(a: Code, b: Code): Code;
  mul(a: Code, b: Code): Code;
  div(a: Code, b: Code): Code;
  /** NaN if either is. */
  min(a: Code, b: Code): Code;
  max(a: Code, b: Code): Code;
  /** b < a ? b : a, and a < b ? b : a: a NaN in the first goes through, one in the second is lost. Faster. */
  pmin(a: Code, b: Code): Code;
  pmax(a: Code, b: Code): Code;
  neg(a: Code): Code;
  abs(a: Code): Code;
  sqrt(a: Code): Code;
  floor(a: Code): Code;
  nearest(a: Code): Code;
  lt(a: Code, b: Code): Code;
  le(a: Code, b: Code): Code;
  eq(a: Code, b: Code): Code;
  /** One bit a lane, in an i32. */
  bits(mask: Code): Code;
  /** The lanes as integers of their width. */
  readonly integer: {
    add(a: Code, b: Code): Code;
    shiftLeft(a: Code, bits: number): Code;
    shiftRight(a: Code, bits: number): Code;
  };
}

const shift = (opcode: number, a: Code, bits: number): Code => [a, 0x41, bits, 0xfd, unsigned(opcode)];

const unary = (opcode: number) => (a: Code) => simd(opcode, a);
const binary = (opcode: number) => (a: Code, b: Code) => simd(opcode, a, b);

export const f32x4: VectorType = {
  name: 'f32x4',
  lanes: 4,
  bytes: 4,
  mantissaBits: 23,
  repeat: (value) => new Uint8Array(new Float32Array(4).fill(value).buffer),
  broadcast: (address, offset = 0) => [address, 0xfd, 0x09, 2, unsigned(offset)],
  storeLane: (lane, address, value, offset = 0) => [address, value, 0xfd, 0x5a, 2, unsigned(offset), lane],
  add: binary(0xe4),
  sub: binary(0xe5),
  mul: binary(0xe6),
  div: binary(0xe7),
  min: binary(0xe8),
  max: binary(0xe9),
  pmin: binary(0xea),
  pmax: binary(0xeb),
  neg: unary(0xe1),
  abs: unary(0xe0),
  sqrt: unary(0xe3),
  floor: unary(0x68),
  nearest: unary(0x6a),
  lt: binary(0x43),
  le: binary(0x45),
  eq: binary(0x41),
  bits: unary(0xa4),
  integer: {
    add: binary(0xae),
    shiftLeft: (a, bits) => shift(0xab, a, bits),
    shiftRight: (a, bits) => shift(0xad, a, bits),
  },
};

export const f64x2: VectorType = {
  name: 'f64x2',
  lanes: 2,
  bytes: 8,
  mantissaBits: 52,
  repeat: (value) => new Uint8Array(new Float64Array(2).fill(value).buffer),
  broadcast: (address, offset = 0) => [address, 0xfd, 0x0a, 3, unsigned(offset)],
  storeLane: (lane, address, value, offset = 0) => [address, value, 0xfd, 0x5b, 3, unsigned(offset), lane],
  add: binary(0xf0),
  sub: binary(0xf1),
  mul: binary(0xf2),
  div: binary(0xf3),
  min: binary(0xf4),
  max: binary(0xf5),
  pmin: binary(0xf6),
  pmax: binary(0xf7),
  neg: unary(0xed),
  abs: unary(0xec),
  sqrt: unary(0xef),
  floor: unary(0x75),
  nearest: (a) => simd(0x94, a),
  lt: binary(0x49),
  le: binary(0x4b),
  eq: binary(0x47),
  bits: unary(0xc4),
  integer: {
    add: binary(0xce),
    shiftLeft: (a, bits) => shift(0xcb, a, bits),
    shiftRight: (a, bits) => shift(0xcd, a, bits),
  },
};

/** What only the one or only the other has, and the ways between them. */
export const i32x4 = {
  splat: (a: Code) => simd(0x11, a),
  eq: binary(0x37),
  add: binary(0xae),
  shiftLeft: (a: Code, bits: number) => shift(0xab, a, bits),
  shiftRight: (a: Code, bits: number) => shift(0xad, a, bits),
  toF32: unary(0xfa),
  fromF32: unary(0xf8),
  multiplyLow: binary(0xde),
  multiplyHigh: binary(0xdf),
};

/** The two numbers in the low half as doubles, and doubles as the two numbers in the low half. */
export const widen = unary(0x5f);
export const narrow = unary(0x5e);

/** Picks four 32-bit numbers by their places among those of a (0–3) and b (4–7). */
export function pick(a: Code, b: Code, places: readonly [number, number, number, number]): Code {
  return [a, b, 0xfd, 0x0d, places.flatMap((place) => [0, 1, 2, 3].map((byte) => 4 * place + byte))];
}

/**
 * Vectors that code needs again and again, at the bottom of memory: reading one is one instruction, making one is four. What does
 * not fit is made.
 */
export class ConstantPool {
  readonly #places = new Map<string, number>();
  readonly #bytes: Uint8Array;

  constructor(size: number) {
    this.#bytes = new Uint8Array(size);
  }

  number(v: VectorType, value: number): Code {
    return this.vector(v.repeat(value));
  }

  vector(bytes: Uint8Array): Code {
    const key = bytes.join();
    const place = this.#places.get(key) ?? 16 * this.#places.size;
    if (place + 16 > this.#bytes.length) return v128.const(bytes);
    this.#places.set(key, place);
    this.#bytes.set(bytes, place);
    return v128.load([0x41, 0], place);
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, 16 * this.#places.size);
  }
}
