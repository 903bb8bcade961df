import {
  defined,
  notDefined,
  requireBinary,
  requireFinite,
  requireProbabilities,
  requireSameLength,
  requireSurvivalData,
  MetricInputError,
  type Estimate,
  type Numbers,
} from './estimate.ts';
import { chiSquareUpper } from './special-functions.ts';
import { censoringSurvival, kaplanMeier, stepAt, stepBefore, survivalAt, type StepCurve } from './survival.ts';

/**
 * Where the censoring distribution comes from. By default the evaluated sample itself; for a small test set the training
 * sample may be steadier.
 */
export interface CensoringOptions {
  readonly censoring?: StepCurve;
}

/**
 * Brier score at `horizon` weighted by inverse probability of censoring (Graf et al. 1999). G is taken just before a
 * person's own event, G(t−), and at the horizon for those beyond it.
 *
 * @param survival predicted probability of being event-free at `horizon`, one a person.
 */
export function ipcwBrier(
  time: Numbers,
  event: Numbers,
  survival: Numbers,
  horizon: number,
  options: CensoringOptions = {},
): Estimate {
  const n = requireSurvivalData(time, event);
  requireSameLength({ time, survival });
  requireProbabilities('survival', survival);
  if (n === 0) return notDefined('no persons');
  const g = options.censoring ?? censoringSurvival(time, event);
  const gHorizon = stepAt(g, horizon, 1);
  if (gHorizon === 0) return notDefined(`everybody is censored by ${horizon}`);
  let total = 0;
  for (let i = 0; i < n; i++) {
    if (time[i]! > horizon) total += (1 - survival[i]!) ** 2 / gHorizon;
    else if (event[i] === 1) {
      const weight = stepBefore(g, time[i]!, 1);
      if (weight === 0) return notDefined('an event lies where the censoring distribution has no mass left');
      total += survival[i]! ** 2 / weight;
    }
  }
  return defined(total / n);
}

/**
 * Integrated IPCW Brier score: trapezoid over `times`, divided by their range.
 *
 * @param survival `survival[i][k]` is person i's predicted survival at `times[k]`; times ascending, at least two.
 */
export function integratedBrier(
  time: Numbers,
  event: Numbers,
  survival: readonly Numbers[],
  times: readonly number[],
  options: CensoringOptions = {},
): Estimate {
  if (times.length < 2) return notDefined('fewer than two times');
  const g = options.censoring ?? censoringSurvival(time, event);
  let area = 0;
  let before = 0;
  for (let k = 0; k < times.length; k++) {
    const score = ipcwBrier(
      time,
      event,
      survival.map((row) => row[k]!),
      times[k]!,
      { censoring: g },
    );
    if (!score.defined) return score;
    if (k > 0) {
      const width = times[k]! - times[k - 1]!;
      if (!(width > 0)) throw new MetricInputError('times are not ascending.');
      area += (width * (before + score.value)) / 2;
    }
    before = score.value;
  }
  return defined(area / (times.at(-1)! - times[0]!));
}

/**
 * Cumulative/dynamic AUC at `horizon`: cases have the event by the horizon, weighted by 1/G(t−); controls are still
 * event-free after it (Uno et al. 2007). Not defined without a case or a control.
 */
export function cumulativeAuc(
  time: Numbers,
  event: Numbers,
  risk: Numbers,
  horizon: number,
  options: CensoringOptions = {},
): Estimate {
  const n = requireSurvivalData(time, event);
  requireSameLength({ time, risk });
  requireFinite('risk', risk);
  const g = options.censoring ?? censoringSurvival(time, event);
  const controls: number[] = [];
  for (let i = 0; i < n; i++) if (time[i]! > horizon) controls.push(risk[i]!);
  let agreeing = 0;
  let weights = 0;
  for (let i = 0; i < n; i++) {
    if (event[i] !== 1 || time[i]! > horizon) continue;
    const mass = stepBefore(g, time[i]!, 1);
    if (mass === 0) return notDefined('an event lies where the censoring distribution has no mass left');
    let score = 0;
    for (const control of controls) score += risk[i]! > control ? 1 : risk[i] === control ? 0.5 : 0;
    agreeing += score / mass;
    weights += 1 / mass;
  }
  if (weights === 0) return notDefined(`no event by ${horizon}`);
  if (controls.length === 0) return notDefined(`nobody is followed beyond ${horizon}`);
  return defined(agreeing / (weights * controls.length));
}

/** Mean of the cumulative/dynamic AUC over `times` (ascending), weighted by the drop of the Kaplan–Meier curve up to each. */
export function meanCumulativeAuc(
  time: Numbers,
  event: Numbers,
  risk: Numbers,
  times: readonly number[],
  options: CensoringOptions = {},
): Estimate {
  const km = kaplanMeier(time, event);
  if (!km.defined) return km;
  let total = 0;
  let before = 1;
  for (const t of times) {
    const auc = cumulativeAuc(time, event, risk, t, options);
    if (!auc.defined) return auc;
    const survival = survivalAt(km.value, t);
    total += auc.value * (before - survival);
    before = survival;
  }
  return before === 1 ? notDefined('no event by the last time') : defined(total / (1 - before));
}

export interface DCalibration {
  /** Mass in each bin of predicted survival, ascending; bin k is [k/bins, (k+1)/bins). */
  readonly counts: readonly number[];
  readonly chiSquare: number;
  readonly p: number;
}

/**
 * D-calibration (Haider et al. 2020): predicted survival at the own time should be uniform. A censored person spreads its
 * mass over its own and all lower bins.
 *
 * @param survivalAtOwnTime predicted survival at each person's own observed time.
 * @param bins default 10.
 */
export function dCalibration(survivalAtOwnTime: Numbers, event: Numbers, bins = 10): Estimate<DCalibration> {
  const n = requireSameLength({ survivalAtOwnTime, event });
  requireProbabilities('survivalAtOwnTime', survivalAtOwnTime);
  requireBinary('event', event);
  if (n === 0) return notDefined('no persons');
  const counts = new Array<number>(bins).fill(0);
  for (let i = 0; i < n; i++) {
    const s = survivalAtOwnTime[i]!;
    let bin = bins - 1;
    while (bin > 0 && s < bin / bins) bin--;
    if (event[i] === 1 || s === 0) counts[bin]! += 1;
    else {
      counts[bin]! += (s - bin / bins) / s;
      for (let k = 0; k < bin; k++) counts[k]! += 1 / bins / s;
    }
  }
  const expected = n / bins;
  const chiSquare = counts.reduce((total, c) => total + (c - expected) ** 2 / expected, 0);
  return defined({ counts, chiSquare, p: chiSquareUpper(chiSquare, bins - 1) });
}
