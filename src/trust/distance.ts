/** How far a person's inputs lie from reference people, on the inputs that are known. */
import {
  conditionals,
  conformalP,
  covarianceMatrix,
  kthNeighbourDistance,
  mahalanobisSquared,
  meanVector,
  precisionMatrix,
} from '#numerics/ood.ts';
import type { Matrix } from '#numerics/linear-algebra.ts';
import { invariant } from '#domain/errors.ts';
import { quantileOfSorted, sorted } from '#numerics/quantiles.ts';
import type { Reference } from './reference.ts';

export interface Distance {
  readonly value: number;
  /** Share of reference people at least as far out. */
  readonly pValue: number;
  /** The same in units of the distance that 99 of 100 reference people do not reach. */
  readonly timesFar: number;
  /** Of the reference people, ascending. */
  readonly reference: Float64Array;
}

export interface Distances {
  /** Of the numbers alone; null where none is known. */
  readonly mahalanobis: Distance | null;
  /** Of numbers and categories; null where nothing is known. */
  readonly neighbours: Distance | null;
  /** By index of the inputs: known numbers, given all the other known numbers. */
  readonly given: ReadonlyMap<number, { readonly expected: number; readonly sd: number; readonly share: number }>;
}

const neighbour = 10;
/** Measurements differ by at least so much by chance: keeps two inputs that nearly repeat each other from dividing by nothing. */
const floorVariance = 0.02;

export function distancesOf({ inputs, rows }: Reference, person: Float64Array): Distances {
  const known = inputs.flatMap((_, i) => (Number.isNaN(person[i]!) || Number.isNaN(rows[0]![i]!) ? [] : [i]));
  const numbers = known.filter((i) => inputs[i]!.kind === 'number');
  const categories = known.filter((i) => inputs[i]!.kind === 'category');
  const own = (row: Float64Array, of: readonly number[]) => of.map((i) => row[i]!);
  const reference = rows.map((row) => own(row, numbers));
  const x = own(person, numbers);
  const gaussian = numbers.length === 0 ? null : gaussianOf(reference);
  const given = gaussian ? conditionals(x, gaussian.mean, gaussian.precision) : [];
  const dropped = given.reduce((sum, { drop }) => sum + drop, 0);
  // Half a unit for each of two categories apart: a mismatch is then as far as one standard deviation.
  const place = (row: Float64Array) => [...own(row, numbers), ...categories.flatMap((i) => oneHot(row[i]!, inputs[i]!))];
  const places = rows.map(place);
  return {
    mahalanobis: gaussian
      ? asDistance(
          Math.sqrt(mahalanobisSquared(x, gaussian.mean, gaussian.precision)),
          reference.map((row) => Math.sqrt(mahalanobisSquared(row, gaussian.mean, gaussian.precision))),
        )
      : null,
    neighbours:
      known.length === 0
        ? null
        : asDistance(
            kthNeighbourDistance(place(person), places, neighbour),
            places.map((row, i) => kthNeighbourDistance(row, places, neighbour, i)),
          ),
    given: new Map(
      numbers.map((i, at) => {
        const { expected, sd, drop } = given[at]!;
        return [i, { expected, sd, share: dropped > 0 ? drop / dropped : 0 }];
      }),
    ),
  };
}

export function gaussianOf(rows: Matrix): { readonly mean: readonly number[]; readonly precision: Matrix } {
  const mean = meanVector(rows);
  const covariance = covarianceMatrix(rows, mean);
  covariance.forEach((row, i) => (row[i]! += floorVariance));
  const precision = precisionMatrix(covariance);
  invariant(precision, 'a covariance with a floor is positive definite');
  return { mean, precision };
}

function oneHot(category: number, input: Reference['inputs'][number]): number[] {
  const count = input.kind === 'category' ? input.values.length : 0;
  return Array.from({ length: count }, (_, i) => (i === category ? Math.SQRT1_2 : 0));
}

function asDistance(value: number, reference: readonly number[]): Distance {
  const ascending = sorted(reference);
  return {
    value,
    pValue: conformalP(value, reference),
    timesFar: value / quantileOfSorted(ascending, 0.99),
    reference: ascending,
  };
}
