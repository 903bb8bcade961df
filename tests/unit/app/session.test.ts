import { describe, expect, test, vi } from 'vitest';
import { usualCareId } from '#app/plans.ts';
import { AppError } from '#domain/errors.ts';
import type { PatientRecord } from '#domain/record.ts';
import type { EngineClient } from '#engine/client.ts';
import { memoryDevice } from '#vault/memory-door.ts';
import { soleTab } from '#vault/tabs.ts';
import type { MemoryDevice } from '#vault/memory-door.ts';
import { fakeClient, result, toySession } from '../../fixtures/toy-client.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';
import { demonstrationVault } from '../../fixtures/vault/demonstration-vault.ts';

const { manifest, card } = toyPack();

async function session(client: EngineClient, device: MemoryDevice = memoryDevice(), isWriter = true) {
  const now = () => Date.UTC(2026, 10, 23, 12);
  const vault = await demonstrationVault({ device, now, tabs: { ...soleTab(), isWriter } });
  return (await toySession(vault, client, now)).session;
}

describe('a forecast', () => {
  test('comes with the first thousand and then the chosen number, same seed', async () => {
    const fake = fakeClient();
    const one = await session(fake.client);
    await one.addDemonstration('toy');
    await one.forecast.run();
    expect(fake.orders().map(({ rollouts, seed }) => [rollouts, seed])).toEqual([
      [1000, 1],
      [10_000, 1],
    ]);
    expect(one.forecast.forecast?.run.rollouts).toBe(10_000);
    expect(one.forecast.isPreliminary).toBe(false);
    expect(one.forecast.isRunning).toBe(false);
  });

  test('always holds usual care first, and a plan to compare', async () => {
    const one = await session(fakeClient().client);
    await one.addDemonstration('toy');
    expect(one.forecast.plans.map(({ id }) => id)).toEqual([usualCareId, 'plan-a']);
    one.forecast.removePlan(usualCareId);
    expect(one.forecast.plans[0]!.id).toBe(usualCareId);
  });

  test('that is stopped keeps the first thousand and says that it is not all', async () => {
    const fake = fakeClient({
      forecast: (order, signal) =>
        order.rollouts === 1000
          ? result(order)
          : new Promise((_, fail) => signal?.addEventListener('abort', () => fail(new DOMException('stopped', 'AbortError')))),
    });
    const one = await session(fake.client);
    await one.addDemonstration('toy');
    const run = one.forecast.run();
    await vi.waitFor(() => expect(one.forecast.phase).toBe('rest'));
    one.forecast.stop();
    await run;
    expect(one.forecast.forecast?.run.rollouts).toBe(1000);
    expect(one.forecast.isPreliminary).toBe(true);
    expect(one.forecast.failure).toBeNull();
  });

  test('is marked when plans change, and is itself again when the change is undone', async () => {
    const one = await session(fakeClient().client);
    await one.addDemonstration('toy');
    await one.forecast.run();
    expect(one.forecast.stale).toEqual([]);
    one.forecast.setPlan('plan-a', { blocks: [] });
    expect(one.forecast.stale).toEqual(['plans']);
    one.forecast.undo();
    expect(one.forecast.stale).toEqual([]);
  });

  test('whose worker was killed says so and loses nothing', async () => {
    const fake = fakeClient({
      forecast: () => {
        throw new AppError('worker_failed', 'gone');
      },
    });
    const one = await session(fake.client);
    await one.addDemonstration('toy');
    one.forecast.duplicate('plan-a');
    await one.forecast.run();
    expect(one.forecast.failure).toEqual({ code: 'worker_failed', message: 'gone' });
    expect(one.forecast.plans).toHaveLength(3);
    expect(one.forecast.isRunning).toBe(false);
  });

  test('is there again after a reload, with its plans', async () => {
    const device = memoryDevice();
    const first = await session(fakeClient().client, device);
    await first.addDemonstration('toy');
    first.forecast.duplicate('plan-a');
    await first.forecast.run();
    const second = await session(fakeClient().client, device);
    await vi.waitFor(() => expect(second.forecast.forecast).not.toBeNull());
    expect(second.forecast.plans.map(({ id }) => id)).toEqual([usualCareId, 'plan-a', 'plan-b']);
    expect(second.forecast.stale).toEqual([]);
  });

  test('made with a pack that an update changed is shown as it was, says so, and is not run again by itself', async () => {
    const device = memoryDevice();
    const first = await session(fakeClient().client, device);
    await first.addDemonstration('toy');
    await first.forecast.run();
    const made = first.forecast.forecast;
    const fake = fakeClient({
      packs: () => ({ packs: [{ manifest: { ...manifest, version: '2.0.0' }, digest: 'digest-2', card }], refused: [] }),
    });
    const second = await session(fake.client, device);
    await vi.waitFor(() => expect(second.forecast.forecast).not.toBeNull());
    expect(second.forecast.pack?.digest).toBe('digest-2');
    expect(second.forecast.forecast).toEqual(made);
    expect(second.forecast.stale).toEqual(['pack']);
    expect(fake.orders()).toEqual([]);
    await second.forecast.run();
    expect(second.forecast.stale).toEqual([]);
    expect(fake.orders()).not.toEqual([]);
  });

  test('of a tab that does not write is made, and the plans that were not kept are named', async () => {
    const device = memoryDevice();
    const writer = await session(fakeClient().client, device);
    const record = await writer.addDemonstration('toy');
    const reader = await session(fakeClient().client, device, false);
    await reader.openPatient(record!.id);
    await reader.forecast.run();
    expect(reader.forecast.forecast).not.toBeNull();
    expect(reader.forecast.keepFailure?.code).toBe('vault_in_use');
  });
});

test('a person is opened and edited with a pack that reads something of them, when the last one used does not', async () => {
  const other = {
    ...manifest,
    id: 'other',
    markers: manifest.markers.map((marker) => ({ ...marker, id: `other-${marker.id}` })),
  };
  const one = await session(
    fakeClient({
      packs: () => ({
        packs: [
          { manifest: other, digest: 'digest-2', card },
          { manifest, digest: 'digest-1', card },
        ],
        refused: [],
      }),
    }).client,
  );
  const drawn = (await one.addDemonstration('other'))!;
  const [marker] = manifest.markers;
  const observed = {
    id: 'o',
    code: marker!.id,
    date: '2026-01-01',
    value: marker!.seen[0],
    unit: marker!.unit,
    source: 'typed',
    isConfirmed: false,
  } as const;
  const record: PatientRecord = { ...drawn, id: 'read-by-toy', observations: [observed] };
  one.patients.put(record);
  expect((await one.editRecord(record.id))?.manifest.id).toBe('toy');
  await one.openPatient(record.id);
  expect(one.forecast.pack?.manifest.id).toBe('toy');
});

describe('a plan', () => {
  test('with two interventions of one group at a time is refused with a sentence', async () => {
    const one = await session(fakeClient().client);
    await one.addDemonstration('toy');
    const block = { intervention: 'drug-r', startDay: 0, stopDay: 900 };
    expect(one.forecast.faultOf({ id: 'plan-a', name: 'Plan A', blocks: [block, { ...block, startDay: 300 }] })).toMatch(
      /same time/,
    );
  });

  test('outside the pack is refused with what the pack offers', async () => {
    const one = await session(fakeClient().client);
    await one.addDemonstration('toy');
    expect(
      one.forecast.faultOf({ id: 'plan-a', name: 'Plan A', blocks: [{ intervention: 'habit-o', startDay: 0, stopDay: 90 }] }),
    ).toMatch(/does not offer/);
  });
});

describe('patients', () => {
  test('drawn from a pack are marked synthetic whatever the worker says', async () => {
    const one = await session(fakeClient().client);
    const record = await one.addDemonstration('toy');
    expect(record?.isSynthetic).toBe(true);
    expect(record?.alias).toBe('Synthetic person 1');
  });

  test('erased are gone with their key; undo stores the record anew under another id', async () => {
    const one = await session(fakeClient().client);
    const record = await one.addDemonstration('toy');
    const report = await one.erasePatient(record!.id);
    expect(report).toMatchObject({ patientId: record!.id, isKeyShredded: true });
    expect(report!.rows).toBeGreaterThan(0);
    expect(one.patients.all).toEqual([]);
    await one.patients.undoErase();
    expect(one.patients.all).toEqual([{ ...record, id: expect.any(String), updatedAt: expect.any(Number) }]);
    expect(one.patients.all[0]!.id).not.toBe(record!.id);
  });

  test('a refused pack is named with its reason, and the rest works', async () => {
    const fake = fakeClient({
      packs: () => ({ packs: [], refused: [{ id: 'bad', code: 'pack_digest_mismatch', message: 'altered' }] }),
    });
    const one = await session(fake.client);
    expect(one.packs.refused[0]).toMatchObject({ id: 'bad', message: 'altered' });
    expect(await one.editRecord(null)).toBeNull();
  });
});

describe('a record being typed', () => {
  test('is kept as a draft and found again after a reload', async () => {
    const device = memoryDevice();
    const first = await session(fakeClient().client, device);
    const editor = (await first.editRecord(null))!;
    editor.setCovariate('age', '61');
    editor.setDate(editor.draft.rows[0]!.id, '2026-01-05');
    editor.setCell(editor.draft.rows[0]!.id, 'bilirubin', '1.4 furl');
    await editor.keep();
    const second = await session(fakeClient().client, device);
    expect(second.unsavedIds).toEqual([editor.id]);
    const again = (await second.editRecord(editor.id))!;
    expect(again.isRestored).toBe(true);
    expect(again.draft.covariates['age']?.text).toBe('61');
    expect(again.draft.rows[0]!.cells['bilirubin']?.text).toBe('1.4 furl');
  });

  test('shows no date that has only values of another pack, and pastes nothing into it', async () => {
    const one = await session(fakeClient().client);
    const editor = (await one.editRecord(null))!;
    const [first] = editor.draft.rows;
    editor.setDate(first!.id, '2026-01-05');
    editor.setCell(first!.id, 'bilirubin', '1.1');
    const foreign = editor.draft.rows.at(-1)!;
    editor.setDate(foreign.id, '2026-01-06');
    foreign.cells['tsh'] = { text: '2.1', unit: 'm[IU]/L', isConfirmed: false, observationId: 'o', source: 'a.csv' };
    expect(editor.rows.map(({ id }) => id)).not.toContain(foreign.id);
    editor.paste(first!.id, 0, '1.1\n1.2\n1.3');
    expect(foreign).toMatchObject({ date: '2026-01-06', cells: { tsh: { text: '2.1' } } });
    expect(Object.keys(foreign.cells)).toEqual(['tsh']);
    expect(editor.rows.map((row) => row.cells['bilirubin']?.text)).toEqual(['1.1', '1.2', '1.3', undefined]);
  });

  test('grows a line when its last is used, and takes a pasted block', async () => {
    const one = await session(fakeClient().client);
    const editor = (await one.editRecord(null))!;
    editor.paste(editor.draft.rows[0]!.id, -1, '2026-01-05\t1.1\t3.4\n13/02/2026\t1.3\t3.3\n');
    expect(editor.draft.rows.map(({ date }) => date)).toEqual(['2026-01-05', '2026-02-13', '']);
    expect(editor.draft.rows[1]!.cells['albumin']?.text).toBe('3.3');
  });

  test('that another tab changed meanwhile is not overwritten, and what was typed stays', async () => {
    const device = memoryDevice();
    const first = await session(fakeClient().client, device);
    const record = (await first.addDemonstration('toy'))!;
    const editor = (await first.editRecord(record.id))!;
    const second = await session(fakeClient().client, device);
    const other = (await second.editRecord(record.id))!;
    other.setCovariate('age', '70');
    expect(await other.save()).toBe(true);
    editor.setCovariate('age', '44');
    expect(await editor.save()).toBe(false);
    expect(editor.failure?.code).toBe('vault_in_use');
    expect(editor.draft.covariates['age']?.text).toBe('44');
    expect(await editor.save({ overwrite: true })).toBe(true);
  });
});
