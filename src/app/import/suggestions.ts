/** Facts that a pack asks of a person and that a file may answer: offered with where they come from, taken over when a person says so. */
import type { CovariateValue, IsoDate, Observation, PartialDate } from '#domain/record.ts';
import { normaliseName } from '#interop/analytes.ts';
import type { ImportedPatient } from '#interop/imported.ts';
import { toCanonical, unitsOf } from '#packs/conditioning.ts';
import type { Covariate, PackManifest } from '#packs/manifest.ts';
import { readQuantity } from '../read-number.ts';
import { unitMeant } from '../units.ts';

export const suggestionKinds = ['age', 'sex', 'measured', 'fact'] as const;
/** `age`: computed from the birth date. `sex`: administrative. `measured`: a value at entry. `fact`: a column of the table. */
export type SuggestionKind = (typeof suggestionKinds)[number];

export interface Suggestion {
  readonly kind: SuggestionKind;
  readonly covariate: string;
  readonly label: string;
  readonly value: CovariateValue;
  /** UCUM; empty for a category. */
  readonly unit: string;
  /** As it is shown: a category's label, or the number. */
  readonly text: string;
  /** "measured on 2020-03-01". */
  readonly from: string;
  /** The column it came from, for facts. */
  readonly column: string | null;
}

type NumberCovariate = Extract<Covariate, { kind: 'number' }>;
type Found = Pick<Suggestion, 'kind' | 'value' | 'text' | 'from'> & { readonly column?: string };

/**
 * One suggestion for each covariate of the packs that the file answers without doubt. A covariate of one id is one thing in all packs;
 * where they differ in unit or categories the first pack's holds, as in the record.
 */
export function suggestCovariates(
  patient: Pick<ImportedPatient, 'identity' | 'facts'>,
  observations: readonly Observation[],
  entryDate: IsoDate,
  packs: readonly PackManifest[],
): readonly Suggestion[] {
  const covariates = new Map<string, Covariate>();
  for (const covariate of packs.flatMap((manifest) => manifest.covariates))
    if (!covariates.has(covariate.id)) covariates.set(covariate.id, covariate);
  return [...covariates.values()].flatMap((covariate): Suggestion[] => {
    const found =
      fromFacts(covariate, patient.facts) ??
      (covariate.kind === 'number'
        ? (fromBirth(covariate, patient.identity.birthDate, entryDate) ?? fromValues(covariate, observations, entryDate, packs))
        : fromSex(covariate, patient.identity.sex));
    const { id, label } = covariate;
    const unit = covariate.kind === 'number' ? covariate.unit : '';
    return found ? [{ column: null, ...found, covariate: id, label, unit }] : [];
  });
}

/** Completed years. Where only a month or a year is known, two ages may be possible: then none is offered. */
function fromBirth({ id, unit }: NumberCovariate, birthDate: PartialDate | undefined, entryDate: IsoDate): Found | null {
  if (id !== 'age' || unit !== 'a' || !birthDate) return null;
  const oldest = completedYears(birthDate + '-01-01'.slice(birthDate.length - 4), entryDate);
  const youngest = completedYears(birthDate + '-12-31'.slice(birthDate.length - 4), entryDate);
  if (youngest !== oldest || oldest < 0) return null;
  return { kind: 'age', value: oldest, text: String(oldest), from: `from the date of birth, on ${entryDate}` };
}

function completedYears(born: string, day: IsoDate): number {
  const years = Number(day.slice(0, 4)) - Number(born.slice(0, 4));
  return day.slice(4) < born.slice(4) ? years - 1 : years;
}

function fromSex(covariate: Exclude<Covariate, NumberCovariate>, sex: string | undefined): Found | null {
  const category = covariate.id === 'sex' ? covariate.categories.find(({ value }) => value === sex) : undefined;
  return category
    ? { kind: 'sex', value: category.value, text: category.label, from: 'the administrative sex in the file' }
    : null;
}

/** The latest value by the day of entry, else the first one after it. */
function fromValues(
  covariate: NumberCovariate,
  observations: readonly Observation[],
  entryDate: IsoDate,
  packs: readonly PackManifest[],
): Found | null {
  const code = codeOfValues(covariate, packs);
  if (code === null) return null;
  let best: Observation | null = null;
  for (const one of observations) {
    if (one.code !== code || one.isBelowLimit || one.isAboveLimit || !unitsOf(covariate).includes(one.unit)) continue;
    // A baseline is what was there before anything happened: a later value is none.
    if (code !== covariate.id && one.date > entryDate) continue;
    if (best === null || isNearerEntry(one, best, entryDate)) best = one;
  }
  if (best === null) return null;
  const value = Number(toCanonical(covariate, best.value, best.unit).toPrecision(6));
  const [low, high] = covariate.plausible;
  if (value < low || value > high) return null;
  return { kind: 'measured', value, text: String(value), from: `measured on ${best.date}` };
}

function isNearerEntry(one: Observation, best: Observation, entryDate: IsoDate): boolean {
  const isBy = one.date <= entryDate;
  if (isBy !== best.date <= entryDate) return isBy;
  return isBy ? one.date > best.date : one.date < best.date;
}

/** Under which code values of a covariate stand. Null where every pack that asks for it reads the values themselves. */
function codeOfValues(covariate: NumberCovariate, packs: readonly PackManifest[]): string | null {
  const asking = packs.filter((manifest) => manifest.covariates.some(({ id }) => id === covariate.id));
  const isOwnMeasure = asking.every(({ kind }) => kind === 'equations') && covariate.varies === true;
  if (isOwnMeasure || covariate.id === 'age') return null;
  const marker = packs
    .flatMap(({ markers }) => markers)
    .find(({ id, codes }) => id !== covariate.id && codes?.some((one) => covariate.codes?.some(({ code }) => code === one.code)));
  return marker?.id ?? covariate.id;
}

/** A column called like the covariate. A number needs its unit, unless there is only one it can have. */
function fromFacts(covariate: Covariate, facts: Readonly<Record<string, string>>): Found | null {
  const names = new Set([normaliseName(covariate.id), normaliseName(covariate.label)]);
  for (const [column, text] of Object.entries(facts)) {
    if (!names.has(normaliseName(column))) continue;
    const from = `column “${column}”`;
    if (covariate.kind === 'category') {
      const wanted = normaliseName(text);
      const category = covariate.categories.find(
        ({ value, label }) => text.trim() === value || (wanted !== '' && wanted === normaliseName(label)),
      );
      if (category) return { kind: 'fact', value: category.value, text: category.label, from, column };
      continue;
    }
    const read = readQuantity(text);
    const isClear = covariate.unit === '1' || covariate.unit === 'a';
    const unit = read && (read.unit === '' ? (isClear ? covariate.unit : null) : unitMeant(read.unit, unitsOf(covariate)));
    if (!read || unit === null) continue;
    const value = toCanonical(covariate, read.value, unit);
    const [low, high] = covariate.plausible;
    if (value >= low && value <= high) return { kind: 'fact', value, text: String(value), from, column };
  }
  return null;
}
