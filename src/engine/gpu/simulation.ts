import { AppError } from '#domain/errors.ts';
import { evaluateRow, hoistProgram, type HoistedProgram } from '#packs/equations/hoist.ts';
import type { Program } from '#packs/equations/program.ts';
import type { RunHooks } from '../engine.ts';
import { writeStruct, type Struct } from '../layout.ts';
import type { Simulation, SimulationRequest, Simulator, Timeline } from '../simulation.ts';
import { timeTick } from '../timeline.ts';
import { acquireDevice, allocateOrRefuse, type GpuDevice, type Scope } from './device.ts';
import { simulationSizes, simulationWgsl, type SimulationKernel, type SimulationVariant } from './kernels/simulation.wgsl.ts';
import { Pace } from './pace.ts';
import { bind, Pipelines, submit } from './pipelines.ts';

const halfTick = timeTick / 2;

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
    const pipeline = await this.#pipelines.get('simulation', prepared.kernel.wgsl);
    hooks.signal?.throwIfAborted();
    const scope = this.gpu.scope();
    try {
      const room = roomFor(request, prepared.variant, this.gpu.device.limits);
      const inputs = packInputs(request, prepared);
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

/** What all lanes share, as the kernel reads it. */
interface PackedInputs {
  readonly timelines: Uint32Array;
  readonly segments: Uint32Array;
  readonly tables: Float32Array;
  readonly initialAt: number;
  readonly noiseAt: number;
  /** [timeline] a measure of the work of one lane. */
  readonly units: readonly number[];
}

function packInputs(request: SimulationRequest, { hoisted, kernel }: Prepared): PackedInputs {
  const { program, timelines, times, initialStates, noise } = request;
  const rowLength = program.covariates.length + hoisted.rowFormulas.length;
  const tables: number[] = [];
  const timelineRecords: Record<string, number>[] = [];
  const segmentRecords: Record<string, number>[] = [];
  const units: number[] = [];
  for (const timeline of timelines) {
    const firstRow = tables.length;
    for (const row of timeline.covariateRows) tables.push(...row, ...evaluateRow(hoisted.rowFormulas, row));
    const reportsAt = tables.length;
    const { records, offsets, startReports } = segmentsOf(program, timeline, times);
    for (const offset of offsets) tables.push(offset);
    const { steadyState } = timeline;
    timelineRecords.push({
      firstSegment: segmentRecords.length,
      segments: records.length,
      reportsAt,
      startReports,
      steadyInput: steadyState?.input ?? 0,
      steadyAmount: steadyState?.amount ?? 0,
      steadyDuration: steadyState?.duration ?? 0,
      steadyInterval: steadyState?.interval ?? 0,
    });
    units.push(unitsOf(program, records, times.length));
    for (const each of records) segmentRecords.push({ ...each, row: firstRow + each.row * rowLength });
  }
  const initialAt = tables.length;
  for (const value of initialStates ?? []) if (!Number.isNaN(value)) tables.push(value);
  const noiseAt = tables.length;
  for (const value of noise ?? []) tables.push(value);
  return {
    timelines: packRecords(kernel.timeline, timelineRecords),
    segments: packRecords(kernel.segment, segmentRecords),
    tables: Float32Array.from(tables),
    initialAt,
    noiseAt,
    units,
  };
}

/** Segments up to the last reported time, and the times since the starts of theirs. */
function segmentsOf(
  program: Program,
  { segments }: Timeline,
  times: Float64Array,
): { records: Record<string, number>[]; offsets: Float64Array; startReports: number } {
  const { stepper } = program;
  const step = 'step' in stepper ? stepper.step : 1;
  const origin = segments[0].start;
  const last = times[times.length - 1];
  const offsets = new Float64Array(times.length);
  let reported = 0;
  while (reported < times.length && times[reported] <= origin + halfTick) reported++;
  const startReports = reported;
  const records: Record<string, number>[] = [];
  for (const [s, segment] of segments.entries()) {
    const { start } = segment;
    if (s > 0 && (reported === times.length || start > last + halfTick)) break;
    const before = segments[s - 1];
    const next = segments[s + 1];
    const end = Math.min(next?.start ?? Infinity, last);
    const span = end > start + halfTick ? end - start : 0;
    while (span > 0 && reported < times.length && times[reported] <= end + halfTick) {
      offsets[reported] = Math.abs(times[reported] - end) <= halfTick ? span : times[reported] - start;
      reported++;
    }
    const stepsBefore = (start - origin) / step;
    const firstStep = stepper.kind === 'map' ? Math.round(stepsBefore) : Math.floor(stepsBefore + 1e-6);
    const record: Record<string, number> = {
      row: segment.covariateRow,
      isNewRow: before?.covariateRow === segment.covariateRow && before.occasion === segment.occasion ? 0 : 1,
      occasion: segment.occasion,
      endReport: reported,
      start,
      span,
      segmentLength: next ? next.start - start : 0,
      doseTime: segment.doseTime,
      firstStep,
      intoStep: Math.max(0, (stepsBefore - firstStep) * step),
    };
    program.inputs.forEach((_, i) => {
      record[`dose${i}`] = segment.doses[i];
      record[`rate${i}`] = segment.rates[i];
      record[`previous${i}`] = before?.rates[i] ?? 0;
    });
    program.controls.forEach((_, i) => (record[`control${i}`] = segment.controls[i]));
    for (const { state, value } of segment.setStates) {
      record[`isSet${state}`] = 1;
      record[`set${state}`] = value;
    }
    records.push(record);
  }
  return { records, offsets, startReports };
}

/** Steps, segments and reports of one lane, more or less. */
function unitsOf({ stepper }: Program, records: readonly Record<string, number>[], times: number): number {
  const span = records.reduce((sum, record) => sum + record['span'], 0);
  const step = 'step' in stepper ? stepper.step : 'maximumStep' in stepper ? stepper.maximumStep : Infinity;
  return times + records.length + span / step;
}

function packRecords(layout: Struct<string>, records: readonly Record<string, number>[]): Uint32Array {
  const words = layout.bytes / 4;
  const out = new Uint32Array(words * records.length);
  records.forEach((record, i) => {
    const known = Object.fromEntries(Object.entries(record).filter(([field]) => field in layout.offset));
    out.set(new Uint32Array(writeStruct(layout, known)), i * words);
  });
  return out;
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
