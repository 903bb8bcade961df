/** What is open, chosen and running. Made once, in main.ts. */
import type { IsoDate, IsoMinute, PatientRecord } from '#domain/record.ts';
import type { EngineClient } from '#engine/client.ts';
import type { EnginePreference, PackInfo } from '#engine/protocol.ts';
import { readRecord } from '#vault/read-record.ts';
import type { Vault } from '#vault/vault.ts';
import { DosingState } from './dosing.svelte.ts';
import { EngineState } from './engine.svelte.ts';
import { ForecastState } from './forecast.svelte.ts';
import { Packs } from './packs.svelte.ts';
import { Patients } from './patients.svelte.ts';
import { readDraft } from './record-draft.ts';
import { RecordEditor } from './record.svelte.ts';
import { readSettings, Settings } from './settings.svelte.ts';
import { readWorkspace } from './workspace.ts';

export interface SessionParts {
  readonly vault: Vault;
  readonly client: EngineClient;
  readonly now: () => number;
  readonly newId: () => string;
  readonly randomSeed: () => number;
  readonly version: string;
}

export class Session {
  readonly vault: Vault;
  readonly client: EngineClient;
  readonly version: string;
  readonly settings: Settings;
  readonly patients: Patients;
  readonly packs: Packs;
  readonly forecast: ForecastState;
  readonly dosing: DosingState;
  readonly engine: EngineState;
  readonly now: () => number;
  /** False while another tab writes. */
  isWriter = $state(true);
  editor = $state.raw<RecordEditor | null>(null);
  /** Ids whose typed values were never saved; offered again on the list. */
  unsavedIds = $state.raw<readonly string[]>([]);
  readonly #newId: () => string;

  constructor({ vault, client, now, newId, randomSeed, version }: SessionParts) {
    this.vault = vault;
    this.client = client;
    this.now = now;
    this.version = version;
    this.#newId = newId;
    const minute = () => this.minute();
    this.settings = new Settings(vault.shelf('settings', readSettings));
    this.packs = new Packs(client);
    this.engine = new EngineState(client);
    this.patients = new Patients({ shelf: vault.shelf('patients', readRecord), client, minute, newId, randomSeed });
    this.forecast = new ForecastState({ client, workspaces: vault.shelf('workspaces', readWorkspace), minute, now, randomSeed });
    this.dosing = new DosingState({ client, forecast: this.forecast, minute });
    this.isWriter = vault.tabs.isWriter;
    vault.tabs.onRole((isWriter) => {
      // What is being typed goes to the disk before the other tab may look for it.
      void this.editor?.keep();
      this.isWriter = isWriter;
      if (isWriter) void this.#reopen();
    });
  }

  /** The person's own calendar day. */
  today(): IsoDate {
    return this.minute().slice(0, 10);
  }

  /** The minute on the person's own clock. */
  minute(): IsoMinute {
    const now = new Date(this.now());
    return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  }

  /** Settings and patients first: they make the first screen. Packs and engine follow. */
  async start(): Promise<void> {
    await this.settings.load();
    await this.patients.load();
    await this.#findUnsaved();
    if (this.settings.engine !== 'automatic') this.client.restart({ preference: this.settings.engine });
    void this.#startEngine();
  }

  async #startEngine(): Promise<void> {
    await this.engine.load();
    await this.packs.load();
    const last = this.patients.find(this.settings.lastPatient);
    if (last && !this.forecast.record) await this.openPatient(last.id);
    else if (this.forecast.record && !this.forecast.pack) await this.openPatient(this.forecast.record.id);
  }

  /** The pack named, else the last one used, else the first. */
  readonly choosePack = (packId: string | null): PackInfo | null =>
    this.packs.find(packId) ?? this.packs.find(this.settings.lastPack) ?? this.packs.all[0] ?? null;

  /** Makes a patient the subject of the page. */
  async openPatient(id: string, options: { packId?: string } = {}): Promise<PatientRecord | null> {
    const record = this.patients.find(id);
    if (!record) return null;
    this.dosing.stop();
    await this.forecast.open(record, this.choosePack, options.packId ?? null);
    const packId = this.forecast.pack?.manifest.id;
    await this.settings.change({ lastPatient: id, ...(packId ? { lastPack: packId } : {}) });
    if (packId) void this.packs.checkGolden(packId);
    return record;
  }

  usePack(packId: string): void {
    const pack = this.packs.find(packId);
    if (!pack) return;
    this.dosing.stop();
    this.forecast.usePack(pack);
    if (this.editor) this.editor.manifest = pack.manifest;
    void this.settings.change({ lastPack: packId });
    void this.packs.checkGolden(packId);
  }

  async addDemonstration(packId: string): Promise<PatientRecord | null> {
    const record = await this.patients.addDemonstration(packId);
    if (record) await this.openPatient(record.id, { packId });
    return record;
  }

  async deletePatient(id: string): Promise<void> {
    await this.patients.remove(id);
    if (this.patients.find(id)) return;
    if (this.forecast.record?.id === id) this.forecast.close();
    if (this.settings.lastPatient === id) await this.settings.change({ lastPatient: null });
  }

  /** Opens a record for typing; without an id a new one. Null without any pack, which is what says what can be entered. */
  async editRecord(id: string | null, packId: string | null = null): Promise<RecordEditor | null> {
    const pack = this.choosePack(packId ?? this.forecast.pack?.manifest.id ?? null);
    if (!pack) return null;
    const editor = await RecordEditor.open(
      id ?? this.#newId(),
      this.patients.find(id),
      this.patients.freeAlias('Patient'),
      pack.manifest,
      {
        patients: this.vault.shelf('patients', readRecord),
        drafts: this.vault.shelf('drafts', readDraft),
        now: () => this.minute(),
        newId: this.#newId,
        isDemonstration: this.vault.isDemonstration,
        onSaved: (record) => {
          this.patients.put(record);
          this.forecast.update(record);
          void this.#findUnsaved();
        },
      },
    );
    this.editor = editor;
    return editor;
  }

  /** After a reload: what was being typed, else the patient in question, else a new one. */
  async resumeEditing(): Promise<void> {
    await this.editRecord(this.unsavedIds[0] ?? this.settings.lastPatient);
  }

  async closeEditor(): Promise<void> {
    await this.editor?.keep();
    this.editor = null;
    await this.#findUnsaved();
  }

  /** Deletes what was typed and never saved. */
  async forgetDraft(id: string): Promise<void> {
    await this.vault.shelf('drafts', readDraft).remove(id);
    await this.#findUnsaved();
  }

  async setEngine(preference: EnginePreference): Promise<void> {
    this.forecast.stop();
    this.dosing.stop();
    await this.settings.change({ engine: preference });
    this.packs.forgetGolden();
    await this.engine.prefer(preference);
    await this.packs.load();
    const packId = this.forecast.pack?.manifest.id;
    if (packId) void this.packs.checkGolden(packId);
  }

  async #findUnsaved(): Promise<void> {
    const { kept } = await this.vault.shelf('drafts', readDraft).all();
    this.unsavedIds = kept.map((row) => row.id);
  }

  /** This tab writes again: take in what the other one wrote meanwhile. */
  async #reopen(): Promise<void> {
    await this.patients.load();
    const id = this.forecast.record?.id;
    if (id) await this.openPatient(id, this.forecast.pack ? { packId: this.forecast.pack.manifest.id } : {});
  }
}
