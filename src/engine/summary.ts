/** FutureColumns of simulated values to the summaries of `engine.ts`, on the CPU. The GPU engine does the same in its own kernels. */
import { quantileOfSorted } from '#numerics/quantiles.ts';
import { RadixSorter } from '#numerics/radix-sort.ts';
import type { FutureColumns, PlanDifference, PlanSummary, RolloutRequest, RolloutSummary } from './engine.ts';

type Sizes = Pick<RolloutRequest, 'network' | 'steps' | 'rollouts'>;

export function allocateColumns({ network, steps, rollouts }: Sizes): FutureColumns {
  const { S, K } = network.shape;
  return {
    values: new Float32Array((steps + 1) * S * rollouts),
    incidence: new Float32Array((steps + 1) * K * rollouts),
    eventStep: new Int32Array(rollouts),
    eventFreeSteps: new Float32Array(rollouts),
  };
}

export function summarise(request: RolloutRequest, columns: readonly FutureColumns[], elapsedMs: number): RolloutSummary {
  return {
    plans: columns.map((plan) => summarisePlan(request, plan)),
    differences: columns.slice(1).map((plan) => compare(request, plan, columns[0]!)),
    elapsedMs,
  };
}

const isAliveAt = (eventStep: number, step: number): boolean => eventStep >= step;

function summarisePlan(request: RolloutRequest, plan: FutureColumns): PlanSummary {
  return {
    ...summariseValues(request, plan),
    ...summariseGroups(request, plan),
    diverged: plan.eventStep.filter((event) => event < 0).length,
    courses: sampleCourses(request, plan),
  };
}

function summariseValues(
  request: RolloutRequest,
  plan: FutureColumns,
): Pick<PlanSummary, 'alive' | 'quantiles' | 'memberMedians' | 'levelCounts'> {
  const { network, steps, rollouts, levels } = request;
  const { S, M } = network.shape;
  const alive = new Uint32Array(steps + 1);
  const quantiles = new Float32Array((steps + 1) * S * levels.length);
  const isOrdered = levels.length > 0;
  const memberMedians = new Float32Array(isOrdered ? (steps + 1) * S * M : 0);
  const levelCounts = new Uint32Array((steps + 1) * S * 4);
  const sorter = new RadixSorter(rollouts);
  const indices = new Uint32Array(rollouts);
  const gathered = new Float32Array(rollouts);
  const memberEnds = new Uint32Array(M);
  for (let step = 0; step <= steps; step++) {
    const count = listAlive([plan], step, indices);
    const values = gathered.subarray(0, count);
    alive[step] = count;
    findMemberEnds(indices.subarray(0, count), rollouts / M, memberEnds);
    for (let i = 0; i < S; i++) {
      const isOrdinal = network.heads[i]!.kind === 'ordinal';
      if (!isOrdered && !isOrdinal) continue;
      const cell = step * S + i;
      const column = cell * rollouts;
      for (let j = 0; j < count; j++) values[j] = plan.values[column + indices[j]!]!;
      if (isOrdinal) for (let j = 0; j < count; j++) levelCounts[cell * 4 + values[j]!]!++;
      if (!isOrdered) continue;
      for (let m = 0; m < M; m++) {
        const own = values.subarray(m === 0 ? 0 : memberEnds[m - 1]!, memberEnds[m]!);
        sorter.sort(own);
        memberMedians[cell * M + m] = quantileOrNaN(own, 0.5);
      }
      sorter.sort(values);
      levels.forEach((level, q) => (quantiles[cell * levels.length + q] = quantileOrNaN(values, level)));
    }
  }
  return { alive, quantiles, memberMedians, levelCounts };
}

/** Writes the rollouts alive at a step under every one of the plans to `out`, ascending, and gives how many there are. */
function listAlive(plans: readonly FutureColumns[], step: number, out: Uint32Array): number {
  let count = 0;
  for (let rollout = 0; rollout < out.length; rollout++) {
    if (plans.every(({ eventStep }) => isAliveAt(eventStep[rollout]!, step))) out[count++] = rollout;
  }
  return count;
}

/** Where in ascending rollouts each member's end, the rollouts of a member being contiguous. */
function findMemberEnds(ascending: Uint32Array, perMember: number, out: Uint32Array): void {
  let at = 0;
  for (let m = 0; m < out.length; m++) {
    while (at < ascending.length && ascending[at]! < (m + 1) * perMember) at++;
    out[m] = at;
  }
}

function summariseGroups(request: RolloutRequest, plan: FutureColumns): Pick<PlanSummary, 'incidence' | 'eventFreeSteps'> {
  const { network, steps, rollouts } = request;
  const groups = network.shape.M * request.groupsPerMember;
  const cells = (steps + 1) * network.shape.K;
  const size = rollouts / groups;
  const incidence = new Float32Array(groups * cells);
  const eventFreeSteps = new Float32Array(groups);
  for (let group = 0; group < groups; group++) {
    for (let cell = 0; cell < cells; cell++) {
      incidence[group * cells + cell] = meanOfKept(plan, plan.incidence, cell * rollouts, group * size, size);
    }
    eventFreeSteps[group] = meanOfKept(plan, plan.eventFreeSteps, 0, group * size, size);
  }
  return { incidence, eventFreeSteps };
}

/** Mean of `column[at + rollout]` over `size` rollouts from `first` on, without those that diverged; NaN if all did. */
function meanOfKept({ eventStep }: FutureColumns, column: Float32Array, at: number, first: number, size: number): number {
  let sum = 0;
  let count = 0;
  for (let rollout = first; rollout < first + size; rollout++) {
    if (eventStep[rollout]! < 0) continue;
    sum += column[at + rollout]!;
    count++;
  }
  return count === 0 ? NaN : sum / count;
}

function compare(request: RolloutRequest, plan: FutureColumns, usualCare: FutureColumns): PlanDifference {
  const { network, steps, rollouts, levels } = request;
  const { S } = network.shape;
  const quantiles = new Float32Array((steps + 1) * S * levels.length);
  if (levels.length === 0) return { quantiles };
  const sorter = new RadixSorter(rollouts);
  const indices = new Uint32Array(rollouts);
  const gathered = new Float32Array(rollouts);
  for (let step = 0; step <= steps; step++) {
    const count = listAlive([plan, usualCare], step, indices);
    const differences = gathered.subarray(0, count);
    for (let i = 0; i < S; i++) {
      const cell = step * S + i;
      for (let j = 0; j < count; j++) {
        const at = cell * rollouts + indices[j]!;
        differences[j] = plan.values[at]! - usualCare.values[at]!;
      }
      sorter.sort(differences);
      levels.forEach((level, q) => (quantiles[cell * levels.length + q] = quantileOrNaN(differences, level)));
    }
  }
  return { quantiles };
}

const quantileOrNaN = (ascending: Float32Array, level: number): number =>
  ascending.length === 0 ? NaN : quantileOfSorted(ascending, level);

/** Which rollouts are drawn as single courses: the first of every member, then the second of every member, and so on. */
export function courseRollouts({
  network,
  rollouts,
  courses,
}: Pick<RolloutRequest, 'network' | 'rollouts' | 'courses'>): number[] {
  const { M } = network.shape;
  return range(0, Math.min(courses, rollouts)).map((c) => ((c % M) * rollouts) / M + Math.floor(c / M));
}

function sampleCourses(request: RolloutRequest, plan: FutureColumns): Float32Array {
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
