/**
 * The lung tumour's volumes are seen daily and exactly, and a day's relative change is linear in (α, ρ, βc) with normal noise: the
 * posterior is a normal truncated to positive values, in closed form. The ladder must find it, and the marginal likelihood with it.
 */
import { describe, expect, test } from 'vitest';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { buildTimeline } from '#engine/timeline.ts';
import {
  cholesky,
  inverseCholesky,
  logDeterminantCholesky,
  multiplyVector,
  quadraticForm,
  solveCholesky,
} from '#numerics/linear-algebra.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { compileModel } from '#packs/equations/compile.ts';
import { manifest } from '#training/models/lung-tumour.ts';
import type { ModelProblem } from '#twin/equations/fit-problem.ts';
import { drawLanes, fitModel } from '#twin/equations/posterior.ts';

const program = compileModel(manifest.models[0]!, manifest, 'pack.json, models[0]');
const K = (Math.PI / 6) * 30 ** 3;
const mean = [0.0398, 7e-5, 0.028];
const omega = [
  [0.168 ** 2, 0.87 * 0.168 * 7.23e-3, 0],
  [0.87 * 0.168 * 7.23e-3, 7.23e-3 ** 2, 0],
  [0, 0, 0.0007 ** 2],
];
const days = 20;

/** Days with chemotherapy, radiotherapy; volumes of a person with the parameters given; rows x with change = xᵀ(α, ρ, βc) + noise. */
function person(theta: readonly number[], random: RandomSequence) {
  let C = 0;
  let V = 60;
  const volumes = [V];
  const chemo: number[] = [];
  const radio: number[] = [];
  const rows: number[][] = [];
  const changes: number[] = [];
  for (let t = 0; t < days; t++) {
    chemo.push(random.uniform() < 0.3 ? 1 : 0);
    radio.push(random.uniform() < 0.3 ? 1 : 0);
    C = C / 2 + 5 * chemo[t]!;
    const d = 2 * radio[t]!;
    const row = [-d * (1 + d / 10), Math.log(K / V), -C];
    const change = row.reduce((sum, x, j) => sum + x * theta[j]!, 0) + 0.01 * random.normal();
    V *= 1 + change;
    rows.push(row);
    changes.push(change);
    volumes.push(V);
  }
  return { volumes, chemo, radio, rows, changes };
}

/** Volumes are seen at `hour` of their day. */
function problemOf({ volumes, chemo, radio }: ReturnType<typeof person>, hour = 0): ModelProblem {
  const seen = (day: number): number => day + hour / 24;
  const V = program.states.findIndex(({ symbol }) => symbol === 'V');
  const control = (symbol: string, values: readonly number[]) =>
    values.map((value, from) => ({ control: program.controls.findIndex((one) => one.symbol === symbol), from, value }));
  return {
    program,
    logPriorWeight: 0,
    timeline: buildTimeline(program, {
      start: 0,
      end: days,
      doses: [],
      // Type 2 responds like everybody.
      covariates: [{ time: 0, row: Float64Array.of(1) }],
      controls: [...control('chemo', chemo), ...control('radio', radio)],
      setStates: volumes.map((value, day) => ({ time: seen(day), state: V, value })),
      occasions: [],
      steadyState: null,
    }),
    occasions: 1,
    unknownCovariates: [],
    observations: volumes.map((value, day) => ({ of: 0, time: seen(day), value, isBelowLimit: false })),
    initialStates: Float64Array.from(program.states, (_, s) => (s === V ? volumes[0]! : Number.NaN)),
  };
}

function exact({ volumes, rows, changes }: ReturnType<typeof person>) {
  const priorPrecision = inverseCholesky(cholesky(omega)!);
  const precision = priorPrecision.map((row, i) =>
    row.map((v, j) => v + rows.reduce((sum, x) => sum + (x[i]! * x[j]!) / 1e-4, 0)),
  );
  const right = multiplyVector(priorPrecision, mean).map(
    (v, i) => v + rows.reduce((sum, x, t) => sum + (x[i]! * changes[t]!) / 1e-4, 0),
  );
  const factor = cholesky(precision)!;
  const posterior = { mean: solveCholesky(factor, right), covariance: inverseCholesky(factor) };
  // log N(changes; X mean, X Ω Xᵀ + σ² I), by the posterior: log p(y) = log p(y | m) + log p(m) − log p(m | y) at its own mean m.
  const m = posterior.mean;
  const misfit = rows.reduce((sum, x, t) => sum + (changes[t]! - x.reduce((s, v, j) => s + v * m[j]!, 0)) ** 2 / 1e-4, 0);
  const away = m.map((v, j) => v - mean[j]!);
  const logLikelihood = -0.5 * (misfit + changes.length * Math.log(2 * Math.PI * 1e-4));
  const logPrior = -0.5 * (quadraticForm(priorPrecision, away) + logDeterminantCholesky(cholesky(omega)!));
  const logPosterior = 0.5 * logDeterminantCholesky(factor);
  // Densities are of volumes, not of relative changes.
  const jacobian = volumes.slice(0, -1).reduce((sum, v) => sum + Math.log(v), 0);
  return { ...posterior, logMarginal: logLikelihood + logPrior - logPosterior - jacobian };
}

/** Chance that all three are positive, by 400,000 draws. */
function positive(centre: readonly number[], covariance: readonly (readonly number[])[], random: RandomSequence): number {
  const L = cholesky(covariance)!;
  const n = 4e5;
  let inside = 0;
  for (let i = 0; i < n; i++) {
    const z = [random.normal(), random.normal(), random.normal()];
    if (centre.every((c, j) => c + L[j]!.reduce((sum, l, k) => sum + l * z[k]!, 0) > 0)) inside++;
  }
  return inside / n;
}

describe('a posterior in closed form', () => {
  test.each([
    { name: 'in the middle of the population', theta: [0.1, 0.006, 0.0281], seed: 1 },
    { name: 'hardly sensitive to radiation', theta: [0.004, 0.0015, 0.0277], seed: 2 },
  ])('$name', async ({ theta, seed }) => {
    const random = new RandomSequence(seedFrom(seed));
    const own = person(theta, random);
    const { mean: m, covariance, logMarginal } = exact(own);
    const posterior = await fitModel(problemOf(own), new CpuSimulator(), seedFrom(seed));
    const { sample } = posterior;
    const truncation = Math.log(positive(m, covariance, random)) - Math.log(positive(mean, omega, random));
    expect(posterior.rung).toBe('laplace');
    // Half a percent for the two chances by simulation, and for f32.
    expect(Math.abs(sample.logMarginal.value - logMarginal - truncation)).toBeLessThan(
      4 * sample.logMarginal.standardError + 0.005,
    );
    const { lanes } = drawLanes(posterior, 1, 20_000, seedFrom(seed));
    // The truncated normal by rejection.
    const L = cholesky(covariance)!;
    const drawn: number[][] = [];
    while (drawn.length < 50_000) {
      const z = [random.normal(), random.normal(), random.normal()];
      const draw = m.map((c, j) => c + L[j]!.reduce((sum, l, k) => sum + l * z[k]!, 0));
      if (draw.every((value) => value > 0)) drawn.push(draw);
    }
    program.effects.forEach((_, j) => {
      const found = Float64Array.from(lanes.effects.subarray(j * lanes.lanes, (j + 1) * lanes.lanes), (e) => e + mean[j]!).sort();
      const expected = Float64Array.from(drawn, (draw) => draw[j]!).sort();
      const sd = Math.sqrt(covariance[j]![j]!);
      for (const level of [0.05, 0.25, 0.5, 0.75, 0.95]) {
        const error = found[Math.floor(level * found.length)]! - expected[Math.floor(level * expected.length)]!;
        // 5 % quantiles of 20,000 and 50,000 draws err by 0.015 and 0.01 standard deviations.
        expect(Math.abs(error)).toBeLessThan(0.07 * sd);
      }
    });
  });

  test('the hour at which volumes are seen changes nothing, nor does a volume that another of the same day replaces', async () => {
    const own = person([0.1, 0.006, 0.0281], new RandomSequence(seedFrom(3)));
    const fit = async (problem: ModelProblem) =>
      (await fitModel(problem, new CpuSimulator(), seedFrom(3), { draws: 4096 })).sample;
    const { logMarginal, effectiveSampleSize } = await fit(problemOf(own));
    const later = problemOf(own, 9.5);
    expect(await fit(later)).toMatchObject({ logMarginal, effectiveSampleSize });
    const [first, ...others] = later.observations;
    const earlier = { ...first!, time: first!.time - 0.1, value: 2 * first!.value };
    expect(await fit({ ...later, observations: [earlier, first!, ...others] })).toMatchObject({
      logMarginal,
      effectiveSampleSize,
    });
  });
});
