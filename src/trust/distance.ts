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

export function distancesOf(reference: Reference, person: Float64Array): Distances {
  const { inputs, rows } = reference;
  const known = inputs.flatMap((_, i) => (Number.isNaN(person[i]!) || Number.isNaN(rows[0]![i]!) ? [] : [i]));
  const numbers = known.filter((i) => inputs[i]!.kind === 'number');
  const sample = sampleOf(reference, known, numbers);
  const x = numbers.map((i) => person[i]!);
  const { gaussian } = sample;
  const given = gaussian ? conditionals(x, gaussian.mean, gaussian.precision) : [];
  const dropped = given.reduce((sum, { drop }) => sum + drop, 0);
  return {
    mahalanobis: gaussian && asDistance(Math.sqrt(mahalanobisSquared(x, gaussian.mean, gaussian.precision)), sample.mahalanobis),
    neighbours:
      known.length === 0
        ? null
        : asDistance(kthNeighbourDistance(sample.placeOf(person), sample.places, neighbour), sample.neighbours),
    given: new Map(
      numbers.map((i, at) => {
        const { expected, sd, drop } = given[at]!;
        return [i, { expected, sd, share: dropped > 0 ? drop / dropped : 0 }];
      }),
    ),
  };
}

/** The reference people in the inputs that are known of a person, and how far out they are among themselves. */
interface Sample {
  readonly gaussian: ReturnType<typeof gaussianOf> | null;
  /** Ascending. */
  readonly mahalanobis: Float64Array;
  readonly placeOf: (row: Float64Array) => readonly number[];
  readonly places: Matrix;
  /** Ascending, each person's own place left out. */
  readonly neighbours: Float64Array;
}

/** The same inputs are known of most people. */
const samples = new WeakMap<Reference, Map<string, Sample>>();

function sampleOf(reference: Reference, known: readonly number[], numbers: readonly number[]): Sample {
  const made = samples.get(reference) ?? new Map<string, Sample>();
  samples.set(reference, made);
  const key = known.join();
  const sample = made.get(key) ?? makeSample(reference, known, numbers);
  made.set(key, sample);
  return sample;
}

function makeSample({ inputs, rows }: Reference, known: readonly number[], numbers: readonly number[]): Sample {
  const categories = known.filter((i) => inputs[i]!.kind === 'category');
  const plain = rows.map((row) => numbers.map((i) => row[i]!));
  const gaussian = numbers.length === 0 ? null : gaussianOf(plain);
  // Half a unit for each of two categories apart: a mismatch is then as far as one standard deviation.
  const placeOf = (row: Float64Array) => [
    ...numbers.map((i) => row[i]!),
    ...categories.flatMap((i) => oneHot(row[i]!, inputs[i]!)),
  ];
  const places = rows.map(placeOf);
  return {
    gaussian,
    mahalanobis: sorted(
      gaussian ? plain.map((row) => Math.sqrt(mahalanobisSquared(row, gaussian.mean, gaussian.precision))) : [],
    ),
    placeOf,
    places,
    neighbours: sorted(known.length === 0 ? [] : places.map((row, i) => kthNeighbourDistance(row, places, neighbour, i))),
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

function asDistance(value: number, reference: Float64Array): Distance {
  return { value, pValue: conformalP(value, reference), timesFar: value / quantileOfSorted(reference, 0.99), reference };
}
