import { describe, expect, it } from 'vitest';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { individualParameters } from '#engine/reference/compiled-model.ts';
import type { SimulationRequest } from '#engine/simulation.ts';
import {
  eating,
  mapped,
  oneCompartment,
  person,
  toppedUp,
  toyProgram,
  toySimulation,
  toyTimeline,
  wandering,
  withEffectSite,
} from '../fixtures/toy-models.ts';

const dose = (time: number, amount: number, duration = 0, input = 0) => ({ time, amount, duration, input });

/** Lanes of one plan: value(read-out, time index, lane). */
async function run(request: SimulationRequest) {
  const { values, ...rest } = await new ReferenceSimulator().simulate(request);
  const { times, lanes } = request;
  return { ...rest, value: (r: number, t: number, lane = 0) => values[0][(r * times.length + t) * lanes + lane] };
}

/** One lane at the population's middle. */
const middle = { lanes: 1, effects: new Float64Array(8) } as const;

describe('a segment begins in the order of the contract', () => {
  it('a row at a dose time is the pre-dose value, and boluses add to it', async () => {
    const timeline = toyTimeline(oneCompartment, { doses: [dose(0, 120), dose(6, 60)] });
    const { value } = await run(toySimulation(oneCompartment, [timeline], { ...middle, end: 12, every: 6 }));
    const k = 4 / 30;
    expect(value(0, 0)).toBe(0);
    expect(value(0, 1)).toBeCloseTo(4 * Math.exp(-6 * k), 12);
    expect(value(0, 2)).toBeCloseTo((4 * Math.exp(-6 * k) + 2) * Math.exp(-6 * k), 12);
    expect(value(1, 2)).toBeCloseTo((180 - 30 * value(0, 2)) / 4, 12);
  });

  it('a change of covariates keeps amounts and changes what they mean', async () => {
    const covariates = [
      { time: 0, row: person(70) },
      { time: 5, row: person(35) },
    ];
    const timeline = toyTimeline(oneCompartment, { doses: [dose(0, 120)], covariates });
    const { value } = await run(toySimulation(oneCompartment, [timeline], { ...middle, end: 10, every: 5 }));
    const [before, after] = covariates.map(({ row }) => individualParameters(oneCompartment, row, [0, 0, 0]));
    const amount = 120 * Math.exp((-5 * before.CL) / before.V);
    // At the instant of the change the old covariates still speak.
    expect(value(0, 1)).toBeCloseTo(amount / before.V, 12);
    expect(value(0, 2)).toBeCloseTo((amount / after.V) * Math.exp((-5 * after.CL) / after.V), 12);
  });

  it('an occasion takes its own column of effects', async () => {
    const timeline = toyTimeline(oneCompartment, { doses: [dose(0, 120)], occasions: [5] });
    const effects = Float64Array.of(0.1, 0, 0.2, -0.3);
    const { value } = await run(toySimulation(oneCompartment, [timeline], { lanes: 1, effects, end: 10, every: 5 }));
    const [first, second] = [0.2, -0.3].map((kappa) => individualParameters(oneCompartment, person(70), [0.1, 0, kappa]));
    const middleValue = 4 * Math.exp((-5 * first.CL) / 30);
    expect(value(0, 1)).toBeCloseTo(middleValue, 12);
    expect(value(0, 2)).toBeCloseTo(middleValue * Math.exp((-5 * second.CL) / 30), 12);
  });

  it('states are set after the row of that instant, before the doses of it', async () => {
    const model = toppedUp({ kind: 'rk4', step: 0.25 });
    const quiet = { ...model, events: [] };
    const timeline = toyTimeline(quiet, { doses: [dose(2, 5)], setStates: [{ time: 2, state: 0, value: 1 }] });
    const { value } = await run(toySimulation(quiet, [timeline], { ...middle, end: 3, every: 1 }));
    expect(value(0, 2)).toBeCloseTo(10 * Math.exp(-0.2), 6);
    expect(value(0, 3)).toBeCloseTo(6 * Math.exp(-0.1), 6);
  });

  it('memory counts each minute of a meal, and begins anew with the next one', async () => {
    const model = eating({ kind: 'rk4', step: 0.25 });
    const timeline = toyTimeline(model, { doses: [dose(10, 12), dose(40, 7)], end: 60 });
    const { value } = await run(
      toySimulation(model, [timeline], {
        ...middle,
        end: 0,
        every: 1,
        times: Float64Array.of(10, 10.5, 11.5, 12.5, 30, 40, 41.5),
      }),
    );
    const reference = [0, 1, 2, 3, 4].map((t) => value(2, t));
    // Pre-dose, then 5, 10 and 12 g, and 12 g for as long as nothing is eaten.
    expect(reference).toEqual([0, 5, 10, 12, 12]);
    const left = value(1, 5);
    expect(left).toBeGreaterThan(0);
    expect(value(2, 6)).toBeCloseTo(left + 7, 9);
  });

  it('every gram that is announced passes through the stomach', async () => {
    const model = eating({
      kind: 'dopri5',
      relativeTolerance: 1e-9,
      absoluteTolerance: 1e-9,
      firstStep: 0.1,
      maximumStep: 5,
      maximumSteps: 1e5,
    });
    const still = { ...model, states: model.states.map((state) => ({ ...state, change: { op: 'number', value: 0 } as const })) };
    const timeline = toyTimeline(still, { doses: [dose(10, 33), dose(14, 20)], end: 60 });
    const { value } = await run(toySimulation(still, [timeline], { ...middle, end: 60, every: 60 }));
    expect(value(1, 1)).toBeCloseTo(53, 9);
  });
});

describe('closed forms and their neighbours', () => {
  it.each([0, 3, 15])('the steady state of doses over %d h is where many doses lead', async (duration) => {
    const many = Array.from({ length: 700 }, (_, k) => dose(k * 12, 50, duration));
    const times = Float64Array.of(700 * 12);
    const built = await run(
      toySimulation(withEffectSite, [toyTimeline(withEffectSite, { doses: many })], { ...middle, end: 0, every: 1, times }),
    );
    const steadyState = { input: 0, amount: 50, duration, interval: 12 };
    const steady = await run(
      toySimulation(withEffectSite, [toyTimeline(withEffectSite, { steadyState })], { ...middle, end: 0, every: 1 }),
    );
    for (const readout of [0, 1, 2]) expect(built.value(readout, 0) / steady.value(readout, 0)).toBeCloseTo(1, 8);
    // Exposure is counted from the start of the timeline.
    expect(steady.value(3, 0)).toBe(0);
  });

  it('one compartment as an ODE is one compartment in closed form', async () => {
    const ode = toyProgram({
      parameters: [{ symbol: 'k', unit: '/h', formula: "unit(4, 'L/h') / unit(30, 'L')" }],
      states: [{ symbol: 'A', unit: 'mg', initial: "unit(0, 'mg')", derivative: '-k * A' }],
      inputs: [{ symbol: 'dose', intervention: 'drug', label: 'Drug', unit: 'mg', routes: ['iv-infusion'], into: 'A' }],
      readouts: [{ symbol: 'C', unit: 'mg/L', formula: "A / unit(30, 'L')" }],
      stepper: {
        kind: 'dopri5',
        relativeTolerance: 1e-11,
        absoluteTolerance: 1e-11,
        firstStep: 0.01,
        maximumStep: 1,
        maximumSteps: 1e5,
      },
    });
    const doses = [dose(0, 100), dose(1.3, 500, 2.2), dose(2, 300, 3)];
    const [a, b] = await Promise.all(
      [ode, oneCompartment].map((program) =>
        run(toySimulation(program, [toyTimeline(program, { doses })], { ...middle, end: 12, every: 0.37 })),
      ),
    );
    for (let t = 0; t < 30; t++) expect(Math.abs(a.value(0, t) - b.value(0, t))).toBeLessThan(1e-9);
  });
});

describe('events', () => {
  const decay = toyProgram({
    parameters: [{ symbol: 'k', unit: '/h', formula: "unit(0.1, '/h')" }],
    states: [{ symbol: 'x', unit: '1', initial: '10', derivative: '-k * x' }],
    events: [
      { id: 'low', kind: 'crossing', of: 'x', direction: 'falling', at: '2', terminal: true },
      { id: 'end', kind: 'hazard', hazard: "unit(0.05, '/h')", terminal: false },
    ],
    readouts: [{ symbol: 'now', unit: '1', formula: 'x' }],
    stepper: { kind: 'rk4', step: 0.05 },
  });

  it('a crossing is found where the course crosses, and ends the rows', async () => {
    const { value, eventTimes } = await run(toySimulation(decay, [toyTimeline(decay, {})], { ...middle, end: 20, every: 1 }));
    const exact = Math.log(5) / 0.1;
    // A straight line inside a step of 0.05 h: its error is the step squared times the curvature over the slope, over 8.
    expect(Math.abs(eventTimes[0][0] - exact)).toBeLessThan((0.05 ** 2 * 0.1) / 8);
    expect(value(0, 16)).toBeCloseTo(10 * Math.exp(-1.6), 6);
    expect(value(0, 17)).toBeNaN();
  });

  it('a constant hazard gives exponential times', async () => {
    const lanes = 4000;
    const quiet = { ...decay, events: decay.events.slice(1) };
    const request = toySimulation(quiet, [toyTimeline(quiet, {})], {
      lanes,
      effects: new Float64Array(lanes),
      end: 400,
      every: 400,
    });
    const coarse = { ...request, program: { ...quiet, stepper: { kind: 'rk4', step: 4 } as const } };
    const { eventTimes } = await run(coarse);
    const times = eventTimes[0];
    const ascending = Float64Array.from(times).sort();
    // Kolmogorov–Smirnov: 1.63/√n is exceeded once in a hundred.
    const distance = Math.max(...ascending.map((t, i) => Math.abs(1 - Math.exp(-0.05 * t) - (i + 0.5) / lanes)));
    expect(distance).toBeLessThan(1.63 / Math.sqrt(lanes));
  });

  it('a map: the chance of a step is that of its hazard', async () => {
    const lanes = 4000;
    const coin = {
      ...mapped,
      states: mapped.states.map((state) => ({ ...state, change: { op: 'read', from: 'state', index: 0 } as const })),
      events: [{ ...mapped.events[1], of: { op: 'number', value: -Math.log(1 - 0.3) } as const, set: [], terminal: true }],
    };
    const request = toySimulation(coin, [toyTimeline(coin, {})], {
      lanes,
      effects: new Float64Array(2 * lanes),
      end: 30,
      every: 30,
    });
    const { eventTimes } = await run(request);
    const shareOfDay = (day: number): number => eventTimes[0].filter((time) => time === day).length / lanes;
    for (const day of [1, 2, 3]) {
      const chance = 0.3 * 0.7 ** (day - 1);
      expect(Math.abs(shareOfDay(day) - chance)).toBeLessThan(4 * Math.sqrt((chance * (1 - chance)) / lanes));
    }
  });
});

describe('noise', () => {
  it('is the same under every plan until they differ, and belongs to the lane', async () => {
    const model = wandering('euler-maruyama');
    const plans = [toyTimeline(model, {}), toyTimeline(model, { doses: [dose(10.3, 0.2)] })];
    const request = toySimulation(model, plans, { lanes: 3, end: 20, every: 0.5 });
    const { values } = await new ReferenceSimulator().simulate(request);
    const { lanes, times } = request;
    const at = (plan: number, r: number, t: number, lane: number) => values[plan][(r * times.length + t) * lanes + lane];
    for (let lane = 0; lane < lanes; lane++) {
      expect(at(1, 0, 20, lane)).toBe(at(0, 0, 20, lane));
      expect(at(1, 0, 40, lane)).not.toBe(at(0, 0, 40, lane));
      // z has noise that nothing scales, and the split step only moves its drift: the plans stay together.
      expect(Math.abs(at(1, 2, 40, lane) - at(0, 2, 40, lane))).toBeLessThan(2e-3);
    }
    expect(at(0, 2, 40, 1)).not.toBe(at(0, 2, 40, 0));
  });
});
