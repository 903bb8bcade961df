/**
 * npx tsx training/tumour/pack.ts
 *
 * Trains the pack `lung-tumour-learned` on the benchmark's people and writes training/results/lung-tumour-learned.json, which the pack
 * is made from (`npx tsx training/pack-equations.ts lung-tumour-learned`). Some four minutes of one core.
 *
 * γ = 2: of the strengths of confounding at which the benchmark sets a limit the strongest. Seed 10: the first of the protocol. The
 * size is chosen by valid people alone: the fewest numbers that lose at most `tolerated` against the most likely.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawCohort } from './cohort.ts';
import { fitTumourModel, storeModel, type StoredModel } from './fit.ts';
import { protocolPeople, recipe } from './recipe.ts';

/** Log-likelihood a person, whose whole course has about 171. */
const tolerated = 0.05;
const gamma = 2;
const seed = 10;
/** Gaussians in the prior, and units of memory and of the hidden layer. */
const gaussians = [1, 2, 4, 8];
const sizes = [
  { memory: 1, hidden: 2 },
  { memory: 1, hidden: 4 },
  { memory: 2, hidden: 4 },
  { memory: 4, hidden: 8 },
] as const;

interface Candidate {
  readonly components: number;
  readonly memory: number;
  readonly hidden: number;
  readonly numbers: number;
  /** Log-likelihood of a valid person. */
  readonly valid: number;
}

export interface PackFit {
  readonly gamma: number;
  readonly seed: number;
  readonly people: { readonly train: number; readonly valid: number };
  readonly tolerated: number;
  readonly tried: readonly Candidate[];
  readonly chosen: Candidate;
  readonly model: StoredModel;
}

export const packFitFile = join(fileURLToPath(import.meta.url), '../../results/lung-tumour-learned.json');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { train: people, valid: kept } = protocolPeople;
  const [train, valid] = [drawCohort(gamma, seed, 'train', people), drawCohort(gamma, seed, 'valid', kept)];
  const fits = gaussians.flatMap((components) =>
    sizes.map((size) => {
      const shape = { traits: recipe.shape.traits, components, ...size, readsCourse: false };
      const { model, valid: score } = fitTumourModel(train, valid, { ...recipe, shape, seed: 1000 * seed + 10 * gamma });
      const candidate: Candidate = { components, ...size, numbers: model.theta.length, valid: score };
      console.log(JSON.stringify(candidate));
      return { candidate, model };
    }),
  );
  const most = Math.max(...fits.map(({ candidate }) => candidate.valid));
  const [chosen] = fits
    .filter(({ candidate }) => candidate.valid >= most - tolerated)
    .sort((a, b) => a.candidate.numbers - b.candidate.numbers);
  const fit: PackFit = {
    gamma,
    seed,
    people: { train: people, valid: kept },
    tolerated,
    tried: fits.map(({ candidate }) => candidate),
    chosen: chosen!.candidate,
    model: storeModel(chosen!.model),
  };
  writeFileSync(packFitFile, `${JSON.stringify(fit, null, 1)}\n`);
}
