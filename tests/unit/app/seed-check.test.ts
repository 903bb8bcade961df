import { expect, test, vi } from 'vitest';
import { compareSeeds } from '#app/seed-check.svelte.ts';
import type { Forecast } from '#domain/forecast.ts';
import { usualCareId } from '#app/plans.ts';
import { memoryDevice } from '#vault/memory-door.ts';
import { soleTab } from '#vault/tabs.ts';
import { fakeClient, result, toySession } from '../../fixtures/toy-client.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';
import { demonstrationVault } from '../../fixtures/vault/demonstration-vault.ts';

const { manifest } = toyPack();
const event = manifest.events[0]!.id;

async function ran() {
  const now = () => Date.UTC(2026, 10, 23, 12);
  const vault = await demonstrationVault({ device: memoryDevice(), now, tabs: soleTab() });
  const fake = fakeClient();
  const one = (await toySession(vault, fake.client, now)).session;
  await one.addDemonstration('toy');
  await one.forecast.run();
  return { one, fake };
}

test('the shown request is made once more, and nothing of it differs but the seed', async () => {
  const { one, fake } = await ran();
  await one.seedCheck.run();
  const [, first, second] = fake.orders();
  expect(second!.seed).not.toBe(first!.seed);
  expect({ ...second, seed: 0 }).toEqual({ ...first, seed: 0 });
  expect(one.seedCheck.other?.run.seed).toBe(second!.seed);
  // The shown result stays what it was.
  expect(one.forecast.forecast?.run.seed).toBe(first!.seed);
  expect(one.forecast.stale).toEqual([]);
});

test('the comparison leaves with the result that it was made for, and is not offered for an old one', async () => {
  const { one } = await ran();
  await one.seedCheck.run();
  one.forecast.newSeed();
  expect(one.seedCheck.canRun).toBe(false);
  await one.forecast.run();
  expect(one.seedCheck.other).toBeNull();
  expect(one.seedCheck.canRun).toBe(true);
});

test('a comparison is noted in the log like any run', async () => {
  const { one } = await ran();
  await one.seedCheck.run();
  await vi.waitFor(async () => {
    const { entries } = await one.vault.audit.read();
    expect(entries.some(({ detail }) => detail?.startsWith('forecast with another seed, pack '))).toBe(true);
  });
});

/** Usual care and plan A with one event: chances at the end with their intervals, and the ends of the difference. */
function forecast(chances: readonly [usual: number, planA: number], difference: readonly [low: number, high: number]): Forecast {
  const plans = [usualCareId, 'plan-a'].map((id) => ({ id, name: id, blocks: [] }));
  const made = result({
    packId: 'toy',
    record: {} as never,
    plans,
    today: '2026-11-23',
    now: '2026-11-23T12:00',
    rollouts: 1,
    seed: 1,
  });
  return {
    ...made,
    plans: made.plans.map((plan, index) => {
      const at = (add: number) => [0, chances[index]! + add];
      return { ...plan, events: { [event]: { incidence: at(0), members: [], low: at(-0.1), high: at(0.1) } } };
    }),
    differences: [
      {
        planId: 'plan-a',
        markers: {},
        events: {
          [event]: [[0], Array.from({ length: 50 }, (_, k) => difference[0] + ((difference[1] - difference[0]) * k) / 49)],
        },
        anyEvent: [],
        eventFreeDays: [],
      },
    ],
  };
}
/** The same with wider intervals. */
const widened = (made: Forecast, by: number): Forecast => ({
  ...made,
  plans: made.plans.map((plan) => ({
    ...plan,
    events: Object.fromEntries(
      Object.entries(plan.events).map(([id, one]) => [id, { ...one, low: one.low.map((value) => value - by) }]),
    ),
  })),
});
const compared = (one: Forecast, other: Forecast) => compareSeeds(one, other, manifest, event, 90);

test('the message keeps while middles move by less than a quarter of their interval', () => {
  const one = forecast([0.3, 0.2], [-0.2, -0.02]);
  const near = compared(one, forecast([0.33, 0.17], [-0.2, -0.03]));
  expect(near.pairs.map(({ middle }) => Number(middle.toFixed(3)))).toEqual([0.03, -0.03]);
  expect(near).toMatchObject({ keeps: true, turned: [] });
  expect(compared(one, forecast([0.36, 0.2], [-0.2, -0.02])).keeps).toBe(false);
});

test('the message is another where an end of an interval moves by more', () => {
  const one = forecast([0.3, 0.2], [-0.2, -0.02]);
  expect(compared(one, widened(one, 0.04)).keeps).toBe(true);
  const wide = compared(one, widened(one, 0.09));
  expect(wide.pairs[0]!.end).toBeCloseTo(0.09);
  expect(wide.keeps).toBe(false);
});

test('the message is another where a difference includes none with one seed only', () => {
  const one = forecast([0.3, 0.2], [-0.2, -0.02]);
  expect(compared(one, forecast([0.3, 0.2], [-0.2, 0.03]))).toMatchObject({ keeps: false, turned: ['plan-a'] });
  // Less than half a person of 100 is none, as it is shown.
  expect(compared(forecast([0.3, 0.2], [-0.2, 0.012]), forecast([0.3, 0.2], [-0.2, 0.03]))).toMatchObject({ keeps: true });
});
