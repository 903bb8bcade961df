import { AppError } from '#domain/errors.ts';
import type { Engine, RolloutRequest, RolloutSummary, RunHooks } from '../engine.ts';
import { checkRequest } from '../request.ts';
import { acquireDevice, type GpuDevice } from './device.ts';
import type { RolloutVariant } from './kernels/rollout.wgsl.ts';
import { rolloutPace, selectionPace } from './pace.ts';
import { Pipelines } from './pipelines.ts';
import { Reduction, resultWords } from './reduce.ts';
import { checkNetwork, columnBytes, Futures, possibleVariants, type GpuColumns } from './rollout.ts';
import { rememberedVariant, type VariantStorage } from './tune.ts';

export interface GpuEngineOptions {
  /** A fixed tile variant. Default: the fastest of a short trial on a real GPU, a good guess on a software adapter. */
  readonly variant?: RolloutVariant;
  /** Where the trial's winner is kept. Default: only in memory. */
  readonly storage?: VariantStorage;
}

// Columns of several plans go into one buffer as long as it stays below this; more plans are done in turns.
const passBytes = 256 * 2 ** 20;

/** Rolls futures out with the fused kernel and summarises them on the GPU; only summaries and drawn courses are read back. */
export class GpuEngine implements Engine {
  readonly kind = 'gpu';
  readonly gpu: GpuDevice;
  readonly #pipelines: Pipelines;
  readonly #options: GpuEngineOptions;
  readonly #rolloutPace = rolloutPace();
  readonly #selectionPace = selectionPace();

  /** An engine on a device of its own; rejects with `gpu_unavailable` where there is none. */
  static async create(gpu: GPU, options: GpuEngineOptions = {}): Promise<GpuEngine> {
    return new GpuEngine(await acquireDevice(gpu), options);
  }

  constructor(gpu: GpuDevice, options: GpuEngineOptions = {}) {
    this.gpu = gpu;
    this.#pipelines = new Pipelines(gpu);
    this.#options = options;
  }

  get description(): string {
    return this.gpu.description;
  }

  async rollOut(request: RolloutRequest, hooks: RunHooks = {}): Promise<RolloutSummary> {
    checkRequest(request);
    checkNetwork(request.network);
    const plansPerPass = plansThatFit(request, this.gpu.device.limits);
    hooks.signal?.throwIfAborted();

    const { plans } = request;
    const started = performance.now();
    const errorsBefore = this.gpu.uncaptured.length;
    const scope = this.gpu.scope();
    try {
      const [futures, reduction] = await Promise.all([
        this.#prepare(request, scope),
        Reduction.prepare(this.gpu, this.#pipelines, scope, request, this.#selectionPace),
      ]);
      // Usual care stays, as every other plan is held against it; the buffers of the later passes are used again and again.
      const first = await futures.allocate(scope, plansPerPass);
      let later: GpuColumns | undefined;
      for (let p = 0; p < plans.length; p += plansPerPass) {
        const own = plans.slice(p, p + plansPerPass);
        const columns = p === 0 ? first : (later ??= await futures.allocate(scope, Math.min(plansPerPass, plans.length - p)));
        const part = (from: number, share: number): RunHooks => ({
          ...(hooks.signal ? { signal: hooks.signal } : {}),
          onProgress: (fraction) => hooks.onProgress?.((0.99 * (p + (from + share * fraction) * own.length)) / plans.length),
        });
        await futures.rollOut(own, columns, part(0, 0.7));
        await reduction.reduce(columns, first, p, own.length, part(0.7, 0.3));
      }
      const summary = await reduction.read();
      const error = this.gpu.uncaptured[errorsBefore];
      if (error) throw new Error(`The GPU refused a command: ${error.message}`);
      hooks.onProgress?.(1);
      return { ...summary, elapsedMs: performance.now() - started };
    } finally {
      scope.dispose();
    }
  }

  /**
   * The fused rollout alone, without summaries and without a read: what a benchmark against other ways to step the network wants.
   * The returned `run` does one rollout of all plans and resolves when the GPU has done it. Call `dispose` at the end.
   */
  async prepareRollOut(request: RolloutRequest): Promise<{ run(): Promise<void>; dispose(): void }> {
    checkRequest(request);
    checkNetwork(request.network);
    if (plansThatFit(request, this.gpu.device.limits) < request.plans.length) {
      throw new AppError('gpu_out_of_memory', 'The plans do not fit one pass. Lower the number of plans or futures.');
    }
    const scope = this.gpu.scope();
    try {
      const futures = await this.#prepare(request, scope);
      const columns = await futures.allocate(scope, request.plans.length);
      return { run: () => futures.rollOut(request.plans, columns, {}), dispose: () => scope.dispose() };
    } catch (error) {
      scope.dispose();
      throw error;
    }
  }

  async #prepare(request: RolloutRequest, scope: ReturnType<GpuDevice['scope']>): Promise<Futures> {
    const variant = this.#options.variant ?? (await this.#variantFor(request));
    return Futures.prepare(this.gpu, this.#pipelines, scope, request, variant, this.#rolloutPace);
  }

  async #variantFor({ network }: RolloutRequest): Promise<RolloutVariant> {
    // SwiftShader runs 32 threads as fast as 64 and compiles them in two thirds of the time.
    if (this.gpu.isSoftware) return possibleVariants(network.shape, this.gpu.device.limits, 32)[0];
    return rememberedVariant(this.gpu, this.#pipelines, network.shape, this.#options.storage);
  }

  dispose(): void {
    this.gpu.destroy();
  }
}

/** How many plans' columns one pass may hold. Throws with what to lower when not even one fits. */
function plansThatFit(request: RolloutRequest, limits: GPUSupportedLimits): number {
  const bytes = columnBytes(request);
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  const largest = Math.max(bytes.values, bytes.incidence, request.starts.byteLength);
  if (largest > most) {
    const rollouts = Math.floor((request.rollouts * most) / largest);
    throw new AppError(
      'gpu_out_of_memory',
      `${request.rollouts} futures over ${request.steps} steps need a buffer of ${megabytes(largest)} MB; this GPU gives ` +
        `${megabytes(most)} MB. Lower the number of futures below ${rollouts}, or run on the processor.`,
    );
  }
  if (resultWords(request) * 4 > most) {
    throw new AppError(
      'gpu_out_of_memory',
      `The summaries of ${request.plans.length} plans do not fit this GPU. Compare fewer plans at once.`,
    );
  }
  const perPass = Math.floor(Math.min(most, passBytes) / Math.max(bytes.values, bytes.incidence));
  return Math.min(request.plans.length, Math.max(1, perPass));
}

const megabytes = (bytes: number): number => Math.ceil(bytes / 2 ** 20);
