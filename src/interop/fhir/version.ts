/**
 * Which FHIR a resource was written for, from what it says and from its shape. Old versions have elements of the same name with another
 * meaning, so they are refused by name and never half read. One odd element is no proof, since careless R4 exists; `versionOf` weighs.
 */
import { isObject, type Json, type JsonObject } from '../json-reader.ts';
import { objectOf, objectsOf, textOf } from './elements.ts';

export type OldVersion = 'DSTU2' | 'STU3';

export class VersionSigns {
  dstu2 = 0;
  stu3 = 0;
  /** Signs that only R4 or later has. */
  r4 = 0;
  /** A version that the file itself names; it decides. */
  stated: string | null = null;

  add(resource: JsonObject, type: string): void {
    if (dstu2Types.has(type)) this.dstu2 += 3;
    if (stu3Types.has(type)) this.stu3 += 3;
    const stated = type === 'CapabilityStatement' || type === 'Conformance' ? textOf(resource.fhirVersion) : null;
    if (stated !== null) this.stated ??= stated;
    for (const profile of texts(objectOf(resource.meta)?.profile)) this.#profile(profile);
    this.#shape(resource, type);
  }

  #profile(profile: string): void {
    if (/^https?:\/\/hl7\.org\/fhir\/(?:DSTU2|1\.0)\//u.test(profile)) this.dstu2 += 3;
    else if (/^https?:\/\/hl7\.org\/fhir\/(?:STU3|3\.0)\//u.test(profile)) this.stu3 += 3;
    else if (/^https?:\/\/hl7\.org\/fhir\/(?:R4B?|4\.[0-9]|R5|5\.0|uv\/ips)\//u.test(profile)) this.r4 += 3;
  }

  // Each line: an element that one version has and the others do not, or have in another shape.
  #shape(resource: JsonObject, type: string): void {
    const has = (name: string): boolean => resource[name] !== undefined;
    const isText = (name: string): boolean => typeof resource[name] === 'string';
    const isConcept = (name: string): boolean => isObject(resource[name]);
    switch (type) {
      case 'Patient':
        if (has('animal')) this.stu3 += 1;
        if (objectsOf(resource.name).some((name) => Array.isArray(name.family))) this.dstu2 += 3;
        return;
      case 'Condition':
        if (isConcept('clinicalStatus') || isConcept('verificationStatus')) this.r4 += 3;
        if (has('dateRecorded') || has('patient')) this.dstu2 += 3;
        else if (has('context') || has('assertedDate')) this.stu3 += 3;
        else if (isText('clinicalStatus') || isText('verificationStatus')) this.stu3 += 1;
        return;
      case 'Observation':
        if (has('comments') || has('reliability')) this.dstu2 += 3;
        if (objectsOf(resource.related).length > 0 || has('comment') || has('context')) this.stu3 += 1;
        if (has('note') || has('hasMember') || has('derivedFrom')) this.r4 += 1;
        if (Array.isArray(resource.interpretation)) this.r4 += 1;
        return;
      case 'Encounter':
        if (isText('class') || has('patient') || has('indication')) this.dstu2 += 3;
        if (objectsOf(resource.reason).some((one) => 'coding' in one || 'text' in one) && isConcept('class')) this.stu3 += 1;
        if (has('reasonCode') || has('reasonReference')) this.r4 += 1;
        return;
      case 'MedicationRequest':
        if (isObject(objectOf(resource.requester)?.agent)) this.stu3 += 3;
        if (has('context') || has('definition')) this.stu3 += 1;
        if (typeof objectOf(resource.requester)?.reference === 'string' || has('encounter')) this.r4 += 1;
        if (has('medication')) this.r4 += 1;
        return;
      case 'MedicationStatement':
        if (has('wasNotTaken') || has('patient')) this.dstu2 += 3;
        if (isText('taken')) this.stu3 += 3;
        return;
      case 'MedicationAdministration':
        if (has('wasNotGiven') || has('practitioner')) this.dstu2 += 3;
        if (has('notGiven')) this.stu3 += 3;
        return;
      case 'MedicationDispense':
        if (has('notDone')) this.stu3 += 3;
        return;
      case 'Procedure':
        if (has('notPerformed')) this.dstu2 += 3;
        if (has('notDone') || has('context') || has('definition')) this.stu3 += 3;
        if (isConcept('statusReason') || isConcept('performedAge')) this.r4 += 1;
        return;
      case 'Immunization':
        if (has('wasNotGiven') || has('reported')) this.dstu2 += 3;
        if (has('occurrenceDateTime') || has('occurrenceString')) this.r4 += 3;
        else if (has('notGiven')) this.stu3 += 3;
        else if (has('date') || has('vaccinationProtocol')) this.stu3 += 1;
        return;
      case 'AllergyIntolerance':
        if (has('substance') && !has('code')) this.dstu2 += 3;
        if (isText('clinicalStatus') || isText('verificationStatus') || has('assertedDate')) this.stu3 += 1;
        if (isConcept('clinicalStatus') || isConcept('verificationStatus')) this.r4 += 3;
        return;
      case 'FamilyMemberHistory':
        if (has('notDone') || has('notDoneReason')) this.stu3 += 3;
        return;
      case 'DiagnosticReport':
        if (objectsOf(resource.performer).some((one) => isObject(one.actor)) || has('codedDiagnosis') || has('image'))
          this.stu3 += 1;
        if (has('context')) this.stu3 += 1;
        if (has('resultsInterpreter') || has('media')) this.r4 += 1;
        return;
      case 'CarePlan':
        if (has('context') || has('definition')) this.stu3 += 1;
        if (has('encounter')) this.r4 += 1;
        return;
      case 'Goal':
        if (isText('status') && !has('lifecycleStatus')) this.stu3 += 1;
        if (has('lifecycleStatus')) this.r4 += 1;
        return;
      case 'Composition':
        if (has('class')) this.stu3 += 1;
        if (Array.isArray(resource.category)) this.r4 += 1;
        return;
      default:
    }
  }

  /** The old version that the file is of, or null to read it as R4 or later. */
  get version(): OldVersion | null {
    if (this.stated !== null) {
      if (/^(?:0\.|1\.)/u.test(this.stated)) return 'DSTU2';
      if (this.stated.startsWith('3.')) return 'STU3';
      if (/^[4-9]/u.test(this.stated)) return null;
    }
    const old = this.dstu2 + this.stu3;
    if (old === 0 || old <= this.r4) return null;
    return this.dstu2 >= this.stu3 ? 'DSTU2' : 'STU3';
  }
}

/** Types that R4 no longer has. */
const dstu2Types = new Set(['MedicationOrder', 'DiagnosticOrder', 'DeviceUseRequest', 'ProcedureRequest', 'ReferralRequest', 'NutritionOrderRequest', 'BodySite', 'DeviceComponent', 'ImagingObjectSelection', 'ProcessRequest', 'ProcessResponse', 'Conformance', 'OrderResponse', 'Order', 'SupplyRequestDetail', 'EligibilityRequest', 'EligibilityResponse', 'DataElement']); // prettier-ignore
const stu3Types = new Set(['ProcedureRequest', 'ReferralRequest', 'ImagingManifest', 'Sequence', 'BodySite', 'DeviceComponent', 'EligibilityRequest', 'EligibilityResponse', 'ProcessRequest', 'ProcessResponse', 'DataElement', 'ServiceDefinition', 'ExpansionProfile']); // prettier-ignore

function texts(json: Json | undefined): readonly string[] {
  return Array.isArray(json) ? (json as readonly Json[]).filter((item) => typeof item === 'string') : [];
}
