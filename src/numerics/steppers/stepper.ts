/** dy/dt at (t, y), written to `dy`. */
export type Derivative = (t: number, y: Float64Array, dy: Float64Array) => void;

/**
 * One-step methods for dy/dt = f(t, y) on pieces of time on which f is smooth. The caller begins a piece, asks for steps until `to`
 * has reached its end, and may look at the state inside the last step.
 */
export interface Stepper {
  /** A new piece, from `start` to `end`: what was carried over is forgotten, the first step starts at `start`. */
  begin(start: number, end: number): void;
  /** One step, `y` in place. False where the method cannot go on: the state is no number, or the steps have run out. */
  advance(y: Float64Array): boolean;
  /** The last step went from `from` … */
  readonly from: number;
  /** … to `to`. */
  readonly to: number;
  /** The state at `time` inside the last step, written to `out`. To be asked before the next step, with f as it was. */
  interpolate(time: number, out: Float64Array): void;
}

/** Bounds of adaptive steppers. Times in the unit of t; the error in a component is held against absolute·scale + relative·|y|. */
export interface AdaptiveOptions {
  readonly relativeTolerance: number;
  readonly absoluteTolerance: number;
  /** A usual size of each component. */
  readonly scales: Float64Array;
  /** Tried at the start of each piece. */
  readonly firstStep: number;
  readonly maximumStep: number;
  /** Steps tried since the stepper was made or `reset`, rejected ones included. */
  readonly maximumSteps: number;
}

/** Root mean square of the error over its tolerances: at most 1 in an accepted step. NaN where a state is none. */
export function errorNorm(error: Float64Array, before: Float64Array, after: Float64Array, options: AdaptiveOptions): number {
  let sum = 0;
  for (let i = 0; i < error.length; i++) {
    const size = Math.max(Math.abs(before[i]), Math.abs(after[i]));
    sum += (error[i] / (options.absoluteTolerance * options.scales[i] + options.relativeTolerance * size)) ** 2;
  }
  return error.length === 0 ? 0 : Math.sqrt(sum / error.length);
}

/**
 * Ends of equal steps from `start` to `end`, counted in integers so that nothing drifts; the last is what is left. A remainder below
 * a millionth of a step is rounding and no step of its own.
 */
export class FixedSteps {
  readonly #step: number;
  #start = 0;
  #end = 0;
  #count = 0;
  #taken = 0;

  constructor(step: number) {
    this.#step = step;
  }

  begin(start: number, end: number): void {
    this.#start = start;
    this.#end = end;
    this.#count = Math.max(1, Math.ceil((end - start) / this.#step - 1e-6));
    this.#taken = 0;
  }

  next(): number {
    this.#taken++;
    return this.#taken >= this.#count ? this.#end : this.#start + this.#taken * this.#step;
  }
}

/**
 * The standard controller of adaptive steppers: safety 0.9, a step changes by a factor between `shrink` and 5 and does not grow right
 * after a rejection. `order` is that of the local error, whose root the factor is.
 */
export class AdaptiveSteps {
  readonly #options: AdaptiveOptions;
  readonly #order: number;
  readonly #shrink: number;
  #end = 0;
  #next = 0;
  #tried = 0;

  constructor(options: AdaptiveOptions, order: number, shrink: number) {
    this.#options = options;
    this.#order = order;
    this.#shrink = shrink;
  }

  /** The count of steps starts anew. */
  reset(): void {
    this.#tried = 0;
  }

  begin(end: number): void {
    this.#end = end;
    this.#next = this.#options.firstStep;
  }

  /** The end of the first step from `from` whose error norm, as `attempt` gives it for a length, is accepted; null where none is. */
  next(from: number, attempt: (h: number) => number): number | null {
    const { maximumStep, maximumSteps } = this.#options;
    let wasRejected = false;
    while (this.#tried++ < maximumSteps) {
      const wanted = Math.min(this.#next, maximumStep);
      // A step that would leave less than a millionth of itself takes the rest as well.
      const isLast = from + wanted * (1 + 1e-6) >= this.#end;
      const h = isLast ? this.#end - from : wanted;
      if (!(h > Math.abs(from) * 1e-15) && !isLast) return null;
      const norm = attempt(h);
      const factor = Number.isFinite(norm)
        ? Math.min(wasRejected ? 1 : 5, Math.max(this.#shrink, 0.9 * norm ** (-1 / this.#order)))
        : this.#shrink;
      if (norm <= 1) {
        // A step cut short by the end says nothing about the next one that it did not know before.
        this.#next = isLast ? Math.max(wanted, h * factor) : h * factor;
        return isLast ? this.#end : from + h;
      }
      wasRejected = true;
      this.#next = h * factor;
    }
    return null;
  }
}

export function allFinite(values: Float64Array): boolean {
  for (const value of values) if (!Number.isFinite(value)) return false;
  return true;
}
