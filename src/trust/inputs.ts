/** A pack's own inputs as coordinates in which people can be compared, for both kinds of packs. */
import type { CovariateValue, PatientRecord } from '#domain/record.ts';
import { fromState, toCanonical, toState, unitsOf } from '#packs/conditioning.ts';
import type { Covariate, LearnedManifest, PackManifest, Quantity, Transform } from '#packs/manifest.ts';

/** One input. A number is standardised: about one unit is one standard deviation among the pack's people. */
export type Input =
  | {
      readonly kind: 'number';
      readonly id: string;
      readonly label: string;
      readonly unit: string;
      readonly of: 'covariate' | 'marker';
      /** 1st to 99th percentile of the pack's people, in the unit. */
      readonly seen: readonly [low: number, high: number];
      /** Outside this a value is a slip or confirmed. */
      readonly plausible: readonly [low: number, high: number];
      /** Multiplying a value in such a unit by the factor gives the canonical one. */
      readonly otherUnits: readonly { readonly unit: string; readonly factor: number }[];
      /** Null for a unit that the pack does not know. */
      readonly toCanonical: (value: number, unit: string) => number | null;
      readonly toCoordinate: (value: number) => number;
      readonly fromCoordinate: (coordinate: number) => number;
    }
  | {
      readonly kind: 'category';
      readonly id: string;
      readonly label: string;
      readonly of: 'covariate' | 'sign';
      readonly values: readonly { readonly value: CovariateValue; readonly label: string }[];
    };

/** A person as the inputs have them: values in canonical units, latest first counted; absent where not known. */
export type Values = ReadonlyMap<string, CovariateValue>;

/** Between the 1st and the 99th percentile of a normal lie so many standard deviations. */
const seenWidth = 2 * 2.3263478740408408;

/** In the order of the manifest: covariates, markers, signs. */
export function inputsOf(manifest: PackManifest): readonly Input[] {
  const covariates = manifest.covariates.map((covariate) => covariateInput(manifest, covariate));
  if (manifest.kind !== 'learned')
    return [...covariates, ...manifest.markers.map((marker) => numberInput(marker, 'marker', transformOfSeen(marker)))];
  return [
    ...covariates,
    ...manifest.markers.map((marker) => numberInput(marker, 'marker', marker.transform)),
    ...manifest.signs.map(({ id, label, levels }): Input => ({ kind: 'category', id, label, of: 'sign', values: levels })),
  ];
}

function covariateInput(manifest: PackManifest, covariate: Covariate): Input {
  const { id, label } = covariate;
  if (covariate.kind === 'category') return { kind: 'category', id, label, of: 'covariate', values: covariate.categories };
  const learned = manifest.kind === 'learned' ? learnedTransform(manifest, id) : null;
  return numberInput(covariate, 'covariate', learned ?? transformOfSeen(covariate));
}

export type NumberInput = Extract<Input, { kind: 'number' }>;

function numberInput(quantity: Quantity, of: NumberInput['of'], transform: Transform): NumberInput {
  const { id, label, unit, seen, plausible } = quantity;
  // A pack of equations may call a zero plausible, which no logarithm can say.
  const onScale = { transform, plausible: [plausible[0] > 0 ? plausible[0] : seen[0], plausible[1]] } as const;
  return {
    kind: 'number',
    id,
    label,
    unit,
    of,
    seen,
    plausible,
    otherUnits: quantity.alternativeUnits ?? [],
    toCanonical: (value, given) => (unitsOf(quantity).includes(given) ? toCanonical(quantity, value, given) : null),
    toCoordinate: (value) => toState(onScale, value),
    fromCoordinate: (coordinate) => fromState(onScale, coordinate),
  };
}

function learnedTransform({ conditioning }: LearnedManifest, id: string): Transform | null {
  const input = conditioning.find((one) => one.from === 'covariate' && one.id === id);
  return input && 'transform' in input ? input.transform : null;
}

/**
 * Where a manifest gives percentiles alone: a normal with these, or a log-normal where the range spans more than a factor of four above
 * zero, as weights, concentrations and times do. Ages are not skewed so.
 */
function transformOfSeen({ seen: [low, high], unit }: Pick<Quantity, 'seen' | 'unit'>): Transform {
  const isLog = unit !== 'a' && low > 0 && high / low > 4;
  const [from, to] = isLog ? [Math.log(low), Math.log(high)] : [low, high];
  return { kind: isLog ? 'log' : 'identity', mean: (from + to) / 2, sd: (to - from) / seenWidth };
}

/** Of a record whose numbers are in canonical units (a drawn person's): covariates, and the latest of each marker and sign. */
export function valuesOfDrawn(record: PatientRecord): Values {
  const latest = new Map<string, CovariateValue>(Object.entries(record.covariates));
  for (const { code, value } of record.observations.toSorted((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0)))
    latest.set(code, value);
  return latest;
}

/** As one shows it: a number with its unit, a category in words. */
export function shownValue(input: Input, value: CovariateValue): string {
  if (input.kind === 'category') return input.values.find((one) => one.value === value)?.label ?? String(value);
  return `${Number(Number(value).toPrecision(3))} ${input.unit}`.trim();
}
