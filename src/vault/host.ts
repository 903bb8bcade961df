/**
 * The vault's side of the worker boundary: looks at what is on the device, opens it, and answers for the open vault. Knows neither
 * Dexie nor files nor messages: they are its parts.
 */
import { AppError, invariant } from '#domain/errors.ts';
import type { Canary } from './canary.ts';
import { damageOf } from './damage.ts';
import type { Main } from './damage.ts';
import { createHeader, newRecoveryKey, openHeader, readHeader } from './header.ts';
import type { KdfParameters, Secret, VaultHeader, VaultKeys, WrapKind } from './keys.ts';
import { headerId, OpenVault, readNote } from './open-vault.ts';
import type { CommitNote, Exclusive, Stored } from './open-vault.ts';
import type { OpenFacts, Told, Ways } from './protocol.ts';
import { isPlain, openPlain } from './row-sealer.ts';
import type { PlainRow } from './row-sealer.ts';
import type { CopySummary, SecondCopy } from './second-copy.ts';
import { commitId, storeVersion } from './store.ts';
import type { Change, Loss, MainStore, StoreHouse } from './store.ts';
import { countEach, tableNames } from './tables.ts';
import type { Counts, TableName } from './tables.ts';
import type { KeyOptions } from './vault-keys.ts';
import type { Damage, ErasureReport, Found, StorageReport } from './vault.ts';

export type PeerMessage = 'lock';

export interface HostParts {
  readonly house: StoreHouse;
  /** Takes the place of `house` where the browser stores nothing. */
  readonly memory: StoreHouse;
  /** Null where there is no private file system. */
  readonly copy: SecondCopy | null;
  readonly keys: KeyOptions;
  readonly exclusive: Exclusive;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly tell: (told: Told) => void;
  /** The vault's workers of the other tabs. */
  readonly peers: { post(message: PeerMessage): void; onMessage(listener: (message: PeerMessage) => void): void };
  /** What only a browser knows. */
  readonly storage: {
    isPersistent(): Promise<boolean | null>;
    bytes(): Promise<number | null>;
  };
}

/** What the last look saw; opening starts from it. */
interface Sight {
  readonly house: StoreHouse;
  readonly main: Main;
  readonly copy: CopySummary | null;
  readonly canary: Canary | null;
  readonly damage: Damage | null;
}

interface Opened {
  readonly vault: OpenVault;
  readonly house: StoreHouse;
  readonly generation: number;
  readonly isDemonstration: boolean;
}

const backupNote = 'backup';
/** A journal longer than this is worth a new snapshot. */
const longJournalBytes = 4 * 1024 * 1024;
/** After a second copy that failed; five seconds of work may be lost at most. */
const retryMs = 2000;

export class VaultHost {
  readonly #parts: HostParts;
  #sight: Sight | null = null;
  #opened: Opened | null = null;
  #copyAt: number | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: HostParts) {
    this.#parts = parts;
    parts.peers.onMessage((message) => {
      if (message === 'lock') this.#end();
    });
  }

  /** The open vault. Rejects with `vault_locked` when there is none. */
  get vault(): OpenVault {
    return this.#open.vault;
  }

  get #open(): Opened {
    if (this.#opened) return this.#opened;
    throw new AppError('vault_locked', 'The vault is locked. Unlock it and try again.');
  }

  async look(canary: Canary | null): Promise<Found> {
    this.close();
    // Memory first: what is committed between these reads makes the store newer than what is remembered, never older.
    const copy = await this.#copySummary();
    const { house, main } = await this.#survey();
    const damage = damageOf(main, copy, canary);
    this.#sight = { house, main, copy, canary, damage };
    if (main.kind === 'newer') return { kind: 'newer', version: main.version };
    if (damage) return { kind: 'damaged', damage, header: headerOf(this.#sight) };
    if (main.kind === 'broken') return { kind: 'unavailable' };
    if (main.kind === 'absent') return { kind: 'nothing' };
    if (main.kind === 'plain') return { kind: 'unencrypted', counts: main.counts };
    invariant(main.header, 'a missing header is damage');
    if (main.header.isDemonstration) return { kind: 'demonstration' };
    return { kind: 'locked', ...waysOf(main.header) };
  }

  async #copySummary(): Promise<CopySummary | null> {
    return (await this.#parts.copy?.summary().catch(() => null)) ?? null;
  }

  async #survey(): Promise<{ house: StoreHouse; main: Main }> {
    const { house } = this.#parts;
    try {
      return { house, main: await surveyHouse(house, (how) => this.#lost(how)) };
    } catch {
      return { house: this.#parts.memory, main: { kind: 'broken' } };
    }
  }

  async create(secret: Secret): Promise<OpenFacts & { readonly recoveryKey: string | null }> {
    const { house, main, damage } = await this.#seen();
    if (damage || main.kind === 'sealed' || main.kind === 'newer') {
      throw new AppError('vault_damaged', 'There is a vault on this device already. Nothing was changed; reload the page.');
    }
    const { header, keys, recoveryKey } = await createHeader(secret, this.#parts.keys);
    const generation = main.kind === 'plain' ? main.generation : 0;
    const store = main.kind === 'plain' ? main.store : await house.open(generation, (how) => this.#lost(how));
    const plain = main.kind === 'plain' ? await plainRows(store) : [];
    const facts = this.#enter({ house, generation, isDemonstration: header.isDemonstration }, store, keys);
    await this.vault.commit(async (draft) => {
      for (const { table, row } of plain) await draft.adopt(table, row.id, storedOf(row));
      draft.header(header);
    });
    return { ...facts, recoveryKey };
  }

  async unlock(secret: Secret): Promise<OpenFacts> {
    const { house, main, damage } = await this.#seen();
    if (damage || main.kind !== 'sealed' || !main.header) {
      throw new AppError(
        'vault_damaged',
        'What is stored on this device cannot be unlocked as it is. Nothing was changed; reload the page to see what can be done.',
      );
    }
    const keys = await openHeader(main.header, secret, this.#parts.keys);
    const { generation, store } = main;
    const facts = this.#enter({ house, generation, isDemonstration: main.header.isDemonstration }, store, keys);
    this.#tellCanary(main.commit, main.note, false);
    return facts;
  }

  async recover(_secret: Secret): Promise<OpenFacts> {
    throw notYet();
  }

  async restore(_file: Blob, _secret: Secret, _allowOlder: boolean): Promise<OpenFacts> {
    throw notYet();
  }

  async lookAtBackup(_file: Blob): Promise<Ways> {
    throw notYet();
  }

  async rescue(): Promise<Blob | null> {
    return null;
  }

  async backup(): Promise<Blob> {
    throw notYet();
  }

  async startOver(): Promise<void> {
    this.close();
    const { house, copy, tell } = this.#parts;
    for (const generation of await house.generations()) await house.delete(generation);
    await copy?.delete();
    tell({ type: 'canary', canary: null, replaces: true });
  }

  /** Of a patient: everything that is theirs. */
  async remove(table: TableName, id: string): Promise<void> {
    if (table === 'patients') await this.erase(id);
    else await this.vault.remove(table, id);
  }

  async erase(patientId: string): Promise<ErasureReport> {
    const { vault } = this.#open;
    const rows = await vault.erase(patientId);
    const isKeyShredded = (await vault.store.get('keys', patientId)) === undefined;
    const isSecondCopyClean = await this.#renewCopy();
    return { patientId, rows, isKeyShredded, isSecondCopyClean, lastBackupAt: await this.#lastBackupAt() };
  }

  async storage(): Promise<StorageReport> {
    const { vault } = this.#open;
    const last = await vault.store.get('meta', commitId);
    invariant(last, 'an open vault has commits');
    return {
      isPersistent: await this.#parts.storage.isPersistent(),
      bytes: await this.#parts.storage.bytes(),
      secondCopyAt: this.#copyAt,
      lastBackupAt: await this.#lastBackupAt(),
      counts: readNote(last).counts,
    };
  }

  async ways(): Promise<readonly { readonly id: string; readonly kind: WrapKind; readonly kdf: KdfParameters | null }[]> {
    const { wraps } = await this.#header();
    return wraps.map(({ id, kind, kdf }) => ({ id, kind, kdf: kdf ?? null }));
  }

  setSecret(current: Secret, next: Secret): Promise<void> {
    return this.#changeHeader(current, (keys, header) => keys.withWrap(header, next));
  }

  async newRecoveryKey(current: Secret): Promise<string> {
    const text = await newRecoveryKey(this.#parts.keys.randomBytes);
    await this.setSecret(current, { kind: 'recovery', text });
    return text;
  }

  removeWay(current: Secret, id: string): Promise<void> {
    return this.#changeHeader(current, (keys, header) => keys.withoutWrap(header, id));
  }

  /** Closes, and has every other tab close. */
  lock(): void {
    this.close();
    this.#parts.peers.post('lock');
  }

  /** Forgets the keys and lets go of the store. */
  close(): void {
    clearTimeout(this.#retry);
    const { main } = this.#sight ?? {};
    if (main && 'store' in main) main.store.close();
    this.#opened?.vault.keys.destroy();
    this.#opened?.vault.store.close();
    this.#sight = this.#opened = null;
  }

  async #seen(): Promise<Sight> {
    if (!this.#sight) await this.look(null);
    return this.#sight!;
  }

  #enter(place: Omit<Opened, 'vault'>, store: MainStore, keys: VaultKeys): OpenFacts {
    const vault = new OpenVault({
      store,
      keys,
      exclusive: this.#parts.exclusive,
      now: this.#parts.now,
      onCommit: (commit, changes, note) => this.#committed(commit, changes, note),
      onFailure: () => {},
    });
    this.#opened = { vault, ...place };
    return { isLasting: place.house !== this.#parts.memory, isDemonstration: place.isDemonstration };
  }

  async #committed(commit: number, changes: readonly Change[], note: CommitNote): Promise<void> {
    await this.#copyCommit(commit, changes);
    this.#tellCanary(commit, note, false);
  }

  async #copyCommit(commit: number, changes: readonly Change[]): Promise<void> {
    const { copy } = this.#parts;
    if (!copy) return;
    try {
      await copy.append(commit, changes);
      this.#copyAt = this.#parts.now();
      if (copy.pendingBytes > longJournalBytes) void this.#renewCopy();
    } catch {
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => void this.#renewCopy(), retryMs);
    }
  }

  /** A new snapshot of everything; false where the second copy could not be written, or may still hold what was removed. */
  async #renewCopy(): Promise<boolean> {
    const { copy, exclusive, now } = this.#parts;
    if (!copy) return true;
    const { store } = this.vault;
    try {
      return await exclusive('copy', async () => {
        const contents = await store.everything();
        const isClean = await copy.replace(contents);
        this.#copyAt = now();
        return isClean;
      });
    } catch {
      this.#retry = setTimeout(() => void this.#renewCopy(), retryMs);
      return false;
    }
  }

  #tellCanary(commit: number, { counts, entries }: CommitNote, replaces: boolean): void {
    const { vault, generation } = this.#open;
    const canary = { vaultId: vault.keys.vaultId, version: storeVersion, generation, commit, counts, entries, isSuspect: false };
    this.#parts.tell({ type: 'canary', canary, replaces });
  }

  async #header(): Promise<VaultHeader> {
    const header = await storedHeader(this.vault.store);
    invariant(header, 'an open vault has a header');
    return header;
  }

  async #changeHeader(current: Secret, change: (keys: VaultKeys, header: VaultHeader) => Promise<VaultHeader>): Promise<void> {
    const header = await this.#header();
    // Whoever finds an unlocked vault must not be able to take it over.
    (await openHeader(header, current, this.#parts.keys)).destroy();
    const changed = await change(this.vault.keys, header);
    await this.vault.commit(async (draft) => draft.header(changed));
    // The old way of unlocking goes out of the second copy too.
    await this.#renewCopy();
  }

  async #lastBackupAt(): Promise<number | null> {
    return ((await this.vault.note(backupNote)) as { at: number } | null)?.at ?? null;
  }

  #lost(how: Loss): void {
    if (how === 'replaced') this.#end();
  }

  #end(): void {
    this.close();
    this.#parts.tell({ type: 'ended' });
  }
}

function notYet(): AppError {
  return new AppError('vault_unavailable', 'This part of the vault is being built.');
}

async function surveyHouse(house: StoreHouse, onLost: (how: Loss) => void): Promise<Main> {
  for (const generation of (await house.generations()).toReversed()) {
    const found = await house.inspect(generation);
    if (!found) continue;
    if (found.version > storeVersion) return { kind: 'newer', version: found.version };
    const store = await house.open(generation, onLost);
    const last = await store.get('meta', commitId);
    const counts = await countRows(store).catch(() => null);
    if (last)
      return {
        kind: 'sealed',
        generation,
        store,
        header: await storedHeader(store),
        commit: last.counter,
        note: readNote(last),
        counts,
      };
    if (counts && tableNames.some((table) => counts[table] > 0)) return { kind: 'plain', generation, store, counts };
    store.close();
  }
  return { kind: 'absent' };
}

async function countRows(store: MainStore): Promise<Counts> {
  const each = await Promise.all(tableNames.map((table) => store.count(table)));
  return countEach((table) => each[tableNames.indexOf(table)]!);
}

/** Null where there is none, or none that can be read. */
async function storedHeader(store: MainStore): Promise<VaultHeader | null> {
  const row = await store.get('meta', headerId);
  if (!row) return null;
  try {
    return readHeader(JSON.parse(new TextDecoder().decode(row.sealed)));
  } catch {
    return null;
  }
}

function headerOf({ main, copy }: Sight): VaultHeader | null {
  return (main.kind === 'sealed' ? main.header : null) ?? copy?.header ?? null;
}

function waysOf({ wraps }: VaultHeader): Ways {
  return { ways: wraps.map(({ kind, credentialId }) => ({ kind, credentialId: credentialId ?? null })) };
}

/** Rows of version 1. */
async function plainRows(store: MainStore): Promise<{ readonly table: TableName; readonly row: PlainRow }[]> {
  const rows: { table: TableName; row: PlainRow }[] = [];
  for (const table of tableNames) {
    for (const row of await store.all(table)) if (isPlain(row)) rows.push({ table, row: row as unknown as PlainRow });
  }
  return rows;
}

/** What could not be read then is kept as it was, and counted as unreadable by whoever reads the table. */
function storedOf(row: PlainRow): Stored {
  try {
    return { updatedAt: row.updatedAt, value: openPlain(row) };
  } catch {
    return { updatedAt: row.updatedAt, value: [...row.sealed] };
  }
}
