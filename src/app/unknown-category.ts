/** What is done about a genotype or another category that nobody knows: said beside the field. */
import type { Covariate, PackManifest } from '#packs/manifest.ts';

type Typed = Readonly<Record<string, { readonly text: string }>>;

/**
 * "Not known: taken as it is spread among people of European ancestry (*1/*1 66 %, …)"; undefined where a pack does not integrate:
 * learned packs have one value that stands for a missing one.
 */
export function unknownWords(manifest: PackManifest, covariate: Covariate, typed: Typed): string | undefined {
  if (manifest.kind !== 'equations' || covariate.kind !== 'category' || covariate.required) return undefined;
  const { sharesBy, categories } = covariate;
  const by = sharesBy && manifest.covariates.find(({ id }) => id === sharesBy.covariate);
  const chosen = by?.kind === 'category' ? by.categories.find(({ value }) => value === typed[by.id]?.text) : undefined;
  const own = sharesBy && chosen ? sharesBy.shares[chosen.value] : undefined;
  const shares = own ?? categories.map(({ share }) => share);
  const spread = categories
    .map(({ label }, index) => ({ label, share: shares[index] ?? 0 }))
    .filter(({ share }) => share >= 0.005)
    .sort((a, b) => b.share - a.share);
  const listed = spread.slice(0, 4).map(({ label, share }) => `${label} ${Math.round(100 * share)} %`);
  const rest = spread.length > listed.length ? ', …' : '';
  const where =
    own && chosen
      ? `the frequencies with ancestry “${chosen.label}” (${sharesBy!.source})`
      : 'the frequencies of all the pack’s people';
  const ask = by && !chosen ? ` Choosing “${by.label}” makes this narrower.` : '';
  return `Not known: integrated over ${where}: ${listed.join(', ')}${rest}.${ask}`;
}
