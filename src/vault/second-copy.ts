/** The second copy's contract, as the host of a vault uses it. */
import type { VaultHeader } from './keys.ts';
import type { CommitNote } from './open-vault.ts';
import type { Change, Contents } from './store.ts';

/** What the second copy remembers, read without opening anything. */
export interface CopySummary {
  readonly vaultId: string;
  readonly header: VaultHeader;
  readonly commit: number;
  readonly note: CommitNote;
  /** When it was last written, milliseconds since 1970. */
  readonly at: number;
}

export interface SecondCopy {
  summary(): Promise<CopySummary | null>;
  /** Every change that can be read, in no order; several of one row may be there. */
  changes(): Promise<readonly Change[]>;
  /** Writes and flushes one commit. Rejects where the file system refuses. */
  append(commit: number, changes: readonly Change[]): Promise<void>;
  /** Replaces everything by a verified snapshot of a vault at one commit; true once no file holds anything older. */
  replace(contents: Contents): Promise<boolean>;
  /** Bytes written since the last snapshot. */
  readonly pendingBytes: number;
  delete(): Promise<void>;
  close(): void;
}
