/**
 * Trains q(z | history) on histories drawn from the fitted model itself, where the true z is known (inference compilation, Le,
 * Baydin & Wood 2017): no patient is seen, so it cannot overfit, and what it gets wrong the twin's importance weights put right.
 */
import * as tf from '@tensorflow/tfjs-core';
import { driveWidth, drivePlan } from '#engine/drive.ts';
import { makeScratch, stepMoments } from '#engine/reference/step.ts';
import { RandomSequence, seedFrom, streams } from '#numerics/random.ts';
import { encoderTensorShapes } from '#packs/tensors.ts';
import type { EncoderTensors, Network } from '#packs/network.ts';
import { encodeSteps, type EncoderWeights } from '#twin/encoder.ts';
import { traitPrior } from '#twin/encoder-plain.ts';
import type { Cohort } from './cohort.ts';

export interface EncoderOptions {
  readonly E: number;
  readonly iterations: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly seed: number;
  readonly onStep?: (iteration: number, loss: number) => void;
}

/** `network` has one member. Visit patterns and conditioning are taken from `cohort`; values and survival are drawn. */
export async function fitEncoder(network: Network, cohort: Cohort, options: EncoderOptions): Promise<EncoderTensors> {
  const { E, iterations, batch, seed } = options;
  const shapes = encoderTensorShapes(network.shape, E);
  const random = new RandomSequence(seedFrom(seed), streams.people);
  const variables = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const sd = shape.length > 1 ? 0.5 / Math.sqrt(shape.at(-1)!) : 0;
      const values = Float32Array.from({ length: size }, () => sd * random.normal());
      return [name, tf.variable(tf.tensor(values, [...shape]))];
    }),
  );
  const optimiser = new tf.AdamOptimizer(options.learningRate, 0.9, 0.999, 1e-8);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const drawn = drawHistories(network, cohort, batch, new RandomSequence(seedFrom(seed), streams.people, iteration + 1));
    // Closing in on the end: large steps first.
    (optimiser as unknown as { learningRate: number }).learningRate = options.learningRate * (1 - 0.9 * (iteration / iterations));
    const loss = optimiser.minimize(() => negativeLogDensity(variables as unknown as EncoderWeights, drawn), true)!;
    options.onStep?.(iteration, (await loss.data())[0]!);
    loss.dispose();
  }
  const out = Object.fromEntries(
    await Promise.all(Object.entries(variables).map(async ([name, variable]) => [name, (await variable.data()) as Float32Array])),
  );
  tf.dispose(Object.values(variables));
  optimiser.dispose();
  return out as unknown as EncoderTensors;
}

interface Drawn {
  readonly T: number;
  readonly N: number;
  readonly S: number;
  readonly L: number;
  readonly V: number;
  readonly values: Float32Array;
  readonly mask: Float32Array;
  readonly v: Float32Array;
  readonly isWithin: Float32Array;
  readonly priorMean: Float32Array;
  readonly priorScale: Float32Array;
  readonly z: Float32Array;
}

function negativeLogDensity(weights: EncoderWeights, d: Drawn): tf.Scalar {
  const batch = {
    values: tf.tensor3d(d.values, [d.T, d.N, d.S]),
    mask: tf.tensor3d(d.mask, [d.T, d.N, d.S]),
    v: tf.tensor3d(d.v, [d.T, d.N, d.V]),
    isWithin: tf.tensor2d(d.isWithin, [d.T, d.N]),
  };
  const prior = { mean: tf.tensor2d(d.priorMean, [d.N, d.L]), scale: tf.tensor2d(d.priorScale, [d.N, d.L]) };
  const q = encodeSteps(weights, batch, prior);
  const standard = tf.div(tf.sub(tf.tensor2d(d.z, [d.N, d.L]), q.mean), q.scale);
  return tf.mean(tf.sum(tf.add(tf.log(q.scale), tf.mul(0.5, tf.square(standard))), 1)) as tf.Scalar;
}

/** People of the model: conditioning and visit pattern of a random person of the cohort, traits, course and today drawn. */
function drawHistories(network: Network, cohort: Cohort, N: number, random: RandomSequence): Drawn {
  const { S, L, H, K, V } = network.shape;
  const member = network.members[0]!;
  const people = Array.from({ length: N }, () => {
    const i = random.below(cohort.ids.length);
    const steps = random.below(cohort.steps[i]!) + 1;
    return { i, steps };
  });
  const T = Math.max(...people.map(({ steps }) => steps));
  const d: Drawn = {
    T,
    N,
    S,
    L,
    V,
    values: new Float32Array(T * N * S),
    mask: new Float32Array(T * N * S),
    v: new Float32Array(T * N * V),
    isWithin: new Float32Array(T * N),
    priorMean: new Float32Array(N * L),
    priorScale: new Float32Array(N * L),
    z: new Float32Array(N * L),
  };
  const scratch = makeScratch(network.shape);
  const noError = new Float64Array(K);
  people.forEach(({ i, steps }, n) => {
    const v = cohort.v.subarray(i * V, (i + 1) * V);
    const c = v.slice(0, cohort.C);
    const prior = traitPrior(member, c);
    const z = prior.mean.map((mean, l) => mean + prior.scale[l]! * random.normal());
    d.priorMean.set(prior.mean, n * L);
    d.priorScale.set(prior.scale, n * L);
    d.z.set(z, n * L);
    const { rows } = drivePlan(
      { ...network, shape: { ...network.shape, M: 1 } },
      { v, logHazardShift: noError, effectError: noError },
    );
    const row = rows.subarray(0, driveWidth(network.shape));
    const x = new Float64Array(S + L);
    x.set(z, S);
    const context = [...c, ...z];
    for (let k = 0; k < S; k++) {
      let mean = member.entryBias[k]!;
      context.forEach((value, j) => (mean += member.entryW[k * context.length + j]! * value));
      x[k] = mean + Math.exp(member.entryLogScale[k]!) * random.normal();
    }
    const h = new Float64Array(H);
    for (let t = 0; t < steps; t++) {
      const cell = t * N + n;
      d.isWithin[cell] = 1;
      d.v.set(v, cell * V);
      for (let k = 0; k < S; k++) {
        if (!cohort.masks[t]![i * S + k]) continue;
        d.mask[cell * S + k] = 1;
        d.values[cell * S + k] = measured(network, k, x[k]!, random);
      }
      if (t === steps - 1) break;
      stepMoments(network.shape, member, x, h, row, 0, noError, scratch);
      let total = 0;
      for (let k = 0; k < K; k++) total += Math.exp(scratch.logHazard[k]!);
      // Someone who has the event now is never asked about later: today comes first.
      if (-Math.log(random.uniform()) < total) break;
      for (let k = 0; k < S; k++) {
        const isTail = random.uniform() < member.tailCount[k]! / 256;
        x[k] = scratch.mean[k]! + scratch.scale[k]! * random.normal() * (isTail ? member.tailScale[k]! : 1);
      }
      h.set(scratch.nextH);
    }
  });
  return d;
}

function measured(network: Network, k: number, s: number, random: RandomSequence): number {
  const head = network.heads[k]!;
  if (head.kind === 'continuous') return s + network.members[0]!.observationScale[k]! * random.normal();
  const u = random.uniform();
  const shown = s + Math.log(u / (1 - u));
  return head.cuts.filter((cut) => shown > cut).length - head.cuts.length / 2;
}
