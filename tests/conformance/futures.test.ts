/** Futures one by one: what policies decide on. The engines of the processor give the reference's, and a summary of them is a rollout. */
import { describe, expect, it } from 'vitest';
import { CpuEngine } from '#engine/cpu/engine.ts';
import type { Engine, FutureEngine } from '#engine/engine.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { summarise } from '#engine/summary.ts';
import { toyNetwork, toyRequest } from '../fixtures/toy-network.ts';

// As in engines.ts: single paths of 24 steps stay within 2e-5 of f64, and cumulative incidence is off by no more.
const tolerance = 2e-5;
const request = toyRequest(toyNetwork(), { planCount: 2, steps: 24 });

const engines: readonly (readonly [string, () => Promise<Engine & FutureEngine>])[] = [
  ['reference', async () => new ReferenceEngine()],
  ['cpu', CpuEngine.create],
];

describe.each(engines)('futures of the %s engine', (_, make) => {
  it('summarise to what a rollout of the same request gives', async () => {
    const engine = await make();
    const { plans, differences } = await engine.rollOut(request);
    const summary = summarise(request, await engine.futures(request), 0);
    expect(summary.plans).toEqual(plans);
    expect(summary.differences).toEqual(differences);
  });

  it('are the reference’s within rounding, future by future', async () => {
    const found = await (await make()).futures(request);
    const expected = await new ReferenceEngine().futures(request);
    expect(found).toHaveLength(expected.length);
    found.forEach((plan, p) => {
      const own = expected[p]!;
      // An event is decided by a threshold: a rollout on its edge may fall on the other side.
      const moved = plan.eventStep.filter((step, i) => step !== own.eventStep[i]).length;
      expect(moved).toBeLessThanOrEqual(1);
      plan.incidence.forEach((value, i) => expect(Math.abs(value - own.incidence[i]!)).toBeLessThan(tolerance));
      plan.values.forEach((value, i) =>
        expect(Math.abs(value - own.values[i]!)).toBeLessThan(tolerance * (1 + Math.abs(own.values[i]!))),
      );
    });
  });

  it('follow one plan as they do when it stands beside another', async () => {
    const engine = await make();
    const [, second] = await engine.futures(request);
    const [alone] = await engine.futures({ ...request, plans: [request.plans[1]!] });
    expect(alone).toEqual(second);
  });

  it('of a plan that leaves another one on a day are the other’s until then', async () => {
    const engine = await make();
    const [first, second] = request.plans;
    const { M, H, S, K } = request.network.shape;
    const width = 3 * H + S + K;
    const from = 10;
    const rows = first!.rows.slice();
    for (let m = 0; m < M; m++) {
      const at = (step: number) => (m * request.steps + step) * width;
      rows.set(second!.rows.subarray(at(from), at(request.steps)), at(from));
    }
    const effectError = first!.effectError.slice();
    effectError.set(second!.effectError.subarray(from * K), from * K);
    const [whole, left] = await engine.futures({ ...request, plans: [first!, { rows, effectError }] });
    const column = (from + 1) * S * request.rollouts;
    expect(left!.values.subarray(0, column)).toEqual(whole!.values.subarray(0, column));
    expect(left!.values.subarray(column)).not.toEqual(whole!.values.subarray(column));
  });

  it('stop when they are told to', async () => {
    const stop = new AbortController();
    stop.abort();
    await expect((await make()).futures(request, { signal: stop.signal })).rejects.toMatchObject({ name: 'AbortError' });
  });
});
