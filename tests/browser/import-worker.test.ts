import { afterEach, expect, test } from 'vitest';
import { makeImportClient, type ImportClient } from '../../src/interop/client.ts';
import type { ImportProgress } from '../../src/interop/protocol.ts';
import { storedZip } from '../../src/interop/tables/zip.ts';
import { largeCsv } from '../fixtures/import/large-files.ts';
import { workbookParts } from '../fixtures/import/workbook-parts.ts';

let client: ImportClient | null = null;
afterEach(() => client?.close());

function start(): ImportClient {
  client = makeImportClient(() => new Worker(new URL('../../src/interop/worker.ts', import.meta.url), { type: 'module' }));
  return client;
}

async function largeFile(rows: number): Promise<File> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of largeCsv(rows).chunks()) parts.push(chunk as Uint8Array<ArrayBuffer>);
  return new File(parts, 'large.csv');
}

const order = { group: 0, mapping: null, confirmed: [], today: '2030-01-01' } as const;

test('a real worker reads, reports, and gives people in pieces', async () => {
  const worker = start();
  const seen: ImportProgress[] = [];
  const onProgress = (progress: ImportProgress) => seen.push(progress);
  const [group] = await worker.call('open', { files: [await largeFile(50_000)] }, { onProgress });
  expect(group.table?.rowCount).toBe(50_000);
  const summary = await worker.call('stage', order, { onProgress });
  expect(summary).toMatchObject({ status: 'accepted', patientCount: 250, kept: 50_000 });
  expect(summary.patients).toHaveLength(200);
  expect(await worker.call('take', { group: 0, key: 'patient-000249', from: 190, count: 50 })).toHaveLength(10);
  expect(seen.length).toBeGreaterThan(2);
});

test('a stop is heard within a second, and the worker goes on with the next call', async () => {
  const worker = start();
  const files = [await largeFile(200_000)];
  const stop = new AbortController();
  let stopped = 0;
  const call = worker.call(
    'open',
    { files },
    {
      signal: stop.signal,
      onProgress: () => {
        stopped ||= performance.now();
        stop.abort();
      },
    },
  );
  await expect(call).rejects.toMatchObject({ name: 'AbortError' });
  const [next] = await worker.call('open', {
    files: [new File(['patient_id,date,creatinine (mg/dL)\n1,2023-05-01,1.1\n'], 'a.csv')],
  });
  expect(performance.now() - stopped).toBeLessThan(1000);
  expect(next.table?.rowCount).toBe(1);
});

test('a workbook is read without workers made of text', async () => {
  const parts = workbookParts([
    {
      name: 'Labs',
      rows: [
        ['Patient ID', 'Date', 'Creatinine (mg/dL)'],
        ['007', { date: 45047 }, 1.1],
      ],
    },
  ]);
  const worker = start();
  const [group] = await worker.call('open', { files: [new File([storedZip(parts)], 'labs.xlsx')] });
  expect(group.table).toMatchObject({ sheets: ['Labs'], rowCount: 1 });
  await worker.call('stage', order);
  expect(await worker.call('take', { group: 0, key: '007', from: 0, count: 5 })).toMatchObject([
    { value: 1.1, date: '2023-05-01' },
  ]);
});
