import { divergenceLimit, logHazardRange, logScaleRange, type Network } from '#packs/network.ts';
import { driveWidth } from '../drive.ts';
import type {
  Engine,
  FutureColumns,
  FutureEngine,
  PlanDrive,
  RolloutRequest,
  RolloutSummary,
  RunHooks,
  StepBuffers,
  Stepper,
} from '../engine.ts';
import { blocksOf, driveLayout, memberLayout, packDriveRow, packHeads, packMember, type Tiling } from '../layout.ts';
import { groupEffect } from '../reference/engine.ts';
import { checkRequest } from '../request.ts';
import { allocateColumns, summarise } from '../summary.ts';
import { yieldToOthers } from '../../yield.ts';
import { loadKernel, type Kernel } from './kernel.ts';
import { KernelMemory } from './memory.ts';

/** The kernel's lanes are trajectories, so it reads one unit's and one row's weights at a time. */
const tiling: Tiling = { units: 1, rows: 1 };
/** Trajectories to a pass of the kernel. */
const lanes = 8;
/** Multiplications between two looks at the cancel signal: about 20 ms on one core of a laptop. */
const chunkWork = 2.5e8;

/**
 * Rolls futures out in one SIMD WebAssembly module on the thread that calls it. Every call of the kernel is complete in itself: it
 * brings all that it reads and takes what it wrote, so runs may take turns on one engine.
 */
export class CpuEngine implements Engine, FutureEngine, Stepper {
  readonly kind = 'cpu';
  readonly description = 'CPU engine, WebAssembly with 128-bit SIMD, one thread';
  readonly #kernel: Kernel;
  readonly #memory: KernelMemory;
  #loaded: LoadedNetwork | null = null;

  private constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#memory = new KernelMemory(kernel.memory, kernel.heapBase());
    kernel.setLimits(...logScaleRange, ...logHazardRange, divergenceLimit);
  }

  static async create(): Promise<CpuEngine> {
    return new CpuEngine(await loadKernel());
  }

  async rollOut(request: RolloutRequest, hooks: RunHooks = {}): Promise<RolloutSummary> {
    const started = performance.now();
    const columns = await this.futures(request, hooks);
    return summarise(request, columns, performance.now() - started);
  }

  async futures(request: RolloutRequest, hooks: RunHooks = {}): Promise<FutureColumns[]> {
    checkRequest(request);
    hooks.signal?.throwIfAborted();
    const chunks = cutIntoChunks(request);
    const effects = groupEffects(request);
    const columns: FutureColumns[] = [];
    for (const [p, plan] of request.plans.entries()) {
      const drive = packDrive(request, plan);
      const into = allocateColumns(request);
      for (const [c, chunk] of chunks.entries()) {
        this.#rollOutChunk(request, plan, drive, effects, chunk, into);
        hooks.onProgress?.((p * chunks.length + c + 1) / (request.plans.length * chunks.length));
        await yieldToOthers();
        hooks.signal?.throwIfAborted();
      }
      columns.push(into);
    }
    return columns;
  }

  advance(network: Network, member: number, n: number, row: Float32Array, state: StepBuffers): void {
    const { shape } = network;
    const memory = this.#load(network);
    this.#select(network, member);
    const drive = new Float32Array(driveLayout(shape, tiling).stride);
    packDriveRow(shape, row, 0, tiling, drive);
    const noErrors = memory.reserve(shape.K);
    const at = {
      row: memory.reserve(drive.length),
      x: memory.reserve(n * (shape.S + shape.L)),
      h: memory.reserve(n * shape.H),
      mean: memory.reserve(n * shape.S),
      scale: memory.reserve(n * shape.S),
      logHazard: memory.reserve(n * shape.K),
    };
    memory.floats(noErrors, shape.K).fill(0);
    memory.write(at.row, drive);
    memory.write(at.x, state.x.subarray(0, n * (shape.S + shape.L)));
    memory.write(at.h, state.h.subarray(0, n * shape.H));
    this.#kernel.advance(n, at.row, noErrors, at.x, at.h, at.mean, at.scale, at.logHazard);
    state.h.set(memory.floats(at.h, n * shape.H));
    state.mean.set(memory.floats(at.mean, n * shape.S));
    state.scale.set(memory.floats(at.scale, n * shape.S));
    state.logHazard.set(memory.floats(at.logHazard, n * shape.K));
  }

  dispose(): void {
    this.#loaded = null;
  }

  #rollOutChunk(
    request: RolloutRequest,
    plan: PlanDrive,
    drive: Float32Array,
    effects: Float32Array,
    chunk: Chunk,
    into: FutureColumns,
  ): void {
    const { network, steps, rollouts, starts } = request;
    const { S, L, H, K } = network.shape;
    const { first, count, member } = chunk;
    const stride = Math.ceil(count / lanes) * lanes;
    const startWidth = S + L + H;
    const driveSize = drive.length / network.shape.M;
    const memory = this.#load(network);
    this.#select(network, member);
    const at = {
      starts: memory.reserve(count * startWidth),
      effects: memory.reserve(stride),
      drive: memory.reserve(driveSize),
      effectErrors: memory.reserve(steps * K),
      values: memory.reserve((steps + 1) * S * stride),
      incidences: memory.reserve((steps + 1) * K * stride),
      eventSteps: memory.reserve(stride),
      eventFree: memory.reserve(stride),
    };
    memory.write(at.starts, starts.subarray(first * startWidth, (first + count) * startWidth));
    memory.write(at.effects, effects.subarray(first, first + count));
    memory.write(at.drive, drive.subarray(member * driveSize, (member + 1) * driveSize));
    memory.write(at.effectErrors, plan.effectError);

    this.#kernel.setSeed(request.seed[0], request.seed[1]);
    this.#kernel.rollOut(
      first,
      count,
      steps,
      at.starts,
      at.effects,
      at.drive,
      at.effectErrors,
      stride,
      at.values,
      at.incidences,
      at.eventSteps,
      at.eventFree,
    );
    copyColumns(memory.floats(at.values, (steps + 1) * S * stride), stride, count, into.values, rollouts, first);
    copyColumns(memory.floats(at.incidences, (steps + 1) * K * stride), stride, count, into.incidence, rollouts, first);
    into.eventStep.set(memory.integers(at.eventSteps, count), first);
    into.eventFreeSteps.set(memory.floats(at.eventFree, count), first);
  }

  /** Puts the network's weights into the kernel's memory unless they are there, and gives the memory with the rest of it free. */
  #load(network: Network): KernelMemory {
    const memory = this.#memory;
    if (this.#loaded?.network !== network) {
      memory.freeAll();
      this.#loaded = loadNetwork(network, memory);
    }
    memory.freeTo(this.#loaded.end);
    return memory;
  }

  #select(network: Network, member: number): void {
    const { S, L, H, K } = network.shape;
    const { weights, heads, working } = this.#loaded!;
    const { blocks, stride } = memberLayout(network.shape, tiling);
    const drive = driveLayout(network.shape, tiling);
    const address = (at: number) => weights + 4 * (member * stride + at);
    this.#kernel.setModel(S, S + L, H, K, working, 4 * drive.blocks.drift.at, 4 * drive.blocks.hazard.at, 4 * drive.stride);
    this.#kernel.setMember(
      address(blocks.gates.at),
      address(blocks.resetBias.at),
      address(blocks.states.at),
      address(blocks.hazards.at),
      address(blocks.noise.at),
      heads,
    );
  }
}

/** Addresses of one network in the kernel's memory. */
interface LoadedNetwork {
  readonly network: Network;
  readonly weights: number;
  readonly heads: number;
  readonly working: number;
  /** First byte after them. */
  readonly end: number;
}

function loadNetwork(network: Network, memory: KernelMemory): LoadedNetwork {
  const { S, L, H, K, M } = network.shape;
  const { stride } = memberLayout(network.shape, tiling);
  const packed = new Float32Array(M * stride);
  network.members.forEach((member, m) => packMember(network.shape, member, tiling, packed, m * stride));
  const headTable = packHeads(network.heads, tiling);
  const weights = memory.reserve(packed.length);
  const heads = memory.reserve(headTable.length);
  const working = memory.reserve((S + L + 6 * H + 2 * S + 2 * K) * lanes);
  memory.write(weights, packed);
  memory.write(heads, headTable);
  return { network, weights, heads, working, end: memory.reserve(0) };
}

/** A run of rollouts of one member. */
interface Chunk {
  readonly first: number;
  readonly count: number;
  readonly member: number;
}

function cutIntoChunks({ network, rollouts, steps }: RolloutRequest): Chunk[] {
  const { S, L, H, M } = network.shape;
  const perRollout = steps * 3 * H * (S + L + H);
  const size = lanes * Math.min(128, Math.max(1, Math.floor(chunkWork / perRollout / lanes)));
  const own = rollouts / M;
  return Array.from({ length: M * blocksOf(own, size) }, (_, c) => {
    const member = Math.floor(c / blocksOf(own, size));
    const start = (c % blocksOf(own, size)) * size;
    return { first: member * own + start, count: Math.min(size, own - start), member };
  });
}

/** [rollouts] the draw of each one's group. */
function groupEffects({ network, rollouts, groupsPerMember, seed }: RolloutRequest): Float32Array {
  const groups = network.shape.M * groupsPerMember;
  const size = rollouts / groups;
  const effects = new Float32Array(rollouts);
  for (let group = 0; group < groups; group++) effects.fill(groupEffect(group, seed), group * size, (group + 1) * size);
  return effects;
}

/** [M × steps] rows in the kernel's order. */
function packDrive({ network: { shape }, steps }: RolloutRequest, plan: PlanDrive): Float32Array {
  const width = driveWidth(shape);
  const { stride } = driveLayout(shape, tiling);
  const out = new Float32Array(shape.M * steps * stride);
  for (let row = 0; row < shape.M * steps; row++) packDriveRow(shape, plan.rows, row * width, tiling, out, row * stride);
  return out;
}

/** Copies the first `count` of each `fromStride` numbers to `first`… of each `toStride`. */
function copyColumns(
  from: Float32Array,
  fromStride: number,
  count: number,
  to: Float32Array,
  toStride: number,
  first: number,
): void {
  for (let source = 0, target = first; source < from.length; source += fromStride, target += toStride) {
    to.set(from.subarray(source, source + count), target);
  }
}
