/**
 * npm run evaluate -- --pack ID [--data FOLDER] [--split test] [--json FILE]
 * npm run evaluate -- --pack ID --folds 5 [--json FILE]
 *
 * Every figure of a pack's card, beside the simple baselines on the same people, with intervals. Works on any folder of the same
 * format; the fitted baselines lie in models/ID/baselines.json (--fit-baselines makes them anew from the training rows), so new
 * people can be measured without training rows. With --folds it scores the packs of `npm run train -- --folds` on the people that
 * each has not seen.
 *
 * --pack warfarin scores typical doses, not courses: --folds 5 holds out whole sites of the data folder, all splits together.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { loadPack } from '#packs/catalogue.ts';
import { decodePack } from '#packs/decode.ts';
import { isLearned, requireLearned, type LearnedPack } from '#packs/pack.ts';
import { fitHivBaselines, type HivBaselines } from './baselines/hiv.ts';
import { fitPbcBaselines, type PbcBaselines } from './baselines/pbc.ts';
import { idsOfSplit, type ClinicalData } from './clinical-data.ts';
import { hivMetrics, predictHiv } from './evaluation/hiv.ts';
import { plannerMetrics } from './evaluation/hiv-planner.ts';
import { memorisationMetrics } from './evaluation/memorisation.ts';
import { printMetrics, type Metric } from './evaluation/metrics.ts';
import {
  externalMetrics,
  landmarkMetrics,
  predictPbc,
  trialReplay,
  visitMetrics,
  type PbcPredictions,
} from './evaluation/pbc.ts';
import { Predictor } from './evaluation/predict.ts';
import { crossValidateWarfarin, evaluateWarfarin } from './evaluation/warfarin.ts';
import { readModels } from '../scripts/read-models.ts';
import { dataRoot, makeCohort, readRecipeData } from './prepare.ts';
import { recipeOf } from './recipes/all.ts';
import type { Recipe } from './recipes/recipe.ts';
import { foldFolder, foldOf } from './train.ts';

const root = join(fileURLToPath(import.meta.url), '../..');

async function readPack(folder: string): Promise<LearnedPack> {
  const read = (name: string) => new Uint8Array(readFileSync(join(folder, name)));
  const pack = await decodePack({
    manifest: read('pack.json'),
    weights: read('weights.bin'),
    golden: read('golden.json'),
    card: read('card.md'),
  });
  return requireLearned(pack);
}

type Baselines = PbcBaselines | HivBaselines;

function fitBaselines(recipe: Recipe, data: ClinicalData, ids: readonly string[]): Baselines {
  return recipe.id === 'pbc' ? fitPbcBaselines(data, ids) : fitHivBaselines(data, ids);
}

function readBaselines(recipe: Recipe, fitAnew: boolean): Baselines {
  const file = join(root, 'models', recipe.id, 'baselines.json');
  if (!fitAnew && existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Baselines;
  const data = readRecipeData(recipe);
  // As in BASELINES.txt: simple models have nothing to choose on the valid people, so they may learn from them too.
  const baselines = fitBaselines(recipe, data, idsOfSplit(data, 'train', 'valid'));
  writeFileSync(file, `${JSON.stringify(baselines)}\n`);
  return baselines;
}

function progress(label: string): (share: number) => void {
  let last = -1;
  return (share) => {
    const tenth = Math.floor(share * 10);
    if (tenth === last) return;
    last = tenth;
    process.stderr.write(`${label} [${'#'.repeat(tenth).padEnd(10, '.')}]\n`);
  };
}

interface Options {
  readonly recipe: Recipe;
  readonly folder: string;
  readonly split: string;
  readonly rollouts: number;
  readonly fitBaselines: boolean;
}

async function evaluateSplit({ recipe, folder, split, rollouts, fitBaselines: fitAnew }: Options): Promise<Metric[]> {
  const pack = await readPack(join(root, 'models', recipe.id));
  const baselines = readBaselines(recipe, fitAnew);
  const data = readRecipeData(recipe, folder);
  const ofSplit = idsOfSplit(data, split);
  const ids = split === 'all' || ofSplit.length === 0 ? [...data.subjects.keys()] : ofSplit;
  if (ids !== ofSplit) process.stderr.write(`All ${ids.length} people of ${folder} are scored: none is marked '${split}'.\n`);
  const predictor = await Predictor.create(pack, { rollouts });
  const bar = progress(`${recipe.id} ${split}`);
  const training = idsOfSplit(data, 'train');
  const memorisation =
    training.length === 0
      ? []
      : memorisationMetrics(
          pack,
          makeCohort(recipe, pack.manifest, data, training),
          makeCohort(recipe, pack.manifest, data, idsOfSplit(data, 'valid', 'test')),
        );
  if (recipe.id !== 'pbc') {
    return [...hivMetrics(await predictHiv(predictor, baselines as HivBaselines, data, ids, bar)), ...memorisation];
  }
  const predictions = await predictPbc(predictor, baselines as PbcBaselines, data, ids, bar);
  return [
    ...landmarkMetrics(predictions),
    ...visitMetrics(predictions),
    ...(await externalMetrics(predictor, baselines as PbcBaselines, folder)),
    await trialReplay(predictor, data, ids),
    ...memorisation,
  ];
}

/** Out-of-fold: each person is forecast by the pack, and by the baselines, that were fitted to the other folds. */
async function evaluateFolds(recipe: Recipe, folds: number, rollouts: number): Promise<Metric[]> {
  if (recipe.id !== 'pbc') throw new Error('Folds are kept for the pack with too few test people: --pack pbc.');
  const data = readRecipeData(recipe);
  const all = [...data.subjects.keys()];
  const parts: PbcPredictions[] = [];
  const metrics: Metric[] = [];
  for (let fold = 0; fold < folds; fold++) {
    const folder = foldFolder(recipe, fold, folds);
    if (!existsSync(join(folder, 'pack.json')))
      throw new Error(`${folder} has no pack. Run npm run train -- --pack ${recipe.id} --folds ${folds}.`);
    const isHeld = (id: string) => foldOf(recipe.id, id, folds) === fold;
    const baselines = fitPbcBaselines(
      data,
      all.filter((id) => !isHeld(id)),
    );
    const predictor = await Predictor.create(await readPack(folder), { rollouts, particlesPerMember: 512 });
    const own = await predictPbc(predictor, baselines, data, all.filter(isHeld), progress(`fold ${fold}`));
    parts.push(own);
    metrics.push(
      ...landmarkMetrics(own)
        .filter(({ name }) => name.endsWith(': C'))
        .map((metric) => ({ ...metric, name: `fold ${fold}: ${metric.name}` })),
    );
  }
  const joined: PbcPredictions = {
    landmarks: Object.fromEntries(
      Object.keys(parts[0]!.landmarks).map((at) => [at, parts.flatMap((part) => part.landmarks[Number(at)] ?? [])]),
    ),
    visits: Object.fromEntries(
      Object.keys(parts[0]!.visits).map((marker) => [marker, parts.flatMap((part) => part.visits[marker] ?? [])]),
    ),
    samples: {
      effective: parts.flatMap((part) => part.samples.effective),
      moves: parts.reduce((sum, part) => sum + part.samples.moves, 0),
    },
  };
  return [...meanOverFolds(metrics), ...landmarkMetrics(joined), ...visitMetrics(joined), ...metrics];
}

/** Mean over folds of each landmark's C, as BASELINES.txt gives it, with the folds' own spread as standard error. */
function meanOverFolds(metrics: readonly Metric[]): Metric[] {
  const names = [...new Set(metrics.map(({ name }) => name.replace(/^fold \d+: /, '')))];
  return names.map((name) => {
    const own = metrics.filter((metric) => metric.name.endsWith(name));
    const mean = (of: (metric: Metric) => number) => own.reduce((sum, metric) => sum + of(metric), 0) / own.length;
    const value = mean((metric) => metric.value!);
    const baselineValue = mean((metric) => metric.baselineValue!);
    const se = Math.sqrt(own.reduce((sum, metric) => sum + (metric.value! - value) ** 2, 0) / (own.length - 1) / own.length);
    return {
      name: `mean over folds, ${name}`,
      value,
      se,
      low: value - 1.96 * se,
      high: value + 1.96 * se,
      n: own.reduce((sum, metric) => sum + metric.n, 0),
      better: 'higher',
      baseline: own[0]!.baseline,
      baselineValue,
    };
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      pack: { type: 'string' },
      data: { type: 'string' },
      split: { type: 'string', default: 'test' },
      json: { type: 'string' },
      folds: { type: 'string' },
      rollouts: { type: 'string', default: '1000' },
      'fit-baselines': { type: 'boolean', default: false },
    },
  });
  if (values.pack === undefined) throw new Error('Say which pack: npm run evaluate -- --pack pbc.');
  const folds = values.folds === undefined ? null : Number(values.folds);
  const metrics = await figuresOf(values.pack);
  console.log(printMetrics(metrics));
  if (values.json !== undefined) {
    const split = values.folds === undefined ? values.split : `${values.folds}-fold`;
    writeFileSync(values.json, `${JSON.stringify({ pack: values.pack, split, metrics }, null, 1)}\n`);
  }

  function figuresOf(pack: string): Metric[] | Promise<Metric[]> {
    if (pack === 'warfarin') return warfarinFigures(values.data, values.split, folds);
    return pack === 'hiv-dynamics' ? hivPlannerFigures() : learnedFigures(pack);
  }

  async function learnedFigures(pack: string): Promise<Metric[]> {
    const recipe = recipeOf(pack);
    const rollouts = Number(values.rollouts);
    if (folds !== null) return evaluateFolds(recipe, folds, rollouts);
    const folder = values.data ?? join(dataRoot, recipe.folder);
    return evaluateSplit({ recipe, folder, split: values.split, rollouts, fitBaselines: values['fit-baselines'] });
  }
}

/** Dose finding has no course to roll out: the pack's own program is asked. */
function warfarinFigures(data: string | undefined, split: string, folds: number | null): Metric[] {
  const folder = data ?? join(dataRoot, 'warfarin_iwpc');
  return folds === null ? evaluateWarfarin(folder, split) : crossValidateWarfarin(folder, folds);
}

/** A simulator to plan in has no patients: what can be measured is what a planner earns in it. */
async function hivPlannerFigures(): Promise<Metric[]> {
  const pack = await loadPack('hiv-dynamics', readModels());
  if (isLearned(pack)) throw new Error('models/hiv-dynamics is no pack of equations. Write it with training/pack-equations.ts.');
  return plannerMetrics(pack.programs[0]!, new CpuSimulator(), new ReferenceSimulator(), progress('Planner'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
