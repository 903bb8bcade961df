/** One suite for every simulator of `equations` programs: it gives what the f64 reference gives, within rounding. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Simulation, SimulationRequest, Simulator } from '#engine/simulation.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import type { EquationsModel } from '#packs/equations/model.ts';
import {
  absorbed,
  eating,
  exploding,
  mapped,
  maturing,
  oneCompartment,
  person,
  stiff,
  toppedUp,
  toySimulation,
  toyTimeline,
  wandering,
  withEffectSite,
} from '../fixtures/toy-models.ts';

/** A value passes within either: relative to itself, or to the largest value of its read-out and lane. */
export interface SimulationTolerance {
  readonly relative: number;
  readonly ofLargest: number;
}

interface Case {
  readonly title: string;
  readonly request: SimulationRequest;
  /** Why an engine may be further off than its rounding: it chooses other steps. Added to the relative tolerance. */
  readonly otherSteps?: number;
  /** Lanes in which a threshold may fall on the other side of a rounding error. */
  readonly lanesThatMayMove?: number;
}

const rk4: EquationsModel['stepper'] = { kind: 'rk4', step: 0.5 };
// Below 1e-5 an f32 engine sees its own rounding as error; engines choose steps on their own, and each is within some tens of
// tolerances of the truth after hundreds of steps.
const dopri5: EquationsModel['stepper'] = {
  kind: 'dopri5',
  relativeTolerance: 1e-5,
  absoluteTolerance: 1e-7,
  firstStep: 0.1,
  maximumStep: 24,
  maximumSteps: 5000,
};
const adaptive = 1e-3;

const dose = (time: number, amount: number, duration = 0, input = 0) => ({ time, amount, duration, input });

export function simulationCases(): Case[] {
  const daily = (n: number, amount: number, every = 24) => Array.from({ length: n }, (_, k) => dose(k * every, amount));
  const occasions = toyTimeline(oneCompartment, {
    doses: [dose(0, 100), dose(12, 500, 2), dose(13, 500, 2), dose(24, 100)],
    occasions: [12, 24],
  });
  const growing = toyTimeline(oneCompartment, {
    doses: daily(4, 200, 12),
    covariates: [
      { time: 0, row: person(70) },
      { time: 18.5, row: person(45) },
    ],
  });
  const tablets = (sex: 0 | 1) =>
    toyTimeline(absorbed, { doses: daily(5, 50, 12), covariates: [{ time: 0, row: person(80, sex) }] });
  const steady = (duration: number) =>
    toyTimeline(withEffectSite, {
      steadyState: { input: 0, amount: 90, duration, interval: 12 },
      doses: [dose(0, 90, duration)],
    });
  const cycles = (model: ReturnType<typeof maturing>) =>
    toyTimeline(model, { doses: [dose(0, 90, 1), dose(0, 2, 0, 1), dose(504, 90, 1), dose(504, 2, 0, 1)] });
  const meals = (model: ReturnType<typeof eating>) =>
    toyTimeline(model, {
      doses: [dose(10, 33), dose(14, 20), dose(20, 5, 0, 1), dose(60, 4, 30, 1), dose(120, 40)],
      setStates: [{ time: 90, state: 1, value: 500 }],
      end: 240,
    });
  const minutes: EquationsModel['stepper'] = { kind: 'rk4', step: 1 };
  const lever = toyTimeline(stiff, {
    controls: [
      { control: 0, from: 40, value: 0.7 },
      { control: 0, from: 55, value: 0 },
    ],
  });
  const noise = Float64Array.from({ length: 20 * 5 }, (_, i) => Math.fround(Math.sin(12.9898 * i)));
  const weights = Float32Array.from({ length: 37 }, (_, i) => 45 + 2 * i);
  const sexes = Float32Array.from({ length: 37 }, (_, i) => i % 2);

  return [
    {
      title: 'one compartment, boluses and overlapping infusions, an effect by occasion',
      request: toySimulation(oneCompartment, [occasions], { end: 40, every: 1.25 }),
    },
    {
      title: 'a covariate that changes between two doses',
      request: toySimulation(oneCompartment, [growing], { end: 48, every: 1 }),
    },
    {
      title: 'absorption with a lag by category and a bioavailability by dose time, two plans',
      request: toySimulation(absorbed, [tablets(0), tablets(1)], { end: 72, every: 0.5 }),
    },
    {
      title: 'three compartments and an effect site, an infusion',
      request: toySimulation(withEffectSite, [toyTimeline(withEffectSite, { doses: [dose(0, 100), dose(1, 500, 10)] })], {
        end: 48,
        every: 0.5,
      }),
    },
    { title: 'the steady state of boluses', request: toySimulation(withEffectSite, [steady(0)], { end: 24, every: 1 }) },
    { title: 'the steady state of infusions', request: toySimulation(withEffectSite, [steady(3)], { end: 24, every: 1 }) },
    {
      title: 'the steady state of infusions that overlap',
      request: toySimulation(withEffectSite, [steady(30)], { end: 24, every: 1 }),
    },
    {
      title: 'the steady state of tablets',
      request: toySimulation(
        absorbed,
        [toyTimeline(absorbed, { steadyState: { input: 0, amount: 50, duration: 0, interval: 8 } })],
        { end: 24, every: 1 },
      ),
    },
    {
      title: 'covariates that differ between lanes',
      request: toySimulation(oneCompartment, [growing], {
        end: 48,
        every: 3,
        laneCovariates: [{ covariate: 0, values: weights }],
      }),
    },
    {
      title: 'a category that differs between lanes',
      request: toySimulation(oneCompartment, [growing], { end: 48, every: 3, laneCovariates: [{ covariate: 1, values: sexes }] }),
    },
    {
      title: 'one lane and one time',
      request: toySimulation(oneCompartment, [occasions], { end: 0, every: 1, lanes: 1, times: Float64Array.of(30) }),
    },
    {
      title: 'RK4 on states that read compartments',
      request: toySimulation(maturing(rk4), [cycles(maturing(rk4))], { end: 700, every: 12.25 }),
    },
    {
      title: 'Dormand–Prince on states that read compartments',
      request: toySimulation(maturing(dopri5), [cycles(maturing(dopri5))], { end: 700, every: 12.25 }),
      otherSteps: adaptive,
    },
    {
      title: 'RK4 with queued meals, memory and held states',
      request: toySimulation(eating(minutes), [meals(eating(minutes))], { end: 240, every: 2.5 }),
    },
    {
      title: 'Dormand–Prince with queued meals, memory and held states',
      request: toySimulation(eating(dopri5), [meals(eating(dopri5))], { end: 240, every: 2.5 }),
      otherSteps: adaptive,
    },
    {
      title: 'initial states that are given',
      request: toySimulation(eating(minutes), [meals(eating(minutes))], {
        end: 60,
        every: 5,
        initialStates: Float64Array.of(20, NaN, 1),
      }),
    },
    {
      title: 'Rosenbrock on a stiff system with a lever',
      request: toySimulation(stiff, [lever], { end: 80, every: 2 }),
      otherSteps: adaptive,
    },
    ...(['euler-maruyama', 'heun'] as const).map((kind) => ({
      title: `${kind} with drawn noise, two plans, a segment that splits a step`,
      request: toySimulation(
        wandering(kind),
        [toyTimeline(wandering(kind), {}), toyTimeline(wandering(kind), { doses: [dose(3.3, 0.2)] })],
        { end: 30, every: 1.7 },
      ),
    })),
    {
      title: 'a map with drawn noise, events and doses between steps',
      request: toySimulation(mapped, [toyTimeline(mapped, { doses: [dose(3, 5), dose(4.5, 5)] })], { end: 30, every: 1 }),
      lanesThatMayMove: 1,
    },
    {
      title: 'a map with given noise, asked between steps',
      request: toySimulation(mapped, [toyTimeline(mapped, {})], { end: 19.5, every: 1.5, noise }),
      lanesThatMayMove: 1,
    },
    {
      title: 'RK4 with a crossing that sets a state and a hazard that ends',
      request: toySimulation(toppedUp(rk4), [toyTimeline(toppedUp(rk4), { doses: [dose(7.3, 4)] })], { end: 60, every: 1.1 }),
      lanesThatMayMove: 1,
    },
  ];
}

/** `tolerance` is that of the engine's arithmetic. */
export function describeSimulator(name: string, make: () => Promise<Simulator>, tolerance: SimulationTolerance): void {
  describe(`${name} simulator`, () => {
    let simulator: Simulator;
    const reference = new ReferenceSimulator();
    beforeAll(async () => {
      simulator = await make();
      return () => simulator.dispose();
    });

    describe('gives what the reference gives', () => {
      it.each(simulationCases())('for $title', async ({ request, otherSteps = 0, lanesThatMayMove = 0 }) => {
        const expected = await reference.simulate(request);
        const found = await simulator.simulate(request);
        const wide = { relative: tolerance.relative + otherSteps, ofLargest: tolerance.ofLargest + otherSteps };
        expect(lanesApart(request, found, expected, wide).length).toBeLessThanOrEqual(lanesThatMayMove);
      });
    });

    it.each([
      ['RK4', rk4],
      ['Dormand–Prince', dopri5],
    ] as const)('says which lanes diverged under %s, and nothing of them from there on', async (_, stepper) => {
      const program = exploding(stepper);
      const request = toySimulation(program, [toyTimeline(program, {})], { end: 20, every: 1 });
      const expected = await reference.simulate(request);
      const found = await simulator.simulate(request);
      expect(expected.diverged[0]).toContain(0);
      expect(expected.diverged[0]).toContain(1);
      expect(found.diverged[0]).toEqual(expected.diverged[0]);
      const times = request.times.length;
      found.diverged[0].forEach((isDiverged, lane) => {
        const column = Array.from({ length: times }, (__, t) => found.values[0][t * request.lanes + lane]);
        expect(column.some(Number.isNaN)).toBe(isDiverged === 1);
        expect(column.slice(column.findIndex(Number.isNaN)).every(Number.isNaN)).toBe(isDiverged === 1);
      });
    });

    it('gives the same bytes for the same request, whatever was asked in between', async () => {
      const [first, , other] = simulationCases();
      const before = await simulator.simulate(first.request);
      await simulator.simulate(other.request);
      expect(withoutTime(await simulator.simulate(first.request))).toEqual(withoutTime(before));
    });

    it('gives a plan the same whatever other plans stand beside it', async () => {
      const { request } = simulationCases().find(({ title }) => title.includes('heun'))!;
      const both = await simulator.simulate(request);
      const alone = await simulator.simulate({ ...request, timelines: [request.timelines[1]] });
      expect(alone.values[0]).toEqual(both.values[1]);
    });

    it('gives a lane the same whatever other lanes stand beside it', async () => {
      const { request } = simulationCases().find(({ title }) => title.includes('RK4 on states'))!;
      const { lanes, effects, times, readouts } = request;
      const few = 5;
      const columns = effects.length / lanes;
      const fewer = Float64Array.from({ length: columns * few }, (_, i) => effects[Math.floor(i / few) * lanes + (i % few)]);
      const all = await simulator.simulate(request);
      const part = await simulator.simulate({ ...request, lanes: few, effects: fewer });
      for (let row = 0; row < readouts.length * times.length; row++) {
        expect(part.values[0].slice(row * few, (row + 1) * few)).toEqual(all.values[0].slice(row * lanes, row * lanes + few));
      }
    });

    it('reports only the read-outs that are asked for, in their order', async () => {
      const { request } = simulationCases()[3];
      const all = await simulator.simulate(request);
      const some = await simulator.simulate({ ...request, readouts: [2, 0] });
      const size = request.times.length * request.lanes;
      expect(some.values[0].slice(0, size)).toEqual(all.values[0].slice(2 * size, 3 * size));
      expect(some.values[0].slice(size)).toEqual(all.values[0].slice(0, size));
    });

    it('reports progress that never falls and ends at 1', async () => {
      const seen: number[] = [];
      const { request } = simulationCases().find(({ title }) => title.includes('RK4 on states'))!;
      await simulator.simulate(request, { onProgress: (fraction) => seen.push(fraction) });
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      expect(seen.at(-1)).toBe(1);
    });

    it('does not start when the signal has fired already, and works afterwards', async () => {
      const { request } = simulationCases()[0];
      const before = await simulator.simulate(request);
      await expect(simulator.simulate(request, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
      expect(withoutTime(await simulator.simulate(request))).toEqual(withoutTime(before));
    });
  });
}

function withoutTime({ elapsedMs: _, ...rest }: Simulation): Omit<Simulation, 'elapsedMs'> {
  return rest;
}

/** Lanes in which some value, event or divergence is not the expected one. */
export function lanesApart(
  request: SimulationRequest,
  found: Simulation,
  expected: Simulation,
  tolerance: SimulationTolerance,
): number[] {
  const { lanes, times, readouts, timelines, program } = request;
  const apart = new Set<number>();
  for (let p = 0; p < timelines.length; p++) {
    expect(found.values[p].length).toBe(expected.values[p].length);
    for (let lane = 0; lane < lanes; lane++) {
      if (found.diverged[p][lane] !== expected.diverged[p][lane]) apart.add(lane);
      for (let r = 0; r < readouts.length; r++) {
        const at = (t: number): number => (r * times.length + t) * lanes + lane;
        let largest = 0;
        for (let t = 0; t < times.length; t++) largest = Math.max(largest, Math.abs(expected.values[p][at(t)]) || 0);
        for (let t = 0; t < times.length; t++) {
          if (!isNear(found.values[p][at(t)], expected.values[p][at(t)], largest, tolerance)) apart.add(lane);
        }
      }
      for (let e = 0; e < program.events.length; e++) {
        const at = e * lanes + lane;
        const end = times[times.length - 1];
        if (!isNear(found.eventTimes[p][at], expected.eventTimes[p][at], end, tolerance)) apart.add(lane);
      }
    }
  }
  return [...apart];
}

function isNear(found: number, expected: number, largest: number, { relative, ofLargest }: SimulationTolerance): boolean {
  if (Number.isNaN(expected)) return Number.isNaN(found);
  return Math.abs(found - expected) <= Math.max(relative * Math.abs(expected), ofLargest * largest);
}
