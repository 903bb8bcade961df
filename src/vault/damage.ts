/** What differs between the main store and what is remembered of it. Everything here is seen without a key. */
import { isLater } from './canary.ts';
import type { Canary } from './canary.ts';
import type { VaultHeader } from './keys.ts';
import type { CommitNote } from './open-vault.ts';
import type { CopySummary } from './second-copy.ts';
import type { MainStore } from './store.ts';
import { countEach, tableNames } from './tables.ts';
import type { Counts } from './tables.ts';
import type { Damage } from './vault.ts';

/** What stands in the main store. */
export type Main =
  | { readonly kind: 'absent' }
  | { readonly kind: 'broken' }
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'plain'; readonly generation: number; readonly store: MainStore; readonly counts: Counts }
  | SealedMain;

interface SealedMain {
  readonly kind: 'sealed';
  readonly generation: number;
  readonly store: MainStore;
  readonly header: VaultHeader | null;
  readonly commit: number;
  readonly note: CommitNote;
  /** Rows that are there, whatever `note` says; null where they could not be counted. */
  readonly counts: Counts | null;
}

/** The browser refused a write for its quota: nothing else is wrong. */
export function isFull(cause: unknown): boolean {
  for (let error = cause; error instanceof Error;) {
    if (error.name === 'QuotaExceededError') return true;
    // Dexie keeps what ended a transaction as `inner`.
    error = 'inner' in error && error.inner !== error ? error.inner : error.cause;
  }
  return false;
}

const none = countEach(() => 0);

/** Null when nothing differs. */
export function damageOf(main: Main, copy: CopySummary | null, canary: Canary | null): Damage | null {
  const kind = kindOf(main, copy, canary);
  if (!kind) return null;
  const copied = copy && { ...copy, counts: copy.note.counts };
  const remembered = copied && canary ? (isLater(canary, copied) ? canary : copied) : (copied ?? canary);
  return {
    kind,
    remembered: remembered?.counts ?? (main.kind === 'sealed' ? main.note.counts : null),
    readable: ('counts' in main ? main.counts : null) ?? none,
    secondCopy: copy && { at: copy.at, counts: copy.note.counts },
  };
}

function kindOf(main: Main, copy: CopySummary | null, canary: Canary | null): Damage['kind'] | null {
  const isRemembered = copy !== null || canary !== null;
  if (main.kind === 'newer') return null;
  if (main.kind === 'broken') return isRemembered ? 'will-not-open' : null;
  // Rows of version 1 beside a memory of a vault: an old profile was put back.
  if (main.kind === 'absent' || main.kind === 'plain') return isRemembered ? 'emptied' : null;
  const { header, counts, note } = main;
  if (!header) return 'header-missing';
  if (!counts || tableNames.some((table) => counts[table] < note.counts[table])) return 'unreadable';
  // A store is rebuilt on purpose only: what remembers an earlier generation was not told yet.
  if ([copy, canary].some((one) => one && isLater(one, main))) return 'rolled-back';
  if ([copy, canary].some((one) => one?.generation === main.generation && one.vaultId !== header.vaultId)) return 'rolled-back';
  return canary?.isSuspect && canary.generation === main.generation ? 'disk-full' : null;
}
