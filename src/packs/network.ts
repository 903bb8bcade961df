/**
 * The learned model of a pack, as every engine sees it: sizes, heads and one set of tensors per ensemble member.
 *
 * A person's state at a grid step is x = [s, z] and h. s holds one standardised latent value per marker or sign, z the person's
 * constant traits, h the memory of the recurrent core. With v the conditioning inputs of the step (covariates, then intervention
 * inputs), one step of the grid is
 *
 *   r  = sigmoid(Wr x + Ur h + br + Vr v)          gates are stored in the order r, u, n
 *   u  = sigmoid(Wu x + Uu h + bu + Vu v)
 *   n  = tanh(Wn x + bn + Vn v + r * (Un h + cn))
 *   h' = (1 − u) * n + u * h
 *   log λ = Lx x + Lh h' + l + Lv v + ξ·e          cumulative hazard of each cause over the step, e the plan's cited-effect error
 *   s' = s + Ax x + Ah h' + a + Av v + σ * ε       σ = exp(clamp(g + Gh h', logScaleRange)), ε contaminated normal
 *
 * ε is N(0, 1) with probability 1 − tailCount/256 and N(0, tailScale²) otherwise. What a measurement would show is, for a
 * `continuous` head, s + observationScale·N(0, 1); for an `ordinal` head, the number of cut points below s + Logistic(0, 1).
 */
export interface NetworkShape {
  /** Markers and signs: components of s. */
  readonly S: number;
  /** Constant traits z. */
  readonly L: number;
  /** Units of the recurrent core, a multiple of 4. */
  readonly H: number;
  /** Competing causes. */
  readonly K: number;
  /** Conditioning inputs v per step: covariates, then intervention inputs. */
  readonly V: number;
  /** Ensemble members. */
  readonly M: number;
}

export type Head =
  | { readonly kind: 'continuous' }
  /** Levels 0…cuts.length, e.g. one cut for absent/present. Cut points are shared by all members and ascend. */
  | { readonly kind: 'ordinal'; readonly cuts: readonly number[] };

/** One ensemble member. Matrices are row-major, `[rows × columns]`; all values f32-representable. */
export interface MemberTensors {
  /** [3H × (S+L)] */ readonly gateX: Float32Array;
  /** [3H × H] */ readonly gateH: Float32Array;
  /** [3H] */ readonly gateBias: Float32Array;
  /** [H], the recurrent bias cn inside the reset product */ readonly resetBias: Float32Array;
  /** [3H × V] */ readonly gateV: Float32Array;
  /** [S × (S+L)] */ readonly driftX: Float32Array;
  /** [S × H] */ readonly driftH: Float32Array;
  /** [S] */ readonly driftBias: Float32Array;
  /** [S × V] */ readonly driftV: Float32Array;
  /** [S × H] */ readonly scaleH: Float32Array;
  /** [S] */ readonly scaleBias: Float32Array;
  /** [K × (S+L)] */ readonly hazardX: Float32Array;
  /** [K × H] */ readonly hazardH: Float32Array;
  /** [K] */ readonly hazardBias: Float32Array;
  /** [K × V] */ readonly hazardV: Float32Array;
  /** [S], sd of the measurement error of a continuous head (ignored for ordinal heads) */ readonly observationScale: Float32Array;
  /** [S], 0…256 */ readonly tailCount: Float32Array;
  /** [S], ≥ 1 */ readonly tailScale: Float32Array;
  /** [S × (C+L)], [S], [S]: s at entry ~ N(entryW [c, z] + entryBias, exp(entryLogScale)²) */
  readonly entryW: Float32Array;
  readonly entryBias: Float32Array;
  readonly entryLogScale: Float32Array;
  /** [L × C], [L], [L]: z ~ N(traitW c + traitBias, exp(traitLogScale)²) */
  readonly traitW: Float32Array;
  readonly traitBias: Float32Array;
  readonly traitLogScale: Float32Array;
}

export interface Network {
  readonly shape: NetworkShape;
  readonly heads: readonly Head[];
  readonly members: readonly MemberTensors[];
}

/**
 * The recurrent network q(z | history) of one ensemble member: a GRU of E units with the gate conventions above (order r, u, n).
 * Starting from h = 0 it reads, oldest first, one vector y per grid time of the history, today's included: [values · mask (S),
 * mask (S), v (V)]. A value is what was measured: standardised for a continuous head, for an ordinal head the level minus the
 * middle of its levels. v is the conditioning of the step that ended at this time (at the first time, of the step that begins).
 *
 *   r = sigmoid(Xr y + Hr h + br),  u = sigmoid(Xu y + Hu h + bu),  n = tanh(Xn y + bn + r * (Hn h + cn)),  h = (1 − u) * n + u * h
 *
 * After the last time a = encoderMean h + encoderMeanBias and b = encoderScale h + encoderScaleBias, and each trait is
 * z ~ N(prior mean + prior sd · a, (prior sd · exp(−softplus(b)))²), where the prior is that of `traitW`, `traitBias` and
 * `traitLogScale`. The posterior is thus never wider than the prior.
 */
export interface EncoderTensors {
  /** [3E × (2S+V)] */ readonly encoderX: Float32Array;
  /** [3E × E] */ readonly encoderH: Float32Array;
  /** [3E] */ readonly encoderBias: Float32Array;
  /** [E], cn */ readonly encoderResetBias: Float32Array;
  /** [L × E] */ readonly encoderMean: Float32Array;
  /** [L] */ readonly encoderMeanBias: Float32Array;
  /** [L × E] */ readonly encoderScale: Float32Array;
  /** [L] */ readonly encoderScaleBias: Float32Array;
}

/** Clamps that every engine applies; they are part of the model. */
export const logScaleRange = [-6, 0.7] as const;
export const logHazardRange = [-30, 3] as const;
/**
 * No state leaves ±this; a rollout that would before its event is counted as diverged and leaves every summary. After the event
 * a course is followed only for its hazards, and where it drifts to then is nobody's state.
 */
export const divergenceLimit = 30;
