/**
 * The vault as the page sees it: an interface to the vault's worker, which alone holds keys, rows and the second copy. Rows are sealed
 * one by one; nothing clinical is an index, a key, a name or a time in the clear.
 */
import type { KdfParameters, Secret, VaultHeader, WrapKind } from './keys.ts';
import type { TableName } from './tables.ts';
import type { Tabs } from './tabs.ts';

export interface Kept<T> {
  readonly id: string;
  /** Tells versions apart: later writings have a greater one, even when the clock was set back. Milliseconds since 1970. */
  readonly updatedAt: number;
  readonly value: T;
}

/** One kind of thing in the vault. */
export interface Shelf<T> {
  /** Everything that can be read; rows that cannot are counted and left untouched. */
  all(): Promise<{ readonly kept: readonly Kept<T>[]; readonly unreadable: number }>;
  get(id: string): Promise<Kept<T> | null>;
  /**
   * Resolves once the row is on the disk, with its new time. `expected` is the time of the version that was edited (null: new);
   * another one there is `vault_in_use`, and nothing is written.
   */
  put(id: string, value: T, expected: number | null | 'any'): Promise<number>;
  /** All or none, in one transaction. Rejects as `put` does, naming nothing. Gives the new times in order. */
  putAll(
    rows: readonly { readonly id: string; readonly value: T; readonly expected: number | null }[],
  ): Promise<readonly number[]>;
  /** Of a patient: shreds the key and removes everything that belongs to the person, here and in the second copy. */
  remove(id: string): Promise<void>;
  /** Another tab wrote or removed a row. */
  onElsewhere(listener: (id: string) => void): () => void;
}

/** What happened, without names and values. Who, when and which pack are part of it; the vault adds number, time and chain. */
export interface AuditEvent {
  readonly action:
    | 'vault.create'
    | 'vault.unlock'
    | 'vault.lock'
    | 'vault.recover'
    | 'secret.change'
    | 'backup.save'
    | 'backup.restore'
    | 'patient.open'
    | 'patient.save'
    | 'patient.erase'
    | 'import'
    | 'run'
    | 'forecast.freeze'
    | 'forecast.discard'
    | 'correction.change'
    | 'export'
    | 'consent.record'
    | 'consent.withdraw';
  /** Opaque id, never a name. */
  readonly patientId?: string;
  readonly packId?: string;
  /** A count, a format, a pack's digest: nothing clinical. */
  readonly detail?: string;
  /** The role that the person acknowledged with. */
  readonly role?: string;
}

export interface AuditEntry extends AuditEvent {
  /** From 1, without gaps. */
  readonly number: number;
  /** UTC, ISO 8601. */
  readonly at: string;
}

export interface AuditLog {
  append(event: AuditEvent): Promise<void>;
  /** Verified on the way: `brokenAt` is the number of the first entry that does not follow from the one before. */
  read(): Promise<{ readonly entries: readonly AuditEntry[]; readonly brokenAt: number | null; readonly headCode: string }>;
  /** Whether a head code that somebody wrote down belongs to this log, and to which entry. */
  check(headCode: string): Promise<number | null>;
}

export interface StorageReport {
  /** What `navigator.storage.persisted()` says; null where the browser cannot be asked. */
  readonly isPersistent: boolean | null;
  readonly bytes: number | null;
  /** When the second copy last held everything, milliseconds since 1970; null where there is none. */
  readonly secondCopyAt: number | null;
  readonly lastBackupAt: number | null;
  readonly counts: Readonly<Record<TableName, number>>;
}

/** What an erasure did, to be shown and kept: no names. */
export interface ErasureReport {
  readonly patientId: string;
  readonly rows: number;
  readonly isKeyShredded: boolean;
  readonly isSecondCopyClean: boolean;
  /** Backups made before still hold the person; null if none was made. */
  readonly lastBackupAt: number | null;
}

export interface Vault {
  /** False where the browser keeps nothing beyond this tab. */
  readonly isLasting: boolean;
  /** Opens without a secret; holds made-up people only. */
  readonly isDemonstration: boolean;
  readonly tabs: Tabs;
  readonly audit: AuditLog;
  /** `read` is the one door for what was stored: it checks, and throws on what it does not know. */
  shelf<T>(table: TableName, read: (stored: unknown) => T): Shelf<T>;
  erase(patientId: string): Promise<ErasureReport>;
  storage(): Promise<StorageReport>;
  /** Asks the browser to keep the storage; gives what it answered. */
  askToPersist(): Promise<boolean>;
  /** Ways of unlocking, without their secrets. */
  ways(): Promise<readonly { readonly id: string; readonly kind: WrapKind; readonly kdf: KdfParameters | null }[]>;
  /** Adds a way, or replaces the one of that kind (a passkey: of that credential). `current` is asked for again before a change. */
  setSecret(current: Secret, next: Secret): Promise<void>;
  /** A new printed key, replacing the old one. */
  newRecoveryKey(current: Secret): Promise<string>;
  removeWay(current: Secret, id: string): Promise<void>;
  /** The whole vault as one encrypted file. */
  backup(): Promise<Blob>;
  /** Ends the worker and its keys and tells the other tabs to do the same. The page is then reloaded by whoever locked. */
  lock(): Promise<void>;
  /** Another tab locked, or the worker ended. After the former the vault still takes what was being typed, for about three seconds. */
  onLocked(listener: () => void): () => void;
  /** A write failed or a read found damage after opening: what is told, once. */
  onDamage(listener: (found: Damage) => void): () => void;
  close(): void;
}

/** What differs from what the canary or the second copy remembers. */
export interface Damage {
  readonly kind: 'emptied' | 'rolled-back' | 'unreadable' | 'will-not-open' | 'header-missing' | 'disk-full';
  /** Rows by table: remembered, and still readable in the main store. */
  readonly remembered: Readonly<Record<TableName, number>> | null;
  readonly readable: Readonly<Record<TableName, number>>;
  /** What the second copy can give back; null where there is none. */
  readonly secondCopy: { readonly at: number; readonly counts: Readonly<Record<TableName, number>> } | null;
}

/** What is on this device, seen without opening anything. */
export type Found =
  | { readonly kind: 'nothing' }
  /** Rows of a version before encryption: they are sealed when a secret is chosen. */
  | { readonly kind: 'unencrypted'; readonly counts: Readonly<Record<TableName, number>> }
  | { readonly kind: 'locked'; readonly ways: readonly { readonly kind: WrapKind; readonly credentialId: string | null }[] }
  | { readonly kind: 'demonstration' }
  | { readonly kind: 'damaged'; readonly damage: Damage; readonly header: VaultHeader | null }
  /** Written by a later version of the app. */
  | { readonly kind: 'newer'; readonly version: number }
  /** The browser stores nothing here; a vault lives as long as the tab. */
  | { readonly kind: 'unavailable' };

/** What a backup or rescue file holds, every row of it opened and proved. */
export interface BackupContents {
  /** When it was made, milliseconds since 1970. A rescue file cannot prove that: of it, when the last entry of its log was written; null without one. */
  readonly madeAt: number | null;
  readonly counts: Readonly<Record<TableName, number>>;
  /** Rows that could not be opened; they go in as they are. */
  readonly unreadable: number;
  /** What is on this device has later commits of the same vault, which would be lost. */
  readonly isOlder: boolean;
  /** What is on this device belongs to another vault, which would be lost. */
  readonly isOtherVault: boolean;
}

/** A file that was unlocked and read to its end. Nothing on the device was changed, and no other tab was locked. */
export interface OpenedBackup extends BackupContents {
  /**
   * Puts it in the place of what is here; all or nothing. Once. Rejects with `backup_older` when what is here became later, or another
   * vault, since the file was opened.
   */
  restore(): Promise<Vault>;
  /** Forgets the file and its keys. */
  close(): Promise<void>;
}

/** The way in. One per page; starts the worker. */
export interface VaultDoor {
  look(): Promise<Found>;
  /** A new vault, sealing what an unencrypted version left. `recoveryKey` is shown once; null for the demonstration vault. */
  create(secret: Secret): Promise<{ readonly vault: Vault; readonly recoveryKey: string | null }>;
  /** Rejects with `vault_secret_wrong`. */
  unlock(secret: Secret): Promise<Vault>;
  /** Opens with the second copy put in the place of what was lost; all or nothing. */
  recover(secret: Secret): Promise<Vault>;
  /** What a backup file says of itself before it is opened: how it can be unlocked. Rejects with a `backup_…` code. */
  lookAtBackup(
    file: Blob,
  ): Promise<{ readonly ways: readonly { readonly kind: WrapKind; readonly credentialId: string | null }[] }>;
  /** Unlocks a backup or rescue file and reads all of it. Rejects with `vault_secret_wrong` or a `backup_…` code. */
  openBackup(file: Blob, secret: Secret): Promise<OpenedBackup>;
  /** The second copy as a backup file, for when the main store will not open. Needs no secret: it stays sealed. */
  rescue(): Promise<Blob | null>;
  /** Deletes everything on this device, canary included. */
  startOver(): Promise<void>;
}
