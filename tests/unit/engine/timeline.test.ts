import { describe, expect, it } from 'vitest';
import type { Segment } from '#engine/simulation.ts';
import { absorbed, eating, mapped, oneCompartment, person, stiff, toyProgram, toyTimeline } from '../../fixtures/toy-models.ts';

const dose = (time: number, amount: number, duration = 0, input = 0) => ({ time, amount, duration, input });
const meals = eating({ kind: 'rk4', step: 1 });

/** [start, dose, rate] of each segment through one input. */
const through = (segments: readonly Segment[], input = 0) =>
  segments.map(({ start, doses, rates }) => [start, doses[input], rates[input]]);

describe('doses become segments', () => {
  it('boluses at once, infusions as rates that add where they overlap', () => {
    const { segments } = toyTimeline(oneCompartment, { doses: [dose(2, 30, 4), dose(0, 5), dose(4, 10, 1)] });
    expect(through(segments)).toEqual([
      [0, 5, 0],
      [2, 0, 7.5],
      [4, 0, 17.5],
      [5, 0, 7.5],
      [6, 0, 0],
    ]);
  });

  it('amounts at one instant add, whatever rounding is in their times', () => {
    const tenth = Array.from({ length: 10 }, () => 0.1).reduce((sum, value) => sum + value, 0);
    expect(tenth).not.toBe(1);
    const { segments } = toyTimeline(oneCompartment, { doses: [dose(1, 3), dose(tenth, 4), dose(0.5, 2, 0.5)] });
    expect(through(segments)).toEqual([
      [0, 0, 0],
      [0.5, 0, 4],
      [1, 7, 0],
    ]);
  });

  it('a lag is that of the covariates when the dose was given', () => {
    const { segments } = toyTimeline(absorbed, {
      doses: [dose(0, 10), dose(12, 20)],
      covariates: [
        { time: 0, row: person(70, 0) },
        { time: 6, row: person(70, 1) },
      ],
    });
    expect(segments.map(({ start, doses, doseTime }) => [start, doses[0], doseTime])).toEqual([
      [0, 0, 0],
      [0.5, 10, 0],
      [6, 0, 6],
      [12.41, 20, 12],
    ]);
  });

  it('a dose without a duration takes the time of its input, one with a duration its own', () => {
    const { segments } = toyTimeline(meals, { doses: [dose(3, 8, 0, 1), dose(10, 8, 4, 1)] });
    expect(through(segments, 1)).toEqual([
      [0, 0, 0],
      [3, 0, 8],
      [4, 0, 0],
      [10, 0, 2],
      [14, 0, 0],
    ]);
  });

  it('nothing that would begin at the end or later is in it, and a running infusion runs on', () => {
    const { segments } = toyTimeline(oneCompartment, { doses: [dose(0, 10, 20), dose(5, 1), dose(9, 1)], end: 5 });
    expect(through(segments)).toEqual([[0, 0, 0.5]]);
  });

  it('two doses that arrive together, of which as much arrives as their times say, are refused', () => {
    const twice = {
      doses: [dose(0, 10), dose(0.5, 20)],
      covariates: [
        { time: 0, row: person(70, 0) },
        { time: 0.3, row: person(70, 1) },
      ],
    };
    const lagged = toyProgram({
      compartments: { amountUnit: 'mg', central: 'A', clearance: "unit(1, 'L/h')", volume: "unit(1, 'L')", peripherals: [] },
      inputs: [
        {
          symbol: 'dose',
          intervention: 'drug',
          label: 'Drug',
          unit: 'mg',
          routes: ['oral'],
          into: 'A',
          lag: "if(sex == 'male', unit(0.5, 'h'), unit(1, 'h'))",
          bioavailability: "if(doseTime < unit(0.2, 'h'), 2, 1)",
        },
      ],
      readouts: [{ symbol: 'C', unit: 'mg', formula: 'A' }],
      stepper: { kind: 'closed-form' },
    });
    expect(() => toyTimeline(lagged, twice)).toThrow(expect.objectContaining({ code: 'dose_invalid' }));
    expect(() => toyTimeline(lagged, { ...twice, doses: [dose(0, 10), dose(0, 20)] })).not.toThrow();
  });
});

describe('a queue with a maximum rate', () => {
  it('is eaten minute by minute, the last minute takes the rest', () => {
    const { segments } = toyTimeline(meals, { doses: [dose(60, 12), dose(100, 5)], end: 200 });
    expect(through(segments)).toEqual([
      [0, 0, 0],
      [60, 0, 5],
      [61, 0, 5],
      [62, 0, 2],
      [63, 0, 0],
      [100, 0, 5],
      [101, 0, 0],
    ]);
  });

  it('grows while it is being eaten', () => {
    const { segments } = toyTimeline(meals, { doses: [dose(60, 12), dose(61, 6)], end: 200 });
    const rates = segments.map(({ rates: [rate] }) => rate);
    expect(rates).toEqual([0, 5, 5, 5, 3, 0]);
  });

  it('counts an announcement to the minute that it falls into', () => {
    const { segments } = toyTimeline(meals, { doses: [dose(60.4, 6)], end: 200 });
    expect(through(segments)).toEqual([
      [0, 0, 0],
      [60, 0, 5],
      [61, 0, 1],
      [62, 0, 0],
    ]);
  });

  it('takes in every gram of many small announcements, without a minute for rounding', () => {
    const doses = Array.from({ length: 50 }, (_, k) => dose(k * 3, 0.7 + 0.1 * k));
    const { segments } = toyTimeline(meals, { doses, end: 1000 });
    const lengths = segments.map(({ start }, i) => (segments[i + 1]?.start ?? start) - start);
    const eaten = segments.reduce((sum, { rates: [rate] }, i) => sum + rate * lengths[i], 0);
    expect(eaten).toBeCloseTo(
      doses.reduce((sum, { amount }) => sum + amount, 0),
      9,
    );
    expect(segments.every(({ rates: [rate] }) => rate === 0 || rate > 1e-6)).toBe(true);
  });

  it('drains at that rate where the input has no segment length', () => {
    const drip = toyProgram({
      states: [{ symbol: 'x', unit: 'mg', initial: "unit(0, 'mg')", derivative: "unit(0, 'mg/h')" }],
      inputs: [{ symbol: 'dose', intervention: 'drug', label: 'Drug', unit: 'mg', routes: ['oral'], into: 'x', maximumRate: 4 }],
      readouts: [{ symbol: 'now', unit: 'mg', formula: 'x' }],
      stepper: { kind: 'rk4', step: 1 },
    });
    const { segments } = toyTimeline(drip, { doses: [dose(1, 6), dose(2, 2), dose(8, 2)] });
    expect(through(segments)).toEqual([
      [0, 0, 0],
      [1, 0, 4],
      [2.5, 0, 4],
      [3, 0, 0],
      [8, 0, 4],
      [8.5, 0, 0],
    ]);
  });
});

describe('what else begins a segment', () => {
  it('controls hold until they change', () => {
    const { segments } = toyTimeline(stiff, {
      controls: [
        { control: 0, from: 40, value: 0.7 },
        { control: 0, from: 55, value: 0 },
      ],
    });
    expect(segments.map(({ start, controls: [cut] }) => [start, cut])).toEqual([
      [0, 0],
      [40, 0.7],
      [55, 0],
    ]);
  });

  it('covariates, occasions and states that are set', () => {
    const { segments, covariateRows } = toyTimeline(meals, {
      covariates: [
        { time: 30, row: person(60) },
        { time: 0, row: person(70) },
      ],
      occasions: [20, 50],
      setStates: [{ time: 50, state: 1, value: 400 }],
    });
    expect(covariateRows.map(([weight]) => weight)).toEqual([70, 60]);
    expect(segments.map(({ start, covariateRow, occasion, setStates }) => [start, covariateRow, occasion, setStates])).toEqual([
      [0, 0, 0, []],
      [20, 0, 1, []],
      [30, 1, 1, []],
      [50, 1, 2, [{ state: 1, value: 400 }]],
    ]);
  });

  it('for a map everything happens at the beginning of the step it falls into', () => {
    const { segments } = toyTimeline(mapped, {
      start: 2,
      doses: [dose(3.9, 5), dose(3.2, 1), dose(5, 2)],
      setStates: [{ time: 6.999, state: 0, value: 1 }],
    });
    expect(segments.map(({ start, doses: [amount], setStates }) => [start, amount, setStates.length])).toEqual([
      [2, 0, 0],
      [3, 6, 0],
      [5, 2, 0],
      [6, 0, 1],
    ]);
  });
});
