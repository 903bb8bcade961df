import { describe, expect, test } from 'vitest';
import { place } from '#app/issues.ts';
import { checkDraft } from '#app/record-check.ts';
import { draftOf, emptyDraft, readDraft } from '#app/record-draft.ts';
import type { RecordDraft } from '#app/record-draft.ts';
import type { PatientRecord } from '#domain/record.ts';
import { readQuantity } from '#app/read-number.ts';
import { unitMeant, unitText } from '#app/units.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';

const { manifest } = toyPack();
const now = '2026-11-23T12:00';
let made = 0;
const newId = () => `id-${++made}`;
const context = { manifest, now, newId };

interface Typed {
  readonly age?: string;
  readonly date?: string;
  readonly cells?: Readonly<Record<string, string>>;
  readonly change?: (draft: RecordDraft) => void;
}

function draft({ age = '50', date = '2026-01-05', cells = { bilirubin: '1.4' }, change }: Typed = {}): RecordDraft {
  const typed = emptyDraft('Patient 1', '2025-12-01', false, newId);
  typed.covariates['age'] = { text: age, unit: 'a', isConfirmed: false };
  const row = typed.rows[0]!;
  row.date = date;
  for (const [code, text] of Object.entries(cells)) {
    row.cells[code] = {
      text,
      unit: manifest.markers.find((marker) => marker.id === code)?.unit ?? '',
      isConfirmed: false,
      observationId: null,
      source: '',
    };
  }
  change?.(typed);
  return typed;
}

const codesOf = (typed: RecordDraft) => checkDraft(typed, context).issues.map((issue) => `${issue.kind} ${issue.code}`);

describe('a typed record', () => {
  test('that is in order becomes a record', () => {
    const { issues, record } = checkDraft(draft({ cells: { bilirubin: '1.4', oedema: 'treated' } }), context);
    expect(issues).toEqual([]);
    expect(record).toMatchObject({
      covariates: { age: 50 },
      observations: [
        { code: 'bilirubin', value: 1.4, unit: 'mg/dL' },
        { code: 'oedema', value: 0.5 },
      ],
    });
  });

  test.each<[string, Typed, string]>([
    ['an impossible age', { age: '400' }, 'refused value_implausible'],
    ['an age below zero', { age: '-3' }, 'refused value_implausible'],
    ['no age', { age: '' }, 'refused covariate_missing'],
    ['a future date', { date: '2027-01-01' }, 'refused date_in_future'],
    ['no date', { date: '' }, 'refused date_invalid'],
    ['a day that is none', { date: '2026-02-30' }, 'refused date_invalid'],
    ['a wrong unit', { cells: { bilirubin: '1.4 mmol/L' } }, 'refused unit_unknown'],
    ['a word for a number', { cells: { bilirubin: 'haemolysed' } }, 'refused value_not_a_number'],
    ['a limit', { cells: { bilirubin: '<0.2' } }, 'refused value_not_a_number'],
    ['an unknown level', { cells: { oedema: 'massive' } }, 'refused level_unknown'],
    ['a negative laboratory value', { cells: { albumin: '-3' } }, 'refused value_implausible'],
    ['an unusual value', { cells: { bilirubin: '90' } }, 'confirm value_implausible'],
    ['a date before birth', { age: '20', date: '1990-01-01' }, 'refused observation_before_birth'],
    [
      'a value after death',
      { change: (typed) => typed.events.push({ id: 'e', event: 'death', date: '2025-12-31' }) },
      'refused observation_after_death',
    ],
  ])('with %s is not saved and says why', (_, typed, expected) => {
    const { issues, record } = checkDraft(draft(typed), context);
    expect(record).toBeNull();
    expect(issues.map((issue) => `${issue.kind} ${issue.code}`)).toContain(expected);
    for (const issue of issues) expect(issue.message).not.toMatch(/90|400|haemolysed|massive/);
  });

  test('with an unusual value is saved once it is confirmed', () => {
    const typed = draft({ cells: { bilirubin: '90' } });
    typed.rows[0]!.cells['bilirubin']!.isConfirmed = true;
    expect(checkDraft(typed, context).record?.observations[0]).toMatchObject({ value: 90, isConfirmed: true });
  });

  test('keeps value and unit as entered and judges them in the pack’s unit', () => {
    expect(checkDraft(draft({ cells: { bilirubin: '34 µmol/L' } }), context).record?.observations[0]).toMatchObject({
      value: 34,
      unit: 'umol/L',
    });
    expect(codesOf(draft({ cells: { bilirubin: '34' } }))).toEqual([]);
    expect(codesOf(draft({ cells: { bilirubin: '1400 umol/L' } }))).toEqual(['confirm value_implausible']);
  });

  test('comes back from a saved record as it was typed', () => {
    const { record } = checkDraft(draft({ cells: { bilirubin: '34 umol/L', albumin: '3.4' } }), context);
    const again = draftOf({ ...record!, id: 'p', updatedAt: 7 }, manifest, newId);
    expect(again.base).toBe(7);
    const second = checkDraft(again, context).record!;
    expect(second).toEqual(record);
  });

  test('that came from a file keeps source, limits, identity, consent and background through editing and saving', () => {
    const received = { file: 'labs.csv', place: 'line 3', receivedValue: '>24', receivedUnit: 'mg/dL' };
    const observation = { date: '2026-01-05', isConfirmed: false, source: 'labs.csv, line 3', received };
    const record: PatientRecord = {
      id: 'p',
      alias: 'Patient 1',
      isSynthetic: false,
      entryDate: '2025-12-01',
      covariates: { age: 50 },
      observations: [
        { id: 'o1', code: 'albumin', value: 3.4, unit: 'g/dL', ...observation },
        { id: 'o2', code: 'bilirubin', value: 24, unit: 'mg/dL', isAboveLimit: true, ...observation },
        { id: 'o3', code: 'crp', value: 0.5, unit: 'mg/L', isBelowLimit: true, ...observation },
        { id: 'o4', code: 'platelets', value: 5, unit: '10*9/L', isBelowLimit: true, ...observation },
      ],
      treatments: [],
      events: [],
      note: '',
      identity: { name: 'Ada', birthDate: '1975', identifiers: [{ system: 'urn:x', value: '7' }] },
      consent: { basis: 'care', purpose: 'care', recordedOn: '2026-01-05', expiresOn: null },
      background: [
        { id: 'b', kind: 'condition', label: 'Asthma', date: null, detail: '', source: { file: 'a', place: 'Condition/1' } },
      ],
      updatedAt: 7,
    };
    const stored = readDraft(JSON.parse(JSON.stringify(draftOf(record, manifest, newId))));
    const { issues, record: again } = checkDraft(stored, context);
    expect(issues).toEqual([]);
    expect({ ...again, id: 'p', updatedAt: 7 }).toEqual(record);
  });

  test('keeps what belongs to another pack', () => {
    const typed = draft({ change: (one) => (one.covariates['karnofsky'] = { text: '90', unit: '', isConfirmed: true }) });
    expect(checkDraft(typed, context).record?.covariates).toEqual({ age: 50, karnofsky: 90 });
  });

  test('names the place of each issue', () => {
    const typed = draft({ cells: { bilirubin: 'x' } });
    expect(checkDraft(typed, context).issues[0]!.at).toBe(place.cell(typed.rows[0]!.id, 'bilirubin'));
  });
});

test.each([
  ['1.4', 1.4, ''],
  ['1,4', 1.4, ''],
  ['34 µmol/L', 34, 'µmol/L'],
  ['1 200', 1200, ''],
  ['250 10*9/L', 250, '10*9/L'],
  ['−2.5', -2.5, ''],
])('%s reads as %d with unit “%s”', (typed, value, unit) => expect(readQuantity(typed)).toEqual({ value, unit }));

test('a number that two countries read differently is refused', () => expect(readQuantity('1,234')).toBeNull());

test.each([
  ['µmol/L', 'umol/L'],
  ['UMOL/L', 'umol/L'],
  ['mg/dl', 'mg/dL'],
  ['x10^9/L', '10*9/L'],
  ['mmol', null],
])('%s means %s', (typed, meant) => expect(unitMeant(typed, ['mg/dL', 'umol/L', '10*9/L'])).toBe(meant));

test.each([
  ['mg.h/L', 'mg·h/L'],
  ['ug/mL', 'µg/mL'],
  ['{cells}/mL', 'cells/mL'],
  ['10*6/L', '10⁶/L'],
  ['mg/wk', 'mg/week'],
  ['h-1', 'h⁻¹'],
])('%s is written %s', (unit, text) => expect(unitText(unit)).toBe(text));
