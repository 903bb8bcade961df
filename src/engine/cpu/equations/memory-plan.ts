import type { VectorType } from './vectors.ts';
import { i32, v128, type Code, type Local } from './wasm-bytes.ts';

/** Vectors in a block of lanes. Thirteen cache lines to a column: an odd number, so that columns do not share the same few sets. */
const vectorsInBlock = 52;
const vectorBytes = 16;

/** Numbers that all lanes share; written by the caller, read into all lanes of a vector. */
export interface Scalars {
  readonly address: number;
  readonly count: number;
  get(index?: number): Code;
}

/** Vectors that are worked on for one vector of lanes at a time. */
export interface Scratch {
  readonly address: number;
  readonly count: number;
  get(index?: number): Code;
  set(index: number, value: Code): Code;
}

/** One vector for each vector of lanes of the block; `lane` is the byte offset of the one in hand. */
export interface Columns {
  readonly address: number;
  readonly count: number;
  get(lane: Local, index?: number): Code;
  set(lane: Local, index: number, value: Code): Code;
}

/** What lies where in a module's memory: reserved from the bottom up while the module is written, then fixed. */
export class MemoryPlan {
  readonly #v: VectorType;
  #top: number;

  /** The first bytes stay free for constants. */
  constructor(v: VectorType, constantBytes: number) {
    this.#v = v;
    this.#top = constantBytes;
  }

  /** Lanes of a block. */
  get lanes(): number {
    return vectorsInBlock * this.#v.lanes;
  }

  /** From one column to the next. */
  get columnBytes(): number {
    return vectorsInBlock * vectorBytes;
  }

  /** First byte that is not reserved. */
  get top(): number {
    return this.#top;
  }

  scalars(count: number): Scalars {
    const address = this.#reserve(count * this.#v.bytes);
    return { address, count, get: (index = 0) => this.#v.broadcast(i32.const(0), address + index * this.#v.bytes) };
  }

  scratch(count: number): Scratch {
    const address = this.#reserve(count * vectorBytes);
    const place = (index: number) => address + index * vectorBytes;
    return {
      address,
      count,
      get: (index = 0) => v128.load(i32.const(0), place(index)),
      set: (index, value) => v128.store(i32.const(0), value, place(index)),
    };
  }

  columns(count: number): Columns {
    const address = this.#reserve(count * this.columnBytes);
    const place = (index: number) => address + index * this.columnBytes;
    return {
      address,
      count,
      get: (lane, index = 0) => v128.load(lane.get, place(index)),
      set: (lane, index, value) => v128.store(lane.get, value, place(index)),
    };
  }

  #reserve(bytes: number): number {
    const address = this.#top;
    this.#top += Math.ceil(bytes / vectorBytes) * vectorBytes;
    return address;
  }
}
