/**
 * Every name that may leave with a record: what installed packs and the analyte table call things. What is not in it was typed by a
 * person or came from a file, and may hold a name.
 */

export interface Coding {
  readonly system: string;
  readonly code: string;
}

export interface QuantityTerm {
  readonly label: string;
  /** UCUM, the canonical one first; empty for findings that have no unit. */
  readonly units: readonly string[];
  /** Names of the levels of a finding; empty for what is a number. */
  readonly levels: readonly string[];
  readonly codings: readonly Coding[];
}

export interface NamedTerm {
  readonly label: string;
  readonly codings: readonly Coding[];
}

export interface InterventionTerm extends NamedTerm {
  /** Of doses; empty for what is switched on and off. */
  readonly units: readonly string[];
}

export interface Vocabulary {
  /** Markers, findings and covariates that are numbers, by the code that a record uses. */
  readonly quantities: ReadonlyMap<string, QuantityTerm>;
  /** Covariates that are categories: value → label. */
  readonly categories: ReadonlyMap<string, { readonly label: string; readonly values: ReadonlyMap<string, string> }>;
  readonly interventions: ReadonlyMap<string, InterventionTerm>;
  readonly events: ReadonlyMap<string, NamedTerm>;
  /** Labels of the pack's targets, by id. */
  readonly targets: ReadonlyMap<string, string>;
  /** What the pack calls the plan that all others are held against. */
  readonly usualCare: string;
}

/** Addresses of the code systems that packs name. */
export const codeSystems: Readonly<Record<string, string>> = {
  LOINC: 'http://loinc.org',
  RxNorm: 'http://www.nlm.nih.gov/research/umls/rxnorm',
  ATC: 'http://www.whocc.no/atc',
  SNOMED: 'http://snomed.info/sct',
  'ICD-10': 'http://hl7.org/fhir/sid/icd-10',
};
