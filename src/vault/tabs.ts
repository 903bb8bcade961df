/**
 * Several tabs, one writer. The writer holds a Web Lock; the browser hands it on when that tab closes or dies, so no heartbeat and no
 * clock decides. Another tab may take the lock over when its person says so.
 */
import type { TableName } from './tables.ts';

export interface Change {
  readonly table: TableName;
  readonly id: string;
}

export interface Tabs {
  readonly isWriter: boolean;
  onRole(listener: (isWriter: boolean) => void): () => void;
  /** Makes this the writing tab; the other one becomes a reader. */
  takeOver(): Promise<void>;
  announce(change: Change): void;
  onAnnounced(listener: (change: Change) => void): () => void;
  close(): void;
}

function listeners<T>() {
  const all = new Set<(value: T) => void>();
  return {
    call: (value: T) => all.forEach((listener) => listener(value)),
    add(listener: (value: T) => void) {
      all.add(listener);
      return () => void all.delete(listener);
    },
  };
}

/** For a vault that nobody shares. */
export function soleTab(): Tabs {
  return {
    isWriter: true,
    onRole: () => () => {},
    takeOver: async () => {},
    announce() {},
    onAnnounced: () => () => {},
    close() {},
  };
}

export interface BrowserParts {
  readonly name: string;
  readonly locks: LockManager;
  readonly channel: BroadcastChannel;
}

/** Resolves when it is known whether this tab writes. */
export async function browserTabs({ name, locks, channel }: BrowserParts): Promise<Tabs> {
  const roles = listeners<boolean>();
  const changes = listeners<Change>();
  let isWriter = false;
  let release = () => {};
  const waiting = new AbortController();
  channel.onmessage = (event: MessageEvent<Change>) => changes.call(event.data);

  function setRole(next: boolean): void {
    if (next === isWriter) return;
    isWriter = next;
    roles.call(next);
  }

  /** Holds the lock until `release`, or until another tab steals it. Resolves when the lock is held or was refused. */
  function hold(options: LockOptions): Promise<void> {
    return new Promise((held) => {
      locks
        .request(name, options, (lock) => {
          if (!lock) return held();
          setRole(true);
          held();
          return new Promise<void>((done) => (release = done));
        })
        .catch(() => {
          // Stolen, or the wait was called off on closing.
          setRole(false);
          held();
          if (!waiting.signal.aborted) void hold({ signal: waiting.signal });
        });
    });
  }

  await hold({ ifAvailable: true });
  if (!isWriter) void hold({ signal: waiting.signal });

  return {
    get isWriter() {
      return isWriter;
    },
    onRole: roles.add,
    takeOver: () => (isWriter ? Promise.resolve() : hold({ steal: true })),
    announce: (change) => channel.postMessage(change),
    onAnnounced: changes.add,
    close() {
      waiting.abort();
      release();
      channel.close();
    },
  };
}
