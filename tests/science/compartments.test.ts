import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinearCompartments, type CompartmentRates, type CompartmentShape } from '#numerics/compartments.ts';
import { cascade } from '#numerics/exponential-cascade.ts';
import { Dopri5 } from '#numerics/steppers/dopri5.ts';
import type { Derivative } from '#numerics/steppers/stepper.ts';

/** e^{A·t}·x by scaling, Taylor and squaring: no eigenvalues, so coinciding rates mean nothing to it. */
function exponential(A: readonly (readonly number[])[], t: number, x: readonly number[]): number[] {
  const norm = Math.max(...A.map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0))) * t;
  const squarings = Math.max(0, Math.ceil(Math.log2(norm)) + 3);
  const multiply = (a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number[][] =>
    a.map((row) => b[0].map((_, j) => row.reduce((sum, value, k) => sum + value * b[k][j], 0)));
  let term: number[][] = A.map((_, i) => A.map((__, j) => (i === j ? 1 : 0)));
  let sum = term;
  for (let k = 1; k <= 18; k++) {
    term = multiply(
      term,
      A.map((row) => row.map((value) => (value * t) / 2 ** squarings / k)),
    );
    sum = sum.map((row, i) => row.map((value, j) => value + term[i][j]));
  }
  for (let s = 0; s < squarings; s++) sum = multiply(sum, sum);
  return sum.map((row) => row.reduce((total, value, j) => total + value * x[j], 0));
}

/** The system as a matrix over the amounts, with two more rows for constant inputs into depot and central. */
function systemMatrix(shape: CompartmentShape, rates: CompartmentRates): number[][] {
  const modes = 1 + shape.peripherals;
  const central = shape.hasDepot ? 1 : 0;
  const site = central + modes;
  const exposure = site + Number(shape.hasEffectSite);
  const size = exposure + Number(shape.hasExposure);
  const A = Array.from({ length: size + 2 }, () => new Array<number>(size + 2).fill(0));
  if (shape.hasDepot) {
    A[0][0] -= rates.absorption;
    A[central][0] += rates.absorption;
    A[0][size] = 1;
  }
  A[central][size + 1] = 1;
  A[central][central] -= rates.clearance / rates.volume;
  for (let p = 0; p < shape.peripherals; p++) {
    const [out, back] = [rates.flows[p] / rates.volume, rates.flows[p] / rates.volumes[p]];
    A[central][central] -= out;
    A[central + 1 + p][central] += out;
    A[central][central + 1 + p] += back;
    A[central + 1 + p][central + 1 + p] -= back;
  }
  if (shape.hasEffectSite) {
    A[site][central] += rates.equilibration / rates.volume;
    A[site][site] -= rates.equilibration;
  }
  if (shape.hasExposure) A[exposure][central] += 1 / rates.volume;
  return A;
}

const shapes: CompartmentShape[] = [0, 1, 2].flatMap((peripherals) =>
  [false, true].flatMap((hasDepot) =>
    [false, true].map((hasEffectSite) => ({ peripherals, hasDepot, hasEffectSite, hasExposure: true })),
  ),
);

/** Rates that may coincide: volumes and flows from short lists as often as from a range. */
const positive = fc.oneof(fc.constantFrom(0.5, 1, 2), fc.double({ min: 0.05, max: 20, noNaN: true }));
const anyRates = fc.record({
  clearance: fc.oneof(positive, fc.constant(0)),
  volume: positive,
  flows: fc.tuple(fc.oneof(positive, fc.constant(0)), positive),
  volumes: fc.tuple(positive, positive),
  absorption: positive,
  equilibration: positive,
});

describe('linear compartments in closed form', () => {
  it.each(shapes)(
    'agree with the matrix exponential: $peripherals peripherals, depot $hasDepot, effect site $hasEffectSite',
    (shape) => {
      const compartments = new LinearCompartments(shape);
      const out = new Float64Array(compartments.size);
      fc.assert(
        fc.property(
          anyRates,
          fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: compartments.size, maxLength: compartments.size }),
          fc.double({ min: 0, max: 50, noNaN: true }),
          fc.double({ min: 0, max: 50, noNaN: true }),
          fc.double({ min: 1e-3, max: 10, noNaN: true }),
          (rates, amounts, depotRate, centralRate, t) => {
            compartments.setRates(rates);
            compartments.begin(Float64Array.from(amounts), shape.hasDepot ? depotRate : 0, centralRate);
            compartments.at(t, out);
            const expected = exponential(systemMatrix(shape, rates), t, [
              ...amounts,
              shape.hasDepot ? depotRate : 0,
              centralRate,
            ]);
            const largest = Math.max(...expected.map(Math.abs));
            // Both sum terms as large as the largest amount; squaring doubles its own rounding up to ten times.
            out.forEach((value, i) => expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(1e-11 * largest + 1e-14));
          },
        ),
        { numRuns: 150, seed: 1 },
      );
    },
  );

  it('agree with Dormand–Prince to 1e-10', () => {
    const shape: CompartmentShape = { peripherals: 2, hasDepot: true, hasEffectSite: true, hasExposure: true };
    const rates = {
      clearance: 35.7,
      volume: 6.94,
      flows: [5.58, 12.5],
      volumes: [7.39, 225],
      absorption: 1.01,
      equilibration: 0.146,
    };
    const A = systemMatrix(shape, rates);
    const size = A.length;
    const f: Derivative = (_, y, dy) => {
      for (let i = 0; i < size; i++) dy[i] = A[i].reduce((sum, value, j) => sum + value * y[j], 0);
    };
    const stepper = new Dopri5(f, size, {
      relativeTolerance: 1e-13,
      absoluteTolerance: 1e-13,
      scales: new Float64Array(size).fill(1),
      firstStep: 1e-3,
      maximumStep: 1,
      maximumSteps: 1e6,
    });
    const y = Float64Array.from([100, 50, 0, 0, 0, 0, 0, 3]);
    const amounts = y.slice(0, 6);
    const compartments = new LinearCompartments(shape);
    y.set([100, 50, 0, 0, 0, 0, 2, 3]);
    compartments.setRates(rates);
    compartments.begin(amounts, 2, 3);
    stepper.begin(0, 12);
    const out = new Float64Array(6);
    while (stepper.to < 12 && stepper.advance(y)) {
      compartments.at(stepper.to, out);
      out.forEach((value, i) => expect(Math.abs(value - y[i])).toBeLessThan(1e-10 * Math.max(1, Math.abs(value))));
    }
  });

  it('conserve mass: what is in the body, and what clearance times exposure has taken out, is what went in', () => {
    fc.assert(
      fc.property(anyRates, fc.double({ min: 0.01, max: 100, noNaN: true }), (rates, t) => {
        const compartments = new LinearCompartments({ peripherals: 2, hasDepot: true, hasEffectSite: false, hasExposure: true });
        const out = new Float64Array(5);
        compartments.setRates(rates);
        compartments.begin(Float64Array.of(80, 20, 0, 0, 0), 3, 5);
        compartments.at(t, out);
        const total = out[0] + out[1] + out[2] + out[3] + rates.clearance * out[4];
        expect(Math.abs(total / (100 + 8 * t) - 1)).toBeLessThan(1e-12);
      }),
      { numRuns: 300, seed: 2 },
    );
  });

  it.each([
    ['boluses', 0],
    ['infusions', 3],
    ['infusions longer than the interval', 19],
  ])('the steady state of %s is what many doses come to', (_, duration) => {
    for (const into of ['depot', 'central'] as const) {
      const shape: CompartmentShape = { peripherals: 1, hasDepot: true, hasEffectSite: true, hasExposure: true };
      const compartments = new LinearCompartments(shape);
      compartments.setRates({ clearance: 4, volume: 30, flows: [6], volumes: [60], absorption: 1.01, equilibration: 0.3 });
      const interval = 8;
      const steady = new Float64Array(compartments.size);
      compartments.steadyState({ into, amount: 100, duration, interval }, steady);
      const now = new Float64Array(compartments.size);
      const length = 1;
      for (let hour = 0; hour < 120 * interval; hour++) {
        if (hour % interval === 0 && duration === 0) now[into === 'depot' ? 0 : 1] += 100;
        const running = duration === 0 ? 0 : Math.floor(hour / interval) - Math.max(-1, Math.floor((hour - duration) / interval));
        const rate = duration === 0 ? 0 : (100 / duration) * running;
        compartments.begin(now, into === 'depot' ? rate : 0, into === 'central' ? rate : 0);
        compartments.at(length, now);
      }
      for (let i = 0; i < 4; i++) expect(Math.abs(now[i] - steady[i])).toBeLessThanOrEqual(1e-10 * steady[i]);
      expect(steady[4]).toBe(0);
    }
  });

  it('have no steady state where nothing is eliminated', () => {
    const compartments = new LinearCompartments({ peripherals: 0, hasDepot: false, hasEffectSite: false, hasExposure: false });
    const out = new Float64Array(1);
    compartments.setRates({ clearance: 0, volume: 1, flows: [], volumes: [], absorption: 0, equilibration: 0 });
    compartments.steadyState({ into: 'central', amount: 1, duration: 0, interval: 1 }, out);
    expect(out[0]).toBe(Infinity);
  });
});

describe('cascades of exponentials', () => {
  it('of equal rates are gamma densities, and of nearly equal ones hardly anything else', () => {
    for (const n of [2, 3, 4, 5]) {
      let factorial = 1;
      for (let i = 2; i < n; i++) factorial *= i;
      for (const rate of [0, 0.3, 7]) {
        const exact = (2 ** (n - 1) / factorial) * Math.exp(-rate * 2);
        const rates = new Array<number>(n).fill(rate);
        expect(cascade(2, ...rates) / exact).toBeCloseTo(1, 14);
        const near = rates.map((value, i) => value + 1e-9 * (i - (n - 1) / 2));
        expect(cascade(2, ...near) / exact).toBeCloseTo(1, 12);
      }
    }
  });

  it('do not depend on the order of their stages and stay accurate where the series takes over', () => {
    const rates = [0, 0.5, 1.01, 0.49];
    for (const t of [0.1, 0.98, 0.99, 1, 5, 200]) {
      const chain = rates.map((rate, i) => rates.map((_, j) => (j === i ? -rate : j === i - 1 ? 1 : 0)));
      const exact = exponential(chain, t, [1, 0, 0, 0])[3];
      expect(cascade(t, ...rates) / exact).toBeCloseTo(1, 12);
      expect(cascade(t, ...rates.toReversed())).toBe(cascade(t, ...rates));
    }
  });
});
