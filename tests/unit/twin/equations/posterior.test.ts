import { describe, expect, test } from 'vitest';
import { seedFrom } from '#numerics/random.ts';
import { fitEquations } from '#twin/equations/averaging.ts';
import { fitModel, drawLanes, sufficientSize } from '#twin/equations/posterior.ts';
import type { ModelProblem } from '#twin/equations/fit-problem.ts';
import { sampleTempered } from '#twin/equations/smc.ts';
import { samplePrior } from '#twin/equations/importance.ts';
import {
  cholesky,
  inverseCholesky,
  logDeterminantCholesky,
  multiplyVector,
  solveCholesky,
  zeros,
} from '#numerics/linear-algebra.ts';
import {
  FunctionSimulator,
  plainProblem,
  plainProgram,
  plainTimeline,
  type ReadoutFunction,
} from '../../../fixtures/function-simulator.ts';

const seed = seedFrom(7);

/** Linear read-outs y = a(t)ᵀη + N(0, sd²) have a normal posterior and a normal marginal likelihood. */
function linear(omega: number[][], rows: number[][], sd: number, y: number[]) {
  const D = omega.length;
  const readout: ReadoutFunction = (e, t) => rows[t]!.reduce((sum, a, j) => sum + a * e[j]!, 0);
  const precision = inverseCholesky(cholesky(omega)!);
  const right = new Array<number>(D).fill(0);
  rows.forEach((row, t) => {
    for (let i = 0; i < D; i++) {
      right[i]! += (row[i]! * y[t]!) / sd ** 2;
      for (let j = 0; j < D; j++) precision[i]![j]! += (row[i]! * row[j]!) / sd ** 2;
    }
  });
  const factor = cholesky(precision)!;
  const marginal = zeros(y.length, y.length);
  rows.forEach((a, s) =>
    rows.forEach((b, t) => {
      marginal[s]![t] = a.reduce((sum, v, i) => sum + v * multiplyVector(omega, b)[i]!, 0) + (s === t ? sd ** 2 : 0);
    }),
  );
  const m = cholesky(marginal)!;
  const quadratic = solveCholesky(m, y).reduce((sum, v, t) => sum + v * y[t]!, 0);
  return {
    problem: plainProblem(
      plainProgram({ omega, errors: [{ kind: 'additive', sd }] }),
      y.map((value, t): [number, number] => [t, value]),
    ),
    simulator: new FunctionSimulator([readout]),
    mean: solveCholesky(factor, right),
    covariance: inverseCholesky(factor),
    logMarginal: -0.5 * (quadratic + logDeterminantCholesky(m) + y.length * Math.log(2 * Math.PI)),
  };
}

function momentsOf(columns: number, lanes: number, effects: ArrayLike<number>) {
  const mean = Array.from({ length: columns }, (_, j) => {
    let sum = 0;
    for (let i = 0; i < lanes; i++) sum += effects[j * lanes + i]!;
    return sum / lanes;
  });
  const covariance = mean.map((a, j) =>
    mean.map((b, k) => {
      let sum = 0;
      for (let i = 0; i < lanes; i++) sum += (effects[j * lanes + i]! - a) * (effects[k * lanes + i]! - b);
      return sum / lanes;
    }),
  );
  return { mean, covariance };
}

const omega = [
  [1, 0.3],
  [0.3, 0.5],
];
const cases = {
  importance: linear(
    omega,
    [
      [1, 0],
      [1, 1],
    ],
    0.5,
    [0.4, 1.1],
  ),
  laplace: linear(
    omega,
    [
      [1, 0],
      [1, 1],
      [0.2, 1],
    ],
    0.004,
    [1.4, 2.1, 0.98],
  ),
};

describe('the ladder agrees with the closed form of linear-normal models', () => {
  test.each(['importance', 'laplace'] as const)('%s: moments and marginal likelihood', async (rung) => {
    const { problem, simulator, mean, covariance, logMarginal } = cases[rung];
    const posterior = await fitModel(problem, simulator, seed, { draws: 16_384 });
    expect(posterior.rung).toBe(rung);
    const { sample } = posterior;
    expect(sample.effectiveSampleSize).toBeGreaterThan(sufficientSize(16_384));
    expect(Math.abs(sample.logMarginal.value - logMarginal)).toBeLessThan(4 * sample.logMarginal.standardError);
    expect(sample.logMarginal.standardError).toBeLessThan(0.05);
    const fitted = drawLanes(posterior, 1, 8192, seed);
    const found = momentsOf(2, 8192, fitted.lanes.effects);
    mean.forEach((value, j) => {
      const sd = Math.sqrt(covariance[j]![j]!);
      expect(Math.abs(found.mean[j]! - value)).toBeLessThan((4 * sd) / Math.sqrt(sample.effectiveSampleSize));
      expect(Math.abs(fitted.map.effects[j]! - value)).toBeLessThan(1e-3 * sd + 1e-6);
      covariance[j]!.forEach((c, k) => {
        const scale = Math.sqrt(covariance[j]![j]! * covariance[k]![k]!);
        expect(Math.abs(found.covariance[j]![k]! - c)).toBeLessThan((7 * scale) / Math.sqrt(sample.effectiveSampleSize));
      });
    });
  });

  test('tempered moves reach a posterior that none of 4,096 draws of the prior is near', async () => {
    const { problem, simulator, mean, covariance, logMarginal } = cases.laplace;
    const { objective } = await fitModel(problem, simulator, seed, { draws: 512 });
    const { sample } = await samplePrior(objective, 4096);
    const moved = await sampleTempered(objective, sample, 2048);
    // Over 24 seeds the error in units of the standard error had mean 0.0 and standard deviation 0.9.
    expect(Math.abs(moved.logMarginal.value - logMarginal)).toBeLessThan(4 * moved.logMarginal.standardError);
    const found = momentsOf(2, 2048, objective.prior.effects(moved.points));
    mean.forEach((value, j) => {
      expect(Math.abs(found.mean[j]! - value)).toBeLessThan(0.15 * Math.sqrt(covariance[j]![j]!));
      expect(Math.abs(found.covariance[j]![j]! / covariance[j]![j]! - 1)).toBeLessThan(0.15);
    });
  });
});

describe('a fit says what it did', () => {
  const readout: ReadoutFunction = (e, t) => 10 * Math.exp(e[0]! - t);
  const program = plainProgram({ omega: [[0.25]], errors: [{ kind: 'proportional', fraction: 0.1 }] });

  test('without observations the lanes are the population and nothing was surprising', async () => {
    const simulator = new FunctionSimulator([readout]);
    const twin = await fitEquations({ models: [plainProblem(program, [])], simulator, seed, draws: 4096, lanes: 4096 });
    expect(twin.models[0]!.rung).toBe('prior');
    expect(twin.conflictProbability).toBeNull();
    expect(simulator.calls).toBe(0);
    const { mean, covariance } = momentsOf(1, 4096, twin.models[0]!.lanes.effects);
    expect(Math.abs(mean[0]!)).toBeLessThan((4 * 0.5) / 64);
    expect(covariance[0]![0]).toBeCloseTo(0.25, 1);
  });

  test('diverged draws are left out and counted with their weight', async () => {
    const simulator = new FunctionSimulator([readout], { hasDiverged: (e) => e[0]! > 0.5 });
    const twin = await fitEquations({ models: [plainProblem(program, [[0, 12]])], simulator, seed, draws: 16_384, lanes: 1000 });
    const { diverged, lanes } = twin.models[0]!;
    // P(N(0, 0.5²) > 0.5) = 15.87 %.
    expect(diverged.weight).toBeCloseTo(0.1587, 1);
    expect(diverged.count).toBe(Math.round(diverged.weight * 16_384));
    expect(lanes.effects.every((e) => e <= 0.5)).toBe(true);
  });

  test('nobody could have been observed so: fit_failed', async () => {
    const simulator = new FunctionSimulator([() => Number.NaN]);
    const request = { models: [plainProblem(program, [[0, 12]])], simulator, seed, draws: 1024, lanes: 10 };
    await expect(fitEquations(request)).rejects.toThrow('could have been observed');
  });

  test('draws keep the constraints, and the marginal likelihood is that of those who do', async () => {
    const constraints = [
      {
        op: 'lt',
        args: [
          { op: 'read', from: 'parameter', index: 0 },
          { op: 'number', value: 0 },
        ],
      },
    ] as const;
    const half = plainProgram({ omega: [[1]], errors: [{ kind: 'additive', sd: 1 }], constraints });
    const problem = plainProblem(half, [[0, 0.7]]);
    const simulator = new FunctionSimulator([(e) => e[0]!]);
    const posterior = await fitModel(problem, simulator, seed, { draws: 32_768 });
    const fitted = drawLanes(posterior, 1, 4000, seed);
    expect(fitted.lanes.effects.every((e) => e < 0)).toBe(true);
    // η | y ~ N(0.35, 0.5) cut at 0; p(y | η < 0) = 2 N(0.7; 0, 2) Φ(−0.35/√0.5).
    const below = 0.3103;
    const logMarginal = Math.log(2 * below) - 0.5 * (0.7 ** 2 / 2 + Math.log(4 * Math.PI));
    expect(Math.abs(posterior.sample.logMarginal.value - logMarginal)).toBeLessThan(
      4 * posterior.sample.logMarginal.standardError + 1e-4,
    );
  });

  test('an unknown category is weighted with the effects', async () => {
    const mixed = plainProgram({ omega: [[0.04]], errors: [{ kind: 'additive', sd: 0.5 }], covariates: ['genotype'] });
    const problem: ModelProblem = {
      ...plainProblem(mixed, [[0, 1.9]]),
      timeline: plainTimeline([0], [Number.NaN]),
      unknownCovariates: [{ covariate: 0, shares: [0.7, 0.2, 0.1] }],
    };
    const simulator = new FunctionSimulator([(e, _, [category]) => category! + e[0]!]);
    const twin = await fitEquations({ models: [problem], simulator, seed, draws: 32_768, lanes: 20_000 });
    const { values } = twin.models[0]!.lanes.laneCovariates[0]!;
    const density = (c: number) => [0.7, 0.2, 0.1][c]! * Math.exp((-0.5 * (1.9 - c) ** 2) / 0.29);
    const total = density(0) + density(1) + density(2);
    for (const c of [0, 1, 2]) {
      const share = Array.from(values).filter((value) => value === c).length / 20_000;
      expect(Math.abs(share - density(c) / total)).toBeLessThan(0.02);
    }
  });

  test('tempered moves keep the constraints and find the shares of an unknown category', async () => {
    const constraints = [
      {
        op: 'lt',
        args: [
          { op: 'read', from: 'parameter', index: 0 },
          { op: 'number', value: 0 },
        ],
      },
    ] as const;
    const shares = [0.7, 0.2, 0.1];
    const mixed = plainProgram({
      omega: [[0.04]],
      errors: [{ kind: 'additive', sd: 0.2 }],
      covariates: ['genotype'],
      constraints,
    });
    const problem: ModelProblem = {
      ...plainProblem(mixed, [[0, 1.4]]),
      timeline: plainTimeline([0], [Number.NaN]),
      unknownCovariates: [{ covariate: 0, shares }],
    };
    const simulator = new FunctionSimulator([(e, _, [category]) => category! + e[0]!]);
    const { objective } = await fitModel(problem, simulator, seed, { draws: 512 });
    const { sample } = await samplePrior(objective, 8192);
    const moved = await sampleTempered(objective, sample, 8192);
    const effects = objective.prior.effects(moved.points);
    expect(effects.every((e) => e < 0)).toBe(true);
    // By a sum over a fine grid of η < 0: p(η) p(1.4 | c + η), η ~ N(0, 0.2²).
    const masses = shares.map((share, c) => {
      let sum = 0;
      for (let e = -2; e < 0; e += 1e-3) sum += 1e-3 * Math.exp(-0.5 * (e / 0.2) ** 2 - 0.5 * ((1.4 - c - e) / 0.2) ** 2);
      return share * sum;
    });
    const total = masses.reduce((sum, mass) => sum + mass, 0);
    masses.forEach((mass, c) => {
      const found = moved.points.categories[0]!.filter((value) => value === c).length / 8192;
      expect(Math.abs(found - mass / total)).toBeLessThan(0.03);
    });
    // 2 / (0.2 √2π)² of the two normals, and of the prior that is cut at 0.
    const logMarginal = Math.log((2 * total) / (0.04 * 2 * Math.PI));
    expect(Math.abs(moved.logMarginal.value - logMarginal)).toBeLessThan(4 * moved.logMarginal.standardError + 1e-3);
  });

  test('models are averaged by prior weight and marginal likelihood, and give lanes in proportion', async () => {
    const near = linear([[1]], [[1]], 0.5, [0.3]);
    const far = linear([[1]], [[1]], 2, [0.3]);
    const models = [near, far].map(({ problem }, m) => ({ ...problem, logPriorWeight: Math.log([0.25, 0.75][m]!) }));
    const twin = await fitEquations({ models, simulator: near.simulator, seed, draws: 16_384, lanes: 1000 });
    const odds = (0.25 / 0.75) * Math.exp(near.logMarginal - far.logMarginal);
    expect(twin.models[0]!.weight).toBeCloseTo(odds / (1 + odds), 2);
    expect(twin.models.reduce((sum, { lanes }) => sum + lanes.lanes, 0)).toBe(1000);
    expect(twin.models[0]!.lanes.lanes).toBe(Math.round(1000 * twin.models[0]!.weight));
  });

  test('a person far from the population is in conflict with it and gets a flatter prior', async () => {
    const { problem, simulator } = linear([[1]], [[1], [1]], 0.3, [5.5, 5.6]);
    const twin = await fitEquations({ models: [problem], simulator, seed, draws: 16_384, lanes: 2000 });
    expect(twin.conflictProbability).toBeLessThan(1e-4);
    expect(twin.flattening).toBe(4);
    // Under N(0, 4): mean = Σy / (n + sd²/4).
    const { mean } = momentsOf(1, 2000, twin.models[0]!.lanes.effects);
    expect(mean[0]).toBeCloseTo(11.1 / (2 + 0.09 / 4), 1);
  });

  test('the conflict probability of the population’s own people is uniform', async () => {
    const count = 120;
    let small = 0;
    for (let k = 0; k < count; k++) {
      const own = Math.sin(k * 12.9898) * 43758.5453;
      const u = (shift: number) =>
        Math.sqrt(-2 * Math.log(frac(own + shift))) * Math.cos(2 * Math.PI * frac(own * 1.7 + shift * 3.1));
      const eta = u(0.11);
      const { problem, simulator } = linear([[1]], [[1], [1]], 0.5, [eta + 0.5 * u(0.37), eta + 0.5 * u(0.73)]);
      const twin = await fitEquations({ models: [problem], simulator, seed, draws: 2048, lanes: 10 });
      if (twin.conflictProbability! < 0.25) small++;
    }
    // 30 expected, sd 4.7.
    expect(Math.abs(small - 0.25 * count)).toBeLessThan(15);
  });

  test('residuals are ranks in the posterior predictive', async () => {
    const { problem, simulator, mean, covariance } = linear([[1]], [[1], [1]], 0.5, [0.2, 1.4]);
    const twin = await fitEquations({ models: [problem], simulator, seed, draws: 32_768, lanes: 100 });
    const [first, second] = twin.models[0]!.residuals;
    const sd = Math.sqrt(covariance[0]![0]! + 0.25);
    expect(first!.predicted[1]).toBeCloseTo(mean[0]!, 1);
    expect(first!.predicted[2] - first!.predicted[0]).toBeCloseTo(2 * 1.645 * sd, 1);
    expect(second!.probabilityBelow).toBeGreaterThan(0.8);
  });
});

const frac = (x: number): number => x - Math.floor(x);
