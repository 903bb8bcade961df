import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { makeClient } from '#engine/client.ts';
import type { WorkerLike } from '#engine/client.ts';
import type { FromWorker, ToWorker } from '#engine/protocol.ts';

class FakeWorker implements WorkerLike {
  onmessage: WorkerLike['onmessage'] = null;
  onerror: WorkerLike['onerror'] = null;
  readonly sent: ToWorker[] = [];
  isTerminated = false;
  postMessage(message: ToWorker) {
    this.sent.push(message);
  }
  terminate() {
    this.isTerminated = true;
  }
  say(message: FromWorker) {
    this.onmessage?.({ data: message } as MessageEvent<FromWorker>);
  }
  get lastCall() {
    return this.sent.findLast((message) => message.type === 'call')!;
  }
}

const report = { kind: 'reference', description: 'f64', reason: 'test', attempts: [] } as const;
let workers: FakeWorker[];
let die: (() => void)[];

function client() {
  workers = [];
  die = [];
  return makeClient({
    startWorker: () => {
      const worker = new FakeWorker();
      workers.push(worker);
      return worker;
    },
    settings: { modelsUrl: 'http://localhost/models/', preference: 'automatic' },
    locks: { request: ((_: string, callback: () => void) => void die.push(callback)) as unknown as LockManager['request'] },
    randomName: () => `life-${workers.length}`,
  });
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('engine client', () => {
  test('a call is answered, with progress before', async () => {
    const fractions: number[] = [];
    const answer = client().call('engine', null, { onProgress: (fraction) => fractions.push(fraction) });
    const { id } = workers[0]!.lastCall;
    workers[0]!.say({ type: 'progress', id, fraction: 0.5 });
    workers[0]!.say({ type: 'answer', id, answer: report });
    expect(await answer).toEqual(report);
    expect(fractions).toEqual([0.5]);
  });

  test('what was found on the way is heard until the call is stopped', async () => {
    const stop = new AbortController();
    const found: unknown[] = [];
    const answer = client().call('engine', null, { signal: stop.signal, onPartial: (partial) => found.push(partial) });
    const { id } = workers[0]!.lastCall;
    workers[0]!.say({ type: 'partial', id, answer: report });
    stop.abort();
    workers[0]!.say({ type: 'partial', id, answer: { ...report, reason: 'too late' } });
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
    expect(found).toEqual([report]);
  });

  test('a stopped call rejects with AbortError and the worker is told', async () => {
    const stop = new AbortController();
    const answer = client().call('engine', null, { signal: stop.signal });
    stop.abort();
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
    expect(workers[0]!.sent.at(-1)).toMatchObject({ type: 'cancel' });
  });

  test('a killed worker fails its calls with worker_failed, and the next call starts another', async () => {
    const engine = client();
    const answer = engine.call('engine', null);
    workers[0]!.say({ type: 'alive' });
    die[0]!();
    await expect(answer).rejects.toMatchObject({ code: 'worker_failed' });
    const second = engine.call('engine', null);
    expect(workers).toHaveLength(2);
    workers[1]!.say({ type: 'answer', id: workers[1]!.lastCall.id, answer: report });
    expect(await second).toEqual(report);
  });

  test('the death of a worker that was replaced harms nobody', async () => {
    const engine = client();
    void engine.call('engine', null).catch(() => {});
    workers[0]!.say({ type: 'alive' });
    engine.restart({ preference: 'cpu' });
    const answer = engine.call('engine', null);
    die[0]!();
    workers[1]!.say({ type: 'answer', id: workers[1]!.lastCall.id, answer: report });
    expect(await answer).toEqual(report);
    expect(workers[1]!.sent[0]).toMatchObject({ type: 'settings', settings: { preference: 'cpu' } });
  });

  test('a worker that says nothing for too long counts as failed; one that reports does not', async () => {
    const engine = client();
    const answer = engine.call('engine', null, { silenceMs: 1000 });
    const outcome = expect(answer).rejects.toMatchObject({ code: 'worker_failed' });
    await vi.advanceTimersByTimeAsync(900);
    workers[0]!.say({ type: 'progress', id: workers[0]!.lastCall.id, fraction: 0.1 });
    await vi.advanceTimersByTimeAsync(900);
    expect(workers[0]!.isTerminated).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    await outcome;
    expect(workers[0]!.isTerminated).toBe(true);
  });

  test('an error with a code arrives with its code', async () => {
    const answer = client().call('packs', null);
    workers[0]!.say({
      type: 'error',
      id: workers[0]!.lastCall.id,
      error: { name: 'AppError', code: 'pack_digest_mismatch', message: 'weights.bin was changed.' },
    });
    await expect(answer).rejects.toMatchObject({ code: 'pack_digest_mismatch', message: 'weights.bin was changed.' });
  });
});
