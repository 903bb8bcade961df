import { describe, expect, test } from 'vitest';
import { readFhir } from '#interop/fhir/read-fhir.ts';
import { pageOf } from '../../fixtures/export-page.ts';
import { dosedRun, learnedRun } from '../../fixtures/exported-runs.ts';
import { r4Faults } from '../../fixtures/r4-check.ts';

interface Entry {
  readonly resource: {
    readonly resourceType: string;
    readonly status?: string;
    readonly intent?: string;
    readonly meta?: { readonly security?: readonly { readonly code: string }[] };
    readonly text?: { readonly div: string };
    readonly [key: string]: unknown;
  };
}
const simulatedTypes = ['RiskAssessment', 'CarePlan', 'Observation', 'Provenance'];

describe.each([
  ['learned', learnedRun],
  ['dosed', dosedRun],
])('FHIR of a run of a %s pack', (_, make) => {
  const whole = make();

  test.each([false, true])('it is what R4 asks for, with identity: %s', async (isWithIdentity) => {
    const made = await whole;
    const { exports } = await pageOf(made);
    for (const kind of ['run-fhir', 'run-fhir-courses'] as const) {
      const { text } = (await exports.run(kind, { isWithIdentity }))!;
      expect(r4Faults(JSON.parse(text))).toEqual([]);
    }
    const { text } = (await exports.records([made.record.id], 'record-fhir', { isWithIdentity }))!;
    expect(r4Faults(JSON.parse(text))).toEqual([]);
  });

  test('everything simulated says so and can be filed by nobody as a measurement', async () => {
    const { exports } = await pageOf(await whole);
    const { text } = (await exports.run('run-fhir-courses', { isWithIdentity: true }))!;
    const entries: Entry[] = JSON.parse(text).entry;
    const simulated = entries.filter(({ resource }) => simulatedTypes.includes(resource.resourceType));
    expect(simulated.length).toBeGreaterThan(3);
    for (const { resource } of simulated) {
      expect(resource.meta?.security?.map(({ code }) => code)).toEqual(['AIAST']);
      expect(resource.text?.div).toContain('imulat');
    }
    for (const { resource } of entries.filter((one) => one.resource.resourceType === 'Observation')) {
      expect(resource.status).toBe('preliminary');
      expect(resource).not.toHaveProperty('code.coding');
      expect(Object.keys(resource).filter((name) => name.startsWith('value'))).toEqual(['valueSampledData']);
      expect(resource).toHaveProperty('valueSampledData.dimensions', 3);
    }
    for (const { resource } of entries.filter((one) => one.resource.resourceType === 'CarePlan'))
      expect([resource.status, resource.intent]).toEqual(['draft', 'proposal']);
  });

  test('a risk gives its range before its mean, and nothing without a range', async () => {
    const { exports } = await pageOf(await whole);
    const { text } = (await exports.run('run-fhir', { isWithIdentity: false }))!;
    const risks = (JSON.parse(text).entry as Entry[]).filter(({ resource }) => resource.resourceType === 'RiskAssessment');
    expect(risks.length).toBeGreaterThan(1);
    for (const { resource } of risks) {
      const predictions = resource['prediction'] as readonly Record<string, unknown>[];
      expect(predictions.length).toBeGreaterThan(1);
      predictions.forEach((one, index) => {
        expect(one).toHaveProperty(index % 2 === 0 ? 'probabilityRange' : 'probabilityDecimal');
        expect(one).toHaveProperty('whenPeriod');
      });
    }
  });

  test('read back by the importer, a run gives no measurement', async () => {
    const { exports } = await pageOf(await whole);
    for (const kind of ['run-fhir', 'run-fhir-courses'] as const) {
      const { text } = (await exports.run(kind, { isWithIdentity: true }))!;
      const outcome = await readFhir(text, { file: 'run.json', today: '2026-11-23' });
      expect(outcome.status).not.toBe('refused');
      for (const { observations, doses } of outcome.patients) {
        expect(observations.filter(({ value }) => value !== null)).toEqual([]);
        expect(doses).toEqual([]);
      }
    }
  });

  test('read back by the importer, a record gives its values', async () => {
    const made = await whole;
    const { exports } = await pageOf(made);
    const { text } = (await exports.records([made.record.id], 'record-fhir', { isWithIdentity: true }))!;
    const outcome = await readFhir(text, { file: 'record.json', today: '2026-11-23' });
    const [patient] = outcome.patients;
    expect(patient?.identity.name).toBe(made.record.identity?.name);
    const received = patient!.observations.map(({ receivedValue }) => Number(receivedValue.replace(/^[<>]/, '')));
    for (const { value } of made.record.observations) expect(received).toContain(value);
  });
});
