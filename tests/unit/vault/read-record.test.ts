import { describe, expect, test } from 'vitest';
import type { PatientRecord } from '#domain/record.ts';
import { readRecord } from '#vault/read-record.ts';

const full: PatientRecord = {
  id: 'p1',
  alias: 'Patient 1',
  isSynthetic: false,
  entryDate: '2020-01-01',
  covariates: { age: 61, sex: 'female' },
  observations: [
    {
      id: 'o1',
      code: 'bilirubin',
      date: '2020-02-01',
      time: '07:30',
      value: 1.4,
      unit: 'mg/dL',
      isAboveLimit: true,
      isConfirmed: false,
      source: 'labs.csv',
      received: { file: 'labs.csv', place: 'line 3', receivedValue: '>24', receivedUnit: 'µmol/L' },
    },
  ],
  doses: [],
  treatments: [],
  events: [],
  note: '',
  identity: { name: 'Ada Example', birthDate: '1959-04', sex: 'female', identifiers: [{ system: 'urn:x', value: '7' }] },
  consent: { basis: 'research-approval', purpose: 'liver study', recordedOn: '2020-01-01', expiresOn: null },
  background: [
    {
      id: 'b1',
      kind: 'condition',
      label: 'Asthma',
      date: '1999',
      detail: 'active',
      source: { file: 'a.json', place: 'Condition/1' },
    },
  ],
  updatedAt: 1,
};

describe('a stored record', () => {
  test('comes back with identity, consent, source and background as they were written', () => {
    expect(readRecord(structuredClone(full))).toEqual(full);
  });

  test.each([
    ['a month that does not exist', { ...full, identity: { birthDate: '1959-13', identifiers: [] } }],
    ['a basis that is none', { ...full, consent: { ...full.consent!, basis: 'because' } }],
    ['a background entry of an unknown kind', { ...full, background: [{ ...full.background![0]!, kind: 'spell' }] }],
    [
      'a source without a place',
      { ...full, observations: [{ ...full.observations[0]!, received: { file: 'a', receivedValue: '1', receivedUnit: '' } }] },
    ],
  ])('is refused with %s, without the value', (_, stored) => {
    expect(() => readRecord(stored)).toThrow(/wrong field \((identity|consent|background|observations)/);
  });
});
