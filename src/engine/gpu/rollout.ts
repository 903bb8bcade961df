/** Rolls futures out on the GPU and leaves them there, as columns in buffers. `reduce.ts` makes summaries of them. */
import { AppError } from '#domain/errors.ts';
import type { Network, NetworkShape } from '#packs/network.ts';
import { groupEffect } from '../reference/engine.ts';
import { driveWidth } from '../drive.ts';
import type { PlanDrive, RolloutRequest, RunHooks } from '../engine.ts';
import { driveLayout, memberLayout, packDriveRow, packHeads, packMember, writeStruct } from '../layout.ts';
import { allFinite } from '../request.ts';
import { allocateOrRefuse, type GpuDevice, type Scope } from './device.ts';
import {
  rolloutSizes,
  rolloutWgsl,
  threadCount,
  tileSize,
  tiling,
  workgroupBytes,
  type RolloutVariant,
} from './kernels/rollout.wgsl.ts';
import type { Pace } from './pace.ts';
import { bind, submit, type Pipelines } from './pipelines.ts';

/** Columns of some plans, as `Columns` of `summary.ts` but for all these plans at once: see the bindings of `rollout.wgsl.ts`. */
export interface GpuColumns {
  readonly values: GPUBuffer;
  readonly incidence: GPUBuffer;
  readonly eventStep: GPUBuffer;
  /** How many plans they hold. */
  readonly plans: number;
}

/** One request's network and starting states on the device, ready to roll plans out. */
export class Futures {
  readonly #gpu: GpuDevice;
  readonly #request: RolloutRequest;
  readonly #variant: RolloutVariant;
  readonly #pipeline: GPUComputePipeline;
  readonly #pace: Pace;
  readonly #weights: GPUBuffer;
  readonly #starts: GPUBuffer;
  readonly #headsAt: number;

  static async prepare(
    gpu: GpuDevice,
    pipelines: Pipelines,
    scope: Scope,
    request: RolloutRequest,
    variant: RolloutVariant,
    pace: Pace,
  ): Promise<Futures> {
    const pipeline = await pipelines.get('rollout', rolloutWgsl(request.network.shape, variant));
    return allocateOrRefuse(gpu, 'the starting states', () => new Futures(gpu, scope, request, variant, pipeline, pace));
  }

  private constructor(
    gpu: GpuDevice,
    scope: Scope,
    request: RolloutRequest,
    variant: RolloutVariant,
    pipeline: GPUComputePipeline,
    pace: Pace,
  ) {
    this.#gpu = gpu;
    this.#request = request;
    this.#variant = variant;
    this.#pipeline = pipeline;
    this.#pace = pace;
    const { weights, headsAt } = packNetwork(request.network);
    this.#headsAt = headsAt;
    this.#weights = scope.upload('weights', weights);
    this.#starts = scope.upload('starts', request.starts);
  }

  /** Room for the columns of so many plans. */
  allocate(scope: Scope, plans: number): Promise<GpuColumns> {
    const bytes = columnBytes(this.#request);
    const megabytes = Math.ceil((plans * (bytes.values + bytes.incidence)) / 2 ** 20);
    return allocateOrRefuse(this.#gpu, `${megabytes} MB of simulated values`, () => ({
      values: scope.buffer('values', plans * bytes.values, GPUBufferUsage.STORAGE),
      incidence: scope.buffer('incidence', plans * bytes.incidence, GPUBufferUsage.STORAGE),
      eventStep: scope.buffer('event step', plans * bytes.eventStep, GPUBufferUsage.STORAGE),
      plans,
    }));
  }

  /**
   * Rolls `plans` (as many as `columns` holds, or fewer) out into `columns`, in chunks of tiles with a wait after each: the page
   * can cancel there, and no dispatch is long enough for a driver's watchdog. Chunk sizes hang on the clock, results do not.
   */
  async rollOut(plans: readonly PlanDrive[], columns: GpuColumns, hooks: RunHooks): Promise<void> {
    const { device } = this.#gpu;
    const { network, steps, rollouts, groupsPerMember, seed } = this.#request;
    const { M } = network.shape;
    const scope = this.#gpu.scope();
    try {
      const effects = packEffects(this.#request, plans);
      const tilesPerMember = Math.ceil(rollouts / M / tileSize(this.#variant));
      const sizes = scope.buffer('rollout sizes', rolloutSizes.bytes, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
      const values = {
        firstTile: 0,
        tilesPerMember,
        perMember: rollouts / M,
        perGroup: rollouts / (M * groupsPerMember),
        rollouts,
        steps,
        members: M,
        headsAt: this.#headsAt,
        effectsAt: M * groupsPerMember,
        isCited: plans.some((plan) => plan.effectError.some((error) => error !== 0)) ? 1 : 0,
        seedLow: seed[0],
        seedHigh: seed[1],
      };
      const bindings = bind(device, this.#pipeline, [
        sizes,
        this.#weights,
        scope.upload('drive', packDrives(network, plans, steps)),
        scope.upload('effects', effects),
        this.#starts,
        columns.values,
        columns.incidence,
        columns.eventStep,
      ]);

      const tiles = M * tilesPerMember;
      const perTile = tileSize(this.#variant) * plans.length * steps * multiplyAdds(network.shape);
      for (let firstTile = 0; firstTile < tiles;) {
        hooks.signal?.throwIfAborted();
        const count = Math.min(tiles - firstTile, this.#pace.chunk(perTile), device.limits.maxComputeWorkgroupsPerDimension);
        const started = performance.now();
        device.queue.writeBuffer(sizes, 0, writeStruct(rolloutSizes, { ...values, firstTile }));
        submit(device, [{ pipeline: this.#pipeline, bindings, workgroups: [count, plans.length, 1] }]);
        await this.#gpu.answer(device.queue.onSubmittedWorkDone());
        this.#pace.learn(count * perTile, performance.now() - started);
        firstTile += count;
        hooks.onProgress?.(firstTile / tiles);
      }
    } finally {
      scope.dispose();
    }
  }
}

/** Multiply-adds of one trajectory and step. */
function multiplyAdds({ S, L, H, K }: NetworkShape): number {
  const D = S + L;
  return 3 * H * (D + H) + S * (D + 2 * H) + K * (D + H);
}

/** Bytes of one plan's columns. */
export function columnBytes({ network, steps, rollouts }: Pick<RolloutRequest, 'network' | 'steps' | 'rollouts'>) {
  const { S, K } = network.shape;
  return {
    values: (steps + 1) * S * rollouts * 4,
    incidence: ((steps + 1) * K + 1) * rollouts * 4,
    eventStep: rollouts * 4,
  };
}

/** Tile variants that run on the device, likeliest best first: about `threads` threads, and eight trajectories to a thread. */
export function possibleVariants(shape: NetworkShape, limits: GPUSupportedLimits, threads = 64): RolloutVariant[] {
  const distance = (variant: RolloutVariant) => Math.abs(Math.log2(threadCount(shape, variant) / threads));
  return ([8, 4] as const)
    .flatMap((trajectories) => [1, 2, 4, 8].map((groups): RolloutVariant => ({ trajectories, groups })))
    .filter(
      (variant) =>
        workgroupBytes(shape, variant) <= Math.min(limits.maxComputeWorkgroupStorageSize, defaultWorkgroupStorage) &&
        threadCount(shape, variant) <= limits.maxComputeInvocationsPerWorkgroup,
    )
    .sort((a, b) => distance(a) - distance(b) || b.trajectories - a.trajectories);
}

// WebGPU's default limit. Asking for more would make results hang on the adapter only in whether they come at all.
const defaultWorkgroupStorage = 16_384;

/** Throws where a network does not fit this engine, or holds a number that is none: the GPU would hide it, not report it. */
export function checkNetwork({ shape, members }: Network): void {
  const { S, L, H, K, M } = shape;
  const fits = H % 4 === 0 && H >= 4 && H <= 128 && S >= 1 && S <= 32 && L <= 16 && K >= 1 && K <= 8 && M >= 1 && M <= 8;
  if (!fits) {
    throw new AppError(
      'request_invalid',
      `The GPU engine takes H a multiple of 4 up to 128, S ≤ 32, L ≤ 16, K ≤ 8, M ≤ 8; found H ${H}, S ${S}, L ${L}, K ${K}, M ${M}.`,
    );
  }
  members.forEach((member, m) => {
    for (const [name, values] of Object.entries(member)) {
      if (!allFinite(values as Float32Array)) {
        throw new AppError(
          'pack_weights_not_finite',
          `Member ${m}, tensor ${name}: a weight is not a finite number. Install the pack again.`,
        );
      }
    }
  });
}

function packNetwork({ shape, heads, members }: Network): { weights: Float32Array; headsAt: number } {
  const { stride } = memberLayout(shape, tiling);
  const packedHeads = packHeads(heads, tiling);
  const weights = new Float32Array(members.length * stride + packedHeads.length);
  members.forEach((member, m) => packMember(shape, member, tiling, weights, m * stride));
  weights.set(packedHeads, members.length * stride);
  return { weights, headsAt: (members.length * stride) / 4 };
}

function packDrives({ shape }: Network, plans: readonly PlanDrive[], steps: number): Float32Array {
  const rows = shape.M * steps;
  const { stride } = driveLayout(shape, tiling);
  const width = driveWidth(shape);
  const out = new Float32Array(plans.length * rows * stride);
  plans.forEach((plan, p) => {
    for (let row = 0; row < rows; row++) packDriveRow(shape, plan.rows, row * width, tiling, out, (p * rows + row) * stride);
  });
  return out;
}

function packEffects({ network, groupsPerMember, steps, seed }: RolloutRequest, plans: readonly PlanDrive[]): Float32Array {
  const { M, K } = network.shape;
  const groups = M * groupsPerMember;
  const out = new Float32Array(groups + plans.length * steps * K);
  for (let group = 0; group < groups; group++) out[group] = groupEffect(group, seed);
  plans.forEach((plan, p) => out.set(plan.effectError, groups + p * steps * K));
  return out;
}

/** A network of a shape in which nothing moves and every number is 0, for timings. */
export function emptyNetwork(shape: NetworkShape): Network {
  const { S, L, H, K, V, M } = shape;
  const D = S + L;
  const sizes: Record<keyof Network['members'][number], number> = {
    gateX: 3 * H * D,
    gateH: 3 * H * H,
    gateBias: 3 * H,
    resetBias: H,
    gateV: 3 * H * V,
    driftX: S * D,
    driftH: S * H,
    driftBias: S,
    driftV: S * V,
    scaleH: S * H,
    scaleBias: S,
    hazardX: K * D,
    hazardH: K * H,
    hazardBias: K,
    hazardV: K * V,
    observationScale: S,
    tailCount: S,
    tailScale: S,
    entryW: S * L,
    entryBias: S,
    entryLogScale: S,
    traitW: 0,
    traitBias: L,
    traitLogScale: L,
  };
  const zeros = Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, new Float32Array(size)]));
  return {
    shape,
    heads: Array.from({ length: S }, () => ({ kind: 'continuous' }) as const),
    members: Array.from({ length: M }, () => zeros as unknown as Network['members'][number]),
  };
}
