import { defined, notDefined, requireFinite, requireSameLength, type Estimate, type Numbers } from './estimate.ts';
import {
  cholesky,
  dot,
  inverseCholesky,
  logDeterminantCholesky,
  quadraticForm,
  solveCholesky,
  zeros,
  type Matrix,
} from './linear-algebra.ts';
import { nelderMead } from './nelder-mead.ts';

/**
 * Linear mixed model of one marker with a random intercept and slope in time: y = x β + b0 + b1 · time + e, with (b0, b1)
 * normal with covariance σ² Λ Λᵀ and e normal with sd σ. The letters are those of Bates et al. (2015), "Fitting linear
 * mixed-effects models using lme4": Λ lower triangular with entries θ = (Λ00, Λ10, Λ11).
 */
export interface MixedModel {
  /** Fixed effects, one a column of x. */
  readonly beta: readonly number[];
  readonly betaCovariance: Matrix;
  readonly theta: readonly [number, number, number];
  /** Residual standard deviation, in the unit of y. */
  readonly sigma: number;
}

export interface MixedFit extends MixedModel {
  /** −2 log-likelihood, or its REML counterpart. */
  readonly deviance: number;
  readonly persons: number;
  readonly observations: number;
}

/** The observations of one person, in any order; `x` has a row of fixed-effect covariates a time, a column of ones included. */
export interface PersonSeries {
  readonly time: Numbers;
  readonly x: Matrix;
  readonly y: Numbers;
}

export interface MixedOptions {
  /** 'reml' (default) or 'ml'. Use 'ml' to compare deviances of different fixed effects. */
  readonly method?: 'reml' | 'ml';
  /** Whether the slope in time varies between persons. Default true. */
  readonly randomSlope?: boolean;
}

type Theta = readonly [number, number, number];

/** A = I + Λᵀ ZᵀZ Λ of one person as (a00, a01, a11), with its determinant. */
function innerMatrix(zz: readonly [number, number, number], [l00, l10, l11]: Theta): [number, number, number, number] {
  const [n, t, tt] = zz;
  const a00 = 1 + l00 * l00 * n + 2 * l00 * l10 * t + l10 * l10 * tt;
  const a01 = l11 * (l00 * t + l10 * tt);
  const a11 = 1 + l11 * l11 * tt;
  return [a00, a01, a11, a00 * a11 - a01 * a01];
}

interface Sums {
  readonly zz: readonly [number, number, number];
  readonly xx: Matrix;
  readonly xy: readonly number[];
  readonly yy: number;
  /** Zᵀ(x columns, y): the sums with 1 and with time. */
  readonly z0: readonly number[];
  readonly z1: readonly number[];
}

function sumsOf(series: PersonSeries, p: number): Sums {
  const n = requireSameLength({ time: series.time, y: series.y, x: { length: series.x.length } });
  requireFinite('time', series.time);
  requireFinite('y', series.y);
  const xx = zeros(p, p);
  const xy = new Array<number>(p).fill(0);
  const z0 = new Array<number>(p + 1).fill(0);
  const z1 = new Array<number>(p + 1).fill(0);
  let yy = 0;
  let t1 = 0;
  let t2 = 0;
  for (let i = 0; i < n; i++) {
    const row = series.x[i]!;
    requireFinite('x', row);
    const y = series.y[i]!;
    const t = series.time[i]!;
    yy += y * y;
    t1 += t;
    t2 += t * t;
    for (let j = 0; j <= p; j++) {
      const value = j < p ? row[j]! : y;
      z0[j]! += value;
      z1[j]! += t * value;
    }
    for (let j = 0; j < p; j++) {
      xy[j]! += row[j]! * y;
      for (let k = 0; k < p; k++) xx[j]![k]! += row[j]! * row[k]!;
    }
  }
  return { zz: [n, t1, t2], xx, xy, yy, z0, z1 };
}

interface Profile {
  readonly deviance: number;
  readonly beta: number[];
  readonly sigma: number;
  readonly factor: number[][];
}

/** Deviance with β and σ profiled out (Bates et al. 2015, section 3), or `null` where the fixed effects are redundant. */
function profile(sums: readonly Sums[], theta: Theta, p: number, observations: number, isReml: boolean): Profile | null {
  const [l00, l10, l11] = theta;
  const xvx = zeros(p, p);
  const xvy = new Array<number>(p).fill(0);
  let yvy = 0;
  let logDeterminant = 0;
  // Woodbury: V⁻¹ = I − Z Λ A⁻¹ Λᵀ Zᵀ, so each person costs a 2 × 2 system.
  for (const s of sums) {
    const [a00, a01, a11, determinant] = innerMatrix(s.zz, theta);
    logDeterminant += Math.log(determinant);
    const u = s.z0.map((v, j) => l00 * v + l10 * s.z1[j]!);
    const w = s.z1.map((v) => l11 * v);
    const project = (j: number, k: number): number =>
      (a11 * u[j]! * u[k]! - a01 * (u[j]! * w[k]! + w[j]! * u[k]!) + a00 * w[j]! * w[k]!) / determinant;
    for (let j = 0; j < p; j++) {
      xvy[j]! += s.xy[j]! - project(j, p);
      for (let k = 0; k <= j; k++) xvx[j]![k]! += s.xx[j]![k]! - project(j, k);
    }
    yvy += s.yy - project(p, p);
  }
  const factor = cholesky(xvx);
  if (factor === null) return null;
  const beta = solveCholesky(factor, xvy);
  const residual = yvy - dot(beta, xvy);
  const degrees = isReml ? observations - p : observations;
  const deviance =
    logDeterminant + degrees * (1 + Math.log((2 * Math.PI * residual) / degrees)) + (isReml ? logDeterminantCholesky(factor) : 0);
  return { deviance, beta, sigma: Math.sqrt(residual / degrees), factor };
}

/**
 * Fits by REML (default) or maximum likelihood, with Nelder–Mead over θ from several starts. A variance on the boundary
 * (no variation of the slope) is an answer, not a failure. Not defined with too few observations or redundant covariates.
 */
export function fitMixedModel(persons: readonly PersonSeries[], options: MixedOptions = {}): Estimate<MixedFit> {
  const { method = 'reml', randomSlope = true } = options;
  const withData = persons.filter((person) => person.y.length > 0);
  const p = withData[0]?.x[0]?.length ?? 0;
  if (p === 0) return notDefined('no observations or no fixed effects');
  const sums = withData.map((person) => sumsOf(person, p));
  const observations = sums.reduce((total, s) => total + s.zz[0], 0);
  if (observations < p + 4) return notDefined(`${observations} observations are too few`);
  if (observations === withData.length) return notDefined('no person was observed twice');
  const isReml = method === 'reml';
  const full = (x: readonly number[]): Theta => (randomSlope ? [x[0]!, x[1]!, x[2]!] : [x[0]!, 0, 0]);
  const deviance = (x: readonly number[]): number => profile(sums, full(x), p, observations, isReml)?.deviance ?? Infinity;
  // In units in which the typical time is 1, so that the starts suit days as well as years.
  const timeScale = Math.sqrt(sums.reduce((total, s) => total + s.zz[2], 0) / observations) || 1;
  let best: { x: readonly number[]; value: number } | undefined;
  for (const [intercept, slope] of [
    [1, 0.5],
    [0.3, 0.1],
    [3, 1],
  ] as const) {
    const start = randomSlope ? [intercept, 0, slope / timeScale] : [intercept];
    const steps = randomSlope ? [0.5, 0.3 / timeScale, 0.3 / timeScale] : [0.5];
    let found = nelderMead(deviance, start, { steps });
    // A restart from the end escapes a simplex that has collapsed.
    found = nelderMead(deviance, found.x, { steps: steps.map((step) => step / 5) });
    if (best === undefined || found.value < best.value) best = found;
  }
  const [a, b, c] = full(best!.x);
  // Λ and Λ with a column's sign turned give the same covariance; the diagonal is kept positive.
  const theta: Theta = [Math.abs(a), a < 0 ? -b : b, Math.abs(c)];
  const end = profile(sums, theta, p, observations, isReml);
  if (end === null || !Number.isFinite(end.deviance)) return notDefined('the fixed effects are redundant or fit exactly');
  return defined({
    beta: end.beta,
    betaCovariance: inverseCholesky(end.factor).map((row) => row.map((v) => v * end.sigma ** 2)),
    theta,
    sigma: end.sigma,
    deviance: end.deviance,
    persons: withData.length,
    observations,
  });
}

/** Covariance of the random intercept and slope: [var b0, cov, var b1]. */
export function randomEffectCovariance(model: MixedModel): [number, number, number] {
  const [l00, l10, l11] = model.theta;
  const s2 = model.sigma ** 2;
  return [s2 * l00 * l00, s2 * l00 * l10, s2 * (l10 * l10 + l11 * l11)];
}

/**
 * Predictive distribution of a new observation of a person at a future time given the past ones: normal with this mean and
 * standard deviation, which holds the residual, the person's random effects and the fixed effects' uncertainty (not that of
 * the variance parameters). With an empty past it is the population's distribution.
 */
export function predictMixed(
  model: MixedModel,
  past: PersonSeries,
  future: { readonly time: number; readonly x: Numbers },
): { readonly mean: number; readonly sd: number } {
  const p = model.beta.length;
  const sums = sumsOf(past, p);
  const [l00, l10, l11] = model.theta;
  const [a00, a01, a11, determinant] = innerMatrix(sums.zz, model.theta);
  // k = A⁻¹ Λᵀ z*, for the future's z* = (1, time).
  const v0 = l00 + l10 * future.time;
  const v1 = l11 * future.time;
  const k0 = (a11 * v0 - a01 * v1) / determinant;
  const k1 = (a00 * v1 - a01 * v0) / determinant;
  /** z*ᵀ Λ A⁻¹ Λᵀ Zᵀ applied to column j of (x, y). */
  const carry = (j: number): number => k0 * (l00 * sums.z0[j]! + l10 * sums.z1[j]!) + k1 * l11 * sums.z1[j]!;
  const remaining = Array.from({ length: p }, (_, j) => future.x[j]! - carry(j));
  const mean = dot(model.beta, remaining) + carry(p);
  const variance = model.sigma ** 2 * (1 + v0 * k0 + v1 * k1) + quadraticForm(model.betaCovariance, remaining);
  return { mean, sd: Math.sqrt(variance) };
}

/** The part of a fit that predictions need. */
export function mixedModel(fit: MixedFit): MixedModel {
  return { beta: fit.beta, betaCovariance: fit.betaCovariance, theta: fit.theta, sigma: fit.sigma };
}
