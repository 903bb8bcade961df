/**
 * What `pack.json` says, once decoded. `docs/pack-format.md` is the specification for people who write packs; `decode.ts` is the
 * one door through which a manifest enters, and past it nobody checks again.
 */
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
  readonly markers: readonly Marker[];
  readonly signs: readonly Sign[];
  readonly events: readonly PackEvent[];
  readonly interventions: readonly Intervention[];
  readonly usualCare: UsualCare;
  readonly weights: { readonly file: 'weights.bin'; readonly bytes: number; readonly sha256: string };
  readonly golden: { readonly file: 'golden.json'; readonly sha256: string };
  readonly card: { readonly file: 'card.md'; readonly sha256: string };
  readonly tensors: readonly TensorEntry[];
}

export interface LearnedManifest extends PackDescription {
  readonly kind: 'learned';
  readonly network: NetworkShape;
  /** The conditioning vector v, in order; all `covariate` inputs come before all `intervention` inputs. */
  readonly conditioning: readonly ConditioningInput[];
  readonly encoder: EncoderShape;
  readonly people: PeopleDistribution;
}

/** Mechanistic models given as data. The language of `model` is the subject of the next version of this format. */
export interface EquationsManifest extends PackDescription {
  readonly kind: 'equations';
  readonly model: unknown;
}

export interface Source {
  readonly role: 'training' | 'external-validation' | 'effect' | 'method';
  readonly citation: string;
  readonly licence: string;
  /** People in it, where it is a data set. */
  readonly n?: number;
}

export interface Population {
  readonly description: string;
  readonly criteria: readonly Criterion[];
}

/** One line of eligibility, tested on a covariate or on the latest value of a marker. */
export interface Criterion {
  readonly of: 'covariate' | 'marker';
  readonly id: string;
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
  readonly timeUnit: 'years' | 'weeks';
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
  | (Quantity & { readonly kind: 'number'; readonly required: boolean; readonly help?: string })
  | {
      readonly kind: 'category';
      readonly id: string;
      readonly label: string;
      readonly codes?: readonly Code[];
      readonly required: boolean;
      readonly help?: string;
      readonly categories: readonly { readonly value: string; readonly label: string; readonly share: number }[];
    };

/** Value on the page → standardised state: (f(value) − mean) / sd. */
export interface Transform {
  readonly kind: 'identity' | 'log' | 'sqrt';
  readonly mean: number;
  readonly sd: number;
}

export interface Marker extends Quantity {
  readonly transform: Transform;
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

/** R randomised, X cited external effect, M mechanistic, N natural history, O observational (never a lever). */
export type WhatIfClass = 'R' | 'X' | 'M' | 'N' | 'O';

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
