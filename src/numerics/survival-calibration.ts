import { calibrationIndexOf, type CalibrationIndex } from './calibration.ts';
import { coxSurvival, fitCox } from './cox.ts';
import {
  defined,
  notDefined,
  requireProbabilities,
  requireSameLength,
  requireSurvivalData,
  type Estimate,
  type Numbers,
} from './estimate.ts';
import { clopperPearsonInterval, type Interval } from './intervals.ts';
import { sum } from './moments.ts';
import { quantileOfSorted, sorted } from './quantiles.ts';
import { kaplanMeier } from './survival.ts';

/** Predicted and observed risk of a set of persons at a horizon. */
export interface RiskComparison {
  readonly n: number;
  readonly meanPredicted: number;
  /** One minus Kaplan–Meier at the horizon; `null` when nobody of the set was followed so far and survival is above 0. */
  readonly observed: number | null;
  /** 95 % log(−log) limits of `observed`; where no event was seen, 0 and the exact limit among those followed to the horizon. */
  readonly interval: Interval | null;
}

export interface SurvivalCalibration {
  readonly overall: RiskComparison;
  /** By ascending predicted risk, about equally many persons each. */
  readonly groups: readonly RiskComparison[];
  readonly observedOverExpected: Estimate;
  /**
   * Coefficient of log(−log(1 − risk)) in a Cox model up to the horizon: 1 is ideal, below 1 the risks are too spread out
   * (van Houwelingen 2000).
   */
  readonly slope: Estimate<{ readonly slope: number; readonly standardError: number }>;
  /** Gaps to a smooth calibration curve: Cox with a restricted cubic spline of that term (Austin, Harrell & van Klaveren 2020). */
  readonly index: Estimate<CalibrationIndex>;
  /** That curve at 25 risks from the 2nd to the 98th percentile of those predicted, ascending; empty where it is not defined. */
  readonly curve: readonly { readonly predicted: number; readonly observed: number }[];
}

function compareRisk(time: Numbers, event: Numbers, risk: Numbers, horizon: number, rows: readonly number[]): RiskComparison {
  const meanPredicted = rows.reduce((total, i) => total + risk[i]!, 0) / rows.length;
  const none = { n: rows.length, meanPredicted, observed: null, interval: null };
  const estimate = kaplanMeier(
    rows.map((i) => time[i]!),
    rows.map((i) => event[i]!),
  );
  if (!estimate.defined) return none;
  const km = estimate.value;
  const k = km.time.findLastIndex((t) => t <= horizon);
  const isFollowed = km.time.at(-1)! >= horizon || km.survival.at(-1)! === 0;
  if (!isFollowed) return none;
  if (k < 0 || km.survival[k] === 1) {
    const followed = rows.filter((i) => time[i]! >= horizon).length;
    const limits = clopperPearsonInterval(0, followed);
    return { ...none, observed: 0, interval: limits.defined ? limits.value : null };
  }
  const lower = km.lower[k]!;
  const upper = km.upper[k]!;
  return {
    n: rows.length,
    meanPredicted,
    observed: 1 - km.survival[k]!,
    interval: lower === null || upper === null ? null : { lower: 1 - upper, upper: 1 - lower },
  };
}

/** Restricted cubic spline with three knots (Harrell 2015, section 2.4.5): the term itself and one that bends it. */
function splineRow(v: number, [k0, k1, k2]: readonly [number, number, number]): number[] {
  const cube = (x: number): number => (x > 0 ? x ** 3 : 0);
  const bend = (cube(v - k0) - (cube(v - k1) * (k2 - k0)) / (k2 - k1) + (cube(v - k2) * (k1 - k0)) / (k2 - k1)) / (k2 - k0) ** 2;
  return [v, bend];
}

/**
 * Calibration of survival predictions at a fixed time.
 *
 * @param risk predicted probability of the event by `horizon`, one a person.
 * @param groups how many groups of ascending risk; default 5.
 */
export function survivalCalibration(
  time: Numbers,
  event: Numbers,
  risk: Numbers,
  horizon: number,
  groups = 5,
): Estimate<SurvivalCalibration> {
  const n = requireSurvivalData(time, event);
  requireSameLength({ time, risk });
  requireProbabilities('risk', risk);
  if (n < groups) return notDefined('fewer persons than groups');
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => risk[a]! - risk[b]!);
  const parts = Array.from({ length: groups }, (_, g) =>
    order.slice(Math.round((g * n) / groups), Math.round(((g + 1) * n) / groups)),
  );
  const overall = compareRisk(time, event, risk, horizon, order);
  const expected = sum(risk) / n;
  const observedOverExpected: Estimate =
    overall.observed === null
      ? notDefined(`nobody was followed to ${horizon}`)
      : expected === 0
        ? notDefined('no event is expected')
        : defined(overall.observed / expected);

  // A risk of exactly 0 or 1 has no place on the log(−log) scale; it is moved by less than any forecast resolves.
  const transformed = Array.from(risk, (r) => Math.log(-Math.log1p(-Math.min(Math.max(r, 1e-9), 1 - 1e-9))));
  const cutTime = Array.from(time, (t) => Math.min(t, horizon));
  const cutEvent = Array.from(event, (e, i) => (time[i]! <= horizon ? e : 0));
  const line = fitCox(
    cutTime,
    cutEvent,
    transformed.map((v) => [v]),
  );
  const slope: SurvivalCalibration['slope'] = line.defined
    ? defined({ slope: line.value.coefficients[0]!, standardError: line.value.standardErrors[0]! })
    : line;

  const ascending = sorted(transformed);
  const knots = [0.1, 0.5, 0.9].map((level) => quantileOfSorted(ascending, level)) as [number, number, number];
  let index: SurvivalCalibration['index'] = notDefined('the predictions take too few values for a smooth curve');
  let curve: SurvivalCalibration['curve'] = [];
  if (knots[0] < knots[1] && knots[1] < knots[2]) {
    const rows = transformed.map((v) => splineRow(v, knots));
    const smooth = fitCox(cutTime, cutEvent, rows);
    if (!smooth.defined) index = smooth;
    else {
      const observedAt = (v: number): number => 1 - coxSurvival(smooth.value, splineRow(v, knots), [horizon])[0]!;
      index = defined(calibrationIndexOf(transformed.map((v, i) => Math.abs(observedAt(v) - risk[i]!))));
      curve = Array.from({ length: 25 }, (_, k) => quantileOfSorted(ascending, 0.02 + (0.96 * k) / 24)).map((v) => ({
        predicted: -Math.expm1(-Math.exp(v)),
        observed: observedAt(v),
      }));
    }
  }
  return defined({
    overall,
    groups: parts.map((rows) => compareRisk(time, event, risk, horizon, rows)),
    observedOverExpected,
    slope,
    index,
    curve,
  });
}
