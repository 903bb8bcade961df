/** Normal distributions over the traits of one member, with a full covariance: small, and asked for once a particle. */
import { invariant } from '#domain/errors.ts';
import { cholesky } from '#numerics/linear-algebra.ts';
import type { TraitDistribution } from './encoder-plain.ts';

export interface Gaussian {
  readonly mean: Float64Array;
  /** [L × L] lower triangular, its product with its transpose is the covariance. */
  readonly factor: Float64Array;
}

/** Independent traits, their standard deviations multiplied by `widening`. */
export function independent({ mean, scale }: TraitDistribution, widening = 1): Gaussian {
  const L = mean.length;
  const factor = new Float64Array(L * L);
  for (let l = 0; l < L; l++) factor[l * L + l] = widening * scale[l]!;
  return { mean, factor };
}

export function fromCovariance(mean: Float64Array, covariance: readonly (readonly number[])[]): Gaussian {
  const factor = cholesky(covariance);
  invariant(factor, 'a covariance that contains a positive diagonal is positive definite');
  return { mean, factor: Float64Array.from(factor.flat()) };
}

/** log density at z[at … at + L). */
export function logDensity({ mean, factor }: Gaussian, z: Float32Array, at: number): number {
  const L = mean.length;
  const solved = new Float64Array(L);
  let sum = -0.5 * L * Math.log(2 * Math.PI);
  for (let l = 0; l < L; l++) {
    let d = z[at + l]! - mean[l]!;
    for (let k = 0; k < l; k++) d -= factor[l * L + k]! * solved[k]!;
    solved[l] = d / factor[l * L + l]!;
    sum -= 0.5 * solved[l]! ** 2 + Math.log(factor[l * L + l]!);
  }
  return sum;
}

/**
 * Writes mean + keep · (z − mean) + reach · (a draw around zero) to out[at … at + L), from standard normals at noise[from …]. With
 * keep 0 and reach 1 it is a draw; with keep² + reach² = 1 it leaves the distribution invariant.
 */
export function move(
  { mean, factor }: Gaussian,
  keep: number,
  reach: number,
  noise: Float64Array,
  from: number,
  z: Float32Array,
  out: Float32Array,
  at: number,
): void {
  const L = mean.length;
  for (let l = 0; l < L; l++) {
    let step = 0;
    for (let k = 0; k <= l; k++) step += factor[l * L + k]! * noise[from + k]!;
    out[at + l] = mean[l]! + keep * (z[at + l]! - mean[l]!) + reach * step;
  }
}
