/** "Is this patient one of those?", which record looks wrong, and whether earlier forecasts came true. */
import type { Forecast } from './forecast.ts';
import type { IsoDate, PatientRecord } from './record.ts';

/** A person's place among those that a pack was made from. */
export interface Standing {
  readonly verdict: 'inside' | 'partly' | 'outside';
  /** One sentence a line. Outside withholds the forecast, partly degrades it. */
  readonly reasons: readonly string[];
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
  readonly pValue: number;
  readonly drivers: Standing['drivers'];
  readonly message: string;
}

/** A forecast that was put away to be compared with what really comes. */
export interface FrozenForecast {
  readonly format: 1;
  readonly id: string;
  readonly patientId: string;
  readonly frozenAt: number;
  /** SHA-256 of the forecast's bytes, so that nobody can change it later without being seen. */
  readonly sha256: string;
  /** As it was when frozen. */
  readonly record: Pick<PatientRecord, 'entryDate' | 'covariates' | 'isSynthetic'>;
  readonly planId: string;
  readonly forecast: Forecast;
}

/** What a frozen forecast said of a value that has come since. */
export interface ForecastOutcome {
  readonly frozenId: string;
  readonly packId: string;
  readonly packDigest: string;
  readonly date: IsoDate;
  readonly horizonDays: number;
  readonly of:
    /** Rank of the value in its forecast, 0 … 1, and whether the bands held it. */
    | {
        readonly kind: 'marker';
        readonly marker: string;
        readonly rank: number;
        readonly covered: Readonly<Record<string, boolean>>;
      }
    /** Forecast incidence by then, and whether it came. */
    | { readonly kind: 'event'; readonly event: string | null; readonly forecast: number; readonly happened: boolean };
}

/** A correction learned from local outcomes. Never on without a person's decision, always revertible. */
export interface Recalibration {
  readonly format: 1;
  readonly id: string;
  readonly packId: string;
  readonly packDigest: string;
  readonly madeAt: number;
  readonly kind: 'intervals' | 'event-odds' | 'head';
  /** Outcomes it was learned from, and those kept apart to test it. */
  readonly trainedOn: number;
  readonly testedOn: number;
  readonly before: readonly RecalibrationFigure[];
  readonly after: readonly RecalibrationFigure[];
  readonly isOn: boolean;
}

export interface RecalibrationFigure {
  readonly label: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly wanted: number | null;
}
