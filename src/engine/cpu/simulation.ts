import type { Program } from '#packs/equations/program.ts';
import { evaluateRow, hoistProgram } from '#packs/equations/hoist.ts';
import type { RunHooks } from '../engine.ts';
import { checkSimulation } from '../simulation-request.ts';
import {
  effectColumn,
  type Segment,
  type Simulation,
  type SimulationRequest,
  type Simulator,
  type Timeline,
} from '../simulation.ts';
import { yieldToOthers } from '../../yield.ts';
import { loadSimulationKernel, type SimulationKernel } from './equations/simulation-kernel.ts';
import { planSegments, type SegmentPlan } from './equations/segment-plan.ts';

/** Between two looks at the cancel signal. */
const patienceMs = 30;

/**
 * Runs programs of `equations` packs in SIMD WebAssembly on the thread that calls it. Each program becomes a module of its own, written
 * from the checked tree (equations/kernel.ts). Lanes are four f32 to a vector; two f64 where f32 does not hold what is asked:
 * closed forms, models with compartments, Rosenbrock, and tolerances below 1e-5.
 */
export class CpuSimulator implements Simulator {
  readonly kind = 'cpu';
  readonly description = 'CPU engine, WebAssembly with 128-bit SIMD, one thread';
  #kernels = new WeakMap<Program, Map<string, Promise<PreparedProgram>>>();

  async simulate(request: SimulationRequest, hooks: RunHooks = {}): Promise<Simulation> {
    checkSimulation(request);
    hooks.signal?.throwIfAborted();
    const started = performance.now();
    const { lanes, timelines, times, readouts, program } = request;
    const prepared = await this.#prepare(request);
    hooks.signal?.throwIfAborted();
    const { kernel } = prepared;
    const make = (length: number) => kernel.makeColumn(length).fill(NaN);
    const values = timelines.map(() => make(readouts.length * times.length * lanes));
    const eventTimes = timelines.map(() => make(program.events.length * lanes));
    const diverged = timelines.map(() => new Uint8Array(lanes));
    let evaluations = 0;
    let awake = performance.now();
    hooks.onProgress?.(0);
    for (const [t, timeline] of timelines.entries()) {
      const plan = planSegments(program, timeline, times);
      const rows = timeline.covariateRows.map((row) => evaluateRow(prepared.rowFormulas, row));
      for (let first = 0; first < lanes; first += kernel.blockLanes) {
        const count = Math.min(kernel.blockLanes, lanes - first);
        // Whole in itself: it brings all that it reads and takes what it wrote, so requests may take turns on one kernel.
        const block = new Block(kernel, request, timeline, rows, first, count);
        evaluations += block.run(plan, values[t], eventTimes[t], diverged[t]);
        const isLast = t + 1 === timelines.length && first + count === lanes;
        if (performance.now() - awake < patienceMs && !isLast) continue;
        hooks.onProgress?.((t + (first + count) / lanes) / timelines.length);
        await yieldToOthers();
        hooks.signal?.throwIfAborted();
        awake = performance.now();
      }
    }
    return { values, diverged, eventTimes, evaluations, elapsedMs: performance.now() - started };
  }

  dispose(): void {
    this.#kernels = new WeakMap();
  }

  #prepare({ program, readouts, laneCovariates }: SimulationRequest): Promise<PreparedProgram> {
    const own = laneCovariates.map(({ covariate }) => covariate);
    const key = `${readouts.join()};${own.join()}`;
    let kernels = this.#kernels.get(program);
    if (!kernels) this.#kernels.set(program, (kernels = new Map()));
    let prepared = kernels.get(key);
    if (!prepared) kernels.set(key, (prepared = prepareProgram(program, own, readouts)));
    return prepared;
  }
}

interface PreparedProgram {
  readonly kernel: SimulationKernel;
  readonly rowFormulas: ReturnType<typeof hoistProgram>['rowFormulas'];
}

async function prepareProgram(
  program: Program,
  laneCovariates: readonly number[],
  readouts: readonly number[],
): Promise<PreparedProgram> {
  const hoisted = hoistProgram(program, laneCovariates);
  const kernel = await loadSimulationKernel(hoisted.program, hoisted.rowFormulas.length, laneCovariates, readouts);
  return { kernel, rowFormulas: hoisted.rowFormulas };
}

/** So many neighbouring lanes through one timeline. */
class Block {
  readonly #kernel: SimulationKernel;
  readonly #request: SimulationRequest;
  readonly #timeline: Timeline;
  /** [row][hoisted] */
  readonly #rows: readonly Float64Array[];
  readonly #first: number;
  readonly #count: number;

  constructor(
    kernel: SimulationKernel,
    request: SimulationRequest,
    timeline: Timeline,
    rows: readonly Float64Array[],
    first: number,
    count: number,
  ) {
    this.#kernel = kernel;
    this.#request = request;
    this.#timeline = timeline;
    this.#rows = rows;
    this.#first = first;
    this.#count = count;
  }

  /** Gives the evaluations; writes the lanes' parts of the three columns. */
  run(
    { startReports, segments }: { startReports: number; segments: readonly SegmentPlan[] },
    values: Float32Array | Float64Array,
    eventTimes: Float32Array | Float64Array,
    diverged: Uint8Array,
  ): number {
    const kernel = this.#kernel;
    const { program, lanes, seed, noise, initialStates, laneCovariates } = this.#request;
    const first = this.#first;
    const count = this.#count;
    kernel.beginBlock(first, count, seed);
    kernel.setScalars('initialStates', initialStates ?? new Float64Array(program.states.length).fill(NaN));
    kernel.setScalars('previousRates', new Float64Array(program.inputs.length));
    laneCovariates.forEach((own, i) => kernel.setLanes('covariates', i, own.values, first, count));
    const steadyState = this.#timeline.steadyState;
    kernel.setSteadyState(steadyState);
    const start = this.#timeline.segments[0];
    this.#setContext(start, null);
    kernel.run('initialise');
    if (startReports > 0) {
      kernel.setTables({ reports: Float64Array.of(0), steps: [], length: 0 }, noise ?? null);
      kernel.run('reportStart');
      for (let row = 0; row < startReports; row++) this.#takeReports(values, row, 1);
    }
    for (const [s, plan] of segments.entries()) {
      const segment = this.#timeline.segments[s];
      const before = s === 0 ? null : this.#timeline.segments[s - 1];
      if (before) this.#setContext(segment, before);
      kernel.setWord('isFirst', s === 0 ? 1 : 0);
      kernel.setScalars('segmentLength', Float64Array.of(plan.segmentLength));
      kernel.setScalars('doses', segment.doses);
      kernel.setScalars('setStates', setStates(program, segment));
      kernel.run('enter');
      if (plan.length === 0) continue;
      kernel.setTables(plan, noise ?? null);
      kernel.run('run');
      this.#takeReports(values, plan.firstReport, plan.reports.length);
    }
    program.events.forEach((_, e) => kernel.takeEventTimes(e, eventTimes, e * lanes + first));
    kernel.takeDiverged(diverged, first);
    return kernel.takeEvaluations();
  }

  /** Covariates, effects and parameters where they have changed; rates, controls and times of the segment. */
  #setContext(segment: Segment, before: Segment | null): void {
    const kernel = this.#kernel;
    const { segments, covariateRows } = this.#timeline;
    kernel.setScalars('start', Float64Array.of(segment.start));
    kernel.setScalars('doseTime', Float64Array.of(segment.doseTime));
    kernel.setScalars('rates', segment.rates);
    kernel.setScalars('controls', segment.controls);
    if (before) kernel.setScalars('previousRates', before.rates);
    else kernel.setScalars('segmentLength', Float64Array.of(segments.length > 1 ? segments[1].start - segment.start : 0));
    if (before && before.covariateRow === segment.covariateRow && before.occasion === segment.occasion) return;
    kernel.setScalars('covariates', covariateRows[segment.covariateRow]);
    kernel.setScalars('hoisted', this.#rows[segment.covariateRow]);
    this.#setEffects(segment.occasion);
    kernel.run('parameters');
  }

  #setEffects(occasion: number): void {
    const { program, effects, lanes } = this.#request;
    program.effects.forEach((_, e) => {
      const { first, stride } = effectColumn(program, e);
      const column = first + stride * occasion;
      this.#kernel.setLanes('effects', e, effects, column * lanes + this.#first, this.#count);
    });
  }

  /** Rows of the segment to the request's rows from `row` on. */
  #takeReports(values: Float32Array | Float64Array, row: number, rows: number): void {
    const { readouts, times, lanes } = this.#request;
    readouts.forEach((_, r) => {
      for (let k = 0; k < rows; k++) {
        this.#kernel.takeReport(k, r, values, (r * times.length + row + k) * lanes + this.#first);
      }
    });
  }
}

function setStates(program: Program, segment: Segment): Float64Array {
  const values = new Float64Array(program.states.length).fill(NaN);
  for (const { state, value } of segment.setStates) values[state] = value;
  return values;
}
