import { divergenceLimit, type Head, type Network } from '#packs/network.ts';
import { normalPair, philox, streams, uniform, type Seed } from '#numerics/random.ts';
import type {
  Engine,
  FutureColumns,
  FutureEngine,
  PlanDrive,
  RolloutRequest,
  RolloutSummary,
  RunHooks,
  StepBuffers,
  Stepper,
} from '../engine.ts';
import { checkRequest } from '../request.ts';
import { allocateColumns, summarise } from '../summary.ts';
import { driveWidth } from '../drive.ts';
import { yieldToOthers } from '../../yield.ts';
import { makeScratch, stepMoments } from './step.ts';

/** The oracle: one trajectory at a time in f64, nothing clever. Expect minutes where the other engines need a second. */
export class ReferenceEngine implements Engine, FutureEngine, Stepper {
  readonly kind = 'reference';
  readonly description = 'Reference engine, f64 TypeScript';

  async rollOut(request: RolloutRequest, hooks: RunHooks = {}): Promise<RolloutSummary> {
    const started = performance.now();
    return summarise(request, await this.futures(request, hooks), performance.now() - started);
  }

  async futures(request: RolloutRequest, hooks: RunHooks = {}): Promise<FutureColumns[]> {
    checkRequest(request);
    const columns: FutureColumns[] = [];
    for (const [p, plan] of request.plans.entries()) {
      columns.push(
        await rollOutPlan(request, plan, {
          ...(hooks.signal ? { signal: hooks.signal } : {}),
          onProgress: (fraction) => hooks.onProgress?.((p + fraction) / request.plans.length),
        }),
      );
    }
    return columns;
  }

  advance(network: Network, member: number, n: number, row: Float32Array, state: StepBuffers): void {
    const { S, L, H, K } = network.shape;
    const scratch = makeScratch(network.shape);
    const noError = new Float64Array(K);
    const tensors = network.members[member]!;
    for (let i = 0; i < n; i++) {
      const h = state.h.subarray(i * H, (i + 1) * H);
      stepMoments(network.shape, tensors, state.x.subarray(i * (S + L), (i + 1) * (S + L)), h, row, 0, noError, scratch);
      h.set(scratch.nextH);
      state.mean.set(scratch.mean, i * S);
      state.scale.set(scratch.scale, i * S);
      state.logHazard.set(scratch.logHazard, i * K);
    }
  }

  dispose(): void {}
}

async function rollOutPlan(request: RolloutRequest, plan: PlanDrive, hooks: RunHooks): Promise<FutureColumns> {
  const columns = allocateColumns(request);
  const chunk = 256;
  for (let first = 0; first < request.rollouts; first += chunk) {
    hooks.signal?.throwIfAborted();
    const last = Math.min(request.rollouts, first + chunk);
    for (let rollout = first; rollout < last; rollout++) rollOutOne(request, plan, rollout, columns);
    hooks.onProgress?.(last / request.rollouts);
    await yieldToOthers();
  }
  return columns;
}

/** Follows one future and writes its columns. */
function rollOutOne(request: RolloutRequest, plan: PlanDrive, rollout: number, columns: FutureColumns): void {
  const { network, steps, rollouts, seed } = request;
  const { S, L, H, K, M } = network.shape;
  const width = driveWidth(network.shape);
  const memberIndex = Math.floor((rollout * M) / rollouts);
  const member = network.members[memberIndex]!;
  const group = Math.floor((rollout * M * request.groupsPerMember) / rollouts);
  const effect = groupEffect(group, seed);

  const start = rollout * (S + L + H);
  const x = Float64Array.from(request.starts.subarray(start, start + S + L));
  const h = Float64Array.from(request.starts.subarray(start + S + L, start + S + L + H));
  const scratch = makeScratch(network.shape);
  const noise = new Float64Array(4);
  const words = new Uint32Array(4);
  const incidence = new Float64Array(K);
  let survival = 1;
  let eventFreeSteps = 0;
  let eventStep = Infinity;
  let hasLeft = false;

  for (let step = 0; step <= steps; step++) {
    measure(network.heads, member, x, rollout, step, seed, (i, value) => {
      columns.values[(step * S + i) * rollouts + rollout] = value;
    });
    for (let k = 0; k < K; k++) columns.incidence[(step * K + k) * rollouts + rollout] = incidence[k]!;
    if (step === steps) break;

    const row = (memberIndex * steps + step) * width;
    const effectError = plan.effectError.subarray(step * K, (step + 1) * K);
    stepMoments(network.shape, member, x, h, plan.rows.subarray(row, row + width), effect, effectError, scratch);

    let total = 0;
    for (let k = 0; k < K; k++) total += Math.exp(scratch.logHazard[k]!);
    const dies = survival * -Math.expm1(-total);
    for (let k = 0; k < K; k++) incidence[k]! += (dies * Math.exp(scratch.logHazard[k]!)) / total;
    // ∫ S(t) dt over the step, as the hazard is constant inside it; a network without causes has none.
    eventFreeSteps += total > 0 ? dies / total : survival;
    survival -= dies;
    philox(words, rollout, step, 0, streams.event, seed);
    const waited = -Math.log(uniform(words[0]!));
    if (eventStep === Infinity && waited < total) eventStep = step;

    for (let i = 0; i < S; i++) {
      if (i % 4 === 0) {
        philox(words, rollout, step, i / 4, streams.process, seed);
        normalPair(noise, 0, words[0]!, words[1]!);
        normalPair(noise, 2, words[2]!, words[3]!);
      }
      const isTail = (words[i % 4]! & 255) < member.tailCount[i]!;
      const s = scratch.mean[i]! + scratch.scale[i]! * noise[i % 4]! * (isTail ? member.tailScale[i]! : 1);
      if (!(Math.abs(s) <= divergenceLimit) && eventStep === Infinity) hasLeft = true;
      x[i] = s < -divergenceLimit ? -divergenceLimit : s > divergenceLimit ? divergenceLimit : s;
    }
    h.set(scratch.nextH);
  }
  columns.eventStep[rollout] = hasLeft ? -1 : Math.min(eventStep, steps);
  columns.eventFreeSteps[rollout] = eventFreeSteps;
}

/** The standard normal that a cited effect's own error is multiplied by in one group. */
export function groupEffect(group: number, seed: Seed): number {
  const words = new Uint32Array(4);
  const pair = new Float64Array(2);
  philox(words, group, 0, 0, streams.effect, seed);
  normalPair(pair, 0, words[0]!, words[1]!);
  return pair[0]!;
}

/** Draws what a measurement of the state would show. */
function measure(
  heads: readonly Head[],
  member: { readonly observationScale: Float32Array },
  s: Float64Array,
  rollout: number,
  step: number,
  seed: Seed,
  write: (i: number, value: number) => void,
): void {
  const words = new Uint32Array(4);
  const noise = new Float64Array(4);
  heads.forEach((head, i) => {
    if (i % 4 === 0) {
      philox(words, rollout, step, i / 4, streams.observation, seed);
      normalPair(noise, 0, words[0]!, words[1]!);
      normalPair(noise, 2, words[2]!, words[3]!);
    }
    if (head.kind === 'continuous') {
      write(i, s[i]! + member.observationScale[i]! * noise[i % 4]!);
    } else {
      const u = uniform(words[i % 4]!);
      const shown = s[i]! + Math.log(u / (1 - u));
      write(i, head.cuts.filter((cut) => shown > cut).length);
    }
  });
}
