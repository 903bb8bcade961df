/** "What dose reaches the target?" and "where next to measure?": the questions, and their answers in the units of the page. */
import type { TargetForecast } from './forecast.ts';
import type { Regimen } from './plan.ts';

export interface DoseQuestion {
  /** An intervention that has a dose grid in the pack. */
  readonly intervention: string;
  /** Targets that are wanted; candidates are ordered by the chance that all of them are reached together. */
  readonly reach: readonly string[];
  /** Limits: a candidate whose probability lies above is shown as breaking it, never left out. */
  readonly avoid: readonly { readonly target: string; readonly atMost: number }[];
  readonly withLoadingDose: boolean;
  /** Per day, in the input's unit; null for the pack's own largest single dose only. */
  readonly maximumPerDay: number | null;
  /** "What if renal function changes": values of covariates from a day from now on. */
  readonly covariateChanges: readonly CovariateChange[];
  readonly horizonDays: number;
  /** Draws for the last round; 4,096 unless told otherwise. */
  readonly draws?: number;
  readonly seed: number;
}

export interface CovariateChange {
  readonly covariate: string;
  /** In the canonical unit. */
  readonly value: number;
  readonly fromDay: number;
}

export interface DoseCandidate {
  readonly id: string;
  /** The loading dose first, if there is one. */
  readonly regimens: readonly Regimen[];
  /** Mean amount per day of the regimen without its loading dose, in the input's unit. */
  readonly amountPerDay: number;
  /** By target id. */
  readonly targets: Readonly<Record<string, TargetForecast>>;
  /** Chance that all wanted targets are reached together. */
  readonly allReached: number;
  readonly keepsLimits: boolean;
  /** Posterior draws it was scored on: candidates that fell behind early were scored on fewer. */
  readonly draws: number;
  /** Amounts above or intervals outside what the pack's patients had, or a diverged share: reasons, empty if none. */
  readonly outsideSupport: readonly string[];
}

export interface DoseAnswer {
  /** Every candidate of the grid, by falling `allReached` among those that keep the limits, then the others. */
  readonly candidates: readonly DoseCandidate[];
  /** Simulated courses, and how many a full enumeration would have needed. */
  readonly simulated: number;
  readonly fullEnumeration: number;
  readonly elapsedMs: number;
  readonly seed: number;
}

export interface SamplingQuestion {
  /** Hours from now at which a level could be drawn. */
  readonly candidateHours: readonly number[];
  readonly marker: string;
  /** What is to be known better: a target's measure under the current doses. */
  readonly target: string;
  readonly horizonDays: number;
  readonly seed: number;
}

export interface SamplingAnswer {
  readonly unit: string;
  /** 5, 50 and 95 % of the target's measure as it is known now. */
  readonly now: readonly [number, number, number];
  /** Standard deviation of the measure now. */
  readonly sdNow: number;
  readonly candidates: readonly {
    readonly hours: number;
    /** Expected standard deviation after a level at that time, with its Monte-Carlo standard error. */
    readonly expectedSd: number;
    readonly standardError: number;
    /** Expected information about the measure, in nats. */
    readonly information: number;
  }[];
}
