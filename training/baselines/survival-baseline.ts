import { type CoxModel } from '#numerics/cox.ts';
import { kaplanMeier, type StepCurve } from '#numerics/survival.ts';
import { orThrow } from './predictive.ts';

export interface FollowUp {
  /** Days. */
  readonly time: number;
  /** 1 when the event happened, else 0. */
  readonly event: 0 | 1;
}

export interface SurvivalBaseline {
  readonly cox: CoxModel;
  /** Survival from the landmark without any covariate, days. */
  readonly kaplanMeier: StepCurve;
}

export interface SurvivalForecast {
  /** Log relative hazard; orders persons for a concordance. */
  readonly risk: number;
  /** Probability of no event by each horizon. */
  readonly survival: readonly number[];
  /** The same without any covariate. */
  readonly kaplanMeier: readonly number[];
}

/** Kaplan–Meier as a step curve of its event times only. */
export function eventCurve(what: string, time: readonly number[], event: readonly number[]): StepCurve {
  const km = orThrow(what, kaplanMeier(time, event));
  const kept = km.time.map((_, k) => k).filter((k) => km.events[k]! > 0);
  return { time: kept.map((k) => km.time[k]!), value: kept.map((k) => km.survival[k]!) };
}
