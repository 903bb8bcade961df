/** The import worker: reads files of strangers, away from the page, the vault and the network. It speaks only when spoken to, but for saying that it lives. */
import { holdLifeLock } from '../life-lock.ts';
import { lockDown } from '../lockdown.ts';
import { AppError } from '#domain/errors.ts';
import type { FromImportWorker, ImportCalls, ToImportWorker } from './protocol.ts';
import { ImportSession } from './session.ts';
import type { FileSource } from './tables/text-file.ts';

/** What TypeScript's two libraries disagree on; this file runs in a dedicated worker. */
interface WorkerScope {
  postMessage(message: FromImportWorker): void;
  onmessage: ((event: MessageEvent<ToImportWorker>) => void) | null;
}
const scope = globalThis as unknown as WorkerScope & typeof globalThis;

lockDown(scope, () => false);

const session = new ImportSession();
const stops = new Map<number, AbortController>();
let last: Promise<void> = Promise.resolve();

scope.onmessage = ({ data }) => {
  if (data.type === 'cancel') {
    stops.get(data.id)?.abort();
    return;
  }
  const stop = new AbortController();
  stops.set(data.id, stop);
  // One after the other: a call may replace what the one before it left.
  last = last.then(() => answer(data, stop.signal)).finally(() => stops.delete(data.id));
};

const lock = `import-${crypto.randomUUID()}`;
holdLifeLock(lock, () => scope.postMessage({ type: 'alive', lock }));

async function answer(call: Exclude<ToImportWorker, { type: 'cancel' }>, signal: AbortSignal): Promise<void> {
  const { id } = call;
  const hooks = {
    signal,
    onProgress: (progress: { done: number; total: number }) => scope.postMessage({ type: 'progress', id, progress }),
  };
  try {
    signal.throwIfAborted();
    const found: ImportCalls[keyof ImportCalls]['answer'] =
      call.name === 'open'
        ? await session.open(call.argument.files.map(sourceOf), hooks)
        : await session.call(call.name, call.argument, hooks);
    if (!signal.aborted) scope.postMessage({ type: 'answer', id, answer: found });
  } catch (error) {
    const name = error instanceof Error ? error.name : 'Error';
    // The message of an unforeseen error might quote a cell; what a person can mend has a code.
    const message = error instanceof AppError ? error.message : 'The file could not be read.';
    scope.postMessage({ type: 'error', id, name, code: error instanceof AppError ? error.code : null, message });
  }
}

function sourceOf(file: File): FileSource {
  return {
    name: file.name,
    size: file.size,
    async *chunks() {
      const reader = file.stream().getReader();
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return;
          yield value;
        }
      } finally {
        await reader.cancel();
      }
    },
  };
}
