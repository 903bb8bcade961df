import type { NetworkShape } from '#packs/network.ts';
import type { GpuDevice } from './device.ts';
import type { RolloutVariant } from './kernels/rollout.wgsl.ts';
import { rolloutPace } from './pace.ts';
import type { Pipelines } from './pipelines.ts';
import { emptyNetwork, Futures, possibleVariants } from './rollout.ts';

/** Where the winner of a trial is kept between visits, by adapter and network shape. The values mean nothing to the store. */
export interface VariantStorage {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
}

/** A winner may hang on the driver; a new trial costs about a second, so the key is no more than adapter and shape. */
export function variantKey({ info }: GpuDevice, { S, L, H, K }: NetworkShape): string {
  return ['rollout-tile-1', info.vendor, info.architecture, `S${S} L${L} H${H} K${K}`].join('|');
}

/** The remembered winner, or the winner of a trial among the five likeliest, which is then remembered. */
export async function rememberedVariant(
  gpu: GpuDevice,
  pipelines: Pipelines,
  shape: NetworkShape,
  storage: VariantStorage = inMemory,
  trial: typeof fastestVariant = fastestVariant,
): Promise<RolloutVariant> {
  const key = variantKey(gpu, shape);
  const known = await storage.get(key).catch(() => undefined);
  const possible = possibleVariants(shape, gpu.device.limits);
  const remembered = possible.find((variant) => nameOf(variant) === known);
  if (remembered) return remembered;
  const winner = await trial(gpu, pipelines, shape, possible.slice(0, 5));
  // A store that cannot be written only costs the next visit a trial.
  await storage.set(key, nameOf(winner)).catch(() => {});
  return winner;
}

/** Times each variant on the same small work, in turns so that a slow moment hits all alike; the least time counts. */
export async function fastestVariant(
  gpu: GpuDevice,
  pipelines: Pipelines,
  shape: NetworkShape,
  variants: readonly RolloutVariant[],
  { rollouts = 16_384, steps = 24, rounds = 3, now = () => performance.now() } = {},
): Promise<RolloutVariant> {
  const network = emptyNetwork({ ...shape, M: 1 });
  const drive = {
    rows: new Float32Array(steps * (3 * shape.H + shape.S + shape.K)),
    effectError: new Float32Array(steps * shape.K),
  };
  const request = {
    network,
    starts: new Float32Array(rollouts * (shape.S + shape.L + shape.H)),
    plans: [drive],
    steps,
    rollouts,
    groupsPerMember: 1,
    seed: [1, 2] as const,
    levels: [],
    courses: 0,
  };
  const scope = gpu.scope();
  try {
    const trials = await Promise.all(
      variants.map(async (variant) => ({
        variant,
        futures: await Futures.prepare(gpu, pipelines, scope, request, variant, rolloutPace()),
        bestMs: Infinity,
      })),
    );
    const columns = await trials[0].futures.allocate(scope, 1);
    // The first round warms up: a driver may compile at the first dispatch.
    for (let round = 0; round <= rounds; round++) {
      for (const trial of trials) {
        const started = now();
        await trial.futures.rollOut(request.plans, columns, {});
        if (round > 0) trial.bestMs = Math.min(trial.bestMs, now() - started);
      }
    }
    return trials.reduce((best, trial) => (trial.bestMs < best.bestMs ? trial : best)).variant;
  } finally {
    scope.dispose();
  }
}

const nameOf = ({ trajectories, groups }: RolloutVariant): string => `${trajectories}x${groups}`;

const memory = new Map<string, string>();
const inMemory: VariantStorage = {
  get: async (key) => memory.get(key),
  set: async (key, value) => void memory.set(key, value),
};
