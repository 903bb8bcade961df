import { describe, expect, test } from 'vitest';
import type { DoseCourse, Observation, PatientRecord } from '#domain/record.ts';
import { compileModel } from '#packs/equations/compile.ts';
import { courseOf, modelProblem, planRegimens, timelineOf } from '#twin/equations/course.ts';
import { bodySize, readPerson } from '#twin/equations/person.ts';
import { checkEquationsPlan, outsideRegimens } from '#twin/equations/plans.ts';
import { usualCarePlan } from '#twin/plan-check.ts';
import { toyDosedManifest as manifest } from '../../../fixtures/toy-dosed.ts';

const now = '2026-11-23T12:00';
const program = compileModel(manifest.models[0]!, manifest, 'toy');

const course: DoseCourse = {
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
};

const level = (value: number, time: string, more: Partial<Observation> = {}): Observation => ({
  id: time,
  code: 'level',
  date: '2026-11-22',
  time,
  value,
  unit: 'mg/L',
  isConfirmed: false,
  source: 'lab',
  ...more,
});

const record: PatientRecord = {
  id: 'p',
  alias: 'P',
  isSynthetic: true,
  entryDate: '2026-11-22',
  covariates: { age: 60, creatinine: 1.1, gene: '*1/*3' },
  observations: [level(12, '19:30')],
  treatments: [],
  doses: [course],
  events: [],
  note: '',
  updatedAt: 0,
};
const read = (change: Partial<PatientRecord>) => readPerson(manifest, { ...record, ...change }, now);

describe('reading a person', () => {
  test('an open course is split at now: what was given, and what goes on', () => {
    const { doses, continuing } = read({});
    expect(doses.map(({ hours }) => hours)).toEqual([-28, -16, -4]);
    expect(continuing).toMatchObject([{ startHour: 8, everyHours: 12, count: null, amount: 1000 }]);
  });

  test('the latest value of a marker is called old past the pack’s limit, and is read all the same', () => {
    const { staleAfterDays } = manifest.markers.find(({ id }) => id === 'level')!;
    const old = (days: number) => new Date(Date.UTC(2026, 10, 23) - days * 86_400_000).toISOString().slice(0, 10);
    const observations = [staleAfterDays + 9, staleAfterDays + 2].map((days) => level(12, '12:00', { date: old(days) }));
    const { uses, levels } = read({ entryDate: old(staleAfterDays + 9), observations, doses: [] });
    const remarks = uses.filter(({ id }) => id === 'level').map(({ remark, detail }) => [remark, detail]);
    expect(remarks).toEqual([
      ['stale', `${staleAfterDays + 2} days old; the pack counts a value as stale after ${staleAfterDays}. lab`],
      ['used', 'lab'],
    ]);
    expect(levels).toHaveLength(2);
  });

  test('a bolus may be given together with an infusion', () => {
    const bolus = { ...course, id: 'b', route: 'iv-bolus', durationHours: null, amount: 500 } as const;
    expect(read({ doses: [course, bolus] }).doses).toHaveLength(6);
  });

  test('grams become the milligrams of the pack, for levels and doses alike', () => {
    const { doses } = read({ doses: [{ ...course, amount: 1, unit: 'g' }] });
    expect(doses[0]!.amount).toBe(1000);
  });

  test('missed, moved and changed doses are read as they really were', () => {
    const { doses } = read({
      doses: [
        {
          ...course,
          exceptions: [
            { number: 0, kind: 'missed' },
            { number: 1, kind: 'given-at', at: '2026-11-22T23:00' },
            { number: 2, kind: 'amount', amount: 500 },
          ],
        },
      ],
    });
    expect(doses.map(({ hours, amount }) => [hours, amount])).toEqual([
      [-13, 1000],
      [-4, 500],
    ]);
  });

  test('a covariate measured again holds from its time on', () => {
    const { covariates } = read({ observations: [level(2.2, '20:00', { code: 'creatinine', unit: 'mg/dL' })] });
    expect(covariates.get('creatinine')).toEqual([
      { hours: -36, value: 1.1 },
      { hours: -16, value: 2.2 },
    ]);
  });

  test('a level above a limit is not read and named with the reason, one below is', () => {
    const { levels, uses } = read({
      observations: [level(80, '09:30', { isAboveLimit: true }), level(0.5, '19:30', { isBelowLimit: true })],
    });
    expect(levels.map(({ value, isBelowLimit }) => [value, isBelowLimit])).toEqual([[0.5, true]]);
    expect(uses.find(({ value }) => value === '> 80 mg/L')).toMatchObject({
      remark: 'not-an-input',
      detail: expect.stringContaining('only known to lie above a limit') as string,
    });
    expect(read({ observations: [level(80, '09:30', { isAboveLimit: true })] }).uses).toContainEqual(
      expect.objectContaining({ id: 'level', remark: 'missing' }),
    );
  });

  test.each(['isAboveLimit', 'isBelowLimit'] as const)(
    'a covariate that is only a limit (%s) stands in nobody’s place',
    (limit) => {
      const creatinine = level(2.2, '20:00', { code: 'creatinine', unit: 'mg/dL', [limit]: true });
      const { covariates, uses } = read({ observations: [creatinine] });
      expect(covariates.get('creatinine')!.map(({ value }) => value)).toEqual([1.1]);
      expect(uses.find(({ id, remark }) => id === 'creatinine' && remark === 'not-an-input')!.detail).toContain('a limit');
    },
  );

  test('an unknown genotype is integrated over the frequencies of the ancestry, and says so', () => {
    const { unknown, uses } = read({ covariates: { age: 60, creatinine: 1.1, ancestry: 'african' } });
    expect(unknown.get('gene')).toEqual([0.5, 0.4, 0.1]);
    expect(uses.find(({ id }) => id === 'gene')).toMatchObject({
      remark: 'missing',
      detail: expect.stringContaining('African') as string,
    });
    expect(read({ covariates: { age: 60, creatinine: 1.1 } }).unknown.get('gene')).toEqual([0.6, 0.3, 0.1]);
  });

  test('body surface comes from height and weight', () => {
    const { covariates } = read({});
    expect(
      bodySize({
        covariates: new Map([...covariates, ['weight', [{ hours: 0, value: 70 }]], ['height', [{ hours: 0, value: 175 }]]]),
      }),
    ).toEqual({
      weightKg: 70,
      surfaceM2: Math.sqrt((70 * 175) / 3600),
    });
  });

  test.each([
    ['an unknown unit of a dose', { doses: [{ ...course, unit: 'mmHg' }] }, 'unit_unknown', 'Course 1 (Toymycin)'],
    ['an unknown unit of a level', { observations: [level(12, '19:30', { unit: 'furlong' })] }, 'unit_unknown', 'Toymycin level'],
    [
      'a dose before birth',
      { doses: [{ ...course, start: '1950-01-01T00:00', count: 1, everyHours: null }] },
      'dose_before_birth',
      'before the person was born',
    ],
    ['two doses at one instant', { doses: [course, { ...course, id: 'd' }] }, 'dose_duplicate', 'Toymycin'],
    ['a negative infusion time', { doses: [{ ...course, durationHours: -1 }] }, 'dose_invalid', 'Infusion time'],
    [
      'a route the pack does not know',
      { doses: [{ ...course, route: 'oral' as const }] },
      'dose_invalid',
      'iv-infusion, iv-bolus',
    ],
    [
      'an impossible genotype',
      { covariates: { age: 60, creatinine: 1.1, gene: '*9/*9' } },
      'covariate_invalid',
      '*1/*1, *1/*3, *3/*3',
    ],
    ['creatinine 0', { covariates: { age: 60, creatinine: 0 } }, 'covariate_invalid', '0.2 to 15 mg/dL'],
    ['no creatinine', { covariates: { age: 60 } }, 'covariate_missing', 'Serum creatinine'],
    ['a level after now', { observations: [level(12, '19:30', { date: '2026-11-24' })] }, 'date_in_future', 'Observation 1'],
    ['a level of 4,000 mg/L', { observations: [level(4000, '19:30')] }, 'value_implausible', '0 to 100 mg/L'],
    ['a level that is no number', { observations: [level(Number.NaN, '19:30')] }, 'value_not_a_number', 'Observation 1'],
    [
      'a level before birth',
      { observations: [level(12, '19:30', { date: '1950-01-01' })] },
      'observation_before_birth',
      'Observation 1',
    ],
    ['a day that does not exist', { entryDate: '2026-02-30' }, 'date_invalid', 'Day of entry'],
  ] as const)('%s is refused with its place and a remedy', (_, change, code, words) => {
    expect(() => read(change as Partial<PatientRecord>)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(words) as string }),
    );
  });

  test('no refusal holds a value of the person', () => {
    const faults = [{ covariates: { age: 60, creatinine: 98.76 } }, { observations: [level(9876.5, '19:30')] }];
    for (const fault of faults) expect(() => read(fault)).toThrow(expect.not.stringContaining('98'));
  });
});

describe('a person in a program’s time', () => {
  test('time begins with the first dose, and the past ends at now', () => {
    const { toModelTime, now: at, start } = courseOf(program, read({}));
    expect([start, at, toModelTime(1)]).toEqual([0, 28, 52]);
    const problem = modelProblem(program, read({}), 0);
    expect(problem.observations).toMatchObject([{ time: 11.5, value: 12, isBelowLimit: false }]);
    expect(problem.timeline.segments.map((segment) => segment.start)).toEqual([0, 1, 12, 13, 24, 25]);
    expect(problem.unknownCovariates).toEqual([]);
  });

  test('a plan adds its doses to the record’s, or stands in their place', () => {
    const person = read({});
    const regimen = {
      intervention: 'toymycin',
      amount: 750,
      route: 'iv-infusion',
      durationHours: 2,
      startHour: 4,
      everyHours: 24,
      count: 2,
    } as const;
    const plan = { id: 'plan-a', name: 'A', blocks: [], regimens: [regimen] };
    expect(planRegimens(person, plan)).toHaveLength(2);
    expect(planRegimens(person, { ...plan, stopsCurrentDoses: true })).toEqual([regimen]);
    const future = { plan: { ...plan, stopsCurrentDoses: true }, changes: [], horizonDays: 3 };
    const { segments } = timelineOf(program, person, future);
    expect(segments.map(({ start, rates }) => [start, rates[0]]).slice(6)).toEqual([
      [28, 0],
      [32, 375],
      [34, 0],
      [56, 375],
      [58, 0],
    ]);
  });

  test('a covariate that is asked to change does so on its day', () => {
    const changes = [{ covariate: 'creatinine', value: 3, fromDay: 1 }];
    const { segments, covariateRows } = timelineOf(program, read({}), {
      plan: usualCarePlan(manifest, 3),
      changes,
      horizonDays: 3,
    });
    const at = (time: number) => covariateRows[segments.findLast(({ start }) => start <= time)!.covariateRow]!;
    const creatinine = program.covariates.indexOf('creatinine');
    expect([at(51.9)[creatinine], at(52)[creatinine]]).toEqual([1.1, 3]);
  });

  test.each([
    ['another drug', { intervention: 'other' }, 'plan_outside_pack'],
    ['a route the pack does not know', { route: 'oral' }, 'plan_invalid'],
    ['an infusion of negative length', { durationHours: -1 }, 'plan_invalid'],
    ['half a dose', { count: 0.5 }, 'plan_invalid'],
    ['a start in the past', { startHour: -2 }, 'plan_invalid'],
  ] as const)('a plan with %s is refused', (_, change, code) => {
    const regimen = {
      intervention: 'toymycin',
      amount: 750,
      route: 'iv-infusion',
      durationHours: 2,
      startHour: 0,
      everyHours: 24,
      count: null,
    };
    const plan = { id: 'plan-a', name: 'A', blocks: [], regimens: [{ ...regimen, ...change } as never] };
    expect(() => checkEquationsPlan(manifest, plan)).toThrow(expect.objectContaining({ code }));
  });

  test('doses beyond the grid are forecast and marked', () => {
    const regimen = {
      intervention: 'toymycin',
      amount: 5000,
      route: 'iv-infusion',
      durationHours: 2,
      startHour: 0,
      everyHours: 48,
      count: null,
    } as const;
    expect(outsideRegimens(manifest, read({ doses: [] }), { id: 'a', name: 'A', blocks: [], regimens: [regimen] })).toHaveLength(
      2,
    );
  });
});
