/** The worker as the page sees it: calls that answer, report, stop, and fail in a way one can go on from. */
import { AppError } from '#domain/errors.ts';
import type { CallName, Calls, FromWorker, SentError, ToWorker, WorkerSettings } from './protocol.ts';

export interface CallHooks<Name extends CallName = CallName> {
  /** 0…1. */
  readonly onProgress?: (fraction: number) => void;
  /** Of calls that find piece by piece: what they would answer if they were stopped now. A call that is stopped answers nothing more. */
  readonly onPartial?: (answer: Calls[Name]['answer']) => void;
  readonly signal?: AbortSignal;
  /** The worker counts as hung after so long without a word about this call. Default 3 minutes: a software GPU builds pipelines slowly. */
  readonly silenceMs?: number;
}

export interface EngineClient {
  /** Rejects with an AbortError when the signal fires, and with `worker_failed` when the worker died; the next call starts a new one. */
  call<Name extends CallName>(
    name: Name,
    argument: Calls[Name]['argument'],
    hooks?: CallHooks<Name>,
  ): Promise<Calls[Name]['answer']>;
  /** Starts afresh with other settings; running calls fail. */
  restart(settings: Partial<Pick<WorkerSettings, 'preference'>>): void;
  dispose(): void;
}

/** The parts of a Worker that are used, so that tests can bring their own. */
export interface WorkerLike {
  postMessage(message: ToWorker): void;
  terminate(): void;
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
}

export interface ClientParts {
  readonly startWorker: () => WorkerLike;
  readonly settings: Omit<WorkerSettings, 'lifeLock'>;
  /** Absent where the page is not secure; then a killed worker is noticed by its silence. */
  readonly locks?: Pick<LockManager, 'request'> | undefined;
  readonly randomName: () => string;
}

interface Pending {
  readonly succeed: (answer: Calls[CallName]['answer']) => void;
  readonly fail: (error: unknown) => void;
  readonly heard: (fraction?: number) => void;
  readonly found: (answer: Calls[CallName]['answer']) => void;
}

export function makeClient({ startWorker, settings: first, locks, randomName }: ClientParts): EngineClient {
  let settings = first;
  let worker: WorkerLike | null = null;
  let lastId = 0;
  const pending = new Map<number, Pending>();

  function start(): WorkerLike {
    const started = startWorker();
    const lifeLock = randomName();
    started.onmessage = ({ data }) => {
      if (data.type === 'alive') {
        // Granted only when the worker is gone, however it went: closed, killed, or out of memory.
        void locks?.request(lifeLock, () => fail(started));
        return;
      }
      const call = pending.get(data.id);
      if (!call) return;
      if (data.type === 'progress') return call.heard(data.fraction);
      if (data.type === 'partial') return call.found(data.answer);
      if (data.type === 'answer') call.succeed(data.answer);
      else call.fail(received(data.error));
    };
    started.onerror = () => fail(started);
    started.postMessage({ type: 'settings', settings: { ...settings, lifeLock } });
    return started;
  }

  function fail(which: WorkerLike): void {
    if (which !== worker) return;
    stop();
    const error = new AppError(
      'worker_failed',
      'The calculation stopped unexpectedly: the browser ended its worker. Nothing you entered is lost. Run it again; a new worker starts by itself.',
    );
    for (const call of [...pending.values()]) call.fail(error);
  }

  function stop(): void {
    worker?.terminate();
    worker = null;
  }

  return {
    call(name, argument, { onProgress, onPartial, signal, silenceMs = 180_000 } = {}) {
      return new Promise((done, failed) => {
        if (signal?.aborted) return failed(stopped());
        const id = ++lastId;
        worker ??= start();
        const own = worker;
        let silence: ReturnType<typeof setTimeout>;
        const listen = () => {
          clearTimeout(silence);
          silence = setTimeout(() => fail(own), silenceMs);
        };
        const settle = () => {
          pending.delete(id);
          clearTimeout(silence);
          signal?.removeEventListener('abort', cancel);
        };
        const cancel = () => {
          settle();
          own.postMessage({ type: 'cancel', id });
          failed(stopped());
        };
        pending.set(id, {
          succeed(answer) {
            settle();
            done(answer as Calls[typeof name]['answer']);
          },
          fail(error) {
            settle();
            failed(error);
          },
          heard(fraction) {
            listen();
            if (fraction !== undefined) onProgress?.(fraction);
          },
          found(answer) {
            listen();
            onPartial?.(answer as Calls[typeof name]['answer']);
          },
        });
        signal?.addEventListener('abort', cancel);
        listen();
        own.postMessage({ type: 'call', id, name, argument } as ToWorker);
      });
    },
    restart(changed) {
      settings = { ...settings, ...changed };
      const old = worker;
      if (old) fail(old);
    },
    dispose: stop,
  };
}

function stopped(): DOMException {
  return new DOMException('The run was stopped.', 'AbortError');
}

function received({ name, code, message }: SentError): Error {
  if (code) return new AppError(code, message);
  if (name === 'AbortError') return stopped();
  return new Error(message);
}
