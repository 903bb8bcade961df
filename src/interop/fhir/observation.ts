/**
 * Numbers of an Observation and of its components. Whatever could change what a number means (status, comparator, unit, code, an
 * unknown modifier) is read before the number is; where one of them cannot be read, the number is kept as received with the reason.
 */
import { analyteById, analyteOf, convert, sameUnit, type AnalyteMatch } from '../analytes.ts';
import { ownText, ownTexts } from '../clean-text.ts';
import { ConfirmedCodes } from '../confirmed-codes.ts';
import type { ImportCode } from '../import-codes.ts';
import type { ImportedConcept, ImportedObservation } from '../imported.ts';
import type { ConfirmedCode } from '../protocol.ts';
import { isUcumSystem, normaliseUnit } from '../units.ts';
import { JsonConflict, JsonNumber, type Json, type JsonObject } from '../json-reader.ts';
import { conceptOf, firstWhen, objectOf, objectsOf, quantityOf, receivedText, referenceOf, shownText, textOf, whenOf, type Concept, type Quantity } from './elements.ts'; // prettier-ignore

/** A value that is no number, for the background. */
export interface ObservedText {
  readonly label: string;
  readonly detail: string;
}

export interface ReadObservation {
  readonly numbers: readonly ImportedObservation[];
  readonly texts: readonly ObservedText[];
  /** Concerns the resource and not one number: left out by its status, no value. */
  readonly notice: ImportCode | null;
}

const excludedStatus = new Set(['entered-in-error', 'cancelled']);
const openStatus = new Set(['registered', 'preliminary', 'unknown', 'specimen-in-process']);
const changedStatus = new Set(['amended', 'corrected', 'appended']);

export class ObservationReader {
  readonly #concepts = new Map<string, { readonly concept: ImportedConcept; readonly match: AnalyteMatch | null }>();
  readonly #confirmed: ConfirmedCodes;

  constructor(confirmed: readonly ConfirmedCode[]) {
    this.#confirmed = new ConfirmedCodes(confirmed);
  }

  /** Reads one Observation. `place` is where it stands. */
  read(resource: JsonObject, place: string): ReadObservation {
    const status = textOf(resource.status)?.toLowerCase() ?? '';
    if (excludedStatus.has(status)) return { numbers: [], texts: [], notice: 'status_excluded' };

    const whole = wholeOf(resource, status);
    const numbers: ImportedObservation[] = [];
    const texts: ObservedText[] = [];
    const nodes = [resource, ...objectsOf(resource.component)];
    let hasValue = false;
    nodes.forEach((node, index) => {
      const name = index === 0 ? place : `${place} component ${index}`;
      const read = this.#node(node, name, whole);
      if (read === null) return;
      hasValue = true;
      if ('detail' in read) texts.push(read);
      else numbers.push(read);
    });
    const isEmpty = !hasValue && objectsOf(resource.hasMember).length === 0;
    return { numbers, texts, notice: isEmpty ? 'value_absent' : null };
  }

  #node(node: JsonObject, place: string, whole: Whole): ImportedObservation | ObservedText | null {
    const names = Object.keys(node).filter((key) => key.startsWith('value') && node[key] !== null);
    const code = conceptOf(node.code);
    const name = names[0];
    const absent = node.dataAbsentReason;
    if (name === undefined) {
      if (absent === undefined || absent === null) return null;
      return { label: labelOf(code), detail: `no value: ${conceptOf(absent).label || 'reason not given'}` };
    }
    const { concept, match } = this.#conceptOf(code);
    const received = withLimit(receivedOf(node, name), node);
    const problems = [...whole.problems];
    if (names.length > 1 || hasModifier(node)) problems.push(names.length > 1 ? 'resource_invalid' : 'modifier_unknown');
    if (absent !== undefined && absent !== null) problems.push('value_absent');
    if (node.code instanceof JsonConflict) problems.push('key_duplicate');
    if (received.kind === 'text') {
      // Text stays text; only where something is wrong with the whole it has to be said.
      return { label: labelOf(code), detail: received.text };
    }
    const doubts = [...whole.doubts];
    if (received.comparator !== null) doubts.push('value_censored');
    if (received.isImprecise) doubts.push('value_imprecise');
    // So small that only zero is left of it.
    if (received.isImprecise && received.value === 0) problems.push('value_imprecise');
    const problem = problems[0] ?? received.problem;
    const base = {
      concept,
      date: whole.date,
      time: whole.time,
      instant: whole.instant,
      receivedValue: ownText(received.text),
      receivedUnit: ownText(received.unit),
      comparator: received.comparator,
      place,
    };
    if (problem !== null || received.value === null) {
      return { ...base, value: null, unit: '', problem: problem ?? 'value_not_a_number', doubts };
    }
    if (match === null) return { ...base, value: null, unit: '', problem: 'analyte_unknown', doubts };
    const unit = decidingUnit(received, match);
    if (unit === null) return { ...base, value: null, unit: '', problem: 'unit_contradicts', doubts };
    // An integer is a count by its type: it needs no unit.
    const converted = convert(match.analyte, received.value, unit, match.code);
    const extra = received.kind === 'integer' ? converted.doubts.filter((doubt) => doubt !== 'unit_missing') : converted.doubts;
    return { ...base, value: converted.value, unit: converted.unit, problem: converted.problem, doubts: [...doubts, ...extra] };
  }

  #conceptOf(code: Concept): { readonly concept: ImportedConcept; readonly match: AnalyteMatch | null } {
    const key = [code.label, ...code.codings.flatMap((coding) => [coding.system, coding.code])].join('\n');
    const known = this.#concepts.get(key);
    if (known) return known;
    const match = this.#matchOf(code);
    const concept: ImportedConcept = ownTexts({
      codings: code.codings,
      label: labelOf(code),
      analyte: match?.analyte.id ?? null,
    });
    const entry = { concept, match };
    this.#concepts.set(ownText(key), entry);
    return entry;
  }

  /** By LOINC, else by what a person confirmed; never by text alone. */
  #matchOf(code: Concept): AnalyteMatch | null {
    const found = analyteOf(code.codings, code.label);
    if (found && !found.isSuggestion) return found;
    for (const one of [...code.codings, { system: '', code: code.label }]) {
      const id = this.#confirmed.find(one.system, one.code);
      const analyte = id === undefined ? null : analyteById(id);
      if (analyte) return { analyte, code: null, isSuggestion: false };
    }
    return null;
  }
}

function labelOf(code: Concept): string {
  return code.label === '' ? 'Observation without a name' : code.label;
}

/** What all numbers of one Observation share. */
interface Whole {
  readonly date: string | null;
  readonly time: string | null;
  readonly instant: number | null;
  readonly problems: readonly ImportCode[];
  readonly doubts: readonly ImportCode[];
}

function wholeOf(resource: JsonObject, status: string): Whole {
  const problems: ImportCode[] = [];
  const doubts: ImportCode[] = [];
  if (resource.status instanceof JsonConflict) problems.push('key_duplicate');
  else if (openStatus.has(status) || status === '') doubts.push('status_preliminary');
  else if (changedStatus.has(status)) doubts.push('status_corrected');
  else if (status !== 'final') problems.push('resource_invalid');
  if (resource.status !== undefined && typeof resource.status !== 'string' && problems.length === 0)
    problems.push('resource_invalid');
  if (hasModifier(resource) || isAboutAnother(resource)) problems.push('modifier_unknown');
  const effective = firstWhen(resource, ['effectiveDateTime', 'effectiveInstant', 'effectivePeriod', 'effectiveTiming']);
  // Without a time of its own it was reported at `issued` at the latest: a date, and a doubt.
  const when = effective.kind === 'none' ? whenOf(resource.issued) : effective;
  if (when.kind === 'impossible') problems.push('date_impossible');
  if (effective.kind === 'none') doubts.push('date_missing');
  if (when.kind !== 'date') return { date: null, time: null, instant: null, problems, doubts };
  if (when.when.date.length < 10) doubts.push('date_partial');
  return { ...when.when, problems, doubts };
}

/** An extension that the standard says must be understood. Ours to understand is none. */
function hasModifier(node: JsonObject): boolean {
  return objectsOf(node.modifierExtension).length > 0 || textOf(node.implicitRules) !== null;
}

/** A focus says that the value is of somebody or something else: a fetus, a donor, a device. */
function isAboutAnother(resource: JsonObject): boolean {
  const subject = referenceOf(resource.subject)?.reference;
  return objectsOf(resource.focus).some((focus) => referenceOf(focus)?.reference !== subject || subject === undefined);
}

/** Off the scale of the instrument, said by the interpretation: the number is the end of the scale. */
function withLimit(received: Received, node: JsonObject): Received {
  if (received.kind === 'text' || received.comparator !== null) return received;
  const codes = objectsOf(node.interpretation).flatMap((one) => conceptOf(one).codings);
  const signs = new Set(
    codes.flatMap(({ system, code }) =>
      /ObservationInterpretation|v2[-/]0078/u.test(system) && (code === '<' || code === '>') ? [code] : [],
    ),
  );
  const [sign] = signs;
  return signs.size === 1 && (sign === '<' || sign === '>') ? { ...received, comparator: sign } : received;
}

type Received = ReceivedNumber | { readonly kind: 'text'; readonly text: string };

interface ReceivedNumber {
  readonly kind: 'quantity' | 'integer' | 'string';
  readonly text: string;
  readonly unit: string;
  readonly value: number | null;
  readonly comparator: '<' | '>' | null;
  readonly isImprecise: boolean;
  readonly problem: ImportCode | null;
  readonly quantity: Quantity | null;
}

const noNumber = { kind: 'quantity', unit: '', value: null, comparator: null, isImprecise: false, quantity: null } as const;

function receivedOf(node: JsonObject, name: string): Received {
  const json = node[name];
  if (json instanceof JsonConflict) return { ...noNumber, text: receivedText(json), problem: 'key_duplicate' };
  switch (name) {
    case 'valueQuantity':
      return receivedQuantity(json);
    case 'valueInteger':
    case 'valueDecimal':
      if (!(json instanceof JsonNumber)) return { ...noNumber, text: receivedText(json), problem: 'value_not_a_number' };
      return { ...noNumber, kind: 'integer', text: json.text, value: json.value, isImprecise: json.isImprecise, problem: null };
    case 'valueString':
      return receivedString(json);
    case 'valueCodeableConcept':
      return { kind: 'text', text: conceptOf(json).label || 'coded, without a text' };
    case 'valueBoolean':
      return { kind: 'text', text: json === true ? 'yes' : json === false ? 'no' : receivedText(json) };
    case 'valueRange':
      return { ...noNumber, text: rangeText(json), unit: unitText(objectOf(json)?.low), problem: 'value_not_a_number' };
    case 'valueRatio':
      return { ...noNumber, text: ratioText(json), problem: 'value_not_a_number' };
    case 'valueSampledData':
      return { ...noNumber, text: 'a series of samples', problem: 'value_not_a_number' };
    case 'valuePeriod':
      return { kind: 'text', text: [objectOf(json)?.start, objectOf(json)?.end].map(shownText).join(' to ') };
    default:
      return { kind: 'text', text: receivedText(json) || 'a value of another kind' };
  }
}

function receivedQuantity(json: Json | undefined): ReceivedNumber {
  const quantity = quantityOf(json);
  if (!quantity) return { ...noNumber, text: receivedText(json), problem: 'resource_invalid' };
  const unit = receivedUnitOf(quantity);
  const sign = comparatorOf(quantity.comparator);
  const text = `${quantity.comparator}${quantity.text}`;
  const number = objectOf(json)?.value;
  return {
    kind: 'quantity',
    text,
    unit,
    value: quantity.value,
    comparator: sign ?? null,
    isImprecise: number instanceof JsonNumber && number.isImprecise,
    problem: quantityProblem(quantity, sign, hasModifier(objectOf(json) ?? {})),
    quantity,
  };
}

/** The printed unit, and the coded one beside it where it is written otherwise. */
function receivedUnitOf({ unit, code }: Quantity): string {
  if (unit === '' || code === '') return shownText(unit === '' ? code : unit);
  const isSame = unit === code || normaliseUnit(unit) === normaliseUnit(code);
  return shownText(isSame ? unit : `${unit} (coded ${code})`);
}

function quantityProblem(quantity: Quantity, sign: '<' | '>' | null | undefined, isModified: boolean): ImportCode | null {
  if (quantity.isDoubled) return 'key_duplicate';
  if (quantity.text === '') return 'value_absent';
  if (quantity.isUnreadable) return 'resource_invalid';
  if (isModified) return 'modifier_unknown';
  if (sign === undefined) return 'value_not_a_number';
  if (quantity.value === null) return /^\s*[+-]?\d+,\d+\s*$/u.test(quantity.text) ? 'decimal_comma' : 'value_not_a_number';
  return null;
}

/** Null without a comparator; undefined for one that makes the number neither a value nor a limit. */
function comparatorOf(text: string): '<' | '>' | null | undefined {
  switch (text.trim()) {
    case '':
      return null;
    case '<':
    case '<=':
    case '≤':
      return '<';
    case '>':
    case '>=':
    case '≥':
      return '>';
    default:
      return undefined;
  }
}

// `<5`, `5.4`, `> 90 mL/min/1.73m2`: a comparator, digits, a unit. A comma, or a point with three digits after it, can be a mark of
// thousands: such a number is kept as received.
const numberText = /^\s*(<=|>=|[<>≤≥])?\s*([+-]?\d+(?:[.,]\d+)*)\s*([^\d\s<>≤≥.,][^<>≤≥]{0,39})?\s*$/u;

function receivedString(json: Json | undefined): Received {
  const text = textOf(json);
  if (text === null) return { kind: 'text', text: receivedText(json) };
  const parts = numberText.exec(text);
  const digits = parts?.[2];
  if (!parts || digits === undefined) return { kind: 'text', text: shownText(json) };
  const unit = (parts[3] ?? '').trim();
  // Words after a number (`3 cigarettes a day`) make it a sentence.
  if (unit !== '' && normaliseUnit(unit) === null) return { kind: 'text', text: shownText(json) };
  const sign = comparatorOf(parts[1] ?? '');
  const base = {
    kind: 'string',
    text: shownText(json),
    unit,
    comparator: sign ?? null,
    isImprecise: false,
    quantity: null,
  } as const;
  if (digits.includes(',')) return { ...base, value: null, problem: 'decimal_comma' };
  if (/\..*\./u.test(digits) || /^[+-]?[1-9]\d{0,2}\.\d{3}$/u.test(digits) || digits.length > 15) {
    return { ...base, value: null, problem: 'value_not_a_number' };
  }
  return { ...base, value: Number(digits), problem: null };
}

/**
 * The text that decides the unit: the UCUM code, else the printed unit. Null where code and print name different units: 97 mg/dL coded
 * as umol/L is wrong in one of them, and nobody but the sender knows in which.
 */
function decidingUnit(received: ReceivedNumber, match: AnalyteMatch): string | null {
  const { quantity } = received;
  if (quantity === null) return received.unit;
  const { unit, code } = quantity;
  if (code === '') return unit;
  if (unit === '') return code;
  const isKnown = (text: string): boolean => normaliseUnit(text) !== null;
  if (isKnown(unit) && isKnown(code)) return sameUnit(match.analyte, match.code, unit, code) ? code : null;
  // A code that says UCUM and is not known here is not replaced by what happens to be printed beside it.
  if (isKnown(code)) return code;
  return isUcumSystem(quantity.system) ? code : unit;
}

function rangeText(json: Json | undefined): string {
  const range = objectOf(json);
  return [range?.low, range?.high].map((end) => quantityOf(end)?.text ?? '').join('–');
}

function ratioText(json: Json | undefined): string {
  const ratio = objectOf(json);
  return [ratio?.numerator, ratio?.denominator]
    .map((part) => {
      const quantity = quantityOf(part);
      return quantity ? `${quantity.comparator}${quantity.text} ${quantity.unit || quantity.code}`.trim() : '';
    })
    .join(' : ');
}

function unitText(json: Json | undefined): string {
  const quantity = quantityOf(json);
  return quantity ? quantity.unit || quantity.code : '';
}
