/**
 * Medicines: what was given, where amount, unit and time are certain; otherwise a line for a person to read. An order is not an intake,
 * "three times a day" is no time of day, and two tablets are no amount: such things are background.
 */
import type { ImportedDose } from '../imported.ts';
import { isObject, JsonNumber, type Json, type JsonObject } from '../json-reader.ts';
import { isWholeDay } from '../partial-date.ts';
import { normaliseUnit } from '../units.ts';
import { conceptOf, firstWhen, noConcept, objectOf, objectsOf, quantityOf, referenceOf, shownText, textOf, whenOf, type Concept, type Reference } from './elements.ts'; // prettier-ignore

/** The drug of a resource: named in place, or by reference. */
export function drugOf(resource: JsonObject): { readonly concept: Concept; readonly reference: Reference | null } {
  // R5 has a CodeableReference under `medication`.
  const either = objectOf(resource.medication);
  const concept = conceptOf(resource.medicationCodeableConcept ?? either?.concept);
  return { concept, reference: concept === noConcept ? referenceOf(resource.medicationReference ?? either?.reference) : null };
}

/** The dose without its drug, which a reference may name later; null where anything is uncertain. */
export type DoseWithoutDrug = Omit<ImportedDose, 'codings' | 'label'>;

const amountUnits = new Set(['kg', 'g', 'mg', 'ug', 'ng', 'mmol', '[IU]', 'U']);

export function doseOf(resource: JsonObject, type: string, place: string): DoseWithoutDrug | null {
  if (objectsOf(resource.modifierExtension).length > 0) return null;
  const status = textOf(resource.status);
  if (type === 'MedicationAdministration') return status === 'completed' ? administrationOf(resource, place) : null;
  if (status !== 'active' && status !== 'completed') return null;
  if (type === 'MedicationStatement') return regimenOf(resource.dosage, resource.effectivePeriod, place);
  if (type !== 'MedicationRequest' || !isOrder(resource)) return null;
  return regimenOf(resource.dosageInstruction, undefined, place);
}

/** A plan or a proposal is no exposure; neither is an order that something must not be given. */
export function isOrder(resource: JsonObject): boolean {
  const intent = textOf(resource.intent);
  return resource.doNotPerform !== true && intent !== null && intent !== 'plan' && intent !== 'proposal' && intent !== 'option';
}

function administrationOf(resource: JsonObject, place: string): DoseWithoutDrug | null {
  const dosage = objectOf(resource.dosage);
  const amount = amountOf(dosage?.dose);
  if (!dosage || !amount) return null;
  const when = firstWhen(resource, ['effectiveDateTime', 'occurenceDateTime', 'occurrenceDateTime', 'effectivePeriod', 'occurencePeriod', 'occurrencePeriod']); // prettier-ignore
  if (when.kind !== 'date' || !isWholeDay(when.when.date) || when.when.time === null) return null;
  const period = objectOf(resource.effectivePeriod ?? resource.occurencePeriod ?? resource.occurrencePeriod);
  const way = wayOf(dosage);
  if (way === undefined) return null;
  const hours = period ? hoursOf(period) : null;
  // A period without both ends, or of something that is swallowed or injected at once, does not say when it was given.
  if (period && (hours === null || (way !== null && way !== 'iv'))) return null;
  if (period === null && (dosage.rateQuantity !== undefined || dosage.rateRatio !== undefined)) return null;
  const route = way === 'iv' ? (period ? 'iv-infusion' : isBolus(dosage) ? 'iv-bolus' : null) : way;
  return { ...amount, route, durationHours: hours, start: when.when.date, time: when.when.time, everyHours: null, count: null, stop: null, place }; // prettier-ignore
}

function regimenOf(dosages: Json | undefined, given: Json | undefined, place: string): DoseWithoutDrug | null {
  const all = objectsOf(dosages);
  const dosage = all[0];
  if (!dosage || all.length !== 1 || objectsOf(dosage.modifierExtension).length > 0) return null;
  if (dosage.asNeededBoolean === true || dosage.asNeeded === true || dosage.asNeededCodeableConcept !== undefined || dosage.asNeededFor !== undefined) return null; // prettier-ignore
  const rates = objectsOf(dosage.doseAndRate);
  if (rates.length > 1) return null;
  const amount = amountOf(rates[0]?.doseQuantity ?? dosage.doseQuantity);
  const route = wayOf(dosage);
  if (!amount || route === undefined || route === 'iv') return null;
  const timing = objectOf(dosage.timing);
  const repeat = objectOf(timing?.repeat);
  if (!timing || !repeat || timing.event !== undefined) return null;
  const everyHours = intervalOf(repeat);
  const bounds = objectOf(repeat.boundsPeriod) ?? objectOf(given);
  const start = whenOf(bounds?.start);
  const end = whenOf(bounds?.end);
  if (everyHours === null || start.kind !== 'date' || !isWholeDay(start.when.date) || start.when.time === null) return null;
  if (end.kind === 'impossible' || (end.kind === 'date' && !isWholeDay(end.when.date))) return null;
  const count = repeat.count === undefined ? null : wholeNumber(repeat.count);
  if (count === undefined) return null;
  const stop = count === null && end.kind === 'date' ? end.when.date : null;
  return { ...amount, route, durationHours: null, start: start.when.date, time: start.when.time, everyHours, count, stop, place };
}

const hoursPer = new Map([
  ['min', 1 / 60],
  ['h', 1],
  ['d', 24],
  ['wk', 168],
]);

/** Once every so many hours; null for what leaves the times open (`twice a day`, `with meals`, from two to three times). */
function intervalOf(repeat: JsonObject): number | null {
  const known = new Set(['frequency', 'period', 'periodUnit', 'count', 'boundsPeriod', 'extension', 'id']);
  if (Object.keys(repeat).some((key) => !known.has(key))) return null;
  const frequency = repeat.frequency === undefined ? 1 : numberOf(repeat.frequency);
  const period = numberOf(repeat.period);
  const hours = hoursPer.get(textOf(repeat.periodUnit) ?? '');
  return frequency === 1 && period !== null && period > 0 && hours !== undefined ? period * hours : null;
}

function amountOf(json: Json | undefined): { readonly amount: number; readonly unit: string } | null {
  const quantity = quantityOf(json);
  if (!quantity || quantity.isUnreadable || quantity.isDoubled || quantity.comparator !== '' || quantity.value === null)
    return null;
  const [code, unit] = [normaliseUnit(quantity.code), normaliseUnit(quantity.unit)];
  if (code !== null && unit !== null && code !== unit) return null;
  if (quantity.code !== '' && code === null) return null;
  const known = code ?? unit;
  return known !== null && amountUnits.has(known) && quantity.value > 0 ? { amount: quantity.value, unit: known } : null;
}

type Way = 'iv' | 'oral' | 'subcutaneous';

/** Null: not said. Undefined: said, and none of the ways that are known here. */
function wayOf(dosage: JsonObject): Way | null | undefined {
  if (dosage.route === undefined || dosage.route === null) return null;
  const route = conceptOf(dosage.route);
  const texts = [route.label, ...objectsOf(objectOf(dosage.route)?.coding).map((coding) => shownText(coding.display))];
  const codes = new Set(
    route.codings.filter((coding) => /v3-RouteOfAdministration/u.test(coding.system)).map((coding) => coding.code),
  );
  const ways = new Set<Way>();
  for (const text of texts) {
    if (/^(?:iv|intravenous(?:ly)?|intravenous (?:route|use|infusion|injection|bolus|push|drip)(?: of administration)?)(?: \(.*\))?$/iu.test(text)) ways.add('iv'); // prettier-ignore
    if (/^(?:po|oral(?:ly)?|oral (?:route|use)|by mouth|per os)(?: \(.*\))?$/iu.test(text)) ways.add('oral');
    if (/^(?:sc|sq|subcut|subcutaneous(?:ly)?|subcutaneous (?:route|use|injection))(?: \(.*\))?$/iu.test(text))
      ways.add('subcutaneous');
  }
  if (codes.has('IV') || codes.has('IVINJ') || codes.has('IVP') || codes.has('IVPB')) ways.add('iv');
  if (codes.has('PO') || codes.has('SWALLOW')) ways.add('oral');
  if (codes.has('SQ') || codes.has('SUBCUT')) ways.add('subcutaneous');
  return ways.size === 1 ? [...ways][0] : undefined;
}

function isBolus(dosage: JsonObject): boolean {
  return /\b(?:bolus|push)\b/iu.test(`${conceptOf(dosage.method).label} ${conceptOf(dosage.route).label}`);
}

function hoursOf(period: JsonObject): number | null {
  const [start, end] = [whenOf(period.start), whenOf(period.end)];
  if (start.kind !== 'date' || end.kind !== 'date' || start.when.instant === null || end.when.instant === null) return null;
  const hours = (end.when.instant - start.when.instant) / 3_600_000;
  return hours > 0 ? hours : null;
}

function numberOf(json: Json | undefined): number | null {
  return json instanceof JsonNumber ? json.value : null;
}

function wholeNumber(json: Json): number | undefined {
  const value = numberOf(json);
  return value !== null && Number.isInteger(value) && value > 0 ? value : undefined;
}

/** One line on how it was to be taken, for a person to read. */
export function dosageText(resource: JsonObject): string {
  const dosages = [...objectsOf(resource.dosageInstruction), ...objectsOf(resource.dosage)];
  return dosages
    .map((dosage) => shownText(dosage.text) || [amountText(dosage), timingText(dosage)].filter(Boolean).join(' '))
    .filter(Boolean)
    .join('; ');
}

function amountText(dosage: JsonObject): string {
  const quantity = quantityOf(objectsOf(dosage.doseAndRate)[0]?.doseQuantity ?? dosage.doseQuantity ?? dosage.dose);
  return quantity ? shownText(`${quantity.text} ${quantity.unit || quantity.code}`.trim()) : '';
}

function timingText(dosage: JsonObject): string {
  const timing = objectOf(dosage.timing);
  const repeat = timing?.repeat;
  if (!isObject(repeat)) return conceptOf(timing?.code).label;
  const [frequency, period, unit] = [numberOf(repeat.frequency), numberOf(repeat.period), textOf(repeat.periodUnit)];
  return frequency === null || period === null || unit === null ? '' : `${frequency} × in ${period} ${unit}`;
}
