/** From values as a person has them to the numbers a network reads, and back. */
import { AppError } from '#domain/errors.ts';
import type { CovariateValue } from '#domain/record.ts';
import { covariateInputCount } from './manifest-views.ts';
import type { ConditioningInput, Covariate, LearnedManifest, Marker, Quantity, Sign, Transform } from './manifest.ts';

type Covariates = Readonly<Record<string, CovariateValue>>;
type Inputs = Pick<LearnedManifest, 'conditioning' | 'covariates' | 'markers'>;

export interface CovariateInputs {
  /** [C] the part of v that describes the person and stays the same over a forecast. */
  readonly values: Float64Array;
  /** Ids of covariates and entry markers that were absent, so that `whenMissing` stands in their place. */
  readonly missing: readonly string[];
}

/**
 * The first C inputs of v. Covariates and entry markers are in canonical units; what the pack does not read is ignored. Throws
 * `covariate_invalid` for a value that is of the wrong kind or a category the pack does not know.
 */
export function covariateInputs(
  manifest: Inputs,
  covariates: Covariates,
  entryMarkers: Readonly<Record<string, number>>,
): CovariateInputs {
  const missing = new Set<string>();
  const values = Float64Array.from(manifest.conditioning.slice(0, covariateInputCount(manifest)), (input) => {
    const value = personInput(manifest, input, covariates, entryMarkers);
    if (value !== undefined) return value;
    missing.add(input.id);
    return input.from === 'intervention' ? 0 : input.whenMissing;
  });
  return { values, missing: [...missing] };
}

function personInput(
  manifest: Inputs,
  input: ConditioningInput,
  covariates: Covariates,
  entryMarkers: Readonly<Record<string, number>>,
): number | undefined {
  if (input.from === 'intervention') return undefined;
  if (input.from === 'entry-marker') {
    const value = own(entryMarkers, input.id);
    const marker = manifest.markers.find(({ id }) => id === input.id)!;
    return value === undefined ? undefined : toState(marker, value);
  }
  const value = own(covariates, input.id);
  if (value === undefined) return undefined;
  const covariate = manifest.covariates.find(({ id }) => id === input.id)!;
  checkCovariate(covariate, value);
  if ('equals' in input) return value === input.equals ? 1 : 0;
  const low = covariate.kind === 'number' ? covariate.plausible[0] : 0;
  return standardise(input.transform, value as number, low);
}

function checkCovariate(covariate: Covariate, value: CovariateValue): void {
  if (covariate.kind === 'number') {
    if (typeof value === 'number' && Number.isFinite(value)) return;
    throw new AppError('covariate_invalid', `${covariate.label}: expected a number in ${covariate.unit}. Enter a number.`);
  }
  const known = covariate.categories.map((category) => category.value);
  if (typeof value === 'string' && known.includes(value)) return;
  throw new AppError('covariate_invalid', `${covariate.label}: expected one of ${known.join(', ')}. Choose one of these.`);
}

/**
 * v of one grid step: `base` (the values of `covariateInputs`), then 1 for each intervention input whose intervention is active,
 * 0 otherwise. An input that holds only in some people (`when`) is 0 where their covariate is missing.
 */
export function conditioningAt(
  manifest: Pick<LearnedManifest, 'conditioning'>,
  base: Float64Array,
  activeInterventions: ReadonlySet<string>,
  covariates: Covariates,
): Float64Array {
  return Float64Array.from(manifest.conditioning, (input, i) => {
    if (input.from !== 'intervention') return base[i]!;
    const holds = !('when' in input) || own(covariates, input.when.covariate) === input.when.equals;
    return holds && activeInterventions.has(input.id) ? 1 : 0;
  });
}

/** A marker's value in its canonical unit → standardised state. */
export function toState(marker: Pick<Marker, 'transform' | 'plausible'>, value: number): number {
  return standardise(marker.transform, value, marker.plausible[0]);
}

/** Standardised state → a marker's value in its canonical unit. */
export function fromState(marker: Pick<Marker, 'transform'>, state: number): number {
  const { kind, mean, sd } = marker.transform;
  const inner = mean + sd * state;
  if (kind === 'log') return Math.exp(inner);
  return kind === 'sqrt' ? Math.max(0, inner) ** 2 : inner;
}

/**
 * A laboratory that reports zero means "too little to measure". A logarithm cannot say that, so half the lowest plausible value
 * stands for it, as is usual for values below a limit of detection.
 */
function standardise({ kind, mean, sd }: Transform, value: number, plausibleLow: number): number {
  if (kind === 'log') return (Math.log(value > 0 ? value : plausibleLow / 2) - mean) / sd;
  return ((kind === 'sqrt' ? Math.sqrt(Math.max(0, value)) : value) - mean) / sd;
}

/** The level (0…) that a sign's recorded value stands for. Throws `level_unknown`. */
export function levelOf(sign: Pick<Sign, 'label' | 'levels'>, value: number): number {
  const level = sign.levels.findIndex((candidate) => candidate.value === value);
  if (level >= 0) return level;
  const accepted = sign.levels.map((candidate) => `${candidate.value} (${candidate.label})`).join(', ');
  throw new AppError('level_unknown', `${sign.label}: this is not one of its levels. Expected one of ${accepted}.`);
}

/** A value in any unit the pack knows → the canonical unit. Units are UCUM and case matters. Throws `unit_unknown`. */
export function toCanonical(
  quantity: Pick<Quantity, 'label' | 'unit' | 'alternativeUnits'>,
  value: number,
  unit: string,
): number {
  if (unit === quantity.unit) return value;
  const alternative = quantity.alternativeUnits?.find((candidate) => candidate.unit === unit);
  if (alternative) return value * alternative.factor;
  throw new AppError(
    'unit_unknown',
    `${quantity.label}: '${unit}' is not a unit of this measure. Expected one of ${unitsOf(quantity).join(', ')}.`,
  );
}

/** The units a value may be entered in, the canonical one first. */
export function unitsOf({ unit, alternativeUnits = [] }: Pick<Quantity, 'unit' | 'alternativeUnits'>): readonly string[] {
  return [unit, ...alternativeUnits.map((alternative) => alternative.unit)];
}

// An id may be the name of something every object inherits ("constructor").
function own<T>(record: Readonly<Record<string, T>>, id: string): T | undefined {
  return Object.hasOwn(record, id) ? record[id] : undefined;
}
