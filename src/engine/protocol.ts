/** What page and worker say to each other. Only records, plans and summaries cross; weights, particles and devices stay in the worker. */
import type { ErrorCode } from '#domain/errors.ts';
import type { SamplingAnswer, SamplingQuestion } from '#domain/dosing.ts';
import type {
  Attribution,
  CounterfactualAnswer,
  CounterfactualQuestion,
  GradientAttribution,
  NeighbourAnswer,
  NeighbourQuestion,
  Sensitivity,
  WhyQuestion,
} from '#domain/explanation.ts';
import type { Forecast } from '#domain/forecast.ts';
import type { Plan } from '#domain/plan.ts';
import type {
  MeasurementAnswer,
  MeasurementQuestion,
  PlanAnswer,
  PlanQuestion,
  PolicyAnswer,
  PolicyQuestion,
} from '#domain/planning.ts';
import type { Drawing, IsoDate, IsoMinute, PatientRecord } from '#domain/record.ts';
import type { DrawnFuture } from '#domain/truth.ts';
import type { ValidationReport } from '#domain/validation.ts';
import type {
  AnomalyAnswer,
  ConformalTable,
  FrozenForecast,
  NamedCorrection,
  RecalibrationAnswer,
  RecalibrationKind,
  Standing,
} from '#domain/trust.ts';
import type { PackManifest } from '#packs/manifest.ts';
import type { EngineKind } from './engine.ts';

export type EnginePreference = 'automatic' | EngineKind;

export interface WorkerSettings {
  /** Folder of the packs, same origin, with a slash at the end. */
  readonly modelsUrl: string;
  readonly preference: EnginePreference;
  /** Held by the worker for as long as it lives: when it can be had, the worker is dead. */
  readonly lifeLock: string;
}

export interface PackInfo {
  readonly manifest: PackManifest;
  readonly digest: string;
  /** Markdown. */
  readonly card: string;
}

export interface RefusedPack {
  readonly id: string;
  readonly code: ErrorCode | 'unknown';
  readonly message: string;
}

export interface PackShelf {
  readonly packs: readonly PackInfo[];
  readonly refused: readonly RefusedPack[];
}

/** What runs where, and how it was chosen. Holds nothing of a patient. */
export interface EngineReport {
  readonly kind: EngineKind;
  readonly description: string;
  /** One sentence: why this one. */
  readonly reason: string;
  readonly attempts: readonly string[];
  /** On a GPU: what is held between runs. A count that grows with every run is a leak. */
  readonly held?: { readonly tensors: number; readonly buffers: number };
}

/** The pack's own reference cases, run again on this device. */
export interface GoldenReport {
  readonly packId: string;
  readonly isPassed: boolean;
  readonly engine: string;
  /** One line a case or a failure, in plain words. */
  readonly lines: readonly string[];
}

export interface RunOrder {
  readonly packId: string;
  readonly record: PatientRecord;
  readonly plans: readonly Plan[];
  readonly today: IsoDate;
  /** The person's clock, for packs that count hours; midnight of `today` without. */
  readonly now?: IsoMinute;
  readonly rollouts: number;
  readonly seed: number;
  /** Switched on by the person; none if absent. */
  readonly corrections?: readonly NamedCorrection[];
}

/** `equations` packs only. */
export interface SamplingOrder {
  readonly packId: string;
  readonly record: PatientRecord;
  readonly now: IsoMinute;
  readonly question: SamplingQuestion;
}

export interface PersonOrder {
  readonly packId: string;
  readonly seed: number;
  readonly today: IsoDate;
  /** As in `RunOrder`. */
  readonly now?: IsoMinute;
}

/** What would be better for one person: asked with few futures first, then with all. */
export interface PlanOrder {
  readonly packId: string;
  readonly record: PatientRecord;
  readonly today: IsoDate;
  /** As in `RunOrder`. */
  readonly now?: IsoMinute;
  readonly question: PlanQuestion;
}

/** A question about what the model used for one person. */
export interface WhyOrder<Question> {
  readonly packId: string;
  readonly record: PatientRecord;
  readonly today: IsoDate;
  /** As in `RunOrder`. */
  readonly now?: IsoMinute;
  readonly question: Question;
}

export interface AttributionOrder extends WhyOrder<WhyQuestion> {
  /** `first` asks a few orders of the groups and says how far off that may be; `every` asks every coalition of up to 12 groups. */
  readonly effort: 'first' | 'every';
}

/** Where a person stands among the pack's people. */
export interface StandingOrder {
  readonly packId: string;
  readonly record: PatientRecord;
  readonly today: IsoDate;
  /** As in `RunOrder`. */
  readonly now?: IsoMinute;
  readonly seed: number;
}

/** Which local records look wrong. */
export interface AnomalyOrder {
  readonly packId: string;
  readonly records: readonly PatientRecord[];
  readonly today: IsoDate;
}

/** What local outcomes say against a pack's forecasts, and whether a correction holds on patients kept apart. */
export interface RecalibrationOrder {
  readonly packId: string;
  readonly kind: RecalibrationKind;
  /** Frozen under this digest of the pack and without corrections, each with its record as it is now. */
  readonly cases: readonly { readonly frozen: FrozenForecast; readonly record: PatientRecord }[];
  readonly id: string;
  readonly madeAt: number;
  readonly seed: number;
}

export interface PolicyOrder extends Omit<PlanOrder, 'question'> {
  readonly question: PolicyQuestion;
}

export interface MeasurementOrder extends Omit<PlanOrder, 'question'> {
  readonly question: MeasurementQuestion;
}

/** Every call with its argument and its answer. */
export interface Calls {
  readonly packs: { readonly argument: null; readonly answer: PackShelf };
  readonly engine: { readonly argument: null; readonly answer: EngineReport };
  readonly golden: { readonly argument: { readonly packId: string }; readonly answer: GoldenReport };
  /** Null where a pack has no report. */
  readonly validation: { readonly argument: { readonly packId: string }; readonly answer: ValidationReport | null };
  readonly person: { readonly argument: PersonOrder; readonly answer: PatientRecord };
  /** `learned` packs only: equations packs bring people whose course nobody drew. */
  readonly drawnFuture: { readonly argument: { readonly drawn: Drawing }; readonly answer: DrawnFuture };
  readonly forecast: { readonly argument: RunOrder; readonly answer: Forecast };
  readonly planSearch: { readonly argument: PlanOrder; readonly answer: PlanAnswer };
  readonly policies: { readonly argument: PolicyOrder; readonly answer: PolicyAnswer };
  readonly measurementValue: { readonly argument: MeasurementOrder; readonly answer: MeasurementAnswer };
  readonly samplingTimes: { readonly argument: SamplingOrder; readonly answer: SamplingAnswer };
  readonly anomalies: { readonly argument: AnomalyOrder; readonly answer: AnomalyAnswer };
  readonly conformalTable: { readonly argument: { readonly packId: string }; readonly answer: ConformalTable | null };
  readonly recalibrate: { readonly argument: RecalibrationOrder; readonly answer: RecalibrationAnswer };
  readonly standing: { readonly argument: StandingOrder; readonly answer: Standing };
  readonly attribution: { readonly argument: AttributionOrder; readonly answer: Attribution };
  /** `learned` packs only. */
  readonly gradients: { readonly argument: WhyOrder<WhyQuestion>; readonly answer: GradientAttribution };
  /** `equations` packs only. */
  readonly sensitivity: { readonly argument: WhyOrder<WhyQuestion>; readonly answer: Sensitivity };
  readonly counterfactual: { readonly argument: WhyOrder<CounterfactualQuestion>; readonly answer: CounterfactualAnswer };
  readonly neighbours: { readonly argument: WhyOrder<NeighbourQuestion>; readonly answer: NeighbourAnswer };
}

export type CallName = keyof Calls;

export type ToWorker =
  | { readonly type: 'settings'; readonly settings: WorkerSettings }
  | {
      [Name in CallName]: {
        readonly type: 'call';
        readonly id: number;
        readonly name: Name;
        readonly argument: Calls[Name]['argument'];
      };
    }[CallName]
  | { readonly type: 'cancel'; readonly id: number };

export type FromWorker =
  | { readonly type: 'alive' }
  | { readonly type: 'progress'; readonly id: number; readonly fraction: number }
  /** What would be answered if the call was cancelled now. */
  | { readonly type: 'partial'; readonly id: number; readonly answer: Calls[CallName]['answer'] }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Calls[CallName]['answer'] }
  | { readonly type: 'error'; readonly id: number; readonly error: SentError };

export interface SentError {
  readonly name: string;
  readonly code: ErrorCode | null;
  readonly message: string;
}
