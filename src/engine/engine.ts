/**
 * What the rest of the program knows of the machinery that rolls futures out. Three implementations keep this contract and one
 * conformance suite checks them: `reference/` (plain f64, the oracle), `gpu/` (fused WGSL), `cpu/` (fused SIMD WebAssembly).
 */
import type { Network } from '#packs/network.ts';
import type { Seed } from '#numerics/random.ts';

export type EngineKind = 'reference' | 'gpu' | 'cpu';

/**
 * One plan's conditioning, already multiplied through the network (see `drive.ts`): a row per member and step with the summands
 * that do not depend on the trajectory.
 */
export interface PlanDrive {
  /** [M × steps × (3H + S + K)]: gate bias incl. Vv, drift bias incl. Av v, hazard bias incl. Lv v and cited log hazard ratios. */
  readonly rows: Float32Array;
  /** [steps × K]: what one standard deviation of a cited effect's own error adds to log λ. All zero when nothing is cited. */
  readonly effectError: Float32Array;
}

export interface RolloutRequest {
  readonly network: Network;
  /** [rollouts × (S + L + H)] states at today. Member m owns rows m·rollouts/M … (m+1)·rollouts/M − 1. */
  readonly starts: Float32Array;
  /** Plan 0 is usual care; every other plan is held against it with the same noise. */
  readonly plans: readonly PlanDrive[];
  readonly steps: number;
  /** A multiple of M · groupsPerMember. */
  readonly rollouts: number;
  /**
   * A group is one draw of what we do not know about the world: an ensemble member and one draw of each cited effect. Its
   * rollouts are contiguous. 10 unless told otherwise.
   */
  readonly groupsPerMember: number;
  readonly seed: Seed;
  /** Ascending, inside (0, 1). Without any, nothing is ordered: no quantiles, no member medians; a search wants group figures alone. */
  readonly levels: readonly number[];
  /** So many whole courses (the first of each member in turn) come back for drawing. */
  readonly courses: number;
}

/** Everything is in the network's standardised units; `domain/forecast.ts` carries what a person sees. */
export interface PlanSummary {
  /** [steps + 1]: rollouts without an event (and not diverged) at each grid time. */
  readonly alive: Uint32Array;
  /** [(steps + 1) × S × levels]: quantiles (type 7) of what a measurement would show, over rollouts still alive. NaN if none. */
  readonly quantiles: Float32Array;
  /** [(steps + 1) × S × M]: the same 0.5-quantile inside each ensemble member; empty where no levels were asked for. */
  readonly memberMedians: Float32Array;
  /** [(steps + 1) × S × 4]: rollouts alive at each ordinal level (0…3); zeros for continuous heads. */
  readonly levelCounts: Uint32Array;
  /** [groups × (steps + 1) × K]: mean cumulative incidence of each cause, from each path's own hazards (less noisy than counts). */
  readonly incidence: Float32Array;
  /** Mean over rollouts of the time without an event within the horizon, in steps, by group: [groups]. */
  readonly eventFreeSteps: Float32Array;
  /** Rollouts that left every summary because a state passed `divergenceLimit` or was not a number. */
  readonly diverged: number;
  /** [courses × (steps + 1) × S] measured values, NaN from the event on. */
  readonly courses: Float32Array;
}

export interface PlanDifference {
  /** [(steps + 1) × S × levels]: quantiles of (this plan − usual care) over rollouts alive under both. */
  readonly quantiles: Float32Array;
}

export interface RolloutSummary {
  readonly plans: readonly PlanSummary[];
  /** For plans 1…: against plan 0. */
  readonly differences: readonly PlanDifference[];
  /** Wall-clock of the engine, for the page's honesty line; never part of a comparison of results. */
  readonly elapsedMs: number;
}

export interface RunHooks {
  /** 0…1. */
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

/** Of work that finds piece by piece: whoever stops it keeps what was found last. */
export interface PartialHooks<Answer> extends RunHooks {
  /** Whenever there is more to show: what would be answered if the work was stopped now. */
  readonly onPartial?: (answer: Answer) => void;
}

export interface Engine {
  readonly kind: EngineKind;
  /** One line for the page: adapter or instruction set. */
  readonly description: string;
  /** Rejects with an AbortError when the signal fires; with `AppError` gpu_lost when the device went away. */
  rollOut(request: RolloutRequest, hooks?: RunHooks): Promise<RolloutSummary>;
  dispose(): void;
}

/**
 * Futures one by one, for whoever decides in each of them what comes next. The engines of the processor keep this; a GPU's futures stay on
 * it. What `rollOut` answers to the same request is the summary of these.
 */
export interface FutureEngine {
  /** One a plan. Rejects as `rollOut` does. */
  futures(request: RolloutRequest, hooks?: RunHooks): Promise<readonly FutureColumns[]>;
}

/** One plan's futures, a column a quantity so that a column is contiguous over rollouts. */
export interface FutureColumns {
  /** [(steps + 1) × S × rollouts] what a measurement would show, whether or not the event has come. */
  readonly values: Float32Array;
  /** [(steps + 1) × K × rollouts] cumulative incidence along the path. */
  readonly incidence: Float32Array;
  /** [rollouts] index of the step in which the first event falls; `steps` if none, −1 if the rollout diverged. */
  readonly eventStep: Int32Array;
  /** [rollouts] expected steps without an event within the horizon, given the path. */
  readonly eventFreeSteps: Float32Array;
}

/** One grid step of many particles of one member, without noise: what the twin's particle filter is made of. */
export interface Stepper {
  /**
   * `x` [n × (S+L)], `h` [n × H] (overwritten with h'), `row` [3H + S + K] one row of a `PlanDrive`. Writes the mean of s' to
   * `mean` [n × S], its scale to `scale` [n × S], log λ to `logHazard` [n × K].
   */
  advance(network: Network, member: number, n: number, row: Float32Array, state: StepBuffers): void;
}

export interface StepBuffers {
  readonly x: Float32Array;
  readonly h: Float32Array;
  readonly mean: Float32Array;
  readonly scale: Float32Array;
  readonly logHazard: Float32Array;
}
