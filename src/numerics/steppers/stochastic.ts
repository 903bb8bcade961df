import { allFinite, type Derivative, type Stepper } from './stepper.ts';

export interface StochasticOptions {
  /** Steps are [origin + k·step, origin + (k+1)·step), k from 0. */
  readonly origin: number;
  readonly step: number;
  /** Standard normals of step k, one a component, written to `out`. Asked for again where a piece ends inside a step. */
  readonly normals: (k: number, out: Float64Array) => void;
}

/**
 * The grid of a stochastic stepper and its Brownian path: W moves by √step · z over a step and in a straight line inside it. A piece
 * that ends inside a step splits the step, and both parts share its increment in proportion to their lengths, so that a path is
 * the same wherever pieces begin.
 */
class BrownianSteps {
  readonly normals: Float64Array;
  readonly #options: StochasticOptions;
  #end = 0;
  #k = 0;

  constructor(size: number, options: StochasticOptions) {
    this.normals = new Float64Array(size);
    this.#options = options;
  }

  begin(start: number, end: number): void {
    this.#end = end;
    // A start within a millionth of a step of the grid is on the grid.
    this.#k = Math.floor((start - this.#options.origin) / this.#options.step + 1e-6);
  }

  /** End of the step that starts at `from`, no later than the piece's; dW is then `normals` times `scale(from, to)`. */
  next(): number {
    this.#options.normals(this.#k, this.normals);
    this.#k++;
    const gridEnd = this.#options.origin + this.#k * this.#options.step;
    return gridEnd > this.#end - 1e-6 * this.#options.step ? this.#end : gridEnd;
  }

  scale(from: number, to: number): number {
    return (to - from) / Math.sqrt(this.#options.step);
  }
}

/** dy = f dt + g dW with one independent Wiener process a component (Itô). Inside a step the state moves in a straight line. */
abstract class StochasticStepper implements Stepper {
  from = 0;
  to = 0;
  protected readonly drift: Derivative;
  protected readonly diffusion: Derivative;
  protected readonly steps: BrownianSteps;
  protected readonly before: Float64Array;
  protected readonly after: Float64Array;
  protected readonly slope: Float64Array;
  protected readonly spread: Float64Array;

  constructor(drift: Derivative, diffusion: Derivative, size: number, options: StochasticOptions) {
    this.drift = drift;
    this.diffusion = diffusion;
    this.steps = new BrownianSteps(size, options);
    this.before = new Float64Array(size);
    this.after = new Float64Array(size);
    this.slope = new Float64Array(size);
    this.spread = new Float64Array(size);
  }

  begin(start: number, end: number): void {
    this.to = start;
    this.steps.begin(start, end);
  }

  advance(y: Float64Array): boolean {
    this.from = this.to;
    this.to = this.steps.next();
    this.before.set(y);
    this.move(this.to - this.from, this.steps.scale(this.from, this.to));
    y.set(this.after);
    return allFinite(y);
  }

  /** From `before` to `after` in h, with dW = normals · scale. */
  protected abstract move(h: number, scale: number): void;

  interpolate(time: number, out: Float64Array): void {
    const s = (time - this.from) / (this.to - this.from);
    for (let i = 0; i < out.length; i++) out[i] = this.before[i] + s * (this.after[i] - this.before[i]);
  }
}

/** Euler & Maruyama. Kloeden & Platen (1992), section 10.2: strong order 0.5, 1.0 where the noise is additive; weak order 1.0. */
export class EulerMaruyama extends StochasticStepper {
  protected move(h: number, scale: number): void {
    this.drift(this.from, this.before, this.slope);
    this.diffusion(this.from, this.before, this.spread);
    for (let i = 0; i < this.after.length; i++) {
      this.after[i] = this.before[i] + h * this.slope[i] + scale * this.spread[i] * this.steps.normals[i];
    }
  }
}

/**
 * Heun's average of the drift over both ends of the step, with the diffusion of its start: the predictor–corrector of Kloeden & Platen
 * (1992), section 15.5, with α = ½ and η = 0. Of the same orders as Euler–Maruyama, but of order 2 in the drift, which is what
 * counts when the noise is small; and, unlike the Heun scheme that averages the diffusion too, it stays with Itô.
 */
export class Heun extends StochasticStepper {
  readonly #predicted: Float64Array;

  constructor(drift: Derivative, diffusion: Derivative, size: number, options: StochasticOptions) {
    super(drift, diffusion, size, options);
    this.#predicted = new Float64Array(size);
  }

  protected move(h: number, scale: number): void {
    this.drift(this.from, this.before, this.slope);
    this.diffusion(this.from, this.before, this.spread);
    for (let i = 0; i < this.after.length; i++) {
      this.after[i] = this.before[i] + scale * this.spread[i] * this.steps.normals[i];
      this.#predicted[i] = this.after[i] + h * this.slope[i];
      this.after[i] += (h / 2) * this.slope[i];
    }
    this.drift(this.to, this.#predicted, this.slope);
    for (let i = 0; i < this.after.length; i++) this.after[i] += (h / 2) * this.slope[i];
  }
}
