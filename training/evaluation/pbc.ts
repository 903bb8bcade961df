import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type PatientRecord } from '#domain/record.ts';
import { defined, type Estimate } from '#numerics/estimate.ts';
import { harrellC } from '#numerics/concordance.ts';
import { survivalCalibration } from '#numerics/survival-calibration.ts';
import { ipcwBrier } from '#numerics/survival-scores.ts';
import { nextVisitTasks } from '../baselines/next-visit.ts';
import {
  pbc3Set,
  pbcCovariates,
  pbcLandmarkSet,
  pbcLandmarkYears,
  pbcMarkers,
  predictPbcExternal,
  predictPbcNextVisit,
  predictPbcSurvival,
  type PbcBaselines,
} from '../baselines/pbc.ts';
import { readRows, type ClinicalData } from '../clinical-data.ts';
import { pbc } from '../recipes/pbc.ts';
import { entryDate } from '../recipes/recipe.ts';
import { measure, pick, type Metric } from './metrics.ts';
import type { Futures, Predictor } from './predict.ts';
import { hazardRatioOfCurves, meanCurve, type ArmCurve } from './replay.ts';
import { byPerson, coverageMetrics, rmseMetrics, skillMetrics, type Forecasted } from './series.ts';

const year = 365.25;

/** One person at a landmark: the pack's risks beside the Cox model's, and what came. */
export interface LandmarkRow {
  readonly id: string;
  readonly time: number;
  readonly event: 0 | 1;
  readonly risk: number;
  readonly coxRisk: number;
  /** Risk of death by each of the horizons, pack and Cox. */
  readonly atHorizon: readonly (readonly [pack: number, cox: number])[];
}

export interface PbcPredictions {
  readonly landmarks: Readonly<Record<number, readonly LandmarkRow[]>>;
  /** Per marker, on the scale of the baselines (logarithm where they take it). */
  readonly visits: Readonly<Record<string, readonly Forecasted[]>>;
  readonly samples: { readonly effective: readonly number[]; readonly moves: number };
}

/** Years after a landmark at which risks are scored. */
const pbcHorizons = [2, 5] as const;

export const pbcMarkerIds: Readonly<Record<string, string>> = {
  bili: 'bilirubin',
  albumin: 'albumin',
  alk_phos: 'alkaline-phosphatase',
  ast: 'ast',
  chol: 'cholesterol',
  platelet: 'platelets',
  protime: 'prothrombin-time',
};

export async function predictPbc(
  predictor: Predictor,
  baselines: PbcBaselines,
  data: ClinicalData,
  ids: readonly string[],
  onDone: (share: number) => void = () => {},
): Promise<PbcPredictions> {
  const landmarks: Record<number, LandmarkRow[]> = {};
  const visits: Record<string, Forecasted[]> = Object.fromEntries(pbcMarkers.map(({ name }) => [name, []]));
  const effective: number[] = [];
  let moves = 0;
  const tasks = pbcMarkers.map((marker) => ({ marker, own: nextVisitTasks(data, ids, marker) }));
  const { manifest } = predictor.pack;
  for (const [at, id] of ids.entries()) {
    const record = pbc.record(data, id);
    const seenAt = new Map<number, Futures>();
    const from = async (day: number, steps: number): Promise<Futures> => {
      const known = seenAt.get(day);
      if (known && known.steps >= steps) return known;
      const futures = await predictor.futures({ record, day, steps });
      seenAt.set(day, futures);
      effective.push(futures.effectiveSampleSize);
      moves += futures.temperedMoves;
      return futures;
    };
    for (const landmark of pbcLandmarkYears) {
      const set = pbcLandmarkSet(data, [id], landmark, 'death');
      if (set.ids.length === 0) continue;
      const horizons = pbcHorizons.map((years) => years * year);
      const cox = predictPbcSurvival(baselines, landmark, 'death', set.predictors[0]!, horizons);
      const futures = await from(landmark * year, manifest.grid.horizonSteps);
      (landmarks[landmark] ??= []).push({
        id,
        time: set.time[0]!,
        event: set.event[0]!,
        risk: riskScore(predictor, futures),
        coxRisk: cox.risk,
        atHorizon: horizons.map((days, i) => [predictor.incidence(futures, 0, days), 1 - cox.survival[i]!] as const),
      });
    }
    for (const { marker, own } of tasks) {
      const index = manifest.markers.findIndex((candidate) => candidate.id === pbcMarkerIds[marker.name]);
      for (const task of own.filter((candidate) => candidate.id === id)) {
        const lastSeen = task.history.time.at(-1)!;
        const days = task.time - lastSeen;
        const futures = await from(lastSeen, Math.max(1, Math.ceil(days / manifest.grid.stepDays)));
        const draws = predictor.measured(futures, index, days, 'event-free');
        const baseline = predictPbcNextVisit(
          baselines,
          marker.name,
          task.history,
          task.time,
          pbcCovariates(data.subjects.get(id)!, id),
        );
        visits[marker.name]!.push({
          person: id,
          observed: task.value,
          draws: marker.isLog ? draws.map(Math.log) : draws,
          baselines: { 'carried forward': baseline.carriedForward, linear: baseline.linear, 'mixed model': baseline.mixed },
        });
      }
    }
    onDone((at + 1) / ids.length);
  }
  return { landmarks, visits, samples: { effective, moves } };
}

/** Expected years without death are what ranks people: the whole course counts, not one horizon. */
function riskScore(predictor: Predictor, futures: Futures): number {
  let sum = 0;
  const { stepDays, horizonSteps } = predictor.pack.manifest.grid;
  for (let step = 1; step <= horizonSteps; step++) sum += predictor.incidence(futures, 0, step * stepDays);
  return sum;
}

export function landmarkMetrics(predictions: PbcPredictions): Metric[] {
  const metrics: Metric[] = [];
  for (const [landmark, rows] of Object.entries(predictions.landmarks)) {
    const c =
      (risk: (row: LandmarkRow) => number) =>
      (indices: Int32Array): Estimate => {
        const own = pick(indices, rows);
        const result = harrellC(
          own.map(({ time }) => time),
          own.map(({ event }) => event),
          own.map(risk),
        );
        return result.defined ? defined(result.value.cIndex) : result;
      };
    metrics.push(
      measure({
        name: `death from year ${landmark}: C`,
        n: rows.length,
        better: 'higher',
        statistic: c((row) => row.risk),
        baseline: { name: 'landmark Cox', statistic: c((row) => row.coxRisk) },
      }),
    );
    pbcHorizons.forEach((years, h) => {
      const brier =
        (which: 0 | 1) =>
        (indices: Int32Array): Estimate => {
          const own = pick(indices, rows);
          return ipcwBrier(
            own.map(({ time }) => time),
            own.map(({ event }) => event),
            own.map(({ atHorizon }) => 1 - atHorizon[h]![which]),
            years * year,
          );
        };
      metrics.push(
        measure({
          name: `death within ${years} y of year ${landmark}: Brier score`,
          n: rows.length,
          better: 'lower',
          statistic: brier(0),
          baseline: { name: 'landmark Cox', statistic: brier(1) },
          resamples: 200,
        }),
      );
    });
    const horizon = 1;
    const slope =
      (which: 0 | 1) =>
      (indices: Int32Array): Estimate => {
        const own = pick(indices, rows);
        const result = survivalCalibration(
          own.map(({ time }) => time),
          own.map(({ event }) => event),
          own.map(({ atHorizon }) => Math.min(1 - 1e-6, Math.max(1e-6, atHorizon[horizon]![which]))),
          pbcHorizons[horizon] * year,
        );
        if (!result.defined) return result;
        return result.value.slope.defined ? defined(result.value.slope.value.slope) : result.value.slope;
      };
    metrics.push(
      measure({
        name: `death within ${pbcHorizons[horizon]} y of year ${landmark}: calibration slope`,
        n: rows.length,
        better: 'nearer',
        target: 1,
        statistic: slope(0),
        baseline: { name: 'landmark Cox', statistic: slope(1) },
        resamples: 200,
      }),
    );
  }
  return metrics;
}

export function visitMetrics(predictions: PbcPredictions): Metric[] {
  const names = ['carried forward', 'linear', 'mixed model'];
  const own = Object.entries(predictions.visits).flatMap(([marker, forecasts]) => {
    if (forecasts.length === 0) return [];
    const people = byPerson(forecasts);
    const label = `next visit, ${pbcMarkerIds[marker]}`;
    return [...rmseMetrics(label, people, names), ...skillMetrics(label, people, names), ...coverageMetrics(label, people)];
  });
  const all = byPerson(Object.values(predictions.visits).flat());
  return [...coverageMetrics('next visit, all markers', all), ...own];
}

/** The ciclosporin trial PBC3, from bilirubin, albumin, age and sex at entry alone: nothing was fitted to it. */
export async function externalMetrics(predictor: Predictor, baselines: PbcBaselines, folder: string): Promise<Metric[]> {
  const file = join(folder, 'external_pbc3_cyclosporin_rct.csv');
  if (!existsSync(file)) return [];
  const rows = readRows(file);
  const set = pbc3Set(rows);
  const risks: number[] = [];
  const coxRisks: number[] = [];
  for (const [i, id] of set.ids.entries()) {
    const row = rows.find((candidate) => String(candidate['ptno']) === id)!;
    const [logBilirubin, albumin, age] = set.predictors[i]!;
    const value = (code: string, number: number, unit: string) => ({
      id: code,
      code,
      date: entryDate,
      value: number,
      unit,
      isConfirmed: true,
      source: 'PBC3',
    });
    const record: PatientRecord = {
      id,
      alias: id,
      isSynthetic: false,
      entryDate,
      covariates: { age: age!, sex: row['sex'] === 1 ? 'male' : 'female' },
      observations: [value('bilirubin', Math.exp(logBilirubin!), 'mg/dL'), value('albumin', albumin!, 'g/dL')],
      treatments: [],
      events: [],
      note: '',
      updatedAt: 0,
    };
    const futures = await predictor.futures({ record, day: 0, steps: 12 });
    let risk = 0;
    for (let step = 1; step <= 12; step++) {
      const days = step * predictor.pack.manifest.grid.stepDays;
      risk += predictor.incidence(futures, 0, days) + predictor.incidence(futures, 1, days);
    }
    risks.push(risk);
    coxRisks.push(predictPbcExternal(baselines, set.predictors[i]!, [year]).risk);
  }
  const c =
    (risk: readonly number[]) =>
    (indices: Int32Array): Estimate => {
      const result = harrellC(pick(indices, set.time), pick(indices, set.event), pick(indices, risk));
      return result.defined ? defined(result.value.cIndex) : result;
    };
  return [
    measure({
      name: 'PBC3 trial (external), death or transplantation: C',
      n: set.ids.length,
      better: 'higher',
      statistic: c(risks),
      baseline: { name: 'Cox (log bilirubin, albumin, age)', statistic: c(coxRisks) },
    }),
  ];
}

/** The trial run again in silico: everyone's own entry, both arms, the hazard ratio of death as the trial would estimate it. */
export async function trialReplay(predictor: Predictor, data: ClinicalData, ids: readonly string[]): Promise<Metric> {
  const people: { readonly control: ArmCurve; readonly treated: ArmCurve }[] = [];
  for (const id of ids) {
    const record = { ...pbc.record(data, id), treatments: [] };
    const under = async (interventions: readonly string[]): Promise<ArmCurve> => {
      const futures = await predictor.futures({
        record,
        day: 0,
        steps: predictor.pack.manifest.grid.horizonSteps,
        interventions,
      });
      return { event: predictor.incidenceCurve(futures, 0), competing: predictor.incidenceCurve(futures, 1) };
    };
    people.push({ control: await under([]), treated: await under(['d-penicillamine']) });
  }
  const hazardRatio = (indices: Int32Array): Estimate => {
    const arm = (which: 'control' | 'treated'): ArmCurve => {
      const curves = pick(indices, people).map((person) => person[which]);
      return {
        event: meanCurve(curves.map(({ event }) => event)),
        competing: meanCurve(curves.map(({ competing }) => competing!)),
      };
    };
    return hazardRatioOfCurves(arm('control'), arm('treated'));
  };
  return measure({
    name: 'trial replay: simulated hazard ratio of death, D-penicillamine against placebo',
    n: ids.length,
    better: 'nearer',
    target: 1,
    statistic: hazardRatio,
    resamples: 40,
    note: 'the trial itself: 1.00 (0.72 to 1.39)',
  });
}
