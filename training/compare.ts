/**
 * npx tsx training/compare.ts --pack pbc [--folds 5] [--only chosen,no-latent]
 *
 * Held-out evidence of a pack's model beside plainer and richer ones, by which the recipe was chosen: log p(series) of people in
 * the fold left out (pbc) or in the valid split (others), z integrated over by importance sampling, one member each. Test people
 * of the frozen split are never read.
 */
import { parseArgs } from 'node:util';
import { covariateInputCount, headsOf } from '#packs/manifest-views.ts';
import { sum } from '#numerics/moments.ts';
import { idsOfSplit } from './clinical-data.ts';
import { fitMember, logEvidence, type FitOptions } from './fit-member.ts';
import { makeCohort, prepareManifest, readRecipeData } from './prepare.ts';
import { recipeOf } from './recipes/all.ts';
import type { Recipe } from './recipes/recipe.ts';
import { foldOf } from './train.ts';

interface Variant {
  readonly name: string;
  readonly change: (recipe: Recipe) => Recipe;
}

const withPenalty = (recipe: Recipe, penalty: Partial<FitOptions['penalty']>): Recipe => ({
  ...recipe,
  fit: { ...recipe.fit, penalty: { ...recipe.fit.penalty, ...penalty } },
});

const variants: readonly Variant[] = [
  { name: 'chosen', change: (recipe) => recipe },
  { name: 'no latent traits', change: (recipe) => ({ ...recipe, L: 0 }) },
  { name: 'no recurrent core', change: (recipe) => withPenalty(recipe, { core: 1e5 }) },
  { name: 'neither', change: (recipe) => withPenalty({ ...recipe, L: 0 }, { core: 1e5 }) },
  {
    name: 'richer: twice the traits, four times the core',
    change: (recipe) => ({ ...recipe, L: 2 * recipe.L, H: 4 * recipe.H }),
  },
  {
    name: 'lighter penalties',
    change: (recipe) => withPenalty(recipe, { core: recipe.fit.penalty.core / 10, drift: recipe.fit.penalty.drift / 10 }),
  },
];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { pack: { type: 'string', default: 'pbc' }, folds: { type: 'string', default: '5' }, only: { type: 'string' } },
  });
  const base = recipeOf(values.pack);
  const data = readRecipeData(base);
  const folds = Number(values.folds);
  // With so few people one valid split decides nothing: the liver cohort is folded, without its frozen test people.
  const known = idsOfSplit(data, 'train', 'valid');
  const rounds =
    base.id === 'pbc'
      ? Array.from({ length: folds }, (_, fold) => known.filter((id) => foldOf(base.id, id, folds) === fold))
      : [idsOfSplit(data, 'valid')];
  const chosen = variants.filter(({ name }) => values.only === undefined || values.only.split(',').includes(name));
  const results = chosen.map(({ name, change }) => {
    const recipe = change(base);
    const own = rounds.flatMap((held) => {
      const heldSet = new Set(held);
      const ids = known.filter((id) => !heldSet.has(id));
      const manifest = prepareManifest(recipe, data, ids);
      const { S, L, H, K, V } = manifest.network;
      const options = { sizes: { S, L, H, K, V, C: covariateInputCount(manifest) }, heads: headsOf(manifest) };
      const parameters = fitMember(makeCohort(recipe, manifest, data, ids), {
        ...options,
        ...recipe.fit,
        seed: 1,
        bootstrap: false,
      });
      return [
        ...logEvidence(parameters, makeCohort(recipe, manifest, data, held), options, { draws: 40, fitSteps: 60, seed: 7 }),
      ];
    });
    console.error(`${name}: ${(sum(own) / own.length).toFixed(3)}`);
    return { name, own };
  });
  const reference = results[0]!;
  console.log(
    `log p(series) per held-out person, n = ${reference.own.length}; difference to '${reference.name}' with its standard error`,
  );
  for (const { name, own } of results) {
    // Parts are sorted by follow-up alike in every variant, so people pair up by position.
    const gaps = own.map((value, i) => value - reference.own[i]!);
    const mean = sum(gaps) / gaps.length;
    const error = Math.sqrt(sum(gaps.map((gap) => (gap - mean) ** 2)) / (gaps.length - 1) / gaps.length);
    console.log(`${name.padEnd(48)} ${(sum(own) / own.length).toFixed(3)}   ${mean.toFixed(3)} (${error.toFixed(3)})`);
  }
}

await main();
