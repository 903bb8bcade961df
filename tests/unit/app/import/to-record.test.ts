import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addToRecord, mergeObservations } from '#app/import/duplicates.ts';
import { PackCodes } from '#app/import/pack-codes.ts';
import { suggestCovariates } from '#app/import/suggestions.ts';
import { entryOf, placeDose, placeFacts, placeObservation, placePatient } from '#app/import/to-record.ts';
import type { Observation, PatientRecord } from '#domain/record.ts';
import { analytes } from '#interop/analytes.ts';
import { importCodes } from '#interop/import-codes.ts';
import type { ImportedObservation } from '#interop/imported.ts';
import type { PackManifest } from '#packs/manifest.ts';
import { readRecord } from '#vault/read-record.ts';
import { bilirubin, importedDose, importedPatient, importedValue, localName } from '../../../fixtures/imported.ts';
import { toyDosedManifest } from '../../../fixtures/toy-dosed.ts';
import { toyPack } from '../../../fixtures/toy-pack.ts';

const learned = toyPack().manifest;
const dosed = {
  ...toyDosedManifest,
  interventions: toyDosedManifest.interventions.map((one) =>
    one.id === 'toymycin' ? { ...one, codes: [{ system: 'ATC' as const, code: 'J01XX99' }] } : one,
  ),
};
const packs: readonly PackManifest[] = [learned, dosed];
const codes = new PackCodes(packs);
let made = 0;
const context = { codes, newId: () => `id-${++made}`, file: 'labs.csv' };
const place = (more: Partial<ImportedObservation> = {}) => placeObservation(importedValue(more), context);

describe('a value of a file', () => {
  test('becomes an observation under the pack’s code, with what was received beside it', () => {
    expect(place({ time: '07:30' }).observation).toEqual({
      id: expect.any(String) as string,
      code: 'bilirubin',
      date: '2020-03-01',
      time: '07:30',
      value: 2,
      unit: 'mg/dL',
      isConfirmed: false,
      source: 'labs.csv, line 2; received as 34.2 µmol/L.',
      received: { file: 'labs.csv', place: 'line 2', receivedValue: '34.2', receivedUnit: 'µmol/L' },
    });
  });

  test.each([
    ['<', { isBelowLimit: true }],
    ['>', { isAboveLimit: true }],
  ] as const)('that is a limit (%s) stays one', (comparator, expected) => {
    const { observation } = place({ comparator });
    expect(observation).toMatchObject(expected);
    expect(Object.keys(observation!).filter((key) => /Limit/.test(key))).toHaveLength(1);
  });

  test('that a reader doubts comes in unconfirmed, and says why', () => {
    expect(place({ doubts: ['status_preliminary'] }).observation).toMatchObject({
      isConfirmed: false,
      source: 'labs.csv, line 2; preliminary result; received as 34.2 µmol/L.',
    });
  });

  test.each([
    ['of a month', { date: '2020-03' }, 'date_partial'],
    ['of a year', { date: '2020' }, 'date_partial'],
    ['without a date', { date: null }, 'date_missing'],
    ['with a problem', { problem: 'unit_unknown', value: null, unit: '' }, 'unit_unknown'],
    ['of something nobody knows', { concept: localName, problem: 'analyte_unknown', value: null, unit: '' }, 'analyte_unknown'],
    ['dated before birth', { doubts: ['before_birth'] }, 'before_birth'],
    ['dated after death', { doubts: ['after_death'] }, 'after_death'],
    ['dated in the future', { doubts: ['date_in_future'] }, 'date_in_future'],
    ['that is no number', { value: Number.NaN }, 'value_not_a_number'],
  ] as [string, Partial<ImportedObservation>, string][])('%s stays in the background with its reason', (_, more, reason) => {
    const placed = place(more);
    expect(placed.observation).toBeNull();
    expect(placed.reason).toBe(reason);
    expect(placed.background).toMatchObject({
      kind: 'observation',
      date: more.date === undefined ? '2020-03-01' : more.date,
      detail: expect.stringContaining('34.2 µmol/L') as string,
      source: { file: 'labs.csv', place: 'line 2' },
    });
  });

  test('of an analyte that no pack reads keeps the analyte’s name and unit', () => {
    const tsh = { codings: [], label: 'TSH', analyte: 'tsh' };
    expect(place({ concept: tsh, value: 2.1, unit: 'm[IU]/L' }).observation).toMatchObject({ code: 'tsh', unit: 'm[IU]/L' });
  });

  test('is stored in a unit that a pack takes, where it takes another one of the analyte', () => {
    const marker = learned.markers.find(({ id }) => id === 'bilirubin')!;
    const foreign = { ...learned, markers: [{ ...marker, unit: 'umol/L', alternativeUnits: [] }] } as PackManifest;
    const own = placeObservation(importedValue(), { ...context, codes: new PackCodes([foreign]) }).observation!;
    expect(own.unit).toBe('umol/L');
    expect(own.value).toBeCloseTo(34.2, 9);
  });

  test('is found by LOINC where the pack calls it by another name', () => {
    const marker = learned.markers.find(({ id }) => id === 'bilirubin')!;
    const renamed = { ...learned, markers: [{ ...marker, id: 'bili' }] } as PackManifest;
    expect(placeObservation(importedValue(), { ...context, codes: new PackCodes([renamed]) }).observation!.code).toBe('bili');
    const byTable = importedValue({ concept: { ...bilirubin, codings: [] } });
    expect(placeObservation(byTable, { ...context, codes: new PackCodes([renamed]) }).observation!.code).toBe('bili');
  });
});

const anyValue: fc.Arbitrary<ImportedObservation> = fc.record({
  concept: fc.oneof(
    fc.constantFrom(...analytes).map(({ id, label }) => ({ codings: [], label, analyte: id })),
    fc.constant(localName),
  ),
  date: fc.constantFrom(null, '2020', '2020-02', '2020-02-29', '2021-12-31'),
  time: fc.constantFrom(null, '00:00', '23:59'),
  instant: fc.constant(null),
  receivedValue: fc.string(),
  receivedUnit: fc.string(),
  value: fc.option(fc.double({ noNaN: false })),
  unit: fc.constantFrom('mg/dL', '', 'mmol/L', '1'),
  comparator: fc.constantFrom(null, '<', '>'),
  place: fc.string(),
  problem: fc.option(fc.constantFrom(...importCodes)),
  doubts: fc.array(fc.constantFrom(...importCodes), { maxLength: 3 }),
});

const empty: PatientRecord = {
  id: 'p',
  alias: 'P',
  isSynthetic: false,
  entryDate: '2020-01-01',
  covariates: {},
  observations: [],
  treatments: [],
  events: [],
  note: '',
  updatedAt: 0,
};

describe('whatever a reader gives', () => {
  test('each value is in the record exactly once: as an observation, or in the background as it was received', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const { observation, background, reason } = placeObservation(value, context);
        expect((observation === null) !== (background === null)).toBe(true);
        expect((reason === null) === (observation !== null)).toBe(true);
        if (observation) {
          expect(value.problem).toBeNull();
          expect(observation.received).toMatchObject({
            receivedValue: value.receivedValue,
            receivedUnit: value.receivedUnit,
            place: value.place,
          });
          expect(observation.isBelowLimit === true).toBe(value.comparator === '<');
          expect(observation.isAboveLimit === true).toBe(value.comparator === '>');
          expect(observation.date).toBe(value.date);
        } else {
          expect(background!.date).toBe(value.date);
          expect(background!.detail).toContain(value.receivedValue);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('the record can be read back from the vault, value for value', () => {
    fc.assert(
      fc.property(fc.array(anyValue, { maxLength: 20 }), (values) => {
        const placed = values.map((value) => placeObservation(value, context));
        const observations = placed.flatMap(({ observation }) => (observation ? [observation] : []));
        const background = placed.flatMap((one) => (one.background ? [one.background] : []));
        const rest = { ...placePatient(importedPatient(), context), background };
        const { record } = addToRecord(empty, { observations, rest, identity: { identifiers: [] } }, packs);
        expect(readRecord(structuredClone(record))).toEqual(record);
      }),
      { numRuns: 200 },
    );
  });

  test('adding the same file twice changes nothing', () => {
    fc.assert(
      fc.property(fc.array(anyValue, { maxLength: 20 }), (values) => {
        const addition = () => {
          const placed = values.map((value) => placeObservation(value, context));
          return {
            observations: placed.flatMap(({ observation }) => (observation ? [observation] : [])),
            rest: { ...placePatient(importedPatient(), context), background: placed.flatMap((one) => one.background ?? []) },
            identity: importedPatient().identity,
          };
        };
        const once = addToRecord(empty, addition(), packs).record;
        const twice = addToRecord(once, addition(), packs);
        expect(twice.record).toEqual(once);
        expect(twice.merged.doubled).toBe(addition().observations.length);
        expect(twice.merged.conflicts.flatMap((one) => one.values).every((one) => once.observations.includes(one))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe('values beside those of a record', () => {
  const value = (more: Partial<Observation>): Observation => ({
    id: `o-${++made}`,
    code: 'bilirubin',
    date: '2020-03-01',
    value: 2,
    unit: 'mg/dL',
    isConfirmed: false,
    source: 'x',
    ...more,
  });

  test('are not doubled, whatever unit they stand in', () => {
    const own = value({ value: 34.2, unit: 'umol/L' });
    const { observations, doubled, conflicts } = mergeObservations([own], [value({})], packs);
    expect(observations).toEqual([own]);
    expect(doubled).toBe(1);
    expect(conflicts).toEqual([]);
  });

  test('that contradict them are kept, and named', () => {
    const { observations, doubled, conflicts } = mergeObservations([value({})], [value({ value: 3 })], packs);
    expect(observations).toHaveLength(2);
    expect(doubled).toBe(0);
    expect(conflicts).toMatchObject([{ code: 'bilirubin', date: '2020-03-01', values: [{ value: 2 }, { value: 3 }] }]);
  });

  test('a limit is another thing than a measured value, and another hour another time', () => {
    const added = [value({ isBelowLimit: true }), value({ time: '08:00' })];
    const { observations, doubled, conflicts } = mergeObservations([value({})], added, packs);
    expect(observations).toHaveLength(3);
    expect(doubled).toBe(0);
    expect(conflicts).toHaveLength(1);
  });

  test('a contradiction that was there before the import is not of it', () => {
    const { conflicts } = mergeObservations([value({}), value({ value: 3 })], [value({ date: '2021-01-01' })], packs);
    expect(conflicts).toEqual([]);
  });
});

describe('doses', () => {
  test('that are fully known become a course, up to and on their last day', () => {
    expect(placeDose(importedDose(), context)).toMatchObject({
      kind: 'dose',
      packId: 'toy-dosed',
      course: {
        intervention: 'toymycin',
        amount: 1,
        unit: 'g',
        route: 'iv-infusion',
        durationHours: 1,
        start: '2020-03-01T08:00',
        everyHours: 12,
        // 1, 2 and 3 March at 8 and 20.
        count: 6,
      },
    });
  });

  test('a single one has no interval', () => {
    const placed = placeDose(importedDose({ everyHours: null, stop: null }), context);
    expect(placed).toMatchObject({ course: { everyHours: null, count: 1 } });
  });

  test('one without an end goes on', () => {
    expect(placeDose(importedDose({ stop: null }), context)).toMatchObject({ course: { everyHours: 12, count: null } });
  });

  test.each([
    ['another drug', { codings: [{ system: 'http://www.whocc.no/atc', code: 'A02BC01' }] }, 'no installed pack doses it'],
    ['the same letters in another system', { codings: [{ system: 'urn:local', code: 'J01XX99' }] }, 'no installed pack'],
    ['no hour', { time: null }, 'the hour of the first dose'],
    ['a month for a start', { start: '2020-03' }, 'the hour of the first dose'],
    ['another route', { route: 'oral' as const }, 'by this route'],
    ['no route', { route: null }, 'by this route'],
    ['another unit', { unit: 'mmol' }, 'its unit'],
    ['no amount', { amount: 0 }, 'its amount'],
    ['an infusion of unknown length', { durationHours: null }, 'the length of the infusion'],
    ['an end before its beginning', { stop: '2020-02-01' }, 'it ends before it begins'],
  ])('with %s stay in the background and say what is missing', (_, more, why) => {
    const placed = placeDose(importedDose(more), context);
    expect(placed).toMatchObject({ kind: 'background', entry: { kind: 'medication', label: 'Toymycin infusion' } });
    expect(placed.kind === 'background' && placed.entry.detail).toContain(why);
  });

  test('of a drug that a pack knows as a treatment become one', () => {
    const coded = {
      ...learned,
      interventions: learned.interventions.map((one) =>
        one.id === 'drug-r' ? { ...one, codes: [{ system: 'ATC' as const, code: 'J01XX99' }] } : one,
      ),
    } as PackManifest;
    const own = { ...context, codes: new PackCodes([coded]) };
    expect(placeDose(importedDose(), own)).toMatchObject({
      kind: 'treatment',
      treatment: { intervention: 'drug-r', start: '2020-03-01', stop: '2020-03-03' },
    });
    expect(placeDose(importedDose({ stop: null }), own)).toMatchObject({ treatment: { stop: null } });
    expect(placeDose(importedDose({ stop: null, count: 3 }), own)).toMatchObject({ treatment: { stop: '2020-03-02' } });
    expect(placeDose(importedDose({ stop: '2020-04' }), own)).toMatchObject({ kind: 'background' });
    expect(placeDose(importedDose({ start: '2020' }), own)).toMatchObject({ kind: 'background' });
  });

  test('of a code that stands for several drugs are nobody’s', () => {
    const twice = { ...dosed, interventions: [...dosed.interventions, { ...dosed.interventions[0]!, id: 'other' }] };
    const placed = placeDose(importedDose(), { ...context, codes: new PackCodes([twice]) });
    expect(placed.kind === 'background' && placed.entry.detail).toContain('several drugs');
  });
});

describe('the rest of a patient', () => {
  test('a death becomes the pack’s event, a month of death stays a month', () => {
    expect(placePatient(importedPatient({ deceasedOn: '2021-05-05' }), context).events).toEqual([
      { event: 'death', date: '2021-05-05' },
    ]);
    const { events, background } = placePatient(importedPatient({ deceasedOn: '2021-05' }), context);
    expect(events).toEqual([]);
    expect(background).toContainEqual(expect.objectContaining({ label: 'Death', date: '2021-05' }));
  });

  test('what no pack reads comes along with its source', () => {
    expect(placePatient(importedPatient(), context).background).toMatchObject([{ label: 'Asthma', date: '1999' }]);
    expect(placeFacts({ Ward: '7', Age: '61' }, new Set(['Age']), context)).toMatchObject([
      { kind: 'other', label: 'Ward', detail: '7', source: { place: 'column "Ward"' } },
    ]);
  });

  test('the record begins with the first thing that was seen or given, never in the future', () => {
    const rest = { doses: [], treatments: [], events: [], background: [] };
    const observation = place().observation!;
    expect(entryOf([observation, { ...observation, date: '2019-12-31' }], rest, '2026-01-01')).toBe('2019-12-31');
    expect(entryOf([], rest, '2026-01-01')).toBe('2026-01-01');
    expect(entryOf([observation], rest, '2019-01-01')).toBe('2019-01-01');
  });
});

describe('facts that a file suggests', () => {
  const weightPack = {
    ...learned,
    covariates: [
      ...learned.covariates,
      { kind: 'number', id: 'weight', label: 'Weight', unit: 'kg', plausible: [20, 300], seen: [40, 120], required: false },
    ],
  } as PackManifest;
  const suggest = (patient: Partial<ReturnType<typeof importedPatient>>, observations: readonly Observation[] = []) =>
    suggestCovariates(importedPatient(patient), observations, '2020-05-16', [weightPack]);
  const weight = (date: string, value: number): Observation => ({
    id: date,
    code: 'weight',
    date,
    value,
    unit: 'kg',
    isConfirmed: false,
    source: '',
  });

  test('are age at entry, in completed years, and administrative sex', () => {
    expect(suggest({})).toMatchObject([
      { kind: 'age', covariate: 'age', value: 59 },
      { kind: 'sex', covariate: 'sex', value: 'female' },
    ]);
  });

  test.each([
    ['1960', []],
    ['1960-05', []],
    ['1960-04', [60]],
    ['1960-06', [59]],
    ['2020-06-01', []],
  ])('a birth date known as %s gives an age only where there is but one', (birthDate, ages) => {
    const found = suggest({ identity: { birthDate, identifiers: [] } }).filter(({ kind }) => kind === 'age');
    expect(found.map(({ value }) => value)).toEqual(ages);
  });

  test('the weight is the last by the day of entry, else the first after it', () => {
    const all = [weight('2019-01-01', 70), weight('2020-05-01', 72), weight('2020-06-01', 80), weight('2021-01-01', 90)];
    const of = (values: readonly Observation[]) => suggest({}, values).find(({ covariate }) => covariate === 'weight')?.value;
    expect(of(all)).toBe(72);
    expect(of(all.slice(2))).toBe(80);
    expect(of([{ ...weight('2020-05-01', 72), isBelowLimit: true }])).toBeUndefined();
    expect(of([weight('2020-05-01', 5)])).toBeUndefined();
  });

  test('a column called like a fact answers it, in a unit that it says or must have', () => {
    const value = (facts: Record<string, string>, id: string) =>
      suggest({ facts, identity: { identifiers: [] } }).find(({ covariate }) => covariate === id)?.value;
    expect(value({ SEX: 'Male' }, 'sex')).toBe('male');
    expect(value({ age: '61' }, 'age')).toBe(61);
    expect(value({ Weight: '70' }, 'weight')).toBeUndefined();
    expect(value({ Weight: '70 kg' }, 'weight')).toBe(70);
    expect(value({ sex: 'robot' }, 'sex')).toBeUndefined();
  });
});
