/** "Is this patient one of those?", which record looks wrong, and whether earlier forecasts came true. */
import type { Forecast } from './forecast.ts';
import type { IsoDate, IsoMinute, PatientRecord } from './record.ts';

/** A person's place among those that a pack was made from. */
export interface Standing {
  readonly verdict: 'inside' | 'partly' | 'outside';
  /** One sentence a line. Outside withholds the forecast, partly degrades it. */
  readonly reasons: readonly string[];
  /** The furthest of all scores: degraded from 1, withheld from 2; criteria of the pack apart. */
  readonly farOut: number;
  readonly scores: readonly {
    readonly id: 'nearest-neighbours' | 'mahalanobis' | 'likelihood';
    readonly label: string;
    readonly value: number;
    /** Share of people of the pack who are at least as far out. */
    readonly pValue: number;
    /** Reference people, drawn from the pack's aggregates; 0 where the share follows from the model itself. */
    readonly reference: number;
    /** Of the reference people's values: 0, 5, 10 … 100 %. Empty without reference people. */
    readonly quantiles: readonly number[];
  }[];
  /** Share of the pack's inputs that are not known. */
  readonly missingShare: number;
  readonly outOfRange: readonly { readonly id: string; readonly label: string; readonly value: string; readonly seen: string }[];
  /** What drives the distance, largest first, shares of the whole. `expected` is what the other inputs lead one to expect. */
  readonly drivers: readonly {
    readonly id: string;
    readonly label: string;
    readonly value: string;
    readonly expected: string;
    readonly share: number;
  }[];
  /** How the reference people came about, one sentence. */
  readonly method: string;
}

/** One record of the local vault that looks unlike the others and unlike the pack's people. */
export interface Anomaly {
  readonly patientId: string;
  /** Chance, among the pack's people, of a record with a value at least as odd as the oddest of this one. */
  readonly pValue: number;
  readonly drivers: readonly (Standing['drivers'][number] & { readonly date: IsoDate | null })[];
  /** What seems wrong, one sentence: no number but a factor. */
  readonly message: string;
}

export interface AnomalyAnswer {
  /** Most unlikely first. */
  readonly found: readonly Anomaly[];
  /** Records that could be compared. */
  readonly checked: number;
  /** One sentence: with what they were compared, and how many of them chance alone would name. */
  readonly method: string;
}

/** A forecast that was put away to be compared with what really comes. */
export interface FrozenForecast {
  readonly format: 1;
  readonly id: string;
  readonly patientId: string;
  readonly frozenAt: number;
  /** The minute that the forecast counts from. */
  readonly now: IsoMinute;
  /** SHA-256 of the forecast's bytes, so that nobody can change it later without being seen. */
  readonly sha256: string;
  /** As it was when frozen. */
  readonly record: Pick<PatientRecord, 'entryDate' | 'covariates' | 'isSynthetic'>;
  readonly planId: string;
  readonly forecast: Forecast;
}

/** All of one patient, as the vault keeps them. */
export interface FrozenShelf {
  readonly format: 1;
  readonly forecasts: readonly FrozenForecast[];
}

/** What a frozen forecast said of a value that has come since. */
export interface ForecastOutcome {
  readonly frozenId: string;
  readonly packId: string;
  readonly packDigest: string;
  readonly date: IsoDate;
  readonly horizonDays: number;
  readonly of:
    /** In coordinates; its rank in its forecast, 0 … 1, whether the bands held it, and their mean interval score in coordinates. */
    | {
        readonly kind: 'marker';
        readonly marker: string;
        readonly x: number;
        readonly rank: number;
        readonly covered: Readonly<Record<string, boolean>>;
        readonly score: number;
      }
    /** Forecast incidence by then, and whether it came. */
    | { readonly kind: 'event'; readonly event: string | null; readonly forecast: number; readonly happened: boolean };
}

/**
 * What a correction does to a forecast. Coordinates are those of `src/trust/inputs.ts`: about one unit is one standard deviation among
 * the pack's people.
 */
export type Correction =
  /** Bands are widened about the median by this factor, by marker. */
  | { readonly kind: 'intervals'; readonly factors: Readonly<Record<string, number>> }
  /** log odds of an event by any time become intercept + slope × log odds, by event. */
  | {
      readonly kind: 'event-odds';
      readonly events: Readonly<Record<string, { readonly intercept: number; readonly slope: number }>>;
    }
  /** Learned packs: added to the network's output biases, by marker or sign and by event. `drift` and `logScale` are of one step. */
  | {
      readonly kind: 'head';
      readonly drift: Readonly<Record<string, number>>;
      readonly logScale: Readonly<Record<string, number>>;
      readonly logHazard: Readonly<Record<string, number>>;
    }
  /** Learned from people of the pack's own data who were not trained on. Each band is moved outward by a shift, or inward below 0. */
  | { readonly kind: 'conformal'; readonly table: ConformalTable };

/** A correction that a person switched on. */
export interface NamedCorrection {
  readonly id: string;
  /** As in `AppliedCorrection`. */
  readonly words: string;
  readonly correction: Correction;
}

/** Split-conformal corrections of one pack: a few numbers, nobody's data. */
export interface ConformalTable {
  readonly format: 'counterpart-conformal/1';
  readonly packId: string;
  /** Of the weights or equations that they were learned for. */
  readonly model: string;
  /** Whose outcomes. */
  readonly learnedFrom: string;
  readonly markers: Readonly<Record<string, readonly ConformalMarker[]>>;
  /** Lower bounds of event times. */
  readonly events: readonly ConformalEvent[];
}

/** Of values up to so many days from the forecast. */
export interface ConformalMarker {
  readonly untilDays: number;
  readonly people: number;
  /** By level of the band. Null where there were too few people to promise it. */
  readonly shifts: readonly { readonly level: number; readonly shift: number | null }[];
}

/**
 * The time by which the forecast incidence reaches `incidence` is a lower bound of the event's time that `level` of people outlive.
 * Null where nobody was followed long enough to say.
 */
export interface ConformalEvent {
  readonly event: string;
  readonly level: number;
  readonly incidence: number | null;
  readonly people: number;
}

/** A correction learned from local outcomes. Never on without a person's decision, always revertible. */
export interface Recalibration {
  readonly format: 1;
  readonly id: string;
  readonly packId: string;
  readonly packDigest: string;
  readonly madeAt: number;
  readonly correction: Exclude<Correction, { readonly kind: 'conformal' }>;
  /** Patients whose outcomes it was learned from, and those kept apart to test it. */
  readonly trainedOn: number;
  readonly testedOn: number;
  readonly before: readonly RecalibrationFigure[];
  readonly after: readonly RecalibrationFigure[];
  readonly isOn: boolean;
}

export type RecalibrationKind = Recalibration['correction']['kind'];

/** Whether local outcomes suffice to learn a correction from, and what came of trying. */
export type RecalibrationAnswer =
  | { readonly status: 'too-few'; readonly message: string }
  /** Learned, and no better on the patients kept apart: not kept. */
  | {
      readonly status: 'no-better';
      readonly message: string;
      readonly before: readonly RecalibrationFigure[];
      readonly after: readonly RecalibrationFigure[];
    }
  | { readonly status: 'better'; readonly message: string; readonly recalibration: Recalibration };

/** On the patients kept apart. Intervals are of 95 %, over patients. */
export interface RecalibrationFigure {
  readonly label: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
  readonly wanted: number | null;
}
