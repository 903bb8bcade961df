/**
 * npm run train -- --pack pbc [--data FOLDER] [--folds 5] [--jobs N] [--fresh]
 *
 * Trains a pack's members (one process each, as many at a time as there are cores), draws its golden cases and writes
 * models/<pack>. With --folds it trains a pack for every fold instead, for choices and for the cross-validated figures of
 * `npm run evaluate -- --folds`. Stopped runs go on where they were; --fresh starts over.
 */
import { createHash } from 'node:crypto';
import { fork } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeGolden } from '#engine/golden.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { encodePack } from '#packs/encode.ts';
import { headsOf } from '#packs/manifest-views.ts';
import type { EncoderTensors, Network } from '#packs/network.ts';
import { encoderTensorShapes, elementCount } from '#packs/tensors.ts';
import { encodePlain } from '#twin/encoder-plain.ts';
import { idsOfSplit, type ClinicalData } from './clinical-data.ts';
import { runMemberJob, type MemberJob, type MemberMessage, type MemberResult } from './member-job.ts';
import { dataRoot, prepareManifest, readRecipeData } from './prepare.ts';
import { recipeOf, shippedRecipes } from './recipes/all.ts';
import type { Recipe } from './recipes/recipe.ts';

const root = join(fileURLToPath(import.meta.url), '../..');

/** Which fold a person is in: fixed by id, so that every script means the same five. */
export function foldOf(recipeId: string, id: string, folds: number): number {
  return parseInt(createHash('sha1').update(`${recipeId}:fold:${id}`).digest('hex').slice(0, 8), 16) % folds;
}

export function foldFolder(recipe: Recipe, fold: number, folds: number): string {
  return join(root, '.cache/training', recipe.id, `fold-${fold}-of-${folds}`);
}

export interface TrainOptions {
  readonly dataFolder?: string;
  readonly outFolder: string;
  readonly jobFolder: string;
  readonly ids: readonly string[];
  readonly withEncoder: boolean;
  readonly jobs: number;
  readonly card: string;
  readonly onProgress?: (member: number, message: MemberMessage) => void;
}

/** Trains all members on `ids` and writes the pack's four files to `outFolder`. */
export async function trainPack(recipe: Recipe, data: ClinicalData, options: TrainOptions): Promise<void> {
  const manifest = prepareManifest(recipe, data, options.ids);
  const jobs = Array.from({ length: recipe.members }, (_, member): MemberJob => ({
    recipe: recipe.id,
    ...(options.dataFolder === undefined ? {} : { dataFolder: options.dataFolder }),
    ids: options.ids,
    member,
    folder: options.jobFolder,
    withEncoder: options.withEncoder,
  }));
  if (options.jobs > 1) await runInProcesses(jobs, options.jobs, options.onProgress ?? (() => {}));
  const results: MemberResult[] = [];
  for (const job of jobs) results.push(await runMemberJob(job, (message) => options.onProgress?.(job.member, message)));

  const network: Network = { shape: manifest.network, heads: headsOf(manifest), members: results.map(({ member }) => member) };
  const encoders = results.map(({ encoder }) => encoder ?? priorEncoder(network, recipe.E));
  const golden = await makeGolden(new ReferenceEngine(), (weights, steps, prior) => encodePlain(weights, steps, prior), {
    network,
    encoder: encoders,
    manifest,
  });
  const files = await encodePack(manifest, network.members, encoders, golden, options.card);
  mkdirSync(options.outFolder, { recursive: true });
  writeFileSync(join(options.outFolder, 'pack.json'), files.manifest);
  writeFileSync(join(options.outFolder, 'weights.bin'), files.weights);
  writeFileSync(join(options.outFolder, 'golden.json'), files.golden);
  writeFileSync(join(options.outFolder, 'card.md'), files.card);
}

/** Answers with the prior whatever the history: what a pack for comparisons has in place of a trained encoder. */
function priorEncoder(network: Network, E: number): EncoderTensors {
  const zeros = Object.fromEntries(
    Object.entries(encoderTensorShapes(network.shape, E)).map(([name, shape]) => [name, new Float32Array(elementCount(shape))]),
  ) as unknown as EncoderTensors;
  zeros.encoderScaleBias.fill(-12); // softplus(−12) is 0 to five digits, so the scale is the prior's
  return zeros;
}

async function runInProcesses(
  jobs: readonly MemberJob[],
  atATime: number,
  onProgress: (member: number, message: MemberMessage) => void,
): Promise<void> {
  const waiting = [...jobs];
  const script = fileURLToPath(new URL('member-job.ts', import.meta.url));
  const work = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) {
      const current = job;
      await new Promise<void>((resolve, reject) => {
        const child = fork(script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
        child.on('message', (message: MemberMessage) => onProgress(current.member, message));
        child.on('exit', (code) =>
          code === 0 ? resolve() : reject(new Error(`Member ${current.member} ended with code ${code}.`)),
        );
        child.send(current);
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(atATime, jobs.length) }, work));
}

function progressBar(label: string): (member: number, message: MemberMessage) => void {
  const last = new Map<number, number>();
  return (member, { stage, done, of, loss }) => {
    const key = member + (stage === 'encoder' ? 100 : 0);
    const tenth = Math.floor((10 * done) / of);
    if (last.get(key) === tenth && done !== of) return;
    last.set(key, tenth);
    const bar = '#'.repeat(tenth).padEnd(10, '.');
    process.stdout.write(
      `${label} member ${member} ${stage.padEnd(7)} [${bar}] ${String(done).padStart(4)}/${of}  ${loss.toFixed(3)}\n`,
    );
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      pack: { type: 'string', default: 'all' },
      data: { type: 'string' },
      folds: { type: 'string' },
      jobs: { type: 'string' },
      fresh: { type: 'boolean', default: false },
    },
  });
  const recipes = values.pack === 'all' ? shippedRecipes : [recipeOf(values.pack)];
  const jobs = Number(values.jobs ?? availableParallelism());
  for (const recipe of recipes) {
    const folder = values.data ?? join(dataRoot, recipe.folder);
    if (!existsSync(folder)) {
      console.error(`There is no training data at ${folder}. Give its folder with --data, or set COUNTERPART_DATA.`);
      process.exitCode = 1;
      return;
    }
    const data = readRecipeData(recipe, folder);
    const card = (out: string) =>
      existsSync(join(out, 'card.md')) ? readFileSync(join(out, 'card.md'), 'utf8') : `# ${recipe.plan.title}\n`;
    if (values.folds !== undefined) {
      const folds = Number(values.folds);
      for (let fold = 0; fold < folds; fold++) {
        const out = foldFolder(recipe, fold, folds);
        if (values.fresh) rmSync(out, { recursive: true, force: true });
        const ids = [...data.subjects.keys()].filter((id) => foldOf(recipe.id, id, folds) !== fold);
        await trainPack(recipe, data, {
          dataFolder: folder,
          outFolder: out,
          jobFolder: join(out, 'members'),
          ids,
          withEncoder: false,
          jobs,
          card: card(out),
          onProgress: progressBar(`fold ${fold}`),
        });
      }
      continue;
    }
    const out = join(root, 'models', recipe.id);
    const jobFolder = join(root, '.cache/training', recipe.id, 'final');
    if (values.fresh) rmSync(jobFolder, { recursive: true, force: true });
    await trainPack(recipe, data, {
      dataFolder: folder,
      outFolder: out,
      jobFolder,
      ids: idsOfSplit(data, 'train'),
      withEncoder: true,
      jobs,
      card: card(out),
      onProgress: progressBar(recipe.id),
    });
    console.log(`Wrote models/${recipe.id}.`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
