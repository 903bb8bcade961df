/**
 * What stands in the place of an input that is taken away: nothing, where the pack can do without it; else what is typical of the pack's
 * people.
 */
import type { CovariateValue } from '#domain/record.ts';
import { fromState } from '#packs/conditioning.ts';
import { peopleQuantileLevels, type Covariate, type PackManifest } from '#packs/manifest.ts';

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

/** The median of a learned pack's people; of an equations pack, which brings no distribution, the middle of what its patients had. */
export function typicalValue(manifest: PackManifest, covariate: Covariate): CovariateValue {
  if (covariate.kind === 'category') {
    return covariate.categories.reduce((most, one) => (one.share > most.share ? one : most)).value;
  }
  const marginal = manifest.kind === 'learned' && manifest.people.marginals.find((one) => one.covariate === covariate.id);
  if (marginal && marginal.kind === 'number') return marginal.quantiles[peopleQuantileLevels.indexOf(0.5)]!;
  const [low, high] = covariate.seen;
  return Number((isWide(covariate.seen) ? Math.sqrt(low * high) : (low + high) / 2).toPrecision(3));
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
  const isMedian = manifest.kind === 'learned' && manifest.people.marginals.some((one) => one.covariate === covariate.id);
  return isMedian ? 'the median of the pack’s people' : 'the middle of what the pack’s patients had';
}

function inItsPlace(manifest: PackManifest, covariate: Covariate): string {
  if (covariate.kind === 'category') return 'the shares of the pack’s people stand in its place';
  if (covariate.whenMissing !== undefined) return `the pack takes ${inUnit(covariate.whenMissing, covariate.unit)}`;
  const input =
    manifest.kind === 'learned' && manifest.conditioning.find(({ from, id }) => from === 'covariate' && id === covariate.id);
  if (input && 'transform' in input) return `the pack takes ${inUnit(fromState(input, input.whenMissing), covariate.unit)}`;
  return 'the pack does without it';
}
