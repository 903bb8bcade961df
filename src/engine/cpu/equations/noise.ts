import type { MemoryPlan, Scratch } from './memory-plan.ts';
import type { VectorMath } from './vector-math.ts';
import { f32x4, i32x4, pick, widen, type VectorType } from './vectors.ts';
import {
  control,
  i32,
  sequence,
  v128,
  type Code,
  type FunctionHandle,
  type FunctionScope,
  type Local,
  type ModuleWriter,
} from './wasm-bytes.ts';

const rounds = 10;
const keyBytes = 8;

/**
 * The generator of numerics/random.ts for four lanes at once: the words are the same bits. Logarithm, sine and cosine are those of
 * f32 for both precisions, within about 1e-7.
 */
export class NoiseWriter {
  /** Two words a round, [rounds × 2] i32: see `roundKeys`. */
  readonly keysAddress: number;
  /** Four words of four lanes. */
  readonly words: Scratch;
  readonly #module: ModuleWriter;
  readonly #v: VectorType;
  readonly #math: VectorMath;
  readonly #draw: FunctionHandle;
  #pair: FunctionHandle | null = null;

  constructor(module: ModuleWriter, v: VectorType, math: VectorMath, memory: MemoryPlan) {
    this.#module = module;
    this.#v = v;
    this.#math = math;
    this.keysAddress = memory.scratch((rounds * keyBytes) / 16).address;
    this.words = memory.scratch(4);
    this.#draw = module.function(null, ['i32', 'i32', 'i32', 'i32'], [], (scope, first, step, block, stream) =>
      this.#writeWords(scope, [first, step, block, stream]),
    );
  }

  /** Philox-4x32-10 of the counters (first + lane, step, block, stream), to `words`. */
  draw(first: Code, step: Code, block: Code, stream: Code): Code {
    return this.#draw.call(first, step, block, stream);
  }

  /** Word `index` of each lane as a number strictly inside (0, 1). */
  uniform(index: number): Code {
    return this.#wide(this.#uniform32(index));
  }

  /** Two standard normals of each lane (Box–Muller) from words 2·pair and 2·pair + 1: the cosine's, then the sine's. */
  normals(pair: 0 | 1, cosine: Local, sine: Local): Code {
    this.#pair ??= this.#module.function(null, ['v128', 'v128'], ['v128', 'v128'], (scope, a, b) => this.#writePair(scope, a, b));
    const both = this.#pair.call(this.#uniform32(2 * pair), this.#uniform32(2 * pair + 1));
    return sequence(
      sine.set(both),
      cosine.set([]),
      this.#v === f32x4 ? [] : [cosine.set(widen(cosine.get)), sine.set(widen(sine.get))],
    );
  }

  #wide(a: Code): Code {
    return this.#v === f32x4 ? a : widen(a);
  }

  #number(value: number): Code {
    return this.#math.number(f32x4, value);
  }

  #integer(value: number): Code {
    return this.#math.vector(new Uint8Array(Uint32Array.of(value, value, value, value).buffer));
  }

  #uniform32(index: number): Code {
    const upper = i32x4.toF32(i32x4.shiftRight(this.words.get(index), 9));
    return f32x4.mul(f32x4.add(upper, this.#number(0.5)), this.#number(2 ** -23));
  }

  #writeWords(scope: FunctionScope, counters: readonly Local[]): Code {
    const c = counters.map(() => scope.local('v128'));
    const key = scope.local('i32');
    const local = () => scope.local('v128');
    const [low0, high0, low1, high1] = [local(), local(), local(), local()];
    const lanes = this.#math.vector(new Uint8Array(Uint32Array.of(0, 1, 2, 3).buffer));
    const m0 = this.#integer(0xd2511f53);
    const m1 = this.#integer(0xcd9e8d57);
    const roundKey = (offset: number) => f32x4.broadcast(key.get, offset);
    const lowerHalves = (a: Local, b: Local) => pick(a.get, b.get, [0, 2, 4, 6]);
    const upperHalves = (a: Local, b: Local) => pick(a.get, b.get, [1, 3, 5, 7]);
    return sequence(
      ...counters.map((counter, i) => c[i].set(i32x4.splat(counter.get))),
      c[0].set(i32x4.add(c[0].get, lanes)),
      key.set(i32.const(this.keysAddress)),
      control.while(
        i32.lt(key.get, i32.const(this.keysAddress + rounds * keyBytes)),
        sequence(
          low0.set(i32x4.multiplyLow(c[0].get, m0)),
          high0.set(i32x4.multiplyHigh(c[0].get, m0)),
          low1.set(i32x4.multiplyLow(c[2].get, m1)),
          high1.set(i32x4.multiplyHigh(c[2].get, m1)),
          c[0].set(v128.xor(v128.xor(upperHalves(low1, high1), c[1].get), roundKey(0))),
          c[1].set(lowerHalves(low1, high1)),
          c[2].set(v128.xor(v128.xor(upperHalves(low0, high0), c[3].get), roundKey(4))),
          c[3].set(lowerHalves(low0, high0)),
          key.set(i32.add(key.get, i32.const(keyBytes))),
        ),
      ),
      ...c.map((word, i) => this.words.set(i, word.get)),
    );
  }

  /** Cephes sinf and cosf on an angle folded to ±π/4 (S. L. Moshier). Leaves the cosine's normal below the sine's. */
  #writePair(scope: FunctionScope, a: Local, b: Local): Code {
    const v = f32x4;
    const local = () => scope.local('v128');
    const [radius, turns, whole, angle, square, sine, cosine, quarter] = [
      local(),
      local(),
      local(),
      local(),
      local(),
      local(),
      local(),
      local(),
    ];
    const polynomial = (coefficients: readonly number[]) =>
      coefficients.map((c) => this.#number(c)).reduce((sum, c) => v.add(v.mul(sum, square.get), c));
    const isOdd = i32x4.eq(v128.and(quarter.get, this.#integer(1)), this.#integer(1));
    // Each quarter turn takes (cos, sin) to (−sin, cos); bit 1 of the quarter, or of the next one, becomes the sign.
    const cosineSign = i32x4.shiftLeft(v128.and(i32x4.add(quarter.get, this.#integer(1)), this.#integer(2)), 30);
    const sineSign = i32x4.shiftLeft(v128.and(quarter.get, this.#integer(2)), 30);
    return sequence(
      radius.set(v.sqrt(v.mul(this.#number(-2), this.#math.apply('log', v, a.get)))),
      turns.set(v.mul(b.get, this.#number(4))),
      whole.set(v.nearest(turns.get)),
      angle.set(v.mul(v.sub(turns.get, whole.get), this.#number(Math.PI / 2))),
      square.set(v.mul(angle.get, angle.get)),
      sine.set(
        v.add(v.mul(v.mul(polynomial([-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]), square.get), angle.get), angle.get),
      ),
      cosine.set(polynomial([2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2, -0.5, 1])),
      quarter.set(i32x4.fromF32(whole.get)),
      v.mul(radius.get, v128.xor(v128.select(isOdd, sine.get, cosine.get), cosineSign)),
      v.mul(radius.get, v128.xor(v128.select(isOdd, cosine.get, sine.get), sineSign)),
    );
  }
}

/** The key of each round, for `keysAddress`. */
export function roundKeys([low, high]: readonly [number, number]): Int32Array {
  return Int32Array.from({ length: 2 * rounds }, (_, at) => {
    const round = at >> 1;
    return at % 2 === 0 ? low + Math.imul(round, 0x9e3779b9) : high + Math.imul(round, 0xbb67ae85);
  });
}
