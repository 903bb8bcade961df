import { AdaptiveSteps, errorNorm, type AdaptiveOptions, type Derivative, type Stepper } from './stepper.ts';

/** Dormand & Prince (1980), RK5(4)7M: nodes, stages, and the difference of the two results. Row 6 is the result of order 5 itself. */
const c = [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1] as const;
const a = [
  [],
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
] as const;
const errorWeights = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40] as const;
/** Shampine's interpolant of order 4 as Hairer, Nørsett & Wanner (1993) have it in DOPRI5. */
const denseWeights = [
  -12715105075 / 11282082432,
  0,
  87487479700 / 32700410799,
  -10690763975 / 1880347072,
  701980252875 / 199316789632,
  -1453857185 / 822651844,
  69997945 / 29380423,
] as const;

/** The numbers of the method, for engines that have it in another language. */
export const dormandPrince = { c, a, error: errorWeights, dense: denseWeights } as const;

/**
 * Dormand–Prince 5(4) with the standard controller: safety 0.9, a step changes by a factor between 0.2 and 5 and does not grow right
 * after a rejection. The last stage of a step is the first of the next (FSAL) until a new piece begins.
 */
export class Dopri5 implements Stepper {
  from = 0;
  to = 0;
  readonly #f: Derivative;
  readonly #options: AdaptiveOptions;
  readonly #steps: AdaptiveSteps;
  readonly #k: Float64Array[];
  readonly #before: Float64Array;
  readonly #after: Float64Array;
  readonly #error: Float64Array;
  #hasFirstStage = false;

  constructor(f: Derivative, size: number, options: AdaptiveOptions) {
    this.#f = f;
    this.#options = options;
    this.#steps = new AdaptiveSteps(options, 5, 0.2);
    this.#k = Array.from({ length: 7 }, () => new Float64Array(size));
    this.#before = new Float64Array(size);
    this.#after = new Float64Array(size);
    this.#error = new Float64Array(size);
  }

  /** The count of steps starts anew. */
  reset(): void {
    this.#steps.reset();
  }

  begin(start: number, end: number): void {
    this.to = start;
    this.#steps.begin(end);
    this.#hasFirstStage = false;
  }

  advance(y: Float64Array): boolean {
    const k = this.#k;
    this.from = this.to;
    this.#before.set(y);
    if (this.#hasFirstStage) k.unshift(k.pop()!);
    else this.#f(this.from, y, k[0]);
    this.#hasFirstStage = true;
    const end = this.#steps.next(this.from, (h) => this.#try(h));
    if (end === null) return false;
    this.to = end;
    y.set(this.#after);
    return true;
  }

  /** Stages and result of a step of length h; the norm of its error. */
  #try(h: number): number {
    const before = this.#before;
    const after = this.#after;
    const k = this.#k;
    const n = before.length;
    for (let stage = 1; stage < 7; stage++) {
      const row = a[stage];
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j < stage; j++) sum += row[j] * k[j][i];
        after[i] = before[i] + h * sum;
      }
      this.#f(this.from + c[stage] * h, after, k[stage]);
    }
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < 7; j++) sum += errorWeights[j] * k[j][i];
      this.#error[i] = h * sum;
    }
    return errorNorm(this.#error, before, after, this.#options);
  }

  interpolate(time: number, out: Float64Array): void {
    const h = this.to - this.from;
    const s = (time - this.from) / h;
    const k = this.#k;
    for (let i = 0; i < out.length; i++) {
      const difference = this.#after[i] - this.#before[i];
      const bend = h * k[0][i] - difference;
      let correction = 0;
      for (let j = 0; j < 7; j++) correction += denseWeights[j] * k[j][i];
      const inner = difference - h * k[6][i] - bend + (1 - s) * h * correction;
      out[i] = this.#before[i] + s * (difference + (1 - s) * (bend + s * inner));
    }
  }
}
