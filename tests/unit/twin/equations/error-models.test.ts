import { describe, expect, test } from 'vitest';
import { normalCdf } from '#numerics/special-functions.ts';
import type { ErrorModel } from '#packs/equations/model.ts';
import { chanceBelow, logDensity, objectiveOffset, spread, type Measurement } from '#twin/equations/error-models.ts';

const at = (error: ErrorModel, value: number, isBelowLimit = false): Measurement => ({
  index: 0,
  observation: { of: 0, time: 0, value, isBelowLimit },
  error,
  transitionSd: error.kind === 'transition' ? 0.3 : 0,
});

const kinds: readonly (readonly [ErrorModel, number, number, number])[] = [
  // error, prediction, and the range that holds practically all measurements
  [{ kind: 'additive', sd: 1.6 }, 12, 0, 24],
  [{ kind: 'proportional', fraction: 0.2 }, 12, -10, 34],
  [{ kind: 'combined', sd: 1.6, fraction: 0.15 }, 12, -10, 34],
  [{ kind: 'log', sd: 0.3 }, 12, 1e-3, 70],
  [{ kind: 'beta', precision: 87.5, maximum: 70 }, 22, 0.05, 69.95],
  [{ kind: 'transition', fraction: 0.01 }, 12, 9, 15],
];

describe.each(kinds)('%o', (error, f, low, high) => {
  const n = 20_000;
  const step = (high - low) / n;
  const grid = Float64Array.from({ length: n }, (_, i) => low + (i + 0.5) * step);

  test('is a density, and its distribution function is the integral of it', () => {
    let total = 0;
    grid.forEach((y, i) => {
      total += step * Math.exp(logDensity(at(error, y), f));
      if (i % 4000 === 3999) expect(Math.abs(chanceBelow(at(error, y), y + step / 2, f) - total)).toBeLessThan(1e-6);
    });
    expect(Math.abs(total - 1)).toBeLessThan(1e-6);
  });

  test('spreads as said, to first order', () => {
    let mean = 0;
    let square = 0;
    for (const y of grid) {
      const density = step * Math.exp(logDensity(at(error, y), f));
      mean += density * y;
      square += density * y * y;
    }
    const sd = Math.sqrt(square - mean * mean);
    // A log-normal is wider than its first order says: by 11 % at a log sd of 0.3.
    expect(Math.abs(spread(at(error, 0), f) / sd - 1)).toBeLessThan(error.kind === 'log' ? 0.11 : 1e-5);
  });

  test('a value below the limit counts with the chance of that', () => {
    const limit = f * 0.8;
    const chance = chanceBelow(at(error, limit), limit, f);
    expect(logDensity(at(error, limit, true), f)).toBeCloseTo(Math.log(chance), 10);
  });
});

test('the chance of a value far below its prediction is a number, not the logarithm of zero', () => {
  const log = logDensity(at({ kind: 'additive', sd: 1 }, 0, true), 60);
  // Mills: ln Φ(−60) ≈ −60²/2 − ln(60 √(2π)) − 1/60².
  expect(log).toBeCloseTo(-1800 - Math.log(60 * Math.sqrt(2 * Math.PI)) - 1 / 3600, 6);
  expect(logDensity(at({ kind: 'additive', sd: 1 }, 1, true), 0)).toBeCloseTo(Math.log(normalCdf(1)), 12);
});

test('the objective takes log errors as normal in the logarithm', () => {
  const measurement = at({ kind: 'log', sd: 0.2 }, 1.9);
  const z = (Math.log(1.9) - Math.log(2.3)) / 0.2;
  const minus2 = -2 * logDensity(measurement, 2.3) + objectiveOffset(measurement);
  expect(minus2).toBeCloseTo(z * z + Math.log(2 * Math.PI * 0.04), 12);
});

test('a prediction that no measurement can scatter around has no density', () => {
  expect(logDensity(at({ kind: 'log', sd: 0.2 }, 1), 0)).toBe(-Infinity);
  expect(logDensity(at({ kind: 'proportional', fraction: 0.2 }, 1), 0)).toBe(-Infinity);
});
