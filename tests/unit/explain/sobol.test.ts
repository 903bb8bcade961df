import { describe, expect, test } from 'vitest';
import { mixedSpace } from '#explain/gaussian-space.ts';
import { sobolDesign, sobolIndices, type InputSpace } from '#explain/sobol.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';

/** Independent uniforms. */
function uniforms(inputs: number): InputSpace<Float64Array> {
  const fail = (): never => {
    throw new Error('not asked where inputs are independent');
  };
  return {
    inputs,
    isIndependent: true,
    draw: (random) => Float64Array.from({ length: inputs }, () => random.uniform()),
    cross: (point, other, input) => point.with(input, other[input]!),
    redrawOne: fail,
    redrawRest: fail,
  };
}

function indicesOf<Point>(space: InputSpace<Point>, f: (point: Point) => number, samples = 20_000, seed = 1) {
  const random = new RandomSequence(seedFrom(seed));
  const design = sobolDesign(space, samples, random);
  return sobolIndices(design, Float64Array.from(design.points, f), 20, random);
}

describe('Sobol indices agree with closed forms', () => {
  // With 20,000 rows the bootstrap's 90 % interval is about ±0.015 wide; a wrong estimator is off by tenths.
  const tolerance = 0.02;

  test('the Ishigami function, a = 7, b = 0.1', () => {
    const { first, total } = indicesOf(uniforms(3), (u) => {
      const [x, y, z] = Array.from(u, (value) => Math.PI * (2 * value - 1)) as [number, number, number];
      return Math.sin(x) + 7 * Math.sin(y) ** 2 + 0.1 * z ** 4 * Math.sin(x);
    });
    const [a, b] = [7, 0.1];
    const variance = 0.5 + a ** 2 / 8 + (b * Math.PI ** 4) / 5 + (b ** 2 * Math.PI ** 8) / 18;
    const V1 = 0.5 * (1 + (b * Math.PI ** 4) / 5) ** 2;
    const V13 = b ** 2 * Math.PI ** 8 * (1 / 18 - 1 / 50);
    [V1 / variance, a ** 2 / 8 / variance, 0].forEach((wanted, i) => {
      expect(Math.abs(first[i]!.value - wanted)).toBeLessThan(tolerance);
      expect(first[i]!.low).toBeLessThanOrEqual(first[i]!.value);
      expect(first[i]!.high).toBeGreaterThanOrEqual(first[i]!.value);
    });
    [(V1 + V13) / variance, a ** 2 / 8 / variance, V13 / variance].forEach((wanted, i) =>
      expect(Math.abs(total[i]!.value - wanted)).toBeLessThan(tolerance),
    );
  });

  test('Sobol’s g-function', () => {
    const a = [0, 1, 4.5, 9];
    const { first, total } = indicesOf(uniforms(4), (u) =>
      a.reduce((product, own, i) => (product * (Math.abs(4 * u[i]! - 2) + own)) / (1 + own), 1),
    );
    const parts = a.map((own) => 1 / 3 / (1 + own) ** 2);
    const variance = parts.reduce((product, part) => product * (1 + part), 1) - 1;
    parts.forEach((part, i) => {
      const others = parts.reduce((product, other, j) => (j === i ? product : product * (1 + other)), 1);
      expect(Math.abs(first[i]!.value - part / variance)).toBeLessThan(tolerance);
      expect(Math.abs(total[i]!.value - (part * others) / variance)).toBeLessThan(tolerance);
    });
  });

  test('an area under the curve, F · dose / CL with log-normal F and CL', () => {
    const variances = [0.09, 0.25];
    const space = mixedSpace({
      mean: [0, 0],
      covariance: [
        [variances[0]!, 0],
        [0, variances[1]!],
      ],
      inputs: [[0], [1]],
      categories: [],
    });
    expect(space.isIndependent).toBe(true);
    const { first, total } = indicesOf(space, ({ columns }) => Math.exp(columns[0]! - columns[1]!));
    const parts = variances.map(Math.expm1);
    const variance = (1 + parts[0]!) * (1 + parts[1]!) - 1;
    parts.forEach((part, i) => {
      expect(Math.abs(first[i]!.value - part / variance)).toBeLessThan(tolerance);
      expect(Math.abs(total[i]!.value - (part * (1 + parts[1 - i]!)) / variance)).toBeLessThan(tolerance);
    });
  });

  test('a sum of correlated normals: the first order holds what is shared, the total what is added', () => {
    const rho = 0.6;
    const [a, b] = [2, 1];
    const space = mixedSpace({
      mean: [3, -1],
      covariance: [
        [1, rho],
        [rho, 1],
      ],
      inputs: [[0], [1]],
      categories: [[0.5, 0.5]],
    });
    const { first, total } = indicesOf(space, ({ columns }) => a * columns[0]! + b * columns[1]!);
    const variance = a * a + b * b + 2 * rho * a * b;
    const wanted = [
      [(a + rho * b) ** 2 / variance, (a * a * (1 - rho * rho)) / variance],
      [(b + rho * a) ** 2 / variance, (b * b * (1 - rho * rho)) / variance],
      [0, 0],
    ];
    wanted.forEach(([full, independent], i) => {
      expect(Math.abs(first[i]!.value - full!)).toBeLessThan(tolerance);
      expect(Math.abs(total[i]!.value - independent!)).toBeLessThan(tolerance);
    });
  });

  test('a category that is not known, by its share', () => {
    const shares = [0.2, 0.8];
    const space = mixedSpace({ mean: [0], covariance: [[1]], inputs: [[0]], categories: [shares] });
    const { first } = indicesOf(space, ({ columns, categories }) => columns[0]! + 5 * categories[0]!);
    const variance = 1 + 25 * shares[0]! * shares[1]!;
    expect(Math.abs(first[0]!.value - 1 / variance)).toBeLessThan(tolerance);
    expect(Math.abs(first[1]!.value - (25 * shares[0]! * shares[1]!) / variance)).toBeLessThan(tolerance);
  });

  test('a figure that does not vary has no indices but zero', () => {
    const { first, total } = indicesOf(uniforms(2), () => 4, 100);
    for (const { value, low, high } of [...first, ...total]) expect([value, low, high]).toEqual([0, 0, 0]);
  });
});
