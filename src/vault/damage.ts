/** What differs between the main store and what is remembered of it. Everything here is seen without a key. */
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

export interface SealedMain {
  readonly kind: 'sealed';
  readonly generation: number;
  readonly store: MainStore;
  readonly header: VaultHeader | null;
  readonly commit: number;
  readonly note: CommitNote;
  /** Rows that are there, whatever `note` says; null where they could not be counted. */
  readonly counts: Counts | null;
}

const none = countEach(() => 0);

/** Null when nothing differs. */
export function damageOf(main: Main, copy: CopySummary | null, canary: Canary | null): Damage | null {
  const kind = kindOf(main, copy, canary);
  if (!kind) return null;
  const remembered = [copy && { commit: copy.commit, counts: copy.note.counts }, canary]
    .filter((one) => one !== null)
    .sort((a, b) => b.commit - a.commit)[0];
  const readable = main.kind === 'sealed' ? main.counts : main.kind === 'plain' ? main.counts : null;
  return {
    kind,
    remembered: remembered?.counts ?? (main.kind === 'sealed' ? main.note.counts : null),
    readable: readable ?? none,
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
  // The second copy of another vault is no memory of this one where the page's own memory names this one, and the reverse.
  const own = [copy, canary].filter((one) => one !== null && one.vaultId === header.vaultId);
  if (isRemembered && own.length === 0) return 'rolled-back';
  if (own.some((one) => one !== null && one.commit > main.commit)) return 'rolled-back';
  return canary?.isSuspect && canary.vaultId === header.vaultId ? 'disk-full' : null;
}
