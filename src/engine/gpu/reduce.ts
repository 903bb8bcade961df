/** Summaries of columns that lie on the GPU: kernels that make them, one read, and what the words read mean. */
import type { PlanDifference, PlanSummary, RolloutRequest, RunHooks } from '../engine.ts';
import { writeStruct } from '../layout.ts';
import { courseRollouts } from '../summary.ts';
import { allocateOrRefuse, type GpuDevice, type Scope } from './device.ts';
import { courseSizes, coursesWgsl } from './kernels/courses.wgsl.ts';
import { groupSizes, groupsWgsl } from './kernels/groups.wgsl.ts';
import { levelCounters, levelsPerPass, recordSize, selectSizes, selectWgsl } from './kernels/select.wgsl.ts';
import type { Pace } from './pace.ts';
import { bind, submit, type Dispatch, type Pipelines } from './pipelines.ts';
import type { GpuColumns } from './rollout.ts';

/** Levels that are selected together: where their records begin for every plan, and for every difference. */
interface LevelBatch {
  readonly levels: readonly number[];
  readonly plansAt: number;
  readonly differencesAt: number;
}

/** Where each part of the summaries lies among the 32-bit words read back. */
interface ResultLayout {
  readonly batches: readonly LevelBatch[];
  readonly mediansAt: number;
  readonly groupsAt: number;
  readonly coursesAt: number;
  readonly words: number;
}

/** Order statistics of one kind over all columns of a plan; its dispatches go over the steps. */
interface Selection {
  readonly sizes: GPUBuffer;
  readonly bindings: GPUBindGroup;
  /** Workgroups a step. */
  readonly columns: number;
}

const two32 = 2 ** 32;

export class Reduction {
  readonly #gpu: GpuDevice;
  readonly #request: RolloutRequest;
  readonly #layout: ResultLayout;
  readonly #scope: Scope;
  readonly #select: GPUComputePipeline;
  readonly #groups: GPUComputePipeline;
  readonly #courses: GPUComputePipeline;
  readonly #results: GPUBuffer;
  readonly #staging: GPUBuffer;
  readonly #chosen: GPUBuffer;
  readonly #pace: Pace;

  static async prepare(
    gpu: GpuDevice,
    pipelines: Pipelines,
    scope: Scope,
    request: RolloutRequest,
    pace: Pace,
  ): Promise<Reduction> {
    const [select, groups, courses] = await Promise.all([
      pipelines.get('select', selectWgsl(Math.max(1, Math.min(request.levels.length, levelsPerPass)))),
      pipelines.get('groups', groupsWgsl),
      pipelines.get('courses', coursesWgsl),
    ]);
    return allocateOrRefuse(gpu, 'the summaries', () => new Reduction(gpu, scope, request, pace, select, groups, courses));
  }

  private constructor(
    gpu: GpuDevice,
    scope: Scope,
    request: RolloutRequest,
    pace: Pace,
    select: GPUComputePipeline,
    groups: GPUComputePipeline,
    courses: GPUComputePipeline,
  ) {
    this.#gpu = gpu;
    this.#request = request;
    this.#layout = layOutResults(request);
    this.#scope = scope;
    this.#pace = pace;
    this.#select = select;
    this.#groups = groups;
    this.#courses = courses;
    const bytes = this.#layout.words * 4;
    this.#results = scope.buffer('results', bytes, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
    this.#staging = scope.buffer('results read back', bytes, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
    this.#chosen = scope.upload('courses', Uint32Array.from(courseRollouts(request)));
  }

  /**
   * Makes the summaries of the plans in `columns`, of which the first is plan `firstPlan` of the request; `usualCare` begins with
   * plan 0. In chunks of steps with a wait after each, as in `Futures.rollOut` and for the same reasons.
   */
  async reduce(columns: GpuColumns, usualCare: GpuColumns, firstPlan: number, planCount: number, hooks: RunHooks): Promise<void> {
    const { device } = this.#gpu;
    const { steps, rollouts, network } = this.#request;
    for (let p = 0; p < planCount; p++) {
      const selections = this.#selections(columns, usualCare, p, firstPlan + p);
      const valuesPerStep = selections.length * network.shape.S * rollouts;
      for (let firstStep = 0; firstStep <= steps;) {
        hooks.signal?.throwIfAborted();
        const count = Math.min(steps + 1 - firstStep, this.#pace.chunk(valuesPerStep));
        const started = performance.now();
        const dispatches = selections.map(({ sizes, bindings, columns: ownColumns }): Dispatch => {
          device.queue.writeBuffer(sizes, selectSizes.offset.firstStep, Uint32Array.of(firstStep));
          return { pipeline: this.#select, bindings, workgroups: [ownColumns, count, 1] };
        });
        submit(device, dispatches);
        await this.#gpu.answer(device.queue.onSubmittedWorkDone());
        this.#pace.learn(count * valuesPerStep, performance.now() - started);
        firstStep += count;
        hooks.onProgress?.((p + firstStep / (steps + 1)) / planCount);
      }
    }
    submit(device, this.#sums(columns, firstPlan, planCount));
  }

  #selections(columns: GpuColumns, usualCare: GpuColumns, planOfPass: number, plan: number): Selection[] {
    const { M } = this.#request.network.shape;
    const { batches, mediansAt } = this.#layout;
    const cells = cellCount(this.#request);
    return [
      ...batches.flatMap(({ levels, plansAt, differencesAt }) => {
        const record = cells * recordSize(levels.length);
        return [
          this.#selection(columns, usualCare, planOfPass, levels, 1, false, plansAt + plan * record),
          ...(plan === 0 || levels.length === 0
            ? []
            : [this.#selection(columns, usualCare, planOfPass, levels, 1, true, differencesAt + (plan - 1) * record)]),
        ];
      }),
      ...(this.#request.levels.length === 0
        ? []
        : [this.#selection(columns, usualCare, planOfPass, [0.5], M, false, mediansAt + plan * cells * M * recordSize(1))]),
    ];
  }

  #selection(
    columns: GpuColumns,
    usualCare: GpuColumns,
    planOfPass: number,
    levels: readonly number[],
    parts: number,
    isDifference: boolean,
    resultAt: number,
  ): Selection {
    const { network, steps, rollouts } = this.#request;
    const { S } = network.shape;
    const values = writeStruct(selectSizes, {
      rollouts,
      steps,
      states: S,
      parts,
      levels: levels.length,
      isDifference: isDifference ? 1 : 0,
      plan: planOfPass,
      resultAt,
      firstStep: 0,
      ordinal: network.heads.reduce((bits, head, i) => (head.kind === 'ordinal' ? bits | (1 << i) : bits), 0) >>> 0,
    });
    const sizes = this.#uniform(values);
    const bindings = bind(this.#gpu.device, this.#select, [
      sizes,
      columns.values,
      usualCare.values,
      columns.eventStep,
      usualCare.eventStep,
      this.#scope.upload('levels', Uint32Array.from(levels, inUnitsOf2To32)),
      this.#results,
    ]);
    return { sizes, bindings, columns: S * parts };
  }

  #sums(columns: GpuColumns, firstPlan: number, planCount: number): Dispatch[] {
    const { network, steps, rollouts } = this.#request;
    const { S } = network.shape;
    const { device } = this.#gpu;
    const groups = groupCount(this.#request);
    const incidenceColumns = incidenceColumnCount(this.#request);
    const cells = cellCount(this.#request);
    const courses = courseRollouts(this.#request).length;
    const sums: Dispatch = {
      pipeline: this.#groups,
      bindings: bind(device, this.#groups, [
        this.#uniform(
          writeStruct(groupSizes, {
            rollouts,
            columns: incidenceColumns,
            groups,
            resultAt: this.#layout.groupsAt + firstPlan * (incidenceColumns + 1) * groups,
          }),
        ),
        columns.incidence,
        columns.eventStep,
        this.#results,
      ]),
      workgroups: [Math.ceil(groups / 64), incidenceColumns + 1, planCount],
    };
    if (courses === 0) return [sums];
    const copies: Dispatch = {
      pipeline: this.#courses,
      bindings: bind(device, this.#courses, [
        this.#uniform(
          writeStruct(courseSizes, {
            rollouts,
            steps,
            states: S,
            courses,
            resultAt: this.#layout.coursesAt + firstPlan * courses * cells,
          }),
        ),
        columns.values,
        columns.eventStep,
        this.#chosen,
        this.#results,
      ]),
      workgroups: [Math.ceil(cells / 64), courses, planCount],
    };
    return [sums, copies];
  }

  #uniform(contents: ArrayBuffer): GPUBuffer {
    return this.#scope.upload('sizes', new Uint32Array(contents), GPUBufferUsage.UNIFORM);
  }

  /** The one read of a forecast. */
  async read(): Promise<{ plans: PlanSummary[]; differences: PlanDifference[] }> {
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.#results, 0, this.#staging, 0, this.#layout.words * 4);
    device.queue.submit([encoder.finish()]);
    await this.#gpu.answer(this.#staging.mapAsync(GPUMapMode.READ));
    const words = new Uint32Array(this.#staging.getMappedRange().slice(0));
    this.#staging.unmap();
    return decode(this.#request, this.#layout, words);
  }
}

function cellCount({ network, steps }: RolloutRequest): number {
  return (steps + 1) * network.shape.S;
}

function groupCount({ network, groupsPerMember }: RolloutRequest): number {
  return network.shape.M * groupsPerMember;
}

/** Incidence of each cause at each grid time, and the event-free steps. */
function incidenceColumnCount({ network, steps }: RolloutRequest): number {
  return (steps + 1) * network.shape.K + 1;
}

function layOutResults(request: RolloutRequest): ResultLayout {
  const { plans, levels, network } = request;
  const cells = cellCount(request);
  let words = 0;
  const take = (count: number): number => {
    const at = words;
    words += count;
    return at;
  };
  const batches: LevelBatch[] = [];
  // Without levels there still is one record a column, for the counts.
  for (let first = 0; first === 0 || first < levels.length; first += levelsPerPass) {
    const own = levels.slice(first, first + levelsPerPass);
    const record = cells * recordSize(own.length);
    batches.push({ levels: own, plansAt: take(plans.length * record), differencesAt: take((plans.length - 1) * record) });
  }
  return {
    batches,
    mediansAt: take(levels.length === 0 ? 0 : plans.length * cells * network.shape.M * recordSize(1)),
    groupsAt: take(plans.length * (incidenceColumnCount(request) + 1) * groupCount(request)),
    coursesAt: take(plans.length * courseRollouts(request).length * cells),
    words,
  };
}

/** Words of the summaries, so that a run can be refused before it starts. */
export const resultWords = (request: RolloutRequest): number => layOutResults(request).words;

function decode(
  request: RolloutRequest,
  layout: ResultLayout,
  words: Uint32Array,
): { plans: PlanSummary[]; differences: PlanDifference[] } {
  const { plans, levels } = request;
  const cells = cellCount(request);
  /** Quantiles of all batches side by side: [cell × levels]. */
  const gather = (at: (batch: LevelBatch) => number, index: number): Float32Array => {
    const out = new Float32Array(cells * levels.length);
    let first = 0;
    for (const batch of layout.batches) {
      const record = recordSize(batch.levels.length);
      for (let cell = 0; cell < cells; cell++) {
        const start = at(batch) + (index * cells + cell) * record;
        out.set(readQuantiles(request, words, start, stateOf(request, cell), batch.levels), cell * levels.length + first);
      }
      first += batch.levels.length;
    }
    return out;
  };
  return {
    plans: plans.map((_, p) => ({
      ...decodeCounts(request, layout, words, p),
      quantiles: gather((batch) => batch.plansAt, p),
      memberMedians: decodeMedians(request, layout, words, p),
      ...decodeGroups(request, layout, words, p),
      courses: decodeCourses(request, layout, words, p),
    })),
    differences: plans.slice(1).map((_, d) => ({ quantiles: gather((batch) => batch.differencesAt, d) })),
  };
}

const stateOf = ({ network }: RolloutRequest, cell: number): number => cell % network.shape.S;

function decodeCounts(
  request: RolloutRequest,
  { batches }: ResultLayout,
  words: Uint32Array,
  plan: number,
): Pick<PlanSummary, 'alive' | 'levelCounts'> {
  const { S } = request.network.shape;
  const cells = cellCount(request);
  const record = recordSize(batches[0].levels.length);
  const startOf = (cell: number) => batches[0].plansAt + (plan * cells + cell) * record;
  const levelCounts = new Uint32Array(cells * 4);
  for (let cell = 0; cell < cells; cell++) {
    if (request.network.heads[stateOf(request, cell)].kind !== 'ordinal') continue;
    const zero = startOf(cell) + 1 + (levelCounters - 1) / 2;
    levelCounts.set(words.subarray(zero, zero + 4), cell * 4);
  }
  return { alive: Uint32Array.from({ length: request.steps + 1 }, (_, step) => words[startOf(step * S)]), levelCounts };
}

function decodeMedians(request: RolloutRequest, { mediansAt }: ResultLayout, words: Uint32Array, plan: number): Float32Array {
  const { M } = request.network.shape;
  const cells = request.levels.length === 0 ? 0 : cellCount(request);
  return Float32Array.from({ length: cells * M }, (_, column) => {
    const start = mediansAt + (plan * cells * M + column) * recordSize(1);
    return readQuantiles(request, words, start, stateOf(request, Math.floor(column / M)), [0.5])[0];
  });
}

function decodeGroups(
  request: RolloutRequest,
  { groupsAt }: ResultLayout,
  words: Uint32Array,
  plan: number,
): Pick<PlanSummary, 'incidence' | 'eventFreeSteps' | 'diverged'> {
  const { rollouts } = request;
  const groups = groupCount(request);
  const columns = incidenceColumnCount(request);
  const first = groupsAt + plan * (columns + 1) * groups;
  const sums = new Float32Array(words.buffer, first * 4, columns * groups);
  const counts = words.subarray(first + columns * groups, first + (columns + 1) * groups);
  const eventFreeColumn = columns - 1;
  const meanOf = (column: number, group: number) => sums[column * groups + group] / counts[group];
  return {
    incidence: Float32Array.from({ length: groups * eventFreeColumn }, (_, at) =>
      meanOf(at % eventFreeColumn, Math.floor(at / eventFreeColumn)),
    ),
    eventFreeSteps: Float32Array.from({ length: groups }, (_, group) => meanOf(eventFreeColumn, group)),
    diverged: rollouts - counts.reduce((sum, count) => sum + count, 0),
  };
}

function decodeCourses(request: RolloutRequest, { coursesAt }: ResultLayout, words: Uint32Array, plan: number): Float32Array {
  const size = courseRollouts(request).length * cellCount(request);
  return new Float32Array(words.buffer, (coursesAt + plan * size) * 4, size).slice();
}

/** Type 7 quantiles of one column from its record; NaN where it has no values. */
function readQuantiles(
  request: RolloutRequest,
  words: Uint32Array,
  start: number,
  state: number,
  levels: readonly number[],
): number[] {
  const count = words[start];
  if (count === 0) return levels.map(() => NaN);
  return levels.map((level, q) => {
    // The kernel's own rank: its product is below 2^53, so nothing is rounded here either.
    const below = Math.floor(((count - 1) * inUnitsOf2To32(level)) / two32);
    let low: number;
    let high: number;
    if (request.network.heads[state].kind === 'ordinal') {
      low = levelAtRank(words, start + 1, below);
      high = levelAtRank(words, start + 1, Math.min(below + 1, count - 1));
    } else {
      const at = start + 1 + levelCounters + 2 * q;
      low = numberOf(words[at]);
      high = below + 1 < count ? numberOf(words[at + 1]) : low;
    }
    // The kernel's level is off by up to 2^-33, which can move a whole rank to its neighbour; the interpolation then ends on it.
    const fraction = Math.min(1, Math.max(0, (count - 1) * level - below));
    return low + fraction * (high - low);
  });
}

const inUnitsOf2To32 = (level: number): number => Math.min(two32 - 1, Math.round(level * two32));

function levelAtRank(words: Uint32Array, countersAt: number, rank: number): number {
  let level = 0;
  for (let seen = words[countersAt]; seen <= rank; seen += words[countersAt + level]) level++;
  return level - (levelCounters - 1) / 2;
}

const bits = new DataView(new ArrayBuffer(4));

/** The float of a sortable key of `select.wgsl.ts`. */
function numberOf(key: number): number {
  bits.setUint32(0, key >= 0x80000000 ? key - 0x80000000 : ~key >>> 0);
  return bits.getFloat32(0);
}
