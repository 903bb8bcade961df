/** Columns of simulated values to the summaries of `engine.ts`, on the CPU. The GPU engine does the same in its own kernels. */
import { quantileOfSorted } from '#numerics/quantiles.ts';
import type { PlanDifference, PlanSummary, RolloutRequest, RolloutSummary } from './engine.ts';

/** One plan's futures, a column a quantity so that a column is contiguous over rollouts. */
export interface Columns {
  /** [(steps + 1) × S × rollouts] what a measurement would show, whether or not the event has come. */
  readonly values: Float32Array;
  /** [(steps + 1) × K × rollouts] cumulative incidence along the path. */
  readonly incidence: Float32Array;
  /** [rollouts] index of the step in which the first event falls; `steps` if none, −1 if the rollout diverged. */
  readonly eventStep: Int32Array;
  /** [rollouts] expected steps without an event within the horizon, given the path. */
  readonly eventFreeSteps: Float32Array;
}

type Sizes = Pick<RolloutRequest, 'network' | 'steps' | 'rollouts'>;

export function allocateColumns({ network, steps, rollouts }: Sizes): Columns {
  const { S, K } = network.shape;
  return {
    values: new Float32Array((steps + 1) * S * rollouts),
    incidence: new Float32Array((steps + 1) * K * rollouts),
    eventStep: new Int32Array(rollouts),
    eventFreeSteps: new Float32Array(rollouts),
  };
}

export function summarise(request: RolloutRequest, columns: readonly Columns[], elapsedMs: number): RolloutSummary {
  return {
    plans: columns.map((plan) => summarisePlan(request, plan)),
    differences: columns.slice(1).map((plan) => compare(request, plan, columns[0]!)),
    elapsedMs,
  };
}

const isAliveAt = (eventStep: number, step: number): boolean => eventStep >= step;

function summarisePlan(request: RolloutRequest, plan: Columns): PlanSummary {
  const { network, steps, rollouts, levels } = request;
  const { S, K, M } = network.shape;
  const groups = M * request.groupsPerMember;
  const alive = new Uint32Array(steps + 1);
  const quantiles = new Float32Array((steps + 1) * S * levels.length);
  const memberMedians = new Float32Array((steps + 1) * S * M);
  const levelCounts = new Uint32Array((steps + 1) * S * 4);
  for (let step = 0; step <= steps; step++) {
    alive[step] = plan.eventStep.filter((event) => isAliveAt(event, step)).length;
    for (let i = 0; i < S; i++) {
      const cell = step * S + i;
      const column = plan.values.subarray(cell * rollouts, (cell + 1) * rollouts);
      const kept = (_: number, rollout: number) => isAliveAt(plan.eventStep[rollout]!, step);
      const values = column.filter(kept);
      if (network.heads[i]!.kind === 'ordinal') for (const level of values) levelCounts[cell * 4 + level]!++;
      const sorted = values.sort();
      levels.forEach((level, q) => (quantiles[cell * levels.length + q] = quantileOfSorted(sorted, level)));
      for (let m = 0; m < M; m++) {
        const first = (m * rollouts) / M;
        const own = column.subarray(first, ((m + 1) * rollouts) / M).filter((value, j) => kept(value, first + j));
        memberMedians[cell * M + m] = quantileOfSorted(own.sort(), 0.5);
      }
    }
  }

  const incidence = new Float32Array(groups * (steps + 1) * K);
  const eventFreeSteps = new Float32Array(groups);
  const size = rollouts / groups;
  for (let group = 0; group < groups; group++) {
    const inGroup = range(group * size, (group + 1) * size).filter((rollout) => plan.eventStep[rollout]! >= 0);
    for (let cell = 0; cell < (steps + 1) * K; cell++) {
      incidence[group * (steps + 1) * K + cell] = mean(inGroup.map((rollout) => plan.incidence[cell * rollouts + rollout]!));
    }
    eventFreeSteps[group] = mean(inGroup.map((rollout) => plan.eventFreeSteps[rollout]!));
  }
  return {
    alive,
    quantiles,
    memberMedians,
    levelCounts,
    incidence,
    eventFreeSteps,
    diverged: plan.eventStep.filter((event) => event < 0).length,
    courses: sampleCourses(request, plan),
  };
}

function compare(request: RolloutRequest, plan: Columns, usualCare: Columns): PlanDifference {
  const { network, steps, rollouts, levels } = request;
  const { S } = network.shape;
  const quantiles = new Float32Array((steps + 1) * S * levels.length);
  for (let step = 0; step <= steps; step++) {
    for (let i = 0; i < S; i++) {
      const cell = step * S + i;
      const differences: number[] = [];
      for (let rollout = 0; rollout < rollouts; rollout++) {
        if (!isAliveAt(plan.eventStep[rollout]!, step) || !isAliveAt(usualCare.eventStep[rollout]!, step)) continue;
        const at = cell * rollouts + rollout;
        differences.push(Math.fround(plan.values[at]! - usualCare.values[at]!));
      }
      const sorted = Float32Array.from(differences).sort();
      levels.forEach((level, q) => (quantiles[cell * levels.length + q] = quantileOfSorted(sorted, level)));
    }
  }
  return { quantiles };
}

/** Which rollouts are drawn as single courses: the first of every member, then the second of every member, and so on. */
export function courseRollouts({
  network,
  rollouts,
  courses,
}: Pick<RolloutRequest, 'network' | 'rollouts' | 'courses'>): number[] {
  const { M } = network.shape;
  return range(0, Math.min(courses, rollouts)).map((c) => ((c % M) * rollouts) / M + Math.floor(c / M));
}

function sampleCourses(request: RolloutRequest, plan: Columns): Float32Array {
  const { network, steps, rollouts } = request;
  const { S } = network.shape;
  const chosen = courseRollouts(request);
  const out = new Float32Array(chosen.length * (steps + 1) * S);
  chosen.forEach((rollout, c) => {
    for (let cell = 0; cell < (steps + 1) * S; cell++) {
      const isAlive = isAliveAt(plan.eventStep[rollout]!, Math.floor(cell / S));
      out[c * (steps + 1) * S + cell] = isAlive ? plan.values[cell * rollouts + rollout]! : NaN;
    }
  });
  return out;
}

function range(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, i) => first + i);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}
