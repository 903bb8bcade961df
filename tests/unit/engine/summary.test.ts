import { describe, expect, it } from 'vitest';
import type { FutureColumns, RolloutRequest } from '#engine/engine.ts';
import { allocateColumns, summarise } from '#engine/summary.ts';
import { quantile } from '#numerics/quantiles.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { toyNetwork, toyRequest } from '../../fixtures/toy-network.ts';

const network = toyNetwork({ shape: { S: 4, K: 2, M: 3 } });
const { S, K, M } = network.shape;
const request = toyRequest(network, { rollouts: 60, groupsPerMember: 2, steps: 5, planCount: 2, courses: 5 });
const { steps, rollouts, levels } = request;

/** Made-up futures: some diverge, the whole first group among them; some have their event. */
function toyColumns(request: RolloutRequest, seed: number): FutureColumns {
  const random = new RandomSequence(seedFrom(seed));
  const columns = allocateColumns(request);
  const isOrdinal = (at: number) => network.heads[Math.floor(at / rollouts) % S].kind === 'ordinal';
  columns.values.forEach((_, at) => (columns.values[at] = isOrdinal(at) ? random.below(2) : random.normal()));
  columns.incidence.forEach((_, at) => (columns.incidence[at] = random.uniform()));
  columns.eventStep.forEach((_, rollout) => (columns.eventStep[rollout] = rollout < 10 ? -1 : random.below(steps + 2) - 1));
  columns.eventFreeSteps.forEach((_, rollout) => (columns.eventFreeSteps[rollout] = steps * random.uniform()));
  return columns;
}

const columns = [toyColumns(request, 1), toyColumns(request, 2)];
const summary = summarise(request, columns, 0);
const all = Array.from({ length: rollouts }, (_, rollout) => rollout);
const memberOf = (rollout: number) => Math.floor((rollout * M) / rollouts);
const kept = (plan: number, step: number) => all.filter((rollout) => columns[plan].eventStep[rollout] >= step);
const shown = (plan: number, step: number, i: number, rollout: number) =>
  columns[plan].values[(step * S + i) * rollouts + rollout];

function f32Quantile(values: number[], level: number): number {
  const found = quantile(values, level);
  return found.defined ? Math.fround(found.value) : NaN;
}

function eachCell(check: (step: number, i: number, cell: number) => void): void {
  for (let step = 0; step <= steps; step++) for (let i = 0; i < S; i++) check(step, i, step * S + i);
}

describe.each([0, 1])('the summary of plan %i', (p) => {
  const plan = summary.plans[p];

  it('counts and ranks the rollouts that are alive', () => {
    eachCell((step, i, cell) => {
      const values = kept(p, step).map((rollout) => shown(p, step, i, rollout));
      expect(plan.alive[step]).toBe(values.length);
      levels.forEach((level, q) => expect(plan.quantiles[cell * levels.length + q]).toBe(f32Quantile(values, level)));
      const counted = network.heads[i].kind === 'ordinal' ? values : [];
      for (let level = 0; level < 4; level++) {
        expect(plan.levelCounts[cell * 4 + level]).toBe(counted.filter((value) => value === level).length);
      }
    });
  });

  it('gives each member its own median', () => {
    eachCell((step, i, cell) => {
      for (let m = 0; m < M; m++) {
        const own = kept(p, step).filter((rollout) => memberOf(rollout) === m);
        const values = own.map((rollout) => shown(p, step, i, rollout));
        expect(plan.memberMedians[cell * M + m]).toBe(f32Quantile(values, 0.5));
      }
    });
  });

  it('averages incidence over a group without what diverged, and has no number for a group that diverged whole', () => {
    const size = rollouts / (M * request.groupsPerMember);
    for (let group = 0; group < rollouts / size; group++) {
      const inGroup = kept(p, 0).filter((rollout) => Math.floor(rollout / size) === group);
      const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(plan.eventFreeSteps[group]).toBe(Math.fround(mean(inGroup.map((r) => columns[p].eventFreeSteps[r]))));
      for (let cell = 0; cell < (steps + 1) * K; cell++) {
        const expected = Math.fround(mean(inGroup.map((r) => columns[p].incidence[cell * rollouts + r])));
        expect(plan.incidence[group * (steps + 1) * K + cell]).toBe(expected);
      }
    }
    expect(plan.eventFreeSteps[0]).toBeNaN();
  });

  it('counts what diverged and draws courses until their event', () => {
    expect(plan.diverged).toBe(rollouts - kept(p, 0).length);
    eachCell((step, i, cell) => {
      // The first of each member in turn.
      [0, 20, 40, 1, 21].forEach((rollout, c) => {
        const expected = columns[p].eventStep[rollout] >= step ? shown(p, step, i, rollout) : NaN;
        expect(plan.courses[c * (steps + 1) * S + cell]).toBe(expected);
      });
    });
  });
});

it('a difference is taken over rollouts that are alive under both plans', () => {
  eachCell((step, i, cell) => {
    const both = kept(0, step).filter((rollout) => columns[1].eventStep[rollout] >= step);
    const values = both.map((rollout) => Math.fround(shown(1, step, i, rollout) - shown(0, step, i, rollout)));
    levels.forEach((level, q) => {
      expect(summary.differences[0].quantiles[cell * levels.length + q]).toBe(f32Quantile(values, level));
    });
  });
});
