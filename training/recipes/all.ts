import { hivActg175 } from './hiv-actg175.ts';
import { pbc } from './pbc.ts';
import type { Recipe } from './recipe.ts';
import { toy } from './toy.ts';

const recipes: readonly Recipe[] = [pbc, hivActg175, toy];

/** What `--pack all` means; the toy is for tests. */
export const shippedRecipes: readonly Recipe[] = [pbc, hivActg175];

export function recipeOf(id: string): Recipe {
  const recipe = recipes.find((candidate) => candidate.id === id);
  if (!recipe) throw new Error(`No recipe is called '${id}'. Expected one of ${recipes.map((known) => known.id).join(', ')}.`);
  return recipe;
}
