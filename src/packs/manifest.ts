/**
 * What `pack.json` says, once decoded. `docs/pack-format.md` is the specification for people who write packs; `decode.ts` is the
 * one door through which a manifest enters, and past it nobody checks again.
 */
import type { EquationsModel, Route, SymbolName } from './equations/model.ts';
import type { NetworkShape } from './network.ts';

export type PackManifest = LearnedManifest | EquationsManifest;

/** What every kind of pack says about itself. */
export interface PackDescription {
  readonly format: 'counterpart-pack/1';
  readonly id: string;
  /** Semantic version; a run stays pinned to id, version and digest. */
  readonly version: string;
  readonly title: string;
  /** One sentence for the list of packs. */
  readonly summary: string;
  readonly licence: string;
  readonly authors: readonly string[];
  readonly sources: readonly Source[];
  readonly population: Population;
  readonly era: { readonly from: number; readonly to: number };
  readonly place: string;
  /** What the pack must not be used for. */
  readonly notFor: readonly string[];
  readonly grid: Grid;
  readonly covariates: readonly Covariate[];
  readonly markers: readonly MarkerDescription[];
  readonly signs: readonly Sign[];
  readonly events: readonly PackEvent[];
  readonly interventions: readonly Intervention[];
  readonly usualCare: UsualCare;
  readonly golden: { readonly file: 'golden.json'; readonly sha256: string };
  readonly card: { readonly file: 'card.md'; readonly sha256: string };
}

export interface LearnedManifest extends PackDescription {
  readonly kind: 'learned';
  readonly markers: readonly Marker[];
  readonly weights: { readonly file: 'weights.bin'; readonly bytes: number; readonly sha256: string };
  readonly tensors: readonly TensorEntry[];
  readonly network: NetworkShape;
  /** The conditioning vector v, in order; all `covariate` inputs come before all `intervention` inputs. */
  readonly conditioning: readonly ConditioningInput[];
  readonly encoder: EncoderShape;
  readonly people: PeopleDistribution;
}

/** Mechanistic models given as data, fitted to a person's doses and levels. */
export interface EquationsManifest extends PackDescription {
  readonly kind: 'equations';
  /** More than one: averaged by their marginal likelihood. All serve the same markers and targets. */
  readonly models: readonly EquationsModel[];
  readonly targets: readonly Target[];
  /** What the search of plans enumerates; none where there is nothing to dose. */
  readonly doseGrids: readonly DoseGrid[];
  readonly demonstrations: readonly Demonstration[];
  /** Set where the pack is for teaching only: one sentence that stands above every result. */
  readonly educationOnly?: string;
}

/** What a plan should reach or avoid, computed for each draw and then counted. */
export interface Target {
  readonly id: string;
  readonly label: string;
  readonly intent: 'reach' | 'avoid';
  readonly measure: TargetMeasure;
  /** The range that is meant, in `unit`; one of them at least. */
  readonly low?: number;
  readonly high?: number;
  readonly unit: string;
  readonly citation: string;
}

export interface TargetMeasure {
  /** A read-out that every model of the pack has. */
  readonly readout: SymbolName;
  readonly statistic:
    /** Value at the end less value at the start: an area under the curve, of an accumulating read-out. */
    | 'increase'
    | 'minimum'
    | 'maximum'
    | 'mean'
    | 'at-end'
    /** Share of the window, 0 … 1, inside [low, high] of `between`. */
    | 'share-within';
  /** For `share-within`, in the read-out's unit. */
  readonly between?: { readonly low?: number; readonly high?: number };
  readonly window:
    /** Days from today. */
    | { readonly kind: 'days'; readonly from: number; readonly to: number }
    /** The last so many days of the horizon. */
    | { readonly kind: 'last-days'; readonly days: number }
    /** Of the plan's first regimen: the dosing interval that is over last within the horizon. */
    | { readonly kind: 'last-interval' }
    | { readonly kind: 'horizon' };
}

/** Every combination is a candidate. Amounts are in the input's unit, or per kg or m² of it. */
export interface DoseGrid {
  readonly intervention: string;
  readonly route: Route;
  readonly amounts: readonly number[];
  readonly per: 'dose' | 'kg' | 'm2';
  /** Smallest step in which an amount can be given. */
  readonly roundTo: number;
  readonly intervalHours: readonly number[];
  /** Empty for what is not infused. */
  readonly durationHours: readonly number[];
  /** Hours from now to the first dose. */
  readonly startHours: readonly number[];
  /** Loading amounts on offer before the regimen; 0 is none. */
  readonly loadingAmounts: readonly number[];
  /** As `per`, of the loading amounts; as the regimen's unless told otherwise. */
  readonly loadingPer?: 'dose' | 'kg' | 'm2';
  /** Of an infused loading dose; as the regimen's unless told otherwise. */
  readonly loadingDurationHours?: number;
  /** Above this a single dose is out of the question, in the input's unit. */
  readonly maximumDose: number;
  /** Set where the models know only what a dose does harm with: what it is given for is wished for as the amount given. */
  readonly benefit?: 'not-modelled';
}

/** A made-up person to try the pack with. Times are hours relative to now, negative in the past. */
export interface Demonstration {
  readonly alias: string;
  readonly story: string;
  readonly covariates: Readonly<Record<string, number | string>>;
  readonly courses: readonly {
    readonly intervention: string;
    readonly amount: number;
    readonly route: Route;
    readonly durationHours?: number;
    readonly startHours: number;
    readonly everyHours?: number;
    /** Open-ended without. */
    readonly count?: number;
  }[];
  /** Of interventions that are on or off. Without `stopHours` it goes on. */
  readonly treatments?: readonly { readonly intervention: string; readonly startHours: number; readonly stopHours?: number }[];
  readonly observations: readonly { readonly marker: string; readonly hours: number; readonly value: number }[];
}

export interface Source {
  readonly role: 'training' | 'external-validation' | 'effect' | 'method' | 'model';
  readonly citation: string;
  readonly licence: string;
  /** People in it, where it is a data set. */
  readonly n?: number;
}

export interface Population {
  readonly description: string;
  readonly criteria: readonly Criterion[];
}

/** One line of eligibility, tested on a covariate or on a value of a marker. */
export interface Criterion {
  readonly of: 'covariate' | 'marker';
  readonly id: string;
  /** Of a marker: asked of the value nearest to entry, as a trial asks it. Without, of the latest. */
  readonly at?: 'entry';
  readonly min?: number;
  readonly max?: number;
  /** Outside a hard limit the forecast is withheld; outside a soft one it is degraded and says so. */
  readonly severity: 'hard' | 'soft';
  readonly reason: string;
}

export interface Grid {
  readonly stepDays: number;
  /** Longest forecast from today. */
  readonly horizonSteps: number;
  /** Longest history the twin reads; older observations are left out and named. */
  readonly historySteps: number;
  /** How a person counts this pack's time. */
  readonly timeUnit: 'years' | 'weeks' | 'days' | 'hours' | 'minutes';
}

export interface Code {
  readonly system: 'LOINC' | 'RxNorm' | 'ATC' | 'SNOMED' | 'ICD-10';
  readonly code: string;
}

export interface AlternativeUnit {
  /** UCUM. */
  readonly unit: string;
  /** Multiply a value in this unit by `factor` to get the canonical one. */
  readonly factor: number;
}

/** What is measured in a unit: a marker or a covariate that is a number. */
export interface Quantity {
  readonly id: string;
  readonly label: string;
  /** UCUM, canonical. */
  readonly unit: string;
  readonly alternativeUnits?: readonly AlternativeUnit[];
  readonly codes?: readonly Code[];
  /** Outside this a value is refused unless confirmed: it is probably a slip or a wrong unit. */
  readonly plausible: readonly [low: number, high: number];
  /** 1st to 99th percentile of the training people: outside it the person is partly outside what the pack saw. */
  readonly seen: readonly [low: number, high: number];
}

export type Covariate =
  | (Quantity & {
      readonly kind: 'number';
      readonly required: boolean;
      readonly help?: string;
      /** Equations packs: what stands in the place of a value that is not known; given where a model reads it and it is not `required`. */
      readonly whenMissing?: number;
      /** Measured again and again: observations with this id are its course, each value holding until the next. */
      readonly varies?: true;
    })
  | {
      readonly kind: 'category';
      readonly id: string;
      readonly label: string;
      readonly codes?: readonly Code[];
      readonly required: boolean;
      readonly help?: string;
      readonly categories: readonly { readonly value: string; readonly label: string; readonly share: number }[];
      /** Shares by the value of another category, used when this one is not known: allele frequencies by ancestry. */
      readonly sharesBy?: {
        readonly covariate: string;
        readonly shares: Readonly<Record<string, readonly number[]>>;
        readonly source: string;
      };
    };

/** Value on the page → standardised state: (f(value) − mean) / sd. */
export interface Transform {
  readonly kind: 'identity' | 'log' | 'sqrt';
  readonly mean: number;
  readonly sd: number;
}

/** A marker of a learned pack: `transform` takes it to the network's state. */
export interface Marker extends MarkerDescription {
  readonly transform: Transform;
}

export interface MarkerDescription extends Quantity {
  /** A last value older than this is marked stale. */
  readonly staleAfterDays: number;
  readonly decimals: number;
  readonly normalRange?: { readonly low: number; readonly high: number; readonly source: string };
  readonly thresholds?: readonly { readonly value: number; readonly direction: 'above' | 'below'; readonly label: string }[];
}

/** An ordinal finding. Level i of the model is `levels[i]`. */
export interface Sign {
  readonly id: string;
  readonly label: string;
  readonly codes?: readonly Code[];
  readonly levels: readonly { readonly value: number; readonly label: string }[];
  /** Ascending, one fewer than levels. */
  readonly cuts: readonly number[];
  readonly staleAfterDays: number;
}

export interface PackEvent {
  readonly id: string;
  readonly label: string;
  /** Completes "in 100 people like this, 23 …": "die". */
  readonly verb: string;
  readonly codes?: readonly Code[];
  /** After a terminal event nothing is observed. */
  readonly isTerminal: boolean;
}

/**
 * R randomised, X cited external effect, M mechanistic, S learned from simulated people with all that decided their treatment in the
 * model, N natural history, O observational (never a lever).
 */
export type WhatIfClass = 'R' | 'X' | 'M' | 'S' | 'N' | 'O';

export interface Intervention {
  readonly id: string;
  readonly label: string;
  readonly shortLabel: string;
  readonly whatIfClass: WhatIfClass;
  readonly codes?: readonly Code[];
  /** At most one intervention of a group at a time; null stands alone. */
  readonly exclusiveGroup: string | null;
  /** Which timings the evidence covers. `from-entry`: given from entry on, never started or stopped later. */
  readonly timing: 'any' | 'from-entry' | 'from-today';
  readonly evidence: Evidence;
  /** Class X only: what is laid over natural history. */
  readonly citedEffect?: CitedEffect;
}

export interface Evidence {
  /** One plain sentence: what was compared, in whom, how. */
  readonly statement: string;
  readonly citation: string;
  readonly n?: number;
  /** The trial's own figure, shown beside the personal one. */
  readonly estimate?: { readonly measure: string; readonly value: number; readonly low: number; readonly high: number };
}

export interface CitedEffect {
  readonly events: readonly string[];
  readonly logHazardRatio: number;
  readonly standardError: number;
  readonly assumption: string;
}

export interface UsualCare {
  readonly label: string;
  readonly description: string;
  /** Interventions that usual care consists of, from today to the horizon. */
  readonly interventions: readonly string[];
}

export type ConditioningInput =
  | {
      readonly from: 'covariate';
      readonly id: string;
      readonly transform: Transform;
      /** Standardised value used when the person has none. */
      readonly whenMissing: number;
    }
  | { readonly from: 'covariate'; readonly id: string; readonly equals: string; readonly whenMissing: number }
  /** Standardised first value of a marker at entry, as trials adjust for it. */
  | { readonly from: 'entry-marker'; readonly id: string; readonly whenMissing: number }
  | { readonly from: 'intervention'; readonly id: string }
  | {
      readonly from: 'intervention';
      readonly id: string;
      readonly when: { readonly covariate: string; readonly equals: string };
    };

/** The recurrent network q(z | history): E units; reads a grid step's values, mask, sign levels and covariates. */
export interface EncoderShape {
  readonly E: number;
}

/** How synthetic people are drawn: a Gaussian copula over marginals of training covariates. Aggregates only. */
export interface PeopleDistribution {
  readonly marginals: readonly PeopleMarginal[];
  /** Row-major correlation of the underlying normals, in the order of `marginals`. */
  readonly correlation: readonly number[];
}

export type PeopleMarginal =
  /** Values at the 1, 5, 10, 20 … 90, 95, 99 % points. */
  | { readonly covariate: string; readonly kind: 'number'; readonly quantiles: readonly number[]; readonly decimals: number }
  | { readonly covariate: string; readonly kind: 'category'; readonly shares: readonly number[] };

export interface TensorEntry {
  readonly name: string;
  readonly dtype: 'f32' | 'f16';
  readonly shape: readonly number[];
  /** In bytes from the start of weights.bin; entries tile the file exactly, in order. */
  readonly offset: number;
}

export const peopleQuantileLevels = [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99] as const;
