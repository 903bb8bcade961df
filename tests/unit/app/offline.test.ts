import { expect, test, vi } from 'vitest';
import { Offline } from '#app/offline.svelte.ts';

/** A service worker as far as it is used: it answers what it keeps, and changes its state when told. */
class FakeWorker extends EventTarget {
  state = 'installing';
  readonly said: unknown[] = [];
  readonly #kept: { files: number; total: number; bytes: number };

  constructor(kept = { files: 3, total: 3, bytes: 300 }) {
    super();
    this.#kept = kept;
  }

  postMessage(message: { type: string }, ports: readonly MessagePort[] = []): void {
    this.said.push(message.type);
    ports[0]?.postMessage(this.#kept);
  }

  become(state: string): void {
    this.state = state;
    this.dispatchEvent(new Event('statechange'));
  }
}

class FakeRegistration extends EventTarget {
  installing: FakeWorker | null = null;
  waiting: FakeWorker | null = null;
  active: FakeWorker | null = null;
  readonly update = vi.fn(async () => {});
}

function opened(registration: FakeRegistration, controller: object | null = {}) {
  const container = Object.assign(new EventTarget(), { controller });
  const reload = vi.fn();
  const offline = new Offline({
    register: async () => registration as unknown as ServiceWorkerRegistration,
    container: container as unknown as ServiceWorkerContainer,
    reload,
  });
  return { offline, container, reload };
}

test('the first visit gets ready, tells how far it is, and then says so', async () => {
  const registration = new FakeRegistration();
  const worker = (registration.installing = new FakeWorker());
  const { offline, container } = opened(registration, null);
  await offline.start();
  expect(offline.state).toBe('preparing');
  container.dispatchEvent(new MessageEvent('message', { data: { type: 'progress', done: 1, total: 3, bytes: 100 } }));
  expect([offline.done, offline.total]).toEqual([1, 3]);
  registration.active = worker;
  worker.become('activated');
  await vi.waitFor(() => expect(offline.state).toBe('ready'));
  expect(offline.isUpdateReady).toBe(false);
});

test('a visit whose files are not those of the build says that it is not ready', async () => {
  const registration = new FakeRegistration();
  const worker = (registration.installing = new FakeWorker());
  const { offline } = opened(registration, null);
  await offline.start();
  worker.become('redundant');
  expect(offline.state).toBe('failed');
});

test('files that the browser dropped are noticed', async () => {
  const registration = new FakeRegistration();
  registration.active = new FakeWorker({ files: 1, total: 3, bytes: 100 });
  const { offline } = opened(registration);
  await offline.start();
  expect(offline.state).toBe('partial');
});

test('a new version waits; taking it keeps what is typed first, then reloads once', async () => {
  const registration = new FakeRegistration();
  registration.active = new FakeWorker();
  const { offline, container, reload } = opened(registration);
  await offline.start();
  const next = (registration.installing = new FakeWorker());
  registration.dispatchEvent(new Event('updatefound'));
  registration.waiting = next;
  next.become('installed');
  expect(offline.isUpdateReady).toBe(true);
  expect([next.said, reload.mock.calls.length]).toEqual([[], 0]);

  const keep = vi.fn(async () => expect(next.said).toEqual([]));
  offline.beforeReload(keep);
  await offline.useUpdate();
  expect(keep).toHaveBeenCalledOnce();
  expect(next.said).toEqual(['take-over']);
  next.become('activated');
  container.dispatchEvent(new Event('controllerchange'));
  await vi.waitFor(() => expect(reload).toHaveBeenCalledOnce());
});

test('another tab took the new version: this one keeps what is typed and reloads', async () => {
  const registration = new FakeRegistration();
  registration.active = new FakeWorker();
  const { offline, container, reload } = opened(registration);
  await offline.start();
  const keep = vi.fn();
  offline.beforeReload(keep);
  container.dispatchEvent(new Event('controllerchange'));
  await vi.waitFor(() => expect(reload).toHaveBeenCalledOnce());
  expect(keep).toHaveBeenCalledOnce();
});
