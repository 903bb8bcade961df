import { AdaptiveSteps, errorNorm, type AdaptiveOptions, type Derivative, type Stepper } from './stepper.ts';

/** RODAS of Hairer & Wanner (1996), section IV.7, in the form that solves for U = h·γ-combinations and needs no J·k. */
const gamma = 0.25;
const c = [0, 0.386, 0.21, 0.63, 1, 1] as const;
const d = [0.25, -0.1043, 0.1035, -0.0362, 0, 0] as const;
const a = [
  [],
  [1.544],
  [0.9466785280815826, 0.2557011698983284],
  [3.314825187068521, 2.896124015972201, 0.9986419139977817],
  [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.687886036105895],
  [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.687886036105895, 1],
] as const;
const coupling = [
  [],
  [-5.6688],
  [-2.430093356833875, -0.2063599157091915],
  [-0.1073529058151375, -9.594562251023355, -20.47028614809616],
  [7.496443313967647, -10.24680431464352, -33.99990352819905, 11.7089089320616],
  [8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054],
] as const;
const dense = [
  [10.12623508344586, -7.487995877610167, -34.80091861555747, -7.992771707568823, 1.025137723295662],
  [-0.6762803392801253, 6.087714651680015, 16.43084320892478, 24.76722511418386, -6.594389125716872],
] as const;

/** The numbers of the method, for engines that have it in another language. */
export const rodas = { gamma, c, d, a, coupling, dense } as const;

/** ∂f/∂y at (t, y), row-major, written to `out` [n × n]. */
export type Jacobian = (t: number, y: Float64Array, out: Float64Array) => void;

/**
 * A linearly implicit method of order 4 with an embedded one of order 3, L-stable and stiffly accurate: six right-hand sides, one
 * Jacobian and one LU decomposition a step. Where f depends on t, ∂f/∂t comes from one more right-hand side. Steps change by a
 * factor between 1/6 and 5, safety 0.9, and do not grow right after a rejection.
 */
export class Rosenbrock implements Stepper {
  from = 0;
  to = 0;
  readonly #f: Derivative;
  readonly #jacobian: Jacobian;
  readonly #isAutonomous: boolean;
  readonly #options: AdaptiveOptions;
  readonly #steps: AdaptiveSteps;
  readonly #u: readonly Float64Array[];
  readonly #before: Float64Array;
  readonly #after: Float64Array;
  readonly #slope: Float64Array;
  readonly #timeSlope: Float64Array;
  readonly #right: Float64Array;
  readonly #j: Float64Array;
  readonly #lu: Float64Array;
  readonly #pivots: Int32Array;

  constructor(f: Derivative, jacobian: Jacobian, size: number, options: AdaptiveOptions & { readonly isAutonomous: boolean }) {
    this.#f = f;
    this.#jacobian = jacobian;
    this.#isAutonomous = options.isAutonomous;
    this.#options = options;
    this.#steps = new AdaptiveSteps(options, 4, 1 / 6);
    this.#u = Array.from({ length: 6 }, () => new Float64Array(size));
    this.#before = new Float64Array(size);
    this.#after = new Float64Array(size);
    this.#slope = new Float64Array(size);
    this.#timeSlope = new Float64Array(size);
    this.#right = new Float64Array(size);
    this.#j = new Float64Array(size * size);
    this.#lu = new Float64Array(size * size);
    this.#pivots = new Int32Array(size);
  }

  /** The count of steps starts anew. */
  reset(): void {
    this.#steps.reset();
  }

  begin(start: number, end: number): void {
    this.to = start;
    this.#steps.begin(end);
  }

  advance(y: Float64Array): boolean {
    this.from = this.to;
    this.#before.set(y);
    this.#linearise(y);
    const end = this.#steps.next(this.from, (h) => this.#try(h));
    if (end === null) return false;
    this.to = end;
    y.set(this.#after);
    return true;
  }

  /** Jacobian, slope and ∂f/∂t at the start of the step: the same for every length that is tried. */
  #linearise(y: Float64Array): void {
    const t = this.from;
    this.#f(t, y, this.#slope);
    this.#jacobian(t, y, this.#j);
    if (this.#isAutonomous) return;
    // The step of RODAS for this difference: half the digits of t, and of 1e-5 near zero.
    const delta = Math.sqrt(Number.EPSILON * Math.max(1e-5, Math.abs(t)));
    this.#f(t + delta, y, this.#timeSlope);
    for (let i = 0; i < y.length; i++) this.#timeSlope[i] = (this.#timeSlope[i] - this.#slope[i]) / delta;
  }

  #try(h: number): number {
    const before = this.#before;
    const after = this.#after;
    const right = this.#right;
    const u = this.#u;
    const n = before.length;
    for (let i = 0; i < n * n; i++) this.#lu[i] = -this.#j[i];
    for (let i = 0; i < n; i++) this.#lu[i * n + i] += 1 / (h * gamma);
    if (!decompose(this.#lu, this.#pivots)) return Infinity;
    for (let stage = 0; stage < 6; stage++) {
      if (stage === 0) right.set(this.#slope);
      else {
        for (let i = 0; i < n; i++) {
          let sum = before[i];
          for (let j = 0; j < stage; j++) sum += a[stage][j] * u[j][i];
          after[i] = sum;
        }
        this.#f(this.from + c[stage] * h, after, right);
      }
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j < stage; j++) sum += coupling[stage][j] * u[j][i];
        right[i] += sum / h + (this.#isAutonomous ? 0 : h * d[stage] * this.#timeSlope[i]);
      }
      substitute(this.#lu, this.#pivots, right);
      u[stage].set(right);
    }
    // `after` holds the result of order 3 (stiffly accurate stage 6); the last stage is its error.
    for (let i = 0; i < n; i++) after[i] += u[5][i];
    return errorNorm(u[5], before, after, this.#options);
  }

  interpolate(time: number, out: Float64Array): void {
    const s = (time - this.from) / (this.to - this.from);
    for (let i = 0; i < out.length; i++) {
      let first = 0;
      let second = 0;
      for (let j = 0; j < 5; j++) {
        first += dense[0][j] * this.#u[j][i];
        second += dense[1][j] * this.#u[j][i];
      }
      out[i] = (1 - s) * this.#before[i] + s * (this.#after[i] + (1 - s) * (first + s * second));
    }
  }
}

/** LU decomposition with row pivots in place; false where the matrix is singular or not finite. */
function decompose(matrix: Float64Array, pivots: Int32Array): boolean {
  const n = pivots.length;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(matrix[i * n + k]) > Math.abs(matrix[pivot * n + k])) pivot = i;
    pivots[k] = pivot;
    const value = matrix[pivot * n + k];
    if (!(Math.abs(value) > 0) || !Number.isFinite(value)) return false;
    for (let j = 0; j < n && pivot !== k; j++) {
      const held = matrix[k * n + j];
      matrix[k * n + j] = matrix[pivot * n + j];
      matrix[pivot * n + j] = held;
    }
    for (let i = k + 1; i < n; i++) {
      const factor = (matrix[i * n + k] /= value);
      if (factor === 0) continue;
      for (let j = k + 1; j < n; j++) matrix[i * n + j] -= factor * matrix[k * n + j];
    }
  }
  return true;
}

/** Solves with what `decompose` left; `right` in place. */
function substitute(lu: Float64Array, pivots: Int32Array, right: Float64Array): void {
  const n = pivots.length;
  for (let k = 0; k < n; k++) {
    const held = right[k];
    right[k] = right[pivots[k]];
    right[pivots[k]] = held;
  }
  for (let i = 1; i < n; i++) for (let j = 0; j < i; j++) right[i] -= lu[i * n + j] * right[j];
  for (let i = n - 1; i >= 0; i--) {
    for (let j = i + 1; j < n; j++) right[i] -= lu[i * n + j] * right[j];
    right[i] /= lu[i * n + i];
  }
}
