/** A record as FHIR R4: what was measured and given, with where it came from. No simulated value is ever among it. */
import { addHours } from '#domain/doses.ts';
import type { DoseCourse, Observation as Value, PatientRecord } from '#domain/record.ts';
import {
  bundleOf,
  concept,
  conditionOf,
  consentOf,
  dateTime,
  deviceOf,
  patientOf,
  quantity,
  quantityAsWritten,
  referenceTo,
  tagged,
} from './fhir-parts.ts';
import type { FhirOptions } from './fhir-parts.ts';
import type { AnyResource, Bundle, MedicationStatement, Observation, Patient, Provenance } from './fhir-r4.ts';
import type { Vocabulary } from './vocabulary.ts';

export interface RecordBundleOptions extends FhirOptions {
  readonly appVersion: string;
  /** UTC, ISO 8601; moved where dates are. */
  readonly exportedAt: string;
}

/** One bundle for any number of people. */
export function recordBundle(records: readonly PatientRecord[], vocabulary: Vocabulary, options: RecordBundleOptions): Bundle {
  const device = deviceOf(
    [['application', options.appVersion]],
    'Wrote down what a record holds; simulated nothing here.',
    options,
  );
  const resources = records.flatMap((record): AnyResource[] => {
    const patient = patientOf(record, options);
    const { covariates, observations, doses = [], treatments, events, background = [], consent } = record;
    const own: AnyResource[] = [
      ...Object.entries(covariates).flatMap(([id, value]) =>
        typeof value === 'number' && id !== 'age' ? [entryValue(id, value, record, patient, vocabulary, options)] : [],
      ),
      ...observations.map((one) => measured(one, record, patient, vocabulary, options)),
      ...treatments.map(({ intervention, start, stop }) =>
        given(intervention, { start, ...(stop ? { end: stop } : {}) }, stop === null, patient, vocabulary, options),
      ),
      ...doses.map((one) => dosed(one, patient, vocabulary, options)),
      ...events.map(({ event, date }) => conditionOf(concept(vocabulary.events.get(event), event), date, '', patient, options)),
      ...background
        .filter(({ kind }) => kind === 'condition')
        .map(({ label, date, detail, source }) =>
          conditionOf({ text: label }, date, `${detail} (${source.file}, ${source.place})`, patient, options),
        ),
    ];
    const provenance: Provenance = {
      resourceType: 'Provenance',
      id: options.newId(),
      ...tagged(record.isSynthetic),
      target: [patient, ...own].map(referenceTo),
      recorded: options.exportedAt,
      activity: { text: 'Export of a record as it was entered or imported' },
      agent: [
        {
          type: {
            coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'assembler' }],
            text: 'Program that wrote the export',
          },
          who: referenceTo(device),
        },
      ],
      entity: [...new Set(observations.flatMap(({ received }) => (received ? [received.file] : [])))].map((file) => ({
        role: 'source',
        what: { identifier: { system: 'urn:counterpart:file', value: file }, display: file },
      })),
    };
    return [patient, ...own, ...(consent ? [consentOf(consent, patient, options)] : []), provenance];
  });
  return bundleOf([device, ...resources], options.exportedAt, options);
}

/** The record does not keep the status that a value had elsewhere, so it is not claimed to be final. */
function measured(
  one: Value,
  { isSynthetic }: PatientRecord,
  patient: Patient,
  { quantities }: Vocabulary,
  options: FhirOptions,
): Observation {
  const term = quantities.get(one.code);
  const comparator = one.isBelowLimit ? '<' : one.isAboveLimit ? '>' : undefined;
  const { received } = one;
  const notes = [
    received ? `Received as “${received.receivedValue} ${received.receivedUnit}” (${received.file}, ${received.place})` : '',
    received ? '' : one.source,
    one.isConfirmed ? 'A person confirmed this value.' : '',
  ].filter(Boolean);
  return {
    resourceType: 'Observation',
    id: options.newId(),
    ...tagged(isSynthetic),
    status: 'unknown',
    code: concept(term, one.code),
    subject: referenceTo(patient),
    effectiveDateTime: one.time === undefined ? one.date : dateTime(`${one.date}T${one.time}`, options),
    valueQuantity: { ...quantityAsWritten(one.value, one.unit, term?.units), ...(comparator ? { comparator } : {}) },
    ...(notes.length > 0 ? { note: notes.map((text) => ({ text })) } : {}),
  };
}

function entryValue(
  id: string,
  value: number,
  { isSynthetic, entryDate }: PatientRecord,
  patient: Patient,
  { quantities }: Vocabulary,
  options: FhirOptions,
): Observation {
  return {
    resourceType: 'Observation',
    id: options.newId(),
    ...tagged(isSynthetic),
    status: 'unknown',
    code: concept(quantities.get(id), id),
    subject: referenceTo(patient),
    effectiveDateTime: entryDate,
    valueQuantity: quantity(value, quantities.get(id)?.units[0] ?? ''),
    note: [{ text: 'Known at entry; the day of measuring was not recorded.' }],
  };
}

function given(
  intervention: string,
  effectivePeriod: MedicationStatement['effectivePeriod'],
  isOngoing: boolean,
  patient: Patient,
  { interventions }: Vocabulary,
  options: FhirOptions,
): MedicationStatement {
  return {
    resourceType: 'MedicationStatement',
    id: options.newId(),
    ...(patient.meta ? { meta: patient.meta } : {}),
    status: isOngoing ? 'active' : 'completed',
    medicationCodeableConcept: concept(interventions.get(intervention), intervention),
    subject: referenceTo(patient),
    effectivePeriod,
  };
}

function dosed(one: DoseCourse, patient: Patient, vocabulary: Vocabulary, options: FhirOptions): MedicationStatement {
  const isOngoing = one.everyHours !== null && one.count === null;
  const last = one.everyHours === null || one.count === null ? one.start : addHours(one.start, one.everyHours * (one.count - 1));
  const often = one.everyHours === null ? 'once' : `every ${one.everyHours} h`;
  const over = one.durationHours === null ? '' : ` over ${one.durationHours} h`;
  const otherwise = one.exceptions.length > 0 ? `, ${one.exceptions.length} given otherwise` : '';
  const start = dateTime(one.start, options);
  return {
    ...given(
      one.intervention,
      isOngoing ? { start } : { start, end: dateTime(last, options) },
      isOngoing,
      patient,
      vocabulary,
      options,
    ),
    dosage: [
      {
        text: `${one.amount} ${one.unit} ${one.route}${over} ${often}${otherwise}`,
        doseAndRate: [
          { doseQuantity: quantityAsWritten(one.amount, one.unit, vocabulary.interventions.get(one.intervention)?.units) },
        ],
      },
    ],
  };
}
