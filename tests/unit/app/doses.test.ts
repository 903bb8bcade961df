import { describe, expect, test } from 'vitest';
import { beforeFirstDose, dosedInterventions } from '#app/dosed.ts';
import { readShorthand } from '#app/dose-shorthand.ts';
import { hoursText, readClock, readDay, readHours } from '#app/read-time.ts';
import { checkDraft } from '#app/record-check.ts';
import { place } from '#app/issues.ts';
import { draftOf, emptyDraft } from '#app/record-draft.ts';
import type { DraftCourse, RecordDraft } from '#app/record-draft.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import { readRecord } from '#vault/read-record.ts';
import { toyDosedManifest as manifest } from '../../fixtures/toy-dosed.ts';

const now = '2026-11-23T12:00';
let made = 0;
const newId = () => `id-${++made}`;
const context = { manifest, now, newId };
const dosed = dosedInterventions(manifest);

const regimen: DraftCourse = {
  id: 'course-1',
  intervention: 'toymycin',
  amount: '1000',
  unit: 'mg',
  route: 'iv-infusion',
  duration: '1',
  start: '2026-11-20T08:00',
  every: '12',
  count: '6',
  isConfirmed: false,
  exceptions: [],
};

function draft(change: (draft: RecordDraft) => void = () => {}, course: Partial<DraftCourse> = {}): RecordDraft {
  const typed = emptyDraft('Patient 1', '2026-11-20', false, newId);
  typed.covariates['age'] = { text: '60', unit: 'a', isConfirmed: false };
  typed.covariates['creatinine'] = { text: '97 µmol/L', unit: 'mg/dL', isConfirmed: false };
  typed.courses = [{ ...regimen, ...course }];
  change(typed);
  return typed;
}

function level(typed: RecordDraft, date: string, time: string, text: string, code = 'level'): string {
  const id = newId();
  const unit = code === 'creatinine' ? 'mg/dL' : code === 'effect' ? '%' : 'mg/L';
  typed.rows.unshift({
    id,
    date,
    time,
    isConfirmed: false,
    cells: { [code]: { text, unit, isConfirmed: false, observationId: null, source: '' } },
  });
  return id;
}

const issuesOf = (typed: RecordDraft, pack: EquationsManifest = manifest) =>
  checkDraft(typed, { ...context, manifest: pack }).issues;
const codesOf = (typed: RecordDraft) => issuesOf(typed).map((issue) => `${issue.kind} ${issue.code} at ${issue.at}`);

describe('a record with doses', () => {
  test('that is in order becomes courses with exceptions, and levels with clock times', () => {
    const typed = draft(
      (one) => {
        level(one, '2026-11-22', '07:30', '12.4');
        level(one, '2026-11-21', '7.30', '<0.5 mg/L');
      },
      {
        exceptions: [
          { number: 1, kind: 'missed', at: '', amount: '' },
          { number: 2, kind: 'given-at', at: '2026-11-21T09:40', amount: '' },
          { number: 3, kind: 'amount', at: '', amount: '750' },
        ],
      },
    );
    const { issues, record } = checkDraft(typed, context);
    expect(issues).toEqual([]);
    expect(record?.doses).toEqual([
      {
        id: 'course-1',
        intervention: 'toymycin',
        amount: 1000,
        unit: 'mg',
        route: 'iv-infusion',
        durationHours: 1,
        start: '2026-11-20T08:00',
        everyHours: 12,
        count: 6,
        exceptions: [
          { number: 1, kind: 'missed' },
          { number: 2, kind: 'given-at', at: '2026-11-21T09:40' },
          { number: 3, kind: 'amount', amount: 750 },
        ],
      },
    ]);
    expect(record?.observations).toMatchObject([
      { code: 'level', date: '2026-11-21', time: '07:30', value: 0.5, isBelowLimit: true },
      { code: 'level', date: '2026-11-22', time: '07:30', value: 12.4 },
    ]);
    expect(record?.covariates['creatinine']).toBeCloseTo(97 / 88.4);
  });

  test('comes back from the vault as it was typed', () => {
    const typed = draft((one) => level(one, '2026-11-22', '07:30', '<0.5'), { every: '36', duration: '90 min', count: '' });
    typed.covariates['creatinine'] = { text: '1.1', unit: 'mg/dL', isConfirmed: false };
    const { record } = checkDraft(typed, context);
    const stored = readRecord({ ...record!, id: 'p', updatedAt: 7 });
    expect(checkDraft(draftOf(stored, manifest, newId), context)).toEqual({ issues: [], record });
  });

  test.each<[string, Partial<DraftCourse>, string]>([
    ['no drug', { intervention: '' }, 'dose_invalid'],
    ['a unit of another kind', { amount: '20 mmol' }, 'unit_unknown'],
    ['an amount of zero', { amount: '0' }, 'dose_invalid'],
    ['a negative amount', { amount: '-500' }, 'dose_invalid'],
    ['a word for an amount', { amount: 'much' }, 'dose_invalid'],
    ['a negative infusion time', { duration: '-1' }, 'dose_invalid'],
    ['an infusion of no time', { duration: '0' }, 'dose_invalid'],
    ['an infusion without its time', { duration: '' }, 'dose_invalid'],
    ['an infusion longer than the interval', { duration: '13 h' }, 'dose_invalid'],
    ['a negative interval', { every: '-12' }, 'dose_invalid'],
    ['several doses without an interval', { every: '' }, 'dose_invalid'],
    ['half a dose', { count: '2.5' }, 'dose_invalid'],
    ['a route that the pack does not know', { route: 'oral' }, 'dose_invalid'],
    ['no clock time', { start: '2026-11-20T' }, 'date_invalid'],
    ['a start in the future', { start: '2026-11-24T08:00' }, 'date_in_future'],
    ['a start before birth', { start: '1950-01-01T08:00', every: '', count: '' }, 'dose_before_birth'],
    ['more doses than anybody had', { start: '2016-11-20T08:00', every: '1', count: '' }, 'dose_invalid'],
  ])('with %s is refused in its place', (_, course, code) => {
    expect(codesOf(draft(undefined, course))).toEqual([`refused ${code} at ${place.course('course-1')}`]);
  });

  test('with an amount beyond the pack’s largest asks once', () => {
    expect(codesOf(draft(undefined, { amount: '10000' }))).toEqual([`confirm value_implausible at ${place.course('course-1')}`]);
    expect(codesOf(draft(undefined, { amount: '10000', isConfirmed: true }))).toEqual([]);
    expect(codesOf(draft(undefined, { amount: '1.5 g' }))).toEqual([]);
  });

  test('with two doses at one instant is refused, in two lines or by a moved dose', () => {
    const twice = draft((one) => one.courses.push({ ...regimen, id: 'course-2', every: '', count: '' }));
    expect(codesOf(twice)).toEqual([`refused dose_duplicate at ${place.course('course-2')}`]);
    const moved = draft(undefined, { exceptions: [{ number: 2, kind: 'given-at', at: '2026-11-20T20:00', amount: '' }] });
    expect(codesOf(moved)).toEqual([`refused dose_duplicate at ${place.dose('course-1', 2)}`]);
    const bolus = { ...regimen, id: 'course-2', route: 'iv-bolus' as const, duration: '', every: '', count: '' };
    expect(codesOf(draft((one) => one.courses.push(bolus)))).toEqual([]);
    const missed = draft((one) => one.courses.push({ ...regimen, id: 'course-2', every: '', count: '' }), {
      exceptions: [{ number: 0, kind: 'missed', at: '', amount: '' }],
    });
    expect(codesOf(missed)).toEqual([]);
  });

  test('with an exception that cannot be is refused at the dose', () => {
    const late = { number: 1, kind: 'given-at' as const, at: '2026-12-01T08:00', amount: '' };
    expect(codesOf(draft(undefined, { exceptions: [late] }))).toEqual([`refused date_in_future at ${place.dose('course-1', 1)}`]);
    const none = { number: 1, kind: 'amount' as const, at: '', amount: '0' };
    expect(codesOf(draft(undefined, { exceptions: [none] }))).toEqual([`refused dose_invalid at ${place.dose('course-1', 1)}`]);
  });

  test('with a level before the first dose asks; once confirmed it is saved; a baseline of an effect is no question', () => {
    let row = '';
    const typed = draft((one) => (row = level(one, '2026-11-20', '07:30', '3')));
    expect(codesOf(typed)).toEqual([`confirm observation_before_dose at ${place.date(row)}`]);
    typed.rows[0]!.isConfirmed = true;
    expect(codesOf(typed)).toEqual([]);
    expect(codesOf(draft((one) => level(one, '2026-11-20', '07:30', '98', 'effect')))).toEqual([]);
    expect(codesOf(draft((one) => level(one, '2026-11-20', '07:30', '<0.5')))).toEqual([]);
  });

  test('with a level before the first dose that cannot be is refused', () => {
    const model = manifest.models[0]!;
    const pack: EquationsManifest = {
      ...manifest,
      models: [{ ...model, observations: [{ marker: 'level', readout: 'C', error: { kind: 'proportional', fraction: 0.2 } }] }],
    };
    const typed = draft((one) => level(one, '2026-11-20', '07:30', '3'));
    expect(issuesOf(typed, pack).map(({ kind, code }) => `${kind} ${code}`)).toEqual(['refused observation_before_dose']);
  });

  test('of a pack that counts hours needs the clock time of a level', () => {
    let row = '';
    expect(codesOf(draft((one) => (row = level(one, '2026-11-21', '', '12'))))).toEqual([
      `refused date_invalid at ${place.time(row)}`,
    ]);
    expect(codesOf(draft((one) => (row = level(one, '2026-11-21', '25:10', '12'))))).toEqual([
      `refused date_invalid at ${place.time(row)}`,
    ]);
    expect(codesOf(draft((one) => (row = level(one, '2026-11-23', '12:01', '12'))))).toEqual([
      `refused date_in_future at ${place.time(row)}`,
    ]);
  });

  test.each([
    ['creatinine 0', 'creatinine', '0', 'refused value_implausible'],
    ['a limit of zero', 'level', '<0', 'refused value_implausible'],
    ['an upper limit', 'level', '>80', 'refused value_not_a_number'],
    ['a limit of a covariate', 'creatinine', '<0.3', 'refused value_not_a_number'],
    ['a negative level', 'level', '-1', 'refused value_implausible'],
  ])('with %s is refused', (_, code, text, expected) => {
    expect(
      issuesOf(draft((one) => level(one, '2026-11-21', '07:30', text, code))).map((one) => `${one.kind} ${one.code}`),
    ).toEqual([expected]);
  });

  test('with creatinine 0 of the person is refused', () => {
    const typed = draft((one) => (one.covariates['creatinine'] = { text: '0', unit: 'mg/dL', isConfirmed: false }));
    expect(codesOf(typed)).toEqual([`refused value_implausible at ${place.covariate('creatinine')}`]);
  });

  test('needs no value of the person where dated values stand', () => {
    const typed = draft((one) => {
      delete one.covariates['creatinine'];
      level(one, '2026-11-21', '', '1.4', 'creatinine');
    });
    expect(codesOf(typed)).toEqual([]);
    expect(checkDraft(typed, context).record?.observations).toMatchObject([{ code: 'creatinine', value: 1.4, unit: 'mg/dL' }]);
  });

  test('with an impossible genotype is refused; an unknown one is left out', () => {
    const genotype = (text: string) => draft((one) => (one.covariates['gene'] = { text, unit: '', isConfirmed: false }));
    expect(codesOf(genotype('*1/*17'))).toEqual([`refused covariate_invalid at ${place.covariate('gene')}`]);
    expect(codesOf(genotype('*1/*3'))).toEqual([]);
    expect(checkDraft(genotype(''), context).record?.covariates).not.toHaveProperty('gene');
  });
});

test('only what is empty before the first dose is a drug’s level', () => {
  expect(beforeFirstDose(manifest, 'level')).toBe('doubtful');
  expect(beforeFirstDose(manifest, 'effect')).toBe('expected');
});

describe('shorthand', () => {
  const read = (typed: string) => readShorthand(typed, dosed, '2026-11-23');
  const fields = { ...regimen } as Partial<DraftCourse>;
  for (const key of ['id', 'exceptions', 'isConfirmed'] as const) delete fields[key];

  test.each<[string, Partial<DraftCourse>]>([
    ['1000 mg q12h x6 over 1h from 20.11 08:00', { ...fields, duration: '1h', every: '12h' }],
    ['Toymycin 1000mg iv every 12 h, 6 doses over 1h from 2026-11-20 08:00', { duration: '1h', every: '12 h', count: '6' }],
    ['1 g iv over 90 min bd from 20 Nov 8:00', { amount: '1', unit: 'g', duration: '90 min', every: '12 h', count: '' }],
    ['500 mg bolus once at 07:15', { route: 'iv-bolus', every: '', start: '2026-11-23T07:15' }],
    ['1500 mg q24 ongoing from yesterday 08:00', { every: '24 h', start: '2026-11-22T08:00', count: '' }],
    ['1000 12-hourly ×3 over 1 h from 30.12. 08.00', { amount: '1000', every: '12 h', count: '3', start: '2025-12-30T08:00' }],
  ])('%s is read', (typed, expected) => expect(read(typed)).toMatchObject({ fields: expected }));

  test.each<[string, RegExp]>([
    ['q12h x6', /How much/],
    ['1000 mg q12h when needed', /“when needed” was not understood/],
    ['20 mmol q12h', /“mmol” is not a unit/],
    ['1000 mg from 45.11 08:00', /“45.11” is no day/],
    ['1000 mg from 3/4 08:00', /“3\/4” is no day/],
  ])('%s is answered with what is missing', (typed, fault) =>
    expect(read(typed)).toMatchObject({ fault: expect.stringMatching(fault) }),
  );
});

test.each([
  ['12', 12],
  ['90 min', 1.5],
  ['2 weeks', 336],
  ['1,5 h', 1.5],
  ['-1', -1],
  ['soon', null],
])('%s is %s hours', (typed, hours) => expect(readHours(typed)).toBe(hours));

test.each([0.25, 0.5, 1, 1.5, 8, 12, 36, 168, 336, 1344])('%s hours are said so that they read back', (hours) =>
  expect(readHours(hoursText(hours))).toBe(hours),
);

test('a day without a year is the last one that was', () => {
  expect(readDay('24.11.', '2026-11-23')).toBe('2025-11-24');
  expect(readDay('23.11', '2026-11-23')).toBe('2026-11-23');
  expect(readClock('7.05')).toBe('07:05');
});
