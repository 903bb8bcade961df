/** Outcomes of the learned packs on people they were not trained on: test people, and for the small pack all people in five folds. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodePack } from '#packs/decode.ts';
import { requireLearned, type LearnedPack } from '#packs/pack.ts';
import type { HivBaselines } from '../baselines/hiv.ts';
import { fitPbcBaselines, type PbcBaselines } from '../baselines/pbc.ts';
import { idsOfSplit } from '../clinical-data.ts';
import { hivOutcomes } from '../evaluation/hiv-outcomes.ts';
import { cached, type Outcomes } from '../evaluation/outcomes.ts';
import { pbcOutcomes } from '../evaluation/pbc-outcomes.ts';
import { Predictor } from '../evaluation/predict.ts';
import { readRecipeData } from '../prepare.ts';
import { recipeOf } from '../recipes/all.ts';
import { foldFolder, foldOf } from '../train.ts';

const root = join(fileURLToPath(import.meta.url), '../../..');

/** Raised when rows are computed differently: kept rows of before are then not used. */
const rowsVersion = 1;
const rollouts = 1000;
export const outcomesSeed = 1;
const folds = 5;

async function readLearnedPack(folder: string): Promise<LearnedPack> {
  const read = (name: string) => new Uint8Array(readFileSync(join(folder, name)));
  return requireLearned(
    await decodePack({
      manifest: read('pack.json'),
      weights: read('weights.bin'),
      golden: read('golden.json'),
      card: read('card.md'),
    }),
  );
}

function readBaselines<T>(id: string): T {
  return JSON.parse(readFileSync(join(root, 'models', id, 'baselines.json'), 'utf8')) as T;
}

function progress(label: string): (share: number) => void {
  let last = -1;
  return (share) => {
    const tenth = Math.floor(share * 10);
    if (tenth === last) return;
    last = tenth;
    process.stderr.write(`${label}: ${tenth * 10} %\n`);
  };
}

/** The frozen test people, forecast once by the weights that the app has. */
export async function testOutcomes(packId: string): Promise<Outcomes> {
  const recipe = recipeOf(packId);
  const pack = await readLearnedPack(join(root, 'models', packId));
  const data = readRecipeData(recipe);
  const ids = idsOfSplit(data, 'test');
  const trainingIds = idsOfSplit(data, 'train', 'valid');
  const key = { rowsVersion, rollouts, ids, weights: pack.manifest.weights.sha256, baselines: digestOf(readBaselines(packId)) };
  const made = await cached(`${packId}-test`, key, async () => {
    const input = {
      predictor: await Predictor.create(pack, { rollouts, seed: outcomesSeed }),
      data,
      ids,
      trainingIds,
      onDone: progress(`${packId}, test`),
    };
    return packId === 'pbc'
      ? pbcOutcomes({ ...input, baselines: readBaselines<PbcBaselines>(packId) })
      : hivOutcomes({ ...input, baselines: readBaselines<HivBaselines>(packId) });
  });
  return { set: `${ids.length} test people`, ...made };
}

/** Everyone, each forecast by a pack of the same recipe, and by baselines, that were fitted to the other folds. */
export async function foldOutcomes(): Promise<Outcomes> {
  const recipe = recipeOf('pbc');
  const data = readRecipeData(recipe);
  const all = [...data.subjects.keys()];
  const parts: Omit<Outcomes, 'set'>[] = [];
  for (let fold = 0; fold < folds; fold++) {
    const folder = foldFolder(recipe, fold, folds);
    if (!existsSync(join(folder, 'pack.json')))
      throw new Error(`${folder} has no pack. Run npm run train -- --pack pbc --folds ${folds}.`);
    const pack = await readLearnedPack(folder);
    const isHeld = (id: string) => foldOf(recipe.id, id, folds) === fold;
    const ids = all.filter(isHeld);
    const trainingIds = all.filter((id) => !isHeld(id));
    const key = { rowsVersion, rollouts, ids, weights: pack.manifest.weights.sha256 };
    parts.push(
      await cached(`pbc-fold-${fold}`, key, async () =>
        pbcOutcomes({
          predictor: await Predictor.create(pack, { rollouts, seed: outcomesSeed, particlesPerMember: 512 }),
          baselines: fitPbcBaselines(data, trainingIds),
          data,
          ids,
          trainingIds,
          onDone: progress(`pbc, fold ${fold}`),
        }),
      ),
    );
  }
  return {
    set: `${all.length} people in ${folds} folds`,
    values: parts.flatMap(({ values }) => values),
    events: parts.flatMap(({ events }) => events),
    horizons: parts[0]!.horizons,
    arms: parts.flatMap(({ arms }) => arms),
    groups: Object.assign({}, ...parts.map(({ groups }) => groups)) as Outcomes['groups'],
  };
}

const digestOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');
