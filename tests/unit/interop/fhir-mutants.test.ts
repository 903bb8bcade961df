import { expect, test } from 'vitest';
import { readFhir, readFhirNdjson } from '#interop/fhir/read-fhir.ts';
import type { ImportOutcome } from '#interop/imported.ts';
import { bundle, items, loinc, ndjson, observation, part, patient, quantity, type Loose } from '../../fixtures/fhir/build.ts';
import { jsonMutants, type Mutant } from '../../fixtures/mutants.ts';

// `MUTANTS=5000` for the long form.
const count = Number(process.env.MUTANTS ?? 500);
const options = { file: 'mutant.json', today: '2026-11-23' };

const drug = { coding: [{ system: 'http://www.whocc.no/atc', code: 'J01XA01', display: 'Vancomycin' }] };
const resources: readonly Loose[] = [
  patient({ identifier: [{ system: 'urn:mrn', value: '7' }] }),
  patient({ id: 'b2', birthDate: '1990-02-01', link: [{ other: { reference: 'Patient/a1' } }] }),
  observation({ id: 'o1', valueQuantity: quantity(106, 'µmol/L', 'umol/L') }),
  observation({ id: 'o2', code: loinc('2345-7'), valueQuantity: { ...quantity(110.5, 'mg/dL'), comparator: '>' } }),
  observation({
    id: 'o3',
    code: loinc('59261-8'),
    valueQuantity: quantity(48, 'mmol/mol'),
    subject: { reference: 'Patient/b2' },
  }),
  observation({ id: 'o4', code: loinc('85354-9'), valueQuantity: undefined, component: [{ code: loinc('8480-6'), valueQuantity: quantity(132, 'mm[Hg]') }, { code: loinc('8462-4'), valueQuantity: quantity(81, 'mm[Hg]') }] }), // prettier-ignore
  observation({ id: 'o5', code: loinc('6301-6'), valueQuantity: undefined, valueInteger: 2 }),
  observation({ id: 'o6', code: loinc('2823-3'), valueQuantity: undefined, valueString: '4.1 mmol/L' }),
  { resourceType: 'MedicationAdministration', id: 'm1', status: 'completed', subject: { reference: 'Patient/a1' }, medicationReference: { reference: 'Medication/m' }, effectivePeriod: { start: '2022-02-14T08:00:00Z', end: '2022-02-14T09:30:00Z' }, dosage: { route: { text: 'Intravenous' }, dose: quantity(1000, 'mg') } }, // prettier-ignore
  { resourceType: 'Medication', id: 'm', code: drug },
  { resourceType: 'Condition', id: 'c1', subject: { reference: 'Patient/a1' }, code: { text: 'Asthma' }, clinicalStatus: { text: 'Active' } }, // prettier-ignore
];

/** Every conversion that a mutant of these resources can be right about, written out: LOINC and unit to analyte, factor, offset. */
const right: Readonly<Record<string, readonly [analyte: string, unit: string, factor: number, offset?: number]>> = {
  '2160-0 umol/L': ['creatinine', 'mg/dL', 1 / 88.4],
  '2160-0 mg/dL': ['creatinine', 'mg/dL', 1],
  '2160-0 mmol/L': ['creatinine', 'mg/dL', 1000 / 88.4],
  '2345-7 mg/dL': ['glucose', 'mg/dL', 1],
  '2345-7 mmol/L': ['glucose', 'mg/dL', 18.016],
  '59261-8 mmol/mol': ['hba1c', '%', 0.09148, 2.152],
  '8480-6 mm[Hg]': ['systolic-blood-pressure', 'mm[Hg]', 1],
  '8462-4 mm[Hg]': ['diastolic-blood-pressure', 'mm[Hg]', 1],
  '6301-6 ': ['inr', '1', 1],
  '2823-3 mmol/L': ['potassium', 'mmol/L', 1],
};

/** As it is shown: without what hides, halves of pairs visible. */
const shown = (text: string): string => text.replaceAll(/[\u202e\u0000]/gu, '').replaceAll(/\p{Surrogate}/gu, '\ufffd');

/** Numbers of the damaged file as JSON.parse sees them: analyte, canonical value, whose. Null where it is no JSON for JSON.parse. */
function truths(mutant: Mutant, lines: boolean): ReadonlySet<string> | null {
  const text = new TextDecoder().decode(mutant.bytes);
  const trees: unknown[] = [];
  for (const line of lines ? text.split('\n') : [text]) {
    try {
      trees.push(JSON.parse(line) as unknown);
    } catch {
      if (!lines) return null;
    }
  }
  const found = new Set<string>();
  const say = (node: unknown, subject: unknown): void => {
    const text = String(part(node, 'valueString') ?? '');
    const number = part(node, 'valueQuantity', 'value') ?? part(node, 'valueInteger') ?? Number.parseFloat(text);
    const units = [part(node, 'valueQuantity', 'code'), part(node, 'valueQuantity', 'unit'), text.replace(/^[<>\d. ]+/u, '')]
      .filter((one) => typeof one === 'string')
      .map((one) => shown(one).replace('µ', 'u'));
    for (const coding of items(part(node, 'code', 'coding'))) {
      for (const unit of units) {
        const known = right[`${String(part(coding, 'code'))} ${unit}`];
        if (!known) continue;
        const value = Number(number) * known[2] + (known[3] ?? 0);
        found.add(`${known[0]} ${value.toPrecision(9)} ${known[1]} ${shown(String(subject))}`);
      }
    }
  };
  const visit = (resource: unknown): void => {
    const type = part(resource, 'resourceType');
    if (type === 'Bundle') for (const entry of items(part(resource, 'entry'))) visit(part(entry, 'resource'));
    if (type !== 'Observation' || /^(?:entered-in-error|cancelled)$/u.test(String(part(resource, 'status')))) return;
    const [subject] = items(part(resource, 'subject') ?? part(resource, 'patient'));
    for (const node of [resource, ...items(part(resource, 'component'))]) say(node, part(subject, 'reference'));
  };
  for (const tree of trees) visit(tree);
  return found;
}

function check(outcome: ImportOutcome, mutant: Mutant, lines: boolean): void {
  const name = `seed ${mutant.seed}: ${mutant.damage}`;
  expect(({} as Record<string, unknown>).polluted, name).toBeUndefined();
  expect(outcome.status === 'refused' ? outcome.patients : [], name).toEqual([]);
  if (outcome.status !== 'accepted') expect(outcome.code, name).not.toBeNull();
  const allowed = truths(mutant, lines);
  for (const person of outcome.patients) {
    for (const one of person.observations) {
      if (one.value === null) {
        expect(one.problem, name).not.toBeNull();
        continue;
      }
      expect(Number.isFinite(one.value), name).toBe(true);
      // A text that JSON.parse refuses and we take would be a second dialect; NDJSON inside a JSON file is the one exception.
      if (allowed === null) expect(outcome.format, name).toBe('fhir-ndjson');
      else {
        const subject = person.key.replace(' (not certain)', '').replace(/ \(\d+\)$/u, '');
        expect([...allowed], name).toContain(`${one.concept.analyte} ${one.value.toPrecision(9)} ${one.unit} ${subject}`);
      }
    }
    for (const dose of person.doses) expect(dose.amount > 0 && Number.isFinite(dose.amount), name).toBe(true);
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

test(`${count} damaged bundles never give a wrong number, a fault or a polluted object`, { timeout: 600_000 }, async () => {
  const text = JSON.stringify(bundle(...resources));
  for (const mutant of jsonMutants(text, count)) check(await readFhir(mutant.bytes, options), mutant, false);
});

test(`${count} damaged NDJSON files never give a wrong number, a fault or a polluted object`, { timeout: 600_000 }, async () => {
  const text = ndjson(...resources);
  for (const mutant of jsonMutants(text, count, 100_000, true))
    check(await readFhirNdjson(once(mutant.bytes), options), mutant, true);
});

test('the undamaged files give every number', async () => {
  for (const outcome of [
    await readFhir(JSON.stringify(bundle(...resources)), options),
    await readFhirNdjson(once(new TextEncoder().encode(ndjson(...resources))), options),
  ]) {
    // prettier-ignore
    const observations = outcome.patients.flatMap((person) => person.observations);
    expect(observations.map((one) => `${one.concept.analyte} ${one.value?.toPrecision(4)}`)).toEqual([
      'creatinine 1.199',
      'glucose 110.5',
      'systolic-blood-pressure 132.0',
      'diastolic-blood-pressure 81.00',
      'inr 2.000',
      'potassium 4.100',
      'hba1c 6.543',
    ]);
    expect(outcome.patients.flatMap((person) => person.doses)).toHaveLength(1);
  }
});
