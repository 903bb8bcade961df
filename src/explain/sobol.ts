/**
 * Variance-based sensitivity (Sobol 1993), first order and total, by Jansen's estimators (Jansen 1999; Saltelli et al. 2010):
 *
 *   S_i = 1 − E[(f(X) − f(X′))²] / 2V,  X′ has X_i of X and everything else drawn again given X_i
 *   T_i =     E[(f(X) − f(X″))²] / 2V,  X″ has X_i drawn again given everything else of X
 *
 * Where inputs are independent one point serves as both (Saltelli's design): A with column i of B. Where they are correlated these are
 * the full first-order and the independent total effect of Mara & Tarantola (2012): S_i then holds what X_i shares with others and may
 * exceed T_i, which holds only what X_i adds once the others are known.
 */
import type { RandomSequence } from '#numerics/random.ts';
import { quantileOfSorted } from '#numerics/quantiles.ts';

/** Where inputs come from. A point is whatever the space makes. */
export interface InputSpace<Point> {
  readonly inputs: number;
  readonly isIndependent: boolean;
  draw(random: RandomSequence): Point;
  /** `point` with input i of `other`; only asked where inputs are independent. */
  cross(point: Point, other: Point, input: number): Point;
  /** Input i drawn again given the others. */
  redrawOne(point: Point, input: number, random: RandomSequence): Point;
  /** The others drawn again given input i. */
  redrawRest(point: Point, input: number, random: RandomSequence): Point;
}

export interface SobolDesign<Point> {
  readonly points: readonly Point[];
  readonly samples: number;
  /** [input]: where the pairs of each estimator start among the points; `samples` of each follow one another. */
  readonly first: readonly { readonly a: number; readonly b: number }[];
  readonly total: readonly { readonly a: number; readonly b: number }[];
  /** Where the samples start that the variance is taken from. */
  readonly base: readonly number[];
}

export interface Index {
  readonly value: number;
  /** 5 % and 95 % of bootstrap resamples of the rows. */
  readonly low: number;
  readonly high: number;
}

export function sobolDesign<Point>(space: InputSpace<Point>, samples: number, random: RandomSequence): SobolDesign<Point> {
  const rows = <T>(make: (row: number) => T): T[] => Array.from({ length: samples }, (_, row) => make(row));
  const a = rows(() => space.draw(random));
  const points = [...a];
  const place = (more: readonly Point[]) => points.push(...more) - more.length;
  if (space.isIndependent) {
    const b = rows(() => space.draw(random));
    const atB = place(b);
    const crossed = Array.from({ length: space.inputs }, (_, i) => place(rows((row) => space.cross(a[row]!, b[row]!, i))));
    return {
      points,
      samples,
      first: crossed.map((at) => ({ a: atB, b: at })),
      total: crossed.map((at) => ({ a: 0, b: at })),
      base: [0, atB],
    };
  }
  const redrawn = Array.from({ length: space.inputs }, (_, i) => ({
    one: place(a.map((point) => space.redrawOne(point, i, random))),
    rest: place(a.map((point) => space.redrawRest(point, i, random))),
  }));
  return {
    points,
    samples,
    first: redrawn.map(({ rest }) => ({ a: 0, b: rest })),
    total: redrawn.map(({ one }) => ({ a: 0, b: one })),
    base: [0],
  };
}

/**
 * Indices of one figure from its values at the design's points. Pairs in which a value is no number are left out. Zero for everybody
 * where the figure does not vary.
 */
export function sobolIndices(
  { samples, first, total, base }: Omit<SobolDesign<unknown>, 'points'>,
  values: Float64Array,
  resamples: number,
  random: RandomSequence,
): { readonly first: readonly Index[]; readonly total: readonly Index[] } {
  const all = Uint32Array.from({ length: samples }, (_, row) => row);
  const drawn = Array.from({ length: resamples }, () => all.map(() => random.below(samples)));
  const variances = [all, ...drawn].map((rows) => variance(values, base, rows));
  const index = (of: (rows: Uint32Array, own: number) => number): Index => {
    const [value, ...others] = [all, ...drawn].map((rows, r) => (variances[r]! > 0 ? of(rows, variances[r]!) : 0)) as [
      number,
      ...number[],
    ];
    others.sort((x, y) => x - y);
    return { value, low: quantileOfSorted(others, 0.05), high: quantileOfSorted(others, 0.95) };
  };
  return {
    first: first.map(({ a, b }) => index((rows, own) => 1 - meanSquare(values, a, b, rows) / (2 * own))),
    total: total.map(({ a, b }) => index((rows, own) => meanSquare(values, a, b, rows) / (2 * own))),
  };
}

function variance(values: Float64Array, starts: readonly number[], rows: Uint32Array): number {
  let [count, mean, squares] = [0, 0, 0];
  for (const start of starts) {
    for (const row of rows) {
      const value = values[start + row]!;
      if (Number.isNaN(value)) continue;
      count++;
      const step = value - mean;
      mean += step / count;
      squares += step * (value - mean);
    }
  }
  const found = squares / (count - 1);
  // Rounding of equal values is no variance.
  return found > 1e-18 * mean * mean ? found : 0;
}

function meanSquare(values: Float64Array, a: number, b: number, rows: Uint32Array): number {
  let [count, sum] = [0, 0];
  for (const row of rows) {
    const difference = values[a + row]! - values[b + row]!;
    if (Number.isNaN(difference)) continue;
    count++;
    sum += difference * difference;
  }
  return sum / count;
}
