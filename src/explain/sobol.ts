/**
 * Variance-based sensitivity (Sobol 1993), first order and total, by Jansen's estimators (Jansen 1999; Saltelli et al. 2010):
 *
 *   S_i = 1 − E[(f(X) − f(X′))²] / 2V,  X′ has X_i of X and everything else drawn again given X_i
 *   T_i =     E[(f(X) − f(X″))²] / 2V,  X″ has X_i drawn again given everything else of X
 *
 * V is taken over both of a pair. Where inputs are independent one point serves as both (Saltelli's design): A with column i of B. Where they are correlated these are
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
  readonly first: readonly Pair[];
  readonly total: readonly Pair[];
}

export interface Pair {
  readonly a: number;
  readonly b: number;
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
  };
}

/**
 * Indices of one figure from its values at the design's points. Pairs in which a value is no number are left out. Zero for everybody
 * where the figure does not vary.
 */
export function sobolIndices(
  { samples, first, total }: Pick<SobolDesign<unknown>, 'samples' | 'first' | 'total'>,
  values: Float64Array,
  resamples: number,
  random: RandomSequence,
): { readonly first: readonly Index[]; readonly total: readonly Index[] } {
  const all = Uint32Array.from({ length: samples }, (_, row) => row);
  const drawn = Array.from({ length: resamples }, () => all.map(() => random.below(samples)));
  const index = (own: Pair, of: (share: number) => number): Index => {
    const estimate = (rows: Uint32Array) => of(shareOfVariance(values, own, rows));
    const others = drawn.map(estimate).sort((x, y) => x - y);
    return { value: estimate(all), low: quantileOfSorted(others, 0.05), high: quantileOfSorted(others, 0.95) };
  };
  return {
    first: first.map((own) => index(own, (share) => (Number.isNaN(share) ? 0 : 1 - share))),
    total: total.map((own) => index(own, (share) => (Number.isNaN(share) ? 0 : share))),
  };
}

/**
 * E[(f(X) − f(X′))²] / 2V, with V over both of the pair, so that a few extreme values weigh alike above and below the line (as in Janon
 * et al. 2014). NaN where nothing varies.
 */
function shareOfVariance(values: Float64Array, { a, b }: Pair, rows: Uint32Array): number {
  let [count, mean, squares, differences] = [0, 0, 0, 0];
  for (const row of rows) {
    const [x, y] = [values[a + row]!, values[b + row]!];
    if (Number.isNaN(x + y)) continue;
    differences += (x - y) ** 2;
    for (const value of [x, y]) {
      count++;
      const step = value - mean;
      mean += step / count;
      squares += step * (value - mean);
    }
  }
  // Rounding of equal values is no variance.
  return squares > 1e-18 * mean * mean * count ? differences / squares : Number.NaN;
}
