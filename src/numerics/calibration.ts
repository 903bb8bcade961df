import {
  defined,
  notDefined,
  requireBinary,
  requireProbabilities,
  requireSameLength,
  type Estimate,
  type Numbers,
} from './estimate.ts';
import { fitLogistic, logit } from './logistic-regression.ts';
import { lowess } from './lowess.ts';
import { sum } from './moments.ts';
import { quantileOfSorted, sorted } from './quantiles.ts';
import { chiSquareUpper, normalTwoSidedP } from './special-functions.ts';

function requireForecasts(y: Numbers, p: Numbers): number {
  const n = requireSameLength({ y, p });
  requireBinary('y', y);
  requireProbabilities('p', p);
  return n;
}

export interface CalibrationBin {
  readonly n: number;
  /** `null` in an empty bin. */
  readonly meanPredicted: number | null;
  readonly meanObserved: number | null;
}

/** Equal-width bins (k/bins, (k+1)/bins], the first closed at 0. `bins` defaults to 10. */
export function calibrationBins(y: Numbers, p: Numbers, bins = 10): CalibrationBin[] {
  const n = requireForecasts(y, p);
  const counts = new Array<number>(bins).fill(0);
  const predicted = new Array<number>(bins).fill(0);
  const observed = new Array<number>(bins).fill(0);
  for (let i = 0; i < n; i++) {
    let k = 0;
    while (p[i]! > (k + 1) / bins) k++;
    counts[k]! += 1;
    predicted[k]! += p[i]!;
    observed[k]! += y[i]!;
  }
  return counts.map((count, k) => ({
    n: count,
    meanPredicted: count === 0 ? null : predicted[k]! / count,
    meanObserved: count === 0 ? null : observed[k]! / count,
  }));
}

export interface CalibrationError {
  /** Mean over persons of the gap in their bin. */
  readonly expected: number;
  /** Largest gap of a bin that is not empty. */
  readonly maximum: number;
}

/** Expected and maximum calibration error over `calibrationBins`. */
export function calibrationError(y: Numbers, p: Numbers, bins = 10): Estimate<CalibrationError> {
  const n = requireForecasts(y, p);
  if (n === 0) return notDefined('no persons');
  let expected = 0;
  let maximum = 0;
  for (const bin of calibrationBins(y, p, bins)) {
    if (bin.n === 0) continue;
    const gap = Math.abs(bin.meanPredicted! - bin.meanObserved!);
    expected += (bin.n / n) * gap;
    maximum = Math.max(maximum, gap);
  }
  return defined({ expected, maximum });
}

export interface LogisticRecalibration {
  /** 1 is ideal; below 1 the forecasts are too extreme. */
  readonly slope: number;
  readonly slopeStandardError: number;
  /** Intercept of the model that also has the slope. */
  readonly intercept: number;
  /** Calibration in the large: the intercept with the slope held at 1; 0 is ideal, above 0 the forecasts are too low. */
  readonly inTheLarge: number;
}

/** Logistic recalibration of y on logit(p) (Cox 1958). Not defined for one class or a p of exactly 0 or 1. */
export function logisticRecalibration(y: Numbers, p: Numbers): Estimate<LogisticRecalibration> {
  requireForecasts(y, p);
  const logits = Array.from(p, logit);
  if (!logits.every(Number.isFinite)) return notDefined('a probability is exactly 0 or 1, so its logit is infinite');
  const both = fitLogistic(
    logits.map((l) => [1, l]),
    y,
  );
  const large = fitLogistic(
    logits.map(() => [1]),
    y,
    { offset: logits },
  );
  if (!both.defined) return both;
  if (!large.defined) return large;
  return defined({
    slope: both.value.coefficients[1]!,
    slopeStandardError: both.value.standardErrors[1]!,
    intercept: both.value.coefficients[0]!,
    inTheLarge: large.value.coefficients[0]!,
  });
}

/** Events observed over events expected. */
export function observedOverExpected(y: Numbers, p: Numbers): Estimate {
  requireForecasts(y, p);
  const expected = sum(p);
  return expected === 0 ? notDefined('no event is expected') : defined(sum(y) / expected);
}

/** Distances between predicted risk and smoothed observed risk, over persons: mean (ICI), median, 90th percentile, maximum. */
export interface CalibrationIndex {
  readonly ici: number;
  readonly e50: number;
  readonly e90: number;
  readonly eMax: number;
}

/** Summary of absolute gaps, one a person; quantiles are type 7. */
export function calibrationIndexOf(gaps: Numbers): CalibrationIndex {
  const ascending = sorted(gaps);
  return {
    ici: sum(gaps) / gaps.length,
    e50: quantileOfSorted(ascending, 0.5),
    e90: quantileOfSorted(ascending, 0.9),
    eMax: ascending.at(-1)!,
  };
}

/** Integrated calibration index (Austin & Steyerberg 2019) by lowess with span 2/3 and no robustness pass. */
export function integratedCalibrationIndex(y: Numbers, p: Numbers): Estimate<CalibrationIndex> {
  const n = requireForecasts(y, p);
  if (n < 3) return notDefined('fewer than three persons');
  const smooth = lowess(p, y);
  return defined(calibrationIndexOf(smooth.map((value, i) => Math.abs(value - p[i]!))));
}

export interface SpiegelhalterTest {
  readonly z: number;
  readonly p: number;
}

/** Spiegelhalter's (1986) test that the Brier score is what the forecasts themselves imply; two-sided p. */
export function spiegelhalterTest(y: Numbers, p: Numbers): Estimate<SpiegelhalterTest> {
  const n = requireForecasts(y, p);
  let difference = 0;
  let variance = 0;
  for (let i = 0; i < n; i++) {
    difference += (y[i]! - p[i]!) * (1 - 2 * p[i]!);
    variance += (1 - 2 * p[i]!) ** 2 * p[i]! * (1 - p[i]!);
  }
  if (variance === 0) return notDefined('every forecast is 0, one half or 1');
  const z = difference / Math.sqrt(variance);
  return defined({ z, p: normalTwoSidedP(z) });
}

export interface HosmerLemeshow {
  readonly chiSquare: number;
  /** Upper tail with `groups` degrees of freedom: the forecasts were not fitted to these outcomes. */
  readonly p: number;
}

/** Hosmer–Lemeshow statistic over `groups` equally large groups of ascending risk. */
export function hosmerLemeshow(y: Numbers, p: Numbers, groups = 10): Estimate<HosmerLemeshow> {
  const n = requireForecasts(y, p);
  if (n < groups) return notDefined('fewer persons than groups');
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => p[a]! - p[b]!);
  let chiSquare = 0;
  let start = 0;
  for (let g = 0; g < groups; g++) {
    // The first n mod groups groups are one larger.
    const end = start + Math.floor(n / groups) + (g < n % groups ? 1 : 0);
    const members = order.slice(start, end);
    const expected = members.reduce((total, i) => total + p[i]!, 0);
    const observed = members.reduce((total, i) => total + y[i]!, 0);
    const variance = expected * (1 - expected / members.length);
    if (variance > 0) chiSquare += (observed - expected) ** 2 / variance;
    else if (observed !== expected) return notDefined('a group forecast as certain was wrong');
    start = end;
  }
  return defined({ chiSquare, p: chiSquareUpper(chiSquare, groups) });
}
