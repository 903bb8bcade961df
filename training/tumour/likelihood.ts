/**
 * Log-likelihood of people's courses with the traits integrated out, and its gradient. Fisher's identity gives the gradient as the
 * mean, over the posterior of the traits, of the gradient with the traits known: nothing is differentiated through the inference.
 */
import { inverseCholesky } from '#numerics/linear-algebra.ts';
import { normalCdf, normalPdf } from '#numerics/special-functions.ts';
import type { Series } from './cohort.ts';
import { days } from './simulator.ts';
import { Basis, TraitPrior, weigh, type TraitComponent, type TumourModel } from './model.ts';

/** What is known of the last, limited change y: its own mean and variance, and covariance with z, by component of the posterior. */
interface LimitedChange {
  readonly mean: number;
  readonly variance: number;
  readonly covariance: readonly number[];
}

export class Likelihood {
  readonly #model: TumourModel;
  readonly #basis: Basis;
  readonly #rest: Float64Array;
  readonly #x: Float64Array;
  readonly #driven: Float64Array;
  readonly #out: Float64Array;
  readonly #hidden: Float64Array;
  readonly #slopes: Float64Array;
  readonly #dOut: Float64Array;
  readonly #memory: Float64Array;
  readonly #precision: Float64Array;
  readonly #information: Float64Array;
  #prior: TraitPrior;
  #priorCovariances: number[][][];

  constructor(model: TumourModel) {
    const { traits: L, memory: E, hidden: H } = model.shape;
    this.#model = model;
    this.#basis = new Basis(model);
    this.#rest = this.#basis.newRest();
    this.#x = new Float64Array(days * model.inputs);
    this.#driven = new Float64Array(days * model.driven);
    this.#out = new Float64Array(days * model.outputs);
    this.#hidden = new Float64Array(days * H);
    this.#slopes = new Float64Array(days * H);
    this.#dOut = new Float64Array(days * model.outputs);
    this.#memory = new Float64Array(E);
    this.#precision = new Float64Array(L * L);
    this.#information = new Float64Array(L);
    this.#prior = new TraitPrior(model);
    this.#priorCovariances = [];
    this.update();
  }

  /** To be called when the parameters have changed. */
  update(): void {
    this.#prior = new TraitPrior(this.#model);
    this.#priorCovariances = this.#prior.components.map(({ factor }) => inverseCholesky(factor));
  }

  /** Log-likelihood of a person, whose gradient times `weight` is added to the model's unless `weight` is 0. */
  person(series: Series, weight: number, stepWeights?: Float64Array): number {
    const { outputs: O } = this.#model;
    const L = O - 1;
    const steps = series.changes.length;
    if (steps === 0) return 0;
    this.#forward(series);
    const variance = this.#model.noiseVariance;
    const free = series.limit === 0 ? steps : steps - 1;
    const [out, precision, information] = [this.#out, this.#precision.fill(0), this.#information.fill(0)];
    let [squares, counted] = [0, 0];
    for (let t = 0; t < free; t++) {
      const w = stepWeights?.[t] ?? 1;
      const y = series.changes[t]! - out[t * O]!;
      squares += w * y * y;
      counted += w;
      for (let i = 0; i < L; i++) {
        const phi = (w * out[t * O + 1 + i]!) / variance;
        information[i]! += phi * y;
        for (let j = 0; j < L; j++) precision[i * L + j]! += phi * out[t * O + 1 + j]!;
      }
    }
    const { logEvidence, components } = this.#prior.posterior(series.type, precision, information);
    let log = logEvidence - squares / (2 * variance) - (counted / 2) * Math.log(2 * Math.PI * variance);
    const lastWeight = stepWeights?.[free] ?? 1;
    const limited = series.limit === 0 ? null : this.#limit(components, series, free, variance);
    if (limited) log += lastWeight * limited.log;
    if (weight !== 0) this.#backward(series, components, limited?.changes ?? null, { weight, free, variance, stepWeights });
    return log;
  }

  #forward(series: Series): void {
    const model = this.#model;
    const { inputs: D, driven: J } = model;
    const { memory: E, hidden: H } = model.shape;
    const memory = this.#memory.fill(0);
    const course = { change: 0, chemo: 0, radio: 0 };
    for (let t = 0; t < series.changes.length; t++) {
      const [chemo, radio] = [series.chemo[t]!, series.radio[t]!];
      const driven = this.#driven.subarray(t * J, (t + 1) * J);
      model.drive(driven, chemo, radio, course);
      model.remember(memory, driven);
      this.#x[t * D] = model.logVolume(series.volumes[t]!);
      this.#x.set(memory, t * D + 1);
      this.#x[t * D + 1 + E] = chemo;
      this.#x[t * D + 2 + E] = radio;
      this.#basis.rest(this.#x, t * D, this.#rest);
      this.#basis.complete(this.#rest, this.#x[t * D]!, this.#out, t * model.outputs, this.#hidden, this.#slopes, t * H);
      course.change = series.changes[t]!;
      course.chemo = chemo;
      course.radio = radio;
    }
  }

  /**
   * The last change is only known to lie beyond its limit: components are reweighed and moved (mutates!) to what they are given that,
   * exactly but for the third and higher moments, which nothing later needs.
   */
  #limit(components: TraitComponent[], series: Series, t: number, variance: number): { log: number; changes: LimitedChange[] } {
    const { outputs: O } = this.#model;
    const L = O - 1;
    const side = series.limit;
    const base = this.#out[t * O]!;
    const phi = Array.from({ length: L }, (_, i) => this.#out[t * O + 1 + i]!);
    const logs: number[] = [];
    const changes = components.map((component): LimitedChange => {
      const covariance = component.covariance.map((row) => row.reduce((sum, value, j) => sum + value * phi[j]!, 0));
      const mean = base + component.mean.reduce((sum, value, i) => sum + value * phi[i]!, 0);
      const spread = variance + covariance.reduce((sum, value, i) => sum + value * phi[i]!, 0);
      const sd = Math.sqrt(spread);
      // A course 30 standard deviations off its limit says so as loudly as one further off.
      const u = Math.max((side * (mean - series.changes[t]!)) / sd, -30);
      const probability = normalCdf(u);
      const mills = normalPdf(u) / probability;
      const shift = side * sd * mills;
      const shrink = 1 - mills * (mills + u);
      logs.push(Math.log(component.weight) + Math.log(probability));
      for (let i = 0; i < L; i++) {
        component.mean[i]! += (covariance[i]! / spread) * shift;
        for (let j = 0; j < L; j++) component.covariance[i]![j]! -= ((covariance[i]! * covariance[j]!) / spread) * (1 - shrink);
      }
      return { mean: mean + shift, variance: spread * shrink, covariance: covariance.map((value) => value * shrink) };
    });
    return { log: weigh(components, logs), changes };
  }

  #backward(
    series: Series,
    components: readonly TraitComponent[],
    limited: readonly LimitedChange[] | null,
    {
      weight,
      free,
      variance,
      stepWeights,
    }: { weight: number; free: number; variance: number; stepWeights: Float64Array | undefined },
  ): void {
    const { outputs: O } = this.#model;
    const L = O - 1;
    const [out, dOut] = [this.#out, this.#dOut];
    const mean = new Float64Array(L);
    const second = new Float64Array(L * L);
    for (const { weight: w, mean: m, covariance } of components) {
      for (let i = 0; i < L; i++) {
        mean[i]! += w * m[i]!;
        for (let j = 0; j < L; j++) second[i * L + j]! += w * (covariance[i]![j]! + m[i]! * m[j]!);
      }
    }
    let dLogNoise = 0;
    const step = (t: number, y: number, ySquared: number, yz: (i: number) => number): void => {
      const w = (weight * (stepWeights?.[t] ?? 1)) / variance;
      let [fit, spread] = [0, 0];
      for (let i = 0; i < L; i++) {
        const phi = out[t * O + 1 + i]!;
        let row = 0;
        for (let j = 0; j < L; j++) row += second[i * L + j]! * out[t * O + 1 + j]!;
        fit += phi * yz(i);
        spread += phi * row;
        dOut[t * O + 1 + i] = w * (yz(i) - row);
      }
      let explained = 0;
      for (let i = 0; i < L; i++) explained += out[t * O + 1 + i]! * mean[i]!;
      dOut[t * O] = w * (y - explained);
      dLogNoise += w * (ySquared - 2 * fit + spread) - w * variance;
    };
    for (let t = 0; t < free; t++) {
      const y = series.changes[t]! - out[t * O]!;
      step(t, y, y * y, (i) => y * mean[i]!);
    }
    if (limited) {
      const base = out[free * O]!;
      let [y, ySquared] = [0, 0];
      const cross = new Float64Array(L);
      components.forEach(({ weight: w, mean: m }, g) => {
        const change = limited[g]!;
        const own = change.mean - base;
        y += w * own;
        ySquared += w * (own * own + change.variance);
        for (let i = 0; i < L; i++) cross[i]! += w * (own * m[i]! + change.covariance[i]!);
      });
      step(free, y, ySquared, (i) => cross[i]!);
    }
    this.#model.slope('logNoise')[0]! += dLogNoise;
    if (L > 0) this.#backwardPrior(series.type, components, weight);
    this.#backwardNetwork(series.changes.length);
  }

  #backwardPrior(type: number, components: readonly TraitComponent[], weight: number): void {
    const L = this.#model.outputs - 1;
    const [mixture, centres, types, factors] = ['mixture', 'centres', 'types', 'factors'].map(this.#model.slope);
    components.forEach((component, g) => {
      const prior = this.#prior.components[g]!;
      const covariance = this.#priorCovariances[g]!;
      const share = weight * component.weight;
      mixture![g]! += share - weight * Math.exp(prior.logWeight);
      const off = component.mean.map((value, i) => value - prior.means[type]![i]!);
      for (let i = 0; i < L; i++) {
        let pull = 0;
        for (let j = 0; j < L; j++) pull += prior.precision[i]![j]! * off[j]!;
        centres![g * L + i]! += share * pull;
        types![type * L + i]! += share * pull;
        for (let j = 0; j <= i; j++) {
          // 2 · dΛ · C, dΛ = (Λ⁻¹ − E[(z − μ)(z − μ)ᵀ]) / 2.
          let sum = 0;
          for (let k = j; k < L; k++)
            sum += (covariance[i]![k]! - component.covariance[i]![k]! - off[i]! * off[k]!) * prior.factor[k]![j]!;
          factors![(g * L + i) * L + j]! += share * sum * (i === j ? prior.factor[i]![i]! : 1);
        }
      }
    });
  }

  #backwardNetwork(steps: number): void {
    const model = this.#model;
    const { inputs: D, outputs: O, driven: J } = model;
    const { memory: E, hidden: H } = model.shape;
    const [W, A, C, decay] = ['hiddenW', 'linear', 'readout', 'decay'].map(model.view);
    const [dW, dd, dA, db, dC, dDecay, dDrive] = ['hiddenW', 'hiddenBias', 'linear', 'bias', 'readout', 'decay', 'drive'].map(
      model.slope,
    );
    const dMemory = this.#memory.fill(0);
    const dx = new Float64Array(D);
    const kept = decay!.map((value) => 1 / (1 + Math.exp(-value)));
    for (let t = steps - 1; t >= 0; t--) {
      dx.fill(0);
      for (let o = 0; o < O; o++) {
        const g = this.#dOut[t * O + o]!;
        db![o]! += g;
        for (let k = 0; k < D; k++) {
          dA![o * D + k]! += g * this.#x[t * D + k]!;
          dx[k]! += g * A![o * D + k]!;
        }
      }
      for (let i = 0; i < H; i++) {
        let g = 0;
        for (let o = 0; o < O; o++) {
          g += this.#dOut[t * O + o]! * C![o * H + i]!;
          dC![o * H + i]! += this.#dOut[t * O + o]! * this.#hidden[t * H + i]!;
        }
        g *= this.#slopes[t * H + i]!;
        dd![i]! += g;
        for (let k = 0; k < D; k++) {
          dW![i * D + k]! += g * this.#x[t * D + k]!;
          dx[k]! += g * W![i * D + k]!;
        }
      }
      for (let e = 0; e < E; e++) {
        const g = dx[1 + e]! + dMemory[e]!;
        for (let j = 0; j < J; j++) dDrive![e * J + j]! += g * this.#driven[t * J + j]!;
        const before = t > 0 ? this.#x[(t - 1) * D + 1 + e]! : 0;
        dDecay![e]! += g * before * kept[e]! * (1 - kept[e]!);
        dMemory[e] = g * kept[e]!;
      }
    }
  }
}
