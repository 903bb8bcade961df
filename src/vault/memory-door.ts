/** A door without a worker, whose vault lives as long as its device object: for tests of what uses a vault. */
import { openDoor } from './client.ts';
import type { WorkerLike } from './client.ts';
import { VaultHost } from './host.ts';
import type { PeerMessage } from './host.ts';
import type { Exclusive } from './open-vault.ts';
import type { ToWorker } from './protocol.ts';
import { memoryHouse } from './memory-store.ts';
import { SecondCopy } from './second-copy.ts';
import type { Folder } from './second-copy.ts';
import { makeServer } from './serve.ts';
import type { StoreHouse } from './store.ts';
import { soleTab } from './tabs.ts';
import type { Tabs } from './tabs.ts';
import type { VaultDoor } from './vault.ts';

/** What several doors share: several tabs of one browser, or one tab before and after a reload. */
export interface MemoryDevice {
  readonly houses: readonly StoreHouse[];
  /** The private file system; null where there is none. */
  readonly folder: Folder | null;
  readonly memory: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  readonly exclusive: Exclusive;
  readonly listeners: Set<(message: PeerMessage) => void>;
}

export function memoryDevice(): MemoryDevice {
  const items = new Map<string, string>();
  return {
    houses: [memoryHouse()],
    folder: null,
    memory: {
      getItem: (key) => items.get(key) ?? null,
      setItem: (key, text) => void items.set(key, text),
      removeItem: (key) => void items.delete(key),
    },
    exclusive: oneAtATime(),
    listeners: new Set(),
  };
}

export interface MemoryDoorOptions {
  readonly device?: MemoryDevice;
  readonly tabs?: Tabs;
  /** Milliseconds since 1970; default the clock. */
  readonly now?: () => number;
}

export function memoryDoor({ device = memoryDevice(), tabs = soleTab(), now = Date.now }: MemoryDoorOptions = {}): VaultDoor {
  return openDoor({
    startWorker: () => inProcess(device, now),
    openTabs: async () => tabs,
    memory: device.memory,
    locks: { request: () => new Promise(() => {}) } as unknown as LockManager,
  });
}

function inProcess(device: MemoryDevice, now: () => number): WorkerLike {
  let listener: ((message: PeerMessage) => void) | null = null;
  const post = (message: PeerMessage) => device.listeners.forEach((one) => one !== listener && one(message));
  const host = new VaultHost({
    houses: device.houses,
    memory: memoryHouse(),
    copy: device.folder
      ? new SecondCopy({ folder: async () => device.folder!, randomName: () => crypto.randomUUID(), post })
      : null,
    keys: {
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      now: () => performance.now(),
      // The floor: a test does not wait for what a person would.
      kdf: { name: 'argon2id', memoryKiB: 19 * 1024, iterations: 2, parallelism: 1 },
    },
    exclusive: device.exclusive,
    now,
    tell: (told) => worker.onmessage?.({ data: told } as MessageEvent),
    peers: {
      post,
      onMessage(hear) {
        listener = hear;
        device.listeners.add(hear);
      },
    },
    storage: { isPersistent: async () => null, bytes: async () => null },
  });
  const answer = makeServer(host, (message) => worker.onmessage?.({ data: message } as MessageEvent));
  const worker: WorkerLike = {
    onmessage: null,
    onerror: null,
    // As a real message is: a proxy cannot be sent, and nothing is shared.
    postMessage: (message) => void answer(copied(message)),
    terminate() {
      host.close();
      if (listener) device.listeners.delete(listener);
    },
  };
  return worker;
}

/** Files are handed over as they are: not every environment of tests can clone one. */
function copied(message: ToWorker): ToWorker {
  return message.name === 'openBackup' || message.name === 'lookAtBackup' ? message : structuredClone(message);
}

function oneAtATime(): Exclusive {
  const last = new Map<string, Promise<unknown>>();
  return (what, work) => {
    const next = (last.get(what) ?? Promise.resolve()).then(work, work);
    last.set(
      what,
      next.catch(() => {}),
    );
    return next;
  };
}
