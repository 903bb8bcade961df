import { crpsEnsemble, crpsGaussian } from '#numerics/probabilistic.ts';
import { quantileOfSorted, sorted } from '#numerics/quantiles.ts';
import { normalQuantile } from '#numerics/special-functions.ts';
import { type Estimate } from '#numerics/estimate.ts';

/** A baseline's forecast of one number: normal, or a last value with equally likely errors around it. */
export type Predictive =
  | { readonly kind: 'normal'; readonly mean: number; readonly sd: number }
  | { readonly kind: 'empirical'; readonly point: number; readonly members: readonly number[] };

/** The point that errors are measured from: the mean, or the value carried forward. */
export function predictivePoint(forecast: Predictive): number {
  return forecast.kind === 'normal' ? forecast.mean : forecast.point;
}

export function predictiveQuantile(forecast: Predictive, level: number): number {
  if (forecast.kind === 'normal') return forecast.mean + forecast.sd * normalQuantile(level);
  return quantileOfSorted(sorted(forecast.members), level);
}

/** Continuous ranked probability score of the forecast for y, in the unit of y. */
export function predictiveCrps(forecast: Predictive, y: number): number {
  return forecast.kind === 'normal'
    ? crpsGaussian(y, forecast.mean, forecast.sd)
    : orThrow('crps', crpsEnsemble(y, forecast.members));
}

/** How many quantiles of the training errors are kept: fine enough for a 90 % interval, and no row can be read back from them. */
const ERROR_QUANTILES = 99;

/** The distribution of errors as equally likely values: type 7 quantiles at the middles of equal shares. */
export function errorDistribution(errors: readonly number[]): number[] {
  if (errors.length === 0) throw new Error('No training errors to describe.');
  const ascending = sorted(errors);
  return Array.from({ length: ERROR_QUANTILES }, (_, k) => quantileOfSorted(ascending, (k + 0.5) / ERROR_QUANTILES));
}

/** The last value carried forward with the training errors of doing so around it. */
export function carriedForward(last: number, errors: readonly number[]): Predictive {
  return { kind: 'empirical', point: last, members: errors.map((error) => last + error) };
}

/** A baseline that cannot be fitted stops the training: `what` names it in the message. */
export function orThrow<T>(what: string, estimate: Estimate<T>): T {
  if (!estimate.defined) throw new Error(`The baseline '${what}' is not defined: ${estimate.reason}.`);
  return estimate.value;
}
