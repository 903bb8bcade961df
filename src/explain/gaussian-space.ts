/** Correlated normal inputs, some of several columns, and independent categories: what a Sobol design of a twin is drawn from. */
import { invariant } from '#domain/errors.ts';
import { cholesky, multiplyVector, solveCholesky, type Matrix } from '#numerics/linear-algebra.ts';
import type { RandomSequence } from '#numerics/random.ts';
import { shareAt } from '#numerics/weighted-draws.ts';
import type { InputSpace } from './sobol.ts';

export interface MixedPoint {
  /** [columns] */
  readonly columns: Float64Array;
  /** [categories] */
  readonly categories: Uint8Array;
}

export interface MixedDistribution {
  readonly mean: ArrayLike<number>;
  /** [columns][columns] */
  readonly covariance: Matrix;
  /** Columns of each normal input; a column that is in none keeps its place in the covariance and moves with the rest. */
  readonly inputs: readonly (readonly number[])[];
  /** Shares of each category; these come after the normal inputs. */
  readonly categories: readonly (readonly number[])[];
}

/** x_to given x_from is N(slope · (x_from − mean) + mean, factor · factorᵀ). */
interface Conditional {
  readonly to: readonly number[];
  readonly from: readonly number[];
  readonly slope: Matrix;
  readonly factor: Matrix;
}

export function mixedSpace({ mean, covariance, inputs, categories }: MixedDistribution): InputSpace<MixedPoint> {
  const all = Array.from({ length: mean.length }, (_, j) => j);
  const complement = (columns: readonly number[]) => all.filter((j) => !columns.includes(j));
  const whole = conditional(covariance, all, []);
  const one = inputs.map((columns) => conditional(covariance, columns, complement(columns)));
  const rest = inputs.map((columns) => conditional(covariance, complement(columns), columns));
  const redraw = ({ to, from, slope, factor }: Conditional, columns: Float64Array, random: RandomSequence): Float64Array => {
    const moved = multiplyVector(
      slope,
      from.map((j) => columns[j]! - mean[j]!),
    );
    const scatter = multiplyVector(
      factor,
      to.map(() => random.normal()),
    );
    const next = columns.slice();
    to.forEach((j, k) => (next[j] = mean[j]! + (moved[k] ?? 0) + scatter[k]!));
    return next;
  };
  const pick = (shares: readonly number[], random: RandomSequence) => shareAt(shares, random.uniform());
  const C = inputs.length;
  return {
    inputs: C + categories.length,
    isIndependent: inputs.every((columns) => columns.every((j) => complement(columns).every((k) => covariance[j]![k]! === 0))),
    draw: (random) => ({
      columns: redraw(whole, Float64Array.from(mean), random),
      categories: Uint8Array.from(categories, (shares) => pick(shares, random)),
    }),
    cross(point, other, input) {
      if (input >= C) return { ...point, categories: point.categories.with(input - C, other.categories[input - C]!) };
      const columns = point.columns.slice();
      for (const j of inputs[input]!) columns[j] = other.columns[j]!;
      return { ...point, columns };
    },
    redrawOne(point, input, random) {
      if (input < C) return { ...point, columns: redraw(one[input]!, point.columns, random) };
      return { ...point, categories: point.categories.with(input - C, pick(categories[input - C]!, random)) };
    },
    redrawRest(point, input, random) {
      const columns = redraw(input < C ? rest[input]! : whole, point.columns, random);
      const drawn = categories.map((shares, k) => (input - C === k ? point.categories[k]! : pick(shares, random)));
      return { columns, categories: Uint8Array.from(drawn) };
    },
  };
}

/** A covariance from draws may be singular to rounding. */
const ridge = 1e-10;

function conditional(covariance: Matrix, to: readonly number[], from: readonly number[]): Conditional {
  const part = (rows: readonly number[], columns: readonly number[]) => rows.map((i) => columns.map((j) => covariance[i]![j]!));
  const known = part(from, from).map((row, i) => row.map((value, j) => (i === j ? value * (1 + ridge) + 1e-300 : value)));
  const factor = cholesky(known);
  invariant(factor, 'the covariance of the inputs is positive definite');
  const cross = part(to, from);
  const slope = cross.map((row) => solveCholesky(factor, row));
  const left = part(to, to).map((row, i) =>
    row.map((value, j) => value - slope[i]!.reduce((sum, weight, k) => sum + weight * cross[j]![k]!, 0)),
  );
  const padded = left.map((row, i) =>
    row.map((value, j) => (i === j ? value + ridge * covariance[to[i]!]![to[i]!]! + 1e-300 : value)),
  );
  const leftFactor = cholesky(padded);
  invariant(leftFactor, 'what is left of the inputs’ covariance is positive definite');
  return { to, from, slope, factor: leftFactor };
}
