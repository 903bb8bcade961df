/** What no pack computes with: one readable line a resource. Nothing that a status takes back is kept. */
import type { BackgroundEntry } from '#domain/record.ts';
import type { ImportCode } from '../import-codes.ts';
import type { JsonObject } from '../json-reader.ts';
import { codesOf, conceptOf, firstWhen, objectOf, objectsOf, receivedText, referenceOf, shownText, textOf, type WhenRead } from './elements.ts'; // prettier-ignore
import { dosageText, isOrder } from './medication.ts';

export interface BackgroundLine {
  readonly kind: BackgroundEntry['kind'];
  readonly label: string;
  readonly when: WhenRead;
  readonly detail: string;
}

interface Reading {
  readonly kind: BackgroundEntry['kind'];
  readonly label: (resource: JsonObject) => string;
  /** Elements that have the date, the best first. */
  readonly when: readonly string[];
  readonly detail: (resource: JsonObject) => readonly string[];
}

const code = (resource: JsonObject): string => conceptOf(resource.code).label;
const status = (resource: JsonObject): string => shownText(resource.status);

/** By resource type. A type that is not here is not read. */
const readings: Readonly<Record<string, Reading>> = {
  Condition: {
    kind: 'condition',
    label: code,
    when: ['onsetDateTime', 'onsetPeriod', 'recordedDate', 'assertedDate'],
    detail: (r) => [conceptOf(r.clinicalStatus).label, conceptOf(r.verificationStatus).label, onset(r), ended(r)],
  },
  AllergyIntolerance: {
    kind: 'allergy',
    label: code,
    when: ['onsetDateTime', 'onsetPeriod', 'recordedDate', 'lastOccurrence'],
    detail: (r) => [
      conceptOf(r.clinicalStatus).label,
      conceptOf(r.verificationStatus).label,
      shownText(r.criticality),
      reactions(r),
    ],
  },
  MedicationRequest: {
    kind: 'medication',
    label: () => '',
    when: ['authoredOn'],
    detail: (r) => [isOrder(r) ? 'ordered' : r.doNotPerform === true ? 'not to be given' : `${shownText(r.intent)}, not an order`, status(r), dosageText(r)], // prettier-ignore
  },
  MedicationStatement: {
    kind: 'medication',
    label: () => '',
    when: ['effectiveDateTime', 'effectivePeriod', 'dateAsserted'],
    detail: (r) => [status(r), dosageText(r)],
  },
  MedicationAdministration: {
    kind: 'medication',
    label: () => '',
    when: [
      'effectiveDateTime',
      'effectivePeriod',
      'occurenceDateTime',
      'occurencePeriod',
      'occurrenceDateTime',
      'occurrencePeriod',
    ],
    detail: (r) => ['given', status(r), dosageText(r)],
  },
  MedicationDispense: {
    kind: 'medication',
    label: () => '',
    when: ['whenHandedOver', 'whenPrepared'],
    detail: (r) => ['dispensed', status(r), dosageText(r)],
  },
  Procedure: {
    kind: 'procedure',
    label: code,
    when: ['performedDateTime', 'performedPeriod', 'occurrenceDateTime', 'occurrencePeriod'],
    detail: (r) => [status(r), conceptOf(r.outcome).label],
  },
  Immunization: {
    kind: 'immunisation',
    label: (r) => conceptOf(r.vaccineCode).label,
    when: ['occurrenceDateTime', 'recorded'],
    detail: (r) => [status(r), shownText(r.occurrenceString), shownText(r.lotNumber) && `lot ${shownText(r.lotNumber)}`],
  },
  FamilyMemberHistory: {
    kind: 'family-history',
    label: (r) => conceptOf(r.relationship).label,
    when: ['date'],
    detail: (r) => [
      objectsOf(r.condition)
        .map((one) => conceptOf(one.code).label)
        .filter(Boolean)
        .join(', '),
      status(r),
    ],
  },
  DiagnosticReport: {
    kind: 'other',
    label: code,
    when: ['effectiveDateTime', 'effectivePeriod', 'issued'],
    detail: (r) => ['report', status(r), shownText(r.conclusion)],
  },
  CarePlan: {
    kind: 'other',
    label: (r) => shownText(r.title) || conceptOf(objectsOf(r.category)[0]).label || shownText(r.description) || 'Care plan',
    when: ['period', 'created'],
    detail: (r) => ['care plan', status(r), shownText(r.intent), activities(r)],
  },
  Goal: {
    kind: 'other',
    label: (r) => conceptOf(r.description).label,
    when: ['startDate', 'statusDate'],
    detail: (r) => ['goal', shownText(r.lifecycleStatus)],
  },
  Encounter: {
    kind: 'other',
    label: (r) => conceptOf(objectsOf(r.type)[0]).label || shownText(objectOf(r.class)?.display) || 'Encounter',
    when: ['period', 'actualPeriod'],
    detail: (r) => ['encounter', status(r), conceptOf(objectsOf(r.reasonCode)[0]).label],
  },
};

export function isBackgroundType(type: string): boolean {
  return Object.hasOwn(readings, type);
}

/** What its status says against it; null where it may be kept. */
export function exclusionOf(resource: JsonObject): ImportCode | null {
  const states = [textOf(resource.status)?.toLowerCase() ?? '', ...codesOf(resource.verificationStatus)];
  return states.some((state) => state === 'entered-in-error' || state === 'refuted' || state === 'cancelled')
    ? 'status_excluded'
    : null;
}

/** The line of a resource; `drug` is the name of the medicine, where the resource is about one. */
export function lineOf(resource: JsonObject, type: string, drug: string): BackgroundLine {
  const reading = readings[type] as Reading;
  const isMedicine = reading.kind === 'medication';
  return {
    kind: reading.kind,
    label: (isMedicine ? drug : reading.label(resource)) || `${type} without a name`,
    when: firstWhen(resource, reading.when),
    detail: reading
      .detail(resource)
      .filter((part) => part !== '')
      .join('; '),
  };
}

function onset(resource: JsonObject): string {
  const age = objectOf(resource.onsetAge);
  const text = age
    ? `at ${receivedText(age.value)} ${shownText(age.unit) || shownText(age.code)}`
    : shownText(resource.onsetString);
  return text === '' ? '' : `since ${text}`;
}

function ended(resource: JsonObject): string {
  const when = firstWhen(resource, ['abatementDateTime', 'abatementPeriod']);
  if (when.kind === 'date') return `until ${when.when.date}`;
  return shownText(resource.abatementString);
}

function reactions(resource: JsonObject): string {
  return objectsOf(resource.reaction)
    .flatMap((reaction) => objectsOf(reaction.manifestation).map((one) => conceptOf(one.concept ?? one).label))
    .filter(Boolean)
    .join(', ');
}

function activities(resource: JsonObject): string {
  return objectsOf(resource.activity)
    .map((activity) => conceptOf(objectOf(activity.detail)?.code).label || (referenceOf(activity.reference)?.display ?? ''))
    .filter(Boolean)
    .join(', ');
}
