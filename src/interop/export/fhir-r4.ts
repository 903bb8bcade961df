/**
 * The part of FHIR R4 (4.0.1) that we write, as https://hl7.org/fhir/R4/ has it; each type names its page. The published type package
 * describes another release. What R4 calls 1..1 is not optional here, and code sets are unions.
 */

/** datatypes.html */
export interface Coding {
  readonly system: string;
  readonly code: string;
  readonly display?: string;
}
export interface CodeableConcept {
  readonly coding?: readonly Coding[];
  readonly text?: string;
}
export interface Quantity {
  readonly value: number;
  readonly comparator?: '<' | '>';
  readonly unit?: string;
  readonly system?: string;
  readonly code?: string;
}
export interface Range {
  readonly low: Quantity;
  readonly high: Quantity;
}
export interface Period {
  readonly start?: string;
  readonly end?: string;
}
export interface Identifier {
  readonly system?: string;
  readonly value: string;
}
export interface Annotation {
  readonly text: string;
}
/** references.html: a literal reference, or a logical one by identifier where what is meant is not in the bundle. */
export interface Reference {
  readonly reference?: string;
  readonly type?: string;
  readonly identifier?: Identifier;
  readonly display?: string;
}
/** narrative.html */
export interface Narrative {
  readonly status: 'generated';
  readonly div: string;
}

interface Resource {
  readonly id: string;
  /** resource.html#Meta */
  readonly meta?: { readonly security?: readonly Coding[]; readonly tag?: readonly Coding[] };
  readonly text?: Narrative;
}

/** patient.html */
export interface Patient extends Resource {
  readonly resourceType: 'Patient';
  readonly identifier?: readonly Identifier[];
  readonly name?: readonly { readonly text: string }[];
  readonly gender?: 'male' | 'female' | 'other' | 'unknown';
  readonly birthDate?: string;
}

/** device.html */
export interface Device extends Resource {
  readonly resourceType: 'Device';
  readonly status: 'active';
  readonly deviceName: readonly { readonly name: string; readonly type: 'model-name' }[];
  readonly version: readonly { readonly type: CodeableConcept; readonly value: string }[];
  readonly note?: readonly Annotation[];
}

/** riskassessment.html. Percentages, of UCUM `%`, in ranges and in decimals (constraints ras-1 and ras-2). */
export interface RiskAssessment extends Resource {
  readonly resourceType: 'RiskAssessment';
  readonly basedOn?: Reference;
  readonly status: 'final' | 'preliminary';
  readonly method: CodeableConcept;
  readonly code: CodeableConcept;
  readonly subject: Reference;
  readonly occurrenceDateTime: string;
  readonly performer: Reference;
  readonly basis: readonly Reference[];
  readonly prediction: readonly Prediction[];
  readonly note: readonly Annotation[];
}
export type Prediction = {
  readonly outcome: CodeableConcept;
  readonly whenPeriod: Period;
  readonly rationale: string;
} & ({ readonly probabilityRange: Range } | { readonly probabilityDecimal: number });

/** careplan.html */
export interface CarePlan extends Resource {
  readonly resourceType: 'CarePlan';
  readonly status: 'draft';
  readonly intent: 'proposal';
  readonly title: string;
  readonly description: string;
  readonly subject: Reference;
  readonly period: Period;
  readonly created: string;
  readonly author: Reference;
  readonly activity: readonly {
    readonly detail: {
      readonly status: 'not-started';
      readonly productCodeableConcept: CodeableConcept;
      readonly scheduledPeriod?: Period;
      readonly quantity?: Quantity;
      readonly description: string;
    };
  }[];
  readonly note: readonly Annotation[];
}

/** observation.html; `valueSampledData` (datatypes.html#SampledData) is for simulated courses alone. */
export interface Observation extends Resource {
  readonly resourceType: 'Observation';
  readonly status: 'preliminary' | 'unknown';
  readonly code: CodeableConcept;
  readonly subject: Reference;
  readonly effectiveDateTime?: string;
  readonly effectivePeriod?: Period;
  readonly valueQuantity?: Quantity;
  readonly valueCodeableConcept?: CodeableConcept;
  readonly valueSampledData?: SampledData;
  readonly method?: CodeableConcept;
  readonly device?: Reference;
  readonly note?: readonly Annotation[];
}
export interface SampledData {
  readonly origin: Quantity;
  /** Milliseconds between samples. */
  readonly period: number;
  readonly dimensions: number;
  /** Samples with a blank between them, dimensions of one time together; `E` is an error: no value. */
  readonly data: string;
}

/** medicationstatement.html */
export interface MedicationStatement extends Resource {
  readonly resourceType: 'MedicationStatement';
  readonly status: 'active' | 'completed';
  readonly medicationCodeableConcept: CodeableConcept;
  readonly subject: Reference;
  readonly effectivePeriod: Period;
  readonly dosage?: readonly {
    readonly text: string;
    readonly doseAndRate?: readonly { readonly doseQuantity: Quantity }[];
  }[];
}

/** condition.html */
export interface Condition extends Resource {
  readonly resourceType: 'Condition';
  readonly code: CodeableConcept;
  readonly subject: Reference;
  readonly onsetDateTime?: string;
  readonly note?: readonly Annotation[];
}

/** provenance.html */
export interface Provenance extends Resource {
  readonly resourceType: 'Provenance';
  readonly target: readonly Reference[];
  readonly recorded: string;
  readonly activity: CodeableConcept;
  readonly agent: readonly { readonly type: CodeableConcept; readonly who: Reference }[];
  readonly entity: readonly { readonly role: 'source'; readonly what: Reference }[];
}

/** auditevent.html */
export interface AuditEvent extends Resource {
  readonly resourceType: 'AuditEvent';
  readonly type: Coding;
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E';
  readonly recorded: string;
  readonly agent: readonly { readonly requestor: boolean; readonly name?: string }[];
  readonly source: { readonly observer: Reference };
  readonly entity: readonly { readonly what?: Reference; readonly name: string }[];
}

/** consent.html */
export interface Consent extends Resource {
  readonly resourceType: 'Consent';
  readonly status: 'active';
  readonly scope: CodeableConcept;
  readonly category: readonly CodeableConcept[];
  readonly patient: Reference;
  readonly dateTime: string;
  readonly policyRule: CodeableConcept;
  readonly provision: { readonly type: 'permit'; readonly period: Period };
}

export type AnyResource =
  | Patient
  | Device
  | RiskAssessment
  | CarePlan
  | Observation
  | MedicationStatement
  | Condition
  | Provenance
  | AuditEvent
  | Consent;

/** bundle.html */
export interface Bundle extends Resource {
  readonly resourceType: 'Bundle';
  readonly type: 'collection';
  readonly timestamp: string;
  readonly entry: readonly { readonly fullUrl: string; readonly resource: AnyResource }[];
}
