import { beforeAll, describe, expect, test } from 'vitest';
import type { Engine, RolloutRequest, RolloutSummary } from '#engine/engine.ts';
import { requireGolden, runGolden } from '#engine/golden.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { decodePack } from '#packs/decode.ts';
import type { Network } from '#packs/network.ts';
import { requireLearned, type LearnedPack } from '#packs/pack.ts';
import { encodePlain } from '#twin/encoder-plain.ts';
import { toyPackFiles } from '../../fixtures/toy-pack.ts';

const engine = new ReferenceEngine();
let pack: LearnedPack;
beforeAll(async () => {
  pack = requireLearned(await decodePack(await toyPackFiles()));
});

/** An engine that answers for another network. */
function mistaken(change: (network: Network) => Network): Engine {
  return wrapped((request) => engine.rollOut({ ...request, network: change(request.network) }));
}

function wrapped(rollOut: (request: RolloutRequest) => Promise<RolloutSummary>): Engine {
  return { kind: 'reference', description: 'An engine under test', rollOut, dispose: () => {} };
}

describe('golden cases', () => {
  test('pass on the engine that made them, within rounding to six digits', async () => {
    const report = await requireGolden(engine, pack, encodePlain);
    expect(report.failed).toEqual([]);
    expect(report.maxError).toBeLessThan(1e-5);
  });

  test('pass for a pack stored in f16', async () => {
    const half = requireLearned(await decodePack(await toyPackFiles({ matrices: 'f16' })));
    expect((await runGolden(engine, half, encodePlain)).failed).toEqual([]);
  });

  test('pass on an engine that differs by f32 rounding', async () => {
    const rounding = mistaken((network) => ({
      ...network,
      members: network.members.map((member) => ({ ...member, driftBias: member.driftBias.map((bias) => bias + 1e-5) })),
    }));
    expect((await runGolden(rounding, pack)).failed).toEqual([]);
  });

  test.each([
    'gateX',
    'gateH',
    'resetBias',
    'driftX',
    'driftH',
    'scaleH',
    'scaleBias',
    'hazardX',
    'hazardH',
    'observationScale',
    'tailScale',
  ] as const)('fail on an engine that gets %s a little wrong', async (name) => {
    const wrong = mistaken((network) => ({
      ...network,
      members: network.members.map((member) => ({ ...member, [name]: member[name].map((value) => value * 1.1 + 0.05) })),
    }));
    await expect(requireGolden(wrong, pack)).rejects.toMatchObject({
      code: 'pack_golden_failed',
      message: expect.stringMatching(
        /golden\.json of 'toy' on An engine under test: \d+ answers are off, first .* found .* expected/,
      ),
    });
  });

  test('fail on an engine that ignores cut points, cited effects or the second plan', async () => {
    const cuts = mistaken((network) => ({
      ...network,
      heads: network.heads.map((head) => (head.kind === 'ordinal' ? { ...head, cuts: head.cuts.map((cut) => cut + 0.5) } : head)),
    }));
    const effects = wrapped((request) =>
      engine.rollOut({
        ...request,
        plans: request.plans.map((plan) => ({ ...plan, effectError: plan.effectError.map(() => 0) })),
      }),
    );
    const plans = wrapped((request) => engine.rollOut({ ...request, plans: request.plans.map(() => request.plans[0]!) }));
    for (const wrong of [cuts, effects, plans]) expect((await runGolden(wrong, pack)).passed).toBe(false);
  });

  test('fail on an engine that answers NaN', async () => {
    const broken = wrapped(async (request) => {
      const summary = await engine.rollOut(request);
      summary.plans[0]!.quantiles[0] = NaN;
      return summary;
    });
    const { failed, maxError } = await runGolden(broken, pack);
    expect(failed[0]).toMatchObject({ id: 'two-plans', where: 'plans[0].quantiles[0]', found: NaN });
    expect(maxError).toBe(Infinity);
  });

  test('forgive one flipped rollout, and not two', async () => {
    const flipping = (by: number) =>
      wrapped(async (request) => {
        const summary = await engine.rollOut(request);
        summary.plans[0]!.alive[3]! -= by;
        return summary;
      });
    expect((await runGolden(flipping(1), pack)).passed).toBe(true);
    expect((await runGolden(flipping(2), pack)).failed).toMatchObject([
      { where: 'plans[0].alive[3]' },
      { where: 'plans[0].alive[3]' },
    ]);
  });

  test('fail when an encoder answers something else', async () => {
    const report = await runGolden(engine, pack, (encoder, history, prior) =>
      encodePlain(encoder, { ...history, mask: history.mask.map(() => 1) }, prior),
    );
    expect(report.failed.map(({ id }) => id)).toContain('member-0');
  });
});
