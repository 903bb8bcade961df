import { describe, expect, test } from 'vitest';
import { ImportSession } from '#interop/session.ts';
import { makeImportClient, type ImportWorkerLike } from '#interop/client.ts';
import type { FromImportWorker, ImportProgress, ToImportWorker } from '#interop/protocol.ts';
import { largeCsv, measureImport } from '../../fixtures/import/large-files.ts';
import { fileOf } from '../../fixtures/import/read-all.ts';

const csv = 'patient_id,date,creatinine (mg/dL)\n1,2023-05-01,1.1\n2,2023-05-01,1.2\n';

function hooks(signal = new AbortController().signal) {
  const seen: ImportProgress[] = [];
  return { seen, signal, onProgress: (progress: ImportProgress) => seen.push(progress) };
}

describe('a session', () => {
  const order = { group: 0, mapping: null, confirmed: [], today: '2026-01-01' } as const;

  test('opens, samples, stages and hands out', async () => {
    const session = new ImportSession();
    const [group] = await session.open([fileOf('a.csv', csv)], hooks());
    expect(group).toMatchObject({ id: 0, format: 'table-wide', table: { rowCount: 2 } });
    expect(await session.call('sample', order, hooks())).toMatchObject([{ value: 1.1 }, { value: 1.2 }]);
    const summary = await session.call('stage', order, hooks());
    expect(summary).toMatchObject({ status: 'accepted', patientCount: 2, kept: 2, raw: 0 });
    expect(summary.patients[1]).toMatchObject({
      key: '2',
      kept: 1,
      from: '2023-05-01',
      to: '2023-05-01',
      firstValues: [{ value: 1.2 }],
    });
    expect(await session.call('patients', { group: 0, from: 1, count: 5 }, hooks())).toMatchObject([{ key: '2' }]);
    expect(await session.call('person', { group: 0, key: '2' }, hooks())).toMatchObject({ key: '2', observationCount: 1 });
    expect(await session.call('take', { group: 0, key: '2', from: 0, count: 5 }, hooks())).toMatchObject([{ value: 1.2 }]);
    expect(await session.call('take', { group: 0, key: 'nobody', from: 0, count: 5 }, hooks())).toEqual([]);
  });

  test('looks again with another delimiter', async () => {
    const session = new ImportSession();
    const [group] = await session.open([fileOf('a.csv', csv)], hooks());
    const again = await session.call(
      'look',
      { group: 0, reading: { ...group.table!.suggestion.reading, delimiter: ';' } },
      hooks(),
    );
    expect(again.table?.columns).toHaveLength(1);
  });

  test('stages a refused file as refused', async () => {
    const session = new ImportSession();
    const [group] = await session.open([fileOf('a.csv', '')], hooks());
    expect(group.refusal?.code).toBe('empty');
    expect(await session.call('stage', order, hooks())).toMatchObject({
      status: 'refused',
      code: 'empty',
      patientCount: 0,
      patients: [],
    });
  });

  test('says how far it is, and stops', async () => {
    const session = new ImportSession();
    const own = hooks();
    const file = largeCsv(50_000);
    const [group] = await session.open([file], own);
    expect(group.table?.rowCount).toBe(50_000);
    expect(own.seen.length).toBeGreaterThan(2);
    expect(own.seen.at(-1)!.total).toBe(file.size);
    const stop = new AbortController();
    const stopping = hooks(stop.signal);
    stopping.onProgress = (progress) => {
      stopping.seen.push(progress);
      stop.abort();
      return stopping.seen.length;
    };
    await expect(session.call('stage', order, stopping)).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    expect(stopping.seen).toHaveLength(1);
  });

  // The long form, 1,000,000 rows with memory and a real browser, is part of `npm run torture`.
  test('reads 50,000 rows whole', async () => {
    const measure = await measureImport(largeCsv(50_000));
    expect(measure).toMatchObject({ patients: 250, kept: 50_000, raw: 0, taken: 50_000 });
  });
});

describe('the client', () => {
  class FakeWorker implements ImportWorkerLike {
    onmessage: ((event: MessageEvent<FromImportWorker>) => void) | null = null;
    onerror: ((event: ErrorEvent) => void) | null = null;
    readonly sent: ToImportWorker[] = [];
    isEnded = false;
    postMessage(message: ToImportWorker) {
      this.sent.push(message);
    }
    terminate() {
      this.isEnded = true;
    }
    say(data: FromImportWorker) {
      this.onmessage?.({ data } as MessageEvent<FromImportWorker>);
    }
  }
  const start = () => {
    const workers: FakeWorker[] = [];
    const granted: (() => void)[] = [];
    const locks = { request: (_: string, then: () => void) => void granted.push(then) } as unknown as LockManager;
    const client = makeImportClient(() => {
      workers.push(new FakeWorker());
      return workers.at(-1)!;
    }, locks);
    return { client, workers, granted };
  };

  test('answers, reports and fails by number', async () => {
    const { client, workers } = start();
    const seen: ImportProgress[] = [];
    const first = client.call('open', { files: [] }, { onProgress: (progress) => seen.push(progress) });
    const second = client.call('person', { group: 0, key: 'x' });
    workers[0].say({ type: 'progress', id: 1, progress: { done: 1, total: 2 } });
    workers[0].say({ type: 'error', id: 2, name: 'Error', code: 'import_refused', message: 'no' });
    workers[0].say({ type: 'answer', id: 1, answer: [] });
    expect(await first).toEqual([]);
    await expect(second).rejects.toMatchObject({ code: 'import_refused' });
    expect(seen).toEqual([{ done: 1, total: 2 }]);
  });

  test('a worker that was killed fails its calls, and the next call starts another', async () => {
    const { client, workers, granted } = start();
    const call = client.call('open', { files: [] });
    workers[0].say({ type: 'alive', lock: 'import-1' });
    granted[0]!();
    await expect(call).rejects.toMatchObject({ code: 'import_refused' });
    const next = client.call('open', { files: [] });
    expect(workers).toHaveLength(2);
    // The lock of the first worker says nothing of the second.
    granted[0]!();
    workers[1]!.say({ type: 'answer', id: 2, answer: [] });
    expect(await next).toEqual([]);
  });

  test('a stop is heard at once, and told to the worker', async () => {
    const { client, workers } = start();
    const stop = new AbortController();
    const call = client.call('open', { files: [] }, { signal: stop.signal });
    stop.abort();
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    expect(workers[0].sent.at(-1)).toEqual({ type: 'cancel', id: 1 });
  });

  test('a dead worker fails its calls, and the next call starts another', async () => {
    const { client, workers } = start();
    const call = client.call('open', { files: [] });
    workers[0].onerror?.({ preventDefault() {} } as ErrorEvent);
    await expect(call).rejects.toMatchObject({ code: 'import_refused' });
    expect(workers[0].isEnded).toBe(true);
    void client.call('open', { files: [] }).catch(() => {});
    expect(workers).toHaveLength(2);
    client.close();
    expect(workers[1].isEnded).toBe(true);
  });
});
