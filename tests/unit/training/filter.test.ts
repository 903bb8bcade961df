import { describe, expect, it } from 'vitest';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import type { Head } from '#packs/network.ts';
import { gridCohort, partOfCohort, type Person } from '#training/cohort.ts';
import { filterLogLikelihood, makeParameters, type ModelSizes, type Parameters } from '#training/model.ts';
import { Tape } from '#training/tape.ts';

const heads: Head[] = [{ kind: 'continuous' }, { kind: 'ordinal', cuts: [0, 1] }];
const sizes: ModelSizes = { S: 2, L: 1, H: 4, K: 2, V: 2, C: 1 };

const person = (id: string, endDay: number, event: number, series: readonly (readonly [number, number, number])[]): Person => ({
  id,
  v: [Number(id) / 10, 1],
  visits: series.map(([day, marker, sign]) => ({
    day,
    values: new Map([
      [0, marker],
      [1, sign],
    ]),
  })),
  endDay,
  event,
});
const people = [
  person('1', 100, 0, [
    [0, 0.2, 0],
    [31, 0.6, 1],
    [88, -0.4, 2],
  ]),
  person('2', 45, -1, [[0, 1, 1]]),
  person('3', 70, 1, [
    [0, -1, 0],
    [29, -1.2, 0],
    [61, -0.7, 1],
  ]),
];
const grid = { S: 2, K: 2, C: 1, stepDays: 30, maxSteps: 12 };

function randomParameters(seed: number): Parameters {
  const parameters = makeParameters(sizes);
  const random = new RandomSequence(seedFrom(seed));
  for (let i = 0; i < parameters.theta.length; i++) parameters.theta[i] = 0.3 * random.normal();
  parameters.view('hazardBias').v.fill(-2);
  return parameters;
}

describe('the likelihood that members are fitted by', () => {
  it('has the gradient that central differences find, in every tensor', () => {
    const cohort = gridCohort(people, grid);
    const parameters = randomParameters(1);
    const z = Float64Array.of(0.3, -0.5, 0.8);
    const value = () => {
      const tape = new Tape();
      const weights = new Float64Array(3).fill(1);
      const own = filterLogLikelihood(tape, parameters, { cohort, heads, sizes, weights }, tape.leaf(3, 1, z));
      return { tape, sum: own.reduce((a, b) => a + b, 0) };
    };
    parameters.gradient.fill(0);
    value().tape.backward();
    const gradient = parameters.gradient.slice();
    const h = 1e-5;
    for (let i = 0; i < parameters.theta.length; i++) {
      const kept = parameters.theta[i]!;
      parameters.theta[i] = kept + h;
      const above = value().sum;
      parameters.theta[i] = kept - h;
      const below = value().sum;
      parameters.theta[i] = kept;
      // Second-order differences of a sum of size 20 leave about 1e-8.
      expect(Math.abs(gradient[i]! - (above - below) / (2 * h))).toBeLessThan(1e-5);
    }
  });

  it('of one continuous marker without tails, memory or events is the Kalman filter’s', () => {
    const plain: ModelSizes = { S: 1, L: 0, H: 4, K: 1, V: 1, C: 1 };
    const parameters = makeParameters(plain);
    parameters.view('driftX').v[0] = -0.2;
    parameters.view('driftBias').v[0] = 0.1;
    parameters.view('scaleBias').v[0] = Math.log(0.4);
    parameters.view('logObservationScale').v[0] = Math.log(0.3);
    parameters.view('hazardBias').v[0] = -30;
    parameters.view('tailLogit').v[0] = -40;
    const series = [0.5, 0.9, NaN, 0.2];
    const visits = series.flatMap((value, t) => (Number.isNaN(value) ? [] : [{ day: 30 * t, values: new Map([[0, value]]) }]));
    const cohort = gridCohort([{ id: 'a', v: [0], visits, endDay: 120, event: -1 }], { ...grid, S: 1, K: 1 });
    const tape = new Tape();
    const input = { cohort, heads: heads.slice(0, 1), sizes: plain, weights: Float64Array.of(1) };
    const [found] = filterLogLikelihood(tape, parameters, input, tape.leaf(1, 0, new Float64Array(0)));

    let [mean, variance, expected] = [0, 1, 0];
    for (const value of series) {
      if (!Number.isNaN(value)) {
        const total = variance + 0.09;
        expected -= 0.5 * (Math.log(2 * Math.PI * total) + (value - mean) ** 2 / total);
        mean += (variance / total) * (value - mean);
        variance -= variance ** 2 / total;
      }
      [mean, variance] = [0.8 * mean + 0.1, 0.64 * variance + 0.16];
    }
    // The hazard of e⁻³⁰ a step is all that separates them.
    expect(found).toBeCloseTo(expected, 9);
  });

  it('is the same for a cohort and for its parts', () => {
    const cohort = gridCohort(people, grid);
    const parameters = randomParameters(2);
    const z = Float64Array.of(0.1, 0.2, 0.3);
    const run = (from: number, to: number) => {
      const tape = new Tape();
      const weights = new Float64Array(to - from).fill(1);
      const part = partOfCohort(cohort, from, to);
      return [
        ...filterLogLikelihood(
          tape,
          parameters,
          { cohort: part, heads, sizes, weights },
          tape.leaf(to - from, 1, z.slice(from, to)),
        ),
      ];
    };
    expect([...run(0, 2), ...run(2, 3)]).toEqual(run(0, 3));
  });
});

describe('people on the grid', () => {
  it('what was seen before the event is not moved past it', () => {
    const cohort = gridCohort(
      [
        person('1', 58, 0, [
          [0, 1, 0],
          [50, 2, 1],
        ]),
      ],
      grid,
    );
    expect(cohort.steps[0]).toBe(2);
    expect(cohort.masks.map((row) => row[0])).toEqual([1, 1]);
    expect(cohort.exposures.map((row) => Number(row[0]!.toFixed(2)))).toEqual([1, 0.93]);
    expect([...cohort.events[1]!]).toEqual([1, 0]);
  });

  it('a marker that goes on being measured after the event keeps its time, and nobody is at risk there', () => {
    const cohort = gridCohort(
      [
        person('1', 40, 0, [
          [0, 1, 0],
          [90, 2, 1],
        ]),
      ],
      grid,
    );
    expect(cohort.steps[0]).toBe(4);
    expect(cohort.masks.map((row) => row[0])).toEqual([1, 0, 0, 1]);
    expect(cohort.exposures.map((row) => Number(row[0]!.toFixed(2)))).toEqual([1, 0.33, 0, 0]);
    expect([...cohort.events[1]!]).toEqual([1, 0]);
  });
});
