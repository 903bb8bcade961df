/** The encoder on tfjs: many people at a time, on whatever backend the caller has started. `encoder-plain.ts` says what it is. */
import {
  add,
  concat,
  dispose,
  exp,
  matMul,
  mul,
  neg,
  ones,
  reshape,
  sigmoid,
  softplus,
  split,
  sub,
  tanh,
  tensor,
  tidy,
  unstack,
  zeros,
} from '@tensorflow/tfjs-core';
import type { Rank, ShapeMap, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { EncoderTensors } from '#packs/network.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { encoderSteps, traitPrior, type TraitDistribution } from './encoder-plain.ts';
import type { History } from './history.ts';

/** One member's encoder on a tfjs backend, shapes as in `EncoderTensors`. */
export type EncoderWeights = Readonly<Record<keyof EncoderTensors, Tensor>>;

/** Histories of N people, padded to the longest: T grid times each. */
export interface EncoderBatch {
  /** [T, N, S], any finite number where nothing was measured. */
  readonly values: Tensor3D;
  /** [T, N, S], 1 where measured. */
  readonly mask: Tensor3D;
  /** [T, N, V], conditioning of the step that ended at t; at t = 0 of the first step. */
  readonly v: Tensor3D;
  /** [T, N], 1 up to and including a person's today, 0 beyond it. */
  readonly isWithin: Tensor2D;
}

/** A trait distribution for each of N people: [N, L] each. */
export interface TraitTensors {
  readonly mean: Tensor2D;
  readonly scale: Tensor2D;
}

/** q(z | history) of N people under one member, given their p(z | c). The caller chooses the backend. */
export function encodeSteps(weights: EncoderWeights, batch: EncoderBatch, prior: TraitTensors): TraitTensors {
  return tidy(() => {
    const [T, N] = batch.values.shape;
    const E = weights.encoderResetBias.size;
    const seen = concat([mul(batch.values, batch.mask), batch.mask, batch.v], 2);
    // What does not depend on the memory is one product over all grid times: T small products would mostly be overhead.
    const inputs = add(timesTransposed(reshape(seen, [T * N, seen.shape[2]!]), weights.encoderX), weights.encoderBias);
    const perStep = unstack(reshape(inputs, [T, N, 3 * E]));
    const within = unstack(reshape(batch.isWithin, [T, N, 1]));
    let h: Tensor = zeros([N, E]);
    for (let t = 0; t < T; t++) {
      const [inputR, inputU, inputN] = split(perStep[t]!, 3, 1);
      const [memoryR, memoryU, memoryN] = split(timesTransposed(h, weights.encoderH), 3, 1);
      const r = sigmoid(add(inputR!, memoryR!));
      const u = sigmoid(add(inputU!, memoryU!));
      const n = tanh(add(inputN!, mul(r, add(memoryN!, weights.encoderResetBias))));
      // h + w (1 − u)(n − h): the cell's own formula where w = 1, and h kept where the history has ended.
      h = add(h, mul(mul(within[t]!, sub(1, u)), sub(n, h)));
    }
    const a = add(timesTransposed(h, weights.encoderMean), weights.encoderMeanBias);
    const b = add(timesTransposed(h, weights.encoderScale), weights.encoderScaleBias);
    return {
      mean: add<Tensor2D>(prior.mean, mul(prior.scale, a)),
      scale: mul<Tensor2D>(prior.scale, exp(neg(softplus(b)))),
    };
  });
}

/** q(z | history) of one person under every member. Same answer as `encodePlain`, to f32 rounding. */
export async function encodeHistory(pack: LearnedPack, history: History): Promise<TraitDistribution[]> {
  const { S, L, V } = pack.network.shape;
  const { E } = pack.manifest.encoder;
  const { values, mask, v } = encoderSteps(pack.network, history);
  const T = v.length / V;
  const sizes = { encoderX: [3 * E, 2 * S + V], encoderH: [3 * E, E], encoderMean: [L, E], encoderScale: [L, E] };
  const members = tidy(() => {
    const batch: EncoderBatch = {
      values: f32(values, [T, 1, S]),
      mask: f32(mask, [T, 1, S]),
      v: f32(v, [T, 1, V]),
      isWithin: ones([T, 1]),
    };
    return pack.encoder.map((own, m) => {
      const weights = Object.fromEntries(
        Object.entries(own).map(([name, data]) => [name, tensor(data, sizes[name as keyof typeof sizes] ?? [data.length])]),
      ) as EncoderWeights;
      const prior = traitPrior(pack.network.members[m]!, history.covariates);
      const q = encodeSteps(weights, batch, { mean: f32(prior.mean, [1, L]), scale: f32(prior.scale, [1, L]) });
      return concat([q.mean, q.scale], 1);
    });
  });
  try {
    const read = await Promise.all(members.map((member) => member.data()));
    return read.map((both) => ({ mean: Float64Array.from(both.subarray(0, L)), scale: Float64Array.from(both.subarray(L)) }));
  } finally {
    dispose(members);
  }
}

const f32 = <R extends Rank>(values: Float64Array, shape: ShapeMap[R]) => tensor<R>(Float32Array.from(values), shape);

function timesTransposed(x: Tensor, matrix: Tensor): Tensor2D {
  return matMul(x as Tensor2D, matrix as Tensor2D, false, true);
}
