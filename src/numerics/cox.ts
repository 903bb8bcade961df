import {
  defined,
  notDefined,
  requireFinite,
  requireSameLength,
  requireSurvivalData,
  MetricInputError,
  type Estimate,
  type Numbers,
} from './estimate.ts';
import { dot, inverseSymmetric, solveSymmetric, zeros, type Matrix } from './linear-algebra.ts';
import { stepAt, type StepCurve } from './survival.ts';

/** What a prediction needs, and so what is stored; plain JSON. */
export interface CoxModel {
  /** Logarithms of hazard ratios, one a column of x. */
  readonly coefficients: readonly number[];
  /** Column means of the fitting rows: the linear predictor and the baseline are taken around them. */
  readonly means: readonly number[];
  /** Cumulative baseline hazard of a person at the means, at each distinct event time. */
  readonly baseline: StepCurve;
}

export interface CoxFit extends CoxModel {
  readonly standardErrors: readonly number[];
  readonly covariance: Matrix;
  readonly logLikelihoodNull: number;
  /** Without the ridge penalty. */
  readonly logLikelihood: number;
  readonly persons: number;
  readonly events: number;
  readonly iterations: number;
}

export interface CoxOptions {
  /** Handling of events at the same time. Default 'efron', as in R. */
  readonly ties?: 'efron' | 'breslow';
  /** θ of the penalty θ/2 · Σ β², as R's `ridge(theta, scale = FALSE)`. Default 0. */
  readonly ridge?: number;
}

interface Derivatives {
  readonly logLikelihood: number;
  readonly gradient: number[];
  readonly information: number[][];
}

interface SortedData {
  readonly n: number;
  readonly p: number;
  /** Rows by descending time, centred. */
  readonly time: Float64Array;
  readonly event: Float64Array;
  readonly x: readonly Float64Array[];
}

/** Exponentials of linear predictors are kept in range by taking them around the largest one. */
function relativeHazards(data: SortedData, beta: readonly number[]): { eta: Float64Array; weight: Float64Array; shift: number } {
  const eta = Float64Array.from(data.x, (row) => dot(row, beta));
  let shift = -Infinity;
  for (const value of eta) shift = Math.max(shift, value);
  return { eta, weight: eta.map((value) => Math.exp(value - shift)), shift };
}

/** Calls `visit` once a distinct event time (descending) with the rows of the risk set that came since the last call. */
function forEachTime(data: SortedData, visit: (start: number, end: number) => void): void {
  for (let start = 0; start < data.n;) {
    let end = start;
    while (end < data.n && data.time[end] === data.time[start]) end++;
    visit(start, end);
    start = end;
  }
}

function derivatives(data: SortedData, beta: readonly number[], ties: 'efron' | 'breslow'): Derivatives {
  const { p } = data;
  const { eta, weight, shift } = relativeHazards(data, beta);
  let s0 = 0;
  const s1 = new Float64Array(p);
  const s2 = zeros(p, p);
  let logLikelihood = 0;
  const gradient = new Array<number>(p).fill(0);
  const information = zeros(p, p);
  forEachTime(data, (start, end) => {
    let d0 = 0;
    const d1 = new Float64Array(p);
    const d2 = zeros(p, p);
    let events = 0;
    for (let r = start; r < end; r++) {
      const w = weight[r]!;
      const row = data.x[r]!;
      const isEvent = data.event[r] === 1;
      s0 += w;
      if (isEvent) {
        events++;
        d0 += w;
        logLikelihood += eta[r]!;
      }
      for (let i = 0; i < p; i++) {
        s1[i]! += w * row[i]!;
        if (isEvent) {
          d1[i]! += w * row[i]!;
          gradient[i]! += row[i]!;
        }
        for (let j = 0; j <= i; j++) {
          const product = w * row[i]! * row[j]!;
          s2[i]![j]! += product;
          if (isEvent) d2[i]![j]! += product;
        }
      }
    }
    // Efron (1977): the k-th of d tied events faces a risk set that has lost k/d of the tied weights.
    for (let k = 0; k < events; k++) {
      const share = ties === 'efron' ? k / events : 0;
      const z0 = s0 - share * d0;
      logLikelihood -= Math.log(z0) + shift;
      const average = Array.from({ length: p }, (_, i) => (s1[i]! - share * d1[i]!) / z0);
      for (let i = 0; i < p; i++) {
        gradient[i]! -= average[i]!;
        for (let j = 0; j <= i; j++) {
          information[i]![j]! += (s2[i]![j]! - share * d2[i]![j]!) / z0 - average[i]! * average[j]!;
        }
      }
    }
  });
  for (let i = 0; i < p; i++) for (let j = i + 1; j < p; j++) information[i]![j] = information[j]![i]!;
  return { logLikelihood, gradient, information };
}

/** Breslow's estimate, or Efron's where the fit used Efron ties (as R's `survfit.coxph`). */
function baselineHazard(data: SortedData, beta: readonly number[], ties: 'efron' | 'breslow'): StepCurve {
  const { weight, shift } = relativeHazards(data, beta);
  const increments: [number, number][] = [];
  let s0 = 0;
  forEachTime(data, (start, end) => {
    let d0 = 0;
    let events = 0;
    for (let r = start; r < end; r++) {
      s0 += weight[r]!;
      if (data.event[r] === 1) {
        events++;
        d0 += weight[r]!;
      }
    }
    let increment = 0;
    for (let k = 0; k < events; k++) increment += 1 / (s0 - (ties === 'efron' ? (k / events) * d0 : 0));
    if (events > 0) increments.push([data.time[start]!, increment * Math.exp(-shift)]);
  });
  increments.reverse();
  let hazard = 0;
  return { time: increments.map(([t]) => t), value: increments.map(([, increment]) => (hazard += increment)) };
}

/**
 * Cox proportional-hazards model by Newton's method with step halving.
 *
 * @param time follow-up of each person, any unit; the baseline has the same.
 * @param event 1 for the event, 0 for censored.
 * @param x one row of covariates a person, complete.
 * @returns not defined without events, with a redundant column, or when a covariate separates the events so that its
 *   coefficient has no finite maximum (a ridge penalty gives that case an answer).
 */
export function fitCox(time: Numbers, event: Numbers, x: Matrix, options: CoxOptions = {}): Estimate<CoxFit> {
  const { ties = 'efron', ridge = 0 } = options;
  const n = requireSurvivalData(time, event);
  requireSameLength({ time, x: { length: x.length } });
  x.forEach((row, i) => requireFinite(`x[${i}]`, row));
  if (!(ridge >= 0)) throw new MetricInputError(`ridge ${ridge} is negative.`);
  if (n === 0) return notDefined('no persons');
  const p = x[0]!.length;
  const events = Array.from(event).reduce((a, b) => a + b, 0);
  if (events === 0) return notDefined('no events');

  const means = Array.from({ length: p }, (_, j) => x.reduce((total, row) => total + row[j]!, 0) / n);
  const sds = means.map((m, j) => Math.sqrt(x.reduce((total, row) => total + (row[j]! - m) ** 2, 0) / n));
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => time[b]! - time[a]!);
  const data: SortedData = {
    n,
    p,
    time: Float64Array.from(order, (i) => time[i]!),
    event: Float64Array.from(order, (i) => event[i]!),
    x: order.map((i) => Float64Array.from(means, (m, j) => x[i]![j]! - m)),
  };

  const penalised = (beta: readonly number[]): Derivatives => {
    const d = derivatives(data, beta, ties);
    return {
      logLikelihood: d.logLikelihood - (ridge / 2) * dot(beta, beta),
      gradient: d.gradient.map((g, i) => g - ridge * beta[i]!),
      information: d.information.map((row, i) => row.map((value, j) => (i === j ? value + ridge : value))),
    };
  };

  let beta: number[] = new Array<number>(p).fill(0);
  let current = penalised(beta);
  const logLikelihoodNull = current.logLikelihood;
  let iterations = 0;
  let isConverged = p === 0;
  while (!isConverged && iterations < 100) {
    iterations++;
    const step = solveSymmetric(current.information, current.gradient);
    if (step === null) return notDefined('the covariates are redundant or do not vary among those at risk');
    // Newton decrement: twice the gain in log-likelihood still expected.
    const decrement = dot(step, current.gradient);
    let factor = 1;
    let next = beta.map((b, i) => b + step[i]!);
    let trial = penalised(next);
    while (!(trial.logLikelihood >= current.logLikelihood - 1e-10 * Math.abs(current.logLikelihood)) && factor > 1e-6) {
      factor /= 2;
      next = beta.map((b, i) => b + factor * step[i]!);
      trial = penalised(next);
    }
    beta = next;
    current = trial;
    isConverged = decrement < 1e-16 * (1 + Math.abs(current.logLikelihood));
  }
  // One standard deviation of a covariate multiplying the hazard by e^15 is a coefficient on its way to infinity.
  if (!isConverged || beta.some((b, j) => Math.abs(b) * sds[j]! > 15)) {
    return notDefined('the likelihood has no finite maximum: a covariate separates the events');
  }
  const covariance = p === 0 ? [] : inverseSymmetric(current.information);
  if (covariance === null) return notDefined('the information matrix is singular');
  return defined({
    coefficients: beta,
    means,
    baseline: baselineHazard(data, beta, ties),
    standardErrors: covariance.map((row, i) => Math.sqrt(row[i]!)),
    covariance,
    logLikelihoodNull,
    logLikelihood: current.logLikelihood + (ridge / 2) * dot(beta, beta),
    persons: n,
    events,
    iterations,
  });
}

/** Log relative hazard of a person against one at the means. */
export function coxLinearPredictor(model: CoxModel, x: Numbers): number {
  return model.coefficients.reduce((total, b, j) => total + b * (x[j]! - model.means[j]!), 0);
}

/** Predicted survival of a person at the given times: exp(−H0(t) · exp(linear predictor)). Constant after the last event. */
export function coxSurvival(model: CoxModel, x: Numbers, times: readonly number[]): number[] {
  const relative = Math.exp(coxLinearPredictor(model, x));
  return times.map((t) => Math.exp(-stepAt(model.baseline, t, 0) * relative));
}

/** The part of a fit that predictions need. */
export function coxModel(fit: CoxFit): CoxModel {
  return { coefficients: fit.coefficients, means: fit.means, baseline: fit.baseline };
}
