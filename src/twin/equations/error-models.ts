/**
 * How a measurement scatters around its prediction. Densities are of the measured value in the marker's unit, so that models with
 * different kinds of error can be weighed against each other; `objectiveOffset` takes them to the convention of the objective.
 */
import { betaI, logGamma } from '#numerics/special-functions.ts';
import type { ErrorModel } from '#packs/equations/model.ts';
import type { FitObservation } from './fit-problem.ts';
import { normalTail } from '../normal-tail.ts';

/** One observation with all that its density needs but the prediction. */
export interface Measurement {
  /** Among the observations of the problem. */
  readonly index: number;
  readonly observation: FitObservation;
  readonly error: ErrorModel;
  /** Of `transition`: fraction × previous observed value × √steps. Else 0. */
  readonly transitionSd: number;
}

const halfLog2Pi = 0.5 * Math.log(2 * Math.PI);

/** log density of the measurement at prediction `f`; of a value below the limit of quantification, log of the chance of that (M3, Beal 2001). */
export function logDensity(measurement: Measurement, f: number): number {
  const { observation, error } = measurement;
  const y = observation.value;
  if (observation.isBelowLimit) return logChanceBelow(measurement, y, f);
  switch (error.kind) {
    case 'log': {
      if (!(f > 0) || !(y > 0)) return -Infinity;
      const logY = Math.log(y);
      const z = (logY - Math.log(f)) / error.sd;
      return -0.5 * z * z - Math.log(error.sd) - halfLog2Pi - logY;
    }
    case 'beta': {
      const mean = betaMean(f, error.maximum);
      const a = mean * error.precision;
      const b = (1 - mean) * error.precision;
      const share = betaShare(y, error.maximum);
      const log = (a - 1) * Math.log(share) + (b - 1) * Math.log1p(-share);
      return log + logGamma(error.precision) - logGamma(a) - logGamma(b) - Math.log(error.maximum);
    }
    default: {
      const sd = spread(measurement, f);
      if (!(sd > 0)) return -Infinity;
      const z = (y - f) / sd;
      return -0.5 * z * z - Math.log(sd) - halfLog2Pi;
    }
  }
}

/** P(measurement < y) at prediction `f`. */
export function chanceBelow(measurement: Measurement, y: number, f: number): number {
  const { error } = measurement;
  switch (error.kind) {
    case 'log':
      if (!(f > 0)) return Number.NaN;
      return y > 0 ? normalBelow((Math.log(y) - Math.log(f)) / error.sd) : 0;
    case 'beta': {
      const mean = betaMean(f, error.maximum);
      const share = Math.min(1, Math.max(0, y / error.maximum));
      return betaI(share, mean * error.precision, (1 - mean) * error.precision);
    }
    default: {
      const sd = spread(measurement, f);
      return sd > 0 ? normalBelow((y - f) / sd) : y < f ? 0 : 1;
    }
  }
}

/** Standard deviation of a measurement at prediction `f`, in the marker's unit; to first order where the error is on a log scale. */
export function spread({ error, transitionSd }: Measurement, f: number): number {
  switch (error.kind) {
    case 'additive':
      return error.sd;
    case 'proportional':
      return error.fraction * Math.abs(f);
    case 'combined':
      return Math.sqrt(error.sd ** 2 + (error.fraction * f) ** 2);
    case 'log':
      return error.sd * Math.abs(f);
    case 'beta': {
      const mean = betaMean(f, error.maximum);
      return error.maximum * Math.sqrt((mean * (1 - mean)) / (error.precision + 1));
    }
    case 'transition':
      return transitionSd;
    default:
      return error satisfies never;
  }
}

/** What −2 log density lacks to the objective of the specification, which takes log errors as normal in ln(y): 2 ln y each. */
export function objectiveOffset({ observation, error }: Measurement): number {
  return error.kind === 'log' && !observation.isBelowLimit ? -2 * Math.log(observation.value) : 0;
}

function logChanceBelow(measurement: Measurement, limit: number, f: number): number {
  const { error } = measurement;
  if (error.kind === 'beta') return Math.log(chanceBelow(measurement, limit, f));
  if (error.kind === 'log') return f > 0 ? logNormalBelow((Math.log(limit) - Math.log(f)) / error.sd) : 0;
  const sd = spread(measurement, f);
  return sd > 0 ? logNormalBelow((limit - f) / sd) : f < limit ? 0 : -Infinity;
}

function normalBelow(z: number): number {
  const tail = normalTail(Math.abs(z), Math.exp(-0.5 * z * z));
  return z > 0 ? 1 - tail : tail;
}

/** log Φ(z), also where Φ itself underflows: the kernel is put in as its logarithm. */
function logNormalBelow(z: number): number {
  if (z > 0) return Math.log1p(-normalTail(z, Math.exp(-0.5 * z * z)));
  return -0.5 * z * z + Math.log(normalTail(-z, 1));
}

// A score of nothing or of everything would have no density or an infinite one: half a thousandth of the scale is kept from either
// end, for the prediction and for the value.
const edge = 5e-4;

function betaMean(f: number, maximum: number): number {
  return Math.min(1 - edge, Math.max(edge, f / maximum));
}

function betaShare(y: number, maximum: number): number {
  return Math.min(1 - edge, Math.max(edge, y / maximum));
}
