/** The vault's worker as the page sees it: the door, and the open vault behind it. */
import { AppError } from '#domain/errors.ts';
import { laterCanary, readCanary } from './canary.ts';
import type { Canary } from './canary.ts';
import type { Secret } from './keys.ts';
import type { OpenedRow } from './open-vault.ts';
import { vaultName } from './protocol.ts';
import type { CallName, Calls, FromWorker, OpenFacts, ToWorker } from './protocol.ts';
import type { TableName } from './tables.ts';
import { browserTabs } from './tabs.ts';
import type { Tabs } from './tabs.ts';
import type { Damage, Kept, Shelf, Vault, VaultDoor } from './vault.ts';

/** The parts of a Worker that are used, so that tests can bring their own. */
export interface WorkerLike {
  postMessage(message: ToWorker, options?: { transfer: ArrayBuffer[] }): void;
  terminate(): void;
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
}

interface DoorParts {
  readonly startWorker: () => unknown;
  /** Default: what the browser offers under the name 'counterpart'. */
  readonly openTabs?: () => Promise<Tabs>;
  /** Where the canary lies outside the vault's own storage; default localStorage. */
  readonly memory?: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  /** For noticing a worker that was killed; default the browser's. */
  readonly locks?: Pick<LockManager, 'request'>;
}

/** A record of an import may hold thousands of values. */
const rowsAtOnce = 10;

const canaryKey = `${vaultName}-canary`;

interface Pending {
  readonly succeed: (answer: never) => void;
  readonly fail: (error: unknown) => void;
  readonly piece: (rows: readonly OpenedRow[]) => void;
}

/** Drafts, settings and the rest belong to the tab that types them; these have one writing tab at a time. */
const writersOnly: ReadonlySet<TableName> = new Set(['patients', 'workspaces', 'frozen', 'mappings', 'corrections']);

export function openDoor({
  startWorker,
  openTabs = defaultTabs,
  memory = browserMemory(),
  locks = navigator.locks,
}: DoorParts): VaultDoor {
  const line = makeLine(startWorker, memory, locks);
  const canary = () => readCanary(memory.getItem(canaryKey));

  async function vaultOf(facts: OpenFacts): Promise<Vault> {
    return makeVault(line, facts, await openTabs());
  }

  const look = () => line.call('look', { canary: canary() });

  /** A worker opens only what it compared with what is remembered: one that was started anew has not looked yet. */
  async function looked(): Promise<void> {
    if (!line.hasLooked) await look();
  }

  return {
    look,
    async create(secret) {
      await looked();
      const { recoveryKey, ...facts } = await line.call('create', secret);
      return { vault: await vaultOf(facts), recoveryKey };
    },
    async unlock(secret) {
      await looked();
      return vaultOf(await line.call('unlock', secret));
    },
    async recover(secret) {
      await looked();
      return vaultOf(await line.call('recover', secret));
    },
    lookAtBackup: (file) => line.call('lookAtBackup', file),
    async openBackup(file, secret) {
      const contents = await line.call('openBackup', { file, secret, canary: canary() });
      return {
        ...contents,
        restore: async () => vaultOf(await line.call('restore', { canary: canary() })),
        close: () => line.call('closeBackup', null).then(() => {}),
      };
    },
    rescue: () => line.call('rescue', null),
    startOver: () => line.call('startOver', null).then(() => {}),
  };
}

interface Line {
  call<Name extends CallName>(
    name: Name,
    argument: Calls[Name]['argument'],
    piece?: (rows: readonly OpenedRow[]) => void,
  ): Promise<Calls[Name]['answer']>;
  /** The worker ended, on purpose or not; its keys are gone. */
  onEnd(listener: () => void): () => void;
  /** Another tab locked; the worker ends by itself soon. */
  onLocking(listener: () => void): () => void;
  /** The worker that runs now has looked at what is on the device. */
  readonly hasLooked: boolean;
  onDamage(listener: (found: Damage) => void): () => void;
  end(): void;
}

/** What a passkey gave is handed over and not copied, so that the page keeps nothing of it. */
function secretBytesIn(argument: unknown): ArrayBuffer[] {
  if (typeof argument !== 'object' || argument === null) return [];
  const secrets = [argument, ...Object.values(argument)] as readonly (Partial<Secret> | null)[];
  return secrets.flatMap((secret) => (secret?.kind === 'passkey' && 'prf' in secret && secret.prf ? [secret.prf.buffer] : []));
}

function makeLine(
  startWorker: () => unknown,
  memory: NonNullable<DoorParts['memory']>,
  locks: NonNullable<DoorParts['locks']>,
): Line {
  let worker: WorkerLike | null = null;
  let lastId = 0;
  let hasLooked = false;
  const pending = new Map<number, Pending>();
  const endings = new Set<() => void>();
  const lockings = new Set<() => void>();
  const damages = new Set<(found: Damage) => void>();

  function start(): WorkerLike {
    const started = startWorker() as WorkerLike;
    started.onmessage = ({ data }) => {
      if (data.type === 'canary') return remember(memory, data.canary, data.replaces);
      if (data.type === 'damage') return damages.forEach((listener) => listener(data.damage));
      if (data.type === 'ended') return end();
      if (data.type === 'locking') return lockings.forEach((listener) => listener());
      if (data.type === 'alive') {
        // Granted only when the worker is gone, however it went.
        void locks.request(data.lock, () => {
          if (worker === started) end();
        });
        return;
      }
      const call = pending.get(data.id);
      if (!call) return;
      if (data.type === 'piece') return call.piece(data.rows);
      pending.delete(data.id);
      if (data.type === 'answer') call.succeed(data.answer as never);
      else call.fail(data.error.code ? new AppError(data.error.code, data.error.message) : new Error(data.error.message));
    };
    started.onerror = () => {
      if (worker === started) end();
    };
    return started;
  }

  function end(): void {
    worker?.terminate();
    worker = null;
    hasLooked = false;
    const calls = [...pending.values()];
    pending.clear();
    for (const call of calls) call.fail(new AppError('vault_locked', 'The vault is locked. Unlock it and try again.'));
    endings.forEach((listener) => listener());
  }

  return {
    call(name, argument, piece = () => {}) {
      return new Promise((done, failed) => {
        const id = ++lastId;
        worker ??= start();
        hasLooked ||= name === 'look';
        pending.set(id, { succeed: done, fail: failed, piece });
        worker.postMessage({ type: 'call', id, name, argument } as ToWorker, { transfer: secretBytesIn(argument) });
      });
    },
    get hasLooked() {
      return hasLooked;
    },
    onEnd: (listener) => added(endings, listener),
    onLocking: (listener) => added(lockings, listener),
    onDamage: (listener) => added(damages, listener),
    end,
  };
}

function makeVault(line: Line, facts: OpenFacts, tabs: Tabs): Vault {
  let isClosed = false;
  let lastBatch = 0;
  const lockings = new Set<() => void>();
  const tellLocked = () => {
    if (!isClosed) lockings.forEach((listener) => listener());
  };
  // A worker that ended took the keys with it: whatever the reason, this tab is locked.
  line.onEnd(tellLocked);
  line.onLocking(tellLocked);

  function assertWriter(table: TableName): void {
    if (tabs.isWriter || !writersOnly.has(table)) return;
    throw new AppError(
      'vault_in_use',
      'Counterpart is open for editing in another tab. What you typed is kept here. Choose “Edit in this tab” and save again.',
    );
  }

  function shelf<T>(table: TableName, read: (stored: unknown) => T): Shelf<T> {
    const kept = ({ id, updatedAt, value }: OpenedRow): Kept<T> => ({ id, updatedAt, value: read(value) });
    return {
      async all() {
        const good: Kept<T>[] = [];
        let refused = 0;
        const { unreadable } = await line.call('all', table, (rows) => {
          for (const row of rows) {
            try {
              good.push(kept(row));
            } catch {
              refused++;
            }
          }
        });
        return { kept: good, unreadable: unreadable + refused };
      },
      async get(id) {
        const row = await line.call('get', { table, id });
        return row && kept(row);
      },
      async put(id, value, expected) {
        assertWriter(table);
        const [updatedAt] = await line.call('put', { table, writings: [{ id, value, expected }] });
        tabs.announce({ table, id });
        return updatedAt!;
      },
      async putAll(rows) {
        assertWriter(table);
        // In pieces: a message of many large records would hold the page while it is copied.
        const batch = ++lastBatch;
        let from = 0;
        for (; rows.length - from > rowsAtOnce; from += rowsAtOnce) {
          await line.call('hand', { batch, writings: rows.slice(from, from + rowsAtOnce) });
        }
        const times = await line.call('put', { table, batch, writings: rows.slice(from) });
        for (const { id } of rows) tabs.announce({ table, id });
        return times;
      },
      async remove(id) {
        assertWriter(table);
        await line.call('remove', { table, id });
        tabs.announce({ table, id });
      },
      onElsewhere: (listener) =>
        tabs.onAnnounced((change) => {
          if (change.table === table) listener(change.id);
        }),
    };
  }

  function close(): void {
    isClosed = true;
    tabs.close();
    line.end();
  }

  return {
    ...facts,
    tabs,
    shelf,
    audit: {
      append: (event) => line.call('appendLog', event).then(() => {}),
      read: () => line.call('readLog', null),
      check: (code) => line.call('checkCode', code),
    },
    async erase(patientId) {
      assertWriter('patients');
      const report = await line.call('erase', patientId);
      tabs.announce({ table: 'patients', id: patientId });
      return report;
    },
    storage: () => line.call('storage', null),
    // A worker may not ask.
    askToPersist: async () => facts.isLasting && (await navigator.storage.persist().catch(() => false)),
    ways: () => line.call('ways', null),
    setSecret: (current: Secret, next: Secret) => line.call('setSecret', { current, next }).then(() => {}),
    newRecoveryKey: (current) => line.call('newRecoveryKey', current),
    removeWay: (current, id) => line.call('removeWay', { current, id }).then(() => {}),
    backup: () => line.call('backup', null),
    async lock() {
      await line.call('lock', null);
      close();
    },
    onLocked: (listener) => added(lockings, listener),
    onDamage: line.onDamage,
    close,
  };
}

function remember(memory: NonNullable<DoorParts['memory']>, canary: Canary | null, replaces: boolean): void {
  try {
    if (!canary) return memory.removeItem(canaryKey);
    const next = replaces ? canary : laterCanary(readCanary(memory.getItem(canaryKey)), canary);
    memory.setItem(canaryKey, JSON.stringify(next));
  } catch {
    // The second copy remembers as well.
  }
}

/** Where the browser refuses it, nothing is remembered. */
function browserMemory(): NonNullable<DoorParts['memory']> {
  try {
    return localStorage;
  } catch {
    return { getItem: () => null, setItem() {}, removeItem() {} };
  }
}

function defaultTabs(): Promise<Tabs> {
  return browserTabs({
    name: `${vaultName}-writer`,
    locks: navigator.locks,
    channel: new BroadcastChannel(`${vaultName}-changes`),
  });
}

function added<T>(all: Set<T>, one: T): () => void {
  all.add(one);
  return () => void all.delete(one);
}
