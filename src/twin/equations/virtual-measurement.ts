/** Measurements that nobody made: what one would show of a virtual patient, and how likely it is under another. */
import { betaQuantile, normalQuantile } from '#numerics/special-functions.ts';
import type { ErrorModel } from '#packs/equations/model.ts';
import { spread, type Measurement } from './error-models.ts';

/** A measured value with all that its density needs but the prediction. */
export function measurementOf(error: ErrorModel, value: number): Measurement {
  return { index: 0, observation: { of: 0, time: 0, value, isBelowLimit: false }, error, transitionSd: 0 };
}

/** What a measurement shows at the prediction `f`, for a uniform `u`; `f` itself of a state that is observed exactly. */
export function drawValue(error: ErrorModel, f: number, u: number): number {
  if (error.kind === 'log') return f * Math.exp(error.sd * normalQuantile(u));
  if (error.kind === 'beta') {
    const mean = Math.min(0.9995, Math.max(0.0005, f / error.maximum));
    return error.maximum * betaQuantile(u, mean * error.precision, (1 - mean) * error.precision);
  }
  return f + spread(measurementOf(error, f), f) * normalQuantile(u);
}
