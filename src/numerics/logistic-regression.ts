import { defined, notDefined, requireBinary, requireFinite, requireSameLength, type Estimate, type Numbers } from './estimate.ts';
import { dot, inverseSymmetric, solveSymmetric, zeros, type Matrix } from './linear-algebra.ts';

export interface LogisticFit {
  /** In the order of the columns of x; there is no implicit intercept. */
  readonly coefficients: readonly number[];
  readonly standardErrors: readonly number[];
  readonly logLikelihood: number;
}

export interface LogisticOptions {
  /** Known part of the linear predictor, one a row. Default none. */
  readonly offset?: Numbers;
  /** θ of the penalty θ/2 · Σ β² on every column. Default 0. */
  readonly ridge?: number;
}

export function logit(p: number): number {
  return Math.log(p) - Math.log1p(-p);
}

export function logistic(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

/** log(1 + eˣ) without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** Logistic regression by Newton's method with step halving. Not defined when the columns are redundant or separate y. */
export function fitLogistic(x: Matrix, y: Numbers, options: LogisticOptions = {}): Estimate<LogisticFit> {
  const { offset, ridge = 0 } = options;
  const n = requireSameLength({ y, x: { length: x.length } });
  requireBinary('y', y);
  x.forEach((row, i) => requireFinite(`x[${i}]`, row));
  if (n === 0) return notDefined('no rows');
  const p = x[0]!.length;
  const predictor = (beta: readonly number[], i: number): number => dot(beta, x[i]!) + (offset ? offset[i]! : 0);
  const objective = (beta: readonly number[]): number => {
    let total = (-ridge / 2) * dot(beta, beta);
    for (let i = 0; i < n; i++) {
      const eta = predictor(beta, i);
      total += y[i]! * eta - softplus(eta);
    }
    return total;
  };

  let beta: number[] = new Array<number>(p).fill(0);
  let value = objective(beta);
  for (let iteration = 0; iteration < 100; iteration++) {
    const gradient = beta.map((b) => -ridge * b);
    const information = zeros(p, p);
    let largest = 0;
    for (let i = 0; i < n; i++) {
      const row = x[i]!;
      const eta = predictor(beta, i);
      largest = Math.max(largest, Math.abs(eta));
      const mu = logistic(eta);
      const weight = mu * (1 - mu);
      for (let a = 0; a < p; a++) {
        gradient[a]! += row[a]! * (y[i]! - mu);
        for (let b = 0; b < p; b++) information[a]![b]! += weight * row[a]! * row[b]!;
      }
    }
    for (let a = 0; a < p; a++) information[a]![a]! += ridge;
    const step = solveSymmetric(information, gradient);
    if (step === null) return notDefined('the columns are redundant or separate the outcomes');
    if (dot(step, gradient) < 1e-18 * (1 + Math.abs(value))) {
      // Fitted probabilities this close to 0 and 1 for all rows mean that the likelihood has no finite maximum.
      if (ridge === 0 && -value < 1e-6 * n && largest > 10) return notDefined('the columns separate the outcomes');
      const covariance = inverseSymmetric(information)!;
      const standardErrors = covariance.map((row, i) => Math.sqrt(row[i]!));
      return defined({ coefficients: beta, standardErrors, logLikelihood: value + (ridge / 2) * dot(beta, beta) });
    }
    let factor = 1;
    let next = beta.map((b, i) => b + step[i]!);
    let nextValue = objective(next);
    while (!(nextValue >= value - 1e-12 * Math.abs(value)) && factor > 1e-6) {
      factor /= 2;
      next = beta.map((b, i) => b + factor * step[i]!);
      nextValue = objective(next);
    }
    beta = next;
    value = nextValue;
  }
  return notDefined('the columns separate the outcomes');
}
