/** What the page and the vault's worker say to each other. Keys stay in the worker; secrets cross once, towards it. */
import type { ErrorCode } from '#domain/errors.ts';
import type { Canary } from './canary.ts';
import type { KdfParameters, Secret, WrapKind } from './keys.ts';
import type { OpenedRow, Writing } from './open-vault.ts';
import type { TableName } from './tables.ts';
import type { AuditEntry, AuditEvent, BackupContents, Damage, ErasureReport, Found, StorageReport } from './vault.ts';

/** Of the database, the folder, locks and channels. */
export const vaultName = 'counterpart';

export interface OpenFacts {
  readonly isLasting: boolean;
  readonly isDemonstration: boolean;
}

export interface Ways {
  readonly ways: readonly { readonly kind: WrapKind; readonly credentialId: string | null }[];
}

interface Call<Argument, Answer> {
  readonly argument: Argument;
  readonly answer: Answer;
}

/** Every call with its argument and its answer. */
export interface Calls {
  readonly look: Call<{ readonly canary: Canary | null }, Found>;
  readonly create: Call<Secret, OpenFacts & { readonly recoveryKey: string | null }>;
  readonly unlock: Call<Secret, OpenFacts>;
  readonly recover: Call<Secret, OpenFacts>;
  readonly openBackup: Call<{ readonly file: Blob; readonly secret: Secret; readonly canary: Canary | null }, BackupContents>;
  readonly restore: Call<{ readonly canary: Canary | null }, OpenFacts>;
  readonly closeBackup: Call<null, null>;
  readonly lookAtBackup: Call<Blob, Ways>;
  readonly rescue: Call<null, Blob | null>;
  readonly startOver: Call<null, null>;
  /** Rows come before, as pieces. */
  readonly all: Call<TableName, { readonly unreadable: number }>;
  readonly get: Call<{ readonly table: TableName; readonly id: string }, OpenedRow | null>;
  /** Rows of a writing that is too much for one message; nothing is written until `put` names the batch. */
  readonly hand: Call<{ readonly batch: number; readonly writings: readonly Writing[] }, null>;
  /** All or none, after those that were handed over under `batch`. */
  readonly put: Call<
    { readonly table: TableName; readonly batch?: number; readonly writings: readonly Writing[] },
    readonly number[]
  >;
  readonly remove: Call<{ readonly table: TableName; readonly id: string }, null>;
  readonly erase: Call<string, ErasureReport>;
  readonly appendLog: Call<AuditEvent, null>;
  readonly readLog: Call<
    null,
    { readonly entries: readonly AuditEntry[]; readonly brokenAt: number | null; readonly headCode: string }
  >;
  readonly checkCode: Call<string, number | null>;
  readonly storage: Call<null, StorageReport>;
  readonly ways: Call<null, readonly { readonly id: string; readonly kind: WrapKind; readonly kdf: KdfParameters | null }[]>;
  readonly setSecret: Call<{ readonly current: Secret; readonly next: Secret }, null>;
  readonly newRecoveryKey: Call<Secret, string>;
  readonly removeWay: Call<{ readonly current: Secret; readonly id: string }, null>;
  readonly backup: Call<null, Blob>;
  readonly lock: Call<null, null>;
}

export type CallName = keyof Calls;

export type ToWorker = {
  [Name in CallName]: {
    readonly type: 'call';
    readonly id: number;
    readonly name: Name;
    readonly argument: Calls[Name]['argument'];
  };
}[CallName];

/** What the worker says by itself. */
export type Told =
  /** To be kept outside the main store; null: everything was deleted. `replaces`: even one with a later commit. */
  | { readonly type: 'canary'; readonly canary: Canary | null; readonly replaces: boolean }
  | { readonly type: 'damage'; readonly damage: Damage }
  /** Another tab locked: what is being typed is to be put, and the worker then ended. It ends by itself a little later. */
  | { readonly type: 'locking' }
  /** Another vault took the place of this one, or everything was deleted, in another tab. */
  | { readonly type: 'ended' };

export type FromWorker =
  | Told
  /** Sent once; the worker holds the Web Lock of that name for as long as it lives. */
  | { readonly type: 'alive'; readonly lock: string }
  | { readonly type: 'piece'; readonly id: number; readonly rows: readonly OpenedRow[] }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Calls[CallName]['answer'] }
  | { readonly type: 'error'; readonly id: number; readonly error: SentError };

export interface SentError {
  readonly code: ErrorCode | null;
  readonly message: string;
}
