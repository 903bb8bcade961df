/**
 * What a pack is made from: the part of its manifest that a person writes, and how rows of its data folder become records. The
 * pipeline adds what is learned: transforms, seen ranges, shares, people, tensors, digests.
 */
import type { PatientRecord } from '#domain/record.ts';
import type { Covariate, LearnedManifest, Marker, Transform } from '#packs/manifest.ts';
import type { ClinicalData } from '#training/clinical-data.ts';
import type { EncoderOptions } from '#training/fit-encoder.ts';
import type { FitOptions } from '#training/fit-member.ts';

type Learned = 'seen' | 'transform' | 'share';
type NumberCovariate = Extract<Covariate, { kind: 'number' }>;
type CategoryCovariate = Extract<Covariate, { kind: 'category' }>;

export type MarkerPlan = Omit<Marker, Learned> & { readonly transform: Transform['kind'] };
export type CovariatePlan =
  | (Omit<NumberCovariate, Learned> & { readonly transform: Transform['kind']; readonly decimals: number })
  | (Omit<CategoryCovariate, 'categories'> & { readonly categories: readonly { value: string; label: string }[] });

/** One conditioning input by name; the pipeline fills in mean, sd and what stands for a missing value. */
export type InputPlan =
  | { readonly from: 'covariate'; readonly id: string; readonly equals?: string }
  | { readonly from: 'entry-marker'; readonly id: string }
  | Extract<LearnedManifest['conditioning'][number], { from: 'intervention' }>;

export type ManifestPlan = Omit<
  LearnedManifest,
  | 'format'
  | 'kind'
  | 'covariates'
  | 'markers'
  | 'conditioning'
  | 'people'
  | 'network'
  | 'encoder'
  | 'weights'
  | 'golden'
  | 'card'
  | 'tensors'
> & {
  readonly covariates: readonly CovariatePlan[];
  readonly markers: readonly MarkerPlan[];
  readonly conditioning: readonly InputPlan[];
};

export interface FollowUp {
  readonly endDay: number;
  /** Index into the manifest's events, −1 if censored. */
  readonly event: number;
}

export interface Recipe {
  readonly id: string;
  /** Folder under the clinical data. */
  readonly folder: string;
  readonly plan: ManifestPlan;
  /** The whole history of a person of the data, as a record dated from a made-up entry day. */
  readonly record: (data: ClinicalData, id: string) => PatientRecord;
  readonly followUp: (data: ClinicalData, id: string) => FollowUp;
  readonly fit: Pick<FitOptions, 'iterations' | 'learningRate' | 'penalty' | 'start'>;
  readonly L: number;
  readonly H: number;
  readonly E: number;
  readonly members: number;
  readonly encoder: Pick<EncoderOptions, 'iterations' | 'batch' | 'learningRate'>;
}

/** Data folders have days from entry, records have dates: day 0 is this day. */
export const entryDate = '1990-01-01';
