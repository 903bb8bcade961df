/** The vault's worker: alone holds keys, rows and the second copy. Its composition root. */
import { holdLifeLock } from '../life-lock.ts';
import { lockDown } from '../lockdown.ts';
import { bucketHouse } from './bucket-house.ts';
import type { StorageBuckets } from './bucket-house.ts';
import { dexieHouse } from './dexie-store.ts';
import { VaultHost } from './host.ts';
import type { PeerMessage } from './host.ts';
import { memoryHouse } from './memory-store.ts';
import type { Exclusive } from './open-vault.ts';
import { vaultName } from './protocol.ts';
import type { FromWorker, ToWorker } from './protocol.ts';
import { SecondCopy } from './second-copy.ts';
import type { Folder } from './second-copy.ts';
import { makeServer } from './serve.ts';

/** What TypeScript's two libraries disagree on; this file runs in a dedicated worker. */
interface WorkerScope {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
}
const scope = globalThis as unknown as WorkerScope & typeof globalThis;

lockDown(scope, () => false);

const exclusive: Exclusive = (what, work) => navigator.locks.request(`${vaultName}-${what}`, work) as ReturnType<typeof work>;
const channel = new BroadcastChannel(`${vaultName}-workers`);

const post = (message: PeerMessage) => channel.postMessage(message);

/** The folder of the second copy in the origin's private file system. */
async function openFolder(): Promise<Folder> {
  const root = await navigator.storage.getDirectory();
  return (await root.getDirectoryHandle(vaultName, { create: true })) as unknown as Folder;
}

const hasFiles = typeof FileSystemFileHandle !== 'undefined' && 'createSyncAccessHandle' in FileSystemFileHandle.prototype;
const copy = hasFiles ? new SecondCopy({ folder: openFolder, randomName: () => crypto.randomUUID(), post }) : null;

const { storageBuckets: buckets } = navigator as { readonly storageBuckets?: StorageBuckets };

const host = new VaultHost({
  houses: [dexieHouse(vaultName, indexedDB), ...(buckets ? [bucketHouse(vaultName, buckets)] : [])],
  memory: memoryHouse(),
  copy,
  keys: {
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    now: () => performance.now(),
  },
  exclusive,
  now: Date.now,
  tell: (told) => scope.postMessage(told),
  peers: {
    post,
    onMessage: (listener) => {
      channel.onmessage = ({ data }: MessageEvent<PeerMessage>) => listener(data);
    },
  },
  storage: {
    isPersistent: () => navigator.storage.persisted().catch(() => null),
    bytes: async () => (await navigator.storage.estimate()).usage ?? null,
  },
});

const answer = makeServer(host, (message) => scope.postMessage(message));
scope.onmessage = ({ data }) => void answer(data);

const lock = `${vaultName}-worker-${crypto.randomUUID()}`;
holdLifeLock(lock, () => scope.postMessage({ type: 'alive', lock }));
