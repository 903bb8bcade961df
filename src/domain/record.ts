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
  /** Who the person is, as far as a file said so or somebody typed it. Left out of every de-identified export. */
  readonly identity?: Identity;
  /** On what ground these data may be used here; none was recorded if absent. Synthetic people need none. */
  readonly consent?: Consent;
  /** What came with an imported record and no pack reads: conditions, medicines, values in unknown units. Shown, never computed with. */
  readonly background?: readonly BackgroundEntry[];
  /** Of people drawn from a pack's statistics, as long as nothing of them was changed: then their future can be shown. */
  readonly drawn?: Drawing;
  readonly updatedAt: number;
}

/** Enough to draw the same person again, by the same pack. */
export interface Drawing {
  readonly packId: string;
  readonly packDigest: string;
  readonly seed: number;
  /** Among the people of the seed. */
  readonly number: number;
  /** Length of the drawn history in the pack's grid steps. */
  readonly historySteps: number;
  /** The person's today when they were drawn. */
  readonly on: IsoDate;
}

export interface Identity {
  readonly name?: string;
  /** As precise as it is known: `1985`, `1985-04` or `1985-04-12`. */
  readonly birthDate?: PartialDate;
  /** Administrative, as received: what a model needs is asked for apart. */
  readonly sex?: 'female' | 'male' | 'other' | 'unknown';
  readonly identifiers: readonly { readonly system: string; readonly value: string }[];
}

/** `YYYY`, `YYYY-MM` or `YYYY-MM-DD`: precision is kept, never invented. */
export type PartialDate = string;

export interface Consent {
  readonly basis: 'consent' | 'care' | 'research-approval' | 'teaching';
  /** What the data may be used for, in the person's or the approval's own words. */
  readonly purpose: string;
  readonly recordedOn: IsoDate;
  /** Last day on which it holds; null for no end. */
  readonly expiresOn: IsoDate | null;
}

/** Where an imported number comes from, and what stood there. */
export interface ImportSource {
  /** The file's name, without its folder. */
  readonly file: string;
  /** `Observation/abc`, `line 14`, `sheet Labs, row 3`. */
  readonly place: string;
  /** As it stood there, comparator included: `<0.5`, `97`, `5,4`. */
  readonly receivedValue: string;
  /** As it stood there; empty if it had none. */
  readonly receivedUnit: string;
}

export interface BackgroundEntry {
  readonly id: string;
  readonly kind:
    'condition' | 'medication' | 'allergy' | 'procedure' | 'immunisation' | 'family-history' | 'observation' | 'other';
  readonly label: string;
  readonly date: PartialDate | null;
  /** One line: status, dose, value as received, why it is not used. */
  readonly detail: string;
  readonly source: { readonly file: string; readonly place: string };
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
  /** The laboratory said "above this value". No pack reads such a value. */
  readonly isAboveLimit?: true;
  /** A person confirmed a value outside the plausible range. */
  readonly isConfirmed: boolean;
  readonly source: string;
  /** Of an imported value. `value` and `unit` are then what it was converted to. */
  readonly received?: ImportSource;
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
