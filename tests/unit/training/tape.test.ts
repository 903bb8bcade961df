import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { useWasmBackend } from '#training/backend.ts';
import { Tape, type Mat } from '#training/tape.ts';

const random = new RandomSequence(seedFrom(3));
const numbers = (size: number) => Float64Array.from({ length: size }, random.normal);

/** Gradient of Σ build(tape, x) by central differences: h² error of about 1e-10 here. */
function numericGradient(values: Float64Array, value: (values: Float64Array) => number): number[] {
  const h = 1e-5;
  return Array.from(values, (_, i) => {
    const moved = (by: number) => value(values.map((x, j) => (j === i ? x + by : x)));
    return (moved(h) - moved(-h)) / (2 * h);
  });
}

const sumOf = (tape: Tape, y: Mat): number => tape.collect(y, new Float64Array(y.v.length).fill(1));

describe('gradients of each operation agree with central differences', () => {
  const other = numbers(6).map((x) => Math.abs(x) + 0.5);
  const W = numbers(12);
  const cases: Record<string, (tape: Tape, x: Mat) => Mat> = {
    linear: (t, x) => t.linear(x, t.leaf(4, 3, W)),
    'linear, in its matrix': (t, x) => t.linear(t.leaf(4, 3, W), x),
    add: (t, x) => t.add(x, t.leaf(1, 3, other.subarray(0, 3))),
    sub: (t, x) => t.sub(t.leaf(2, 3, other), x),
    mul: (t, x) => t.mul(x, x),
    'mul by one row': (t, x) => t.mul(x, t.columns(t.head(x, 1), 0, 3)),
    div: (t, x) => t.div(x, t.leaf(2, 3, other)),
    'div, in the divisor': (t, x) => t.div(t.leaf(2, 3, other), t.shift(t.square(x), 1)),
    sigmoid: (t, x) => t.sigmoid(x),
    tanh: (t, x) => t.tanh(x),
    exp: (t, x) => t.exp(x),
    log: (t, x) => t.log(t.shift(t.square(x), 0.1)),
    sqrt: (t, x) => t.sqrt(t.shift(t.square(x), 0.1)),
    softplus: (t, x) => t.softplus(x),
    clamp: (t, x) => t.clamp(x, [-0.5, 0.5]),
    choose: (t, x) => t.choose(Float64Array.of(1, 0, 1, 0, 1, 0), t.square(x), t.exp(x)),
    columns: (t, x) => t.square(t.columns(x, 1, 3)),
    beside: (t, x) => t.square(t.beside([x, t.columns(x, 0, 1)])),
    head: (t, x) => t.square(t.head(x, 1)),
  };
  it.each(Object.entries(cases))('%s', (_, build) => {
    const x = Float64Array.of(0.3, -0.8, 1.4, -0.1, 0.7, -1.9);
    const tape = new Tape();
    const leaf = tape.leaf(2, 3, x);
    sumOf(tape, build(tape, leaf));
    tape.backward();
    const expected = numericGradient(x, (values) => {
      const again = new Tape();
      return sumOf(again, build(again, again.leaf(2, 3, values)));
    });
    expected.forEach((value, i) => expect(leaf.g[i]).toBeCloseTo(value, 6));
  });
});

it('a second pass on the same tape gives the same gradient: nothing of the first is left in the memory it takes over', () => {
  const tape = new Tape();
  const gradients = [0, 1].map(() => {
    const x = tape.leaf(3, 2, Float64Array.of(1, 2, 3, 4, 5, 6));
    sumOf(tape, tape.exp(tape.scale(tape.tanh(x), 0.3)));
    tape.backward();
    return [...x.g];
  });
  expect(gradients[1]).toEqual(gradients[0]);
});

describe('against tfjs', () => {
  beforeAll(useWasmBackend);

  it('a gated step has the gradient that tfjs finds for it', async () => {
    const [x, U] = [numbers(8), numbers(16)];
    const tape = new Tape();
    const matrix = tape.leaf(4, 4, U);
    const h = tape.leaf(2, 4, x);
    const gate = tape.sigmoid(tape.linear(h, matrix));
    sumOf(tape, tape.add(h, tape.mul(gate, tape.sub(tape.tanh(h), h))));
    tape.backward();
    const gradient = tf.grad((weights) => {
      const state = tf.tensor2d([...x], [2, 4]);
      const own = tf.sigmoid(tf.matMul(state, weights as tf.Tensor2D, false, true));
      return tf.sum(tf.add(state, tf.mul(own, tf.sub(tf.tanh(state), state))));
    })(tf.tensor2d([...U], [4, 4]));
    // tfjs works in f32: 1e-6 relative over a dozen operations.
    (await gradient.data()).forEach((value, i) => expect(Math.abs(matrix.g[i]! - value)).toBeLessThan(1e-5));
  });
});
