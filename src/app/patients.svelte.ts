/** All patients on this device: list, search, erase with undo, demonstration people. */
import { AppError } from '#domain/errors.ts';
import type { Consent, IsoMinute, PatientRecord } from '#domain/record.ts';
import type { EngineClient } from '#engine/client.ts';
import type { ErasureReport, Shelf } from '#vault/vault.ts';
import type { Audit } from './audit.svelte.ts';

export interface PatientsParts {
  readonly shelf: Shelf<PatientRecord>;
  readonly erase: (patientId: string) => Promise<ErasureReport>;
  readonly audit: Audit;
  readonly client: EngineClient;
  /** On the person's own clock. */
  readonly minute: () => IsoMinute;
  readonly newId: () => string;
  /** A whole number below 2³². */
  readonly randomSeed: () => number;
}

export class Patients {
  all = $state.raw<readonly PatientRecord[]>([]);
  /** Rows that could not be opened; they are left as they are. */
  unreadable = $state(0);
  isLoaded = $state(false);
  search = $state('');
  deleted = $state.raw<PatientRecord | null>(null);
  isDrawing = $state(false);
  failure = $state.raw<string | null>(null);
  readonly found: readonly PatientRecord[] = $derived.by(() => {
    const words = this.search.trim().toLowerCase().split(/\s+/);
    return this.all.filter((record) => {
      const text = `${record.alias} ${record.note} ${record.isSynthetic ? 'synthetic' : ''}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
  });
  readonly #parts: PatientsParts;

  constructor(parts: PatientsParts) {
    this.#parts = parts;
    parts.shelf.onElsewhere((id) => void this.#reread(id));
  }

  async load(): Promise<void> {
    const read = await this.#attempt(() => this.#parts.shelf.all());
    this.isLoaded = true;
    if (!read) return;
    const { kept, unreadable } = read;
    this.all = kept.map((row) => ({ ...row.value, id: row.id, updatedAt: row.updatedAt }));
    this.unreadable = unreadable;
  }

  /** Another tab wrote or erased one. */
  async #reread(id: string): Promise<void> {
    try {
      const row = await this.#parts.shelf.get(id);
      if (row) this.put({ ...row.value, id, updatedAt: row.updatedAt });
      else this.all = this.all.filter((one) => one.id !== id);
    } catch {
      // It cannot be read: the list as it stands on the disk counts it.
      await this.load();
    }
  }

  find(id: string | null): PatientRecord | null {
    return this.all.find((record) => record.id === id) ?? null;
  }

  /** Takes a record that was just saved into the list. */
  put(record: PatientRecord): void {
    this.all = [...this.all.filter((one) => one.id !== record.id), record];
  }

  /** A short name that is not taken. */
  freeAlias(stem: string): string {
    const taken = new Set(this.all.map((record) => record.alias));
    let number = 1;
    while (taken.has(`${stem} ${number}`)) number++;
    return `${stem} ${number}`;
  }

  /** Shreds the person's key and removes all that belongs to them; null when it failed, and `failure` says why. */
  async erase(id: string): Promise<ErasureReport | null> {
    const record = this.find(id);
    return this.#attempt(async () => {
      const report = await this.#parts.erase(id);
      this.#parts.audit({ action: 'patient.erase', patientId: id, detail: `${report.rows} rows` });
      this.all = this.all.filter((one) => one.id !== id);
      this.deleted = record;
      return report;
    });
  }

  /**
   * Stores the erased person anew, from this page's memory and under another id: what was erased stays erased. Plans and results do not
   * come back.
   */
  async undoErase(): Promise<void> {
    const record = this.deleted;
    if (!record) return;
    await this.#attempt(async () => {
      await this.#add({ ...record, id: this.#parts.newId() });
      this.deleted = null;
    });
  }

  /** The erased person leaves this page's memory too. */
  forgetErased(): void {
    this.deleted = null;
  }

  /** Null when it failed; `failure` says why. */
  async setConsent(record: PatientRecord, consent: Consent): Promise<PatientRecord | null> {
    return this.#attempt(async () => {
      const changed = { ...record, consent };
      const updatedAt = await this.#parts.shelf.put(record.id, changed, record.updatedAt);
      const kept = { ...changed, updatedAt };
      this.put(kept);
      this.#parts.audit({ action: 'consent.record', patientId: record.id });
      return kept;
    });
  }

  async #add(record: PatientRecord): Promise<PatientRecord> {
    const kept = { ...record, updatedAt: await this.#parts.shelf.put(record.id, record, null) };
    this.put(kept);
    this.#parts.audit({ action: 'patient.save', patientId: record.id });
    return kept;
  }

  /** Draws one person from a pack and keeps them, marked synthetic. Null when it failed; `failure` says why. */
  async addDemonstration(packId: string): Promise<PatientRecord | null> {
    this.isDrawing = true;
    const record = await this.#attempt(async () => {
      const now = this.#parts.minute();
      const drawn = await this.#parts.client.call('person', {
        packId,
        seed: this.#parts.randomSeed(),
        today: now.slice(0, 10),
        now,
      });
      const named = {
        ...drawn,
        id: this.#parts.newId(),
        alias: this.freeAlias('Synthetic person'),
        isSynthetic: true,
        updatedAt: 0,
      };
      return this.#add(named);
    });
    this.isDrawing = false;
    return record;
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T | null> {
    this.failure = null;
    try {
      return await work();
    } catch (error) {
      this.failure = error instanceof AppError ? error.message : 'That did not work. Nothing was changed; try again.';
      return null;
    }
  }
}
