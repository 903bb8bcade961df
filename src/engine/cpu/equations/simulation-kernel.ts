import type { Seed } from '#numerics/random.ts';
import type { Program } from '#packs/equations/program.ts';
import type { SteadyState } from '../../simulation.ts';
import { writeKernel, type KernelExports, type KernelLayout } from './kernel.ts';
import { stepEntry } from './motion.ts';
import { roundKeys } from './noise.ts';
import type { ProgramCode, Word } from './program-code.ts';
import type { SegmentTables } from './segment-plan.ts';
import { f32x4, f64x2, type VectorType } from './vectors.ts';

type Numbers = Float32Array | Float64Array;
const pageBytes = 65_536;

/** A program's module with its memory: what goes in and what comes out. Knows nothing of the order in which things happen. */
export class SimulationKernel {
  /** Lanes that are gone through together. */
  readonly blockLanes: number;
  readonly #exports: KernelExports;
  readonly #layout: KernelLayout;
  readonly #code: ProgramCode;
  readonly #v: VectorType;
  readonly #readouts: number;
  #count = 0;
  #reports = 0;

  constructor(exports: KernelExports, layout: KernelLayout, readouts: number) {
    this.#exports = exports;
    this.#layout = layout;
    this.#code = layout.code;
    this.#v = layout.code.v;
    this.#readouts = readouts;
    this.blockLanes = layout.code.memory.lanes;
  }

  makeColumn(length: number): Numbers {
    return this.#v.bytes === 4 ? new Float32Array(length) : new Float64Array(length);
  }

  /** Good until memory grows. */
  #view(address: number, length: number): Numbers {
    const { buffer } = this.#exports.memory;
    return this.#v.bytes === 4 ? new Float32Array(buffer, address, length) : new Float64Array(buffer, address, length);
  }

  #columnAt(address: number, index: number): number {
    return address + index * this.#code.memory.columnBytes;
  }

  /** Lanes first … first + count − 1 of the request, none of which has diverged. */
  beginBlock(first: number, count: number, seed: Seed): void {
    const { buffer } = this.#exports.memory;
    const { running, diverged } = this.#code.columns;
    this.#count = count;
    this.setWord('firstLane', first);
    new Int32Array(buffer, this.#layout.keysAddress, 20).set(roundKeys(seed));
    new Uint8Array(buffer, running.address, this.#code.memory.columnBytes).fill(0).fill(0xff, 0, count * this.#v.bytes);
    new Uint8Array(buffer, diverged.address, this.#code.memory.columnBytes).fill(0);
    new Float64Array(buffer, this.#code.evaluations.address, 1)[0] = 0;
  }

  setWord(word: Word, value: number): void {
    new Int32Array(this.#exports.memory.buffer, this.#code.wordAddress(word), 1)[0] = value;
  }

  setScalars(name: keyof ProgramCode['scalars'], values: Float64Array): void {
    const { address, count } = this.#code.scalars[name];
    this.#view(address, count).set(values);
  }

  setLanes(name: 'effects' | 'covariates', index: number, values: Numbers, from: number, count: number): void {
    const address = this.#columnAt(this.#code.columns[name].address, index);
    this.#view(address, count).set(values.subarray(from, from + count));
  }

  setSteadyState(steady: SteadyState | null): void {
    this.setWord('isSteady', steady ? steady.input + 1 : 0);
    if (!steady) return;
    const { amount, duration, interval } = steady;
    const isBolus = duration === 0;
    const whole = Math.floor(duration / interval);
    const rest = duration - whole * interval;
    this.setScalars('steadyState', Float64Array.of(isBolus ? amount : 0, isBolus ? 0 : amount / duration, whole, rest, interval));
  }

  /** Tables of a segment, behind what the module reserved: reports, steps, given noise; then room for what is reported. */
  setTables({ reports, steps, length }: SegmentTables, noise: Float64Array | null): void {
    const { bytes } = this.#v;
    const { columnBytes } = this.#code.memory;
    const align = (address: number): number => Math.ceil(address / 16) * 16;
    const rowsAt = align(this.#code.memory.top);
    const stepsAt = align(rowsAt + (reports.length + 1) * bytes);
    const noiseAt = align(stepsAt + steps.length * stepEntry.bytes);
    const reportsAt = align(noiseAt + (noise?.length ?? 0) * bytes);
    const missing = reportsAt + reports.length * this.#readouts * columnBytes - this.#exports.memory.buffer.byteLength;
    if (missing > 0) this.#exports.memory.grow(Math.ceil(missing / pageBytes));
    const rows = this.#view(rowsAt, reports.length + 1);
    rows.set(reports);
    rows[reports.length] = Infinity;
    const table = new DataView(this.#exports.memory.buffer, stepsAt, steps.length * stepEntry.bytes);
    const write = (at: number, value: number): void =>
      bytes === 4 ? table.setFloat32(at, value, true) : table.setFloat64(at, value, true);
    steps.forEach(({ to, length: own, scale, number }, k) => {
      write(k * stepEntry.bytes + stepEntry.to, to);
      write(k * stepEntry.bytes + stepEntry.length, own);
      write(k * stepEntry.bytes + stepEntry.scale, scale);
      table.setInt32(k * stepEntry.bytes + stepEntry.number, number, true);
    });
    if (noise) this.#view(noiseAt, noise.length).set(noise);
    this.#view(reportsAt, (reports.length * this.#readouts * columnBytes) / bytes).fill(NaN);
    this.#reports = reportsAt;
    this.setScalars('length', Float64Array.of(length));
    this.setWord('rows', rowsAt);
    this.setWord('steps', stepsAt);
    this.setWord('stepsEnd', stepsAt + steps.length * stepEntry.bytes);
    this.setWord('givenNoise', noise ? noiseAt : 0);
    this.setWord('reports', reportsAt);
  }

  run(name: Exclude<keyof KernelExports, 'memory'>): void {
    this.#exports[name](Math.ceil(this.#count / this.#v.lanes) * 16);
  }

  takeReport(row: number, readout: number, into: Numbers, at: number): void {
    into.set(this.#view(this.#columnAt(this.#reports, row * this.#readouts + readout), this.#count), at);
  }

  takeEventTimes(event: number, into: Numbers, at: number): void {
    into.set(this.#view(this.#columnAt(this.#layout.eventTimes.address, event), this.#count), at);
  }

  takeDiverged(into: Uint8Array, at: number): void {
    const masks = new Uint8Array(this.#exports.memory.buffer, this.#code.columns.diverged.address, this.#count * this.#v.bytes);
    for (let lane = 0; lane < this.#count; lane++) into[at + lane] = masks[lane * this.#v.bytes] & 1;
  }

  takeEvaluations(): number {
    return new Float64Array(this.#exports.memory.buffer, this.#code.evaluations.address, 1)[0];
  }
}

/** `program` as it comes from hoisting. Rejects with a CompileError where WebAssembly has no SIMD. */
export async function loadSimulationKernel(
  program: Program,
  hoisted: number,
  laneCovariates: readonly number[],
  readouts: readonly number[],
): Promise<SimulationKernel> {
  const { bytes, layout } = writeKernel(program, vectorTypeOf(program), hoisted, laneCovariates, readouts);
  const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(bytes));
  return new SimulationKernel(exports as unknown as KernelExports, layout, readouts.length);
}

/**
 * Single precision holds fixed steps, and adaptive ones while their tolerance is well above its rounding. Eigenvalues far apart,
 * cascades of exponentials and linear solves it does not.
 */
function vectorTypeOf({ compartments, stepper }: Program): VectorType {
  const isFine = stepper.kind === 'dopri5' && stepper.relativeTolerance < 1e-5;
  return compartments || stepper.kind === 'closed-form' || stepper.kind === 'rosenbrock' || isFine ? f64x2 : f32x4;
}
