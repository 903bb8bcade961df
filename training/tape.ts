/**
 * A small reverse-mode tape over dense row-major matrices in f64, for the one thing tfjs is too slow at here: the filter's
 * recursion makes about 60 small operations a grid step, and tfjs-wasm spends 0.1–0.4 ms on each whatever its size, so one
 * gradient of the liver cohort took over 2 s against some 50 ms on this tape (docs/decisions/0003-training-on-a-tape.md).
 * Gradients are tested against finite differences and against tfjs's own.
 */

/** A matrix on the tape: `v` values and `g` gradients, both [n × c]. */
export interface Mat {
  readonly n: number;
  readonly c: number;
  readonly v: Float64Array;
  readonly g: Float64Array;
}

export class Tape {
  #back: (() => void)[] = [];

  /** A constant or parameter view; parameters share their arrays with the optimiser. */
  leaf(n: number, c: number, v: Float64Array, g = new Float64Array(n * c)): Mat {
    return { n, c, v, g };
  }

  backward(): void {
    for (let i = this.#back.length - 1; i >= 0; i--) this.#back[i]!();
    this.#back = [];
  }

  #node(n: number, c: number): Mat {
    return { n, c, v: new Float64Array(n * c), g: new Float64Array(n * c) };
  }

  /** x [n × in] times the transpose of W [out × in]. */
  linear(x: Mat, W: Mat): Mat {
    const { n, c: size } = x;
    const out = W.n;
    const y = this.#node(n, out);
    for (let i = 0; i < n; i++) {
      for (let o = 0; o < out; o++) {
        let sum = 0;
        for (let k = 0; k < size; k++) sum += x.v[i * size + k]! * W.v[o * size + k]!;
        y.v[i * out + o] = sum;
      }
    }
    this.#back.push(() => {
      for (let i = 0; i < n; i++) {
        for (let o = 0; o < out; o++) {
          const g = y.g[i * out + o]!;
          if (g === 0) continue;
          for (let k = 0; k < size; k++) {
            x.g[i * size + k]! += g * W.v[o * size + k]!;
            W.g[o * size + k]! += g * x.v[i * size + k]!;
          }
        }
      }
    });
    return y;
  }

  /** Element by element; `b` may be one row, repeated. `f` gives the value, `da` and `db` the partial derivatives. */
  #binary(a: Mat, b: Mat, f: (a: number, b: number) => number, da: Partial2, db: Partial2): Mat {
    const y = this.#node(a.n, a.c);
    const size = a.n * a.c;
    const wrap = b.n === 1 && a.n !== 1 ? a.c : size;
    for (let i = 0, j = 0; i < size; i++, j = j + 1 === wrap ? 0 : j + 1) y.v[i] = f(a.v[i]!, b.v[j]!);
    this.#back.push(() => {
      for (let i = 0, j = 0; i < size; i++, j = j + 1 === wrap ? 0 : j + 1) {
        const g = y.g[i]!;
        if (g === 0) continue;
        a.g[i]! += g * da(a.v[i]!, b.v[j]!, y.v[i]!);
        b.g[j]! += g * db(a.v[i]!, b.v[j]!, y.v[i]!);
      }
    });
    return y;
  }

  #unary(a: Mat, f: (a: number) => number, da: (a: number, y: number) => number): Mat {
    const y = this.#node(a.n, a.c);
    for (let i = 0; i < y.v.length; i++) y.v[i] = f(a.v[i]!);
    this.#back.push(() => {
      for (let i = 0; i < y.v.length; i++) {
        const g = y.g[i]!;
        if (g !== 0) a.g[i]! += g * da(a.v[i]!, y.v[i]!);
      }
    });
    return y;
  }

  add = (a: Mat, b: Mat): Mat => this.#binary(a, b, plus, one, one);
  sub = (a: Mat, b: Mat): Mat => this.#binary(a, b, minus, one, minusOne);
  mul = (a: Mat, b: Mat): Mat => this.#binary(a, b, times, second, first);
  div = (a: Mat, b: Mat): Mat => this.#binary(a, b, over, overA, overB);
  sigmoid = (a: Mat): Mat => this.#unary(a, sigmoid, sigmoidSlope);
  tanh = (a: Mat): Mat => this.#unary(a, Math.tanh, tanhSlope);
  exp = (a: Mat): Mat => this.#unary(a, Math.exp, itself);
  log = (a: Mat): Mat => this.#unary(a, Math.log, reciprocal);
  square = (a: Mat): Mat => this.#unary(a, squared, twice);
  softplus = (a: Mat): Mat => this.#unary(a, softplus, sigmoid);
  sqrt = (a: Mat): Mat => this.#unary(a, Math.sqrt, halfOverRoot);
  scale = (a: Mat, k: number): Mat => this.#unary(a, (x) => k * x, () => k);
  shift = (a: Mat, k: number): Mat => this.#unary(a, (x) => x + k, () => 1);
  clamp(a: Mat, [low, high]: readonly [number, number]): Mat {
    return this.#unary(
      a,
      (x) => Math.min(high, Math.max(low, x)),
      (x) => (x > low && x < high ? 1 : 0),
    );
  }

  /** Where `mask` (same size) is 1, `a`; elsewhere `b`. */
  choose(mask: Float64Array, a: Mat, b: Mat): Mat {
    const y = this.#node(a.n, a.c);
    for (let i = 0; i < y.v.length; i++) y.v[i] = mask[i] ? a.v[i]! : b.v[i]!;
    this.#back.push(() => {
      for (let i = 0; i < y.v.length; i++) (mask[i] ? a : b).g[i]! += y.g[i]!;
    });
    return y;
  }

  /** The first `n` rows: people sorted by length of follow-up leave the batch when theirs ends. */
  head(a: Mat, n: number): Mat {
    if (n === a.n) return a;
    return { n, c: a.c, v: a.v.subarray(0, n * a.c), g: a.g.subarray(0, n * a.c) };
  }

  columns(a: Mat, from: number, to: number): Mat {
    const y = this.#node(a.n, to - from);
    for (let i = 0; i < a.n; i++) y.v.set(a.v.subarray(i * a.c + from, i * a.c + to), i * y.c);
    this.#back.push(() => {
      for (let i = 0; i < a.n; i++) for (let j = 0; j < y.c; j++) a.g[i * a.c + from + j]! += y.g[i * y.c + j]!;
    });
    return y;
  }

  beside(parts: readonly Mat[]): Mat {
    const n = parts[0]!.n;
    const y = this.#node(n, parts.reduce((sum, part) => sum + part.c, 0));
    let at = 0;
    for (const part of parts) {
      for (let i = 0; i < n; i++) y.v.set(part.v.subarray(i * part.c, (i + 1) * part.c), i * y.c + at);
      at += part.c;
    }
    this.#back.push(() => {
      let from = 0;
      for (const part of parts) {
        for (let i = 0; i < n; i++) for (let j = 0; j < part.c; j++) part.g[i * part.c + j]! += y.g[i * y.c + from + j]!;
        from += part.c;
      }
    });
    return y;
  }

  /** Σ weight · a, whose gradient (1) starts the backward pass at once; returns the value. */
  collect(a: Mat, weight: Float64Array): number {
    let sum = 0;
    for (let i = 0; i < a.v.length; i++) {
      if (weight[i] === 0) continue;
      sum += weight[i]! * a.v[i]!;
      a.g[i]! += weight[i]!;
    }
    return sum;
  }
}

type Partial2 = (a: number, b: number, y: number) => number;
const plus: Partial2 = (a, b) => a + b;
const minus: Partial2 = (a, b) => a - b;
const times: Partial2 = (a, b) => a * b;
const over: Partial2 = (a, b) => a / b;
const one: Partial2 = () => 1;
const minusOne: Partial2 = () => -1;
const first: Partial2 = (a) => a;
const second: Partial2 = (_, b) => b;
const overA: Partial2 = (_, b) => 1 / b;
const overB: Partial2 = (_, b, y) => -y / b;
export const sigmoid = (a: number): number => (a >= 0 ? 1 / (1 + Math.exp(-a)) : Math.exp(a) / (1 + Math.exp(a)));
const softplus = (a: number): number => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));
const sigmoidSlope = (_: number, y: number): number => y * (1 - y);
const tanhSlope = (_: number, y: number): number => 1 - y * y;
const itself = (_: number, y: number): number => y;
const reciprocal = (a: number): number => 1 / a;
const squared = (a: number): number => a * a;
const twice = (a: number): number => 2 * a;
const halfOverRoot = (_: number, y: number): number => 0.5 / y;
