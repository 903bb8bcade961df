/**
 * What is known of how far a pack's forecasts came true, as figures and as aggregates to draw; never a row of a person. A report is
 * assembled by `npm run validate` from parts that the evaluation scripts write, one a section; nobody types a figure.
 */
import type { IsoDate } from './record.ts';

export interface ValidationReport {
  readonly format: 'counterpart-validation/1';
  readonly packId: string;
  readonly packVersion: string;
  /** Of the pack that the figures were made for. Beside another one, whoever shows the report says so. */
  readonly packDigest: string;
  /** Whether forecasts were held against what came to real people who were not trained on. */
  readonly isOnRealPeople: boolean;
  /** One sentence: on whom, or that it was on nobody. */
  readonly validatedOn: string;
  /** In the order of `sectionIds`. */
  readonly sections: readonly ValidationSection[];
  /** Every other section, with the reason why it has no figures. */
  readonly absent: readonly { readonly id: SectionId; readonly reason: string }[];
  /** Failure modes that no figure shows, known from the sources. Those that figures show `failuresOf` finds. */
  readonly knownFailures: readonly string[];
}

/** What a report may hold, in the order in which it is read. */
export const sectionIds = [
  /** Measured values held against their forecasts. */
  'markers',
  /** Events held against their forecast risks. */
  'events',
  /** The same by age, sex and origin: the bias audit. */
  'subgroups',
  /** Who was in the data and who was missing. */
  'people',
  /** Randomised trials run again. */
  'trials',
  /** Placebo, negative control, known truth. */
  'what-if',
  /** Published reference values and closed forms. */
  'references',
  /** Simulation-based calibration of the fit to a person. */
  'posterior',
  /** A published task with the results of other methods. */
  'benchmark',
  /** Corrections of intervals. */
  'conformal',
  /** How well people unlike the pack's are told apart. */
  'standing',
  /** Whether explanations add up and depend on the model. */
  'explanation',
  /** Does the pack give training people back? */
  'memorisation',
] as const;
export type SectionId = (typeof sectionIds)[number];

export interface ValidationSection {
  readonly id: SectionId;
  /** Whole sentences: whose data, what was kept apart, how intervals were made. */
  readonly method: string;
  readonly made: Provenance;
  readonly figures: readonly Figure[];
  readonly drawings: readonly Drawing[];
  /** What a reader of these figures must also know. */
  readonly notes: readonly string[];
}

export interface Provenance {
  /** Makes the section's figures again. */
  readonly command: string;
  readonly date: IsoDate;
  readonly seed: number | null;
  /** `modelDigest` of the pack they were made with: a section made with other weights or equations is not taken into a report. */
  readonly model: string;
}

/** What n counts. */
export type Counted = 'people' | 'simulated people' | 'values' | 'runs' | 'reference values' | 'drawn people';

/** Intervals are of 95 %. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Figure {
  /** "Death within 5 years of year 0: Brier score". */
  readonly name: string;
  /** On whom, where a section has several: "51 test people". Name and set are unique in the section. */
  readonly set: string | null;
  /** Null where it is not defined for these people; `note` says why. */
  readonly value: number | null;
  readonly interval: Interval | null;
  readonly n: number;
  readonly counted: Counted;
  /** `nearer`: to `wanted`. Null for what is neither good nor bad. */
  readonly better: 'higher' | 'lower' | 'nearer' | null;
  readonly wanted: number | null;
  readonly baselines: readonly Baseline[];
  readonly note: string | null;
}

/** A simpler method on the same people. */
export interface Baseline {
  readonly name: string;
  readonly value: number | null;
  /** The figure less this, on the same resamples. */
  readonly difference: ({ readonly value: number } & Interval) | null;
}

export type Drawing =
  | CoverageDrawing
  | PitDrawing
  | CalibrationDrawing
  | DCalibrationDrawing
  | DecisionDrawing
  | ForestDrawing
  | TrialsDrawing
  | CountsDrawing
  | TableDrawing;

/** Share of later values inside central intervals. */
export interface CoverageDrawing {
  readonly kind: 'coverage';
  readonly title: string;
  readonly rows: readonly ({
    readonly label: string;
    readonly nominal: number;
    readonly observed: number;
    /** Of the share, over people. */
    readonly standardError: number;
    /** Values. */
    readonly n: number;
    readonly people: number;
  } & Interval)[];
}

/** Where what came lay in its forecast: flat when forecasts are calibrated. */
export interface PitDrawing {
  readonly kind: 'pit';
  readonly title: string;
  /** Equal bins from 0 to 1, shares of the values; they sum to 1. */
  readonly shares: readonly number[];
  /** Standard error of each share, over people. */
  readonly standardErrors: readonly number[];
  readonly n: number;
  readonly people: number;
}

export interface CalibrationDrawing {
  readonly kind: 'calibration';
  readonly title: string;
  /** "death within 5 years". */
  readonly outcome: string;
  /** Groups of ascending predicted risk, observed by Kaplan–Meier. */
  readonly points: readonly ({ readonly predicted: number; readonly observed: number; readonly n: number } & Interval)[];
  /** The smooth curve whose mean gap is the ICI; predicted ascending. */
  readonly curve: readonly { readonly predicted: number; readonly observed: number }[];
  readonly ici: number | null;
  readonly n: number;
}

/** Predicted survival at each person's own time: equally many in each bin when calibrated. */
export interface DCalibrationDrawing {
  readonly kind: 'd-calibration';
  readonly title: string;
  /** Share of people by predicted survival, ascending, equal bins. */
  readonly shares: readonly number[];
  readonly p: number;
  readonly n: number;
}

/** Net benefit of acting above a risk, per person: true positives less false ones weighed by the odds of the threshold. */
export interface DecisionDrawing {
  readonly kind: 'decision';
  readonly title: string;
  readonly outcome: string;
  readonly thresholds: readonly number[];
  readonly model: readonly number[];
  readonly interval: readonly Interval[];
  readonly treatAll: readonly number[];
  readonly baselines: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly n: number;
}

/** Values with intervals under each other, and a line to hold them against. */
export interface ForestDrawing {
  readonly kind: 'forest';
  readonly title: string;
  readonly unit: string;
  /** The line: what is ideal, or the value of everyone. Null for none. */
  readonly line: { readonly value: number; readonly label: string; readonly isWanted: boolean } | null;
  readonly rows: readonly ({ readonly label: string; readonly value: number; readonly n: number } & Interval)[];
  /** Fewer than 50 people: named and not scored. The count is null below 5. */
  readonly unscored: readonly { readonly label: string; readonly n: number | null }[];
}

export interface TrialsDrawing {
  readonly kind: 'trials';
  readonly title: string;
  readonly trials: readonly TrialReplication[];
}

export interface TrialReplication {
  /** "Zidovudine + didanosine against zidovudine". */
  readonly name: string;
  /** "hazard ratio of the first event". */
  readonly measure: string;
  readonly citation: string;
  /** Of the measure: 1 for ratios, 0 for differences, null where it is not of an effect. */
  readonly noEffect: number | null;
  readonly published: { readonly value: number; readonly interval: Interval | null; readonly n: number | null };
  /** The interval is that of trials of the published size, people and chance drawn anew. */
  readonly simulated: { readonly value: number; readonly interval: Interval; readonly n: number };
  readonly arms: readonly {
    readonly name: string;
    readonly published: number | null;
    readonly simulated: number;
    readonly unit: string;
  }[];
  /** Replays of the trial that the pack learned from prove less than those of others. */
  readonly independence: 'learned from it' | 'effect taken from it' | 'independent';
  /** The published value lies inside the simulated interval, and the direction is the same. */
  readonly isReplicated: boolean;
  /** One sentence. */
  readonly words: string;
}

/** Who was in the data, by what is known of them. */
export interface CountsDrawing {
  readonly kind: 'counts';
  readonly title: string;
  readonly total: number;
  readonly groups: readonly {
    /** "Sex", "Age at entry". */
    readonly of: string;
    /** The count is null where it is below 5, or would give such a one away. */
    readonly rows: readonly { readonly label: string; readonly n: number | null }[];
  }[];
  /** Whole sentences: nobody of some kind was there, or what is not known of anyone. */
  readonly missing: readonly string[];
}

/** What no chart fits: methods beside each other. Numbers as they are; words for who reads. */
export interface TableDrawing {
  readonly kind: 'table';
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}
