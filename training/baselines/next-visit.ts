import { fitLeastSquares, linearModel, predictLinear, type LinearModel } from '#numerics/least-squares.ts';
import { fitMixedModel, mixedModel, predictMixed, type MixedModel } from '#numerics/mixed-model.ts';
import { type ClinicalData } from '../clinical-data.ts';
import { carriedForward, errorDistribution, orThrow, type Predictive } from './predictive.ts';

/** A marker and the scale on which it is forecast: logarithms of positive, skewed laboratory values. */
export interface Marker {
  readonly name: string;
  readonly isLog: boolean;
}

/** The times (days) and values of one marker of one person, ascending, on the marker's scale. */
export interface MarkerSeries {
  readonly time: readonly number[];
  readonly value: readonly number[];
}

/** Models of one marker's next visit, as plain JSON. */
export interface NextVisitModels {
  readonly marker: Marker;
  /** Errors of the last value on the training persons, as equally likely values. */
  readonly carriedForwardErrors: readonly number[];
  readonly linear: LinearModel;
  readonly mixed: MixedModel;
}

export interface NextVisitForecast {
  readonly carriedForward: Predictive;
  readonly linear: Predictive;
  readonly mixed: Predictive;
}

/** Covariates of a person as numbers; categories are indicator columns. */
export type Covariates = (id: string) => readonly number[];

const DAYS_PER_YEAR = 365.25;

/** A value of the record on the marker's scale; the floor guards the logarithm of a recorded 0. */
function onScale(marker: Marker, value: number): number {
  return marker.isLog ? Math.log(Math.max(value, 1e-3)) : value;
}

export function markerSeries(data: ClinicalData, id: string, marker: Marker): MarkerSeries {
  const time: number[] = [];
  const value: number[] = [];
  for (const visit of data.visits.get(id) ?? []) {
    const raw = visit.values.get(marker.name);
    if (raw === undefined) continue;
    time.push(visit.time);
    value.push(onScale(marker, raw));
  }
  return { time, value };
}

/** The first `count` observations: what is known before the next one. */
function historyOf(series: MarkerSeries, count: number): MarkerSeries {
  return { time: series.time.slice(0, count), value: series.value.slice(0, count) };
}

/**
 * Predictors of the linear model, in this order: last value, mean of all values so far, second-last value (the last where
 * there is only one), first value, log(1 + gap in days), their product with the last value, day of the visit, covariates.
 */
export function linearPredictors(history: MarkerSeries, nextTime: number, covariates: readonly number[]): number[] {
  const n = history.value.length;
  if (n === 0) throw new Error('The linear next-visit model needs at least one past value.');
  const last = history.value[n - 1]!;
  const logGap = Math.log1p(nextTime - history.time[n - 1]!);
  const mean = history.value.reduce((total, v) => total + v, 0) / n;
  return [last, mean, history.value[n - 2] ?? last, history.value[0]!, logGap, last * logGap, nextTime, ...covariates];
}

/** Fixed effects of the mixed model: 1, time in years, covariates. */
const mixedRow = (time: number, covariates: readonly number[]): number[] => [1, time / DAYS_PER_YEAR, ...covariates];

function mixedSeries(series: MarkerSeries, covariates: readonly number[]) {
  return {
    time: series.time.map((t) => t / DAYS_PER_YEAR),
    x: series.time.map((t) => mixedRow(t, covariates)),
    y: series.value,
  };
}

export function fitNextVisit(
  data: ClinicalData,
  ids: readonly string[],
  marker: Marker,
  covariates: Covariates,
): NextVisitModels {
  const errors: number[] = [];
  const rows: number[][] = [];
  const targets: number[] = [];
  const people = ids.map((id) => ({ series: markerSeries(data, id, marker), covariates: covariates(id) }));
  for (const person of people) {
    const { time, value } = person.series;
    for (let k = 1; k < value.length; k++) {
      errors.push(value[k]! - value[k - 1]!);
      rows.push(linearPredictors(historyOf(person.series, k), time[k]!, person.covariates));
      targets.push(value[k]!);
    }
  }
  const linear = orThrow(`linear next visit of ${marker.name}`, fitLeastSquares(rows, targets));
  const mixed = fitMixedModel(people.map((person) => mixedSeries(person.series, person.covariates)));
  return {
    marker,
    carriedForwardErrors: errorDistribution(errors),
    linear: linearModel(linear),
    mixed: mixedModel(orThrow(`mixed model of ${marker.name}`, mixed)),
  };
}

/** Forecasts of the value at `nextTime` (days) from at least one earlier value. */
export function predictNextVisit(
  models: NextVisitModels,
  history: MarkerSeries,
  nextTime: number,
  covariates: readonly number[],
): NextVisitForecast {
  const last = history.value.at(-1);
  if (last === undefined) throw new Error('A next-visit forecast needs at least one past value.');
  const mixed = predictMixed(models.mixed, mixedSeries(history, covariates), {
    time: nextTime / DAYS_PER_YEAR,
    x: mixedRow(nextTime, covariates),
  });
  return {
    carriedForward: carriedForward(last, models.carriedForwardErrors),
    linear: {
      kind: 'normal',
      mean: predictLinear(models.linear, linearPredictors(history, nextTime, covariates)),
      sd: models.linear.residualSd,
    },
    mixed: { kind: 'normal', ...mixed },
  };
}

/** One visit to be forecast: what was seen, and what was known before it. */
export interface NextVisitTask {
  readonly id: string;
  readonly time: number;
  readonly value: number;
  readonly history: MarkerSeries;
}

/** Every visit but the first of the given persons. */
export function nextVisitTasks(data: ClinicalData, ids: readonly string[], marker: Marker): NextVisitTask[] {
  return ids.flatMap((id) => {
    const series = markerSeries(data, id, marker);
    return series.value.slice(1).map((value, k) => ({ id, time: series.time[k + 1]!, value, history: historyOf(series, k + 1) }));
  });
}
