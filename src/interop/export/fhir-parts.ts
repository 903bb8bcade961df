/** What both FHIR exports are put together from. */
import { xmlText } from '#domain/xml-text.ts';
import type { Consent as RecordedConsent, IsoMinute, PatientRecord } from '#domain/record.ts';
import type {
  AnyResource,
  Bundle,
  CodeableConcept,
  Coding,
  Condition,
  Consent,
  Device,
  Narrative,
  Patient,
  Quantity,
  Reference,
} from './fhir-r4.ts';
import type { NamedTerm } from './vocabulary.ts';

/** https://terminology.hl7.org/CodeSystem-v3-ObservationValue.html: asserted by an artificial intelligence. */
const aiast: Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue',
  code: 'AIAST',
  display: 'Artificial Intelligence asserted',
};

/** https://terminology.hl7.org/CodeSystem-v3-ActReason.html: made up, for tests and teaching. */
const htest: Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason',
  code: 'HTEST',
  display: 'test health data',
};

const ucum = 'http://unitsofmeasure.org';

export interface FhirOptions {
  readonly newId: () => string;
  /** `Z` or `+01:00`: the zone of the person's clock at a minute. FHIR has no time of day without one. */
  readonly zone: (minute: IsoMinute) => string;
}

export const dateTime = (minute: IsoMinute, { zone }: FhirOptions): string => `${minute}:00${zone(minute)}`;

export const quantity = (value: number, unit: string): Quantity =>
  unit === '' ? { value } : { value, unit, system: ucum, code: unit };

/** In a unit that nobody here knows: as it stands, without saying that it is UCUM. */
export const quantityAsWritten = (value: number, unit: string, known: readonly string[] = []): Quantity =>
  known.includes(unit) || unit.trim() === '' ? quantity(value, unit.trim()) : { value, unit };

export function concept(term: NamedTerm | undefined, id: string): CodeableConcept {
  const coding = term?.codings ?? [];
  return { ...(coding.length > 0 ? { coding } : {}), text: term?.label ?? id };
}

export const referenceTo = ({ resourceType, id }: AnyResource): Reference => ({
  reference: `urn:uuid:${id}`,
  type: resourceType,
});

export function narrative(...lines: readonly string[]): Narrative {
  const paragraphs = lines.map((line) => `<p>${xmlText(line)}</p>`).join('');
  return { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${paragraphs}</div>` };
}

/** The person. Of a de-identified record there is no name, identifier or birth date to write. */
export function patientOf(record: PatientRecord, { newId }: FhirOptions): Patient {
  const { identity, covariates, isSynthetic } = record;
  const sex = identity?.sex ?? covariates['sex'];
  const isNamed = identity !== undefined;
  return {
    resourceType: 'Patient',
    id: newId(),
    ...tagged(isSynthetic),
    text: narrative(isSynthetic ? 'A made-up person. Nobody with this record exists.' : 'The person of this export.'),
    ...(isNamed && identity.identifiers.length > 0
      ? { identifier: identity.identifiers.map(({ system, value }) => (system === '' ? { value } : { system, value })) }
      : {}),
    ...(isNamed ? { name: [{ text: identity.name ?? record.alias }] } : {}),
    ...(sex === 'female' || sex === 'male' || sex === 'other' || sex === 'unknown' ? { gender: sex } : {}),
    ...(identity?.birthDate === undefined ? {} : { birthDate: identity.birthDate }),
  };
}

export const tagged = (isSynthetic: boolean): Pick<Patient, 'meta'> => (isSynthetic ? { meta: { tag: [htest] } } : {});

/** On everything that was computed and not observed. */
export const simulatedMeta = (isSynthetic: boolean): Required<Pick<Patient, 'meta'>> => ({
  meta: { security: [aiast], ...(isSynthetic ? { tag: [htest] } : {}) },
});

export function deviceOf(
  versions: readonly (readonly [type: string, value: string])[],
  note: string,
  { newId }: FhirOptions,
): Device {
  return {
    resourceType: 'Device',
    id: newId(),
    text: narrative('Counterpart, a simulator for research and education. Not a medical device.'),
    status: 'active',
    deviceName: [{ name: 'Counterpart', type: 'model-name' }],
    version: versions.map(([text, value]) => ({ type: { text }, value })),
    note: [{ text: note }],
  };
}

const basisWords: Readonly<Record<RecordedConsent['basis'], string>> = {
  consent: 'Consent of the person',
  care: 'Care of the person',
  'research-approval': 'Approved research',
  teaching: 'Teaching',
};

export function consentOf(recorded: RecordedConsent, patient: Patient, { newId }: FhirOptions): Consent {
  const { basis, purpose, recordedOn, expiresOn } = recorded;
  const scope = basis === 'care' ? 'treatment' : basis === 'research-approval' ? 'research' : 'patient-privacy';
  return {
    resourceType: 'Consent',
    id: newId(),
    text: narrative(`${basisWords[basis]}, recorded on ${recordedOn}.`),
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: scope }] },
    // LOINC 59284-0, of the value set that consent.html asks for.
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }], text: 'Consent document' }],
    patient: referenceTo(patient),
    dateTime: recordedOn,
    policyRule: { text: [basisWords[basis], purpose].filter(Boolean).join(': ') },
    provision: { type: 'permit', period: { start: recordedOn, ...(expiresOn ? { end: expiresOn } : {}) } },
  };
}

export function conditionOf(
  code: CodeableConcept,
  date: string | null,
  note: string,
  patient: Patient,
  { newId }: FhirOptions,
): Condition {
  return {
    resourceType: 'Condition',
    id: newId(),
    ...(patient.meta ? { meta: patient.meta } : {}),
    code,
    subject: referenceTo(patient),
    ...(date === null ? {} : { onsetDateTime: date }),
    ...(note === '' ? {} : { note: [{ text: note }] }),
  };
}

export function bundleOf(
  resources: readonly AnyResource[],
  timestamp: string,
  { newId }: FhirOptions,
  meta: Pick<Bundle, 'meta'> = {},
): Bundle {
  return {
    resourceType: 'Bundle',
    id: newId(),
    ...meta,
    type: 'collection',
    timestamp,
    entry: resources.map((resource) => ({ fullUrl: `urn:uuid:${resource.id}`, resource })),
  };
}

/** The file's text. FHIR knows no empty list: what has nothing in it is left out. */
export function writeBundle(bundle: Bundle): string {
  const filled = (_key: string, value: unknown) => (Array.isArray(value) && value.length === 0 ? undefined : value);
  return `${JSON.stringify(bundle, filled, 2)}\n`;
}
