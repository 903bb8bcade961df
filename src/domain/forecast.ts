/**
 * Many rollouts summarised, in the units of the page. This is what charts draw, the command line writes and exports carry; a test
 * holds `docs/forecast-json.md` to it.
 */
import type { Plan } from './plan.ts';
import type { IsoDate } from './record.ts';

export const bandLevels = [0.5, 0.8, 0.9] as const;

export interface Forecast {
  readonly status: ForecastStatus;
  /** One sentence for the person, also when all is well. */
  readonly message: string;
  readonly pack: { readonly id: string; readonly version: string; readonly digest: string; readonly title: string };
  readonly today: IsoDate;
  /** Days from today of every grid time, first 0. */
  readonly timesDays: readonly number[];
  readonly plans: readonly PlanForecast[];
  /** For each plan after the first (usual care). */
  readonly differences: readonly ForecastDifference[];
  readonly fit: FitReport;
  readonly run: RunRecord;
  /** Packs of kind `equations`: what the twin says of the time before now, from its first dose or observation on. */
  readonly past?: PastCourse;
  /** What was laid over it and switched on by a person; none if absent. */
  readonly corrections?: readonly AppliedCorrection[];
}

/** A correction as it was laid over a forecast: what a page and an export say of it. `src/domain/trust.ts` has the corrections. */
export interface AppliedCorrection {
  readonly kind: 'intervals' | 'event-odds' | 'head' | 'conformal';
  readonly id: string;
  /** One sentence: what was changed, learned from whom. */
  readonly words: string;
}

export interface PastCourse {
  /** Days from now, ascending, not above 0. */
  readonly timesDays: readonly number[];
  readonly markers: Readonly<Record<string, Pick<MarkerForecast, 'unit' | 'bands' | 'median'>>>;
}

export type ForecastStatus = 'completed' | 'diverged' | 'outside-support' | 'stopped' | 'out-of-memory';

export interface PlanForecast {
  readonly plan: Plan;
  /** Per marker, by id. */
  readonly markers: Readonly<Record<string, MarkerForecast>>;
  /** Per sign id: [time][level] share of people alive without the event. */
  readonly signs: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly events: Readonly<Record<string, EventForecast>>;
  /** Share of rollouts without any event at each time. */
  readonly eventFree: readonly number[];
  /** 90 % interval of the chance of any event, 1 − `eventFree`, at each time. Forecasts kept from before it was made have none. */
  readonly anyEvent?: Pick<EventForecast, 'low' | 'high'>;
  /** Mean days without any event within the horizon, with a 90 % interval of what is not known of the world. */
  readonly eventFreeDays: Estimate;
  /** Why this plan is outside what the pack's evidence covers; empty if it is inside. */
  readonly outsideSupport: readonly string[];
  /** Packs with targets only: by target id. */
  readonly targets?: Readonly<Record<string, TargetForecast>>;
}

/** Chance that a target's measure lies in its range, over the posterior draws. */
export interface TargetForecast {
  readonly probability: number;
  /** 95 % interval of the probability from the number of draws alone. */
  readonly low: number;
  readonly high: number;
  readonly unit: string;
  /** The measure itself at 5, 25, 50, 75 and 95 %. */
  readonly quantiles: readonly [number, number, number, number, number];
}

export interface MarkerForecast {
  readonly unit: string;
  readonly bands: readonly Band[];
  readonly median: readonly number[];
  /** [member][time]: how far the ensemble's members disagree about the middle. */
  readonly memberMedians: readonly (readonly number[])[];
  /** [course][time]; null from the event on. */
  readonly courses: readonly (readonly (number | null)[])[];
}

export interface Band {
  readonly level: number;
  readonly low: readonly number[];
  readonly high: readonly number[];
}

export interface EventForecast {
  /** Cumulative incidence at each time, mean over all rollouts. */
  readonly incidence: readonly number[];
  /** [member][time]. */
  readonly members: readonly (readonly number[])[];
  /** 90 % interval at each time: over ensemble members and draws of cited effects, or from the number of posterior draws. */
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/**
 * What a plan changes of a chance or of days, as equally likely values, ascending: dots of a picture, whose interval is read with `dotQuantile`. Of a
 * learned pack they are of the distribution over its members, of a pack of equations of what chance leaves open after so many draws.
 */
export interface ForecastDifference {
  readonly planId: string;
  readonly markers: Readonly<Record<string, MarkerForecast>>;
  /** Difference of cumulative incidence: [time][dot]. */
  readonly events: Readonly<Record<string, readonly (readonly number[])[]>>;
  /** All events together: [time][dot]. */
  readonly anyEvent: readonly (readonly number[])[];
  /** Days without an event gained (+) or lost (−) within the horizon. */
  readonly eventFreeDays: readonly number[];
}

/**
 * What lies below with this chance, of equally likely values, ascending: the i-th of n stands for the chance (i + ½)/n, between them by
 * straight lines (type 5, Hyndman & Fan 1996), beyond them the ends. NaN of none.
 */
export function dotQuantile(dots: ArrayLike<number>, chance: number): number {
  const place = Math.min(dots.length - 1, Math.max(0, chance * dots.length - 0.5));
  const below = Math.floor(place);
  const value = dots[below] ?? Number.NaN;
  return value + (place - below) * ((dots[below + 1] ?? value) - value);
}

export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** How well the twin and the person fit the pack. */
export interface FitReport {
  readonly standing: 'fits' | 'partly' | 'outside';
  readonly reasons: readonly string[];
  readonly particles: number;
  readonly effectiveSampleSize: number;
  readonly temperedMoves: number;
  /** Chance, under the pack, of a history at least as surprising as this one; small means conflict. Null without history. */
  readonly conflictProbability: number | null;
  readonly observationsUsed: number;
  readonly inputs: readonly InputUse[];
  /** Packs of kind `equations` only. */
  readonly equations?: EquationsFit;
}

export interface EquationsFit {
  readonly models: readonly ModelFit[];
  /** Set where the person does not fit the population and the prior's covariance was multiplied by this. */
  readonly flattening: number | null;
  readonly residuals: readonly Residual[];
}

export interface ModelFit {
  readonly id: string;
  readonly title: string;
  /** Posterior probability among the pack's models. */
  readonly weight: number;
  /** The step of the fitting ladder that sufficed. */
  readonly rung: 'prior' | 'importance' | 'laplace' | 'smc';
  readonly effectiveSampleSize: number;
  readonly draws: number;
  /** Share of the prior's weight whose simulation diverged; those draws are left out. */
  readonly divergedShare: number;
  readonly parameters: readonly {
    readonly symbol: string;
    readonly label: string;
    readonly unit: string;
    /** At the most probable effects. */
    readonly map: number;
    /** Posterior 5, 50 and 95 %. */
    readonly low: number;
    readonly median: number;
    readonly high: number;
  }[];
}

export interface Residual {
  readonly marker: string;
  readonly daysFromNow: number;
  readonly observed: number;
  readonly isBelowLimit: boolean;
  /** Posterior predictive 5, 50 and 95 % of a measurement at that time. */
  readonly predicted: readonly [number, number, number];
}

/** One line of "what went in": traced to its source, or said to be missing and what was done. */
export interface InputUse {
  readonly id: string;
  readonly label: string;
  readonly value: string | null;
  readonly date: IsoDate | null;
  readonly remark: 'used' | 'missing' | 'stale' | 'outside-seen' | 'too-old' | 'not-an-input';
  readonly detail: string;
}

export interface RunRecord {
  readonly engine: string;
  readonly engineDescription: string;
  readonly seed: number;
  readonly rollouts: number;
  readonly members: number;
  readonly elapsedMs: { readonly fit: number; readonly rollOut: number };
}
