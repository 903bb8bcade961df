import { describe, expect, test } from 'vitest';
import {
  betaI,
  betaQuantile,
  chiSquareUpper,
  erf,
  erfc,
  gammaP,
  gammaQ,
  logGamma,
  normalCdf,
  normalQuantile,
} from '#numerics/special-functions.ts';

const relative = (actual: number, expected: number): number => Math.abs(actual / expected - 1);

describe('special functions', () => {
  test('log-gamma agrees with factorials and the half-integer value', () => {
    expect(logGamma(0.5)).toBeCloseTo(0.5 * Math.log(Math.PI), 14);
    expect(relative(logGamma(11), Math.log(3628800))).toBeLessThan(1e-14);
    expect(relative(logGamma(0.1), 2.252712651734206)).toBeLessThan(1e-13);
  });

  test('the error function and its complement keep their digits in the tail', () => {
    expect(erf(0.5)).toBeCloseTo(0.5204998778130465, 14);
    expect(erf(-1)).toBeCloseTo(-0.8427007929497149, 14);
    // Abramowitz & Stegun, table 7.1 and beyond: 1 − erf(5) would have lost every digit here.
    expect(relative(erfc(5), 1.5374597944280349e-12)).toBeLessThan(1e-12);
  });

  test('the normal quantile inverts the cumulative distribution', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 14);
    for (const p of [1e-12, 1e-5, 0.02, 0.3, 0.5, 0.8, 0.999])
      expect(relative(normalCdf(normalQuantile(p)), p)).toBeLessThan(1e-12);
    expect(normalQuantile(0)).toBe(-Infinity);
    expect(normalQuantile(1)).toBe(Infinity);
  });

  test('the incomplete gamma functions add up to one and give chi-square tails', () => {
    for (const [a, x] of [
      [0.5, 0.1],
      [3, 2.9],
      [3, 4.1],
      [50, 60],
    ] as const) {
      expect(gammaP(a, x) + gammaQ(a, x)).toBeCloseTo(1, 14);
    }
    expect(chiSquareUpper(3.841458820694124, 1)).toBeCloseTo(0.05, 13);
    // Two degrees of freedom: the exponential distribution.
    expect(relative(chiSquareUpper(40, 2), Math.exp(-20))).toBeLessThan(1e-12);
  });

  test('the incomplete beta function agrees with a polynomial and is inverted by its quantile', () => {
    // I_x(2, 3) = x² (6 − 8x + 3x²)
    expect(betaI(0.3, 2, 3)).toBeCloseTo(0.09 * (6 - 2.4 + 0.27), 14);
    expect(betaI(betaQuantile(0.07, 3.5, 12), 3.5, 12)).toBeCloseTo(0.07, 13);
  });
});
