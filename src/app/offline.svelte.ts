/** Whether this device holds all of the app, and whether a newer version waits. Knows no page. */
import type { FromServiceWorker, KeptFiles, ToServiceWorker } from '#guard/service-worker-messages.ts';

export interface OfflineParts {
  /** Null where there is no service worker: in development, or in a browser without one. */
  readonly register: (() => Promise<ServiceWorkerRegistration>) | null;
  readonly container: Pick<ServiceWorkerContainer, 'addEventListener' | 'controller'> | null;
  readonly reload: () => void;
}

export class Offline {
  /** `partial`: the browser dropped files that it had kept. */
  state = $state<'off' | 'preparing' | 'ready' | 'partial' | 'failed'>('off');
  /** Files kept so far, of `total`; `bytes` of those kept. */
  done = $state(0);
  total = $state(0);
  bytes = $state(0);
  /** A newer version is on this device and waits to be taken. */
  isUpdateReady = $state(false);
  #registration: ServiceWorkerRegistration | null = null;
  #isReloading = false;
  readonly #parts: OfflineParts;
  readonly #keepers = new Set<() => Promise<unknown> | void>();

  constructor(parts: OfflineParts) {
    this.#parts = parts;
  }

  /** The service worker in use, to ask it things. */
  get worker(): ServiceWorker | null {
    return this.#registration?.active ?? null;
  }

  async start(): Promise<void> {
    const { register, container } = this.#parts;
    if (!register || !container) return;
    this.state = 'preparing';
    container.addEventListener('message', ({ data }: MessageEvent<FromServiceWorker>) => {
      if (data.type !== 'progress' || this.state === 'ready') return;
      this.done = data.done;
      this.total = data.total;
      this.bytes = data.bytes;
    });
    // Another tab took the newer version: this one's parts are no longer there to be fetched.
    const hadController = container.controller !== null;
    container.addEventListener('controllerchange', () => {
      if (hadController) void this.#reload();
    });
    try {
      const registration = await register();
      this.#registration = registration;
      this.#watch(registration.installing);
      registration.addEventListener('updatefound', () => this.#watch(registration.installing));
      this.isUpdateReady = registration.waiting !== null && registration.active !== null;
      if (registration.active) await this.look();
    } catch {
      // Forecasts run all the same; the page says that it needs the network.
      this.state = 'failed';
    }
  }

  #watch(worker: ServiceWorker | null): void {
    worker?.addEventListener('statechange', () => {
      if (worker.state === 'installed') this.isUpdateReady = this.#registration?.active != null;
      else if (worker.state === 'activated') void this.look();
      else if (worker.state === 'redundant' && this.state === 'preparing') this.state = 'failed';
    });
  }

  /** Asks the service worker what it keeps. */
  async look(): Promise<void> {
    const { worker } = this;
    if (!worker) return;
    const { files, total, bytes } = await ask<KeptFiles>(worker, { type: 'kept' });
    this.done = files;
    this.total = total;
    this.bytes = bytes;
    this.state = files === total ? 'ready' : 'partial';
  }

  /** Asks the server whether there is a newer version; the browser does so by itself when the app is opened. */
  async lookForUpdate(): Promise<void> {
    await this.#registration?.update();
  }

  /** What must be done before the page is loaded anew, such as keeping what is being typed. */
  beforeReload(keep: () => Promise<unknown> | void): () => void {
    this.#keepers.add(keep);
    return () => void this.#keepers.delete(keep);
  }

  /** Takes the newer version, here and in every other tab: each keeps its drafts and loads anew. */
  async useUpdate(): Promise<void> {
    const waiting = this.#registration?.waiting;
    if (!waiting) return;
    await this.#keep();
    waiting.addEventListener('statechange', () => {
      if (waiting.state === 'activated') void this.#reload();
    });
    waiting.postMessage({ type: 'take-over' } satisfies ToServiceWorker);
  }

  async #keep(): Promise<void> {
    await Promise.allSettled([...this.#keepers].map((keep) => keep()));
  }

  async #reload(): Promise<void> {
    if (this.#isReloading) return;
    this.#isReloading = true;
    await this.#keep();
    this.#parts.reload();
  }
}

export function ask<Answer>(worker: Pick<ServiceWorker, 'postMessage'>, message: ToServiceWorker): Promise<Answer> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((done) => {
    port1.onmessage = ({ data }) => {
      port1.close();
      done(data as Answer);
    };
    worker.postMessage(message, [port2]);
  });
}
