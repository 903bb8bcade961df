/**
 * npx tsx training/tumour/run.ts [--gammas 0,1,2,3,4] [--seeds 10,101,1010,10101,101010] [--windows published] [--fresh]
 *
 * The row of the learned model in the counterfactual benchmark: for each seed and γ, an ensemble is trained on 10,000 people and held
 * against the exact posterior and persistence on the same test rows. Every (γ, seed) is a file of training/results/tumour; what is
 * there is not made again, and a fit that was stopped goes on after its last epoch. `--fresh` starts over. `--windows published,own`
 * also tests on people whose treatment follows their own history. Tables: training/tumour/table.ts.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeWhole } from '../whole-file.ts';
import { BayesForecaster } from './bayes.ts';
import { drawCohort, type Series } from './cohort.ts';
import { fitTumourModel, restoreModel, storeModel, type FitCheckpoint, type StoredModel } from './fit.ts';
import { LearnedForecaster, MeanForecaster } from './forecaster.ts';
import type { TumourModel } from './model.ts';
import { persistence, runTest, tests, type PolicyWindow, type Test, type TestFigures } from './protocol.ts';
import { protocolGammas, protocolPeople, protocolSeeds, recipe } from './recipe.ts';

const root = join(fileURLToPath(import.meta.url), '../../..');
export const resultsFolder = join(root, 'training/results/tumour');
const cacheFolder = join(root, '.cache/training/tumour');

export const methods = ['learned', 'bayes', 'persistence'] as const;
export type Method = (typeof methods)[number];

export interface BenchmarkResult {
  readonly gamma: number;
  readonly seed: number;
  readonly recipe: typeof recipe;
  /** Log-likelihood per valid person and epochs, by member. */
  readonly fits: readonly { readonly valid: number; readonly epochs: number }[];
  readonly meanDays: number;
  readonly windows: Partial<Record<PolicyWindow, Readonly<Record<Test, Readonly<Record<Method, TestFigures>>>>>>;
}

export function resultFile(gamma: number, seed: number): string {
  return join(resultsFolder, `gamma-${gamma}-seed-${seed}.json`);
}

interface Member {
  readonly stored: StoredModel;
  readonly valid: number;
  readonly epochs: number;
}

/** A member trained, or read where it was trained before. */
function memberOf(gamma: number, seed: number, member: number, data: () => { train: Series[]; valid: Series[] }): Member {
  const file = join(cacheFolder, `gamma-${gamma}-seed-${seed}-member-${member}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Member;
  const unfinished = `${file}.checkpoint`;
  const { train, valid } = data();
  const fit = fitTumourModel(train, valid, {
    ...recipe,
    seed: 1000 * seed + 10 * gamma + member,
    ...(existsSync(unfinished) ? { resume: JSON.parse(readFileSync(unfinished, 'utf8')) as FitCheckpoint } : {}),
    onEpoch: (epoch, score, save) => {
      if (epoch % 5 !== 0) return;
      writeWhole(unfinished, JSON.stringify(save()));
      console.log(`γ=${gamma} seed ${seed} member ${member} epoch ${epoch}/${recipe.epochs}: ${score.toFixed(3)}`);
    },
  });
  const out: Member = { stored: storeModel(fit.model), valid: fit.valid, epochs: fit.epochs };
  writeWhole(file, JSON.stringify(out));
  rmSync(unfinished, { force: true });
  return out;
}

/** The benchmark's ensemble of one γ and seed. */
export function trainedMembers(
  gamma: number,
  seed: number,
): { models: TumourModel[]; fits: { valid: number; epochs: number }[]; meanDays: number } {
  mkdirSync(cacheFolder, { recursive: true });
  let drawn: { train: Series[]; valid: Series[] } | undefined;
  const data = () =>
    (drawn ??= {
      train: drawCohort(gamma, seed, 'train', protocolPeople.train),
      valid: drawCohort(gamma, seed, 'valid', protocolPeople.valid),
    });
  const members = Array.from({ length: recipe.members }, (_, member) => memberOf(gamma, seed, member, data));
  const { train } = data();
  return {
    models: members.map(({ stored }) => restoreModel(stored)),
    fits: members.map(({ valid, epochs }) => ({ valid, epochs })),
    meanDays: train.reduce((sum, series) => sum + series.changes.length, 0) / train.length,
  };
}

function runOne(gamma: number, seed: number, windows: readonly PolicyWindow[]): void {
  const file = resultFile(gamma, seed);
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as BenchmarkResult) : null;
  const isSame = before !== null && JSON.stringify(before.recipe) === JSON.stringify(recipe);
  const done = isSame ? before.windows : {};
  const missing = windows.filter((window) => !done[window]);
  if (missing.length === 0) return;
  const { models, fits, meanDays } = trainedMembers(gamma, seed);
  let result: BenchmarkResult = { gamma, seed, recipe, fits, meanDays, windows: done };
  for (const window of missing) {
    const own = Object.fromEntries(
      tests.map((test) => {
        const forecasters = [
          new MeanForecaster(models.map((model, m) => new LearnedForecaster(model, seed + m))),
          new BayesForecaster(seed),
          persistence,
        ];
        const figures = runTest(test, { gamma, seed, people: protocolPeople.test, window }, forecasters);
        const show = figures.map(({ rmse }) => rmse.map((value) => value.toFixed(3)).join(' '));
        console.log(`γ=${gamma} seed ${seed} ${window} ${test}: learned ${show[0]} | Bayes ${show[1]} | persistence ${show[2]}`);
        return [test, Object.fromEntries(methods.map((method, m) => [method, figures[m]!]))] as const;
      }),
    ) as Readonly<Record<Test, Readonly<Record<Method, TestFigures>>>>;
    result = { ...result, windows: { ...result.windows, [window]: own } };
    writeWhole(file, `${JSON.stringify(result, null, 1)}\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      gammas: { type: 'string', default: protocolGammas.join(',') },
      seeds: { type: 'string', default: protocolSeeds.join(',') },
      windows: { type: 'string', default: 'published' },
      fresh: { type: 'boolean', default: false },
    },
  });
  const numbers = (list: string): number[] => list.split(',').map(Number);
  if (values.fresh) for (const folder of [resultsFolder, cacheFolder]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(resultsFolder, { recursive: true });
  // Seeds outermost, so that a table of fewer seeds has every γ.
  for (const seed of numbers(values.seeds)) {
    for (const gamma of numbers(values.gammas)) runOne(gamma, seed, values.windows.split(',') as PolicyWindow[]);
  }
}
