/**
 * What stands in the place of an input that is taken away: nothing, where the pack can do without it; else what is typical of the pack's
 * people.
 */
import type { CovariateValue } from '#domain/record.ts';
import { quantileOfSorted } from '#numerics/quantiles.ts';
import { fromState } from '#packs/conditioning.ts';
import { peopleQuantileLevels, type Covariate, type EquationsManifest, type PackManifest } from '#packs/manifest.ts';

export interface Reference {
  /** Null leaves the input out. */
  readonly value: CovariateValue | null;
  /** In words, for the page. */
  readonly words: string;
}

export function covariateReference(manifest: PackManifest, covariate: Covariate): Reference {
  if (covariate.required) {
    const value = typicalValue(manifest, covariate);
    return { value, words: `${valueInWords(covariate, value)}, ${typicalIs(manifest, covariate)}` };
  }
  return { value: null, words: `not known: ${inItsPlace(manifest, covariate)}` };
}

/**
 * The median of a learned pack's people. An equations pack brings no distribution, and the middle of what was seen may be a child's
 * weight where newborns were: there it is the middle of the people whom the pack brings to be tried with.
 */
function typicalValue(manifest: PackManifest, covariate: Covariate): CovariateValue {
  if (covariate.kind === 'category') {
    return covariate.categories.reduce((most, one) => (one.share > most.share ? one : most)).value;
  }
  if (manifest.kind === 'learned') {
    const marginal = manifest.people.marginals.find((one) => one.covariate === covariate.id);
    if (marginal?.kind === 'number') return marginal.quantiles[peopleQuantileLevels.indexOf(0.5)]!;
  } else {
    const tried = triedWith(manifest, covariate.id);
    if (tried.length > 0) return Number(quantileOfSorted(tried, 0.5).toPrecision(3));
  }
  const [low, high] = covariate.seen;
  return Number((isWide(covariate.seen) ? Math.sqrt(low * high) : (low + high) / 2).toPrecision(3));
}

/** Ascending. */
function triedWith({ demonstrations }: EquationsManifest, id: string): number[] {
  return demonstrations
    .flatMap(({ covariates: { [id]: value } }) => (typeof value === 'number' ? [value] : []))
    .sort((a, b) => a - b);
}

/** What spans more than four times its smallest value is taken to scatter evenly in its logarithm. */
export function isWide([low, high]: readonly [number, number]): boolean {
  return low > 0 && high / low > 4;
}

export function valueInWords(covariate: Covariate, value: CovariateValue): string {
  if (covariate.kind === 'category') return covariate.categories.find((one) => one.value === value)?.label ?? String(value);
  return inUnit(value as number, covariate.unit);
}

/** Four digits, and the unit where there is one. */
export function inUnit(value: number, unit: string): string {
  const number = Number(value.toPrecision(4)).toLocaleString('en-GB', { maximumFractionDigits: 6 });
  return unit === '1' ? number : `${number} ${unit}`;
}

function typicalIs(manifest: PackManifest, covariate: Covariate): string {
  if (covariate.kind === 'category') return 'the most frequent';
  if (manifest.kind === 'equations' && triedWith(manifest, covariate.id).length > 0)
    return 'the middle of the pack’s made-up people';
  const isMedian = manifest.kind === 'learned' && manifest.people.marginals.some((one) => one.covariate === covariate.id);
  return isMedian ? 'the median of the pack’s people' : 'the middle of what the pack’s people had';
}

function inItsPlace(manifest: PackManifest, covariate: Covariate): string {
  if (covariate.kind === 'category') return 'the shares of the pack’s people stand in its place';
  if (covariate.whenMissing !== undefined) return `the pack takes ${inUnit(covariate.whenMissing, covariate.unit)}`;
  const input =
    manifest.kind === 'learned' && manifest.conditioning.find(({ from, id }) => from === 'covariate' && id === covariate.id);
  if (input && 'transform' in input) return `the pack takes ${inUnit(fromState(input, input.whenMissing), covariate.unit)}`;
  return 'the pack does without it';
}
