/** "What did the model use for this forecast?": questions and answers. Never "why the patient". */
import type { Plan } from './plan.ts';

/** What is explained: a figure over time. */
export type Explained =
  /** Median of the marker, in its unit. */
  | { readonly kind: 'marker'; readonly marker: string }
  /** Cumulative incidence; every event together where `event` is null. */
  | { readonly kind: 'event'; readonly event: string | null }
  /** The plan less usual care, of one of the above. */
  | {
      readonly kind: 'difference';
      readonly of:
        { readonly kind: 'marker'; readonly marker: string } | { readonly kind: 'event'; readonly event: string | null };
    };

export interface WhyQuestion {
  readonly explained: Explained;
  /** Null explains usual care. */
  readonly plan: Plan | null;
  readonly horizonDays: number;
  readonly rollouts: number;
  readonly seed: number;
}

export type GroupKind = 'person' | 'genes' | 'lifestyle' | 'labs' | 'history' | 'doses' | 'plan';

/** Inputs that are taken away and given together. */
export interface InputGroup {
  readonly id: string;
  readonly label: string;
  readonly kind: GroupKind;
  /** What the person has, in words with units, and what stands in its place when it is taken away. */
  readonly value: string;
  readonly reference: string;
}

/** Shapley values over time: base + Σ contributions = full, at every time, to rounding. */
export interface Attribution {
  readonly groups: readonly InputGroup[];
  readonly timesDays: readonly number[];
  readonly unit: string;
  /** [time] with every group at its reference. */
  readonly base: readonly number[];
  /** [time] with every group as the person has it. */
  readonly full: readonly number[];
  /** [group][time]. */
  readonly contributions: readonly (readonly number[])[];
  /** [group][time] standard errors of the sampling of coalitions; null when every coalition was asked. */
  readonly standardErrors: readonly (readonly number[])[] | null;
  readonly method: 'every-coalition' | 'sampled-orders';
  readonly coalitions: number;
  /** [time] how far a contribution moves with another seed, in `unit`: standard deviation over two seeds, over all groups, the largest so far. */
  readonly noise: readonly number[];
  readonly elapsedMs: number;
}

/** Integrated gradients through a learned pack, from the reference person to this one. */
export interface GradientAttribution {
  readonly timesDays: readonly number[];
  readonly unit: string;
  /** [time] of the reference person and of this one on the mean path: the course without chance, averaged over the members. */
  readonly base: readonly number[];
  readonly full: readonly number[];
  readonly inputs: readonly {
    readonly id: string;
    readonly label: string;
    /** Days from today of a dated input; null for what does not change. */
    readonly day: number | null;
    readonly value: string;
    /** [time] */
    readonly contributions: readonly number[];
  }[];
  /** Largest |Σ contributions − change| over the largest |change|. Shown; below 0.01 wanted. */
  readonly completenessGap: number;
  readonly steps: number;
}

/** Mechanistic packs: share of the forecast's variance that each unknown explains (Sobol, first order and total). */
export interface Sensitivity {
  readonly timesDays: readonly number[];
  readonly parameters: readonly {
    readonly symbol: string;
    readonly label: string;
    readonly kind: 'parameter' | 'covariate';
    /** [time], each with its 90 % bootstrap interval. */
    readonly first: readonly { readonly value: number; readonly low: number; readonly high: number }[];
    readonly total: readonly { readonly value: number; readonly low: number; readonly high: number }[];
  }[];
  readonly samples: number;
  /** One sentence: over what is varied (the population, or what this person's measurements leave open), and under which model. */
  readonly message: string;
  readonly elapsedMs: number;
}

/** The smallest change of what can be changed that takes a risk below a threshold. */
export interface CounterfactualQuestion {
  readonly explained: Explained;
  readonly plan: Plan | null;
  readonly day: number;
  readonly wanted: { readonly direction: 'below' | 'above'; readonly value: number };
  /** Ids of inputs that may change; empty for all that can. */
  readonly changeable: readonly string[];
  readonly rollouts: number;
  readonly seed: number;
}

export interface CounterfactualAnswer {
  readonly now: number;
  readonly unit: string;
  /** Several, each with the fewest and smallest changes of its kind; empty when none was found inside what the pack saw. */
  readonly answers: readonly {
    readonly changes: readonly { readonly id: string; readonly label: string; readonly from: string; readonly to: string }[];
    /** In seen ranges, summed over the changed inputs. */
    readonly size: number;
    readonly reached: number;
    /** Says what kind of claim a change is: a plan's effect with its evidence, or an association only. */
    readonly claim: string;
  }[];
  readonly message: string;
}

export interface NeighbourQuestion {
  /** What the neighbours have from the same point on. Null is usual care; under a pack that is dosed, this person's own doses. */
  readonly plan: Plan | null;
  readonly horizonDays: number;
  /** How many are wanted, and of how many drawn people. */
  readonly count: number;
  readonly drawn: number;
  readonly seed: number;
}

/** A synthetic person near this one: never a real row. */
export interface Neighbour {
  readonly id: string;
  /** In the pack's standardised inputs. */
  readonly distance: number;
  readonly covariates: Readonly<Record<string, number | string>>;
  /** What the drawn person's course was from the same point on: [time] by marker; null after an event. */
  readonly timesDays: readonly number[];
  readonly markers: Readonly<Record<string, readonly (number | null)[]>>;
  readonly event: { readonly id: string; readonly day: number } | null;
}

export interface NeighbourAnswer {
  readonly neighbours: readonly Neighbour[];
  /** Drawn people who were looked at. */
  readonly drawn: number;
  readonly message: string;
}
