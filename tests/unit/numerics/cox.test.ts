import { describe, expect, test } from 'vitest';
import { coxLinearPredictor, coxSurvival, fitCox } from '#numerics/cox.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { nelsonAalen } from '#numerics/survival.ts';
import { valueOf } from '../../fixtures/estimates.ts';

describe('Cox model', () => {
  test("without covariates Breslow's baseline is Nelson–Aalen and Efron's breaks ties one by one", () => {
    const time = [1, 1, 2, 3];
    const event = [1, 1, 0, 1];
    const rows = time.map(() => []);
    const breslow = valueOf(fitCox(time, event, rows, { ties: 'breslow' })).baseline;
    const aalen = valueOf(nelsonAalen(time, event));
    expect(breslow.time).toEqual([1, 3]);
    expect(breslow.value[0]).toBeCloseTo(aalen.value[0]!, 14);
    expect(breslow.value[1]).toBeCloseTo(aalen.value[2]!, 14);
    expect(valueOf(fitCox(time, event, rows)).baseline.value[0]).toBeCloseTo(1 / 4 + 1 / 3, 14);
  });

  test('the maximum of a small partial likelihood is found in closed form', () => {
    // Times 1 (x = 1), 2 (x = 0), 3 (x = 1), all events: L = θ/(2θ + 1) · 1/(θ + 1), largest at θ = 1/√2.
    const fit = valueOf(fitCox([1, 2, 3], [1, 1, 1], [[1], [0], [1]]));
    expect(fit.coefficients[0]).toBeCloseTo(-0.5 * Math.log(2), 9);
    const theta = Math.SQRT1_2;
    expect(fit.logLikelihood).toBeCloseTo(Math.log(theta / (2 * theta + 1) / (theta + 1)), 12);
  });

  test('moving and scaling a covariate changes the coefficient accordingly and no prediction', () => {
    const time = [3, 5, 2, 8, 6, 1, 9, 4];
    const event = [1, 0, 1, 1, 0, 1, 0, 1];
    const x = [0.2, -1, 1.1, -0.4, 0.3, 0.8, -1.2, 0.9];
    const plain = valueOf(
      fitCox(
        time,
        event,
        x.map((v) => [v]),
      ),
    );
    const moved = valueOf(
      fitCox(
        time,
        event,
        x.map((v) => [1000 + 10 * v]),
      ),
    );
    expect(moved.coefficients[0]).toBeCloseTo(plain.coefficients[0]! / 10, 9);
    const [a] = coxSurvival(plain, [0.5], [4]);
    const [b] = coxSurvival(moved, [1005], [4]);
    expect(b).toBeCloseTo(a!, 9);
    expect(coxSurvival(plain, [0.5], [0])).toEqual([1]);
    expect(coxLinearPredictor(plain, plain.means)).toBe(0);
  });

  test('it recovers the coefficients and the hazard of simulated exponential times', () => {
    const random = new RandomSequence(seedFrom(5));
    const n = 2000;
    const x = Array.from({ length: n }, () => [random.normal(), random.uniform() < 0.5 ? 1 : 0]);
    const t = x.map(([a, b]) => -Math.log(random.uniform()) / (0.2 * Math.exp(0.7 * a! - 0.5 * b!)));
    const time = t.map((v) => Math.min(v, 6));
    const fit = valueOf(
      fitCox(
        time,
        t.map((v) => (v < 6 ? 1 : 0)),
        x,
      ),
    );
    // Three standard errors.
    expect(Math.abs(fit.coefficients[0]! - 0.7)).toBeLessThan(3 * fit.standardErrors[0]!);
    expect(Math.abs(fit.coefficients[1]! + 0.5)).toBeLessThan(3 * fit.standardErrors[1]!);
    const [survival] = coxSurvival(fit, [0, 0], [3]);
    expect(Math.abs(survival! - Math.exp(-0.6))).toBeLessThan(0.04);
  });

  test('a covariate that separates the events has no estimate unless a ridge holds it', () => {
    const time = [1, 2, 3, 4, 5, 6];
    const event = [1, 1, 1, 0, 0, 0];
    const x = [[1], [1], [1], [0], [0], [0]];
    expect(fitCox(time, event, x)).toMatchObject({ defined: false });
    const held = valueOf(fitCox(time, event, x, { ridge: 1 })).coefficients[0]!;
    expect(held).toBeGreaterThan(0);
    expect(valueOf(fitCox(time, event, x, { ridge: 1e6 })).coefficients[0]!).toBeLessThan(1e-4);
  });

  test('redundant covariates and data without events are refused with a reason', () => {
    const rows = [
      [1, 2],
      [2, 4],
      [3, 6],
      [5, 10],
    ];
    expect(fitCox([1, 2, 3, 4], [1, 1, 0, 1], rows)).toMatchObject({ defined: false });
    expect(fitCox([1, 2], [0, 0], [[1], [2]])).toEqual({ defined: false, reason: 'no events' });
  });
});
