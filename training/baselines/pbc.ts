import { coxLinearPredictor, coxModel, coxSurvival, fitCox, type CoxModel } from '#numerics/cox.ts';
import { stepAt } from '#numerics/survival.ts';
import { eventOf, lastValue, requiredLevel, requiredNumber, type ClinicalData, type Row } from '../clinical-data.ts';
import {
  fitNextVisit,
  predictNextVisit,
  type Marker,
  type MarkerSeries,
  type NextVisitForecast,
  type NextVisitModels,
} from './next-visit.ts';
import { orThrow } from './predictive.ts';
import { eventCurve, type FollowUp, type SurvivalBaseline, type SurvivalForecast } from './survival-baseline.ts';

export const pbcLandmarkYears = [0, 1, 3, 5] as const;
export type PbcLandmark = (typeof pbcLandmarkYears)[number];

/** Death alone (transplant censors), or death or transplant, whichever comes first. */
export const pbcEndpoints = ['death', 'composite'] as const;
export type PbcEndpoint = (typeof pbcEndpoints)[number];

export const pbcMarkers: readonly Marker[] = [
  { name: 'bili', isLog: true },
  { name: 'albumin', isLog: false },
  { name: 'protime', isLog: false },
  { name: 'platelet', isLog: false },
  { name: 'ast', isLog: true },
  { name: 'alk_phos', isLog: true },
  { name: 'chol', isLog: true },
];

const DAYS_PER_YEAR = 365.25;

/** Fitted baselines of the PBC pack: `models/pbc/baselines.json`. No row of a person is in it. */
export interface PbcBaselines {
  readonly schema: 1;
  readonly disease: 'pbc';
  readonly trainingPersons: number;
  readonly landmarks: Readonly<Record<`${PbcLandmark}`, Readonly<Record<PbcEndpoint, SurvivalBaseline>>>>;
  /** Cox of the composite on log bilirubin (mg/dL), albumin (g/dL), age (years), for cohorts that have only these. */
  readonly external: CoxModel;
  /** By marker name. */
  readonly nextVisit: Readonly<Record<string, NextVisitModels>>;
}

/** Follow-up of a person from entry; both endpoints end at the first of death and transplant. */
export function pbcFollowUp(data: ClinicalData, id: string, endpoint: PbcEndpoint): FollowUp {
  const death = eventOf(data, id, 'death');
  const transplant = eventOf(data, id, 'transplant');
  if (death === undefined) throw new Error(`events.csv does not follow person '${id}' for death.`);
  const isTransplantFirst = transplant !== undefined && transplant.happened && transplant.time <= death.time;
  const time = Math.min(death.time, transplant?.time ?? Infinity);
  const happened = endpoint === 'death' ? death.happened && !isTransplantFirst : death.happened || isTransplantFirst;
  return { time, event: happened ? 1 : 0 };
}

/** Predictors at a landmark, or `null` when a value was never seen by then: log bili, albumin, log protime, age, edema. */
export function pbcLandmarkPredictors(data: ClinicalData, id: string, landmark: PbcLandmark): number[] | null {
  const day = landmark * DAYS_PER_YEAR;
  const [bili, albumin, protime, edema] = ['bili', 'albumin', 'protime', 'edema'].map((name) => lastValue(data, id, name, day));
  if (bili === undefined || albumin === undefined || protime === undefined || edema === undefined) return null;
  return [Math.log(bili), albumin, Math.log(protime), requiredNumber(data.subjects.get(id)!, 'age', id), edema];
}

/** Persons still followed after a landmark with all predictors: what the landmark models are fitted and scored on. */
export interface LandmarkSet {
  readonly ids: readonly string[];
  /** Days from the landmark. */
  readonly time: readonly number[];
  readonly event: readonly (0 | 1)[];
  readonly predictors: readonly (readonly number[])[];
}

export function pbcLandmarkSet(
  data: ClinicalData,
  ids: readonly string[],
  landmark: PbcLandmark,
  endpoint: PbcEndpoint,
): LandmarkSet {
  const day = landmark * DAYS_PER_YEAR;
  const rows = ids.flatMap((id) => {
    const followUp = pbcFollowUp(data, id, endpoint);
    const predictors = followUp.time > day ? pbcLandmarkPredictors(data, id, landmark) : null;
    return predictors === null ? [] : [{ id, time: followUp.time - day, event: followUp.event, predictors }];
  });
  return {
    ids: rows.map((row) => row.id),
    time: rows.map((row) => row.time),
    event: rows.map((row) => row.event),
    predictors: rows.map((row) => row.predictors),
  };
}

function fitPbcLandmark(
  data: ClinicalData,
  ids: readonly string[],
  landmark: PbcLandmark,
  endpoint: PbcEndpoint,
): SurvivalBaseline {
  const set = pbcLandmarkSet(data, ids, landmark, endpoint);
  const what = `${endpoint} from year ${landmark}`;
  return {
    cox: coxModel(orThrow(`Cox, ${what}`, fitCox(set.time, set.event, set.predictors))),
    kaplanMeier: eventCurve(`Kaplan–Meier, ${what}`, set.time, set.event),
  };
}

/** Cox of the composite endpoint on log bilirubin, albumin and age at entry. */
function fitPbcExternal(data: ClinicalData, ids: readonly string[]): CoxModel {
  const set = pbcLandmarkSet(data, ids, 0, 'composite');
  const rows = set.predictors.map(([logBili, albumin, , age]) => [logBili!, albumin!, age!]);
  return coxModel(orThrow('Cox for external cohorts', fitCox(set.time, set.event, rows)));
}

/** Covariates of the next-visit models: age in years, male, placebo. */
export function pbcCovariates(subject: Row, id: string): number[] {
  const sex = requiredLevel(subject, 'sex', ['f', 'm'], id);
  const arm = requiredLevel(subject, 'arm', ['D-penicillamine', 'placebo'], id);
  return [requiredNumber(subject, 'age', id), sex === 'm' ? 1 : 0, arm === 'placebo' ? 1 : 0];
}

export interface PbcFitOptions {
  /**
   * Persons for the model for external cohorts. Default the training persons; when the external cohort is its only test,
   * all persons may be used.
   */
  readonly externalIds?: readonly string[];
}

/** Fits every PBC baseline on the given persons. Throws, naming the model, when one cannot be fitted. */
export function fitPbcBaselines(data: ClinicalData, trainIds: readonly string[], options: PbcFitOptions = {}): PbcBaselines {
  const covariates = (id: string): number[] => pbcCovariates(data.subjects.get(id)!, id);
  const landmark = (years: PbcLandmark): Record<PbcEndpoint, SurvivalBaseline> => ({
    death: fitPbcLandmark(data, trainIds, years, 'death'),
    composite: fitPbcLandmark(data, trainIds, years, 'composite'),
  });
  return {
    schema: 1,
    disease: 'pbc',
    trainingPersons: trainIds.length,
    landmarks: { 0: landmark(0), 1: landmark(1), 3: landmark(3), 5: landmark(5) },
    external: fitPbcExternal(data, options.externalIds ?? trainIds),
    nextVisit: Object.fromEntries(pbcMarkers.map((marker) => [marker.name, fitNextVisit(data, trainIds, marker, covariates)])),
  };
}

/** Forecast from predictors in the order of `pbcLandmarkPredictors`; horizons are days from the landmark. */
export function predictPbcSurvival(
  baselines: PbcBaselines,
  landmark: PbcLandmark,
  endpoint: PbcEndpoint,
  predictors: readonly number[],
  horizons: readonly number[],
): SurvivalForecast {
  const model = baselines.landmarks[landmark][endpoint];
  return {
    risk: coxLinearPredictor(model.cox, predictors),
    survival: coxSurvival(model.cox, predictors, horizons),
    kaplanMeier: horizons.map((t) => stepAt(model.kaplanMeier, t, 1)),
  };
}

/** Forecast of a marker's value at `nextTime` (days), on the marker's scale (logarithm where `isLog`). */
export function predictPbcNextVisit(
  baselines: PbcBaselines,
  marker: string,
  history: MarkerSeries,
  nextTime: number,
  covariates: readonly number[],
): NextVisitForecast {
  const models = baselines.nextVisit[marker];
  if (models === undefined) throw new Error(`There is no PBC baseline for marker '${marker}'.`);
  return predictNextVisit(models, history, nextTime, covariates);
}

/** The external cohort of `external_pbc3_cyclosporin_rct.csv`: complete rows, in the units of the model. */
export function pbc3Set(rows: readonly Row[]): LandmarkSet {
  const complete = rows.flatMap((row) => {
    const { bili_mgdl: bili, alb_gdl: albumin, age, days, status, ptno } = row;
    if (typeof bili !== 'number' || typeof albumin !== 'number' || typeof age !== 'number') return [];
    if (typeof days !== 'number' || typeof status !== 'number') return [];
    return [
      {
        id: String(ptno),
        time: days,
        event: status > 0 ? (1 as const) : (0 as const),
        predictors: [Math.log(bili), albumin, age],
      },
    ];
  });
  return {
    ids: complete.map((row) => row.id),
    time: complete.map((row) => row.time),
    event: complete.map((row) => row.event),
    predictors: complete.map((row) => row.predictors),
  };
}

/** Forecast of the composite endpoint for a person of an external cohort from log bilirubin, albumin and age. */
export function predictPbcExternal(
  baselines: PbcBaselines,
  predictors: readonly number[],
  horizons: readonly number[],
): Omit<SurvivalForecast, 'kaplanMeier'> {
  return {
    risk: coxLinearPredictor(baselines.external, predictors),
    survival: coxSurvival(baselines.external, predictors, horizons),
  };
}
