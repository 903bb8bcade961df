/** How far a point lies from a sample of others: Mahalanobis and nearest-neighbour distances, and what such a distance is worth. */
import { MetricInputError, type Numbers } from './estimate.ts';
import { cholesky, inverseCholesky, type Matrix } from './linear-algebra.ts';
import { quantileOfSorted, sorted } from './quantiles.ts';

export function meanVector(rows: Matrix): number[] {
  if (rows.length === 0) throw new MetricInputError('A mean needs at least one row.');
  return Array.from(rows[0]!, (_, j) => {
    let total = 0;
    for (const row of rows) total += row[j]!;
    return total / rows.length;
  });
}

/** Sample covariance (n − 1). */
export function covarianceMatrix(rows: Matrix, mean: Numbers = meanVector(rows)): number[][] {
  if (rows.length < 2) throw new MetricInputError('A covariance needs at least two rows.');
  const d = mean.length;
  const covariance = Array.from({ length: d }, () => new Array<number>(d).fill(0));
  for (const row of rows) {
    for (let a = 0; a < d; a++) {
      for (let b = 0; b <= a; b++) covariance[a]![b]! += (row[a]! - mean[a]!) * (row[b]! - mean[b]!);
    }
  }
  for (let a = 0; a < d; a++) {
    for (let b = 0; b <= a; b++) {
      covariance[a]![b]! /= rows.length - 1;
      covariance[b]![a] = covariance[a]![b]!;
    }
  }
  return covariance;
}

/** Inverse of a covariance; null where it is singular. */
export function precisionMatrix(covariance: Matrix): number[][] | null {
  const factor = cholesky(covariance);
  return factor && inverseCholesky(factor);
}

export function mahalanobisSquared(x: Numbers, mean: Numbers, precision: Matrix): number {
  let total = 0;
  for (let a = 0; a < mean.length; a++) {
    let row = 0;
    for (let b = 0; b < mean.length; b++) row += precision[a]![b]! * (x[b]! - mean[b]!);
    total += (x[a]! - mean[a]!) * row;
  }
  return total;
}

export interface Conditional {
  /** What the other coordinates lead one to expect of this one. */
  readonly expected: number;
  readonly sd: number;
  /** By how much the squared Mahalanobis distance would fall if this coordinate were not known. */
  readonly drop: number;
}

/** Each coordinate of x given all the others, under the Gaussian of this mean and precision. */
export function conditionals(x: Numbers, mean: Numbers, precision: Matrix): Conditional[] {
  return Array.from(mean, (_, a) => {
    let pull = 0;
    for (let b = 0; b < mean.length; b++) pull += precision[a]![b]! * (x[b]! - mean[b]!);
    const own = precision[a]![a]!;
    return { expected: x[a]! - pull / own, sd: 1 / Math.sqrt(own), drop: pull ** 2 / own };
  });
}

/** Euclidean distance from x to the k-th nearest row; `except` leaves one row out (its own). */
export function kthNeighbourDistance(x: Numbers, rows: Matrix, k: number, except = -1): number {
  if (k < 1 || rows.length - (except >= 0 ? 1 : 0) < k) throw new MetricInputError(`There is no ${k}-th neighbour.`);
  const nearest = new Float64Array(k).fill(Infinity);
  rows.forEach((row, i) => {
    if (i === except) return;
    let distance = 0;
    for (let j = 0; j < row.length; j++) distance += (x[j]! - row[j]!) ** 2;
    if (distance >= nearest[k - 1]!) return;
    let at = k - 1;
    for (; at > 0 && nearest[at - 1]! > distance; at--) nearest[at] = nearest[at - 1]!;
    nearest[at] = distance;
  });
  return Math.sqrt(nearest[k - 1]!);
}

/** Share of the reference at least as far out, the point itself counted among them: (1 + #{s ≥ score}) / (n + 1). */
export function conformalP(score: number, reference: Numbers): number {
  let atLeast = 0;
  for (let i = 0; i < reference.length; i++) if (reference[i]! >= score) atLeast++;
  return (1 + atLeast) / (reference.length + 1);
}

/** Points beyond the given quantile (type 7) of the reference scores. */
export function flagsBeyond(scores: Numbers, reference: Numbers, level = 0.95): boolean[] {
  const limit = quantileOfSorted(sorted(reference), level);
  return Array.from(scores, (score) => score > limit);
}
