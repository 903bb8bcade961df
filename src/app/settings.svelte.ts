import * as v from 'valibot';
import type { EnginePreference } from '#engine/protocol.ts';
import type { Shelf } from '#vault/vault.ts';

/** The acknowledgement's own version: a change of its words asks again. */
const acknowledgementVersion = 1;

export const roles = ['clinician', 'educator', 'researcher', 'student'] as const;
export type Role = (typeof roles)[number];
export const roleWords: Readonly<Record<Role, string>> = {
  clinician: 'Clinician',
  educator: 'Educator',
  researcher: 'Researcher',
  student: 'Student',
};
export type Theme = 'system' | 'light' | 'dark';

/** Of an automatic lock. */
export const lockMinutes = { least: 1, most: 60 } as const;
const minutes = v.pipe(v.number(), v.integer(), v.minValue(lockMinutes.least), v.maxValue(lockMinutes.most));

const schema = v.object({
  theme: v.fallback(v.picklist(['system', 'light', 'dark']), 'system'),
  engine: v.fallback(v.picklist(['automatic', 'gpu', 'cpu', 'reference']), 'automatic'),
  acknowledged: v.fallback(v.nullable(v.object({ version: v.number(), role: v.picklist(roles), at: v.number() })), null),
  lastPatient: v.fallback(v.nullable(v.string()), null),
  lastPack: v.fallback(v.nullable(v.string()), null),
  idleMinutes: v.fallback(minutes, 5),
  hiddenMinutes: v.fallback(minutes, 5),
  /** Days without a backup after which it is asked for; 0 for never. */
  backupDays: v.fallback(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(365)), 7),
  /** Ask for the person's own guess before a forecast is shown; null as is usual for the role. */
  guessFirst: v.fallback(v.nullable(v.boolean()), null),
});
export type StoredSettings = v.InferOutput<typeof schema>;

export function readSettings(stored: unknown): StoredSettings {
  return v.parse(schema, stored);
}

const rowId = 'settings';

export class Settings {
  theme = $state<Theme>('system');
  engine = $state<EnginePreference>('automatic');
  acknowledged = $state.raw<StoredSettings['acknowledged']>(null);
  lastPatient = $state<string | null>(null);
  lastPack = $state<string | null>(null);
  idleMinutes = $state(5);
  hiddenMinutes = $state(5);
  backupDays = $state(7);
  guessFirst = $state<boolean | null>(null);
  /** Educators are asked until they say otherwise: guessing first is what a class is for. Nobody else is. */
  readonly asksGuess: boolean = $derived(this.guessFirst ?? this.acknowledged?.role === 'educator');
  readonly isAcknowledged = $derived(this.acknowledged?.version === acknowledgementVersion);
  readonly #shelf: Shelf<StoredSettings>;

  constructor(shelf: Shelf<StoredSettings>) {
    this.#shelf = shelf;
  }

  async load(): Promise<void> {
    const stored = (await this.#shelf.get(rowId).catch(() => null))?.value;
    if (stored) Object.assign(this, stored);
  }

  /** Settings are small and of this device: the last writing wins, and one that cannot be stored still holds for this visit. */
  async change(changed: Partial<StoredSettings>): Promise<void> {
    Object.assign(this, changed);
    const { theme, engine, acknowledged, lastPatient, lastPack, idleMinutes, hiddenMinutes, backupDays, guessFirst } = this;
    const all = { theme, engine, acknowledged, lastPatient, lastPack, idleMinutes, hiddenMinutes, backupDays, guessFirst };
    await this.#shelf.put(rowId, all, 'any').catch(() => {});
  }

  acknowledge(role: Role, at: number): Promise<void> {
    return this.change({ acknowledged: { version: acknowledgementVersion, role, at } });
  }
}
