/** What is open, chosen and running. Made once, in main.ts. */
import type { Consent, IsoDate, IsoMinute, PatientRecord } from '#domain/record.ts';
import type { EngineClient } from '#engine/client.ts';
import type { EnginePreference, PackInfo } from '#engine/protocol.ts';
import type { ImportClient } from '#interop/client.ts';
import { readRecord } from '#vault/read-record.ts';
import type { Damage, ErasureReport, Vault } from '#vault/vault.ts';
import { AuditState } from './audit.svelte.ts';
import type { Audit } from './audit.svelte.ts';
import { AutoLock } from './auto-lock.svelte.ts';
import type { LockReason } from './auto-lock.svelte.ts';
import { EngineState } from './engine.svelte.ts';
import { Exports } from './export/exports.svelte.ts';
import { ForecastState } from './forecast.svelte.ts';
import { readCorrections, readFrozen } from './frozen.ts';
import { packUseOf } from './import/build.ts';
import { ImportState } from './import/import.svelte.ts';
import { readRemembered } from './import/mapping-memory.ts';
import { Packs } from './packs.svelte.ts';
import type { BrowserPasskeys } from '#vault/passkey.ts';
import { Patients } from './patients.svelte.ts';
import { PlanningState } from './planning.svelte.ts';
import { readDraft } from './record-draft.ts';
import { RecordEditor } from './record.svelte.ts';
import { ReplanningState } from './replanning.svelte.ts';
import { RevealState } from './reveal.svelte.ts';
import { SecurityState } from './security.svelte.ts';
import { SeedCheck } from './seed-check.svelte.ts';
import { readSettings, Settings } from './settings.svelte.ts';
import { StorageState } from './storage.svelte.ts';
import { TrustState } from './trust.svelte.ts';
import { Validation } from './validation.svelte.ts';
import { WhyState } from './why.svelte.ts';
import { readWorkspace } from './workspace.ts';

/** Where the page goes after a lock, if not to the lock screen. */
export type Next = 'restore' | 'start-over';

/** What the page does when the vault is left; the session itself knows no page. */
export interface Leaving {
  /** Shows nothing of anybody any more, at once. */
  blank(): void;
  /** Begins anew with nothing in memory, at the lock screen or at the screen named. */
  reload(next: Next | null): void;
}

export interface SessionParts {
  readonly vault: Vault;
  readonly client: EngineClient;
  /** Of the worker that reads files. */
  readonly importClient: ImportClient;
  readonly passkeys: BrowserPasskeys;
  readonly leaving: Leaving;
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
  readonly planning: PlanningState;
  readonly replanning: ReplanningState;
  readonly why: WhyState;
  readonly seedCheck: SeedCheck;
  readonly reveal: RevealState;
  readonly validation: Validation;
  readonly trust: TrustState;
  readonly engine: EngineState;
  readonly exports: Exports;
  readonly imports: ImportState;
  readonly storage: StorageState;
  readonly security: SecurityState;
  readonly log: AuditState;
  readonly autoLock: AutoLock;
  readonly now: () => number;
  /** False while another tab writes. */
  isWriter = $state(true);
  editor = $state.raw<RecordEditor | null>(null);
  /** Ids whose typed values were never saved; offered again on the list. */
  unsavedIds = $state.raw<readonly string[]>([]);
  /** A write failed, or a read found damage, after opening. */
  damage = $state.raw<Damage | null>(null);
  /** What the last erasure did, while it is shown. */
  erasure = $state.raw<ErasureReport | null>(null);
  /** An event could not be written to the audit log. */
  isAuditFailing = $state(false);
  /** The person is asked whether to give up what only this tab holds. */
  isAskingToLeave = $state.raw<{ readonly next: Next | null } | null>(null);
  /** Once everybody in the vault is in the list. Thousands take seconds, and the page does not wait for them. */
  listed: Promise<void> = Promise.resolve();
  readonly #newId: () => string;
  readonly #leaving: Leaving;
  #isLeaving = false;

  constructor({ vault, client, importClient, passkeys, leaving, now, newId, randomSeed, version }: SessionParts) {
    this.vault = vault;
    this.client = client;
    this.now = now;
    this.version = version;
    this.#newId = newId;
    this.#leaving = leaving;
    const minute = () => this.minute();
    const { audit } = this;
    this.settings = new Settings(vault.shelf('settings', readSettings));
    this.packs = new Packs(client);
    this.engine = new EngineState(client);
    this.patients = new Patients({
      shelf: vault.shelf('patients', readRecord),
      erase: (id) => vault.erase(id),
      audit,
      client,
      minute,
      newId,
      randomSeed,
    });
    this.imports = new ImportState({
      client: importClient,
      patients: this.patients,
      shelf: vault.shelf('patients', readRecord),
      mappings: vault.shelf('mappings', readRemembered),
      audit,
      packs: () => this.packs.all.map(({ manifest }) => manifest),
      today: () => this.today(),
      newId,
      isDemonstration: vault.isDemonstration,
    });
    const corrections = (pack: PackInfo) => this.trust.correctionsOf(pack);
    const workspaces = vault.shelf('workspaces', readWorkspace);
    this.forecast = new ForecastState({
      client,
      workspaces,
      audit,
      minute,
      now,
      randomSeed,
      corrections,
    });
    const work = { client, forecast: this.forecast, audit, minute };
    this.seedCheck = new SeedCheck({ ...work, randomSeed, corrections });
    this.planning = new PlanningState(work);
    this.replanning = new ReplanningState({ ...work, planning: this.planning });
    this.why = new WhyState(work);
    this.reveal = new RevealState({ client, forecast: this.forecast, settings: this.settings });
    this.validation = new Validation(client);
    this.trust = new TrustState({
      ...work,
      patients: this.patients,
      frozen: vault.shelf('frozen', readFrozen),
      corrections: vault.shelf('corrections', readCorrections),
      now,
      newId,
    });
    this.storage = new StorageState({ vault, audit, now, backupDays: () => this.settings.backupDays });
    this.security = new SecurityState({ vault, passkeys, audit });
    this.log = new AuditState(vault.audit);
    const { forecast, packs, patients } = this;
    this.exports = new Exports({
      forecast,
      planning: this.planning,
      packs,
      patients,
      log: vault.audit,
      audit,
      engine: () => this.engine.report?.description ?? '',
      version,
      now,
      newId,
      randomSeed,
    });
    this.autoLock = new AutoLock({
      now,
      limits: () => this.settings,
      // A vault that lives as long as the tab would be lost with a lock.
      isTimed: !vault.isDemonstration && vault.isLasting,
      onlock: (reason) => void this.lock(reason),
    });
    this.isWriter = vault.tabs.isWriter;
    vault.onLocked(() => void this.lock('other-tab'));
    vault.onDamage((damage) => (this.damage = damage));
    vault.tabs.onRole((isWriter) => {
      // What is being typed goes to the disk before the other tab may look for it.
      void this.editor?.keep();
      this.isWriter = isWriter;
      if (isWriter) void this.#reopen();
    });
  }

  /** Notes down what happened, with the role that was acknowledged. */
  readonly audit: Audit = (event) => {
    const role = this.settings.acknowledged?.role;
    void this.vault.audit.append({ ...event, ...(role ? { role } : {}) }).catch(() => (this.isAuditFailing = true));
  };

  /** By hand: asks first where a lock would end what was not saved as a file (`isAskingToLeave`). */
  leave(next: Next | null = null): void {
    if (this.vault.isLasting || this.isAskingToLeave !== null) void this.lock('button', next);
    else this.isAskingToLeave = { next };
  }

  /**
   * Leaves the vault: the page is blank at once, what was being typed is kept, workers and keys end, and the page begins anew. A lock
   * by hand takes the other tabs with it; one by time is each tab's own, so that a forgotten tab does not end the work in another.
   */
  async lock(reason: LockReason, next: Next | null = null): Promise<void> {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#leaving.blank();
    const isForAll = reason === 'button' || reason === 'panic';
    this.forecast.stop();
    this.#stopPages();
    // Kept if it can be; a worker that hangs must not keep the vault open.
    const kept = (async () => {
      await Promise.all([this.editor?.keep(), this.forecast.settled()]);
      const role = this.settings.acknowledged?.role;
      if (reason !== 'other-tab')
        await this.vault.audit.append({ action: 'vault.lock', detail: reason, ...(role ? { role } : {}) });
    })();
    await within(3000, kept);
    if (isForAll) await within(2000, this.vault.lock());
    else this.vault.close();
    this.client.dispose();
    this.#leaving.reload(next);
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

  /** Settings first: they make the first screen. Patients, packs and engine follow. */
  async start(): Promise<void> {
    await this.settings.load();
    this.listed = this.patients.load().then(() => this.#findUnsaved());
    void this.storage.load();
    if (this.settings.engine !== 'automatic') this.client.restart({ preference: this.settings.engine });
    void this.#startEngine();
  }

  async #startEngine(): Promise<void> {
    await this.engine.load();
    await this.packs.load();
    await this.listed;
    const last = this.patients.find(this.settings.lastPatient);
    if (last && !this.forecast.record) await this.openPatient(last.id);
    else if (this.forecast.record && !this.forecast.pack) await this.openPatient(this.forecast.record.id);
  }

  /**
   * The pack named; else the last one used, or, for a person of whom it reads nothing while others do, the one that reads most; else the
   * first.
   */
  choosePack(packId: string | null, record: PatientRecord | null = null): PackInfo | null {
    const named = this.packs.find(packId);
    if (named) return named;
    const last = this.packs.find(this.settings.lastPack);
    const manifests = this.packs.all.map(({ manifest }) => manifest);
    const uses = packUseOf(record?.observations ?? [], manifests);
    const isRead = uses.length === 0 || uses.some((use) => use.packId === last?.manifest.id);
    return (isRead ? last : this.packs.find(uses[0]!.packId)) ?? this.packs.all[0] ?? null;
  }

  /** Makes a patient the subject of the page. */
  async openPatient(id: string, options: { packId?: string } = {}): Promise<PatientRecord | null> {
    const record = this.patients.find(id);
    if (!record) return null;
    if (this.forecast.record?.id !== id) this.audit({ action: 'patient.open', patientId: id });
    this.#stopPages();
    await this.forecast.open(record, (packId) => this.choosePack(packId, record), options.packId ?? null);
    const packId = this.forecast.pack?.manifest.id;
    await this.settings.change({ lastPatient: id, ...(packId ? { lastPack: packId } : {}) });
    if (packId) void this.packs.checkGolden(packId);
    return record;
  }

  /** Shows a run from a file; false where it was refused, and `exports.failure` says why. */
  async openRun(file: Blob): Promise<boolean> {
    this.#stopPages();
    return this.exports.open(new Uint8Array(await file.arrayBuffer()));
  }

  usePack(packId: string): void {
    const pack = this.packs.find(packId);
    if (!pack) return;
    this.#stopPages();
    this.forecast.usePack(pack);
    if (this.editor) this.editor.manifest = pack.manifest;
    void this.settings.change({ lastPack: packId });
    void this.packs.checkGolden(packId);
  }

  async addDemonstration(packId: string): Promise<PatientRecord | null> {
    await this.listed;
    const record = await this.patients.addDemonstration(packId);
    if (record) await this.openPatient(record.id, { packId });
    return record;
  }

  /** What erasing did; null when it failed, and `patients.failure` says why. */
  async erasePatient(id: string): Promise<ErasureReport | null> {
    // Nothing that is still under way may write for the person once they are erased.
    if (this.forecast.record?.id === id) {
      this.#stopPages();
      this.forecast.close();
    }
    await this.forecast.settled();
    if (this.editor?.id === id) {
      await this.editor.discard(null);
      this.editor = null;
    }
    const report = await this.patients.erase(id);
    if (!report) return null;
    if (this.settings.lastPatient === id) await this.settings.change({ lastPatient: null });
    await this.#findUnsaved();
    void this.storage.load();
    if (!report.isKeyShredded || !report.isSecondCopyClean) this.erasure = report;
    return report;
  }

  /** The person's data may no longer be used: they are erased, and nothing stays in this page's memory to bring them back. */
  async withdrawConsent(id: string): Promise<ErasureReport | null> {
    this.audit({ action: 'consent.withdraw', patientId: id });
    const report = await this.erasePatient(id);
    if (report) this.patients.forgetErased();
    this.erasure = report;
    return report;
  }

  /** True when it is recorded on what basis this person's data may be used. */
  async recordConsent(id: string, consent: Consent): Promise<boolean> {
    const record = this.patients.find(id);
    const kept = record && (await this.patients.setConsent(record, consent));
    if (!kept) return false;
    this.forecast.update(kept);
    this.forecast.failure = null;
    return true;
  }

  /** Opens a record for typing; without an id a new one. Null without any pack, which is what says what can be entered. */
  async editRecord(id: string | null, packId: string | null = null): Promise<RecordEditor | null> {
    // The record of a run from a file is not in the vault.
    if (id !== null && this.forecast.opened?.record.id === id) return null;
    await this.listed;
    const isSubject = id === null || id === this.forecast.record?.id;
    const pack = this.choosePack(
      packId ?? (isSubject ? (this.forecast.pack?.manifest.id ?? null) : null),
      this.patients.find(id),
    );
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
          const before = this.patients.find(record.id)?.consent;
          this.patients.put(record);
          this.forecast.update(record);
          this.audit({ action: 'patient.save', patientId: record.id });
          if (record.consent && JSON.stringify(record.consent) !== JSON.stringify(before)) {
            this.audit({ action: 'consent.record', patientId: record.id });
          }
          void this.storage.load();
          void this.#findUnsaved();
        },
      },
    );
    this.editor = editor;
    return editor;
  }

  /** After a reload: what was being typed, else the patient in question, else a new one. */
  async resumeEditing(): Promise<void> {
    await this.listed;
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
    this.#stopPages();
    await this.settings.change({ engine: preference });
    this.packs.forgetGolden();
    await this.engine.prefer(preference);
    await this.packs.load();
    const packId = this.forecast.pack?.manifest.id;
    if (packId) void this.packs.checkGolden(packId);
  }

  /** What runs beside the forecast, of a person who is left or changed. */
  #stopPages(): void {
    this.planning.stop();
    this.why.stop();
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

/** Waits for work, but no longer than so many milliseconds, and for its failure as little as for its success. */
async function within(milliseconds: number, work: Promise<unknown>): Promise<void> {
  await Promise.race([work.catch(() => {}), new Promise((done) => setTimeout(done, milliseconds))]);
}
