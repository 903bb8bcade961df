/** All patients on this device: list, search, delete with undo, demonstration people. */
import { AppError } from '#domain/errors.ts';
import type { IsoMinute, PatientRecord } from '#domain/record.ts';
import type { EngineClient } from '#engine/client.ts';
import type { Shelf } from '#vault/vault.ts';

export interface PatientsParts {
  readonly shelf: Shelf<PatientRecord>;
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
    parts.shelf.onElsewhere(() => void this.load());
  }

  async load(): Promise<void> {
    const { kept, unreadable } = await this.#parts.shelf.all();
    this.all = kept.map((row) => ({ ...row.value, id: row.id, updatedAt: row.updatedAt }));
    this.unreadable = unreadable;
    this.isLoaded = true;
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

  async remove(id: string): Promise<void> {
    const record = this.find(id);
    if (!record) return;
    await this.#attempt(async () => {
      await this.#parts.shelf.remove(id);
      this.all = this.all.filter((one) => one.id !== id);
      this.deleted = record;
    });
  }

  async undoRemove(): Promise<void> {
    const record = this.deleted;
    if (!record) return;
    await this.#attempt(async () => {
      const updatedAt = await this.#parts.shelf.put(record.id, record, null);
      this.put({ ...record, updatedAt });
      this.deleted = null;
    });
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
      const updatedAt = await this.#parts.shelf.put(named.id, named, null);
      const kept = { ...named, updatedAt };
      this.put(kept);
      return kept;
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
