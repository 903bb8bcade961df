/**
 * A pack's stored answers. `golden.json` holds small questions with what the reference engine answered in f64 when the pack was
 * made; `engine/golden.ts` asks them again on the engine in use before the pack is offered.
 */
export interface GoldenCases {
  readonly format: 'counterpart-golden/1';
  readonly rollouts: readonly GoldenRollout[];
  readonly encoder: readonly GoldenProbe[];
}

export interface GoldenRollout {
  readonly id: string;
  readonly seed: number;
  readonly steps: number;
  readonly rollouts: number;
  readonly groupsPerMember: number;
  /** Rollout i starts from row i modulo the number of rows. */
  readonly start: {
    /** Rows of S + L. */
    readonly x: readonly (readonly number[])[];
    /** As many rows of H. */
    readonly h: readonly (readonly number[])[];
  };
  /** The first is usual care. */
  readonly plans: readonly GoldenPlan[];
  readonly levels: readonly number[];
  readonly expected: {
    readonly plans: readonly GoldenPlanAnswer[];
    /** [plans − 1] each [(steps + 1) × S × levels]; null where nobody is alive under both plans. */
    readonly differences: readonly (readonly (number | null)[])[];
  };
}

export interface GoldenPlan {
  /** [steps × V] */
  readonly v: readonly number[];
  /** [steps × K] */
  readonly logHazardShift: readonly number[];
  /** [steps × K] */
  readonly effectError: readonly number[];
}

/** Shapes as in `PlanSummary` of engine/engine.ts; null where nobody is alive. */
export interface GoldenPlanAnswer {
  readonly alive: readonly number[];
  readonly quantiles: readonly (number | null)[];
  readonly memberMedians: readonly (number | null)[];
  readonly levelCounts: readonly number[];
  readonly incidence: readonly (number | null)[];
  readonly eventFreeSteps: readonly (number | null)[];
  readonly diverged: number;
}

/** One history through the encoder of one member. */
export interface GoldenProbe {
  readonly id: string;
  readonly member: number;
  /** A row of 2S + V per grid step, oldest first. */
  readonly inputs: readonly (readonly number[])[];
  /** [L] each: mean and sd of q(z | history) when the prior of every trait is N(0, 1): a and exp(−softplus(b)). */
  readonly expected: { readonly mean: readonly number[]; readonly scale: readonly number[] };
}
