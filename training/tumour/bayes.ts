/**
 * The bound: forecasts under the exact posterior of the simulator's own parameters. V(t + 1)/V(t) − 1 is linear in (ρ, βc, α) with
 * Gaussian noise, so the posterior is the truncated normal prior times a Gaussian, in closed form. Nothing is learned from people, and
 * no method can do better on average over people. A mean over draws adds to the error what chance leaves of them: little, as pairs of
 * draws cancel but where a limit cuts one off.
 */
import { cholesky, inverseSymmetric, multiplyVector } from '#numerics/linear-algebra.ts';
import { RandomSequence, seedFrom, streams } from '#numerics/random.ts';
import type { Forecaster } from './protocol.ts';
import {
  carryingCapacity,
  chemoDose,
  growth,
  noiseSd,
  population,
  radioFactor,
  shiftOf,
  type PatientType,
  type Treatment,
  type Vector,
} from './simulator.ts';

/**
 * Of the posterior, in antithetic pairs. Few will do once a day of radiotherapy, what is known least of, is uncertain by less than
 * `wellKnown` of the volume; before, repeated treatment and the limits bend what the draws say and chance would show.
 */
const draws = { few: 8, many: 512 } as const;
const wellKnown = 0.02;

export class BayesForecaster implements Forecaster {
  readonly #random: RandomSequence;
  #shift: Vector = [0, 0, 0];
  #precision: number[][] = [];
  #information: number[] = [];
  #concentration = 0;
  /** Of today: (ρ, βc, α) one after the other. */
  #drawn: Float64Array | null = null;

  constructor(seed: number) {
    this.#random = new RandomSequence(seedFrom(seed), streams.twin);
  }

  begin(type: PatientType): void {
    this.#shift = shiftOf(type);
    const { rho, betaC, alpha, correlation } = population;
    const joint = correlation * Math.sqrt(rho.variance * alpha.variance);
    this.#precision = inverseSymmetric([
      [rho.variance, 0, joint],
      [0, betaC.variance, 0],
      [joint, 0, alpha.variance],
    ])!;
    const mean = [rho.mean, betaC.mean + this.#shift[1], alpha.mean + this.#shift[2]];
    this.#information = multiplyVector(this.#precision, mean);
    this.#concentration = 0;
    this.#drawn = null;
  }

  observe(volume: number, [chemo, radio]: Treatment, next: number): void {
    this.#concentration = this.#concentration / 2 + chemoDose * chemo;
    const x = [Math.log(carryingCapacity / volume), -this.#concentration, -radioFactor * radio];
    const y = next / volume - 1;
    for (let i = 0; i < 3; i++) {
      this.#information[i]! += (x[i]! * y) / noiseSd ** 2;
      for (let j = 0; j < 3; j++) this.#precision[i]![j]! += (x[i]! * x[j]!) / noiseSd ** 2;
    }
    this.#drawn = null;
  }

  next(volume: number, [chemo, radio]: Treatment): number {
    const drawn = this.#draw();
    const sums = [0, 0, 0];
    drawn.forEach((value, i) => (sums[i % 3]! += (3 * value) / drawn.length));
    return volume * (1 + growth(sums as unknown as Vector, volume, this.#concentration / 2 + chemoDose * chemo, radio));
  }

  follow(volume: number, today: Treatment, plans: readonly (readonly Treatment[])[]): number[][] {
    const drawn = this.#draw();
    const count = drawn.length / 3;
    return plans.map((plan) => {
      const treatments = [today, ...plan];
      const doses: number[] = [];
      for (const [chemo] of treatments) doses.push((doses.at(-1) ?? this.#concentration) / 2 + chemoDose * chemo);
      const means = new Array<number>(plan.length).fill(0);
      for (let k = 0; k < count; k++) {
        const [rho, betaC, alpha] = [drawn[3 * k]!, drawn[3 * k + 1]!, drawn[3 * k + 2]! * radioFactor];
        let current = volume;
        for (let step = 0; step < treatments.length; step++) {
          // The formula of growth(), without an array for each of the billions of calls. A volume cannot be negative: such a draw has no
          // tumour left.
          const change = rho * Math.log(carryingCapacity / current) - betaC * doses[step]! - alpha * treatments[step]![1];
          current = current > 0 ? current * Math.max(1 + change, 0) : 0;
          if (step > 0) means[step - 1]! += current / count;
        }
      }
      return means;
    });
  }

  /** Of the Gaussian, in antithetic pairs, those that break a limit drawn again. */
  #draw(): Float64Array {
    if (this.#drawn) return this.#drawn;
    const covariance = inverseSymmetric(this.#precision)!;
    const mean = multiplyVector(covariance, this.#information);
    const l = cholesky(covariance)!;
    const count = radioFactor * Math.sqrt(covariance[2]![2]!) < wellKnown ? draws.few : draws.many;
    const drawn = new Float64Array(3 * count);
    let kept = 0;
    for (let tries = 0; kept < count; tries++) {
      if (tries > 1e6) throw new Error('The posterior lies outside its limits.');
      const z = [this.#random.normal(), this.#random.normal(), this.#random.normal()] as const;
      for (const sign of [1, -1]) {
        const rho = mean[0]! + sign * l[0]![0]! * z[0];
        const betaC = mean[1]! + sign * (l[1]![0]! * z[0] + l[1]![1]! * z[1]);
        const alpha = mean[2]! + sign * (l[2]![0]! * z[0] + l[2]![1]! * z[1] + l[2]![2]! * z[2]);
        if (kept < count && rho > 0 && betaC > this.#shift[1] && alpha > this.#shift[2])
          drawn.set([rho, betaC, alpha], 3 * kept++);
      }
    }
    this.#drawn = drawn;
    return drawn;
  }
}
