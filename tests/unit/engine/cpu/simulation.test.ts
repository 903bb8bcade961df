import { describe, expect, it } from 'vitest';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import type { Simulation } from '#engine/simulation.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { seedFrom } from '#numerics/random.ts';
import type { EquationsModel } from '#packs/equations/model.ts';
import { lanesApart } from '../../../conformance/simulation-suite.ts';
import {
  maturing,
  mapped,
  oneCompartment,
  stiff,
  toppedUp,
  toyProgram,
  toySimulation,
  toyTimeline,
} from '../../../fixtures/toy-models.ts';

const adaptive = (kind: 'dopri5' | 'rosenbrock', relativeTolerance: number): EquationsModel['stepper'] => ({
  ...{ kind, relativeTolerance, absoluteTolerance: relativeTolerance / 100 },
  ...{ firstStep: 0.1, maximumStep: 24, maximumSteps: 5000 },
});
const dose = (time: number, amount: number, duration = 0, input = 0) => ({ time, amount, duration, input });

/** What the common suite leaves to engines' own tests: steppers that choose their steps, with events, compartments and time. */
describe('adaptive steppers of the CPU simulator', () => {
  it.each([1e-5, 1e-8])('begin anew where an event sets a state (tolerance %d)', async (tolerance) => {
    const program = toppedUp(adaptive('dopri5', tolerance));
    const request = toySimulation(program, [toyTimeline(program, { doses: [dose(7.3, 4)] })], { end: 60, every: 1.1 });
    const found = await new CpuSimulator().simulate(request);
    const expected = await new ReferenceSimulator().simulate(request);
    // An event is found by a straight line over a step, so two engines with other steps find it at other times. One of f64 takes
    // the reference's steps.
    const apart = lanesApart(request, found, expected, { relative: tolerance === 1e-8 ? 1e-6 : 0.05, ofLargest: 1e-2 });
    expect(apart.length).toBeLessThanOrEqual(tolerance === 1e-8 ? 0 : 2);
  });

  it('Dormand–Prince of small tolerance takes the reference’s steps in f64', async () => {
    const program = maturing(adaptive('dopri5', 1e-9));
    const request = toySimulation(program, [toyTimeline(program, { doses: [dose(0, 90, 1), dose(0, 2, 0, 1)] })], {
      end: 200,
      every: 12.25,
    });
    const found = await new CpuSimulator().simulate(request);
    const expected = await new ReferenceSimulator().simulate(request);
    expect(found.values[0]).toBeInstanceOf(Float64Array);
    expect(lanesApart(request, found, expected, { relative: 1e-9, ofLargest: 1e-11 })).toEqual([]);
    expect(found.evaluations).toBe(expected.evaluations);
  });

  it('Rosenbrock reads time, and pivots where the first entry of its matrix is small', async () => {
    const program = toyProgram({
      parameters: [],
      states: [
        { symbol: 'a', unit: '1', initial: '1', derivative: "unit(50, '/h') * b + sinh(in(time, 'h') / 30) * unit(1, '/h')" },
        { symbol: 'b', unit: '1', initial: '0', derivative: "-unit(50, '/h') * a - unit(100, '/h') * b" },
      ],
      readouts: [
        { symbol: 'first', unit: '1', formula: 'a' },
        { symbol: 'second', unit: '1', formula: 'b' },
      ],
      stepper: adaptive('rosenbrock', 1e-8),
    });
    const request = toySimulation(program, [toyTimeline(program, {})], { end: 40, every: 0.7 });
    const found = await new CpuSimulator().simulate(request);
    const expected = await new ReferenceSimulator().simulate(request);
    // The slope in time is a difference, whose rounding is its own: the steps are not the same ones.
    expect(lanesApart(request, found, expected, { relative: 1e-5, ofLargest: 1e-7 })).toEqual([]);
  });
});

describe('the CPU simulator', () => {
  it('keeps requests apart that take turns on one program', async () => {
    const simulator = new CpuSimulator();
    const timeline = toyTimeline(mapped, { doses: [dose(3, 5)] });
    const request = (seed: number) => ({
      ...toySimulation(mapped, [timeline], { end: 40, every: 10, lanes: 20_000 }),
      seed: seedFrom(seed),
    });
    const alone = [await simulator.simulate(request(1)), await simulator.simulate(request(2))];
    const together = await Promise.all([simulator.simulate(request(1)), simulator.simulate(request(2))]);
    const areSame = (a: Simulation, b: Simulation) => a.values[0].every((value, i) => Object.is(value, b.values[0][i]));
    together.forEach((found, i) => expect(areSame(found, alone[i])).toBe(true));
    expect(areSame(alone[0], alone[1])).toBe(false);
  });

  it('stops between blocks when the signal fires', async () => {
    const stop = new AbortController();
    const request = toySimulation(stiff, [toyTimeline(stiff, {})], { end: 80, every: 2, lanes: 20_000 });
    const seen: number[] = [];
    const run = new CpuSimulator().simulate(request, {
      signal: stop.signal,
      onProgress: (fraction) => {
        seen.push(fraction);
        if (fraction > 0) stop.abort();
      },
    });
    await expect(run).rejects.toMatchObject({ name: 'AbortError' });
    expect(Math.max(...seen)).toBeLessThan(1);
  });

  it('computes closed forms in f64', async () => {
    const doses = Array.from({ length: 6 }, (_, k) => dose(12 * k, 500, k % 2));
    const request = toySimulation(oneCompartment, [toyTimeline(oneCompartment, { doses })], { end: 100, every: 0.9 });
    const found = await new CpuSimulator().simulate(request);
    const expected = await new ReferenceSimulator().simulate(request);
    expect(lanesApart(request, found, expected, { relative: 1e-11, ofLargest: 1e-13 })).toEqual([]);
  });
});
