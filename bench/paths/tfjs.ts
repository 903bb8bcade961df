import * as tf from '@tensorflow/tfjs-core';
import { logScaleRange } from '#packs/network.ts';
import type { PreparedPath, Work } from '../work.ts';
import { gruWeights, type GruMatrices, type Matrix } from './gru-weights.ts';

/** The step written op by op, as one writes it with tfjs. The backend must be registered; noise and weights are tensors before. */
export async function tfjs(work: Work, backend: string): Promise<PreparedPath> {
  await tf.setBackend(backend);
  await tf.ready();
  const { S, rollouts, matrices, startX, startH } = gruWeights(work);
  const tensor = ({ rows, columns, values }: Matrix) => (rows === 1 ? tf.tensor1d(values) : tf.tensor2d(values, [rows, columns]));
  const w = Object.fromEntries(Object.entries(matrices).map(([name, matrix]) => [name, tensor(matrix as Matrix)])) as Record<
    keyof GruMatrices,
    tf.Tensor
  >;
  const starts: [x: tf.Tensor, h: tf.Tensor] = [tensor(startX), tensor(startH)];
  const noise = work.noise.map((values) => tf.tensor2d(values, [rollouts, S]));

  const step = (x: tf.Tensor, h: tf.Tensor, epsilon: tf.Tensor): [x: tf.Tensor, h: tf.Tensor] => {
    const [rx, ux, nx] = tf.split(tf.add(tf.matMul(x, w.gateX), w.biasX), 3, 1);
    const [rh, uh, nh] = tf.split(tf.add(tf.matMul(h, w.gateH), w.biasH), 3, 1);
    const r = tf.sigmoid(tf.add(rx, rh));
    const u = tf.sigmoid(tf.add(ux, uh));
    const n = tf.tanh(tf.add(nx, tf.mul(r, nh)));
    const nextH = tf.add(n, tf.mul(u, tf.sub(h, n)));
    const drift = tf.add(tf.matMul(x, w.driftX), tf.add(tf.matMul(nextH, w.driftH), w.driftBias));
    const scale = tf.exp(tf.clipByValue(tf.add(tf.matMul(nextH, w.scaleH), w.scaleBias), ...logScaleRange));
    return [tf.add(tf.add(x, drift), tf.mul(scale, epsilon)), nextH];
  };
  const roll = () =>
    tf.tidy(() => {
      let state = starts;
      for (const epsilon of noise) state = tf.tidy(() => step(...state, epsilon));
      return state[0];
    });
  const finalStates = async () => {
    await tf.setBackend(backend);
    const states = roll();
    const values = await states.data<'float32'>();
    states.dispose();
    return Float32Array.from(values);
  };
  return {
    run: async () => void (await finalStates()),
    finalStates,
    dispose: () => tf.dispose([w, starts, noise]),
  };
}
