import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, test } from 'vitest';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import type { EncoderTensors } from '#packs/network.ts';
import { encodePlain } from '#twin/encoder-plain.ts';
import { encodeSteps, type EncoderWeights } from '#twin/encoder.ts';

const [S, L, V, E] = [3, 2, 4, 5];
const sizes: Record<keyof EncoderTensors, number[]> = {
  encoderX: [3 * E, 2 * S + V],
  encoderH: [3 * E, E],
  encoderBias: [3 * E],
  encoderResetBias: [E],
  encoderMean: [L, E],
  encoderMeanBias: [L],
  encoderScale: [L, E],
  encoderScaleBias: [L],
};
const names = Object.keys(sizes) as (keyof EncoderTensors)[];
type Each<T> = Record<keyof EncoderTensors, T>;
const forEachName = <T>(make: (name: keyof EncoderTensors, i: number) => T) =>
  Object.fromEntries(names.map((name, i) => [name, make(name, i)])) as Each<T>;

const random = new RandomSequence(seedFrom(11));
const normals = (length: number) => Float32Array.from({ length }, () => 0.7 * random.normal());
const plain = forEachName((name) => normals(sizes[name].reduce((a, b) => a * b)));

// Three people with 1, 4 and 2 grid times, padded to 4.
const lengths = [1, 4, 2];
const [T, N] = [4, lengths.length];
const values = normals(T * N * S);
const mask = Float32Array.from({ length: T * N * S }, () => random.below(2));
const v = normals(T * N * V);
const priorMean = normals(N * L);
const priorScale = normals(N * L).map(Math.exp);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

function onTensors(weights: EncoderWeights) {
  return encodeSteps(
    weights,
    {
      values: tf.tensor3d(values, [T, N, S]),
      mask: tf.tensor3d(mask, [T, N, S]),
      v: tf.tensor3d(v, [T, N, V]),
      isWithin: tf.tensor2d(
        Array.from({ length: T }, (_, t) => lengths.map((length) => Number(t < length))),
        [T, N],
      ),
    },
    { mean: tf.tensor2d(priorMean, [N, L]), scale: tf.tensor2d(priorScale, [N, L]) },
  );
}

const tensors = () => forEachName((name) => tf.tensor(plain[name], sizes[name]));

describe('the encoder', () => {
  test('the batched tensors agree with the plain network for histories of different length', () => {
    const q = onTensors(tensors());
    const row = (all: Float32Array, n: number, width: number, count: number) =>
      Float64Array.from({ length: count * width }, (_, j) => all[(Math.floor(j / width) * N + n) * width + (j % width)]!);
    lengths.forEach((length, n) => {
      const expected = encodePlain(
        plain,
        { values: row(values, n, S, length), mask: row(mask, n, S, length), v: row(v, n, V, length) },
        {
          mean: Float64Array.from(priorMean.subarray(n * L, (n + 1) * L)),
          scale: Float64Array.from(priorScale.subarray(n * L, (n + 1) * L)),
        },
      );
      // f32 against f64 over four steps of sums of at most ten terms of order one.
      for (let l = 0; l < L; l++) {
        expect(q.mean.arraySync()[n]![l]).toBeCloseTo(expected.mean[l]!, 5);
        expect(q.scale.arraySync()[n]![l]).toBeCloseTo(expected.scale[l]!, 5);
      }
    });
  });

  test('q is never wider than the prior', () => {
    const q = onTensors(tensors());
    q.scale.dataSync().forEach((scale, i) => expect(scale).toBeLessThan(priorScale[i]!));
  });
});
