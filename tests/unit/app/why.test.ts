import { describe, expect, test, vi } from 'vitest';
import { usualCareId } from '#app/plans.ts';
import { firstFigure } from '#app/why.svelte.ts';
import { AppError } from '#domain/errors.ts';
import type { EngineClient } from '#engine/client.ts';
import type { AttributionOrder, WhyOrder } from '#engine/protocol.ts';
import type { CounterfactualQuestion, NeighbourQuestion } from '#domain/explanation.ts';
import { fakeClient, toySession } from '../../fixtures/toy-client.ts';
import { toyAttribution } from '../../fixtures/toy-explanation.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';
import { demonstrationVault } from '../../fixtures/vault/demonstration-vault.ts';

const { manifest } = toyPack();
const first = toyAttribution({
  method: 'sampled-orders',
  standardErrors: [
    [0, 0.1],
    [0, 0.1],
    [0, 0.1],
  ],
});

async function session(client: EngineClient) {
  const now = () => Date.UTC(2026, 10, 23, 12);
  const { session: one } = await toySession(await demonstrationVault({ now }), client, now);
  await one.addDemonstration('toy');
  return one;
}

const answering = (answers: Parameters<typeof fakeClient>[0] = {}) =>
  fakeClient({
    attribution: ({ effort }) => (effort === 'first' ? first : toyAttribution()),
    counterfactual: () => ({ now: 0.2, unit: '1', answers: [], message: 'None was found.' }),
    neighbours: () => ({ neighbours: [], drawn: 400, message: 'Nobody.' }),
    ...answers,
  });

describe('what is explained', () => {
  test('is at first what the forecast page reads, under usual care', async () => {
    const { why, forecast } = await session(answering().client);
    expect(why.subject).toEqual({ figure: firstFigure(manifest, forecast.outcome), planId: usualCareId, isDifference: false });
    expect(why.readDay).toBe(forecast.readDay);
  });

  test('usual care does not differ from itself', async () => {
    const { why } = await session(answering().client);
    why.set({ planId: 'plan-a', isDifference: true });
    expect(why.subject).toMatchObject({ planId: 'plan-a', isDifference: true });
    why.set({ planId: usualCareId });
    expect(why.subject).toMatchObject({ planId: usualCareId, isDifference: false });
  });

  test('a pack without events is explained by its first marker', () => {
    expect(firstFigure({ ...manifest, events: [] }, 'any')).toEqual({ kind: 'marker', marker: manifest.markers[0]!.id });
    expect(firstFigure(manifest, 'target:auc')).toEqual({ kind: 'marker', marker: manifest.markers[0]!.id });
  });
});

describe('an explanation', () => {
  test('comes from a few orders first and then from every coalition, with the plan and seed of the page', async () => {
    const fake = answering();
    const { why, forecast } = await session(fake.client);
    why.set({ figure: { kind: 'marker', marker: manifest.markers[0]!.id }, planId: 'plan-a', isDifference: true });
    await why.explain();
    const orders = fake.asked.filter(({ name }) => name === 'attribution').map(({ argument }) => argument as AttributionOrder);
    expect(orders.map(({ effort }) => effort)).toEqual(['first', 'every']);
    expect(orders[0]!.question).toMatchObject({
      explained: { kind: 'difference', of: { kind: 'marker', marker: manifest.markers[0]!.id } },
      plan: { id: 'plan-a' },
      seed: forecast.seed,
    });
    expect(why.attribution?.answer.method).toBe('every-coalition');
    expect(why.isPreliminary).toBe(false);
    expect(why.stale(why.attribution)).toEqual([]);
  });

  test('of usual care names no plan', async () => {
    const fake = answering();
    const { why } = await session(fake.client);
    await why.explain();
    expect((fake.asked.find(({ name }) => name === 'attribution')!.argument as AttributionOrder).question.plan).toBeNull();
  });

  test('that is complete at once is not asked for again', async () => {
    const fake = answering({ attribution: () => toyAttribution() });
    const { why } = await session(fake.client);
    await why.explain();
    expect(fake.asked.filter(({ name }) => name === 'attribution')).toHaveLength(1);
  });

  test('that is stopped keeps the first orders and says that they are not all', async () => {
    const fake = answering({
      attribution: ({ effort }, signal) =>
        effort === 'first'
          ? first
          : new Promise((_, fail) => signal?.addEventListener('abort', () => fail(new DOMException('stopped', 'AbortError')))),
    });
    const { why } = await session(fake.client);
    const done = why.explain();
    await vi.waitFor(() => expect(why.isPreliminary).toBe(true));
    why.stop();
    await done;
    expect(why.attribution?.answer.method).toBe('sampled-orders');
    expect(why.work.failure).toBeNull();
    expect(why.work.running).toBeNull();
  });

  test('says which part of what it was made from changed since', async () => {
    const { why, forecast } = await session(answering().client);
    await why.explain();
    forecast.set({ seed: 99 });
    expect(why.stale(why.attribution)).toEqual(['run']);
    forecast.set({ seed: 1 });
    why.set({ figure: { kind: 'marker', marker: manifest.markers.at(-1)!.id } });
    expect(why.stale(why.attribution)).toEqual(['subject']);
    forecast.update({ ...forecast.record!, covariates: { age: 51 } });
    expect(why.stale(why.attribution)).toEqual(['record', 'subject']);
  });

  test('goes with the person and the pack', async () => {
    const one = await session(answering().client);
    await one.why.explain();
    one.why.group = 'person-age';
    await one.addDemonstration('toy');
    expect(one.why.attribution).toBeNull();
    expect(one.why.group).toBeNull();
  });

  test('is noted down without the person’s values, and refused in words', async () => {
    const fake = answering({
      attribution: () => {
        throw new AppError('request_invalid', 'The forecast of this person is withheld.');
      },
    });
    const one = await session(fake.client);
    await one.why.explain();
    expect(one.why.asked).toBe('attribution');
    expect(one.why.work.failure).toBe('The forecast of this person is withheld.');
    const noted = await vi.waitFor(async () => {
      const { entries } = await one.vault.audit.read();
      const found = entries.find(({ action }) => action === 'run');
      expect(found).toMatchObject({ packId: 'toy' });
      return found;
    });
    expect(noted!.detail).toMatch(/^why: attribution, pack /);
  });

  test('is held where no basis is recorded for a real person', async () => {
    const fake = answering();
    const one = await session(fake.client);
    one.forecast.update({ ...one.forecast.record!, isSynthetic: false });
    await one.why.explain();
    expect(one.why.work.failure).toMatch(/on what basis/);
    expect(fake.asked.some(({ name }) => name === 'attribution')).toBe(false);
  });
});

describe('the smallest change', () => {
  test('is asked only with a value that can be one', async () => {
    const fake = answering();
    const { why } = await session(fake.client);
    why.set({ figure: { kind: 'event', event: null } });
    expect(why.wishFault).toMatch(/which value/);
    why.wish = { direction: 'below', value: 1.2 };
    expect(why.wishFault).toMatch(/between 0 and 100/);
    await why.askForChange();
    expect(fake.asked.some(({ name }) => name === 'counterfactual')).toBe(false);
    why.wish = { direction: 'below', value: 0.2 };
    why.readDay = 45;
    await why.askForChange();
    const { question } = fake.asked.find(({ name }) => name === 'counterfactual')!.argument as WhyOrder<CounterfactualQuestion>;
    expect(question).toMatchObject({ day: 45, wanted: { direction: 'below', value: 0.2 }, changeable: [] });
    expect(why.stale(why.counterfactual)).toEqual([]);
    why.wish = { direction: 'above', value: 0.2 };
    expect(why.stale(why.counterfactual)).toEqual(['wish']);
  });

  test('begins anew with another figure, whose unit is another', async () => {
    const { why } = await session(answering().client);
    why.wish = { direction: 'above', value: 3 };
    why.set({ figure: { kind: 'marker', marker: manifest.markers[0]!.id } });
    expect(why.wish).toEqual({ direction: 'below', value: null });
  });
});

describe('people like this one', () => {
  test('are drawn for the plan, whatever figure is explained', async () => {
    const fake = answering();
    const { why } = await session(fake.client);
    why.set({ planId: 'plan-a' });
    await why.findNeighbours();
    const { question } = fake.asked.find(({ name }) => name === 'neighbours')!.argument as WhyOrder<NeighbourQuestion>;
    expect(question).toMatchObject({ plan: { id: 'plan-a' }, count: 8 });
    why.set({ figure: { kind: 'marker', marker: manifest.markers.at(-1)!.id } });
    expect(why.stale(why.neighbours)).toEqual([]);
  });
});
