/** "Where next to measure?" and "what if a covariate changes?": the questions, and their answers in the units of the page. */

export interface CovariateChange {
  readonly covariate: string;
  /** In the canonical unit. */
  readonly value: number;
  readonly fromDay: number;
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
