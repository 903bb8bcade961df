/** One suite for every engine: what it gives for a request is what the f64 reference gives, within rounding. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine, PlanSummary, RolloutRequest, RolloutSummary } from '#engine/engine.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import type { Network } from '#packs/network.ts';
import { toyNetwork, toyRequest } from '../fixtures/toy-network.ts';

// f32 rounds each of some 100 additions a step by 6e-8 of terms of size 1, and contractive dynamics forget old errors: single
// paths of 24 steps stay within 2e-5 of f64 (measured 1e-6 to 5e-6 on wasm, 4e-6 on WGSL). A quantile of values that each moved
// by at most e moves by at most e, a median inside a member too.
const pathTolerance = 2e-5;
// A difference has the errors of two paths.
const differenceTolerance = 2 * pathTolerance;
// log λ is off by no more than a path, so λ by 2e-5 of itself, and incidence (at most 1) by 2e-5.
const incidenceTolerance = 2e-5;
// A sum over the steps of survival probabilities, each off as incidence is.
const eventFreeTolerance = (steps: number) => steps * incidenceTolerance;
// An event or an ordinal level is decided by a threshold. With 10⁵ decisions of density about 1 and errors of 1e-6, one in ten
// requests has a rollout that falls on the other side. Such a rollout is counted; it is not a reason for a wider tolerance.
const rolloutsThatMayMove = 2;

export function describeEngine(name: string, makeEngine: () => Promise<Engine>): void {
  describe(`${name} engine`, () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await makeEngine();
      return () => engine.dispose();
    });

    describe('gives what the reference gives', () => {
      it.each(requests())('for $title', async ({ request }) => {
        const expected = await new ReferenceEngine().rollOut(request);
        expectSameSummary(request, await engine.rollOut(request), expected);
      });
    });

    it('gives the same bytes for the same request', async () => {
      const request = toyRequest(toyNetwork());
      const first = await engine.rollOut(request);
      // Another network in between, so that nothing survives from the first run by chance.
      await engine.rollOut(toyRequest(toyNetwork({ seed: 9, shape: { H: 12, S: 5 } }), { rollouts: 18, steps: 3 }));
      expect(withoutTime(await engine.rollOut(request))).toEqual(withoutTime(first));
    });

    it('gives a plan equal to usual care differences of exactly zero', async () => {
      const request = toyRequest(toyNetwork(), { planCount: 1 });
      const { differences, plans } = await engine.rollOut({ ...request, plans: [request.plans[0], request.plans[0]] });
      expect(differences[0].quantiles.every((value) => value === 0)).toBe(true);
      expect(plans[1]).toEqual(plans[0]);
    });

    it('keeps a plan the same whatever other plans stand beside it', async () => {
      const request = toyRequest(toyNetwork(), { planCount: 3 });
      const all = await engine.rollOut(request);
      const last = await engine.rollOut({ ...request, plans: [request.plans[2]] });
      expect(last.plans[0]).toEqual(all.plans[2]);
    });

    it('counts rollouts of an unstable network as diverged and keeps NaN out of every summary', async () => {
      const request = toyRequest(toyNetwork({ pull: 0.1, ordinalEvery: 2 }));
      const { plans } = await engine.rollOut(request);
      const expected = await new ReferenceEngine().rollOut(request);
      plans.forEach((plan, p) => {
        expect(plan.diverged).toBeGreaterThan(0);
        expect(plan.diverged).toBeLessThan(request.rollouts);
        expect(Math.abs(plan.diverged - expected.plans[p].diverged)).toBeLessThanOrEqual(rolloutsThatMayMove);
        expect([...plan.quantiles, ...plan.incidence, ...plan.eventFreeSteps].every(Number.isFinite)).toBe(true);
      });
    });

    it('counts everyone as diverged whose event does not come in the step in which no state stays finite', async () => {
      const request = toyRequest(toyNetwork({ pull: 1e20, ordinalEvery: 0 }), { steps: 6 });
      const { plans } = await engine.rollOut(request);
      const levels = request.levels.length;
      for (const plan of plans) {
        expect(plan.diverged).toBeGreaterThan(0);
        expect(plan.alive.at(-1)).toBe(0);
        expect(plan.alive[0]).toBe(request.rollouts - plan.diverged);
        expect(plan.quantiles.slice(-levels).every(Number.isNaN)).toBe(true);
      }
    });

    it('reports progress that never falls and ends at 1', async () => {
      const seen: number[] = [];
      await engine.rollOut(toyRequest(toyNetwork(), { rollouts: 3000 }), { onProgress: (fraction) => seen.push(fraction) });
      expect(seen.length).toBeGreaterThan(0);
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      expect(seen[0]).toBeGreaterThanOrEqual(0);
      expect(seen.at(-1)).toBe(1);
    });

    it('does not start when the signal has fired already', async () => {
      const seen: number[] = [];
      const run = engine.rollOut(toyRequest(toyNetwork()), {
        signal: AbortSignal.abort(),
        onProgress: (fraction) => seen.push(fraction),
      });
      await expect(run).rejects.toMatchObject({ name: 'AbortError' });
      expect(seen.every((fraction) => fraction === 0)).toBe(true);
    });

    it('stops with an AbortError soon after the signal fires', async () => {
      // Minutes of work for the reference, seconds for the others, so a run that is not stopped cannot pass.
      const request = toyRequest(toyNetwork({ shape: { H: 64, M: 1 } }), { rollouts: 20_000, steps: 60, planCount: 3 });
      const stop = new AbortController();
      let last = 0;
      const run = engine.rollOut(request, { signal: stop.signal, onProgress: (fraction) => (last = fraction) });
      setTimeout(() => stop.abort(), 100);
      await expect(run).rejects.toMatchObject({ name: 'AbortError' });
      expect(last).toBeLessThan(0.9);
    });

    it('works after a run that was stopped', async () => {
      const request = toyRequest(toyNetwork());
      const first = await engine.rollOut(request);
      await engine.rollOut(request, { signal: AbortSignal.abort() }).catch(() => {});
      expect(withoutTime(await engine.rollOut(request))).toEqual(withoutTime(first));
    });

    it('refuses a NaN and says where it stands', async () => {
      const request = toyRequest(toyNetwork());
      const starts = request.starts.with(3, NaN);
      await expect(engine.rollOut({ ...request, starts })).rejects.toThrow(/starts/);
      const rows = request.plans[1].rows.with(5, NaN);
      const plans = [request.plans[0], { ...request.plans[1], rows }];
      await expect(engine.rollOut({ ...request, plans })).rejects.toThrow(/plan 1/);
      await expect(engine.rollOut({ ...request, rollouts: request.rollouts + 1 })).rejects.toThrow(/rollouts/);
    });
  });
}

function requests(): { title: string; request: RolloutRequest }[] {
  const request = (network: Network, options: Parameters<typeof toyRequest>[1] = {}) => toyRequest(network, options);
  return [
    { title: 'the default shape, two plans', request: request(toyNetwork()) },
    { title: 'one member, one cause, no trait', request: request(toyNetwork({ seed: 2, shape: { M: 1, K: 1, L: 0 } })) },
    {
      title: 'five members, three causes, eleven markers, three plans',
      request: request(toyNetwork({ seed: 3, shape: { M: 5, K: 3, S: 11, L: 4, H: 32 } }), { planCount: 3 }),
    },
    {
      title: 'rollouts that fill no tile: 7 a group, one group a member',
      request: request(toyNetwork({ seed: 4 }), { groupsPerMember: 1, rollouts: 21 }),
    },
    {
      title: 'one rollout and one step',
      request: request(toyNetwork({ seed: 5, shape: { M: 1 } }), { groupsPerMember: 1, rollouts: 1, steps: 1 }),
    },
    {
      title: 'the smallest core',
      request: request(toyNetwork({ seed: 6, shape: { H: 4, S: 1, L: 1, K: 1, V: 1 }, ordinalEvery: 0 })),
    },
    {
      title: 'the widest core of the packs',
      request: request(toyNetwork({ seed: 7, shape: { H: 64, S: 16, L: 3, K: 8, M: 2 } }), { planCount: 1 }),
    },
    { title: 'ordinal heads only', request: request(toyNetwork({ seed: 8, ordinalEvery: 1 })) },
    { title: 'events that nearly all have', request: request(toyNetwork({ seed: 9, logHazard: -1 })) },
    { title: 'no levels: group figures and courses alone', request: { ...request(toyNetwork({ seed: 11 })), levels: [] } },
    { title: 'a seed with both words', request: request(toyNetwork({ seed: 10 }), { seed: 2 ** 40 + 12345 }) },
  ];
}

/** Compares all that does not hang on a threshold exactly where no rollout moved, and counts those that moved. */
function expectSameSummary(request: RolloutRequest, actual: RolloutSummary, expected: RolloutSummary): void {
  expect(actual.plans.length).toBe(expected.plans.length);
  const sameCounts = expected.plans.map((plan, p) => comparePlan(request, actual.plans[p], plan));
  expected.differences.forEach((difference, d) => {
    const isComparable = (cell: number) => sameCounts[0](cell) && sameCounts[d + 1](cell);
    const { quantiles } = actual.differences[d];
    expectClose('difference', quantiles, difference.quantiles, differenceTolerance, (at) =>
      isComparable(at / request.levels.length),
    );
  });
}

/** Gives a predicate over cells (step × S + head): true where both engines count the same rollouts. */
function comparePlan(request: RolloutRequest, actual: PlanSummary, expected: PlanSummary): (cell: number) => boolean {
  const { network, steps, levels } = request;
  const { S, M } = network.shape;
  expect(actual.diverged).toBe(expected.diverged);
  expectCounts('alive', actual.alive, expected.alive);
  expectCounts('levelCounts', actual.levelCounts, expected.levelCounts);
  const isSame = (at: number): boolean => {
    const cell = Math.floor(at);
    const step = Math.floor(cell / S);
    const counts = [0, 1, 2, 3].every((level) => actual.levelCounts[cell * 4 + level] === expected.levelCounts[cell * 4 + level]);
    return counts && actual.alive[step] === expected.alive[step];
  };
  // Without this a wrong engine could pass by moving a rollout at the first step.
  const cells = Array.from({ length: (steps + 1) * S }, (_, cell) => cell);
  expect(cells.filter(isSame).length).toBeGreaterThan(cells.length / 2);

  expectClose('quantiles', actual.quantiles, expected.quantiles, pathTolerance, (at) => isSame(at / levels.length));
  expectClose('memberMedians', actual.memberMedians, expected.memberMedians, pathTolerance, (at) => isSame(at / M));
  expectClose('incidence', actual.incidence, expected.incidence, incidenceTolerance);
  expectClose('eventFreeSteps', actual.eventFreeSteps, expected.eventFreeSteps, eventFreeTolerance(steps));
  expectCourses(actual.courses, expected.courses);
  return isSame;
}

function expectCounts(what: string, actual: Uint32Array, expected: Uint32Array): void {
  expect(actual.length, what).toBe(expected.length);
  const moved = expected.map((count, at) => Math.abs(count - actual[at]));
  expect(Math.max(...moved), `rollouts that moved in ${what}`).toBeLessThanOrEqual(rolloutsThatMayMove);
}

function expectClose(
  what: string,
  actual: Float32Array,
  expected: Float32Array,
  tolerance: number,
  isCompared: (at: number) => boolean = () => true,
): void {
  expect(actual.length, what).toBe(expected.length);
  let worst = 0;
  let worstAt = 0;
  expected.forEach((value, at) => {
    if (!isCompared(at) || Object.is(value, actual[at])) return;
    const distance = Math.abs(value - actual[at]);
    if (distance <= worst) return;
    worst = Number.isNaN(distance) ? Infinity : distance;
    worstAt = at;
  });
  expect(worst, `${what}[${worstAt}]: found ${actual[worstAt]}, expected ${expected[worstAt]}`).toBeLessThanOrEqual(tolerance);
}

/** Single paths: an event or a level that moved is a jump, so jumps are counted and the rest is compared. */
function expectCourses(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).toBe(expected.length);
  const isJump = (distance: number) => !(distance < 0.5);
  const distances = Array.from(expected, (value, at) => (Object.is(value, actual[at]) ? 0 : Math.abs(value - actual[at])));
  expect(distances.filter(isJump).length, 'jumps in courses').toBeLessThanOrEqual(expected.length / 20);
  expect(Math.max(0, ...distances.filter((distance) => !isJump(distance))), 'courses').toBeLessThanOrEqual(pathTolerance);
}

function withoutTime({ plans, differences }: RolloutSummary): Omit<RolloutSummary, 'elapsedMs'> {
  return { plans, differences };
}
