/** Parts of FHIR resources, read with care: a part of another type than the standard's is as if it were absent. */
import { cleanText, shortened } from '../clean-text.ts';
import { isObject, JsonConflict, JsonNumber, type Json, type JsonObject } from '../json-reader.ts';
import { readDate, type ReadDate } from '../partial-date.ts';

export interface Coding {
  readonly system: string;
  readonly code: string;
}

/** A CodeableConcept, or what an R5 CodeableReference has in its place. */
export interface Concept {
  readonly codings: readonly Coding[];
  /** Readable; empty where it has no text, display or code. */
  readonly label: string;
}

export const noConcept: Concept = { codings: [], label: '' };

export function textOf(json: Json | undefined): string | null {
  return typeof json === 'string' && json !== '' ? json : null;
}

export function objectOf(json: Json | undefined): JsonObject | null {
  return isObject(json) ? json : null;
}

/** The objects of an array; of a single object where the standard has an array, as R5 and careless exporters do, that one. */
export function objectsOf(json: Json | undefined): readonly JsonObject[] {
  if (isObject(json)) return [json];
  return Array.isArray(json) ? (json as readonly Json[]).filter(isObject) : [];
}

/** What a person reads: hidden controls out, at most 200 characters. */
export function shownText(json: Json | undefined): string {
  const text = textOf(json);
  return text === null ? '' : shortened(cleanText(text));
}

export function conceptOf(json: Json | undefined): Concept {
  const concept = objectOf(json);
  if (!concept) return noConcept;
  const codings: Coding[] = [];
  let label = shownText(concept.text);
  for (const coding of objectsOf(concept.coding)) {
    const code = textOf(coding.code);
    if (label === '') label = shownText(coding.display);
    if (code !== null) codings.push({ system: textOf(coding.system) ?? '', code });
  }
  return { codings, label: label === '' ? shortened(cleanText(codings[0]?.code ?? '')) : label };
}

/** The codes of a concept that has one of a few, as `clinicalStatus`: lower case. */
export function codesOf(json: Json | undefined): readonly string[] {
  return conceptOf(json).codings.map((coding) => coding.code.toLowerCase());
}

export interface Reference {
  /** As written; empty where only an identifier or a name stands there. */
  readonly reference: string;
  readonly identifier: Coding | null;
  readonly display: string;
  readonly type: string;
}

export function referenceOf(json: Json | undefined): Reference | null {
  // R5 has arrays in some places; one entry is as good as the entry itself, several would be a choice.
  const reference = Array.isArray(json) ? (json.length === 1 ? objectOf((json as readonly Json[])[0]) : null) : objectOf(json);
  if (!reference) return null;
  const identifier = objectOf(reference.identifier);
  const value = textOf(identifier?.value);
  return {
    reference: textOf(reference.reference)?.trim() ?? '',
    identifier: value === null ? null : { system: textOf(identifier?.system) ?? '', code: value },
    display: shownText(reference.display),
    type: textOf(reference.type) ?? '',
  };
}

export type WhenRead =
  { readonly kind: 'date'; readonly when: ReadDate } | { readonly kind: 'none' } | { readonly kind: 'impossible' };

/** A date, dateTime or instant. */
export function whenOf(json: Json | undefined): WhenRead {
  if (json === undefined || json === null) return { kind: 'none' };
  const text = textOf(json);
  if (text === null) return { kind: 'impossible' };
  const when = readDate(text.trim());
  return when ? { kind: 'date', when } : { kind: 'impossible' };
}

/**
 * The first of several elements that has a time: dateTime, Period (its start, else its end) or Timing with one event. `none` where no
 * element is there.
 */
export function firstWhen(resource: JsonObject, names: readonly string[]): WhenRead {
  for (const name of names) {
    const json = resource[name];
    if (json === undefined || json === null) continue;
    const period = objectOf(json);
    if (!period) return whenOf(json);
    const events = Array.isArray(period.event) ? (period.event as readonly Json[]) : [];
    if (events.length > 0) return events.length === 1 ? whenOf(events[0]) : { kind: 'none' };
    const start = whenOf(period.start);
    return start.kind === 'none' ? whenOf(period.end) : start;
  }
  return { kind: 'none' };
}

export interface Quantity {
  /** As received; empty without a value. */
  readonly text: string;
  /** Null where the value is no JSON number. */
  readonly value: number | null;
  readonly comparator: string;
  readonly unit: string;
  readonly system: string;
  readonly code: string;
  /** A part that says what the number means is there and cannot be read. */
  readonly isUnreadable: boolean;
  readonly isDoubled: boolean;
}

export function quantityOf(json: Json | undefined): Quantity | null {
  const quantity = objectOf(json);
  if (!quantity) return null;
  const { value } = quantity;
  const parts = ['comparator', 'unit', 'system', 'code'].map((name) => quantity[name]);
  return {
    text: receivedText(value),
    value: value instanceof JsonNumber ? value.value : null,
    comparator: textOf(quantity.comparator) ?? '',
    unit: textOf(quantity.unit) ?? '',
    system: textOf(quantity.system) ?? '',
    code: textOf(quantity.code) ?? '',
    isUnreadable: parts.some((part) => part !== undefined && part !== null && typeof part !== 'string'),
    isDoubled: [value, ...parts].some((part) => part instanceof JsonConflict),
  };
}

/** A value as it stood in the file, on one line. */
export function receivedText(json: Json | undefined): string {
  if (json instanceof JsonNumber) return json.text;
  if (json instanceof JsonConflict) return json.values.map(receivedText).join(' or ');
  if (typeof json === 'string') return shortened(cleanText(json));
  if (typeof json === 'boolean') return String(json);
  return '';
}
