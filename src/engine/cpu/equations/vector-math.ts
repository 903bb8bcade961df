import type { ConstantPool } from './vectors.ts';
import { f32x4, f64x2, narrow, pick, widen, type VectorType } from './vectors.ts';
import {
  sequence,
  v128,
  type Code,
  type FunctionHandle,
  type FunctionScope,
  type Local,
  type ModuleWriter,
} from './wasm-bytes.ts';

/**
 * Elementary functions of all lanes of a vector, each a function of the module that is written when it is first asked for. Within
 * two units in the last place of f32 for f32x4; for f64x2 within a few of f64 (pow: as many times |y·ln x| more). NaN goes in and
 * comes out, ±∞ and 0 give what Math gives. Results that would be subnormal are 0.
 */
export type FunctionName = 'exp' | 'expm1' | 'log' | 'log1p' | 'tanh' | 'sinh' | 'pow';

/** Where arguments of exp leave the range, and its polynomial: eʳ = 1 + r + r²·P(r) for |r| ≤ ½ ln 2, highest power first. */
interface Precision {
  readonly largest: number;
  readonly smallest: number;
  readonly smallestNormal: number;
  readonly exponential: readonly number[];
  /** ln 2 in two parts, the first exact in few bits, so that n · ln 2 loses nothing. */
  readonly ln2: readonly [high: number, low: number];
  /** Terms of the series of the inverse hyperbolic tangent in `log`. */
  readonly logTerms: number;
}

const precisions: Record<VectorType['name'], Precision> = {
  f32x4: {
    largest: 88.3,
    smallest: -87,
    smallestNormal: 2 ** -126,
    // Cephes expf (S. L. Moshier).
    exponential: [1.987569e-4, 1.39819995e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1],
    ln2: [0.693359375, -2.1219444e-4],
    logTerms: 4,
  },
  f64x2: {
    largest: 709.4,
    smallest: -708,
    smallestNormal: 2 ** -1022,
    exponential: taylorOfExponential(13),
    // fdlibm.
    ln2: [6.9314718036912381649e-1, 1.90821492927058770002e-10],
    logTerms: 9,
  },
};

/** 1/degree!, …, 1/2!: at |r| ≤ 0.35 the first term that is left out, r¹⁴/14!, is 5e-18. */
function taylorOfExponential(degree: number): number[] {
  let factorial = 1;
  return Array.from({ length: degree - 1 }, (_, at) => 1 / (factorial *= at + 2)).reverse();
}

export class VectorMath {
  readonly #module: ModuleWriter;
  readonly #pool: ConstantPool;
  readonly #written = new Map<string, FunctionHandle>();

  constructor(module: ModuleWriter, pool: ConstantPool) {
    this.#module = module;
    this.#pool = pool;
  }

  /** A number in all lanes. */
  number(v: VectorType, value: number): Code {
    return this.#pool.number(v, value);
  }

  vector(bytes: Uint8Array): Code {
    return this.#pool.vector(bytes);
  }

  apply(name: FunctionName, v: VectorType, ...operands: readonly Code[]): Code {
    const key = `${name} ${v.name}`;
    const known = this.#written.get(key);
    if (known) return known.call(...operands);
    const written = this.#module.function(
      null,
      operands.map(() => 'v128' as const),
      ['v128'],
      (scope, x, y) => (name === 'pow' ? this.#pow(v, scope, x, y) : this[writers[name]](v, scope, x)),
    );
    this.#written.set(key, written);
    return written.call(...operands);
  }

  #polynomial(v: VectorType, x: Code, coefficients: readonly number[]): Code {
    return coefficients.map((c) => this.number(v, c)).reduce((sum, c) => v.add(v.mul(sum, x), c));
  }

  /** Sets `minusOne` to eʳ − 1 and `scale` to 2ⁿ, where x = n·ln 2 + r; x is held inside the range of the numbers. */
  #reduce(v: VectorType, scope: FunctionScope, x: Code, minusOne: Local, scale: Local): Code {
    const { largest, smallest, exponential, ln2 } = precisions[v.name];
    const number = (value: number) => this.number(v, value);
    // Adding 1.5 · 2^mantissaBits rounds to a whole number and leaves it in the low bits.
    const rounder = 1.5 * 2 ** v.mantissaBits;
    const held = scope.local('v128');
    const shifted = scope.local('v128');
    const n = scope.local('v128');
    const r = scope.local('v128');
    return sequence(
      held.set(v.pmax(v.pmin(x, number(largest)), number(smallest))),
      shifted.set(v.add(v.mul(held.get, number(Math.LOG2E)), number(rounder))),
      n.set(v.sub(shifted.get, number(rounder))),
      r.set(v.sub(v.sub(held.get, v.mul(n.get, number(ln2[0]))), v.mul(n.get, number(ln2[1])))),
      minusOne.set(v.add(r.get, v.mul(v.mul(r.get, r.get), this.#polynomial(v, r.get, exponential)))),
      scale.set(v.integer.add(v.integer.shiftLeft(shifted.get, v.mantissaBits), number(1))),
    );
  }

  exponential(v: VectorType, scope: FunctionScope, x: Local): Code {
    const { largest, smallest } = precisions[v.name];
    const minusOne = scope.local('v128');
    const scale = scope.local('v128');
    const inside = v.mul(v.add(minusOne.get, this.number(v, 1)), scale.get);
    return sequence(
      this.#reduce(v, scope, x.get, minusOne, scale),
      v128.andnot(
        v128.select(v.lt(this.number(v, largest), x.get), this.number(v, Infinity), inside),
        v.lt(x.get, this.number(v, smallest)),
      ),
    );
  }

  exponentialMinusOne(v: VectorType, scope: FunctionScope, x: Local): Code {
    const minusOne = scope.local('v128');
    const scale = scope.local('v128');
    const inside = v.add(v.mul(minusOne.get, scale.get), v.sub(scale.get, this.number(v, 1)));
    return sequence(
      this.#reduce(v, scope, x.get, minusOne, scale),
      v128.select(v.lt(this.number(v, precisions[v.name].largest), x.get), this.number(v, Infinity), inside),
    );
  }

  /** em/(em + 2) with em = e²ˣ − 1, which keeps the digits of small x; at 2x = 40 both precisions give 1. */
  hyperbolicTangent(v: VectorType, scope: FunctionScope, x: Local): Code {
    const em = scope.local('v128');
    const doubled = v.pmin(v.add(x.get, x.get), this.number(v, 40));
    return sequence(em.set(this.apply('expm1', v, doubled)), v.div(em.get, v.add(em.get, this.number(v, 2))));
  }

  hyperbolicSine(v: VectorType, scope: FunctionScope, x: Local): Code {
    const em = scope.local('v128');
    const number = (value: number) => this.number(v, value);
    const inside = v.mul(v.add(em.get, v.div(em.get, v.add(em.get, number(1)))), number(0.5));
    const magnitude = v128.select(v.eq(em.get, number(Infinity)), em.get, inside);
    return sequence(em.set(this.apply('expm1', v, v.abs(x.get))), v128.or(magnitude, v128.and(x.get, number(-0))));
  }

  /**
   * With x = 2ⁿ(1 + m), ½√2 ≤ 1 + m < √2 and s = m/(2 + m): ln(1 + m) = m − (½m² − s(½m² + R)), R = 2s²(⅓s⁰ + ⅕s² + …), the
   * arrangement of fdlibm.
   */
  logarithm(v: VectorType, scope: FunctionScope, x: Local): Code {
    const { smallestNormal, ln2, logTerms } = precisions[v.name];
    const number = (value: number) => this.number(v, value);
    const bias = v.bytes === 4 ? 126 : 1022;
    const lift = v.mantissaBits + 1;
    const local = () => scope.local('v128');
    const [isSmall, lifted, fraction, isLow, n, m, s, z, half] = [
      local(),
      local(),
      local(),
      local(),
      local(),
      local(),
      local(),
      local(),
      local(),
    ];
    // An integer in the low bits of 2^mantissaBits is added to it.
    const whole = 2 ** v.mantissaBits;
    const rawExponent = v.sub(v128.or(v.integer.shiftRight(lifted.get, v.mantissaBits), number(whole)), number(whole));
    const series = Array.from({ length: logTerms }, (_, at) => 2 / (2 * (logTerms - at) + 1));
    const rest = v.mul(z.get, this.#polynomial(v, z.get, series));
    const low = v.sub(half.get, v.add(v.mul(s.get, v.add(half.get, rest)), v.mul(n.get, number(ln2[1]))));
    const inside = v.add(v.mul(n.get, number(ln2[0])), v.sub(m.get, low));
    const atZero = v128.select(v.eq(x.get, number(0)), number(-Infinity), number(NaN));
    return sequence(
      isSmall.set(v.lt(x.get, number(smallestNormal))),
      lifted.set(v128.select(isSmall.get, v.mul(x.get, number(2 ** lift)), x.get)),
      fraction.set(v128.or(v128.and(lifted.get, this.vector(fractionBits(v))), number(0.5))),
      isLow.set(v.lt(fraction.get, number(Math.SQRT1_2))),
      n.set(v.sub(rawExponent, v.add(number(bias), v.add(v128.and(isLow.get, number(1)), v128.and(isSmall.get, number(lift)))))),
      m.set(v.sub(v.add(fraction.get, v128.and(fraction.get, isLow.get)), number(1))),
      s.set(v.div(m.get, v.add(m.get, number(2)))),
      z.set(v.mul(s.get, s.get)),
      half.set(v.mul(v.mul(m.get, m.get), number(0.5))),
      // Below zero and NaN are not above zero; what is not below infinity is itself.
      v128.select(v.lt(number(0), x.get), v128.select(v.lt(x.get, number(Infinity)), inside, x.get), atZero),
    );
  }

  /** ln u + (x − (u − 1))/u with u = 1 + x rounded: the second term is what the rounding took (Higham 2002, section 1.14). */
  logarithmOfOnePlus(v: VectorType, scope: FunctionScope, x: Local): Code {
    const u = scope.local('v128');
    const number = (value: number) => this.number(v, value);
    const lost = v.div(v.sub(x.get, v.sub(u.get, number(1))), u.get);
    const isOrdinary = v128.and(v.lt(number(0), u.get), v.lt(u.get, number(Infinity)));
    return sequence(u.set(v.add(x.get, number(1))), v.add(this.apply('log', v, u.get), v128.and(lost, isOrdinary)));
  }

  /** In f64 for both precisions, as y · ln x multiplies the relative error of the logarithm. */
  #pow(v: VectorType, scope: FunctionScope, x: Local, y: Local): Code {
    if (v === f32x4) {
      const upper = (a: Code) => widen(pick(a, a, [2, 3, 2, 3]));
      const low = this.apply('pow', f64x2, widen(x.get), widen(y.get));
      const high = this.apply('pow', f64x2, upper(x.get), upper(y.get));
      return pick(narrow(low), narrow(high), [0, 1, 4, 5]);
    }
    const number = (value: number) => this.number(v, value);
    const size = scope.local('v128');
    const half = scope.local('v128');
    const isWhole = v.eq(v.nearest(y.get), y.get);
    const isEven = v.eq(v.nearest(half.get), half.get);
    const signed = v128.xor(size.get, v128.andnot(number(-0), isEven));
    const ofNegative = v128.select(isWhole, signed, number(NaN));
    return sequence(
      size.set(this.apply('exp', v, v.mul(y.get, this.apply('log', v, v.abs(x.get))))),
      half.set(v.mul(y.get, number(0.5))),
      v128.select(v.eq(y.get, number(0)), number(1), v128.select(v.lt(x.get, number(0)), ofNegative, size.get)),
    );
  }
}

const writers = {
  exp: 'exponential',
  expm1: 'exponentialMinusOne',
  log: 'logarithm',
  log1p: 'logarithmOfOnePlus',
  tanh: 'hyperbolicTangent',
  sinh: 'hyperbolicSine',
} as const;

/** The mantissa's bits of each lane. */
function fractionBits(v: VectorType): Uint8Array {
  const one =
    v === f32x4 ? new Uint8Array(Uint32Array.of(0x7fffff).buffer) : new Uint8Array(BigUint64Array.of((1n << 52n) - 1n).buffer);
  return Uint8Array.from({ length: 16 }, (_, at) => one[at % one.length]);
}
