/** What is to be fitted, and what came of it: the two ends of fitting a twin of an `equations` pack. */
import type { Lanes, Timeline } from '#engine/simulation.ts';
import type { Program } from '#packs/equations/program.ts';

/** One model's view of a person: everything in model time and canonical units. */
export interface ModelProblem {
  readonly program: Program;
  /** log of the prior weight against the other models, normalised. */
  readonly logPriorWeight: number;
  /** The doses, covariates and controls of the past. */
  readonly timeline: Timeline;
  /** Occasions of the past and of the horizon. */
  readonly occasions: number;
  /** Categories that are not known, with their prior shares: drawn with the effects, weighted with them. */
  readonly unknownCovariates: readonly { readonly covariate: number; readonly shares: readonly number[] }[];
  readonly observations: readonly FitObservation[];
  /** [states], NaN keeps the formula: exact first observations of states that are observed exactly. */
  readonly initialStates?: Float64Array;
}

export interface FitObservation {
  /** Index into `program.observations`. */
  readonly of: number;
  /** Model time. */
  readonly time: number;
  /** In the marker's unit. A censored value says "below this". */
  readonly value: number;
  readonly isBelowLimit: boolean;
}

export type Rung = 'prior' | 'importance' | 'laplace' | 'smc';

/** The posterior of one model. */
export interface FittedModel {
  readonly program: Program;
  /** Posterior probability of the model among the pack's. */
  readonly weight: number;
  /** log p(observations | model), with its Monte-Carlo standard error. */
  readonly logMarginal: { readonly value: number; readonly standardError: number };
  readonly rung: Rung;
  /** Of the weighted draws before resampling. */
  readonly effectiveSampleSize: number;
  readonly draws: number;
  /** Draws left out because their simulation diverged, and the prior weight they carried. */
  readonly diverged: { readonly count: number; readonly weight: number };
  /** Equally weighted draws of the posterior. */
  readonly lanes: Lanes;
  readonly map: MapEstimate;
  /** One an observation, in order. */
  readonly residuals: readonly ObservationResidual[];
}

export interface MapEstimate {
  /** [effect columns]. */
  readonly effects: Float64Array;
  /** The objective of the specification, constants included. */
  readonly minus2LogPosterior: number;
  readonly parameters: Readonly<Record<string, number>>;
  /** Predicted values of the observations, in the marker's unit. */
  readonly fitted: readonly number[];
}

export interface ObservationResidual {
  readonly observation: FitObservation;
  /** Posterior predictive 5, 50 and 95 % for a measurement at that time. */
  readonly predicted: readonly [number, number, number];
  /** Share of the posterior predictive below the observed value. */
  readonly probabilityBelow: number;
}

export interface EquationsTwin {
  readonly models: readonly FittedModel[];
  /** Chance under the population of observations at least as surprising as these; null without observations. */
  readonly conflictProbability: number | null;
  /** Set where the person does not fit the population: the prior was flattened by this factor on its covariance. */
  readonly flattening: number | null;
}
