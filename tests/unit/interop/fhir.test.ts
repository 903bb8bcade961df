import { describe, expect, test } from 'vitest';
import { readFhir, readFhirNdjson } from '#interop/fhir/read-fhir.ts';
import type { ImportedPatient, ImportOutcome } from '#interop/imported.ts';
import { bundle, loinc, ndjson, observation, patient, quantity, type Loose } from '../../fixtures/fhir/build.ts';
import { fhirCases } from '../../fixtures/fhir/cases.ts';

const options = { file: 'file.json', today: '2026-11-23' };
const read = (resource: Loose | string): Promise<ImportOutcome> =>
  readFhir(typeof resource === 'string' ? resource : JSON.stringify(resource), options);
const only = async (...resources: readonly Loose[]): Promise<ImportedPatient> => {
  const outcome = await read(bundle(patient(), ...resources));
  expect(outcome.patients).toHaveLength(1);
  return outcome.patients[0] as ImportedPatient;
};

describe('every awkward file has its outcome', async () => {
  for (const one of await fhirCases()) {
    test(one.name, async () => {
      const bytes = typeof one.content === 'string' ? new TextEncoder().encode(one.content) : one.content;
      const outcome = await readFhir(bytes, options);
      expect(outcome.status).toBe(one.status);
      if (one.code === null) expect(outcome.notices).toEqual([]);
      else expect([outcome.code, ...outcome.notices.map((notice) => notice.code)]).toContain(one.code);
      if (one.status === 'refused') expect(outcome.patients).toEqual([]);
      if (one.status !== 'accepted') expect(outcome.message.length).toBeGreaterThan(20);
      expect(one.holds?.(outcome.patients) ?? true).toBe(true);
    });
  }
});

describe('doses', () => {
  const drug = { coding: [{ system: 'http://www.whocc.no/atc', code: 'J01XA01', display: 'Vancomycin' }] };
  const given = (overrides: Loose = {}): Loose => ({
    resourceType: 'MedicationAdministration',
    id: 'm',
    status: 'completed',
    subject: { reference: 'Patient/a1' },
    medicationCodeableConcept: drug,
    effectivePeriod: { start: '2022-02-14T08:00:00Z', end: '2022-02-14T09:30:00Z' },
    dosage: { route: { text: 'Intravenous' }, dose: quantity(1000, 'mg') },
    ...overrides,
  });
  const regimen = (repeat: Loose, overrides: Loose = {}): Loose => ({
    resourceType: 'MedicationRequest',
    id: 'r',
    status: 'active',
    intent: 'order',
    subject: { reference: 'Patient/a1' },
    medicationCodeableConcept: drug,
    dosageInstruction: [{ timing: { repeat }, route: { text: 'Oral' }, doseAndRate: [{ doseQuantity: quantity(250, 'mg') }] }],
    ...overrides,
  });
  const bounds = { start: '2022-02-14T08:00:00Z', end: '2022-02-20' };

  test('an infusion whose drug, amount, unit, route and times are known is a dose', async () => {
    const { doses, background } = await only(given());
    expect(background).toEqual([]);
    expect(doses).toEqual([
      {
        codings: [{ system: 'http://www.whocc.no/atc', code: 'J01XA01' }],
        label: 'Vancomycin',
        amount: 1000,
        unit: 'mg',
        route: 'iv-infusion',
        durationHours: 1.5,
        start: '2022-02-14',
        time: '08:00',
        everyHours: null,
        count: null,
        stop: null,
        place: 'MedicationAdministration/m',
      },
    ]);
  });

  test('once every eight hours between two days is a regimen', async () => {
    const { doses } = await only(regimen({ frequency: 1, period: 8, periodUnit: 'h', boundsPeriod: bounds }));
    expect(doses).toMatchObject([
      { amount: 250, everyHours: 8, start: '2022-02-14', time: '08:00', count: null, stop: '2022-02-20' },
    ]);
  });

  const uncertain: Readonly<Record<string, Loose>> = {
    'a drug without a code': given({ medicationCodeableConcept: { text: 'Vancomycin' } }),
    'an amount in tablets': given({ dosage: { dose: quantity(2, 'tablet') } }),
    'an amount as text': given({ dosage: { dose: quantity('1000', 'mg') } }),
    'a unit that contradicts its code': given({ dosage: { dose: quantity(1000, 'mg', 'g') } }),
    'a day without a time': given({ effectivePeriod: undefined, effectiveDateTime: '2022-02-14' }),
    'an infusion without an end': given({ effectivePeriod: { start: '2022-02-14T08:00:00Z' } }),
    'one that is not completed': given({ status: 'in-progress' }),
    'a modifier that is not known': given({ modifierExtension: [{ url: 'urn:not' }] }),
    'three times a day': regimen({ frequency: 3, period: 1, periodUnit: 'd', boundsPeriod: bounds }),
    'with meals': regimen({ frequency: 1, period: 1, periodUnit: 'd', when: ['C'], boundsPeriod: bounds }),
    'no start': regimen({ frequency: 1, period: 8, periodUnit: 'h' }),
    'a period in constructors': regimen({ frequency: 1, period: 8, periodUnit: 'constructor', boundsPeriod: bounds }),
    'a plan': regimen({ frequency: 1, period: 8, periodUnit: 'h', boundsPeriod: bounds }, { intent: 'plan' }),
    'what must not be given': regimen({ frequency: 1, period: 8, periodUnit: 'h', boundsPeriod: bounds }, { doNotPerform: true }),
  };
  test.each(Object.entries(uncertain))('%s is background', async (_, resource) => {
    const { doses, background } = await only(resource);
    expect(doses).toEqual([]);
    expect(background).toHaveLength(1);
    expect(background[0]?.kind).toBe('medication');
  });
});

describe('references', () => {
  const entry = (fullUrl: string, resource: Loose): Loose => ({ fullUrl, resource });

  test('the full address decides between two servers with the same id', async () => {
    const outcome = await read({
      resourceType: 'Bundle',
      type: 'searchset',
      entry: [
        entry('https://one.example/Patient/7', patient({ id: '7', birthDate: '1950-01-01' })),
        entry('https://two.example/Patient/7', patient({ id: '7', birthDate: '1960-01-01' })),
        entry('https://two.example/Observation/1', observation({ subject: { reference: 'Patient/7' } })),
        entry(
          'https://x.example/Observation/2',
          observation({ id: 'o2', subject: { reference: 'https://one.example/Patient/7' } }),
        ),
      ],
    });
    const places = outcome.patients.map((one) => [one.identity.birthDate, ...one.observations.map(({ place }) => place)]);
    expect(places).toEqual([
      ['1950-01-01', 'Observation/o2'],
      ['1960-01-01', 'Observation/o1'],
    ]);
  });

  test('an id of another server is another person', async () => {
    for (const reference of ['https://two.example/fhir/Patient/a1', 'Patient/a1']) {
      const outcome = await read({
        resourceType: 'Bundle',
        type: 'searchset',
        entry: [
          entry('https://one.example/fhir/Patient/a1', patient()),
          entry('https://two.example/fhir/Observation/o1', observation({ subject: { reference } })),
        ],
      });
      expect(outcome.patients.map((one) => one.observations.length)).toEqual([0, 1]);
    }
  });

  test('a version at the end of a reference and an identifier in its place are understood', async () => {
    const { observations } = await only(observation({ subject: { reference: 'Patient/a1/_history/3' } }));
    expect(observations).toHaveLength(1);
    const identifier = { system: 'urn:mrn', value: '77' };
    const outcome = await read(bundle(patient({ identifier: [identifier] }), observation({ subject: { identifier } })));
    expect(outcome.patients.map((one) => one.observations.length)).toEqual([1]);
  });

  test('a contained medicine is found by its id, not by its place', async () => {
    const contained = [
      { resourceType: 'Medication', id: 'x', code: { text: 'First' } },
      { resourceType: 'Medication', id: 'y', code: { text: 'Second' } },
    ];
    const request = { resourceType: 'MedicationRequest', status: 'active', intent: 'order', subject: { reference: 'Patient/a1' }, contained, medicationReference: { reference: '#y' } }; // prettier-ignore
    expect((await only(request)).background[0]?.label).toBe('Second');
  });
});

describe('what is not an observation', () => {
  test('each kind of resource is a line that can be read', async () => {
    const subject = { reference: 'Patient/a1' };
    const { background } = await only(
      { resourceType: 'Condition', subject, code: { text: 'Asthma' }, onsetDateTime: '2001', clinicalStatus: { text: 'Active' } },
      {
        resourceType: 'Procedure',
        subject,
        status: 'completed',
        code: { text: 'Biopsy' },
        performedPeriod: { start: '2020-01-02' },
      },
      { resourceType: 'Procedure', subject, status: 'completed', code: { text: 'Biopsy R5' }, occurrenceDateTime: '2020-01-03' },
      { resourceType: 'Immunization', patient: subject, status: 'completed', vaccineCode: { text: 'Influenza' }, occurrenceDateTime: '2020-10' }, // prettier-ignore
      { resourceType: 'FamilyMemberHistory', patient: subject, status: 'completed', relationship: { text: 'Father' }, condition: [{ code: { text: 'Stroke' } }] }, // prettier-ignore
      { resourceType: 'DiagnosticReport', subject, status: 'final', code: { text: 'Chest film' }, conclusion: 'Clear' },
      { resourceType: 'CarePlan', subject, status: 'active', intent: 'plan', title: 'Diet' },
      { resourceType: 'Encounter', subject, status: 'finished', class: { code: 'AMB' }, type: [{ text: 'Visit' }], period: { start: '2020-01-01' } }, // prettier-ignore
      { resourceType: 'Condition', subject, code: { text: 'Not so' }, verificationStatus: { coding: [{ code: 'refuted' }] }, clinicalStatus: { text: 'x' } }, // prettier-ignore
    );
    expect(background.map(({ kind, label, date }) => `${kind} ${label} ${date ?? ''}`.trim())).toEqual([
      'condition Asthma 2001',
      'procedure Biopsy 2020-01-02',
      'procedure Biopsy R5 2020-01-03',
      'immunisation Influenza 2020-10',
      'family-history Father',
      'other Chest film',
      'other Diet',
      'other Visit 2020-01-01',
    ]);
  });

  test('a coded answer and a titre are kept as text', async () => {
    const record = await only(
      observation({
        id: 'a',
        code: loinc('72166-2', 'Smoking'),
        valueQuantity: undefined,
        valueCodeableConcept: { text: 'Never' },
      }),
      observation({ id: 'b', valueQuantity: undefined, valueRatio: { numerator: { value: 1 }, denominator: { value: 128 } } }),
    );
    expect(record.background.map(({ label, detail }) => [label, detail])).toEqual([['Smoking', 'Never']]);
    expect(record.observations.map(({ receivedValue, problem }) => [receivedValue, problem])).toEqual([
      ['1 : 128', 'value_not_a_number'],
    ]);
  });
});

describe('NDJSON in pieces', () => {
  const text = ndjson(
    patient({ name: [{ family: 'Þórðardóttir' }] }),
    observation(),
    observation({ id: 'o2', effectiveDateTime: '2022-03-01' }),
  );

  async function* cut(size: number): AsyncGenerator<Uint8Array> {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }

  test.each([1, 2, 3, 7, 64, 100_000])('cut every %i bytes it reads the same', async (size) => {
    const outcome = await readFhirNdjson(cut(size), options);
    expect(outcome.status).toBe('accepted');
    expect(outcome.patients[0]?.identity.name).toBe('Þórðardóttir');
    expect(outcome.patients[0]?.observations.map(({ place }) => place)).toEqual([
      'line 2, Observation/o1',
      'line 3, Observation/o2',
    ]);
  });

  test('it stops when asked to, and takes nothing', async () => {
    const stop = new AbortController();
    const outcome = await readFhirNdjson(cut(50), {
      ...options,
      signal: stop.signal,
      pace: (done) => void (done > 100 && stop.abort()),
    });
    expect(outcome).toMatchObject({ status: 'refused', code: 'cancelled', patients: [] });
  });

  test('a code that a person confirmed is read', async () => {
    const local = observation({ code: { coding: [{ system: 'urn:lab', code: 'KREA' }], text: 'Kreatinin i P' } });
    const confirmed = [{ system: 'urn:lab', code: 'KREA', analyte: 'creatinine' }];
    const outcome = await readFhir(JSON.stringify(bundle(patient(), local)), { ...options, confirmed });
    expect(outcome.patients[0]?.observations[0]).toMatchObject({ value: 1.2, unit: 'mg/dL', problem: null });
    const byName = await readFhir(JSON.stringify(bundle(patient(), local)), { ...options, confirmed: [{ system: '', code: 'kreatinin I P', analyte: 'creatinine' }] }); // prettier-ignore
    expect(byName.patients[0]?.observations[0]?.value).toBe(1.2);
  });
});

describe('what stands where it is easily missed', () => {
  test('results inside the report that refers to them', async () => {
    const inner = {
      ...observation({ id: 'hb', code: loinc('718-7'), valueQuantity: quantity(13.1, 'g/dL') }),
      subject: undefined,
    };
    const report = (id: string, status = 'final'): Loose => ({
      resourceType: 'DiagnosticReport',
      id,
      status,
      code: { text: 'Blood count' },
      subject: { reference: 'Patient/a1' },
      contained: [inner],
      result: [{ reference: '#hb' }],
    });
    const { observations } = await only(report('r1'), { ...report('r2', 'entered-in-error') });
    expect(observations).toMatchObject([{ value: 13.1, place: 'DiagnosticReport/r1, contained hb', doubts: [] }]);
  });

  test('values of a fetus or a donor are not those of the patient', async () => {
    const { observations } = await only(observation({ focus: [{ reference: 'Patient/other' }] }));
    expect(observations).toMatchObject([{ value: null, problem: 'modifier_unknown' }]);
    const own = await only(observation({ focus: [{ reference: 'Patient/a1' }] }));
    expect(own.observations).toMatchObject([{ value: 1.2, problem: null }]);
  });

  test('measurements of a device or a group make no person', async () => {
    const outcome = await read(bundle(patient(), observation({ subject: { reference: 'Device/7' } })));
    expect(outcome.patients.map(({ observations }) => observations.length)).toEqual([0]);
    expect(outcome.notices).toMatchObject([{ code: 'resource_unread', place: 'Observation/o1' }]);
  });

  test('an interpretation of off the scale makes the number a limit', async () => {
    const off = (code: string, system = 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation') =>
      only(observation({ interpretation: [{ coding: [{ system, code }] }] }));
    expect((await off('<')).observations[0]).toMatchObject({ comparator: '<', doubts: ['value_censored'] });
    expect((await off('H')).observations[0]).toMatchObject({ comparator: null, doubts: [] });
    expect((await off('<', 'http://example.org')).observations[0]).toMatchObject({ comparator: null });
  });

  test('further pages, and what the sender reports as missing', async () => {
    const page = { ...bundle(patient(), { resourceType: 'OperationOutcome', issue: [{ severity: 'error', diagnostics: 'Not all were sent.' }] }), link: [{ relation: 'next', url: 'https://a.example' }] }; // prettier-ignore
    const { notices } = await read(page);
    expect(notices.map(({ code, place }) => [code, place])).toEqual([
      ['resource_unread', 'Bundle.link'],
      ['resource_unread', 'entry 2 (OperationOutcome)'],
    ]);
    expect(notices[1]!.message).toContain('Not all were sent.');
  });

  test('what an operation returned in parameters', async () => {
    const outcome = await read({
      resourceType: 'Parameters',
      parameter: [{ name: 'return', resource: bundle(patient(), observation()) }, { name: 'more', part: [{ name: 'one', resource: observation({ id: 'o2', valueQuantity: quantity(1.3, 'mg/dL') }) }] }], // prettier-ignore
    });
    expect(outcome.patients).toHaveLength(1);
    expect(outcome.patients[0]!.observations.map(({ value }) => value)).toEqual([1.2, 1.3]);
  });
});
