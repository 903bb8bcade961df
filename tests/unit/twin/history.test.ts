import { describe, expect, test } from 'vitest';
import type { Observation, PatientRecord } from '#domain/record.ts';
import { addDays } from '#domain/record.ts';
import { readHistory, recordUntil } from '#twin/history.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';

const { manifest } = toyPack();
const entryDate = '2020-01-01';
const day = (days: number) => addDays(entryDate, days);

function observation(code: string, days: number, value: number, more: Partial<Observation> = {}): Observation {
  const unit = { bilirubin: 'mg/dL', albumin: 'g/dL', platelets: '10*9/L' }[code] ?? '1';
  return { id: `${code}-${days}`, code, date: day(days), value, unit, isConfirmed: false, source: 'file.csv', ...more };
}

const record: PatientRecord = {
  id: 'p',
  alias: 'P',
  isSynthetic: true,
  entryDate,
  covariates: { age: 52, sex: 'female' },
  observations: [
    observation('bilirubin', 0, 2),
    observation('bilirubin', 80, 3),
    observation('bilirubin', 100, 4),
    observation('oedema', 95, 0.5),
  ],
  treatments: [{ id: 't', intervention: 'drug-r', start: day(60), stop: null }],
  events: [],
  note: '',
  updatedAt: 0,
};
const read = (change: Partial<PatientRecord> = {}, today = day(300)) => readHistory(manifest, { ...record, ...change }, today);
const code = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return 'nothing thrown';
};

describe('a record on the grid', () => {
  test('an observation falls to the nearest grid time, and of two in one cell the later is read', () => {
    const { steps, values, mask, uses, observationsUsed } = read();
    expect(steps).toBe(3); // 300 days of 90
    expect(Array.from(mask)).toEqual([1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(values[4]).toBeCloseTo(Math.log(4) - 0.5);
    expect(values[7]).toBe(1);
    expect(observationsUsed).toBe(3);
    expect(uses.filter(({ remark }) => remark === 'not-an-input').map(({ date }) => date)).toEqual([day(80)]);
  });

  test('the value at entry is the nearest to it, before or after, the earlier of two as near, and the only one wherever it is', () => {
    const atEntry = (...days: number[]) =>
      read({ observations: days.map((own, i) => observation('bilirubin', own, 1 + i)) }).atEntry.get('bilirubin');
    expect(atEntry(-60, -20, 30)).toBe(2);
    expect(atEntry(-60, 20, 0)).toBe(3);
    expect(atEntry(20, -20)).toBe(2);
    expect(atEntry(200)).toBe(1);
  });

  test('a step counts as lived for the share before today', () => {
    const { lived } = read({}, day(240));
    expect(Array.from(lived.subarray(0, 2))).toEqual([1, 1]);
    expect(lived[2]).toBeCloseTo((240 - 180) / 90);
    expect(Array.from(read({}, day(200)).lived)).toEqual([1, 1]);
  });

  test('a treatment is active in the steps whose midpoint it covers', () => {
    const V = manifest.network.V;
    const drug = (change: Partial<PatientRecord>) => Array.from(read(change).inputs.v).filter((_, j) => j % V === 2);
    expect(drug({})).toEqual([0, 1, 1]);
    expect(drug({ treatments: [{ ...record.treatments[0]!, start: day(0), stop: day(150) }] })).toEqual([1, 1, 0]);
  });

  test('a cited effect in the past is laid on its hazard while it lasted', () => {
    const { inputs } = read({ treatments: [{ id: 'x', intervention: 'drug-x', start: day(0), stop: day(100) }] });
    expect(Array.from(inputs.logHazardShift)).toEqual([-0.4, 0, 0, 0, 0, 0]);
  });

  test('a history longer than the pack reads begins later, and what is older is named', () => {
    const short = { ...manifest, grid: { ...manifest.grid, historySteps: 2 } };
    const { steps, uses, mask } = readHistory(short, record, day(270));
    expect(steps).toBe(2);
    expect(uses.filter(({ remark }) => remark === 'too-old')).toHaveLength(1);
    expect(mask.subarray(0, 4)).toEqual(Uint8Array.of(1, 0, 0, 1));
  });

  test('every input is traced: unknown codes, missing, stale and unusual values, conversions', () => {
    const { uses } = read(
      {
        observations: [
          observation('crp', 10, 5),
          observation('albumin', 20, 55, { unit: 'g/L' }),
          observation('bilirubin', 0, 2),
        ],
      },
      day(700),
    );
    const of = (id: string) => uses.find((use) => use.id === id)!;
    expect(of('crp').remark).toBe('not-an-input');
    expect(of('platelets')).toMatchObject({ remark: 'missing', value: null });
    expect(of('bilirubin')).toMatchObject({ remark: 'stale', date: day(0), value: '2 mg/dL' });
    expect(of('bilirubin').detail).toMatch(/^700 days old; the pack counts a value as stale after \d+\./);
    expect(of('albumin')).toMatchObject({ remark: 'outside-seen', value: '55 g/L' });
    expect(of('albumin').detail).toContain('Read as 5.5 g/dL.');
    expect(of('sex')).toMatchObject({ remark: 'used', value: 'Female' });
    expect(of('drug-r')).toMatchObject({ remark: 'used', value: 'ongoing' });
  });

  test.each([
    ['below', { isBelowLimit: true }, '< 2 mg/dL'],
    ['above', { isAboveLimit: true }, '> 2 mg/dL'],
  ] as const)('a value %s a limit is not read and named with the reason', (side, limit, value) => {
    const { uses, observationsUsed, latest } = read({ observations: [observation('bilirubin', 0, 2, limit)] });
    expect(observationsUsed).toBe(0);
    expect(latest.size).toBe(0);
    const use = uses.find((one) => one.id === 'bilirubin' && one.value !== null)!;
    expect(use).toMatchObject({ label: 'Bilirubin', remark: 'not-an-input', value });
    expect(use.detail).toContain(`only known to lie ${side} a limit`);
    expect(uses).toContainEqual(expect.objectContaining({ id: 'bilirubin', remark: 'missing' }));
  });

  test('a missing covariate that is not required is named with what was done', () => {
    const { uses, covariates } = read({ covariates: { age: 52 } });
    expect(uses.find(({ id }) => id === 'sex')).toMatchObject({ remark: 'missing' });
    expect(covariates[1]).toBe(0.6);
  });

  test('the record of an earlier day leaves out what came later', () => {
    const earlier = recordUntil(
      { ...record, treatments: [{ id: 't', intervention: 'drug-r', start: day(0), stop: day(200) }] },
      day(90),
    );
    expect(earlier.observations.map(({ date }) => date)).toEqual([day(0), day(80)]);
    expect(earlier.treatments[0]!.stop).toBeNull();
  });
});

describe('what a person must mend', () => {
  const bilirubin = (value: number, more: Partial<Observation> = {}) => ({
    observations: [observation('bilirubin', 0, value, more)],
  });
  const death = { event: 'death', date: day(50) };
  test.each([
    ['a value after today', {}, 'date_in_future', day(90)],
    ['no calendar day', bilirubin(2, { date: '2020-02-31' }), 'date_invalid'],
    ['a value after death', { events: [death] }, 'observation_after_death'],
    ['a forecast after death', { events: [{ ...death, date: day(200) }] }, 'request_invalid'],
    ['a value before birth', bilirubin(2, { date: '1960-01-01' }), 'observation_before_birth'],
    ['not a number', bilirubin(NaN), 'value_not_a_number'],
    ['an implausible value', bilirubin(900), 'value_implausible'],
    ['a negative value, confirmed', bilirubin(-1, { isConfirmed: true }), 'value_implausible'],
    ['an implausible value, confirmed', bilirubin(90, { isConfirmed: true }), 'nothing thrown'],
    ['an unknown unit', bilirubin(2, { unit: 'mmol/L' }), 'unit_unknown'],
    ['an unknown level', { observations: [observation('oedema', 0, 3)] }, 'level_unknown'],
    ['no age', { covariates: { sex: 'male' } }, 'covariate_missing'],
    ['an impossible age', { covariates: { age: 400 } }, 'covariate_invalid'],
    [
      'a treatment that ends before it starts',
      { treatments: [{ id: 't', intervention: 'drug-r', start: day(60), stop: day(2) }] },
      'record_invalid',
    ],
  ] as [string, Partial<PatientRecord>, string, string?][])('%s', (_, change, expected, today) => {
    expect(code(() => read(change, today))).toBe(expected);
  });

  test('no message holds the value', () => {
    expect(() => read(bilirubin(987))).toThrow(/^(?!.*987)/);
  });
});
