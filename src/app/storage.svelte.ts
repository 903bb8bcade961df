/** Where the records lie on this device, whether the browser promises to keep them, and the last copy outside it. */
import type { StorageReport, Vault } from '#vault/vault.ts';
import type { Audit } from './audit.svelte.ts';
import { failureOf } from './failure.ts';
import type { Failure } from './failure.ts';

export interface StorageParts {
  readonly vault: Pick<Vault, 'storage' | 'askToPersist' | 'backup' | 'isDemonstration'>;
  readonly audit: Audit;
  /** Milliseconds. */
  readonly now: () => number;
  /** Days without a backup after which one is asked for; 0 for never. */
  readonly backupDays: () => number;
}

const dayMs = 86_400_000;

export class StorageState {
  report = $state.raw<StorageReport | null>(null);
  /** What the browser answered when it was asked to keep the storage; null before. */
  answer = $state<boolean | null>(null);
  isSaving = $state(false);
  failure = $state.raw<Failure | null>(null);
  readonly #parts: StorageParts;
  /** Whole days since the last backup; null while there is none. */
  readonly daysSinceBackup: number | null = $derived.by(() => {
    const at = this.report?.lastBackupAt ?? null;
    return at === null ? null : Math.floor((this.#parts.now() - at) / dayMs);
  });
  /** There are people in the vault, and no copy outside this browser that is recent enough. */
  readonly isBackupDue: boolean = $derived.by(() => {
    const days = this.#parts.backupDays();
    if (days === 0 || this.#parts.vault.isDemonstration || !this.report?.counts.patients) return false;
    return this.daysSinceBackup === null || this.daysSinceBackup >= days;
  });

  constructor(parts: StorageParts) {
    this.#parts = parts;
  }

  async load(): Promise<void> {
    try {
      this.report = await this.#parts.vault.storage();
    } catch (error) {
      this.failure = failureOf(error, 'The browser did not say how its storage stands.');
    }
  }

  async ask(): Promise<void> {
    this.answer = await this.#parts.vault.askToPersist().catch(() => false);
    await this.load();
  }

  /** The whole vault as one encrypted file; null when it could not be made, and `failure` says why. */
  async backup(): Promise<Blob | null> {
    if (this.isSaving) return null;
    this.isSaving = true;
    this.failure = null;
    try {
      const file = await this.#parts.vault.backup();
      this.#parts.audit({ action: 'backup.save', detail: `${file.size} bytes` });
      await this.load();
      return file;
    } catch (error) {
      this.failure = failureOf(error, 'The backup could not be made. Nothing was changed; try again.');
      return null;
    } finally {
      this.isSaving = false;
    }
  }
}
