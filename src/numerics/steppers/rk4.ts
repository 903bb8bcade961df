import { allFinite, FixedSteps, type Derivative, type Stepper } from './stepper.ts';

/** The classical Runge–Kutta method of order 4 with a fixed step; inside a step the cubic Hermite polynomial, of order 4 as well. */
export class Rk4 implements Stepper {
  from = 0;
  to = 0;
  readonly #f: Derivative;
  readonly #steps: FixedSteps;
  readonly #before: Float64Array;
  readonly #after: Float64Array;
  readonly #stage: Float64Array;
  readonly #k: readonly Float64Array[];
  readonly #slope: Float64Array;

  constructor(f: Derivative, size: number, step: number) {
    this.#f = f;
    this.#steps = new FixedSteps(step);
    this.#before = new Float64Array(size);
    this.#after = new Float64Array(size);
    this.#stage = new Float64Array(size);
    this.#slope = new Float64Array(size);
    this.#k = Array.from({ length: 4 }, () => new Float64Array(size));
  }

  begin(start: number, end: number): void {
    this.to = start;
    this.#steps.begin(start, end);
  }

  advance(y: Float64Array): boolean {
    const [k1, k2, k3, k4] = this.#k;
    this.from = this.to;
    this.to = this.#steps.next();
    const h = this.to - this.from;
    const n = y.length;
    this.#before.set(y);
    this.#f(this.from, y, k1);
    for (let i = 0; i < n; i++) this.#stage[i] = y[i] + (h / 2) * k1[i];
    this.#f(this.from + h / 2, this.#stage, k2);
    for (let i = 0; i < n; i++) this.#stage[i] = y[i] + (h / 2) * k2[i];
    this.#f(this.from + h / 2, this.#stage, k3);
    for (let i = 0; i < n; i++) this.#stage[i] = y[i] + h * k3[i];
    this.#f(this.to, this.#stage, k4);
    for (let i = 0; i < n; i++) y[i] += (h / 6) * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
    this.#after.set(y);
    return allFinite(y);
  }

  interpolate(time: number, out: Float64Array): void {
    this.#f(this.to, this.#after, this.#slope);
    hermite(
      (time - this.from) / (this.to - this.from),
      this.to - this.from,
      this.#before,
      this.#k[0],
      this.#after,
      this.#slope,
      out,
    );
  }
}

/** The cubic with these values and slopes at both ends of a step of length h, at the share s of it. */
function hermite(
  s: number,
  h: number,
  before: Float64Array,
  slopeBefore: Float64Array,
  after: Float64Array,
  slopeAfter: Float64Array,
  out: Float64Array,
): void {
  const r = 1 - s;
  for (let i = 0; i < out.length; i++) {
    const bend = r * slopeBefore[i] - s * slopeAfter[i];
    out[i] = r * r * (1 + 2 * s) * before[i] + s * s * (1 + 2 * r) * after[i] + h * s * r * bend;
  }
}
