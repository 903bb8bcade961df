/**
 * Evaluates the encoder of a pack (`EncoderTensors` in packs/network.ts): a history in, q(z | history) out.
 *
 * q is only a proposal. The particle filter of `fit.ts` weighs every draw with the exact likelihood, so an encoder that errs costs
 * effective sample size and never correctness.
 *
 * At grid time t the encoder reads [y_t · mask_t, mask_t, v_t]: what was measured then (continuous: standardised; ordinal: level
 * minus the middle of its levels), what was measured at all, and the conditioning of the step that ended at t (at t = 0 of the
 * first step). The step that begins today is not read: it belongs to the plan, which q must not know.
 */
import {
  add,
  concat,
  exp,
  matMul,
  mul,
  neg,
  reshape,
  sigmoid,
  softplus,
  split,
  sub,
  tanh,
  tidy,
  unstack,
  zeros,
} from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { logistic } from '#numerics/logistic-regression.ts';
import type { EncoderTensors, MemberTensors } from '#packs/network.ts';

/** Mean and standard deviation of each trait, independent of each other: [L] each. */
export interface TraitDistribution {
  readonly mean: Float64Array;
  readonly scale: Float64Array;
}

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

function timesTransposed(x: Tensor, matrix: Tensor): Tensor2D {
  return matMul(x as Tensor2D, matrix as Tensor2D, false, true);
}

/** What the encoder reads of one person: [T × S], [T × S] and [T × V] in the layout of `EncoderBatch`. */
export interface EncoderSteps {
  readonly values: Float64Array;
  readonly mask: Float64Array;
  readonly v: Float64Array;
}

/** The same network for one person in plain f64: the oracle of `encodeSteps`, and what runs where tfjs is not set up. */
export function encodePlain(weights: EncoderTensors, steps: EncoderSteps, prior: TraitDistribution): TraitDistribution {
  const E = weights.encoderResetBias.length;
  const L = weights.encoderMeanBias.length;
  const width = weights.encoderX.length / (3 * E);
  // Values, mask and v together have S + S + V numbers a grid time, which is the width of the input matrix.
  const T = (2 * steps.values.length + steps.v.length) / width;
  const S = steps.values.length / T;
  const V = steps.v.length / T;
  const h = new Float64Array(E);
  const input = new Float64Array(3 * E);
  const memory = new Float64Array(3 * E);
  const seen = new Float64Array(width);
  for (let t = 0; t < T; t++) {
    for (let i = 0; i < S; i++) {
      seen[S + i] = steps.mask[t * S + i]!;
      seen[i] = steps.values[t * S + i]! * seen[S + i]!;
    }
    seen.set(steps.v.subarray(t * V, (t + 1) * V), 2 * S);
    for (let i = 0; i < 3 * E; i++) {
      input[i] = rowDot(weights.encoderX, i, seen) + weights.encoderBias[i]!;
      memory[i] = rowDot(weights.encoderH, i, h);
    }
    for (let i = 0; i < E; i++) {
      const r = logistic(input[i]! + memory[i]!);
      const u = logistic(input[E + i]! + memory[E + i]!);
      const n = Math.tanh(input[2 * E + i]! + r * (memory[2 * E + i]! + weights.encoderResetBias[i]!));
      h[i] = (1 - u) * n + u * h[i]!;
    }
  }
  const mean = new Float64Array(L);
  const scale = new Float64Array(L);
  for (let l = 0; l < L; l++) {
    const b = rowDot(weights.encoderScale, l, h) + weights.encoderScaleBias[l]!;
    mean[l] = prior.mean[l]! + prior.scale[l]! * (rowDot(weights.encoderMean, l, h) + weights.encoderMeanBias[l]!);
    scale[l] = prior.scale[l]! * Math.exp(-(Math.max(b, 0) + Math.log1p(Math.exp(-Math.abs(b)))));
  }
  return { mean, scale };
}

/** p(z | c) of one member for a person with covariates c, the first inputs of v. */
export function traitPrior(member: MemberTensors, c: Float64Array): TraitDistribution {
  return {
    mean: Float64Array.from(member.traitBias, (bias, l) => bias + rowDot(member.traitW, l, c)),
    scale: Float64Array.from(member.traitLogScale, Math.exp),
  };
}

/** Row `row` of a matrix with as many columns as `x` has numbers, times x. */
function rowDot(matrix: Float32Array, row: number, x: Float64Array): number {
  let sum = 0;
  for (let j = 0, at = row * x.length; j < x.length; j++, at++) sum += matrix[at]! * x[j]!;
  return sum;
}
