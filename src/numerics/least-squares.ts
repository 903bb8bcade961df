import {
  defined,
  notDefined,
  requireFinite,
  requireSameLength,
  MetricInputError,
  type Estimate,
  type Numbers,
} from './estimate.ts';
import { cholesky, dot, inverseCholesky, solveCholesky, zeros, type Matrix } from './linear-algebra.ts';

/** What a prediction needs, and so what is stored; plain JSON. */
export interface LinearModel {
  readonly intercept: number;
  /** One a column of x, in the unit of y over the unit of the column. */
  readonly coefficients: readonly number[];
  /** Square root of the residual sum of squares over n − p − 1, in the unit of y. */
  readonly residualSd: number;
}

export interface LinearFit extends LinearModel {
  readonly rows: number;
  /** Standard errors of the coefficients; without a ridge penalty only, else `null`. */
  readonly standardErrors: readonly number[] | null;
}

export interface LeastSquaresOptions {
  /** Penalty ridge · Σ (βⱼ sdⱼ)²: on standardised columns, never on the intercept. Default 0, ordinary least squares. */
  readonly ridge?: number;
}

/**
 * Linear regression with an intercept, by the normal equations of standardised columns. Each x[i] is a row of covariates
 * without a column of ones. Not defined with too few rows or with redundant columns and no penalty.
 */
export function fitLeastSquares(x: Matrix, y: Numbers, options: LeastSquaresOptions = {}): Estimate<LinearFit> {
  const { ridge = 0 } = options;
  if (!(ridge >= 0)) throw new MetricInputError(`ridge ${ridge} is negative.`);
  const n = requireSameLength({ y, x: { length: x.length } });
  requireFinite('y', y);
  x.forEach((row, i) => requireFinite(`x[${i}]`, row));
  if (n === 0) return notDefined('no rows');
  const p = x[0]!.length;
  if (n < p + 2) return notDefined(`${n} rows are too few for ${p} columns and an intercept`);
  const column = (pick: (i: number) => number): { mean: number; sd: number } => {
    let total = 0;
    for (let i = 0; i < n; i++) total += pick(i);
    const mean = total / n;
    let squares = 0;
    for (let i = 0; i < n; i++) squares += (pick(i) - mean) ** 2;
    return { mean, sd: Math.sqrt(squares / n) };
  };
  const columns = Array.from({ length: p }, (_, j) => column((i) => x[i]![j]!));
  if (columns.some(({ mean, sd }) => !(sd > 1e-12 * Math.abs(mean)))) return notDefined('a column does not vary');
  const meanY = column((i) => y[i]!).mean;
  const gram = zeros(p, p);
  const right = new Array<number>(p).fill(0);
  const z = new Float64Array(p);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < p; j++) z[j] = (x[i]![j]! - columns[j]!.mean) / columns[j]!.sd;
    for (let j = 0; j < p; j++) {
      right[j]! += z[j]! * (y[i]! - meanY);
      for (let k = 0; k <= j; k++) gram[j]![k]! += z[j]! * z[k]!;
    }
  }
  for (let j = 0; j < p; j++) gram[j]![j]! += ridge;
  const factor = cholesky(gram);
  if (factor === null) return notDefined('the columns are redundant');
  const coefficients = solveCholesky(factor, right).map((b, j) => b / columns[j]!.sd);
  const intercept = coefficients.reduce((total, b, j) => total - b * columns[j]!.mean, meanY);
  let residuals = 0;
  for (let i = 0; i < n; i++) residuals += (y[i]! - intercept - dot(coefficients, x[i]!)) ** 2;
  const residualSd = Math.sqrt(residuals / (n - p - 1));
  const standardErrors =
    ridge > 0 ? null : inverseCholesky(factor).map((row, j) => (residualSd * Math.sqrt(row[j]!)) / columns[j]!.sd);
  return defined({ intercept, coefficients, residualSd, rows: n, standardErrors });
}

/** Mean prediction for a row of covariates. */
export function predictLinear(model: LinearModel, x: Numbers): number {
  return model.intercept + dot(model.coefficients, x);
}

/** The part of a fit that predictions need. */
export function linearModel(fit: LinearFit): LinearModel {
  return { intercept: fit.intercept, coefficients: fit.coefficients, residualSd: fit.residualSd };
}
