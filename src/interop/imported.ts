/**
 * What a reader gives for one file, whatever its format. Readers convert and check; they never guess: a value that cannot be read with
 * certainty is kept as received with its reason. Flat, with shared concepts, because a file may hold a million values.
 */
import type { BackgroundEntry, Identity, PartialDate } from '#domain/record.ts';
import type { ImportCode } from './import-codes.ts';

export type ImportFormat =
  | 'fhir-json'
  | 'fhir-ndjson'
  | 'smart-health-card'
  | 'table-long'
  | 'table-wide'
  | 'omop'
  | 'sdtm'
  | 'counterpart-run'
  | 'unknown';

export interface ImportOutcome {
  /** The file's name, without its folder. */
  readonly file: string;
  readonly format: ImportFormat;
  /** `warned`: taken in whole or in part, with notices that name the places. A refused file has no patients. */
  readonly status: 'accepted' | 'warned' | 'refused';
  /** The first reason of a refusal or warning; null when accepted. */
  readonly code: ImportCode | null;
  /** One sentence for a person: where, what was found, what was expected, what to do. Empty when accepted. */
  readonly message: string;
  readonly patients: readonly ImportedPatient[];
  /** At most `mostNotices`, in the file's order; `noticeCount` counts all. */
  readonly notices: readonly ImportNotice[];
  readonly noticeCount: number;
}

export const mostNotices = 1000;

export interface ImportNotice {
  readonly code: ImportCode;
  /** `Observation/abc`, `line 14`, `column "age"`; empty for the file as a whole. */
  readonly place: string;
  readonly message: string;
}

export interface ImportedPatient {
  /** Tells the patients of one file apart; nothing outside the file. */
  readonly key: string;
  readonly identity: Identity;
  readonly deceasedOn: PartialDate | null;
  readonly observations: readonly ImportedObservation[];
  /** Doses and regimens that are fully known: drug by code, amount, unit, time. Others are background. */
  readonly doses: readonly ImportedDose[];
  readonly background: readonly Omit<BackgroundEntry, 'id'>[];
  /** Columns of a table that are facts of the person and not dated values: by column name, as received. */
  readonly facts: Readonly<Record<string, string>>;
}

/** What was measured; one object shared by all values of it. */
export interface ImportedConcept {
  readonly codings: readonly { readonly system: string; readonly code: string }[];
  readonly label: string;
  /** Id of the analyte table; null where the codes and the confirmed mappings name none. */
  readonly analyte: string | null;
}

export interface ImportedObservation {
  readonly concept: ImportedConcept;
  /** As precise as the file; null without a date. */
  readonly date: PartialDate | null;
  /** `HH:MM` of the clock that the file was written by, where it gives one. */
  readonly time: string | null;
  /** Milliseconds since 1970 where the file gives a zone: what orders values of different zones. */
  readonly instant: number | null;
  /** As received: `97`, `<0.5`, `5,4`. */
  readonly receivedValue: string;
  readonly receivedUnit: string;
  /** In the analyte's canonical unit; null when `problem` says why it is not to be computed with. */
  readonly value: number | null;
  /** UCUM; empty without a value. */
  readonly unit: string;
  /** The value is a limit, not a measurement. */
  readonly comparator: '<' | '>' | null;
  readonly place: string;
  /** Why the value is kept as received only. */
  readonly problem: ImportCode | null;
  /** It is kept, but a person should look: implausible, before birth, preliminary… */
  readonly doubts: readonly ImportCode[];
}

export interface ImportedDose {
  readonly codings: readonly { readonly system: string; readonly code: string }[];
  readonly label: string;
  readonly amount: number;
  readonly unit: string;
  readonly route: 'iv-bolus' | 'iv-infusion' | 'oral' | 'subcutaneous' | null;
  readonly durationHours: number | null;
  readonly start: PartialDate;
  readonly time: string | null;
  readonly everyHours: number | null;
  readonly count: number | null;
  /** The last day, where the file says so instead of a count. */
  readonly stop: PartialDate | null;
  readonly place: string;
}
