/**
 * Forecasts of a learned model by g-computation: the traits as they are given what was observed, each draw of them rolled through the
 * model under the hypothetical treatments, the mean over draws. The policy does not enter: given the volumes and treatments so far,
 * who is treated next tells nothing more of the traits.
 */
import { cholesky, dot, quadraticForm } from '#numerics/linear-algebra.ts';
import { RandomSequence, seedFrom, streams } from '#numerics/random.ts';
import { Basis, TraitPrior, type TraitComponent, type TumourModel } from './model.ts';
import { options, type Forecaster } from './protocol.ts';
import type { PatientType, Treatment } from './simulator.ts';

/**
 * Of the traits, for a forecast of several days; in antithetic pairs. Few will do once the traits are known so well that tomorrow's
 * change is uncertain by less than `wellKnown`; before, repeated treatment bends what they say and chance would show.
 */
const draws = { few: 4, many: 128 } as const;
const wellKnown = 0.02;

interface Yesterday {
  change: number;
  chemo: number;
  radio: number;
}

export class LearnedForecaster implements Forecaster {
  readonly #model: TumourModel;
  readonly #basis: Basis;
  readonly #prior: TraitPrior;
  readonly #variance: number;
  readonly #precision: Float64Array;
  readonly #information: Float64Array;
  readonly #memory: Float64Array;
  readonly #yesterday: Yesterday = { change: 0, chemo: 0, radio: 0 };
  readonly #driven: Float64Array;
  readonly #x: Float64Array;
  readonly #out: Float64Array;
  readonly #hidden: Float64Array;
  readonly #slopes: Float64Array;
  readonly #random: RandomSequence;
  #type = 0;
  #components: readonly TraitComponent[] | null = null;

  constructor(model: TumourModel, seed: number) {
    const { traits: L, memory: E, hidden: H } = model.shape;
    this.#model = model;
    this.#basis = new Basis(model);
    this.#prior = new TraitPrior(model);
    this.#variance = model.noiseVariance;
    this.#precision = new Float64Array(L * L);
    this.#information = new Float64Array(L);
    this.#memory = new Float64Array(E);
    this.#driven = new Float64Array(model.driven);
    this.#x = new Float64Array(model.inputs);
    this.#out = new Float64Array(model.outputs);
    this.#hidden = new Float64Array(H);
    this.#slopes = new Float64Array(H);
    this.#random = new RandomSequence(seedFrom(seed), streams.twin);
  }

  begin(type: PatientType): void {
    this.#type = type - 1;
    this.#precision.fill(0);
    this.#information.fill(0);
    this.#memory.fill(0);
    Object.assign(this.#yesterday, { change: 0, chemo: 0, radio: 0 });
    this.#components = null;
  }

  observe(volume: number, treatment: Treatment, next: number): void {
    const [out, L] = [this.#out, this.#model.shape.traits];
    this.#complete(this.#enter(this.#memory, this.#yesterday, treatment), volume);
    const change = next / volume - 1;
    for (let i = 0; i < L; i++) {
      const phi = out[1 + i]! / this.#variance;
      this.#information[i]! += phi * (change - out[0]!);
      for (let j = 0; j < L; j++) this.#precision[i * L + j]! += phi * out[1 + j]!;
    }
    Object.assign(this.#yesterday, { change, chemo: treatment[0], radio: treatment[1] });
    this.#components = null;
  }

  next(volume: number, treatment: Treatment): number {
    this.#complete(this.#enter(this.#memory.slice(), this.#yesterday, treatment), volume);
    let change = this.#out[0]!;
    for (const { weight, mean } of this.#posterior()) mean.forEach((value, i) => (change += weight * value * this.#out[1 + i]!));
    return volume * (1 + change);
  }

  follow(volume: number, today: Treatment, plans: readonly (readonly Treatment[])[]): number[][] {
    const count = this.#spreadOfChange(volume) < wellKnown ? draws.few : draws.many;
    return this.courses(volume, today, plans, count).map((ofPlan) =>
      ofPlan[0]!.map((_, day) => ofPlan.reduce((sum, course) => sum + course[day]!, 0) / ofPlan.length),
    );
  }

  /** Volumes of days t + 2 … by draw of the traits, the same draws for every plan: [plans][draws][days]. */
  courses(volume: number, today: Treatment, plans: readonly (readonly Treatment[])[], count: number): number[][][] {
    const { traits: L, readsCourse } = this.#model.shape;
    const traits = this.#drawTraits(count);
    return plans.map((plan) => {
      const treatments = [today, ...plan];
      const ahead = this.#memory.slice();
      const shared = readsCourse ? [] : treatments.map((treatment) => this.#enter(ahead, this.#yesterday, treatment));
      return traits.map((z) => {
        const own = readsCourse ? this.#memory.slice() : this.#memory;
        const yesterday = readsCourse ? { ...this.#yesterday } : this.#yesterday;
        const course = new Array<number>(plan.length).fill(0);
        let current = volume;
        for (let step = 0; step < treatments.length; step++) {
          this.#complete(readsCourse ? this.#enter(own, yesterday, treatments[step]!) : shared[step]!, current);
          let change = this.#out[0]!;
          for (let i = 0; i < L; i++) change += z[i]! * this.#out[1 + i]!;
          // A volume cannot be negative: such a draw has no tumour left.
          current *= Math.max(1 + change, 0);
          if (readsCourse) Object.assign(yesterday, { change, chemo: treatments[step]![0], radio: treatments[step]![1] });
          if (step > 0) course[step - 1] = current;
        }
        return course;
      });
    });
  }

  /** The largest standard deviation of today's relative change over the four treatments, for what is not known of the traits. */
  #spreadOfChange(volume: number): number {
    const { traits: L } = this.#model.shape;
    const components = this.#posterior();
    const variances = options.map((treatment) => {
      this.#complete(this.#enter(this.#memory.slice(), this.#yesterday, treatment), volume);
      const phi = Array.from(this.#out.subarray(1, 1 + L));
      let [first, second] = [0, 0];
      for (const { weight, mean, covariance } of components) {
        const centre = dot(mean, phi);
        first += weight * centre;
        second += weight * (centre * centre + quadraticForm(covariance, phi));
      }
      return second - first * first;
    });
    return Math.sqrt(Math.max(...variances, 0));
  }

  /** Moves `memory` on by a day with its treatment (mutates!); what all but the volume adds that day. */
  #enter(memory: Float64Array, yesterday: Yesterday, [chemo, radio]: Treatment): Float64Array {
    this.#model.drive(this.#driven, chemo, radio, yesterday);
    this.#model.remember(memory, this.#driven);
    this.#x.set(memory, 1);
    this.#x[1 + memory.length] = chemo;
    this.#x[2 + memory.length] = radio;
    const rest = this.#basis.newRest();
    this.#basis.rest(this.#x, 0, rest);
    return rest;
  }

  #complete(rest: Float64Array, volume: number): void {
    this.#basis.complete(rest, this.#model.logVolume(volume), this.#out, 0, this.#hidden, this.#slopes);
  }

  #posterior(): readonly TraitComponent[] {
    this.#components ??= this.#prior.posterior(this.#type, this.#precision, this.#information).components;
    return this.#components;
  }

  /** Draws of the mixture: components at even steps of the cumulated weight, Gaussians in antithetic pairs. */
  #drawTraits(count: number): number[][] {
    const { traits: L } = this.#model.shape;
    if (L === 0) return [[]];
    const components = this.#posterior();
    const factors = new Map<TraitComponent, number[][]>();
    const offset = this.#random.uniform();
    const out: number[][] = [];
    let [g, cumulated] = [0, components[0]!.weight];
    for (let pair = 0; pair < count / 2; pair++) {
      while (g < components.length - 1 && cumulated < (pair + offset) / (count / 2)) cumulated += components[++g]!.weight;
      const component = components[g]!;
      const factor = factors.get(component) ?? cholesky(component.covariance)!;
      factors.set(component, factor);
      const normals = component.mean.map(this.#random.normal);
      const moved = factor.map((row) => row.reduce((sum, value, j) => sum + value * normals[j]!, 0));
      for (const sign of [1, -1]) out.push(component.mean.map((value, i) => value + sign * moved[i]!));
    }
    return out;
  }
}

/** The mean of several methods: the members of an ensemble. */
export class MeanForecaster implements Forecaster {
  readonly #members: readonly Forecaster[];

  constructor(members: readonly Forecaster[]) {
    this.#members = members;
  }

  begin(type: PatientType): void {
    for (const member of this.#members) member.begin(type);
  }

  observe(volume: number, treatment: Treatment, next: number): void {
    for (const member of this.#members) member.observe(volume, treatment, next);
  }

  next(volume: number, treatment: Treatment): number {
    return this.#members.reduce((sum, member) => sum + member.next(volume, treatment) / this.#members.length, 0);
  }

  follow(volume: number, today: Treatment, plans: readonly (readonly Treatment[])[]): number[][] {
    const all = this.#members.map((member) => member.follow(volume, today, plans));
    return plans.map((plan, p) => plan.map((_, step) => all.reduce((sum, own) => sum + own[p]![step]! / all.length, 0)));
  }
}
