import { describe, expect, test } from 'vitest';
import { harrellC } from '#numerics/concordance.ts';
import {
  fitHivBaselines,
  hivCd4Tasks,
  hivFollowUp,
  hivNumericColumns,
  hivPerson,
  predictHivCd4,
  predictHivSurvival,
} from '#training/baselines/hiv.ts';
import { linearPredictors, markerSeries, nextVisitTasks } from '#training/baselines/next-visit.ts';
import {
  fitPbcBaselines,
  pbc3Set,
  pbcCovariates,
  pbcFollowUp,
  pbcLandmarkPredictors,
  pbcLandmarkSet,
  predictPbcExternal,
  predictPbcNextVisit,
  predictPbcSurvival,
} from '#training/baselines/pbc.ts';
import { errorDistribution, predictiveCrps, predictivePoint, predictiveQuantile } from '#training/baselines/predictive.ts';
import { idsOfSplit, readClinicalData } from '#training/clinical-data.ts';
import { valueOf } from '../../fixtures/estimates.ts';
import { syntheticHiv, syntheticHivTruth, syntheticPbc, writeFolder } from '../../fixtures/synthetic-clinical.ts';

describe('PBC baselines', () => {
  const data = readClinicalData(writeFolder(syntheticPbc()));
  const heldOut = idsOfSplit(data, 'test');
  const fitted = fitPbcBaselines(data, idsOfSplit(data, 'train'));
  // What is stored is all that predictions use.
  const baselines = JSON.parse(JSON.stringify(fitted)) as typeof fitted;

  test('predict from stored coefficients exactly as when fitted', () => {
    expect(baselines).toEqual(fitted);
    expect(baselines.trainingPersons).toBe(90);
  });

  test('hold no id of a person', () => {
    const keys = JSON.stringify(baselines).match(/"[^"]+":/g)!;
    for (const id of data.subjects.keys()) expect(keys).not.toContain(id);
  });

  test('order the people by risk, and a survival falls with time and with bilirubin', () => {
    const set = pbcLandmarkSet(data, heldOut, 0, 'death');
    const risk = set.predictors.map((row) => predictPbcSurvival(baselines, 0, 'death', row, []).risk);
    // The true linear predictor reaches about 0.72 here; with 30 people the standard error is 0.06.
    expect(valueOf(harrellC(set.time, set.event, risk)).cIndex).toBeGreaterThan(0.55);
    const at = (logBili: number): readonly number[] =>
      predictPbcSurvival(baselines, 1, 'composite', [logBili, 3.5, Math.log(10.6), 50, 0], [0, 365, 1500]).survival;
    expect(at(1)[0]).toBe(1);
    expect(at(1)[2]).toBeLessThan(at(1)[1]!);
    expect(at(2)[2]).toBeLessThan(at(1)[2]!);
  });

  test('a landmark takes only people still followed and the last values by then', () => {
    const set = pbcLandmarkSet(data, heldOut, 3, 'death');
    expect(set.ids.length).toBeLessThan(heldOut.length);
    for (const id of heldOut) {
      expect(set.ids.includes(id)).toBe(pbcFollowUp(data, id, 'death').time > 3 * 365.25);
    }
    const id = set.ids[0]!;
    const visit = data.visits.get(id)!.findLast((v) => v.time <= 3 * 365.25)!;
    expect(pbcLandmarkPredictors(data, id, 3)![0]).toBe(Math.log(visit.values.get('bili')!));
  });

  test('a transplant ends follow-up: censored for death, an event for the composite', () => {
    const person = (death: string, transplant: string) =>
      readClinicalData(
        writeFolder({
          'subjects.csv': 'id,age\n1,50\n',
          'visits.csv': 'id,time,variable,value\n1,0,bili,2\n',
          'events.csv': `id,event,time,status\n1,death,${death}\n1,transplant,${transplant}\n`,
        }),
      );
    const transplanted = person('400,0', '400,1');
    expect(pbcFollowUp(transplanted, '1', 'death')).toEqual({ time: 400, event: 0 });
    expect(pbcFollowUp(transplanted, '1', 'composite')).toEqual({ time: 400, event: 1 });
    expect(pbcFollowUp(person('500,1', '500,0'), '1', 'death')).toEqual({ time: 500, event: 1 });
    // Died after a transplant: the transplant came first.
    expect(pbcFollowUp(person('500,1', '300,1'), '1', 'death')).toEqual({ time: 300, event: 0 });
    expect(pbcLandmarkPredictors(transplanted, '1', 0)).toBeNull();
  });

  test('the predictors of the linear next-visit model are those of its definition', () => {
    const history = { time: [0, 180, 400], value: [1, 3, 2] };
    expect(linearPredictors(history, 765, [50, 1])).toEqual([2, 2, 3, 1, Math.log(366), 2 * Math.log(366), 765, 50, 1]);
    expect(linearPredictors({ time: [0], value: [1] }, 10, []).slice(0, 4)).toEqual([1, 1, 1, 1]);
    expect(() => linearPredictors({ time: [], value: [] }, 10, [])).toThrow('at least one past value');
  });

  test('each next-visit forecast is a distribution that covers about what it says', () => {
    const marker = { name: 'bili', isLog: true };
    const tasks = nextVisitTasks(data, heldOut, marker);
    expect(tasks[0]!.history).toEqual({ time: [0], value: [markerSeries(data, tasks[0]!.id, marker).value[0]] });
    const forecasts = tasks.map((task) => {
      const covariates = pbcCovariates(data.subjects.get(task.id)!, task.id);
      return predictPbcNextVisit(baselines, 'bili', task.history, task.time, covariates);
    });
    for (const kind of ['carriedForward', 'linear', 'mixed'] as const) {
      const inside = forecasts.filter((f, i) => {
        const y = tasks[i]!.value;
        return y >= predictiveQuantile(f[kind], 0.05) && y <= predictiveQuantile(f[kind], 0.95);
      });
      // About 130 visits: three binomial standard errors of 0.9 are 0.08.
      expect(Math.abs(inside.length / tasks.length - 0.9)).toBeLessThan(0.09);
    }
    const rmse = (kind: 'carriedForward' | 'mixed'): number =>
      Math.sqrt(forecasts.reduce((t, f, i) => t + (predictivePoint(f[kind]) - tasks[i]!.value) ** 2, 0) / tasks.length);
    // The people were drawn from the mixed model, so it must beat the last value.
    expect(rmse('mixed')).toBeLessThan(rmse('carriedForward'));
    expect(() => predictPbcNextVisit(baselines, 'copper', { time: [0], value: [1] }, 9, [50, 0, 0])).toThrow("marker 'copper'");
  });

  test('an external cohort keeps its complete rows and gets a risk from three values', () => {
    const row = { ptno: 1, bili_mgdl: 2, alb_gdl: 3.4, age: 50, days: 700, status: 1 };
    const set = pbc3Set([row, { ...row, alb_gdl: null }, { ...row, status: 0 }]);
    expect(set.event).toEqual([1, 0]);
    expect(set.predictors[0]).toEqual([Math.log(2), 3.4, 50]);
    const { risk, survival } = predictPbcExternal(baselines, set.predictors[0]!, [730]);
    expect(risk).toBeLessThan(predictPbcExternal(baselines, [Math.log(8), 3.4, 50], []).risk);
    expect(survival[0]).toBeGreaterThan(0);
    expect(survival[0]).toBeLessThan(1);
  });

  test('a model that the training persons cannot support is named', () => {
    expect(() => fitPbcBaselines(data, heldOut.slice(0, 2))).toThrow(/The baseline 'Cox, death from year 0' is not defined/);
  });
});

describe('HIV baselines', () => {
  const data = readClinicalData(writeFolder(syntheticHiv()), { numericColumns: hivNumericColumns });
  const heldOut = idsOfSplit(data, 'test');
  const fitted = fitHivBaselines(data, idsOfSplit(data, 'train'));
  const baselines = JSON.parse(JSON.stringify(fitted)) as typeof fitted;

  test('recover the effect of the arms on the hazard and on CD4', () => {
    expect(baselines).toEqual(fitted);
    const person = { ...hivPerson(data, heldOut[0]!), arm: 'ZDV' } as const;
    const log = (arm: 'ZDV' | 'ZDV+ddI'): number => predictHivSurvival(baselines, { ...person, arm }, []).risk;
    // 450 people and about 90 events: a standard error near 0.3 on one arm's log hazard ratio.
    expect(Math.abs(log('ZDV+ddI') - log('ZDV') - syntheticHivTruth.logHazardRatio)).toBeLessThan(0.9);
    const gain = (arm: 'ZDV+ddI' | 'ZDV'): number =>
      (['week20'] as const).map((t) => predictivePoint(predictHivCd4(baselines, t, { ...person, arm }).ancova))[0]!;
    // Standard error about 80 √(2 / 112) in each therapy group, so 15.
    expect(Math.abs(gain('ZDV+ddI') - gain('ZDV') - syntheticHivTruth.week20['ZDV+ddI'])).toBeLessThan(45);
  });

  test('the model with interaction lets the effect of an arm differ by prior therapy, the other does not', () => {
    const person = hivPerson(data, heldOut[0]!);
    const effect = (str2: number, model: 'cox' | 'interaction'): number => {
      const p = { ...person, covariates: { ...person.covariates, str2 } };
      const risk = (arm: 'ZDV' | 'ddI'): number => predictHivSurvival(baselines, { ...p, arm }, [], model).risk;
      return risk('ddI') - risk('ZDV');
    };
    expect(effect(1, 'cox')).toBeCloseTo(effect(0, 'cox'), 12);
    expect(effect(1, 'interaction')).not.toBeCloseTo(effect(0, 'interaction'), 3);
  });

  test('a count of 0 at entry is a person like any other', () => {
    const person = { ...hivPerson(data, heldOut[0]!), cd4: 0 };
    const { survival, kaplanMeier } = predictHivSurvival(baselines, person, [365]);
    expect(survival[0]).toBeGreaterThanOrEqual(0);
    expect(kaplanMeier[0]).toBeLessThan(1);
    expect(hivFollowUp(data, heldOut[0]!).time).toBeGreaterThan(0);
  });

  test('the week 96 forecast with week 20 needs that count and carries it forward', () => {
    const task = hivCd4Tasks(data, heldOut, 'week96WithWeek20')[0]!;
    expect(() => predictHivCd4(baselines, 'week96WithWeek20', task.person)).toThrow('needs the count at week 20');
    const { ancova, carriedForward } = predictHivCd4(baselines, 'week96WithWeek20', task.person, task.cd4Week20);
    expect(predictivePoint(carriedForward)).toBe(task.cd4Week20);
    expect(predictiveCrps(ancova, task.value)).toBeGreaterThan(0);
    expect(predictivePoint(predictHivCd4(baselines, 'week96', task.person, 1).carriedForward)).toBe(task.person.cd4);
  });

  test('a missing value is named with the person and the column', () => {
    const files = syntheticHiv(8);
    const lines = files['subjects.csv']!.split('\n');
    lines[1] = lines[1]!.replace(/,[^,]*$/, ',');
    const broken = readClinicalData(writeFolder({ ...files, 'subjects.csv': lines.join('\n') }));
    expect(() => hivPerson(broken, '1')).toThrow("id '1', column 'symptom': no number");
  });
});

describe('predictive distributions', () => {
  test('errors are kept as quantiles, so that no training row can be read back', () => {
    const errors = Array.from({ length: 1000 }, (_, i) => i / 999);
    const kept = errorDistribution(errors);
    expect(kept).toHaveLength(99);
    expect(kept[49]).toBeCloseTo(0.5, 12);
    expect(() => errorDistribution([])).toThrow('No training errors');
  });

  test('points, quantiles and scores agree between the two kinds', () => {
    const empirical = { kind: 'empirical', point: 3, members: [2, 3, 4] } as const;
    expect(predictivePoint(empirical)).toBe(3);
    expect(predictiveQuantile(empirical, 0.5)).toBe(3);
    expect(predictiveQuantile({ kind: 'normal', mean: 3, sd: 2 }, 0.975)).toBeCloseTo(3 + 2 * 1.959963984540054, 12);
    expect(predictiveCrps({ kind: 'normal', mean: 3, sd: 0 }, 5)).toBe(2);
  });
});
