/**
 * One ensemble member from data to tensors, as a process of its own: `train.ts` starts these, at most one a core. What is done is
 * kept in the job's folder, so that a job which was stopped goes on where it was.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { covariateInputCount, headsOf } from '#packs/manifest-views.ts';
import type { EncoderTensors, MemberTensors, Network } from '#packs/network.ts';
import { useWasmBackend } from './backend.ts';
import { toMemberTensors } from './export.ts';
import { fitEncoder } from './fit-encoder.ts';
import { fitMember, type Checkpoint } from './fit-member.ts';
import { makeCohort, prepareManifest, readRecipeData } from './prepare.ts';
import { recipeOf } from './recipes/all.ts';
import { writeWhole } from './whole-file.ts';

export interface MemberJob {
  readonly recipe: string;
  readonly dataFolder?: string;
  /** People to train on. */
  readonly ids: readonly string[];
  readonly member: number;
  readonly folder: string;
  readonly withEncoder: boolean;
  /** Replaces the recipe's own sizes and settings, for comparisons and for tests. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface MemberResult {
  readonly member: MemberTensors;
  readonly encoder: EncoderTensors | null;
}

export type MemberMessage = {
  readonly stage: 'member' | 'encoder';
  readonly done: number;
  readonly of: number;
  readonly loss: number;
};

const checkpointEvery = 25;

export async function runMemberJob(job: MemberJob, onProgress: (message: MemberMessage) => void): Promise<MemberResult> {
  const finished = join(job.folder, `member-${job.member}.json`);
  if (existsSync(finished)) return readResult(finished);
  mkdirSync(job.folder, { recursive: true });
  const recipe = { ...recipeOf(job.recipe), ...job.settings };
  const data = readRecipeData(recipe, job.dataFolder);
  const manifest = prepareManifest(recipe, data, job.ids);
  const cohort = makeCohort(recipe, manifest, data, job.ids);
  const { S, L, H, K, V } = manifest.network;
  const sizes = { S, L, H, K, V, C: covariateInputCount(manifest) };
  const heads = headsOf(manifest);
  const checkpoint = join(job.folder, `member-${job.member}.checkpoint.json`);
  const parameters = fitMember(cohort, {
    sizes,
    heads,
    seed: 1000 + job.member,
    bootstrap: true,
    ...recipe.fit,
    ...(existsSync(checkpoint) ? { resume: JSON.parse(readFileSync(checkpoint, 'utf8')) as Checkpoint } : {}),
    onStep: (iteration, loss, save) => {
      onProgress({ stage: 'member', done: iteration + 1, of: recipe.fit.iterations, loss });
      if ((iteration + 1) % checkpointEvery === 0) writeWhole(checkpoint, JSON.stringify(save()));
    },
  });
  const member = toMemberTensors(parameters, sizes);
  let encoder: EncoderTensors | null = null;
  if (job.withEncoder) {
    await useWasmBackend();
    const network: Network = { shape: { ...manifest.network, M: 1 }, heads, members: [member] };
    encoder = await fitEncoder(network, cohort, {
      E: recipe.E,
      ...recipe.encoder,
      seed: 2000 + job.member,
      onStep: (iteration, loss) => onProgress({ stage: 'encoder', done: iteration + 1, of: recipe.encoder.iterations, loss }),
    });
  }
  writeWhole(finished, JSON.stringify({ member: toLists(member), encoder: encoder && toLists(encoder) }));
  return { member, encoder };
}

function readResult(path: string): MemberResult {
  const { member, encoder } = JSON.parse(readFileSync(path, 'utf8')) as { member: object; encoder: object | null };
  return { member: toArrays(member) as MemberTensors, encoder: encoder && (toArrays(encoder) as EncoderTensors) };
}

const toLists = (tensors: object): object =>
  Object.fromEntries(Object.entries(tensors).map(([name, values]) => [name, [...values]]));
const toArrays = (tensors: object): unknown =>
  Object.fromEntries(Object.entries(tensors).map(([name, values]) => [name, Float32Array.from(values as number[])]));

if (process.argv[1] === fileURLToPath(import.meta.url) && process.send) {
  process.once('message', (job: MemberJob) => {
    runMemberJob(job, (message) => process.send!(message)).then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}
