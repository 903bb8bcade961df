/**
 * The expected value of sample information (Raiffa & Schlaifer 1961) for a choice between options. The option is chosen by whoever knows
 * the measured value; what it is worth is asked of the virtual patient who gave that value and took no part in the choice. So the gain
 * carries no optimism: a choice that follows noise costs as often as it wins.
 */
import type { Measurement } from '#twin/equations/error-models.ts';
import { logDensity } from '#twin/equations/error-models.ts';
import { normaliseLogWeights } from '#numerics/weighted-draws.ts';
import { cholesky, solveCholesky } from '#numerics/linear-algebra.ts';

/** [option] of [draws]: what each option comes to, larger is better; NaN says nothing. Option 0 is what would be chosen now. */
export type OptionValues = readonly Float64Array[];

export interface SampleValue {
  readonly gain: number;
  readonly standardError: number;
  /** Share in which another option is chosen than number 0. */
  readonly changesChoice: number;
}

/** Draws with what each predicts for the measurement: what the choice is made with. */
export interface KnownDraws {
  readonly values: OptionValues;
  readonly predictions: Float64Array;
}

/** Virtual patients with what each was measured to have, as it looks under the error model of each draw's own model. */
export interface TruthDraws {
  readonly values: OptionValues;
  /** For patient `t` and known draw `n`; null where nothing was measured. */
  readonly measurement: (t: number, n: number) => Measurement | null;
}

/** By weighing the known draws with the likelihood of each virtual patient's value. */
export function valueByWeighing(known: KnownDraws, truths: TruthDraws): SampleValue {
  const { predictions } = known;
  const logs = new Float64Array(predictions.length);
  return valueOfChoices(truths.values, (t) => {
    if (truths.measurement(t, 0) === null) return 0;
    for (let n = 0; n < logs.length; n++) {
      const log = logDensity(truths.measurement(t, n)!, predictions[n]!);
      logs[n] = Number.isNaN(log) ? -Infinity : log;
    }
    const { weights, effectiveSize } = normaliseLogWeights(logs);
    if (effectiveSize === 0) return 0;
    return bestOption(known.values.map((own) => meanOf(own, weights)));
  });
}

/** Of the regression: a cubic bends once each way, and few values would follow the noise of a finer one. */
const powers = 4;
const folds = 5;

/**
 * By regression of what each option gains on the measured value (Strong, Oakley & Brennan 2014), for futures whose likelihood is not
 * known in closed form. The choice in a fifth of the futures follows the regression of the other four fifths. `measured` is NaN where
 * nothing was measured.
 */
export function valueByRegression(values: OptionValues, measured: Float64Array): SampleValue {
  const scale = standardise(measured);
  const fits = Array.from({ length: folds }, (_, fold) =>
    values.map((own, option) => (option === 0 ? null : regress(own, values[0]!, measured, scale, (i) => i % folds !== fold))),
  );
  return valueOfChoices(values, (i) => {
    const y = measured[i]!;
    if (Number.isNaN(y)) return 0;
    const gains = fits[i % folds]!.map((fit) => (fit ? predict(fit, (y - scale.mean) / scale.sd) : 0));
    return bestOption(gains);
  });
}

/** What knowing everything would gain: the best option of each virtual patient. No measurement can be worth more. */
export function valueOfPerfection(values: OptionValues): SampleValue {
  return valueOfChoices(values, (t) => bestOption(values.map((own) => own[t]!)));
}

function valueOfChoices(values: OptionValues, choose: (t: number) => number): SampleValue {
  const n = values[0]!.length;
  let sum = 0;
  let squares = 0;
  let changed = 0;
  for (let t = 0; t < n; t++) {
    const option = choose(t);
    if (option === 0) continue;
    changed++;
    const gain = values[option]![t]! - values[0]![t]!;
    if (Number.isNaN(gain)) continue;
    sum += gain;
    squares += gain * gain;
  }
  const mean = sum / n;
  return {
    gain: mean,
    standardError: Math.sqrt(Math.max(0, squares / n - mean * mean) / Math.max(1, n - 1)),
    changesChoice: changed / n,
  };
}

/** The first of the largest; what says nothing is never chosen. */
export function bestOption(values: readonly number[]): number {
  return values.reduce((best, value, option) => (value > values[best]! || Number.isNaN(values[best]!) ? option : best), 0);
}

function meanOf(values: Float64Array, weights: Float64Array): number {
  let sum = 0;
  let all = 0;
  for (let n = 0; n < values.length; n++) {
    const value = values[n]!;
    if (Number.isNaN(value)) continue;
    sum += weights[n]! * value;
    all += weights[n]!;
  }
  return all === 0 ? Number.NaN : sum / all;
}

function standardise(measured: Float64Array): { readonly mean: number; readonly sd: number } {
  const known = measured.filter((value) => !Number.isNaN(value));
  const mean = known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
  const variance = known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, known.length);
  return { mean, sd: Math.sqrt(variance) || 1 };
}

/** Least squares of (own − now) on powers of the standardised value; null where there are too few to fit. */
function regress(
  own: Float64Array,
  now: Float64Array,
  measured: Float64Array,
  { mean, sd }: { readonly mean: number; readonly sd: number },
  isUsed: (i: number) => boolean,
): number[] | null {
  const gram = Array.from({ length: powers }, () => new Array<number>(powers).fill(0));
  const moments = new Array<number>(powers).fill(0);
  measured.forEach((y, i) => {
    const gain = own[i]! - now[i]!;
    if (Number.isNaN(y) || Number.isNaN(gain) || !isUsed(i)) return;
    const x = (y - mean) / sd;
    for (let a = 0; a < powers; a++) {
      moments[a]! += x ** a * gain;
      for (let b = 0; b < powers; b++) gram[a]![b]! += x ** (a + b);
    }
  });
  const factor = cholesky(gram);
  return factor ? solveCholesky(factor, moments) : null;
}

function predict(fit: readonly number[], x: number): number {
  return fit.reduce((sum, coefficient, power) => sum + coefficient * x ** power, 0);
}
