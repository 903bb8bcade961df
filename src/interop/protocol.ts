/** What the page and the import worker say to each other. Files go in; summaries and chosen patients, in pieces, come back. */
import type { ErrorCode } from '#domain/errors.ts';
import type { IsoDate, PartialDate } from '#domain/record.ts';
import type { ImportCode } from './import-codes.ts';
import type {
  ImportedDose,
  ImportedObservation,
  ImportedPatient,
  ImportFormat,
  ImportNotice,
  ImportOutcome,
} from './imported.ts';
import type { TableMapping, TableReading } from './tables/mapping.ts';

/** Files that are read as one: a single file, or the tables of one OMOP or SDTM export that were given together. */
export interface ImportGroup {
  readonly id: number;
  /** `part`: `measurement`, `LB`…; null in a group of one. Names without folders. */
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly part: string | null }[];
  readonly format: ImportFormat;
  /** Why it cannot be read at all; null if it can. Nothing can be staged of a refused group. */
  readonly refusal: { readonly code: ImportCode; readonly message: string } | null;
  readonly notices: readonly ImportNotice[];
  readonly noticeCount: number;
  /** Of tables that need a mapping (`table-long`, `table-wide`); null for others. */
  readonly table: TableLook | null;
}

/** What the mapping screen shows. Every cell is text as received. */
export interface TableLook {
  /** Of a workbook, in its order; empty for a text file. */
  readonly sheets: readonly string[];
  readonly columns: readonly TableColumn[];
  /** The first 50 rows, each as long as `columns`. */
  readonly rows: readonly (readonly string[])[];
  readonly rowCount: number;
  /** What the analyte or code column of a long table names, most frequent first, at most 500. */
  readonly names: readonly TableName[];
  readonly suggestion: TableMapping;
  /** What a person has to confirm or choose; what is left open stays unread. */
  readonly questions: readonly TableQuestion[];
}

export interface TableName {
  /** The code where the row has one, else the name, with what was sampled unless that is blood. `NameMapping.name` is the same. */
  readonly name: string;
  readonly count: number;
  /** As received, at most 5; empty where no row has one. */
  readonly units: readonly string[];
  /** What a row with this code calls it; empty without a code or a name beside it. */
  readonly label: string;
  /** Id of the analyte that the code names; null for a name, and for a code that is not known here. */
  readonly byCode: string | null;
}

export interface TableColumn {
  /** As in the file; `column 3` where there is no header. */
  readonly header: string;
  /** Up to 5 different cells. */
  readonly samples: readonly string[];
  readonly filled: number;
  readonly numbers: number;
  readonly dates: number;
}

export interface TableQuestion {
  readonly code: ImportCode;
  /** Index in `columns`; null for the file as a whole. */
  readonly column: number | null;
  /** A token (`-999`), a name of the analyte column; empty otherwise. */
  readonly token: string;
  readonly message: string;
  /** True: nothing was assumed, the values concerned stay unread until a person answers. */
  readonly isOpen: boolean;
}

/** A local code or a name without LOINC that a person confirmed once; for formats with codes. */
export interface ConfirmedCode {
  /** Empty for a name. */
  readonly system: string;
  readonly code: string;
  readonly analyte: string;
}

export interface StageOrder {
  readonly group: number;
  /** Needed where `ImportGroup.table` is not null. */
  readonly mapping: TableMapping | null;
  readonly confirmed: readonly ConfirmedCode[];
  /** What is later is in the future. */
  readonly today: IsoDate;
}

/** A local code or a name that no table names: what a person may confirm as `ConfirmedCode`. */
export interface UnknownCode {
  /** Empty for a name. */
  readonly system: string;
  /** The name where `system` is empty. */
  readonly code: string;
  readonly label: string;
  readonly count: number;
  /** As received, at most 5. */
  readonly units: readonly string[];
  /** By text alone: offered, never used before a person agreed. */
  readonly suggestion: string | null;
}

/** The outcome of a group, with patients summed up. */
export interface ImportSummary extends Omit<ImportOutcome, 'patients'> {
  /** Of formats with codes: what was kept as received for want of an analyte, most frequent first, at most 500. Empty for tables. */
  readonly unknown: readonly UnknownCode[];
  readonly patientCount: number;
  /** The first `mostPatientsAtOnce`; `patients` gives the others. */
  readonly patients: readonly PatientSummary[];
  readonly kept: number;
  readonly raw: number;
}

export const mostPatientsAtOnce = 200;
/** Observations in one answer of `take`. */
export const mostObservationsAtOnce = 5000;

export interface PatientSummary {
  readonly key: string;
  readonly identity: ImportedPatient['identity'];
  /** With a value that can be computed with. */
  readonly kept: number;
  /** As received only; `problem` of each says why. */
  readonly raw: number;
  /** Of those kept: a person should look. */
  readonly doubtful: number;
  readonly doses: number;
  readonly background: number;
  /** Of all dated observations. */
  readonly from: PartialDate | null;
  readonly to: PartialDate | null;
  readonly firstValues: readonly ImportedObservation[];
}

/** A patient without the observations, which `take` gives. */
export interface StagedPatient extends Omit<ImportedPatient, 'observations' | 'doses'> {
  readonly observationCount: number;
  readonly doses: readonly ImportedDose[];
}

/** Every call with its argument and its answer. Calls are answered one after the other. */
export interface ImportCalls {
  /** Looks at whole files: format, columns, evidence for a mapping. Forgets what was open before. */
  readonly open: { readonly argument: { readonly files: readonly File[] }; readonly answer: readonly ImportGroup[] };
  /** Looks again with another sheet, encoding or delimiter. */
  readonly look: { readonly argument: { readonly group: number; readonly reading: TableReading }; readonly answer: ImportGroup };
  /** What the rows of `TableLook.rows` come to with this mapping, in their order; nothing is staged by it. */
  readonly sample: { readonly argument: StageOrder; readonly answer: readonly ImportedObservation[] };
  /** Reads everything; nothing leaves the worker yet. Staging a group again replaces what it held. */
  readonly stage: { readonly argument: StageOrder; readonly answer: ImportSummary };
  readonly patients: {
    readonly argument: { readonly group: number; readonly from: number; readonly count: number };
    readonly answer: readonly PatientSummary[];
  };
  readonly person: { readonly argument: { readonly group: number; readonly key: string }; readonly answer: StagedPatient };
  /** Observations `from`… of a patient in order of time; shorter than `count` at the end. */
  readonly take: {
    readonly argument: { readonly group: number; readonly key: string; readonly from: number; readonly count: number };
    readonly answer: readonly ImportedObservation[];
  };
}

export type ImportCallName = keyof ImportCalls;

export interface ImportProgress {
  /** Bytes read of all files of the call. `open` and `stage` each read everything once. */
  readonly done: number;
  readonly total: number;
}

export type ToImportWorker =
  | {
      [Name in ImportCallName]: {
        readonly type: 'call';
        readonly id: number;
        readonly name: Name;
        readonly argument: ImportCalls[Name]['argument'];
      };
    }[ImportCallName]
  | { readonly type: 'cancel'; readonly id: number };

export type FromImportWorker =
  /** Its lock is granted to others only when the worker is gone. */
  | { readonly type: 'alive'; readonly lock: string }
  | { readonly type: 'progress'; readonly id: number; readonly progress: ImportProgress }
  | { readonly type: 'answer'; readonly id: number; readonly answer: ImportCalls[ImportCallName]['answer'] }
  | {
      readonly type: 'error';
      readonly id: number;
      readonly name: string;
      readonly code: ErrorCode | null;
      readonly message: string;
    };
