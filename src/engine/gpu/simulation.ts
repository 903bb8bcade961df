import { AppError } from '#domain/errors.ts';
import { hoistProgram, type HoistedProgram } from '#packs/equations/hoist.ts';
import type { Program } from '#packs/equations/program.ts';
import type { RunHooks } from '../engine.ts';
import { writeStruct } from '../layout.ts';
import type { Simulation, SimulationRequest, Simulator } from '../simulation.ts';
import { acquireDevice, allocateOrRefuse, type GpuDevice, type Scope } from './device.ts';
import { simulationSizes, simulationWgsl, type SimulationKernel, type SimulationVariant } from './kernels/simulation.wgsl.ts';
import { Pace } from './pace.ts';
import { bind, Pipelines, submit } from './pipelines.ts';
import { packInputs, type PackedInputs } from './simulation-inputs.ts';

/** Answers of one dispatch: enough to keep any GPU busy, little enough to be read back in a moment. */
const passBytes = 64 * 2 ** 20;

/** A guess that a software adapter on one core keeps, and one for a small hardware GPU, in `unitsOf` per millisecond. */
const firstPace = { software: 200, hardware: 20_000 };

/** Invocations are independent, so no result hangs on it. A software adapter took 1.3 times as long in workgroups of 64. */
const workgroupSize = { software: 32, hardware: 64 };

/** Fewer pieces take as long as this many. */
const smallestChunk = 64;

/** A program as this engine runs it: one for each variant that was asked for. */
interface Prepared {
  readonly variant: SimulationVariant;
  readonly hoisted: HoistedProgram;
  readonly kernel: SimulationKernel;
  readonly pace: Pace;
}

/**
 * Runs programs of `equations` packs as WGSL: a lane and a timeline to an invocation, one read back a chunk of lanes. Numbers are f32;
 * what depends on covariates alone is computed in f64 before, and time is counted from each segment's start.
 */
export class GpuSimulator implements Simulator {
  readonly kind = 'gpu';
  readonly gpu: GpuDevice;
  readonly #pipelines: Pipelines;
  readonly #prepared = new WeakMap<Program, Map<string, Prepared>>();

  /** A simulator on a device of its own; rejects with `gpu_unavailable` where there is none. */
  static async create(gpu: GPU): Promise<GpuSimulator> {
    return new GpuSimulator(await acquireDevice(gpu));
  }

  constructor(gpu: GpuDevice) {
    this.gpu = gpu;
    this.#pipelines = new Pipelines(gpu);
  }

  get description(): string {
    return this.gpu.description;
  }

  /** Rejects with `gpu_lost` when the device goes away, and with `gpu_out_of_memory` where one lane does not fit it. */
  async simulate(request: SimulationRequest, hooks: RunHooks = {}): Promise<Simulation> {
    hooks.signal?.throwIfAborted();
    const started = performance.now();
    const errorsBefore = this.gpu.uncaptured.length;
    const prepared = this.#prepare(request);
    const pipeline = await this.#pipelineOf(request.program, prepared);
    hooks.signal?.throwIfAborted();
    const scope = this.gpu.scope();
    try {
      const room = roomFor(request, prepared.variant, this.gpu.device.limits);
      const inputs = packInputs(request, prepared.hoisted, prepared.kernel);
      const run = await allocateOrRefuse(
        this.gpu,
        `${Math.ceil((room.pieces * wordsPerPiece(request)) / 2 ** 18)} MB of simulated values`,
        () => new ChunkRunner(this.gpu, scope, pipeline, request, prepared, inputs, room),
      );
      const simulation = await run.all(hooks);
      const error = this.gpu.uncaptured[errorsBefore];
      if (error) throw new Error(`The GPU refused a command: ${error.message}`);
      hooks.onProgress?.(1);
      return { ...simulation, elapsedMs: performance.now() - started };
    } finally {
      scope.dispose();
    }
  }

  #prepare(request: SimulationRequest): Prepared {
    const variant = variantOf(request, this.gpu.isSoftware ? workgroupSize.software : workgroupSize.hardware);
    let variants = this.#prepared.get(request.program);
    if (!variants) this.#prepared.set(request.program, (variants = new Map()));
    const key = JSON.stringify(variant);
    let prepared = variants.get(key);
    if (!prepared) {
      const hoisted = hoistProgram(request.program, variant.laneCovariates);
      const kernel = simulationWgsl(hoisted.program, variant);
      const pace = new Pace(this.gpu.isSoftware ? firstPace.software : firstPace.hardware);
      variants.set(key, (prepared = { variant, hoisted, kernel, pace }));
    }
    return prepared;
  }

  /** A model larger than WGSL's limits, or than a driver's compiler takes, is one that does not fit this GPU. */
  async #pipelineOf({ modelId }: Program, { kernel }: Prepared): Promise<GPUComputePipeline> {
    try {
      return await this.#pipelines.get('simulation', kernel.wgsl);
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      const message = `This GPU does not take the model '${modelId}'. It runs on the processor.`;
      throw new AppError('gpu_out_of_memory', message, { cause });
    }
  }

  dispose(): void {
    this.gpu.destroy();
  }
}

function variantOf(request: SimulationRequest, threads: number): SimulationVariant {
  const { timelines, readouts, laneCovariates, initialStates, noise } = request;
  const set = timelines.flatMap(({ segments }) => segments.flatMap(({ setStates }) => setStates.map(({ state }) => state)));
  const given = [...(initialStates ?? [])].flatMap((value, state) => (Number.isNaN(value) ? [] : [state]));
  return {
    readouts,
    laneCovariates: laneCovariates.map(({ covariate }) => covariate),
    setStates: [...new Set(set)].sort((a, b) => a - b),
    givenStates: given,
    hasSteadyState: timelines.some(({ steadyState }) => steadyState !== null),
    hasGivenNoise: noise !== undefined,
    workgroupSize: threads,
  };
}

/** What one dispatch holds at most. A piece is one lane under one timeline. */
interface Room {
  readonly lanes: number;
  readonly pieces: number;
}

/** Numbers that come back of a piece. */
function wordsPerPiece({ readouts, times, program }: SimulationRequest): number {
  return readouts.length * times.length + program.events.length + 2;
}

function roomFor(request: SimulationRequest, { workgroupSize }: SimulationVariant, limits: GPUSupportedLimits): Room {
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize) / 4;
  const perPiece = wordsPerPiece(request);
  const columns = columnsOf(request);
  if (Math.max(perPiece, columns) > most) {
    throw new AppError(
      'gpu_out_of_memory',
      `${request.times.length} times of ${request.readouts.length} read-outs are more than this GPU gives one patient room for. ` +
        'Ask for fewer times, or run on the processor.',
    );
  }
  const pieces = Math.min(
    request.lanes * request.timelines.length,
    Math.max(1, Math.floor(Math.min(most, passBytes / 4) / perPiece)),
    limits.maxComputeWorkgroupsPerDimension * workgroupSize,
  );
  return { lanes: Math.min(request.lanes, pieces, Math.floor(most / Math.max(1, columns))), pieces };
}

function columnsOf({ effects, lanes, laneCovariates }: SimulationRequest): number {
  return effects.length / lanes + laneCovariates.length;
}

/** One request's buffers, and the loop over its chunks. */
class ChunkRunner {
  readonly #gpu: GpuDevice;
  readonly #pipeline: GPUComputePipeline;
  readonly #request: SimulationRequest;
  readonly #workgroupSize: number;
  readonly #pace: Pace;
  readonly #inputs: PackedInputs;
  readonly #room: Room;
  readonly #sizes: GPUBuffer;
  readonly #lanes: GPUBuffer | null;
  readonly #answers: GPUBuffer;
  readonly #staging: GPUBuffer;
  readonly #bindings: GPUBindGroup;

  constructor(
    gpu: GpuDevice,
    scope: Scope,
    pipeline: GPUComputePipeline,
    request: SimulationRequest,
    { variant, kernel, pace }: Prepared,
    inputs: PackedInputs,
    room: Room,
  ) {
    this.#gpu = gpu;
    this.#pipeline = pipeline;
    this.#request = request;
    this.#workgroupSize = variant.workgroupSize;
    this.#pace = pace;
    this.#inputs = inputs;
    this.#room = room;
    const { STORAGE, UNIFORM, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
    this.#sizes = scope.buffer('simulation sizes', simulationSizes.bytes, UNIFORM | COPY_DST);
    this.#lanes = kernel.readsLanes ? scope.buffer('lanes', columnsOf(request) * room.lanes * 4, STORAGE | COPY_DST) : null;
    const answerBytes = room.pieces * wordsPerPiece(request) * 4;
    this.#answers = scope.buffer('answers', answerBytes, STORAGE | COPY_SRC);
    this.#staging = scope.buffer('answers to read', answerBytes, MAP_READ | COPY_DST);
    this.#bindings = bind(gpu.device, pipeline, [
      this.#sizes,
      scope.upload('timelines', inputs.timelines),
      scope.upload('segments', inputs.segments),
      scope.upload('tables', inputs.tables),
      this.#answers,
      ...(this.#lanes ? [this.#lanes] : []),
    ]);
  }

  async all(hooks: RunHooks): Promise<Omit<Simulation, 'elapsedMs'>> {
    const { lanes, timelines, times, readouts, program } = this.#request;
    const values = timelines.map(() => new Float32Array(readouts.length * times.length * lanes));
    const diverged = timelines.map(() => new Uint8Array(lanes));
    const eventTimes = timelines.map(() => new Float32Array(program.events.length * lanes));
    let evaluations = 0;
    let done = 0;
    hooks.onProgress?.(0);
    for (let firstTimeline = 0, count; firstTimeline < timelines.length; firstTimeline += count) {
      // All lanes under as many timelines as make a good chunk, or a good chunk of lanes under one.
      const wanted = Math.max(smallestChunk, this.#pace.chunk(this.#inputs.units[firstTimeline]));
      const fitting = Math.floor(Math.min(wanted, this.#room.pieces) / lanes);
      count = Math.max(1, Math.min(fitting, timelines.length - firstTimeline));
      const units = this.#inputs.units.slice(firstTimeline, firstTimeline + count).reduce((sum, each) => sum + each, 0);
      for (let firstLane = 0; firstLane < lanes;) {
        hooks.signal?.throwIfAborted();
        const good = Math.max(1, Math.floor(this.#pace.chunk(units) / smallestChunk)) * smallestChunk;
        const chunk = Math.min(this.#room.lanes, lanes - firstLane, good);
        const started = performance.now();
        const answers = await this.#run(firstTimeline, count, firstLane, chunk);
        this.#pace.learn(units * chunk, performance.now() - started);
        for (let t = 0; t < count; t++) {
          const own = firstTimeline + t;
          const rows = readouts.length * times.length;
          copyRows(values[own], lanes, firstLane, answers.values, t * rows, rows, chunk);
          const { events } = program;
          copyRows(eventTimes[own], lanes, firstLane, answers.events, t * events.length, events.length, chunk);
          diverged[own].set(answers.diverged.subarray(t * chunk, (t + 1) * chunk), firstLane);
        }
        for (const each of answers.evaluations) evaluations += each;
        this.#staging.unmap();
        firstLane += chunk;
        done += chunk * count;
        hooks.onProgress?.((0.99 * done) / (lanes * timelines.length));
      }
    }
    return { values, diverged, eventTimes, evaluations };
  }

  /** Runs and reads one chunk; the arrays are views of the mapped buffer, until it is unmapped. */
  async #run(firstTimeline: number, timelines: number, firstLane: number, lanes: number) {
    const { device } = this.#gpu;
    const { times, readouts, program, seed, effects } = this.#request;
    const eventsAt = timelines * readouts.length * times.length * lanes;
    const divergedAt = eventsAt + timelines * program.events.length * lanes;
    const evaluationsAt = divergedAt + timelines * lanes;
    const end = evaluationsAt + timelines * lanes;
    const sizes = writeStruct(simulationSizes, {
      firstLane,
      lanes,
      firstTimeline,
      timelines,
      times: times.length,
      eventsAt,
      divergedAt,
      evaluationsAt,
      initialAt: this.#inputs.initialAt,
      noiseAt: this.#inputs.noiseAt,
      laneCovariatesAt: effects.length / this.#request.lanes,
      seedLow: seed[0],
      seedHigh: seed[1],
      infinity: Infinity,
      notANumber: NaN,
    });
    device.queue.writeBuffer(this.#sizes, 0, sizes);
    if (this.#lanes) device.queue.writeBuffer(this.#lanes, 0, this.#laneColumns(firstLane, lanes));
    const workgroups = [Math.ceil((lanes * timelines) / this.#workgroupSize), 1, 1] as const;
    submit(device, [{ pipeline: this.#pipeline, bindings: this.#bindings, workgroups }]);
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.#answers, 0, this.#staging, 0, end * 4);
    device.queue.submit([encoder.finish()]);
    await this.#gpu.answer(this.#staging.mapAsync(GPUMapMode.READ, 0, end * 4));
    const mapped = this.#staging.getMappedRange(0, end * 4);
    const words = new Uint32Array(mapped);
    const numbers = new Float32Array(mapped);
    return {
      values: numbers.subarray(0, eventsAt),
      events: numbers.subarray(eventsAt, divergedAt),
      diverged: words.subarray(divergedAt, evaluationsAt),
      evaluations: words.subarray(evaluationsAt, end),
    };
  }

  /** [column][lane] of the chunk: effects, then covariates that differ between lanes. */
  #laneColumns(firstLane: number, lanes: number): Float32Array<ArrayBuffer> {
    const { effects, laneCovariates, lanes: all } = this.#request;
    const columns = columnsOf(this.#request);
    const out = new Float32Array(columns * lanes);
    for (let c = 0; c < columns - laneCovariates.length; c++) {
      out.set(effects.subarray(c * all + firstLane, c * all + firstLane + lanes), c * lanes);
    }
    laneCovariates.forEach(({ values }, c) => {
      out.set(values.subarray(firstLane, firstLane + lanes), (columns - laneCovariates.length + c) * lanes);
    });
    return out;
  }
}

/** Rows of a chunk's lanes into rows of all lanes. */
function copyRows(
  to: Float32Array,
  stride: number,
  at: number,
  from: Float32Array,
  first: number,
  rows: number,
  lanes: number,
): void {
  for (let row = 0; row < rows; row++) to.set(from.subarray((first + row) * lanes, (first + row + 1) * lanes), row * stride + at);
}
