import { beforeAll, describe, expect, test } from 'vitest';
import type { SamplingQuestion } from '#domain/dosing.ts';
import type { Forecast } from '#domain/forecast.ts';
import type { PatientRecord } from '#domain/record.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { compileModel } from '#packs/equations/compile.ts';
import type { EquationsPack } from '#packs/pack.ts';
import { fitPerson, withDraws, type FittedPerson } from '#twin/equations/fitted-person.ts';
import { forecastEquations } from '#twin/equations/forecast.ts';
import { reportEquationsFit } from '#twin/equations/report.ts';
import { samplingTimes } from '#twin/equations/sampling-times.ts';
import { toyDosedManifest as manifest } from '../../../fixtures/toy-dosed.ts';

const now = '2026-11-23T12:00';
const pack: EquationsPack = {
  manifest,
  programs: [compileModel(manifest.models[0]!, manifest, 'toy')],
  digest: 'toy',
  card: '',
  golden: { cases: [] },
};
const simulator = new ReferenceSimulator();

const record: PatientRecord = {
  id: 'p',
  alias: 'P',
  isSynthetic: true,
  entryDate: '2026-11-22',
  covariates: { age: 60, creatinine: 1, gene: '*1/*3' },
  observations: [
    // What a person with CL 6 L/h shows 11.5 h after the first gram over one hour; see the closed form in the test.
    { id: 'o', code: 'level', date: '2026-11-22', time: '19:30', value: 5.82, unit: 'mg/L', isConfirmed: false, source: 'lab' },
  ],
  treatments: [],
  doses: [
    {
      id: 'c',
      intervention: 'toymycin',
      amount: 1000,
      unit: 'mg',
      route: 'iv-infusion',
      durationHours: 1,
      start: '2026-11-22T08:00',
      everyHours: 12,
      count: null,
      exceptions: [],
    },
  ],
  events: [],
  note: '',
  updatedAt: 0,
};
const plan = {
  id: 'plan-a',
  name: 'Half',
  blocks: [],
  stopsCurrentDoses: true,
  regimens: [
    { intervention: 'toymycin', amount: 500, route: 'iv-infusion', durationHours: 1, startHour: 8, everyHours: 12, count: null },
  ],
} as const;

let fitted: FittedPerson;
let answer: Forecast;
beforeAll(async () => {
  fitted = await fitPerson({ pack, record, now, lanes: 1000, seed: 3 }, { simulator });
  answer = await forecastEquations({ pack, fitted, plans: [plan], seed: 3 }, { simulator });
});

describe('forecast of an equations pack', () => {
  test('is complete, and the same request gives the same bytes', async () => {
    expect(answer.status).toBe('completed');
    const again = await forecastEquations({ pack, fitted, plans: [plan], seed: 3 }, { simulator });
    expect(JSON.stringify(again)).toBe(JSON.stringify(answer));
    expect(answer.timesDays).toHaveLength(73);
  });

  test('AUC over the last day is the daily dose over the posterior clearance', () => {
    const clearance = fitted.twin.models[0]!.lanes.effects.map((eta) => 4.5 * Math.exp(eta)).sort();
    const median = clearance[500]!;
    const usual = answer.plans[0]!.targets!['auc']!;
    // Three days of 12-hourly doses are within 2 % of the steady state at a half-life below 10 h.
    expect(usual.quantiles[2] / (2000 / median)).toBeCloseTo(1, 1);
    expect(answer.plans[1]!.targets!['auc']!.quantiles[2] / (1000 / median)).toBeCloseTo(1, 1);
    expect(usual.low).toBeLessThanOrEqual(usual.probability);
    expect(usual.high).toBeGreaterThanOrEqual(usual.probability);
  });

  test('bands are nested, start where the past ends, and the past shows the level inside its band', () => {
    const level = answer.plans[0]!.markers['level']!;
    const [half, , most] = level.bands;
    level.median.forEach((median, t) => {
      expect(most!.low[t]!).toBeLessThanOrEqual(half!.low[t]!);
      expect(half!.low[t]!).toBeLessThanOrEqual(median);
      expect(median).toBeLessThanOrEqual(half!.high[t]!);
      expect(half!.high[t]!).toBeLessThanOrEqual(most!.high[t]!);
    });
    const past = answer.past!;
    expect(past.timesDays[0]).toBeCloseTo(-28 / 24, 9);
    expect(past.timesDays.at(-1)).toBeCloseTo(0, 9);
    expect(past.markers['level']!.median.at(-1)).toBeCloseTo(level.median[0]!, 9);
  });

  test('the difference to the current doses is paired, draw by draw', () => {
    const difference = answer.differences[0]!.markers['level']!;
    // Half the dose from the same person: below zero after the first dose in every draw, so the band excludes zero.
    expect(difference.bands[2]!.high.at(-1)!).toBeLessThan(0);
    expect(difference.median[0]).toBe(0);
  });

  test('the fit is reported: rung, size, parameters with their spread, residuals', () => {
    const { equations, standing } = answer.fit;
    expect(standing).toBe('fits');
    const [model] = equations!.models;
    expect(model).toMatchObject({ id: 'one', weight: 1, divergedShare: 0 });
    const clearance = model!.parameters.find(({ symbol }) => symbol === 'CL')!;
    expect(clearance.low).toBeLessThan(clearance.map);
    expect(clearance.map).toBeLessThan(clearance.high);
    expect(equations!.residuals[0]).toMatchObject({ marker: 'level', observed: 5.82 });
    expect(equations!.residuals[0]!.daysFromNow).toBeCloseTo(-16.5 / 24, 9);
  });

  test('levels that contradict the population flatten the prior and raise the alarm, and are still forecast', async () => {
    const odd = { ...record, observations: [{ ...record.observations[0]!, value: 60 }] };
    const conflicting = await fitPerson({ pack, record: odd, now, lanes: 200, seed: 3 }, { simulator });
    expect(conflicting.twin.flattening).not.toBeNull();
    const { fit, status } = await forecastEquations({ pack, fitted: conflicting, plans: [], seed: 3 }, { simulator });
    expect(status).toBe('completed');
    expect(fit.standing).toBe('partly');
    expect(fit.reasons.join(' ')).toMatch(/do not fit the population/);
  });

  test('a person outside a hard limit gets reasons and no numbers', async () => {
    const criteria = [{ of: 'covariate', id: 'age', max: 50, severity: 'hard', reason: 'Only people up to 50.' }] as const;
    const strict = { ...pack, manifest: { ...manifest, population: { ...manifest.population, criteria } } };
    const withheld = await forecastEquations({ pack: strict, fitted, plans: [], seed: 3 }, { simulator });
    expect(withheld).toMatchObject({ status: 'outside-support', plans: [] });
    expect(withheld.message).toMatch(/Only people up to 50/);
  });

  test('a limit of entry is asked of the level nearest to entry, one of now of the latest', () => {
    const levels = [2, 50].map((value, i) => ({ marker: 'level', hours: i - 1, value, isBelowLimit: false }));
    const reasonsFor = (value: { readonly at?: 'entry' }, of = levels) => {
      const criteria = [{ of: 'marker', id: 'level', max: 10, severity: 'soft', reason: 'Too high.', ...value }] as const;
      const limited = { ...manifest, population: { ...manifest.population, criteria } };
      return reportEquationsFit(limited, { ...fitted, person: { ...fitted.person, levels: of } }).reasons;
    };
    expect(reasonsFor({ at: 'entry' })).not.toContain('Too high.');
    expect(reasonsFor({})).toContain('Too high.');
    expect(reasonsFor({ at: 'entry' }, levels.slice(1))).toContain('Too high.');
  });

  test('an unknown genotype is drawn with the effects', async () => {
    const without = { ...record, covariates: { age: 60, creatinine: 1 } };
    const { twin } = await fitPerson({ pack, record: without, now, lanes: 500, seed: 3 }, { simulator });
    const [gene] = twin.models[0]!.lanes.laneCovariates;
    expect(new Set(gene!.values)).toEqual(new Set([0, 1, 2]));
  });

  test('a model that was not made for a person’s category is not averaged', async () => {
    const other = { ...manifest.models[0]!, id: 'two', onlyWhere: { covariate: 'gene', values: ['*1/*1'] } };
    const two = { ...pack, programs: [pack.programs[0]!, compileModel(other, manifest, 'two')] };
    const models = async (covariates: PatientRecord['covariates']) => {
      const { twin } = await fitPerson({ pack: two, record: { ...record, covariates }, now, lanes: 50, seed: 3 }, { simulator });
      return twin.models.map(({ program }) => program.modelId);
    };
    expect(await models({ ...record.covariates })).toEqual(['one']);
    expect(await models({ ...record.covariates, gene: '*1/*1' })).toEqual(['one', 'two']);
    expect(await models({ age: 60, creatinine: 1 })).toEqual(['one', 'two']);
  });

  test('fewer draws are an even share of the same posterior', async () => {
    const some = await forecastEquations({ pack, fitted: withDraws(fitted, 250), plans: [], seed: 3 }, { simulator });
    expect(some.run.rollouts).toBe(250);
    const [few, all] = [some, answer].map(({ plans }) => plans[0]!.markers['level']!.median[30]!);
    expect(Math.abs(few! / all! - 1)).toBeLessThan(0.05);
  });

  test('a horizon beyond the pack and two plans of one id are refused', async () => {
    const run = (change: object) => forecastEquations({ pack, fitted, plans: [plan], seed: 3, ...change }, { simulator });
    await expect(run({ horizonDays: 30 })).rejects.toMatchObject({ code: 'request_invalid' });
    await expect(run({ plans: [plan, plan] })).rejects.toMatchObject({ code: 'plan_invalid' });
  });

  test('a run that is stopped says so', async () => {
    const stop = new AbortController();
    stop.abort();
    const { status } = await forecastEquations({ pack, fitted, plans: [], seed: 3 }, { simulator }, { signal: stop.signal });
    expect(status).toBe('stopped');
  });
});

describe('where next to measure', () => {
  const question = { marker: 'level', target: 'auc', horizonDays: 3, seed: 1 };

  test('a trough says more about the clearance than a level during the infusion', async () => {
    const found = await samplingTimes({ ...question, candidateHours: [8.5, 19.9] }, { manifest, fitted, simulator });
    const [peak, trough] = found.candidates;
    expect(trough!.expectedSd).toBeLessThan(peak!.expectedSd);
    expect(trough!.information).toBeGreaterThan(peak!.information);
    expect(found.sdNow).toBeGreaterThan(trough!.expectedSd);
  });

  test.each<[string, Partial<SamplingQuestion>]>([
    ['no time', { candidateHours: [] }],
    ['a time in the past', { candidateHours: [-1] }],
    ['an unknown target', { target: 'none' }],
  ])('%s is refused', async (_, change) => {
    const asked = { ...question, candidateHours: [1], ...change };
    await expect(samplingTimes(asked, { manifest, fitted, simulator })).rejects.toMatchObject({ code: 'request_invalid' });
  });
});
