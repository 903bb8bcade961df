/**
 * Files on their way into the vault: chosen, looked at, mapped, previewed, decided, summed up, and only then stored, all or nothing.
 * Knows no page. Until `commit` nothing is written but, at most, what a person said about columns and codes.
 */
import { AppError } from '#domain/errors.ts';
import type { IsoDate, PatientRecord } from '#domain/record.ts';
import type { ImportClient } from '#interop/client.ts';
import type { ImportedObservation, ImportNotice } from '#interop/imported.ts';
import type {
  ConfirmedCode,
  ImportGroup,
  ImportProgress,
  ImportSummary,
  PatientSummary,
  UnknownCode,
} from '#interop/protocol.ts';
import type { PackManifest } from '#packs/manifest.ts';
import type { Shelf } from '#vault/vault.ts';
import type { Audit } from '../audit.svelte.ts';
import { readConsent } from '../consent.ts';
import { failureOf } from '../failure.ts';
import type { Failure } from '../failure.ts';
import type { Patients } from '../patients.svelte.ts';
import { noConsent } from '../record-draft.ts';
import type { DraftConsent } from '../record-draft.ts';
import { buildRecord, finishRecord, packUseOf, valuesOf } from './build.ts';
import type { BuildParts, BuiltRecord, Counts, PackUse, Target } from './build.ts';
import { MappingMemory } from './mapping-memory.ts';
import type { Remembered } from './mapping-memory.ts';
import { PackCodes } from './pack-codes.ts';
import { knownOfRecord, knownOfSummary, LikenessIndex, nameOf } from './people.ts';
import type { Choice, Person } from './people.ts';
import type { SuggestionKind } from './suggestions.ts';
import { TableMappingState } from './table-mapping.svelte.ts';
import { placeObservation } from './to-record.ts';
import type { Placed } from './to-record.ts';

/** People taken at once. More would be decided about by nobody. */
export const mostPeople = 500;
/** Values stored at once: what one transaction holds without the page standing still. */
const mostValues = 100_000;

export interface ImportParts {
  readonly client: ImportClient;
  readonly patients: Patients;
  readonly shelf: Shelf<PatientRecord>;
  readonly mappings: Shelf<Remembered>;
  readonly audit: Audit;
  readonly packs: () => readonly PackManifest[];
  readonly today: () => IsoDate;
  readonly newId: () => string;
  /** In it nothing is imported: it opens without a secret. */
  readonly isDemonstration: boolean;
  /** Lets the page draw and answer; the default gives it a turn. */
  readonly pause?: () => Promise<void>;
}

export type ImportStep = 'choose' | 'opening' | 'files' | 'reading' | 'preview' | 'building' | 'summary' | 'storing' | 'done';

/** A value as the preview shows it: what was received beside what it became. */
export interface ShownValue {
  readonly received: ImportedObservation;
  readonly placed: Placed;
}

/** Somebody of a file, opened in the preview. */
export interface Opened {
  readonly id: string;
  readonly values: readonly ShownValue[];
  readonly packUse: readonly PackUse[];
  readonly background: readonly { readonly label: string; readonly detail: string; readonly date: string | null }[];
  readonly doses: number;
}

/** A remark of a reader, with its file. */
export interface ShownNotice extends ImportNotice {
  readonly file: string;
}

export interface Done {
  /** With the pack that reads most of each; null where none reads any. */
  readonly records: readonly { readonly id: string; readonly alias: string; readonly packId: string | null }[];
  readonly added: number;
  readonly changed: number;
}

interface Written {
  readonly id: string;
  readonly before: PatientRecord | null;
  readonly updatedAt: number;
}

export class ImportState {
  step = $state<ImportStep>('choose');
  groups = $state.raw<readonly ImportGroup[]>([]);
  /** Of groups that need one, by the group's id. */
  tables = $state.raw<ReadonlyMap<number, TableMappingState>>(new Map());
  summaries = $state.raw<ReadonlyMap<number, ImportSummary>>(new Map());
  people = $state.raw<readonly Person[]>([]);
  /** People of the files beyond `mostPeople`, who are not shown and not taken. */
  leftOver = $state(0);
  choices = $state.raw<Readonly<Record<string, Choice>>>({});
  /** 0…1; null while the length is unknown. */
  progress = $state<number | null>(null);
  opened = $state.raw<Opened | null>(null);
  built = $state.raw<readonly BuiltRecord[]>([]);
  /** What of the file may answer a pack's questions. Sex and columns wait for a yes. */
  taken = $state<Record<SuggestionKind, boolean>>({ age: true, measured: true, sex: false, fact: false });
  consent = $state<DraftConsent>({ ...noConsent });
  /** Whether somebody's name in the file becomes the name on this device. */
  useNames = $state(false);
  done = $state.raw<Done | null>(null);
  failure = $state.raw<Failure | null>(null);
  readonly undecided: readonly Person[] = $derived(this.people.filter(({ id }) => !this.choices[id]));
  readonly chosen: readonly Person[] = $derived(
    this.people.filter(({ id }) => this.choices[id] && this.choices[id].kind !== 'out'),
  );
  /** What readers remarked, of files as a whole first. */
  readonly notices: readonly ShownNotice[] = $derived(
    this.groups.flatMap((group) => {
      const staged = this.summaries.get(group.id);
      return (staged?.notices ?? group.notices).map((notice) => ({ ...notice, file: fileOf(group) }));
    }),
  );
  /** All remarks, those that are only counted included. */
  readonly noticeCount: number = $derived(
    this.groups.reduce((sum, group) => sum + (this.summaries.get(group.id)?.noticeCount ?? group.noticeCount), 0),
  );
  /** What the records about to be stored come to. */
  readonly totals: Counts = $derived(this.built.reduce((sum, { counts }) => addCounts(sum, counts), noCounts));
  /** Local codes and names that nobody has named yet, of all files. */
  readonly unknown: readonly UnknownCode[] = $derived(
    mergeUnknown([...this.summaries.values()].flatMap(({ unknown }) => unknown)),
  );
  readonly isBusy: boolean = $derived(['opening', 'reading', 'building', 'storing'].includes(this.step));
  readonly #parts: ImportParts;
  readonly #memory: MappingMemory;
  #codes = new PackCodes([]);
  #confirmed: readonly ConfirmedCode[] = [];
  #stop = new AbortController();
  #opening = new AbortController();
  #written: readonly Written[] = [];

  constructor(parts: ImportParts) {
    this.#parts = parts;
    this.#memory = new MappingMemory(parts.mappings, parts.newId);
  }

  get isDemonstration(): boolean {
    return this.#parts.isDemonstration;
  }

  /** Looks at files. Nothing of an import that was under way is kept. */
  async open(files: readonly File[]): Promise<void> {
    if (this.#parts.isDemonstration || files.length === 0 || this.step === 'storing') return;
    this.reset();
    await this.#attempt('opening', 'choose', async (signal) => {
      const [groups] = await Promise.all([
        this.#parts.client.call('open', { files }, { signal, onProgress: this.#onProgress }),
        this.#memory.load().catch(() => {}),
      ]);
      signal.throwIfAborted();
      this.groups = groups;
      this.tables = new Map(
        groups
          .filter(({ table, refusal }) => table !== null && refusal === null)
          .map((group) => [
            group.id,
            new TableMappingState(this.#parts.client, group, this.#memory.mappingFor(group.table!), this.#parts.today),
          ]),
      );
      this.step = 'files';
      // What needs no mapping goes straight on.
      if (this.tables.size === 0 && groups.some(({ refusal }) => refusal === null)) await this.read();
    });
  }

  /** Reads everything with the mappings as they are, and shows what would come in. */
  async read(confirmed: readonly ConfirmedCode[] = []): Promise<void> {
    await this.#attempt('reading', 'files', async (signal) => {
      const { client } = this.#parts;
      this.#codes = new PackCodes(this.#parts.packs());
      if (confirmed.length > 0) await this.#memory.rememberCodes(confirmed).catch(() => {});
      const isNew = (one: ConfirmedCode) => !confirmed.some(({ system, code }) => system === one.system && code === one.code);
      this.#confirmed = [...[...this.#memory.codes, ...this.#confirmed].filter(isNew), ...confirmed];
      const summaries = new Map<number, ImportSummary>();
      const people: (readonly [ImportGroup, PatientSummary])[] = [];
      let all = 0;
      for (const group of this.groups.filter(({ refusal }) => refusal === null)) {
        const table = this.tables.get(group.id);
        const order = {
          group: group.id,
          mapping: table?.mapping ?? null,
          confirmed: this.#confirmed,
          today: this.#parts.today(),
        };
        const summary = await client.call('stage', order, { signal, onProgress: this.#onProgress });
        summaries.set(group.id, summary);
        all += summary.patientCount;
        let summed = summary.patients;
        while (summed.length < summary.patientCount && people.length + summed.length < mostPeople) {
          const next = await client.call('patients', { group: group.id, from: summed.length, count: 200 }, { signal });
          if (next.length === 0) break;
          summed = [...summed, ...next];
        }
        people.push(...summed.slice(0, mostPeople - people.length).map((one) => [group, one] as const));
        if (table && table.origin === 'own') await this.#memory.rememberTable(table.look, table.mapping).catch(() => {});
      }
      this.summaries = summaries;
      this.leftOver = all - people.length;
      await this.#recognise(people, signal);
      this.opened = null;
      this.step = 'preview';
      const [only] = this.people;
      if (only && this.people.length === 1) void this.openPerson(only.id);
    });
  }

  async #recognise(people: readonly (readonly [ImportGroup, PatientSummary])[], signal: AbortSignal): Promise<void> {
    const inVault = new LikenessIndex();
    let values = 0;
    for (const record of this.#parts.patients.all) {
      // Nobody in a file is a person whom a pack made up.
      if (record.isSynthetic) continue;
      inVault.add(record.id, knownOfRecord(record));
      values += record.observations.length;
      if (values < 5000) continue;
      values = 0;
      await this.#pause(signal);
    }
    await this.#pause(signal);
    const inFiles = new LikenessIndex();
    const found: Person[] = [];
    for (const [index, [group, summary]] of people.entries()) {
      const file = fileOf(group);
      const known = knownOfSummary(summary, { codes: this.#codes, newId: () => '', file });
      const id = `${group.id}:${summary.key}`;
      const record = inVault.find(known);
      const other = inFiles.find(known);
      const like = record ? { kind: 'record' as const, ...record } : other ? { kind: 'person' as const, ...other } : null;
      found.push({ id, group: group.id, key: summary.key, file, summary, like });
      inFiles.add(id, known);
      if (index % 50 === 49) await this.#pause(signal);
    }
    this.people = found;
    // Who is like nobody is a new patient unless told otherwise; who may be known is a person's decision.
    this.choices = Object.fromEntries(found.filter(({ like }) => !like).map(({ id }) => [id, { kind: 'new' as const }]));
  }

  choose(id: string, choice: Choice): void {
    this.choices = { ...this.choices, [id]: choice };
    if (choice.kind !== 'out') return;
    // Nobody can be added to somebody who is left out.
    const stranded = Object.entries(this.choices).filter(([, one]) => one.kind === 'person' && one.id === id);
    this.choices = { ...this.choices, ...Object.fromEntries(stranded.map(([other]) => [other, { kind: 'new' as const }])) };
  }

  /** For everybody who may be known and is not decided yet. */
  decideRest(kind: 'as-recognised' | 'new' | 'out'): void {
    for (const { id, like } of this.undecided) {
      const head = like?.kind === 'person' ? this.#headOf(like.id) : null;
      if (kind !== 'as-recognised' || !like) this.choose(id, { kind: kind === 'out' ? 'out' : 'new' });
      else if (head === null) this.choose(id, { kind: 'record', id: like.id });
      else this.choose(id, this.choices[head]?.kind === 'out' ? { kind: 'new' } : { kind: 'person', id: head });
    }
  }

  /** Where somebody goes in the end: people are added to those who are imported themselves. */
  #headOf(id: string): string {
    const choice = this.choices[id];
    return choice?.kind === 'person' ? this.#headOf(choice.id) : id;
  }

  /** Reads all values of somebody for the preview, in pieces. */
  async openPerson(id: string): Promise<void> {
    this.#opening.abort();
    this.#opening = new AbortController();
    const { signal } = this.#opening;
    const person = this.people.find((one) => one.id === id);
    if (!person) return;
    try {
      const { client } = this.#parts;
      const source = { group: person.group, key: person.key, file: person.file };
      const context = { codes: this.#codes, newId: this.#parts.newId, file: person.file };
      const patient = await client.call('person', { group: person.group, key: person.key }, { signal });
      const values: ShownValue[] = [];
      for await (const batch of valuesOf(source, { client, signal, pause: () => this.#pause(signal) }))
        values.push(...batch.map((received) => ({ received, placed: placeObservation(received, context) })));
      const observations = values.flatMap(({ placed }) => (placed.observation ? [placed.observation] : []));
      this.opened = {
        id,
        values,
        packUse: packUseOf(observations, this.#codes.packs),
        background: patient.background.map(({ label, detail, date }) => ({ label, detail, date })),
        doses: patient.doses.length,
      };
    } catch (error) {
      if (!isAbort(error)) this.failure = failureOf(error, 'This person’s values could not be shown. Open the person again.');
    }
  }

  closePerson(): void {
    this.#opening.abort();
    this.opened = null;
  }

  /** Makes the records that would be stored, and shows what they come to. */
  async build(): Promise<void> {
    if (this.undecided.length > 0 || this.chosen.length === 0) return;
    await this.#attempt('building', 'preview', async (signal) => {
      this.closePerson();
      const total = this.chosen.reduce((sum, { summary }) => sum + summary.kept + summary.raw, 0);
      if (total > mostValues) throw tooMany(total);
      let placed = 0;
      const parts: BuildParts = {
        client: this.#parts.client,
        codes: this.#codes,
        newId: this.#parts.newId,
        today: this.#parts.today(),
        signal,
        pause: () => this.#pause(signal),
        onPlaced: (count) => (this.progress = total === 0 ? null : (placed += count) / total),
      };
      const built: BuiltRecord[] = [];
      for (const target of this.#targets()) built.push(await buildRecord(target, parts));
      this.built = built;
      this.step = 'summary';
    });
  }

  #targets(): readonly Target[] {
    const byTarget = new Map<string, Person[]>();
    for (const person of this.chosen) {
      const choice = this.choices[person.id]!;
      const head = choice.kind === 'person' ? this.#headOf(choice.id) : person.id;
      const headChoice = this.choices[head]!;
      const key = headChoice.kind === 'record' ? `record ${headChoice.id}` : `new ${head}`;
      byTarget.set(key, [...(byTarget.get(key) ?? []), person]);
    }
    const taken = new Set(this.#parts.patients.all.map(({ alias }) => alias));
    const last = new Map<string, number>();
    return [...byTarget].map(([key, sources]) => {
      const before = key.startsWith('record ') ? this.#parts.patients.find(key.slice('record '.length)) : null;
      const alias = before ? before.alias : this.#freeAlias(sources[0]!, taken, last);
      taken.add(alias);
      return { id: before?.id ?? this.#parts.newId(), alias, before, sources };
    });
  }

  /** `last`: the number that each stem was last given. */
  #freeAlias(person: Person, taken: ReadonlySet<string>, last: Map<string, number>): string {
    const stem = this.useNames ? nameOf(person) : 'Patient';
    if (this.useNames && !taken.has(stem)) return stem;
    let number = last.get(stem) ?? (this.useNames ? 1 : 0);
    do number++;
    while (taken.has(`${stem} ${number}`));
    last.set(stem, number);
    return `${stem} ${number}`;
  }

  rename(id: string, alias: string): void {
    this.built = this.built.map((one) => (one.id === id ? { ...one, record: { ...one.record, alias } } : one));
  }

  /** What is missing before `commit`: one sentence, or null. */
  readonly consentFault: string | null = $derived.by(() => {
    const read = readConsent(this.consent, this.#parts.today());
    return read && 'fault' in read ? read.fault : null;
  });

  /** Stores everything, or nothing. */
  async commit(): Promise<boolean> {
    const consent = readConsent(this.consent, this.#parts.today());
    if (this.step !== 'summary' || (consent && 'fault' in consent)) return false;
    let isStored = false;
    await this.#attempt('storing', 'summary', async (signal) => {
      const { shelf, newId, patients, audit } = this.#parts;
      const taken = new Set((Object.keys(this.taken) as SuggestionKind[]).filter((kind) => this.taken[kind]));
      const rows: { id: string; value: PatientRecord; expected: number | null }[] = [];
      for (const built of this.built) {
        const value = finishRecord(built, { taken, consent, newId });
        rows.push({ id: built.id, value: { ...value, updatedAt: 0 }, expected: built.before?.updatedAt ?? null });
        await this.#pause(signal);
      }
      // As they lie in the vault, so that an undo gives back exactly these.
      const earlier = new Map<string, PatientRecord>();
      for (const { id, before } of this.built) {
        const kept = before && (await shelf.get(id));
        if (kept) earlier.set(id, kept.value);
      }
      const times = await shelf.putAll(rows);
      isStored = true;
      this.#written = rows.map(({ id }, index) => ({ id, before: earlier.get(id) ?? null, updatedAt: times[index]! }));
      const records = rows.map(({ value }, index) => ({ ...value, updatedAt: times[index]! }));
      for (const record of records) patients.put(record);
      const changed = this.built.filter(({ before }) => before !== null).length;
      audit({ action: 'import', detail: `${records.length - changed} new, ${changed} changed` });
      const stored = this.built.map(({ id, record, packUse }) => ({
        id,
        alias: record.alias,
        packId: packUse[0]?.packId ?? null,
      }));
      this.done = { records: stored, added: records.length - changed, changed };
      this.#parts.client.close();
      this.step = 'done';
    });
    return isStored;
  }

  /** Takes back the last import: new people go, changed records are again what they were. False where it failed; `failure` says why. */
  async undo(): Promise<boolean> {
    const { shelf, patients, audit } = this.#parts;
    const written = this.#written;
    try {
      for (const { id, updatedAt } of written) {
        if ((await shelf.get(id))?.updatedAt !== updatedAt)
          throw new AppError(
            'vault_in_use',
            'Somebody has changed one of these records since the import, so it was not undone. Correct the records one by one.',
          );
      }
      const changed = written.flatMap(({ id, before, updatedAt }) =>
        before ? [{ id, value: before, expected: updatedAt }] : [],
      );
      if (changed.length > 0) await shelf.putAll(changed);
      for (const { id, before } of written) if (!before) await shelf.remove(id);
      audit({ action: 'import', detail: 'undone' });
      this.#written = [];
      this.done = null;
      return true;
    } catch (error) {
      this.failure = failureOf(error, 'The import could not be undone completely. Look at the list of patients.');
      return false;
    } finally {
      await patients.load();
    }
  }

  /** Ends what is running; what was shown before stays. */
  stop(): void {
    this.#stop.abort();
  }

  /** Forgets everything that was read. */
  reset(): void {
    this.#stop.abort();
    this.#opening.abort();
    this.#parts.client.close();
    this.step = 'choose';
    this.groups = [];
    this.tables = new Map();
    this.summaries = new Map();
    this.people = [];
    this.leftOver = 0;
    this.choices = {};
    this.opened = null;
    this.built = [];
    this.consent = { ...noConsent };
    this.done = null;
    this.failure = null;
    this.progress = null;
    this.#confirmed = [];
  }

  /** One step back, keeping what was decided. */
  back(): void {
    if (this.step === 'summary') this.step = 'preview';
    else if (this.step === 'preview') this.step = 'files';
    else this.reset();
  }

  async #attempt(during: ImportStep, otherwise: ImportStep, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#stop.abort();
    const own = (this.#stop = new AbortController());
    this.failure = null;
    this.progress = null;
    this.step = during;
    try {
      await work(own.signal);
    } catch (error) {
      if (this.#stop !== own) return;
      if (!isAbort(error)) this.failure = failureOf(error, 'That did not work. Nothing was stored; choose the files again.');
      this.step = otherwise;
    } finally {
      if (this.#stop === own) this.progress = null;
    }
  }

  readonly #onProgress = ({ done, total }: ImportProgress) => (this.progress = total > 0 ? done / total : null);

  async #pause(signal: AbortSignal): Promise<void> {
    await (this.#parts.pause ?? giveTurn)();
    signal.throwIfAborted();
  }
}

const giveTurn = () => new Promise<void>((go) => setTimeout(go));

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

const noCounts: Counts = { values: 0, raw: 0, doubled: 0, limits: 0, doses: 0, treatments: 0, background: 0 };

function addCounts(one: Counts, other: Counts): Counts {
  const keys = Object.keys(one) as (keyof Counts)[];
  return Object.fromEntries(keys.map((key) => [key, one[key] + other[key]])) as Record<keyof Counts, number>;
}

function mergeUnknown(all: readonly UnknownCode[]): readonly UnknownCode[] {
  const merged = new Map<string, UnknownCode>();
  for (const one of all) {
    const key = JSON.stringify([one.system, one.code]);
    const there = merged.get(key);
    merged.set(key, there ? { ...there, count: there.count + one.count } : one);
  }
  return [...merged.values()].sort((a, b) => b.count - a.count);
}

/** A file by its name; tables that belong together by the first one's. */
function fileOf({ files }: ImportGroup): string {
  const [first, ...others] = files.map(({ name }) => name);
  return others.length === 0 ? (first ?? '') : `${first} and ${others.length} more`;
}

function tooMany(count: number): AppError {
  return new AppError(
    'import_refused',
    `These people have ${count.toLocaleString('en')} values, and at most ${mostValues.toLocaleString('en')} are stored at once. Nothing was stored: leave some people out, or split the file.`,
  );
}
