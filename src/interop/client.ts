/** The import worker as the page sees it. It holds the files' contents for as long as it lives; `close` forgets them. */
import { AppError } from '#domain/errors.ts';
import type { FromImportWorker, ImportCallName, ImportCalls, ImportProgress, ToImportWorker } from './protocol.ts';

export interface ImportHooks {
  readonly onProgress?: (progress: ImportProgress) => void;
  readonly signal?: AbortSignal;
}

export interface ImportClient {
  /** Rejects with an AbortError when the signal fires, and with `import_refused` when the worker died: then `open` starts afresh. */
  call<Name extends ImportCallName>(
    name: Name,
    argument: ImportCalls[Name]['argument'],
    hooks?: ImportHooks,
  ): Promise<ImportCalls[Name]['answer']>;
  /** Ends the worker and with it everything that was read. */
  close(): void;
}

/** The parts of a Worker that are used, so that tests can bring their own. */
export interface ImportWorkerLike {
  postMessage(message: ToImportWorker): void;
  terminate(): void;
  onmessage: ((event: MessageEvent<FromImportWorker>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
}

interface Pending {
  readonly succeed: (answer: ImportCalls[ImportCallName]['answer']) => void;
  readonly fail: (error: unknown) => void;
  readonly onProgress: ImportHooks['onProgress'];
}

export function makeImportClient(
  startWorker: () => ImportWorkerLike,
  /** For noticing a worker that was killed; default the browser's. */
  locks: Pick<LockManager, 'request'> = navigator.locks,
): ImportClient {
  let worker: ImportWorkerLike | null = null;
  let lastId = 0;
  const pending = new Map<number, Pending>();

  function start(): ImportWorkerLike {
    const started = startWorker();
    started.onmessage = ({ data }) => {
      if (data.type === 'alive') {
        void locks.request(data.lock, () => {
          if (started === worker) end(workerEnded());
        });
        return;
      }
      const call = pending.get(data.id);
      if (!call) return;
      if (data.type === 'progress') call.onProgress?.(data.progress);
      else if (data.type === 'answer') call.succeed(data.answer);
      else call.fail(received(data));
    };
    started.onerror = (event) => {
      event.preventDefault();
      if (started === worker) end(workerEnded());
    };
    return started;
  }

  function end(reason: unknown): void {
    worker?.terminate();
    worker = null;
    for (const call of [...pending.values()]) call.fail(reason);
  }

  return {
    call(name, argument, { onProgress, signal } = {}) {
      return new Promise((done, failed) => {
        if (signal?.aborted) return failed(stopped());
        const id = ++lastId;
        worker ??= start();
        const own = worker;
        const settle = () => {
          pending.delete(id);
          signal?.removeEventListener('abort', cancel);
        };
        const cancel = () => {
          settle();
          own.postMessage({ type: 'cancel', id });
          failed(stopped());
        };
        pending.set(id, {
          onProgress,
          succeed(answer) {
            settle();
            done(answer as ImportCalls[typeof name]['answer']);
          },
          fail(error) {
            settle();
            failed(error);
          },
        });
        signal?.addEventListener('abort', cancel);
        own.postMessage({ type: 'call', id, name, argument } as ToImportWorker);
      });
    },
    close: () => end(stopped()),
  };
}

function stopped(): DOMException {
  return new DOMException('The import was stopped.', 'AbortError');
}

function workerEnded(): AppError {
  return new AppError(
    'import_refused',
    'Reading stopped unexpectedly: the browser ended the worker that reads files, perhaps for want of memory. Nothing was imported. Choose the files again, or split them.',
  );
}

function received({ name, code, message }: Extract<FromImportWorker, { type: 'error' }>): Error {
  if (code) return new AppError(code, message);
  if (name === 'AbortError') return stopped();
  return new Error(message);
}
