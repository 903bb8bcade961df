import { describe, expect, test } from 'vitest';
import { bootstrapDifference, bootstrapInterval } from '#numerics/bootstrap.ts';
import type { brierScore } from '#numerics/binary-scores.ts';
import { defined, notDefined } from '#numerics/estimate.ts';
import { fitLeastSquares, predictLinear } from '#numerics/least-squares.ts';
import { cholesky, inverseSymmetric, logDeterminantCholesky, multiplyVector, solveSymmetric } from '#numerics/linear-algebra.ts';
import { fitLogistic } from '#numerics/logistic-regression.ts';
import { lowess } from '#numerics/lowess.ts';
import { fitMixedModel, predictMixed, randomEffectCovariance, type PersonSeries } from '#numerics/mixed-model.ts';
import { nelderMead } from '#numerics/nelder-mead.ts';
import { crpsEnsemble, crpsGaussian } from '#numerics/probabilistic.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { normalQuantile } from '#numerics/special-functions.ts';
import { valueOf } from '../../fixtures/estimates.ts';

describe('linear algebra', () => {
  const a = [
    [4, 2, 0.6],
    [2, 5, 1],
    [0.6, 1, 3],
  ];

  test('a symmetric system is solved and inverted', () => {
    const x = solveSymmetric(a, [1, 2, 3])!;
    multiplyVector(a, x).forEach((v, i) => expect(v).toBeCloseTo(i + 1, 13));
    const product = multiplyVector(
      a,
      inverseSymmetric(a)!.map((row) => row[1]!),
    );
    [0, 1, 0].forEach((v, i) => expect(product[i]).toBeCloseTo(v, 13));
    expect(logDeterminantCholesky(cholesky(a)!)).toBeCloseTo(Math.log(4 * 14 - 2 * (6 - 0.6) + 0.6 * (2 - 3)), 12);
  });

  test('a matrix that is not positive definite has no factor', () => {
    expect(
      cholesky([
        [1, 1],
        [1, 1],
      ]),
    ).toBeNull();
    expect(cholesky([[-1]])).toBeNull();
  });
});

describe('regression', () => {
  test('least squares finds an exact plane, however far its columns lie from zero', () => {
    const x = [
      [1e6, 1],
      [1e6 + 1, 3],
      [1e6 + 2, 2],
      [1e6 + 3, 7],
      [1e6 + 4, 4],
    ];
    const fit = valueOf(
      fitLeastSquares(
        x,
        x.map(([a, b]) => 2 * (a! - 1e6) - 3 * b! + 5),
      ),
    );
    expect(fit.coefficients[0]).toBeCloseTo(2, 8);
    expect(predictLinear(fit, [1e6 + 10, 0])).toBeCloseTo(25, 6);
    expect(fit.residualSd).toBeLessThan(1e-6);
  });

  test('least squares of one column is the textbook line with its residual sd', () => {
    const fit = valueOf(fitLeastSquares([[1], [2], [3], [4]], [2, 4, 5, 8]));
    expect(fit.coefficients[0]).toBeCloseTo(1.9, 13);
    expect(fit.intercept).toBeCloseTo(0, 13);
    expect(fit.residualSd).toBeCloseTo(Math.sqrt(0.7 / 2), 13);
    expect(fit.standardErrors![0]).toBeCloseTo(Math.sqrt(0.35 / 5), 13);
  });

  test('a ridge shrinks, and gives redundant columns an answer', () => {
    const x = [
      [1, 2],
      [2, 4],
      [3, 6],
      [4, 8],
    ];
    expect(fitLeastSquares(x, [1, 2, 3, 5])).toEqual({ defined: false, reason: 'the columns are redundant' });
    const fit = valueOf(fitLeastSquares(x, [1, 2, 3, 5], { ridge: 1 }));
    expect(fit.coefficients[0]).toBeCloseTo(2 * fit.coefficients[1]!, 12);
    expect(fit.standardErrors).toBeNull();
  });

  test('logistic regression of a yes/no column is the log odds ratio', () => {
    const y = [1, 1, 1, 0, 1, 0, 0, 0];
    const x = [1, 1, 1, 1, 0, 0, 0, 0];
    const fit = valueOf(
      fitLogistic(
        x.map((v) => [1, v]),
        y,
      ),
    );
    expect(fit.coefficients[1]).toBeCloseTo(Math.log(9), 9);
    expect(fit.standardErrors[1]).toBeCloseTo(Math.sqrt(1 + 1 / 3 + 1 + 1 / 3), 9);
    expect(fitLogistic([[1], [1]], [1, 1])).toMatchObject({ defined: false });
  });

  test('lowess leaves a straight line as it is and averages tied points', () => {
    const x = [3, 1, 2, 5, 4, 6];
    lowess(
      x,
      x.map((v) => 2 * v + 1),
    ).forEach((v, i) => expect(v).toBeCloseTo(2 * x[i]! + 1, 12));
    expect([...lowess([1, 1, 1, 1], [0, 1, 1, 0])]).toEqual([0.5, 0.5, 0.5, 0.5]);
  });

  test('Nelder–Mead finds the bottom of a curved valley', () => {
    const found = nelderMead(([a, b]) => (1 - a!) ** 2 + 100 * (b! - a! * a!) ** 2, [-1.2, 1], { tolerance: 1e-14 });
    expect(found.isConverged).toBe(true);
    expect(found.x[0]).toBeCloseTo(1, 5);
  });
});

describe('mixed model', () => {
  const series = (time: number[], y: number[]): PersonSeries => ({ time, y, x: time.map((t) => [1, t]) });

  test('a balanced random intercept by REML is the analysis of variance', () => {
    const groups = [
      [1, 2, 3],
      [4, 6, 5],
      [2, 2, 5],
      [8, 7, 6],
    ];
    const people = groups.map((y) => ({ time: [0, 1, 2], y, x: y.map(() => [1]) }));
    const fit = valueOf(fitMixedModel(people, { randomSlope: false }));
    // One-way table: within mean square (2 + 2 + 6 + 2) / 8, between mean square 3 Σ (mean − grand)² / 3.
    const means = [2, 5, 3, 7];
    const within = 12 / 8;
    const between = means.reduce((total, m) => total + (m - 4.25) ** 2, 0);
    expect(fit.sigma ** 2).toBeCloseTo(within, 5);
    expect(randomEffectCovariance(fit)[0]).toBeCloseTo((between - within) / 3, 4);
    expect(fit.beta[0]).toBeCloseTo(4.25, 10);
    // A new person with three values: the mean is shrunk towards the population by n τ² / (n τ² + σ²).
    const tau = (between - within) / 3;
    const weight = (3 * tau) / (3 * tau + within);
    const next = predictMixed(fit, { time: [0, 1, 2], y: [9, 9, 9], x: [[1], [1], [1]] }, { time: 3, x: [1] });
    expect(next.mean).toBeCloseTo(4.25 + weight * (9 - 4.25), 4);
    const betaVariance = (tau + within / 3) / 4;
    expect(next.sd ** 2).toBeCloseTo(within + tau * (1 - weight) + (1 - weight) ** 2 * betaVariance, 4);
  });

  test('simulated variances are recovered and 90 % intervals of the next value hold 90 %', () => {
    const random = new RandomSequence(seedFrom(3));
    const draw = (): PersonSeries => {
      const b0 = random.normal();
      const b1 = 0.3 * random.normal() + 0.1 * b0;
      const time = [0, 0.5, 1, 2, 3, 4];
      return series(
        time,
        time.map((t) => 2 + 0.2 * t + b0 + b1 * t + 0.4 * random.normal()),
      );
    };
    const fit = valueOf(fitMixedModel(Array.from({ length: 300 }, draw)));
    const [v0, cov, v1] = randomEffectCovariance(fit);
    // Standard errors of variances with 300 people are about 8 % of them.
    expect(Math.abs(v0 - 1)).toBeLessThan(0.25);
    expect(Math.abs(cov - 0.1)).toBeLessThan(0.1);
    expect(Math.abs(v1 - 0.1)).toBeLessThan(0.03);
    expect(Math.abs(fit.sigma - 0.4)).toBeLessThan(0.03);
    let inside = 0;
    const n = 500;
    for (let i = 0; i < n; i++) {
      const whole = draw();
      const keep = Array.from(whole.time).slice(0, 4);
      const past = series(keep, Array.from(whole.y).slice(0, 4));
      const { mean, sd } = predictMixed(fit, past, { time: 4, x: [1, 4] });
      if (Math.abs(whole.y[5]! - mean) < 1.6448536 * sd) inside++;
    }
    // Three binomial standard errors of 0.9 with 500 draws.
    expect(Math.abs(inside / n - 0.9)).toBeLessThan(0.04);
    const nobody = predictMixed(fit, series([], []), { time: 0, x: [1, 0] });
    expect(nobody.sd).toBeGreaterThan(1);
    expect(Math.abs(nobody.mean - 2)).toBeLessThan(0.2);
  });

  test('days instead of years give the same fit', () => {
    const random = new RandomSequence(seedFrom(8));
    const people = Array.from({ length: 60 }, () => {
      const b1 = random.normal();
      return [0, 1, 2, 3].map((t) => 1 + b1 * t + 0.5 * random.normal());
    });
    const years = valueOf(fitMixedModel(people.map((y) => series([0, 1, 2, 3], y))));
    const days = valueOf(fitMixedModel(people.map((y) => series([0, 365, 730, 1095], y))));
    expect(days.sigma).toBeCloseTo(years.sigma, 4);
    expect(randomEffectCovariance(days)[2] * 365 ** 2).toBeCloseTo(randomEffectCovariance(years)[2], 3);
  });

  test('people seen once cannot tell between-person from residual variance', () => {
    const once = Array.from({ length: 10 }, (_, i) => series([0], [i]));
    expect(fitMixedModel(once)).toEqual({ defined: false, reason: 'no person was observed twice' });
  });
});

describe('probabilistic scores', () => {
  test('the CRPS of a normal is the limit of an ensemble of its quantiles', () => {
    const members = Array.from({ length: 4000 }, (_, k) => 1 + 2 * normalQuantile((k + 0.5) / 4000));
    expect(valueOf(crpsEnsemble(2.5, members))).toBeCloseTo(crpsGaussian(2.5, 1, 2), 3);
    expect(crpsGaussian(3, 1, 0)).toBe(2);
    expect(valueOf(crpsEnsemble(3, [1]))).toBe(2);
    expect(crpsEnsemble(3, [1], 'fair')).toMatchObject({ defined: false });
  });
});

describe('bootstrap', () => {
  const random = new RandomSequence(seedFrom(21));
  const values = Array.from({ length: 100 }, () => random.normal());
  const meanOf = (rows: Int32Array): number => rows.reduce((total, i) => total + values[i]!, 0) / rows.length;

  test('the interval of a mean has the width that theory gives', () => {
    const result = valueOf(
      bootstrapInterval((rows) => defined(meanOf(rows)), { persons: 100, random: random.uniform, resamples: 2000 }),
    );
    const m = values.reduce((a, b) => a + b, 0) / 100;
    const se = Math.sqrt(values.reduce((total, v) => total + (v - m) ** 2, 0)) / 100;
    expect(result.estimate).toBeCloseTo(m, 13);
    expect(Math.abs(result.standardError / se - 1)).toBeLessThan(0.06);
    expect(Math.abs((result.upper - result.lower) / (2 * 1.96 * se) - 1)).toBeLessThan(0.1);
  });

  test('a paired difference sees only what differs', () => {
    const options = { persons: 100, random: random.uniform, resamples: 200 };
    const result = valueOf(
      bootstrapDifference(
        (rows) => defined(meanOf(rows) + 1),
        (rows) => defined(meanOf(rows)),
        options,
      ),
    );
    expect(result.lower).toBeCloseTo(1, 12);
    expect(result.upper).toBeCloseTo(1, 12);
  });

  test('a statistic that is often not defined has no interval', () => {
    const fragile = (rows: Int32Array): ReturnType<typeof brierScore> =>
      rows.includes(0) ? defined(rows.length) : notDefined('the one event is missing');
    expect(bootstrapInterval(fragile, { persons: 20, random: random.uniform })).toMatchObject({ defined: false });
  });
});
