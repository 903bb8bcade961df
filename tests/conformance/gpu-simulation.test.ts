import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { probeNodeGpu } from '../../scripts/node-gpu.ts';
import { GpuSimulator } from '#engine/gpu/simulation.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import type { Simulation } from '#engine/simulation.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { evaluate } from '#packs/equations/evaluate.ts';
import type { ApplyExpr, Expr, Program } from '#packs/equations/program.ts';
import { oneCompartment, person, toppedUp, toyProgram, toySimulation, toyTimeline } from '../fixtures/toy-models.ts';
import { describeSimulator, lanesApart } from './simulation-suite.ts';

// The software adapter compiles each shader for seconds, and under load for much longer.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

// What the model specifications ask of an f32 engine: relative to the value, or to the largest of its read-out.
const tolerance = { relative: 2e-4, ofLargest: 1e-5 };

const steps = { relativeTolerance: 1e-5, absoluteTolerance: 1e-7, firstStep: 0.1, maximumStep: 1, maximumSteps: 5000 };

async function nodeGpu(): Promise<GPU> {
  const { gpu, reason } = await probeNodeGpu();
  if (!gpu) throw new Error(reason);
  return gpu;
}

describeSimulator('GPU', async () => GpuSimulator.create(await nodeGpu()), tolerance);

describe('the GPU simulator', () => {
  let simulator: GpuSimulator;
  beforeAll(async () => (simulator = await GpuSimulator.create(await nodeGpu())));
  afterAll(() => {
    expect(simulator.gpu.liveBuffers).toBe(0);
    expect(simulator.gpu.uncaptured.map((error) => error.message)).toEqual([]);
    simulator.dispose();
  });

  const a: Expr = { op: 'read', from: 'effect', index: 0 };
  const b: Expr = { op: 'read', from: 'effect', index: 1 };
  const apply = (op: ApplyExpr['op'], ...args: Expr[]): Expr => ({ op, args });
  const number = (value: number): Expr => ({ op: 'number', value });

  /** The values of formulas over two effects, for pairs of them. */
  async function valuesOf(formulas: readonly Expr[], pairs: readonly (readonly [number, number])[]): Promise<Float32Array> {
    const program: Program = {
      ...oneCompartment,
      effects: oneCompartment.effects.slice(0, 2),
      compartments: null,
      inputs: [],
      parameters: [],
      observations: [],
      readouts: formulas.map((value) => ({ symbol: 'f', unit: '1', value })),
    };
    const simulation = await simulator.simulate({
      program,
      timelines: [toyTimeline(program, {})],
      times: Float64Array.of(0),
      readouts: formulas.map((_, i) => i),
      lanes: pairs.length,
      effects: Float64Array.from([...pairs.map(([x]) => x), ...pairs.map(([, y]) => y)]),
      laneCovariates: [],
      seed: seedFrom(1),
    });
    return simulation.values[0] as Float32Array;
  }

  it('computes every operation of the language as f64 does, at its edges too', async () => {
    const formulas = [
      ...(['neg', 'exp', 'log', 'sqrt', 'tanh', 'sinh', 'abs', 'floor', 'expm1', 'log1p'] as const).map((op) => apply(op, a)),
      ...(['add', 'sub', 'mul', 'div', 'pow', 'min', 'max'] as const).map((op) => apply(op, a, b)),
      apply('if', apply('and', apply('lt', a, b), apply('not', apply('eq', a, number(0)))), number(1), number(2)),
      apply('if', apply('or', apply('le', a, b), apply('eq', a, number(2))), a, b),
      apply('pow', a, number(2.5)),
      apply('pow', a, number(9)),
      apply('div', a, number(3)),
    ];
    const edges = [0, 1e-30, 1e-6, 0.01, 0.1, 0.24, 0.26, 0.5, 0.9999, 1, 1.0001, 2, 3, 7.5, 20, 80].flatMap((x) => [x, -x]);
    const pairs = edges.flatMap((x) => edges.map((y): [number, number] => [Math.fround(x), Math.fround(y)]));
    const found = await valuesOf(formulas, pairs);
    formulas.forEach((formula, f) => {
      pairs.forEach((pair, lane) => {
        const expected = evaluate(formula, (_, index) => pair[index]);
        const value = found[f * pairs.length + lane];
        const what = `${JSON.stringify(formula)} of ${pair}: ${value}, expected ${expected}`;
        if (Number.isNaN(expected)) expect(value, what).toBeNaN();
        // Beyond f32: as large as it goes, or infinite.
        else if (Math.abs(expected) > 3e38) expect(Math.abs(value), what).toBeGreaterThan(3e38);
        // WGSL lets exp be off by 3 + 2|x| units in the last place, 1e-5 at 88 where f32 ends; the rest is closer (measured 5e-7, pow 5e-6).
        else expect(Math.abs(value - expected), what).toBeLessThanOrEqual(2e-5 * Math.abs(expected) + 1e-37);
      });
    });
  });

  it('compiles and runs whatever numbers a program holds', async () => {
    const numbers = [1e300, -1e300, NaN, 1e-50, -0, 1e38].map(number);
    const formulas = numbers.flatMap((x) => [x, apply('mul', x, x), apply('add', x, a), apply('exp', x), apply('div', a, x)]);
    const found = await valuesOf(formulas, [[1, 2]]);
    expect(found[0]).toBe(Infinity);
    expect(found[2]).toBe(Infinity);
    expect(found[5]).toBe(-Infinity);
    expect(found[10]).toBeNaN();
    expect(found[15]).toBe(0);
  });

  it('keeps closed forms exact whether rates coincide or lie far apart', async () => {
    const rates = ['Q1', 'Q2', 'V1', 'V2', 'ka', 'ke'] as const;
    const units = { Q1: 'L/h', Q2: 'L/h', V1: 'L', V2: 'L', ka: '/h', ke: '/h' };
    const program = toyProgram({
      effects: rates.map((name) => ({ symbol: `eta${name}`, variance: 1, label: name, per: 'person' })),
      parameters: rates.map((name) => ({
        symbol: name,
        unit: units[name],
        formula: `unit(1, '${units[name]}') * exp(eta${name})`,
      })),
      compartments: {
        amountUnit: 'mg',
        central: 'A',
        clearance: "unit(1, 'L/h')",
        volume: "unit(1, 'L')",
        peripherals: [
          { symbol: 'P1', flow: 'Q1', volume: 'V1' },
          { symbol: 'P2', flow: 'Q2', volume: 'V2' },
        ],
        depot: { symbol: 'D', rate: 'ka' },
        effectSite: { symbol: 'Ce', rate: 'ke' },
        exposure: 'AUC',
      },
      inputs: [
        { symbol: 'oral', intervention: 'drug', label: 'Drug', unit: 'mg', routes: ['oral'], into: 'D' },
        { symbol: 'infusion', intervention: 'drug', label: 'Drug', unit: 'mg', routes: ['iv-infusion'], into: 'A' },
      ],
      readouts: [
        { symbol: 'conc', unit: 'mg/L', formula: "A / unit(1, 'L')" },
        { symbol: 'first', unit: 'mg', formula: 'P1' },
        { symbol: 'second', unit: 'mg', formula: 'P2' },
        { symbol: 'site', unit: 'mg/L', formula: 'Ce' },
        { symbol: 'area', unit: 'mg.h/L', formula: 'AUC' },
      ],
      stepper: { kind: 'closed-form' },
    });
    const random = new RandomSequence(seedFrom(3));
    const lanes = 600;
    const effects = new Float64Array(rates.length * lanes);
    for (let lane = 0; lane < lanes; lane++) {
      // Every fourth lane has rates on a coarse grid, so that some of them are the same.
      const values = rates.map(() => (lane % 4 === 0 ? Math.round(2 * random.normal()) : 3 * random.normal()));
      values.forEach((value, i) => (effects[i * lanes + lane] = value));
    }
    const timeline = toyTimeline(program, {
      doses: [
        { input: 0, time: 0, amount: 100, duration: 0 },
        { input: 0, time: 1, amount: 100, duration: 3 },
        { input: 1, time: 2, amount: 50, duration: 5 },
        { input: 0, time: 30, amount: 10, duration: 0 },
      ],
    });
    const request = { ...toySimulation(program, [timeline], { end: 60, every: 0.75, lanes }), effects };
    const [found, expected] = [await simulator.simulate(request), await new ReferenceSimulator().simulate(request)];
    expect(lanesApart(request, found, expected, tolerance)).toEqual([]);
  });

  it.each([
    { kind: 'rk4', step: 0.5 },
    { kind: 'dopri5', ...steps },
    { kind: 'rosenbrock', ...steps },
    { kind: 'euler-maruyama', step: 0.5 },
    { kind: 'heun', step: 0.5 },
  ] as const)('finds crossings, sets states and ends lanes under $kind', async (stepper) => {
    const program = toppedUp(stepper);
    const timeline = toyTimeline(program, { doses: [{ input: 0, time: 7.3, amount: 4, duration: 0 }] });
    const request = toySimulation(program, [timeline], { end: 60, every: 1.1 });
    const [found, expected] = [await simulator.simulate(request), await new ReferenceSimulator().simulate(request)];
    expect([...expected.eventTimes[0]].some(Number.isFinite)).toBe(true);
    // A crossing lies on a straight line between the ends of a step, and engines may step differently where rounding decides: off by
    // the curvature of a step of 1 h at rates of 0.1/h, whose square over 8 is 1e-3. A hazard may fall on the other side of a step.
    const wide = { relative: tolerance.relative + 1e-3, ofLargest: tolerance.ofLargest };
    expect(lanesApart(request, found, expected, wide).length).toBeLessThanOrEqual(1);
  });

  it('many runs leave no buffer behind, nor does one that was stopped', async () => {
    const timeline = toyTimeline(oneCompartment, { doses: [{ input: 0, time: 0, amount: 100, duration: 1 }] });
    const request = toySimulation(oneCompartment, [timeline], { end: 24, every: 4, lanes: 500 });
    const first = await simulator.simulate(request);
    for (let run = 0; run < 20; run++) expect(withoutTime(await simulator.simulate(request))).toEqual(withoutTime(first));
    expect(simulator.gpu.liveBuffers).toBe(0);
    const stop = new AbortController();
    const run = simulator.simulate(request, { signal: stop.signal, onProgress: () => stop.abort() });
    await expect(run).rejects.toMatchObject({ name: 'AbortError' });
    expect(simulator.gpu.liveBuffers).toBe(0);
  });

  it('more lanes than one dispatch takes are done in turns, each lane as if alone', async () => {
    const program = toppedUp({ kind: 'rk4', step: 0.5 });
    const lanes = 18_000;
    const random = new RandomSequence(seedFrom(5));
    const effects = Float32Array.from({ length: 2 * lanes }, () => random.normal() * 0.3);
    const make = (from: number, count: number) => ({
      ...toySimulation(
        program,
        [toyTimeline(program, {}), toyTimeline(program, { doses: [{ input: 0, time: 3, amount: 4, duration: 0 }] })],
        {
          end: 20,
          every: 0.04,
          lanes: count,
        },
      ),
      effects: Float32Array.from({ length: 2 * count }, (_, i) => effects[Math.floor(i / count) * lanes + from + (i % count)]),
    });
    const request = make(0, lanes);
    // Two timelines of 501 times: 72 MB of answers, more than are read at once.
    const all = await simulator.simulate(request);
    const few = await simulator.simulate(make(0, 64));
    const rows = request.times.length;
    for (const p of [0, 1]) {
      for (let row = 0; row < rows; row += 100) {
        expect(all.values[p].slice(row * lanes, row * lanes + 64)).toEqual(few.values[p].slice(row * 64, (row + 1) * 64));
      }
      expect(all.eventTimes[p].slice(lanes, lanes + 64)).toEqual(few.eventTimes[p].slice(64, 128));
      // The last lane was written as well.
      expect(all.values[p][lanes - 1]).toBe(10);
    }
  });

  it('refuses what does not fit the GPU with what to lower', async () => {
    const program = toppedUp({ kind: 'rk4', step: 0.5 });
    const request = toySimulation(program, [toyTimeline(program, {})], { end: 1, every: 1, lanes: 1 });
    const { maxStorageBufferBindingSize, maxBufferSize } = simulator.gpu.device.limits;
    const times = { length: Math.min(maxStorageBufferBindingSize, maxBufferSize) } as Float64Array;
    await expect(simulator.simulate({ ...request, times })).rejects.toMatchObject({
      code: 'gpu_out_of_memory',
      message: /fewer times/,
    });
  });

  it('refuses more steps than a kernel can count', async () => {
    const program = toppedUp({ kind: 'rk4', step: 1e-6 });
    const request = toySimulation(program, [toyTimeline(program, {})], { end: 24, every: 24, lanes: 1 });
    await expect(simulator.simulate(request)).rejects.toMatchObject({ code: 'gpu_out_of_memory', message: /24000000 steps/ });
  });

  it('refuses a model that WGSL has no room for, with no error left on the device', async () => {
    const small = toppedUp({ kind: 'rk4', step: 1 });
    const [state] = small.states;
    const program = { ...small, events: [], states: Array.from({ length: 300 }, () => state) };
    const request = toySimulation(program, [toyTimeline(program, {})], { end: 2, every: 1, lanes: 1 });
    await expect(simulator.simulate(request)).rejects.toMatchObject({ code: 'gpu_out_of_memory', message: /processor/ });
    expect(simulator.gpu.uncaptured).toEqual([]);
  });

  it('the covariate of a lane counts, whatever the row says', async () => {
    const request = toySimulation(
      oneCompartment,
      [toyTimeline(oneCompartment, { covariates: [{ time: 0, row: person(NaN) }] })],
      {
        end: 4,
        every: 1,
        lanes: 3,
        laneCovariates: [{ covariate: 0, values: Float64Array.of(50, 70, 90) }],
      },
    );
    const { values, diverged } = await simulator.simulate(request);
    expect([...values[0]].every(Number.isFinite)).toBe(true);
    expect([...diverged[0]]).toEqual([0, 0, 0]);
  });

  it('a run during which the device goes away rejects with gpu_lost, and so does every later one', async () => {
    const mortal = await GpuSimulator.create(await nodeGpu());
    const request = toySimulation(oneCompartment, [toyTimeline(oneCompartment, {})], { end: 4, every: 1 });
    const run = mortal.simulate(request, { onProgress: () => mortal.gpu.destroy() });
    await expect(run).rejects.toMatchObject({ code: 'gpu_lost' });
    await expect(mortal.simulate(request)).rejects.toMatchObject({ code: 'gpu_lost' });
    expect(mortal.gpu.liveBuffers).toBe(0);
  });
});

function withoutTime({ elapsedMs: _, ...rest }: Simulation): Omit<Simulation, 'elapsedMs'> {
  return rest;
}
