/**
 * A network whose core is switched off is a linear-Gaussian state-space model, and its posterior is known exactly: the Kalman
 * filter over the joint state [s, z] (Kalman 1960; here with scalar updates, as the measurement errors are independent).
 */
import { describe, expect, test } from 'vitest';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import type { MemberTensors, Network } from '#packs/network.ts';
import { traitPrior } from '#twin/encoder-plain.ts';
import { drawStarts, fitTwin } from '#twin/fit.ts';
import type { History } from '#twin/history.ts';

const shape = { S: 2, L: 1, H: 4, K: 1, V: 1, M: 1 };
const [S, D] = [shape.S, shape.S + shape.L];
const steps = 12;

const zeros = (length: number) => new Float32Array(length);
const member: MemberTensors = {
  gateX: zeros(3 * 4 * D),
  gateH: zeros(3 * 4 * 4),
  gateBias: zeros(12),
  resetBias: zeros(4),
  gateV: zeros(12),
  driftX: Float32Array.of(-0.3, 0.1, 0.4, 0.05, -0.2, -0.3),
  driftH: zeros(8),
  driftBias: Float32Array.of(0.1, -0.05),
  driftV: Float32Array.of(0.2, 0.1),
  scaleH: zeros(8),
  scaleBias: Float32Array.of(Math.log(0.3), Math.log(0.4)),
  hazardX: zeros(D),
  hazardH: zeros(4),
  hazardBias: Float32Array.of(-30),
  hazardV: zeros(1),
  observationScale: Float32Array.of(0.25, 0.35),
  tailCount: zeros(2),
  tailScale: Float32Array.of(1, 1),
  entryW: Float32Array.of(0.3, 0.8, -0.2, 0.5),
  entryBias: Float32Array.of(0.1, 0.2),
  entryLogScale: Float32Array.of(-0.4, -0.6),
  traitW: Float32Array.of(0.5),
  traitBias: Float32Array.of(0.1),
  traitLogScale: Float32Array.of(-0.1),
};
const network: Network = { shape, heads: [{ kind: 'continuous' }, { kind: 'continuous' }], members: [member] };

const random = new RandomSequence(seedFrom(5));
const history: History = {
  today: '2020-01-01',
  steps,
  values: Float64Array.from({ length: (steps + 1) * S }, () => 0.4 + 0.8 * random.normal()),
  // The second marker is measured at every third time, the first at two in three.
  mask: Uint8Array.from({ length: (steps + 1) * S }, (_, cell) =>
    Number(cell % S === 0 ? Math.floor(cell / S) % 3 < 2 : Math.floor(cell / S) % 3 === 0),
  ),
  lived: new Float64Array(steps).fill(1),
  inputs: { v: new Float64Array(steps).fill(0.7), logHazardShift: new Float64Array(steps), effectError: new Float64Array(steps) },
  covariates: Float64Array.of(0.7),
  person: { covariates: {}, inputs: Float64Array.of(0.7) },
  treatments: [],
  todayDays: 0,
  latest: new Map(),
  atEntry: new Map(),
  observationsUsed: 0,
  uses: [],
};

/** Mean, covariance of [s, z] at today and log p(history). */
function kalman() {
  const { mean: z, scale: zScale } = traitPrior(member, history.covariates);
  const c = history.covariates[0]!;
  const loading = [0, 1].map((j) => member.entryW[j * 2 + 1]!);
  let m = [...[0, 1].map((j) => member.entryW[j * 2]! * c + loading[j]! * z[0]! + member.entryBias[j]!), z[0]!];
  const varZ = zScale[0]! ** 2;
  const map = [loading[0]!, loading[1]!, 1];
  let P = map.map((a, i) => map.map((b, j) => a * b * varZ + (i === j && i < S ? Math.exp(2 * member.entryLogScale[i]!) : 0)));
  let logEvidence = 0;
  const absorb = (t: number) => {
    for (let j = 0; j < S; j++) {
      if (!history.mask[t * S + j]) continue;
      const innovation = history.values[t * S + j]! - m[j]!;
      const variance = P[j]![j]! + member.observationScale[j]! ** 2;
      logEvidence -= 0.5 * (innovation ** 2 / variance + Math.log(2 * Math.PI * variance));
      const gain = P.map((row) => row[j]! / variance);
      m = m.map((value, i) => value + gain[i]! * innovation);
      const row = [...P[j]!];
      P = P.map((own, i) => own.map((value, k) => value - gain[i]! * row[k]!));
    }
  };
  absorb(0);
  for (let t = 0; t < steps; t++) {
    const F = Array.from({ length: D }, (_, i) =>
      Array.from({ length: D }, (_, k) => Number(i === k) + (i < S ? member.driftX[i * D + k]! : 0)),
    );
    m = F.map((row, i) => row.reduce((sum, f, k) => sum + f * m[k]!, i < S ? member.driftBias[i]! + member.driftV[i]! * c : 0));
    const FP = F.map((row) => P.map((_, k) => row.reduce((sum, f, a) => sum + f * P[a]![k]!, 0)));
    P = FP.map((row, i) =>
      F.map(
        (other, k) =>
          other.reduce((sum, f, a) => sum + f * row[a]!, 0) + (i === k && i < S ? Math.exp(2 * member.scaleBias[i]!) : 0),
      ),
    );
    absorb(t + 1);
  }
  return { m, P, logEvidence };
}

describe('the filter on a linear-Gaussian network', () => {
  const exact = kalman();
  const prior = traitPrior(member, history.covariates);
  const fit = (posterior: typeof prior, seed: number, particlesPerMember = 2048) =>
    fitTwin({
      pack: { network },
      history,
      stepper: new ReferenceEngine(),
      posterior: [posterior],
      particlesPerMember,
      seed: seedFrom(seed),
    });
  const proposals = {
    'the prior': prior,
    'a good encoder': { mean: Float64Array.of(exact.m[2]! + 0.1), scale: Float64Array.of(1.1 * Math.sqrt(exact.P[2]![2]!)) },
    'an encoder that errs': { mean: Float64Array.of(exact.m[2]! + 1), scale: Float64Array.of(0.2) },
  };

  test.each(Object.entries(proposals))(
    'mean, variance and evidence are the Kalman filter’s when the proposal is %s',
    (_, posterior) => {
      const twins = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => fit(posterior, seed));
      const average = (f: (i: number, x: Float32Array) => number) =>
        twins.reduce((sum, { members: [own] }) => {
          let value = 0;
          own!.weights.forEach((weight, i) => (value += weight * f(i, own!.x)));
          return sum + value / twins.length;
        }, 0);
      for (let i = 0; i < D; i++) {
        const sd = Math.sqrt(exact.P[i]![i]!);
        const mean = average((particle, x) => x[particle * D + i]!);
        const variance = average((particle, x) => (x[particle * D + i]! - exact.m[i]!) ** 2);
        // Eight runs worth some 100 independent draws each: the standard error is 0.035 sd, and 0.05 of the variance.
        expect(Math.abs(mean - exact.m[i]!) / sd, `mean ${i}`).toBeLessThan(0.12);
        expect(Math.abs(variance / exact.P[i]![i]! - 1), `variance ${i}`).toBeLessThan(0.17);
      }
      const logEvidence = Math.log(
        twins.reduce((sum, twin) => sum + Math.exp(twin.members[0]!.logEvidence - exact.logEvidence) / twins.length, 0),
      );
      expect(Math.abs(logEvidence)).toBeLessThan(0.1);
      for (const twin of twins) expect(twin.effectiveSampleSize).toBeGreaterThan(50);
    },
  );

  test('an encoder that errs costs less than half of the effective sample', () => {
    const worth = (posterior: typeof prior) =>
      [9, 10, 11, 12].reduce((sum, seed) => sum + fit(posterior, seed, 1024).effectiveSampleSize, 0);
    expect(worth(proposals['an encoder that errs'])).toBeGreaterThan(worth(proposals['a good encoder']) / 2);
  });

  test('moves take effect and keep the posterior when the first sample is poor', () => {
    const far = { mean: Float64Array.of(exact.m[2]! + 4), scale: Float64Array.of(0.05) };
    const twins = Array.from({ length: 12 }, (_, seed) => fit(far, seed + 20, 256));
    expect(twins.some((twin) => twin.temperedMoves > 0)).toBe(true);
    const means = twins.map(({ members: [own] }) =>
      own!.weights.reduce((sum, weight, i) => sum + weight * own!.x[i * D + S]!, 0),
    );
    const mean = means.reduce((a, b) => a + b) / means.length;
    expect(Math.abs(mean - exact.m[2]!) / Math.sqrt(exact.P[2]![2]!)).toBeLessThan(0.35);
  });

  test('starting states of futures have the twin’s mean, and the same ones come again', () => {
    const twin = fit(proposals['a good encoder'], 3);
    const { starts } = drawStarts(twin, 2000, 10, seedFrom(4));
    const width = D + shape.H;
    for (let i = 0; i < D; i++) {
      let mean = 0;
      for (let row = 0; row < 2000; row++) mean += starts[row * width + i]! / 2000;
      const [own] = twin.members;
      const ofTwin = own!.weights.reduce((sum, weight, particle) => sum + weight * own!.x[particle * D + i]!, 0);
      // Systematic resampling to about as many draws as there are particles moves a mean by a few hundredths of an sd at most.
      expect(Math.abs(mean - ofTwin) / Math.sqrt(exact.P[i]![i]!)).toBeLessThan(0.06);
    }
    expect(drawStarts(twin, 2000, 10, seedFrom(4)).starts).toEqual(starts);
  });
});
