/**
 * What the charts take. Finished numbers only: a screen turns a forecast into these, and a chart never asks where they came from.
 * Times are numbers in `timeUnit` on one axis for the whole page; `today` is a point on it, observations lie left of it.
 */

export type TimeUnit = 'minutes' | 'hours' | 'days' | 'weeks' | 'months' | 'years';
export type Span = readonly [from: number, to: number];

/** Which hue, dash and token a plan draws with. Never says good or bad. */
export type PlanColour = 'usual' | 'a' | 'b' | 'c' | 'd';

export interface PlanIdentity {
  readonly colour: PlanColour;
  /** One letter for the end of a line; usual care uses 'U'. */
  readonly letter: string;
  /** As in a sentence: "usual care", "plan A". */
  readonly name: string;
}

export interface Observation {
  readonly time: number;
  readonly value: number;
  /** '<' was reported below `value`, '>' above it. Drawn as an arrow, never as a dot. */
  readonly censored?: '<' | '>';
  /** Where it came from: "hospital laboratory, 3 May 2024". */
  readonly source?: string;
}

export interface Band {
  /** Share of rollouts inside: 0.5, 0.8 or 0.9. */
  readonly level: number;
  readonly low: ArrayLike<number>;
  readonly high: ArrayLike<number>;
}

export interface PlanFan extends PlanIdentity {
  readonly times: ArrayLike<number>;
  /** Any order; drawn widest first. */
  readonly bands: readonly Band[];
  readonly median: ArrayLike<number>;
  /** One median a member of the ensemble: their spread is doubt about the model, apart from chance. */
  readonly memberMedians?: readonly ArrayLike<number>[];
  /** A few single rollouts, at most six are drawn. */
  readonly courses?: readonly ArrayLike<number>[];
}

export interface Crossing {
  readonly plan: PlanIdentity;
  readonly count: number;
  readonly of: number;
}

export interface Threshold {
  readonly value: number;
  readonly label: string;
  readonly crossed?: readonly Crossing[];
}

/** A line, and which side of it is asked about. */
export interface AskedThreshold extends Pick<Threshold, 'value' | 'label'> {
  readonly direction: 'above' | 'below';
}

/** Equally likely outcomes of one plan. */
export interface PlanOutcomes extends PlanIdentity {
  /** Ascending; `beyond` where only an edge is known, and the outcome lies there or farther out. */
  readonly values: readonly { readonly value: number; readonly beyond: 'low' | 'high' | null }[];
}

export interface NormalRange {
  readonly low: number;
  readonly high: number;
  /** Who says so: "KDIGO 2024". */
  readonly source: string;
}

/** The one course that was drawn for a made-up person: known, and no forecast. */
export interface TruthLine {
  readonly times: readonly number[];
  readonly values: readonly number[];
}

/** What a plan is to reach or to avoid; one end at least. */
export interface TargetRange {
  readonly label: string;
  readonly intent: 'reach' | 'avoid';
  readonly low?: number | undefined;
  readonly high?: number | undefined;
}

/** A twin's course before now. */
export type PastFan = Pick<PlanFan, 'times' | 'bands' | 'median'>;

/** Chance of a target, and its measure, for one plan or candidate. */
export interface TargetRow {
  readonly id: string;
  /** "plan A", "1000 mg every 12 h". */
  readonly name: string;
  readonly plan?: PlanIdentity;
  readonly probability: number;
  /** From the number of draws alone. */
  readonly low: number;
  readonly high: number;
  /** The measure at 5, 25, 50, 75 and 95 %. */
  readonly quantiles: readonly [number, number, number, number, number];
}

export interface EventKind {
  readonly id: string;
  /** As in "23 die": used after a count of several. */
  readonly verb: string;
  /** As in "1 dies"; default `verb`. */
  readonly verbOne?: string;
  /** As a heading: "Death". */
  readonly label: string;
}

export interface EventCurve {
  readonly event: string;
  /** Cumulative incidence 0..1 at each of the plan's times. */
  readonly incidence: ArrayLike<number>;
  /** 90 % interval. */
  readonly low?: ArrayLike<number>;
  readonly high?: ArrayLike<number>;
}

export interface PlanEvents extends PlanIdentity {
  readonly times: ArrayLike<number>;
  readonly curves: readonly EventCurve[];
}

export interface PlanCounts extends PlanIdentity {
  /** People of `of` to whom each event happened first, by event id. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface SignKind {
  readonly id: string;
  readonly label: string;
}

export interface SignCurve {
  readonly sign: string;
  /** Probability 0..1 of showing the sign at each of the plan's times. */
  readonly probability: ArrayLike<number>;
  readonly members?: readonly ArrayLike<number>[];
}

export interface PlanSigns extends PlanIdentity {
  readonly times: ArrayLike<number>;
  readonly curves: readonly SignCurve[];
}

export interface LaneIntervention {
  readonly id: string;
  readonly label: string;
  /** At most about ten letters, for inside a narrow block. */
  readonly short: string;
  /** Hue angle 0..360 for the block's edge; default by order. Kept apart from the plans' hues by low chroma. */
  readonly hue?: number;
  readonly dose?: {
    readonly unit: string;
    readonly initial: number;
    readonly min: number;
    readonly max: number;
    readonly step: number;
  };
}

export interface LaneBlock {
  readonly id: string;
  readonly intervention: string;
  readonly start: number;
  readonly stop: number;
  readonly dose?: number;
  /** What stands in the block instead of the dose: "1000 mg q12h". */
  readonly text?: string;
  /** Times of single doses inside the block. */
  readonly marks?: readonly number[];
  /** Shown and not moved: what the record says goes on. */
  readonly locked?: boolean;
}

export interface Lane {
  readonly id: string;
  readonly plan: PlanIdentity;
  readonly blocks: readonly LaneBlock[];
  readonly hidden?: boolean;
  /** Usual care and frozen plans: shown, not edited. */
  readonly locked?: boolean;
  /** Differs from its saved form, so that it can be reverted. */
  readonly changed?: boolean;
}

export interface CalibrationPoint {
  /** Mean predicted probability in the bin, 0..1. */
  readonly predicted: number;
  readonly observed: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

export interface CoverageRow {
  readonly label: string;
  /** Nominal share, for example 0.9. */
  readonly nominal: number;
  readonly observed: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

/** Inputs that are taken away and given together, and what they add to a figure over time. */
export interface RiverGroup {
  readonly id: string;
  readonly label: string;
  /** [time] signed, in the chart's unit. */
  readonly contributions: ArrayLike<number>;
}

/** One bar from zero, with what chance alone might make of it. */
export interface RankedRow {
  readonly id: string;
  readonly name: string;
  /** Its number in the river beside; none for what is drawn together there. */
  readonly number?: number | null;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** A second measure beside it, drawn as a thin line from zero. */
  readonly total?: number;
  /** The numbers in words. */
  readonly words: string;
}

/** What knowing one unknown would do to a figure's variance, as shares of it, 0 … 1. */
export interface SensitivityLine {
  readonly id: string;
  readonly name: string;
  /** [time] taken away by knowing it alone, with its 90 % interval. */
  readonly first: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** [time] left where all but it were known. */
  readonly total: readonly number[];
}

/** A synthetic person's course, one marker. */
export interface NeighbourCourse {
  readonly id: string;
  /** "Drawn person 3". */
  readonly name: string;
  /** What they are, in a line: "52 years, female". */
  readonly about: string;
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
  /** What ended or marked the course. */
  readonly event?: { readonly label: string; readonly time: number } | undefined;
}

/** A dated value and what it adds. */
export interface DatedContribution {
  readonly id: string;
  /** The line it stands in: a marker, a finding. */
  readonly label: string;
  readonly time: number;
  /** As it was measured, with its unit. */
  readonly value: string;
  readonly contribution: number;
}

/** The same as the picture, in rows. Cells are already in words or formatted numbers. */
export interface ChartTable {
  readonly caption: string;
  readonly columns: readonly { readonly label: string; readonly numeric?: boolean }[];
  readonly rows: readonly (readonly string[])[];
}
