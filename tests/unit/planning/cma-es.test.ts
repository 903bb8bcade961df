import { describe, expect, test } from 'vitest';
import { searchContinuous, type CmaSearch } from '#planning/cma-es.ts';

const search = (loss: (x: Float64Array) => number, changed: Partial<CmaSearch> = {}): CmaSearch => ({
  low: new Array<number>(5).fill(-5),
  high: new Array<number>(5).fill(5),
  seed: [3, 0],
  budget: 4000,
  score: (candidates) => Promise.resolve(candidates.map((x) => -loss(x))),
  ...changed,
});
const total = (values: Iterable<number>) => [...values].reduce((sum, value) => sum + value, 0);
const ellipsoid = (x: Float64Array) => total(x.map((value, i) => 1e6 ** (i / (x.length - 1)) * (value - 1) ** 2));
const rosenbrock = (x: Float64Array) =>
  total(Array.from({ length: x.length - 1 }, (_, i) => 100 * (x[i + 1]! - x[i]! ** 2) ** 2 + (1 - x[i]!) ** 2));

describe('CMA-ES', () => {
  test.each([
    // A condition number of a million, and a bent valley: both need the covariance, and neither the gradient.
    ['ellipsoid', ellipsoid],
    ['Rosenbrock', rosenbrock],
  ])('finds the minimum of the %s in five dimensions to 1e-4 in every number', async (_, loss) => {
    for (const seed of [1, 2, 3]) {
      const { best, score } = await searchContinuous(search(loss, { seed: [seed, 0], budget: 6000 }));
      for (const value of best) expect(Math.abs(value - 1)).toBeLessThan(1e-4);
      expect(score).toBeGreaterThan(-1e-7);
    }
  });

  test('is the same whatever way the ellipsoid is turned', async () => {
    const turned = (x: Float64Array) => {
      const [c, s] = [Math.cos(0.7), Math.sin(0.7)];
      const y = x.map((value) => value - 1);
      return ellipsoid(Float64Array.of(c * y[0]! - s * y[4]! + 1, y[1]! + 1, y[2]! + 1, y[3]! + 1, s * y[0]! + c * y[4]! + 1));
    };
    const { best } = await searchContinuous(search(turned, { budget: 6000 }));
    for (const value of best) expect(Math.abs(value - 1)).toBeLessThan(1e-4);
  });

  test('restarts with more candidates find the deepest of many valleys', async () => {
    const rastrigin = (x: Float64Array) => total(x.map((v) => 10 + (v - 1) ** 2 - 10 * Math.cos(2 * Math.PI * (v - 1))));
    const small = { low: [-5, -5, -5], high: [5, 5, 5], budget: 20_000 };
    const { score, restarts } = await searchContinuous(search(rastrigin, small));
    expect(score).toBeGreaterThan(-1e-8);
    expect(restarts).toBeGreaterThan(0);
  });

  test('never leaves the bounds, and finds an optimum that lies on one', async () => {
    let hasLeft = false;
    const slope = (x: Float64Array) => {
      hasLeft ||= x.some((value) => value < -5 || value > 5);
      return -x[0]! + (x[1]! - 2) ** 2;
    };
    const { best } = await searchContinuous(search(slope, { low: [-5, -5], high: [5, 5], budget: 2000 }));
    expect(hasLeft).toBe(false);
    expect(best[0]).toBeGreaterThan(5 - 1e-6);
    expect(Math.abs(best[1]! - 2)).toBeLessThan(1e-4);
  });

  test('does not stall between numbers that can only be given in steps', async () => {
    // Rounded to halves the loss is a staircase; the best stair is at (1.5, -3).
    const stairs = (x: Float64Array) => total(x.map((value, i) => (Math.round(2 * value) / 2 - [1.5, -3][i]!) ** 2));
    for (const seed of [1, 2, 3, 4, 5]) {
      const { score } = await searchContinuous(
        search(stairs, { low: [-5, -5], high: [5, 5], steps: [0.5, 0.5], budget: 600, seed: [seed, 0] }),
      );
      expect(score).toBe(-0);
    }
  });

  test('the same search finds the same, spends no more than its budget, and a score that is not a number never wins', async () => {
    const noisy = search(ellipsoid, {
      budget: 101,
      score: (candidates) => Promise.resolve(candidates.map((x, i) => (i % 3 === 0 ? Number.NaN : -ellipsoid(x)))),
    });
    const [first, again] = [await searchContinuous(noisy), await searchContinuous(noisy)];
    expect(first).toEqual(again);
    expect(first.scored).toBe(101);
    expect(Number.isFinite(first.score)).toBe(true);
  });

  test('a search that is stopped stops', async () => {
    await expect(searchContinuous(search(ellipsoid, { signal: AbortSignal.abort() }))).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});
