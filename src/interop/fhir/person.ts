/** Patient resources: who a person is, as far as the file says, and why a person cannot be taken. */
import type { Identity, IsoDate, PartialDate } from '#domain/record.ts';
import { cleanText } from '../clean-text.ts';
import type { ImportCode } from '../import-codes.ts';
import type { JsonObject } from '../json-reader.ts';
import { isSurelyBefore, leastYearsBetween } from '../partial-date.ts';
import { objectOf, objectsOf, shownText, textOf, whenOf } from './elements.ts';

export interface Person {
  readonly identity: Identity;
  readonly deceasedOn: PartialDate | null;
  readonly doubts: readonly ImportCode[];
  /** Why nothing of this person may be taken; null if it may. */
  readonly refusal: ImportCode | null;
}

const oldestAge = 120;

/** `today` is the last day that is not in the future. */
export function personOf(resource: JsonObject, today: IsoDate): Person {
  const doubts: ImportCode[] = [];
  let refusal: ImportCode | null = null;
  const birth = whenOf(resource.birthDate);
  const death = whenOf(resource.deceasedDateTime);
  const birthDate = birth.kind === 'date' ? birth.when.date : undefined;
  const deceasedOn = death.kind === 'date' ? death.when.date : null;
  if (birth.kind === 'impossible') refusal = 'date_impossible';
  if (birthDate !== undefined) {
    if (isSurelyBefore(today, birthDate)) refusal = 'birth_in_future';
    else if (leastYearsBetween(birthDate, deceasedOn ?? today) > oldestAge) doubts.push('age_implausible');
    if (birthDate.length < 10) doubts.push('date_partial');
    if (deceasedOn !== null && isSurelyBefore(deceasedOn, birthDate)) doubts.push('before_birth');
  }
  if (death.kind === 'impossible') doubts.push('date_impossible');
  if (deceasedOn !== null && isSurelyBefore(today, deceasedOn)) doubts.push('date_in_future');
  const name = nameOf(resource);
  const sex = textOf(resource.gender);
  const identity: Identity = {
    ...(name === '' ? {} : { name }),
    ...(birthDate === undefined ? {} : { birthDate }),
    ...(sex === 'female' || sex === 'male' || sex === 'other' || sex === 'unknown' ? { sex } : {}),
    identifiers: identifiersOf(resource),
  };
  return { identity, deceasedOn, doubts, refusal };
}

/** The official name, else the usual one, else the first; as one line. */
function nameOf(resource: JsonObject): string {
  const names = objectsOf(resource.name);
  const name = names.find((one) => one.use === 'official') ?? names.find((one) => one.use === 'usual') ?? names[0];
  if (!name) return '';
  const parts = (key: string): readonly string[] => {
    const part = name[key];
    return (Array.isArray(part) ? part : [part]).map(shownText).filter((text) => text !== '');
  };
  const whole = [...parts('given'), ...parts('family'), ...parts('suffix')].join(' ');
  return whole === '' ? shownText(name.text) : whole;
}

export function identifiersOf(resource: JsonObject): readonly { readonly system: string; readonly value: string }[] {
  return objectsOf(resource.identifier).flatMap((identifier) => {
    const value = cleanText(textOf(identifier.value) ?? '');
    return value === '' ? [] : [{ system: cleanText(textOf(identifier.system) ?? ''), value }];
  });
}

/** References of `Patient.link`, for finding circles. */
export function linksOf(resource: JsonObject): readonly string[] {
  return objectsOf(resource.link).flatMap((link) => textOf(objectOf(link.other)?.reference) ?? []);
}
