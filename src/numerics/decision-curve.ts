import {
  defined,
  notDefined,
  requireProbabilities,
  requireSameLength,
  requireSurvivalData,
  type Estimate,
  type Numbers,
} from './estimate.ts';
import { kaplanMeier, survivalAt } from './survival.ts';

export interface SurvivalNetBenefit {
  readonly model: number;
  readonly treatAll: number;
  /** Share of the people whose risk reaches the threshold. */
  readonly treated: number;
}

/**
 * Net benefit of acting on a predicted risk ≥ `threshold` of an event by `horizon` where some are censored before it: events among
 * those acted on are counted by Kaplan–Meier (Vickers, Cronin, Elkin & Gonen 2008). Acting on nobody is 0. Not defined where nobody of
 * a group was followed to the horizon.
 */
export function survivalNetBenefit(
  time: Numbers,
  event: Numbers,
  risk: Numbers,
  horizon: number,
  threshold: number,
): Estimate<SurvivalNetBenefit> {
  const n = requireSurvivalData(time, event);
  requireSameLength({ time, risk });
  requireProbabilities('risk', risk);
  if (n === 0) return notDefined('no persons');
  if (!(threshold > 0 && threshold < 1)) return notDefined('the threshold is not between 0 and 1');
  const odds = threshold / (1 - threshold);
  const all = Array.from({ length: n }, (_, i) => i);
  const benefitOf = (rows: readonly number[]): Estimate => {
    if (rows.length === 0) return defined(0);
    const observed = observedRisk(time, event, rows, horizon);
    if (!observed.defined) return observed;
    return defined((rows.length / n) * (observed.value - (1 - observed.value) * odds));
  };
  const treated = all.filter((i) => risk[i]! >= threshold);
  const [model, treatAll] = [benefitOf(treated), benefitOf(all)];
  if (!model.defined) return model;
  if (!treatAll.defined) return treatAll;
  return defined({ model: model.value, treatAll: treatAll.value, treated: treated.length / n });
}

function observedRisk(time: Numbers, event: Numbers, rows: readonly number[], horizon: number): Estimate {
  const km = kaplanMeier(
    rows.map((i) => time[i]!),
    rows.map((i) => event[i]!),
  );
  if (!km.defined) return km;
  const isFollowed = km.value.time.at(-1)! >= horizon || km.value.survival.at(-1) === 0;
  if (!isFollowed) return notDefined(`nobody acted on was followed to ${horizon}`);
  return defined(1 - survivalAt(km.value, horizon));
}
