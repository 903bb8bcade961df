/**
 * The learned model of the tumour benchmark: a mixed model whose basis is a network. With y the relative change of a day's volume,
 *
 *   y = φ₀(x) + z · φ(x) + σ ε,   ε ~ N(0, 1),
 *   z ~ Σ_g w_g N(μ_g + W type, Λ_g⁻¹)                     a person's traits, constant
 *   x = [log volume, memory, chemotherapy, radiotherapy]    memory: mₜ = a ⊙ mₜ₋₁ + B · treatmentₜ, decay a and B learned
 *   φ = A x + b + C ρ(D x + d),  ρ(s) = s / √(1 + s²)       what is linear, and a correction by a hidden layer
 *
 * These are the parts of the learned packs (traits with a prior that depends on covariates, a recurrent core driven by the plan, a
 * drift that is linear but for a correction, innovations), with two differences: traits multiply what the network makes of the step,
 * where a pack's traits reach treatments through the core only, and the core reads treatments only. In return z given a history is a
 * mixture of Gaussians in closed form, its evidence too, and no encoder or particle filter is needed.
 *
 * What it takes for granted: relative change with one noise, additive in the traits; traces of treatments that decay exponentially.
 * It is told no rate, no half-life, no capacity and no form of the dependence on volume or on treatment.
 */
import { cholesky, inverseCholesky, logDeterminantCholesky, multiplyVector, quadraticForm } from '#numerics/linear-algebra.ts';
import type { RandomSequence } from '#numerics/random.ts';

export interface ModelShape {
  /** L: none is a model without traits. */
  readonly traits: number;
  /** Gaussians in the prior of z. */
  readonly components: number;
  /** E: units of the memory. */
  readonly memory: number;
  /** Units of the hidden layer. */
  readonly hidden: number;
  /** Whether the memory also reads how the volume changed: what a model without traits needs to learn from a history. */
  readonly readsCourse: boolean;
}

/** ln(volume) → input: mean and sd over the active days of the people learned from. */
export interface VolumeScale {
  readonly mean: number;
  readonly sd: number;
}

const smallestVolume = 1e-9;
/** Relative changes are a few hundredths: about one after this, as the other inputs of the memory are. */
const changeScale = 10;

export class TumourModel {
  readonly shape: ModelShape;
  readonly scale: VolumeScale;
  readonly theta: Float64Array;
  readonly gradient: Float64Array;
  /** Inputs x. */
  readonly inputs: number;
  /** Outputs φ₀, φ. */
  readonly outputs: number;
  /** Inputs of the memory. */
  readonly driven: number;
  readonly #at: Record<string, { from: number; to: number }> = {};

  constructor(shape: ModelShape, scale: VolumeScale) {
    this.shape = shape;
    this.scale = scale;
    const { traits: L, components: G, memory: E, hidden: H } = shape;
    this.inputs = 1 + E + 2;
    this.outputs = 1 + L;
    this.driven = shape.readsCourse ? 6 : 3;
    const sizes: Readonly<Record<string, number>> = {
      decay: E,
      drive: E * this.driven,
      hiddenW: H * this.inputs,
      hiddenBias: H,
      linear: this.outputs * this.inputs,
      bias: this.outputs,
      readout: this.outputs * H,
      logNoise: 1,
      mixture: G,
      centres: G * L,
      types: 3 * L,
      factors: G * L * L,
    };
    let from = 0;
    for (const [name, size] of Object.entries(sizes)) {
      this.#at[name] = { from, to: from + size };
      from += size;
    }
    this.theta = new Float64Array(from);
    this.gradient = new Float64Array(from);
  }

  /** Views that share the optimiser's arrays. */
  view = (name: string): Float64Array => this.theta.subarray(this.#at[name]!.from, this.#at[name]!.to);
  slope = (name: string): Float64Array => this.gradient.subarray(this.#at[name]!.from, this.#at[name]!.to);

  initialise(random: RandomSequence): void {
    const { traits: L, components: G, memory: E } = this.shape;
    const fill = (name: string, sd: number): void => {
      const values = this.view(name);
      for (let i = 0; i < values.length; i++) values[i] = sd * random.normal();
    };
    // Decays from a day to two weeks, in the logit.
    this.view('decay').forEach((_, i, all) => (all[i] = -1 + (4 * i) / Math.max(E - 1, 1)));
    fill('drive', 0.5);
    fill('hiddenW', 0.7);
    fill('hiddenBias', 0.7);
    fill('linear', 0.05);
    fill('readout', 0.02);
    fill('centres', 0.5);
    this.view('logNoise')[0] = Math.log(0.1);
    for (let g = 0; g < G; g++) for (let l = 0; l < L; l++) this.view('factors')[(g * L + l) * L + l] = 0;
  }

  get noiseVariance(): number {
    return Math.exp(2 * this.view('logNoise')[0]!);
  }

  logVolume(volume: number): number {
    return (Math.log(Math.max(volume, smallestVolume)) - this.scale.mean) / this.scale.sd;
  }

  /** What drives the memory today: [driven]. `course` is yesterday's relative change and treatment. */
  drive(out: Float64Array, chemo: number, radio: number, course: { change: number; chemo: number; radio: number }): void {
    out[0] = chemo;
    out[1] = radio;
    out[2] = chemo * radio;
    if (!this.shape.readsCourse) return;
    const change = changeScale * Math.min(Math.max(course.change, -1), 1);
    out[3] = change;
    out[4] = change * course.chemo;
    out[5] = change * course.radio;
  }

  /** `memory` becomes today's. */
  remember(memory: Float64Array, driven: Float64Array): void {
    const decay = this.view('decay');
    const drive = this.view('drive');
    const width = this.driven;
    for (let e = 0; e < memory.length; e++) {
      let next = memory[e]! / (1 + Math.exp(-decay[e]!));
      for (let j = 0; j < width; j++) next += drive[e * width + j]! * driven[j]!;
      memory[e] = next;
    }
  }
}

/** The network of a model, in two parts: what does not depend on today's volume is shared by all draws of a forecast. */
export class Basis {
  readonly #model: TumourModel;
  readonly #W: Float64Array;
  readonly #d: Float64Array;
  readonly #A: Float64Array;
  readonly #b: Float64Array;
  readonly #C: Float64Array;

  constructor(model: TumourModel) {
    this.#model = model;
    this.#W = model.view('hiddenW');
    this.#d = model.view('hiddenBias');
    this.#A = model.view('linear');
    this.#b = model.view('bias');
    this.#C = model.view('readout');
  }

  /** [units of the hidden layer + outputs] */
  newRest(): Float64Array {
    return new Float64Array(this.#d.length + this.#b.length);
  }

  /** What the inputs after the volume, `x[at + 1…]`, add to the hidden layer and to the outputs. */
  rest(x: Float64Array, at: number, rest: Float64Array): void {
    const { inputs: D, outputs: O } = this.#model;
    const H = this.#d.length;
    for (let i = 0; i < H; i++) {
      let s = this.#d[i]!;
      for (let k = 1; k < D; k++) s += this.#W[i * D + k]! * x[at + k]!;
      rest[i] = s;
    }
    for (let o = 0; o < O; o++) {
      let sum = this.#b[o]!;
      for (let k = 1; k < D; k++) sum += this.#A[o * D + k]! * x[at + k]!;
      rest[H + o] = sum;
    }
  }

  /** φ₀, φ to `out[to…]`; what hidden units gave and their slopes to `hidden` and `slopes` from `h` on. */
  complete(
    rest: Float64Array,
    logVolume: number,
    out: Float64Array,
    to: number,
    hidden: Float64Array,
    slopes: Float64Array,
    h = 0,
  ): void {
    const { inputs: D, outputs: O } = this.#model;
    const H = this.#d.length;
    for (let i = 0; i < H; i++) {
      const s = rest[i]! + this.#W[i * D]! * logVolume;
      const root = 1 / Math.sqrt(1 + s * s);
      hidden[h + i] = s * root;
      slopes[h + i] = root * root * root;
    }
    for (let o = 0; o < O; o++) {
      let sum = rest[H + o]! + this.#A[o * D]! * logVolume;
      for (let i = 0; i < H; i++) sum += this.#C[o * H + i]! * hidden[h + i]!;
      out[to + o] = sum;
    }
  }
}

/** One Gaussian of the posterior of z. */
export interface TraitComponent {
  /** Of the mixture; they sum to 1. */
  weight: number;
  readonly mean: number[];
  readonly covariance: number[][];
}

/** The prior of z, ready to meet observations. */
export class TraitPrior {
  readonly #L: number;
  readonly components: readonly {
    readonly logWeight: number;
    /** C with Λ = C Cᵀ, its diagonal positive. */
    readonly factor: number[][];
    readonly precision: number[][];
    readonly halfLogDeterminant: number;
    /** By type. */
    readonly means: readonly number[][];
  }[];

  constructor(model: TumourModel) {
    const { traits: L, components: G } = model.shape;
    this.#L = L;
    const [mixture, centres, types, factors] = ['mixture', 'centres', 'types', 'factors'].map(model.view);
    const top = Math.max(...mixture!);
    const total = top + Math.log(mixture!.reduce((sum, value) => sum + Math.exp(value - top), 0));
    this.components = Array.from({ length: G }, (_, g) => {
      const factor = Array.from({ length: L }, (_row, i) =>
        Array.from({ length: L }, (_column, j) => {
          const value = factors![(g * L + i) * L + j]!;
          return i === j ? Math.exp(value) : i > j ? value : 0;
        }),
      );
      const precision = factor.map((row, i) =>
        factor.map((other, j) => row.reduce((sum, v, k) => sum + (k <= Math.min(i, j) ? v * other[k]! : 0), 0)),
      );
      return {
        logWeight: mixture![g]! - total,
        factor,
        precision,
        halfLogDeterminant: factor.reduce((sum, row, i) => sum + Math.log(row[i]!), 0),
        means: [0, 1, 2].map((type) => Array.from({ length: L }, (_l, l) => centres![g * L + l]! + types![type * L + l]!)),
      };
    });
  }

  /**
   * Posterior given `information` = Φᵀ(y − φ₀)/σ² and `precision` = ΦᵀΦ/σ²; weights are relative to `logEvidence`, which lacks what
   * does not depend on z.
   */
  posterior(
    type: number,
    precision: Float64Array,
    information: Float64Array,
  ): { logEvidence: number; components: TraitComponent[] } {
    const L = this.#L;
    const logs: number[] = [];
    const components = this.components.map((prior): TraitComponent => {
      if (L === 0) {
        logs.push(prior.logWeight);
        return { weight: 1, mean: [], covariance: [] };
      }
      const centre = prior.means[type]!;
      const P = prior.precision.map((row, i) => row.map((value, j) => value + precision[i * L + j]!));
      const factor = cholesky(P)!;
      const covariance = inverseCholesky(factor);
      const pull = multiplyVector(prior.precision, centre).map((value, i) => value + information[i]!);
      const mean = multiplyVector(covariance, pull);
      const fit = pull.reduce((sum, value, i) => sum + value * mean[i]!, 0);
      const log = prior.logWeight + prior.halfLogDeterminant - logDeterminantCholesky(factor) / 2;
      logs.push(log + (fit - quadraticForm(prior.precision, centre)) / 2);
      return { weight: 0, mean, covariance };
    });
    return { logEvidence: weigh(components, logs), components };
  }
}

/** Sets the weights in proportion to exp(log); returns the logarithm of their sum. */
export function weigh(components: readonly TraitComponent[], logs: readonly number[]): number {
  const top = Math.max(...logs);
  const sum = logs.reduce((total, log) => total + Math.exp(log - top), 0);
  components.forEach((component, g) => (component.weight = Math.exp(logs[g]! - top) / sum));
  return top + Math.log(sum);
}
