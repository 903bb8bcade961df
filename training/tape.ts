/**
 * A small reverse-mode tape over dense row-major matrices in f64, for the one thing tfjs is too slow at here: the filter's
 * recursion makes about 60 small operations a grid step, and tfjs-wasm spends 0.1–0.4 ms on each whatever its size, so one
 * gradient of the liver cohort would take an estimated 0.5 to 2 s there, against about 0.1 s measured on this tape
 * (docs/decisions/0003-training-on-a-tape.md).
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
  /** Memory of earlier passes, taken over by the next: fresh arrays cost more than the arithmetic in them. */
  #blocks: Float64Array[] = [];
  #block = 0;
  #used = 0;

  /** A constant or parameter view; parameters share their arrays with the optimiser. */
  leaf(n: number, c: number, v: Float64Array, g = new Float64Array(n * c)): Mat {
    return { n, c, v, g };
  }

  backward(): void {
    for (let i = this.#back.length - 1; i >= 0; i--) this.#back[i]!();
    this.restart();
  }

  /** Forgets what was recorded; nodes handed out before are no longer valid. */
  restart(): void {
    this.#back = [];
    this.#block = 0;
    this.#used = 0;
  }

  #take(size: number): Float64Array {
    let block = this.#blocks[this.#block];
    while (!block || this.#used + size > block.length) {
      if (block) this.#block++;
      this.#used = 0;
      block = this.#blocks[this.#block] ??= new Float64Array(Math.max(size, 1 << 18));
    }
    this.#used += size;
    return block.subarray(this.#used - size, this.#used);
  }

  #node(n: number, c: number): Mat {
    return { n, c, v: this.#take(n * c), g: this.#take(n * c).fill(0) };
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

  /** a + k·b; `b` may be one row, repeated. */
  #sum(a: Mat, b: Mat, k: number): Mat {
    const y = this.#node(a.n, a.c);
    const size = a.n * a.c;
    const wrap = b.n === 1 ? a.c : size;
    for (let i = 0, j = 0; i < size; i++, j = j + 1 === wrap ? 0 : j + 1) y.v[i] = a.v[i]! + k * b.v[j]!;
    this.#back.push(() => {
      for (let i = 0, j = 0; i < size; i++, j = j + 1 === wrap ? 0 : j + 1) {
        const g = y.g[i]!;
        a.g[i]! += g;
        b.g[j]! += k * g;
      }
    });
    return y;
  }

  /** Element by element; `b` may be one row, repeated. */
  mul(a: Mat, b: Mat): Mat {
    const y = this.#node(a.n, a.c);
    const size = a.n * a.c;
    const wrap = b.n === 1 ? a.c : size;
    for (let i = 0, j = 0; i < size; i++, j = j + 1 === wrap ? 0 : j + 1) y.v[i] = a.v[i]! * b.v[j]!;
    this.#back.push(() => {
      for (let i = 0, j = 0; i < size; i++, j = j + 1 === wrap ? 0 : j + 1) {
        const g = y.g[i]!;
        a.g[i]! += g * b.v[j]!;
        b.g[j]! += g * a.v[i]!;
      }
    });
    return y;
  }

  // Each function owns its loop and leaves the slope behind: one loop shared by closures is not compiled for any of them.
  #unary(a: Mat, fill: (a: Float64Array, y: Float64Array, slope: Float64Array) => void): Mat {
    const y = this.#node(a.n, a.c);
    const slope = this.#take(y.v.length);
    fill(a.v, y.v, slope);
    this.#back.push(() => {
      for (let i = 0; i < slope.length; i++) a.g[i]! += y.g[i]! * slope[i]!;
    });
    return y;
  }

  add = (a: Mat, b: Mat): Mat => this.#sum(a, b, 1);
  sub = (a: Mat, b: Mat): Mat => this.#sum(a, b, -1);
  div = (a: Mat, b: Mat): Mat => this.mul(a, this.#unary(b, fillReciprocal));
  sigmoid = (a: Mat): Mat => this.#unary(a, fillSigmoid);
  tanh = (a: Mat): Mat => this.#unary(a, fillTanh);
  exp = (a: Mat): Mat => this.#unary(a, fillExp);
  log = (a: Mat): Mat => this.#unary(a, fillLog);
  square = (a: Mat): Mat => this.#unary(a, fillSquare);
  softplus = (a: Mat): Mat => this.#unary(a, fillSoftplus);
  sqrt = (a: Mat): Mat => this.#unary(a, fillRoot);

  /** k·a + shift. */
  affine(a: Mat, k: number, shift: number): Mat {
    return this.#unary(a, (x, y, slope) => {
      for (let i = 0; i < x.length; i++) y[i] = k * x[i]! + shift;
      slope.fill(k);
    });
  }
  scale = (a: Mat, k: number): Mat => this.affine(a, k, 0);
  shift = (a: Mat, k: number): Mat => this.affine(a, 1, k);

  clamp(a: Mat, [low, high]: readonly [number, number]): Mat {
    return this.#unary(a, (x, y, slope) => {
      for (let i = 0; i < x.length; i++) {
        y[i] = Math.min(high, Math.max(low, x[i]!));
        slope[i] = x[i]! > low && x[i]! < high ? 1 : 0;
      }
    });
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
    const y = this.#node(
      n,
      parts.reduce((sum, part) => sum + part.c, 0),
    );
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

type Fill = (x: Float64Array, y: Float64Array, slope: Float64Array) => void;

const fillReciprocal: Fill = (x, y, slope) => {
  for (let i = 0; i < x.length; i++) {
    y[i] = 1 / x[i]!;
    slope[i] = -y[i]! * y[i]!;
  }
};
const fillSigmoid: Fill = (x, y, slope) => {
  for (let i = 0; i < x.length; i++) {
    y[i] = 1 / (1 + Math.exp(-x[i]!));
    slope[i] = y[i]! * (1 - y[i]!);
  }
};
const fillTanh: Fill = (x, y, slope) => {
  for (let i = 0; i < x.length; i++) {
    y[i] = Math.tanh(x[i]!);
    slope[i] = 1 - y[i]! * y[i]!;
  }
};
const fillExp: Fill = (x, y, slope) => {
  for (let i = 0; i < x.length; i++) slope[i] = y[i] = Math.exp(x[i]!);
};
const fillLog: Fill = (x, y, slope) => {
  for (let i = 0; i < x.length; i++) {
    y[i] = Math.log(x[i]!);
    slope[i] = 1 / x[i]!;
  }
};
const fillSquare: Fill = (x, y, slope) => {
  for (let i = 0; i < x.length; i++) {
    y[i] = x[i]! * x[i]!;
    slope[i] = 2 * x[i]!;
  }
};
const fillSoftplus: Fill = (x, y, slope) => {
  for (let i = 0; i < x.length; i++) {
    y[i] = Math.max(x[i]!, 0) + Math.log1p(Math.exp(-Math.abs(x[i]!)));
    slope[i] = 1 / (1 + Math.exp(-x[i]!));
  }
};
const fillRoot: Fill = (x, y, slope) => {
  for (let i = 0; i < x.length; i++) {
    y[i] = Math.sqrt(x[i]!);
    slope[i] = 0.5 / y[i]!;
  }
};
