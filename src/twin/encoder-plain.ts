/**
 * The encoder of a pack (`EncoderTensors` in packs/network.ts): a history in, q(z | history) out.
 *
 * q is only a proposal. The particle filter of `fit.ts` weighs every draw with the exact likelihood, so an encoder that errs costs
 * effective sample size and never correctness.
 *
 * At grid time t the encoder reads [y_t · mask_t, mask_t, v_t]: what was measured then (continuous: standardised; ordinal: level
 * minus the middle of its levels), what was measured at all, and the conditioning of the step that ended at t (at t = 0 of the
 * first step). The step that begins today is not read: it belongs to the plan, which q must not know.
 */
import { logistic } from '#numerics/logistic-regression.ts';
import type { EncoderTensors, MemberTensors, Network } from '#packs/network.ts';
import type { LearnedPack } from '#packs/pack.ts';
import type { History } from './history.ts';

/** Mean and standard deviation of each trait, independent of each other: [L] each. */
export interface TraitDistribution {
  readonly mean: Float64Array;
  readonly scale: Float64Array;
}

/** What the encoder reads of one person at T grid times: [T × S], [T × S] and [T × V]. */
export interface EncoderSteps {
  readonly values: Float64Array;
  readonly mask: Float64Array;
  readonly v: Float64Array;
}

export function encoderSteps({ shape, heads }: Network, history: History): EncoderSteps {
  const { S, V } = shape;
  const middle = heads.map((head) => (head.kind === 'ordinal' ? head.cuts.length / 2 : 0));
  const v = new Float64Array((history.steps + 1) * V);
  for (let t = 0; t <= history.steps; t++) v.set(history.inputs.v.subarray(Math.max(0, t - 1) * V, Math.max(1, t) * V), t * V);
  return {
    values: history.values.map((value, cell) => value - middle[cell % S]!),
    mask: Float64Array.from(history.mask),
    v,
  };
}

/** q(z | history) of one person under every member. */
export function encodeHistoryPlain(pack: LearnedPack, history: History): TraitDistribution[] {
  const steps = encoderSteps(pack.network, history);
  return pack.encoder.map((weights, m) => encodePlain(weights, steps, traitPrior(pack.network.members[m]!, history.covariates)));
}

/** One member's network for one person in f64: the oracle of `encodeSteps`, and what runs where tfjs is not set up. */
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
export function rowDot(matrix: Float32Array, row: number, x: Float64Array): number {
  let sum = 0;
  for (let j = 0, at = row * x.length; j < x.length; j++, at++) sum += matrix[at]! * x[j]!;
  return sum;
}
