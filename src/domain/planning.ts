/** "What would be better for this person, and at what price?": the question in the person's own terms, and its answer. */
import type { CovariateChange } from './dosing.ts';
import type { Plan } from './plan.ts';

/** What is looked at: of a plan's futures, or of the plan itself. */
export type Measure =
  /** Mean days without any event within the horizon. */
  | { readonly kind: 'event-free-days' }
  /** Chance of an event by a day from today; every event together where `event` is null. */
  | { readonly kind: 'event'; readonly event: string | null; readonly byDay: number }
  /** Chance that a marker lies inside [low, high] at a day, among those without a terminal event; null is open. */
  | {
      readonly kind: 'marker-at';
      readonly marker: string;
      readonly low: number | null;
      readonly high: number | null;
      readonly day: number;
    }
  /** Mean share of the days from … to on which a marker lies inside [low, high]. */
  | {
      readonly kind: 'marker-time';
      readonly marker: string;
      readonly low: number | null;
      readonly high: number | null;
      readonly fromDay: number;
      readonly toDay: number;
    }
  /** Chance that a marker is outside [low, high] at any grid time from … to. */
  | {
      readonly kind: 'marker-ever-outside';
      readonly marker: string;
      readonly low: number | null;
      readonly high: number | null;
      readonly fromDay: number;
      readonly toDay: number;
    }
  /** Chance that a target of an equations pack is reached (intent reach) or that what it warns of comes (intent avoid). */
  | { readonly kind: 'target'; readonly target: string }
  /** Known from the plan alone, within the horizon. */
  | { readonly kind: 'burden'; readonly of: Burden };

/** Amounts are in the unit of the interventions' input and are offered only where a plan gives one intervention. */
export type Burden = 'doses' | 'injections' | 'infusion-hours' | 'days-on-treatment' | 'visits' | 'amount';

/** One thing that is wanted, more of it or less. */
export interface Goal {
  readonly measure: Measure;
  readonly wish: 'more' | 'less';
  /** How much it counts for this person, 0 … 10; 0 is shown and not counted. */
  readonly weight: number;
}

/** "P(INR above 4) below 5 %". The measure is one of the chances. */
export interface ChanceLimit {
  readonly measure: Measure;
  readonly atMost: number;
}

/** Where to look. Which of them a pack offers, `offeredSpaces` of `planning/spaces.ts` says. */
export type SearchSpace =
  /** Every combination that the pack lists: doses of its grid, or its levers with their timings. By successive halving. */
  | { readonly kind: 'listed'; readonly intervention: string | null; readonly withLoadingDose: boolean }
  /** Each lever on or off for each period. By the cross-entropy method, then local changes. */
  | { readonly kind: 'on-off'; readonly interventions: readonly string[]; readonly periodDays: number }
  /** An amount for each period, continuous between the pack's smallest and largest. By CMA-ES. */
  | { readonly kind: 'amounts'; readonly intervention: string; readonly periodDays: number };

export interface PlanQuestion {
  /** One at least. Those of `wish` and `weight` make the front and, where it is asked for, an order. */
  readonly goals: readonly Goal[];
  readonly limits: readonly ChanceLimit[];
  /** Interventions that are out of the question for this person (allergy, refusal): in no candidate. */
  readonly excluded: readonly string[];
  /** Above this nothing is given in a day, by intervention, in its unit. */
  readonly maximumPerDay: Readonly<Record<string, number>>;
  readonly space: SearchSpace;
  /** Plans of the page that are held against what is found. */
  readonly own: readonly Plan[];
  /** "What if renal function changes": held in every candidate's futures alike, usual care's too. Equations packs only; none by default. */
  readonly changes?: readonly CovariateChange[];
  /** Search beyond what the pack's people had as well; such candidates stay marked. */
  readonly insistsOutside: boolean;
  readonly horizonDays: number;
  /** Futures of the last round, for each plan that is left. */
  readonly rollouts: number;
  readonly seed: number;
}

/** A figure of a plan, and the same less usual care in the same futures. */
export interface MeasureValue {
  readonly value: number;
  /** 90 % interval over what is not known of the world: ensemble members and cited effects; under equations, from the number of draws alone. */
  readonly low: number;
  readonly high: number;
  readonly difference: {
    readonly value: number;
    readonly low: number;
    readonly high: number;
    /** Equally likely differences, ascending, of which the interval is the middle. */
    readonly dots: readonly number[];
  };
}

/** Where a plan stands to what the pack's people had. */
export interface PlanSupport {
  /** 0 inside; above, by how many of the seen ranges the farthest part of the plan lies outside. */
  readonly distance: number;
  readonly reasons: readonly string[];
}

export interface PlanCandidate {
  readonly id: string;
  /** What is given, in words: "1,000 mg every 12 h". */
  readonly name: string;
  readonly plan: Plan;
  readonly origin: 'usual-care' | 'own' | 'found';
  /** In the order of the question's goals, from futures that took no part in the choice where `isRescored`. */
  readonly goals: readonly MeasureValue[];
  /** In the order of the question's limits. */
  readonly limits: readonly MeasureValue[];
  readonly keepsLimits: boolean;
  /** No other candidate that keeps as many limits is at least as good in every goal and better in one. */
  readonly isOnFront: boolean;
  /** Σ weight × improvement over usual care, each in standard deviations over the candidates. An order for who asks for one. */
  readonly score: number;
  readonly support: PlanSupport;
  /** Futures it was last scored on. Candidates that fell behind early have fewer. */
  readonly rollouts: number;
  readonly isRescored: boolean;
}

export interface PlanAnswer {
  readonly status: 'completed' | 'outside-support' | 'stopped';
  /** One sentence, also when all is well. */
  readonly message: string;
  /** Usual care first, then own plans, then what was found in the order of the space: never by merit. */
  readonly candidates: readonly PlanCandidate[];
  /** Units of the goals, then of the limits; '1' for a chance or a share. */
  readonly units: readonly string[];
  /**
   * The winner's curse: how much worse the leading candidates of the search were on fresh futures than in the search, in the
   * units of `score`; null where nothing was searched.
   */
  readonly optimism: { readonly value: number; readonly low: number; readonly high: number; readonly candidates: number } | null;
  readonly rounds: readonly { readonly candidates: number; readonly rollouts: number }[];
  /** Futures simulated in all, and those that scoring every candidate in full would have taken. */
  readonly simulated: number;
  readonly fullEnumeration: number;
  readonly elapsedMs: number;
  readonly seed: number;
  /** Of the futures on which candidates were scored again. */
  readonly freshSeed: number;
}

/** A plan that looks and decides again inside the future. */
export interface Policy {
  readonly id: string;
  readonly name: string;
  /** Until the first decision. */
  readonly start: Plan;
  /** Days from today on which is measured and decided, ascending. */
  readonly decisionDays: readonly number[];
  /** Markers that are measured then, with the pack's own error. */
  readonly measures: readonly string[];
  readonly rule: PolicyRule;
}

export type PolicyRule =
  /**
   * The twin is fitted again to all that was measured, and of the pack's listed doses that keep the limits the one with the best chance
   * for the target is given; where `reach` is null the largest of them, as where the benefit of a dose is not modelled. Windows of
   * targets in days count from the decision.
   */
  | {
      readonly kind: 'refit-and-dose';
      readonly intervention: string;
      readonly reach: string | null;
      readonly avoid: readonly { readonly target: string; readonly atMost: number }[];
    }
  /** Where a measured value lies beyond a limit, another plan is followed from then on. */
  | {
      readonly kind: 'switch-when';
      readonly marker: string;
      readonly direction: 'above' | 'below';
      readonly value: number;
      readonly to: Plan;
    }
  /**
   * The dose is multiplied by the factor of the first step whose limit lies above the last value: how clinics titrate by table. Steps
   * ascend; the last has no limit. With `waitDays` the next dose, and all after it, come so many days later.
   */
  | {
      readonly kind: 'titrate';
      readonly intervention: string;
      readonly marker: string;
      readonly steps: readonly { readonly below: number | null; readonly factor: number; readonly waitDays?: number }[];
    };

/** A policy that a pack comes with, in plain words. */
export interface ReadyPolicy {
  readonly policy: Policy;
  /** What is measured when, and what is done then. */
  readonly description: string;
  /** Where the rule comes from, and what in it is ours. */
  readonly source: string;
  /** Why the pack's evidence does not cover it; empty if it does. */
  readonly outsideSupport: readonly string[];
}

export interface PolicyQuestion {
  readonly policies: readonly Policy[];
  /** Held against them; usual care comes first by itself. */
  readonly fixed: readonly Plan[];
  readonly goals: readonly Goal[];
  readonly limits: readonly ChanceLimit[];
  /** As in `PlanQuestion`. */
  readonly changes?: readonly CovariateChange[];
  /** Virtual copies of the person, each a truth of its own. */
  readonly futures: number;
  readonly horizonDays: number;
  readonly seed: number;
}

export interface PolicyAnswer {
  readonly status: 'completed' | 'outside-support' | 'stopped';
  readonly message: string;
  readonly arms: readonly PolicyArm[];
  readonly units: readonly string[];
  readonly futures: number;
  readonly elapsedMs: number;
  readonly seed: number;
}

export interface PolicyArm {
  readonly id: string;
  readonly name: string;
  readonly kind: 'usual-care' | 'fixed' | 'policy';
  readonly goals: readonly MeasureValue[];
  readonly limits: readonly MeasureValue[];
  /** Of a policy: for each decision day, the share of futures in which something was changed. */
  readonly changedShare: readonly number[];
  /** Amount per day after each decision (5, 50 and 95 %), where doses are given. */
  readonly dose: readonly { readonly day: number; readonly quantiles: readonly [number, number, number] }[];
  readonly meanMeasurements: number;
  /**
   * Of rules that refit: how often the twin was fitted again within the futures, how often weighing the draws of today did not
   * suffice and it was fitted afresh, and what the draws were worth at least otherwise. Null where nothing is refitted.
   */
  readonly refits: { readonly made: number; readonly afresh: number; readonly leastEffectiveDraws: number } | null;
  readonly support: PlanSupport;
}

/**
 * What would the next measurement be worth, for the choice between these plans? Until the measurement the plan is followed that would
 * be chosen now; after it that one or, from that day on, one of the others.
 */
export interface MeasurementQuestion {
  /** Usual care comes first by itself. */
  readonly choices: readonly Plan[];
  readonly goal: Goal;
  readonly candidates: readonly { readonly marker: string; readonly day: number }[];
  /** As in `PlanQuestion`. */
  readonly changes?: readonly CovariateChange[];
  readonly futures: number;
  readonly horizonDays: number;
  readonly seed: number;
}

export interface MeasurementAnswer {
  readonly status: 'completed' | 'outside-support';
  /** One sentence, also when all is well. */
  readonly message: string;
  readonly unit: string;
  /** Expected value of the goal when the choice is made now. */
  readonly now: number;
  /** Id of the plan that has it. */
  readonly chosen: string;
  readonly candidates: readonly {
    readonly marker: string;
    readonly day: number;
    /** Expected gain of the goal by choosing after it; with its Monte-Carlo standard error. Never below 0 but for chance. */
    readonly gain: number;
    readonly standardError: number;
    /** Share of futures in which another plan is chosen than now. */
    readonly changesChoice: number;
  }[];
  /** With everything known: no measurement can be worth more. */
  readonly perfect: { readonly gain: number; readonly standardError: number };
  readonly futures: number;
  readonly elapsedMs: number;
  readonly seed: number;
}
