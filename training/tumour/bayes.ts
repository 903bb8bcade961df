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

const draws = { next: 256, follow: 32 } as const;

export class BayesForecaster implements Forecaster {
  readonly #random: RandomSequence;
  #shift: Vector = [0, 0, 0];
  #precision: number[][] = [];
  #information: number[] = [];
  #concentration = 0;
  /** Draws of (ρ, βc, α), made when they are asked for. */
  #drawn: Vector[] | null = null;

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
    const drawn = this.#draw(draws.next);
    const mean = ([0, 1, 2] as const).map((i) => drawn.reduce((sum, theta) => sum + theta[i], 0) / drawn.length);
    return volume * (1 + growth(mean as unknown as Vector, volume, this.#concentration / 2 + chemoDose * chemo, radio));
  }

  follow(volume: number, [chemo, radio]: Treatment, plans: readonly (readonly Treatment[])[]): number[][] {
    const drawn = this.#draw(draws.follow);
    const dose = this.#concentration / 2 + chemoDose * chemo;
    const starts = drawn.map((theta) => volume * (1 + growth(theta, volume, dose, radio)));
    return plans.map((plan) => {
      const means = plan.map(() => 0);
      drawn.forEach((theta, k) => {
        let current = starts[k]!;
        let concentration = dose;
        plan.forEach(([drug, rays], step) => {
          concentration = concentration / 2 + chemoDose * drug;
          // A volume cannot be negative: such a draw has no tumour left.
          current = current <= 0 ? 0 : current * (1 + growth(theta, current, concentration, rays));
          means[step]! += current / drawn.length;
        });
      });
      return means;
    });
  }

  /** Of the Gaussian, in antithetic pairs, those that break a limit drawn again. */
  #draw(count: number): readonly Vector[] {
    if (this.#drawn?.length === count) return this.#drawn;
    const covariance = inverseSymmetric(this.#precision)!;
    const mean = multiplyVector(covariance, this.#information);
    const l = cholesky(covariance)!;
    const kept: Vector[] = [];
    for (let tries = 0; kept.length < count; tries++) {
      if (tries > 1e6) throw new Error('The posterior lies outside its limits.');
      const z = [this.#random.normal(), this.#random.normal(), this.#random.normal()] as const;
      for (const sign of [1, -1]) {
        const rho = mean[0]! + sign * l[0]![0]! * z[0];
        const betaC = mean[1]! + sign * (l[1]![0]! * z[0] + l[1]![1]! * z[1]);
        const alpha = mean[2]! + sign * (l[2]![0]! * z[0] + l[2]![1]! * z[1] + l[2]![2]! * z[2]);
        if (kept.length < count && rho > 0 && betaC > this.#shift[1] && alpha > this.#shift[2]) kept.push([rho, betaC, alpha]);
      }
    }
    this.#drawn = kept;
    return kept;
  }
}
