import { defined, type Estimate } from '#numerics/estimate.ts';
import { harrellC } from '#numerics/concordance.ts';
import { kaplanMeier, survivalAt } from '#numerics/survival.ts';
import { survivalCalibration } from '#numerics/survival-calibration.ts';
import { ipcwBrier } from '#numerics/survival-scores.ts';
import {
  hivCd4Tasks,
  hivCd4Targets,
  hivFollowUp,
  hivPerson,
  predictHivCd4,
  predictHivSurvival,
  type HivBaselines,
  type HivCd4Target,
} from '../baselines/hiv.ts';
import type { ClinicalData } from '../clinical-data.ts';
import { hivActg175 } from '../recipes/hiv-actg175.ts';
import { finite, measure, pick, type Metric } from './metrics.ts';
import type { Predictor } from './predict.ts';
import { hazardRatioOfCurves, meanCurve } from './replay.ts';
import { byPerson, coverageMetrics, rmseMetrics, skillMetrics, type Forecasted } from './series.ts';

const arms = ['zdv', 'zdv-ddi', 'zdv-ddc', 'ddi'] as const;
type Arm = (typeof arms)[number];
const comparisons: readonly {
  readonly arm: Arm;
  readonly label: string;
  readonly trial: readonly [number, number, number];
  readonly gain: number;
}[] = [
  { arm: 'zdv-ddi', label: 'ZDV + ddI', trial: [0.49, 0.39, 0.63], gain: 67 },
  { arm: 'zdv-ddc', label: 'ZDV + ddC', trial: [0.52, 0.41, 0.67], gain: 36 },
  { arm: 'ddi', label: 'ddI', trial: [0.59, 0.47, 0.73], gain: 38 },
];
const week = 7;
const horizonDays = 96 * week;

export interface HivRow {
  readonly id: string;
  readonly time: number;
  readonly event: 0 | 1;
  readonly isExperienced: boolean;
  readonly arm: Arm;
  /** Under the own arm. */
  readonly risk: number;
  readonly coxRisk: number;
  readonly coxAtHorizon: number;
  /** Risk of the event by week 96 under each arm, and mean CD4 at week 20. */
  readonly riskUnder: Readonly<Record<Arm, number>>;
  readonly cd4Under: Readonly<Record<Arm, number>>;
  /** Cumulative incidence at each grid time under each arm. */
  readonly curveUnder: Readonly<Record<Arm, Float64Array>>;
}

export interface HivPredictions {
  readonly rows: readonly HivRow[];
  readonly cd4: Readonly<Record<HivCd4Target, readonly Forecasted[]>>;
}

export async function predictHiv(
  predictor: Predictor,
  baselines: HivBaselines,
  data: ClinicalData,
  ids: readonly string[],
  onDone: (share: number) => void = () => {},
): Promise<HivPredictions> {
  const rows: HivRow[] = [];
  const cd4: Record<HivCd4Target, Forecasted[]> = { week20: [], week96: [], week96WithWeek20: [] };
  const { stepDays, horizonSteps } = predictor.pack.manifest.grid;
  const tasks = (Object.keys(hivCd4Targets) as HivCd4Target[]).map((target) => ({
    target,
    byId: new Map(hivCd4Tasks(data, ids, target).map((task) => [task.id, task])),
  }));
  for (const [at, id] of ids.entries()) {
    const record = hivActg175.record(data, id);
    const own = record.treatments[0]!.intervention as Arm;
    const person = hivPerson(data, id);
    const { time, event } = hivFollowUp(data, id);
    const riskUnder = {} as Record<Arm, number>;
    const cd4Under = {} as Record<Arm, number>;
    const curveUnder = {} as Record<Arm, Float64Array>;
    let risk = 0;
    for (const arm of arms) {
      const futures = await predictor.futures({
        record: { ...record, treatments: [] },
        day: 0,
        steps: horizonSteps,
        interventions: [arm],
      });
      riskUnder[arm] = predictor.incidence(futures, 0, horizonDays);
      const week20 = predictor.measured(futures, 0, 20 * week, 'everyone');
      cd4Under[arm] = mean(week20);
      curveUnder[arm] = predictor.incidenceCurve(futures, 0);
      if (arm !== own) continue;
      for (let step = 1; step <= horizonSteps; step++) risk += predictor.incidence(futures, 0, step * stepDays);
      for (const { target, byId } of tasks) {
        const task = byId.get(id);
        if (!task || hivCd4Targets[target].usesWeek20) continue;
        const draws = predictor.measured(futures, 0, hivCd4Targets[target].day, 'everyone');
        cd4[target].push(forecasted(id, task.value, draws, predictHivCd4(baselines, target, person)));
      }
    }
    const late = tasks.find(({ target }) => target === 'week96WithWeek20')!.byId.get(id);
    if (late) {
      const from = 20 * week;
      const futures = await predictor.futures({ record, day: from, steps: Math.ceil((horizonDays - from) / stepDays) });
      const draws = predictor.measured(futures, 0, horizonDays - from, 'everyone');
      cd4.week96WithWeek20.push(
        forecasted(id, late.value, draws, predictHivCd4(baselines, 'week96WithWeek20', person, late.cd4Week20)),
      );
    }
    const cox = predictHivSurvival(baselines, person, [horizonDays], 'cox');
    rows.push({
      id,
      time,
      event,
      isExperienced: person.covariates.str2 === 1,
      arm: own,
      risk,
      coxRisk: cox.risk,
      coxAtHorizon: 1 - cox.survival[0]!,
      riskUnder,
      cd4Under,
      curveUnder,
    });
    onDone((at + 1) / ids.length);
  }
  return { rows, cd4 };
}

function forecasted(
  person: string,
  observed: number,
  draws: Float64Array,
  baseline: ReturnType<typeof predictHivCd4>,
): Forecasted {
  return { person, observed, draws, baselines: { ANCOVA: baseline.ancova, 'carried forward': baseline.carriedForward } };
}

export function hivMetrics({ rows, cd4 }: HivPredictions): Metric[] {
  return [...survivalMetrics(rows), ...cd4Metrics(cd4), ...replayMetrics(rows), ...benefitMetrics(rows)];
}

function survivalMetrics(rows: readonly HivRow[]): Metric[] {
  const n = rows.length;
  const times = (own: readonly HivRow[]) => own.map(({ time }) => time);
  const events = (own: readonly HivRow[]) => own.map(({ event }) => event);
  const c =
    (risk: (row: HivRow) => number) =>
    (indices: Int32Array): Estimate => {
      const own = pick(indices, rows);
      const result = harrellC(times(own), events(own), own.map(risk));
      return result.defined ? defined(result.value.cIndex) : result;
    };
  const ours = (row: HivRow) => row.riskUnder[row.arm];
  const brier =
    (risk: (row: HivRow) => number) =>
    (indices: Int32Array): Estimate => {
      const own = pick(indices, rows);
      return ipcwBrier(
        times(own),
        events(own),
        own.map((row) => 1 - risk(row)),
        horizonDays,
      );
    };
  const slope =
    (risk: (row: HivRow) => number) =>
    (indices: Int32Array): Estimate => {
      const own = pick(indices, rows);
      const inside = own.map((row) => Math.min(1 - 1e-6, Math.max(1e-6, risk(row))));
      const result = survivalCalibration(times(own), events(own), inside, horizonDays);
      if (!result.defined) return result;
      return result.value.slope.defined ? defined(result.value.slope.value.slope) : result.value.slope;
    };
  const cox = (row: HivRow) => row.coxAtHorizon;
  return [
    measure({
      name: 'first event: C',
      n,
      better: 'higher',
      statistic: c(({ risk }) => risk),
      baseline: { name: 'Cox', statistic: c(({ coxRisk }) => coxRisk) },
    }),
    measure({
      name: 'event by week 96: Brier score',
      n,
      better: 'lower',
      statistic: brier(ours),
      baseline: { name: 'Cox', statistic: brier(cox) },
      resamples: 200,
    }),
    measure({
      name: 'event by week 96: calibration slope',
      n,
      better: 'nearer',
      target: 1,
      statistic: slope(ours),
      baseline: { name: 'Cox', statistic: slope(cox) },
      resamples: 200,
    }),
  ];
}

function cd4Metrics(cd4: HivPredictions['cd4']): Metric[] {
  const labels: Readonly<Record<HivCd4Target, string>> = {
    week20: 'CD4 at week 20 from entry',
    week96: 'CD4 at week 96 from entry',
    week96WithWeek20: 'CD4 at week 96 from week 20',
  };
  const names = ['ANCOVA', 'carried forward'];
  const own = (Object.keys(labels) as HivCd4Target[]).flatMap((target) => {
    const people = byPerson(cd4[target]);
    if (people.length < 2) return [];
    return [
      ...rmseMetrics(labels[target], people, names),
      ...skillMetrics(labels[target], people, names),
      ...coverageMetrics(labels[target], people),
    ];
  });
  return [...coverageMetrics('CD4, all forecasts', byPerson(Object.values(cd4).flat())), ...own];
}

/** The trial run again in silico: everyone under every arm, from entry. */
function replayMetrics(rows: readonly HivRow[]): Metric[] {
  const subsets = [
    { label: '', keep: () => true },
    { label: ', never treated before', keep: (row: HivRow) => !row.isExperienced },
    { label: ', treated before', keep: (row: HivRow) => row.isExperienced },
  ];
  return subsets.flatMap(({ label, keep }) => {
    const own = rows.filter(keep);
    if (own.length < 2) return [];
    return comparisons.flatMap(({ arm, label: name, trial, gain }) => [
      measure({
        name: `trial replay: hazard ratio ${name} against ZDV${label}`,
        n: own.length,
        better: 'nearer',
        ...(label === '' ? { target: trial[0], note: `the trial itself: ${trial[0]} (${trial[1]} to ${trial[2]})` } : {}),
        statistic: (indices) => simulatedHazardRatio(pick(indices, own), arm),
        resamples: 40,
      }),
      measure({
        name: `trial replay: CD4 at week 20, ${name} minus ZDV${label}`,
        n: own.length,
        better: 'nearer',
        ...(label === '' ? { target: gain } : {}),
        statistic: (indices) => finite(mean(pick(indices, own).map((row) => row.cd4Under[arm] - row.cd4Under.zdv))),
        resamples: 200,
      }),
    ]);
  });
}

function simulatedHazardRatio(rows: readonly HivRow[], arm: Arm): Estimate {
  const curve = (own: Arm) => ({ event: meanCurve(rows.map(({ curveUnder }) => curveUnder[own])) });
  return hazardRatioOfCurves(curve('zdv'), curve(arm));
}

/**
 * Personal benefit of any newer regimen over ZDV, by fifths of what was predicted: within a fifth, randomisation makes the
 * difference of the observed risks a fair estimate of what the prediction should have been.
 */
function benefitMetrics(rows: readonly HivRow[]): Metric[] {
  const benefit = (row: HivRow) =>
    row.riskUnder.zdv - mean([row.riskUnder['zdv-ddi'], row.riskUnder['zdv-ddc'], row.riskUnder.ddi]);
  const sorted = [...rows].sort((a, b) => benefit(a) - benefit(b));
  return [0, 1, 2, 3, 4].map((fifth) => {
    const own = sorted.slice(Math.floor((fifth * sorted.length) / 5), Math.floor(((fifth + 1) * sorted.length) / 5));
    const predicted = mean(own.map(benefit));
    return measure({
      name: `benefit of a newer regimen by week 96, fifth ${fifth + 1} of 5: observed risk difference`,
      n: own.length,
      better: 'nearer',
      target: Number(predicted.toFixed(4)),
      statistic: (indices) => {
        const chosen = pick(indices, own);
        const control = observedRisk(chosen.filter(({ arm }) => arm === 'zdv'));
        const treated = observedRisk(chosen.filter(({ arm }) => arm !== 'zdv'));
        if (!control.defined) return control;
        return treated.defined ? defined(control.value - treated.value) : treated;
      },
      resamples: 300,
      note: 'target: mean predicted benefit of this fifth',
    });
  });
}

function observedRisk(rows: readonly HivRow[]): Estimate {
  const km = kaplanMeier(
    rows.map(({ time }) => time),
    rows.map(({ event }) => event),
  );
  return km.defined ? defined(1 - survivalAt(km.value, horizonDays)) : km;
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}
