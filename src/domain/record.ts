/** What was observed of one person. Nothing here is simulated; nothing here knows a pack. */

/** A calendar day, `YYYY-MM-DD`. */
export type IsoDate = string;

export interface PatientRecord {
  readonly id: string;
  /** What the person is called on screen; never part of an address, a title or a log. */
  readonly alias: string;
  /** True for people drawn from a pack. Shown wherever the record is. */
  readonly isSynthetic: boolean;
  /** Day zero of the record: entry into care or trial. */
  readonly entryDate: IsoDate;
  readonly covariates: Readonly<Record<string, CovariateValue>>;
  readonly observations: readonly Observation[];
  readonly treatments: readonly Treatment[];
  /** What was given, dose by dose or as a regimen with exceptions; none if absent. */
  readonly doses?: readonly DoseCourse[];
  /** Events that have happened. After a death nothing may be observed. */
  readonly events: readonly RecordedEvent[];
  readonly note: string;
  readonly updatedAt: number;
}

export type CovariateValue = number | string;

/** A minute of the person's own clock, `YYYY-MM-DDTHH:MM`, without a time zone. */
export type IsoMinute = string;

export interface Observation {
  readonly id: string;
  /** Marker or sign id, e.g. `bilirubin`. */
  readonly code: string;
  readonly date: IsoDate;
  /** `HH:MM` of the person's own clock, where the hour matters. */
  readonly time?: string;
  /** In `unit`, as it was entered. */
  readonly value: number;
  readonly unit: string;
  /** The laboratory said "below this value". */
  readonly isBelowLimit?: true;
  /** A person confirmed a value outside the plausible range. */
  readonly isConfirmed: boolean;
  readonly source: string;
}

export interface Treatment {
  readonly id: string;
  readonly intervention: string;
  readonly start: IsoDate;
  /** Null while it goes on. */
  readonly stop: IsoDate | null;
}

/** A single dose (`count` 1) or a regimen: dose k, from 0, is due at start + k · everyHours. */
export interface DoseCourse {
  readonly id: string;
  readonly intervention: string;
  readonly amount: number;
  /** As it was entered. */
  readonly unit: string;
  readonly route: 'iv-bolus' | 'iv-infusion' | 'oral' | 'subcutaneous' | 'radiation';
  /** Of an infusion; null where there is none. */
  readonly durationHours: number | null;
  readonly start: IsoMinute;
  /** Null for a single dose. */
  readonly everyHours: number | null;
  /** Null while it goes on. */
  readonly count: number | null;
  /** What went otherwise: each names a dose by its number. */
  readonly exceptions: readonly DoseException[];
}

export type DoseException =
  | { readonly number: number; readonly kind: 'missed' }
  | { readonly number: number; readonly kind: 'given-at'; readonly at: IsoMinute }
  | { readonly number: number; readonly kind: 'amount'; readonly amount: number };

export interface RecordedEvent {
  readonly event: string;
  readonly date: IsoDate;
}

const dayMs = 86_400_000;

/** Whole days from `from` to `to`, negative if `to` is earlier. */
export function daysBetween(from: IsoDate, to: IsoDate): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / dayMs);
}

export function addDays(date: IsoDate, days: number): IsoDate {
  return new Date(Date.parse(date) + Math.round(days) * dayMs).toISOString().slice(0, 10);
}

/** A real calendar day written YYYY-MM-DD. */
export function isIsoDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text);
}
