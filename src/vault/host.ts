/**
 * The vault's side of the worker boundary: looks at what is on the device, opens it, and answers for the open vault. Knows neither
 * Dexie nor files nor messages: they are its parts.
 */
import { AppError, invariant } from '#domain/errors.ts';
import { lookAtBackup, readBackup, writeBackup } from './backup-stream.ts';
import { decodeBatch, encodeBatch, recordsOf } from './batch.ts';
import type { Canary } from './canary.ts';
import { damageOf, isFull } from './damage.ts';
import type { Main } from './damage.ts';
import { createHeader, newRecoveryKey, openHeader } from './header.ts';
import type { KdfParameters, Secret, VaultHeader, VaultKeys, WrapKind } from './keys.ts';
import { commitChange, headerChange, OpenVault, readNote } from './open-vault.ts';
import type { CommitNote, Exclusive } from './open-vault.ts';
import type { OpenFacts, Told, Ways } from './protocol.ts';
import { isRescue, readRescue, writeRescue } from './rescue.ts';
import { makeRowSealer } from './row-sealer.ts';
import { salvage } from './salvage.ts';
import type { CopyMessage, CopySummary, SecondCopy } from './second-copy.ts';
import { changesOf, commitId, storeVersion } from './store.ts';
import type { Change, Loss, MainStore, StoreHouse } from './store.ts';
import { assertHolds, deleteGenerations, plainRows, readable, storedHeader, storedOf, surveyHouse } from './survey.ts';
import { countEach, tableNames } from './tables.ts';
import type { TableName } from './tables.ts';
import type { KeyOptions } from './vault-keys.ts';
import type { AuditEntry, BackupContents, Damage, ErasureReport, Found, StorageReport } from './vault.ts';

/** `lock`: every tab keeps what is being typed and lets go of its keys. `end`: at once, as what they have open is replaced or deleted. */
export type PeerMessage = { readonly type: 'lock' } | { readonly type: 'end' } | CopyMessage;

interface HostParts {
  /** Where stores may lie, the usual place first; the others are for when that one is broken. */
  readonly houses: readonly StoreHouse[];
  /** Where nothing lasts: for browsers that store nothing. */
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
  readonly storage: { isPersistent(): Promise<boolean | null>; bytes(): Promise<number | null> };
}

/** What the last look saw; opening starts from it. */
interface Sight {
  readonly house: StoreHouse;
  readonly main: Main;
  readonly copy: CopySummary | null;
  readonly canary: Canary | null;
  readonly damage: Damage | null;
}

/** A file that was unlocked and read, waiting to be put in the place of what is here. */
interface Waiting {
  readonly header: VaultHeader;
  readonly keys: VaultKeys;
  readonly changes: readonly Change[];
  readonly commit: number;
  readonly compared: Comparison;
}

type Comparison = Pick<BackupContents, 'isOlder' | 'isOtherVault'>;

interface Opened {
  /** False until a new vault's first commit is on the disk: what fails before is no damage. */
  isFounded: boolean;
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
/** How long a page may take to put what is being typed after another tab locked; a page that hangs must not keep the vault open. */
const lockingMs = 3500;
/** No vault gets there, at a commit a microsecond in thirty years; a forged number must not use up those that can still be counted. */
const mostCommits = 2 ** 50;

export class VaultHost {
  readonly #parts: HostParts;
  #sight: Sight | null = null;
  /** What the page remembered at the last look: a look of this worker's own compares with it too. */
  #remembered: Canary | null = null;
  #opened: Opened | null = null;
  #waiting: Waiting | null = null;
  #copyAt: number | null = null;
  /** A write or a read failed in a way after which nothing more may be written. */
  #isSuspect = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #locking: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: HostParts) {
    this.#parts = parts;
    parts.peers.onMessage((message) => {
      if (message.type === 'end') this.#end();
      else if (message.type === 'lock') this.#lockSoon();
      else void parts.copy?.hear(message).catch(() => {});
    });
  }

  /** The open vault. Throws `vault_locked` when there is none. */
  get vault(): OpenVault {
    return this.#open.vault;
  }

  get #open(): Opened {
    if (this.#opened) return this.#opened;
    throw new AppError('vault_locked', 'The vault is locked. Unlock it and try again.');
  }

  async look(canary: Canary | null): Promise<Found> {
    this.close();
    this.#remembered = canary;
    // Memory first: what is committed between these reads makes the store newer than what is remembered, never older.
    const copy = (await this.#parts.copy?.summary().catch(() => null)) ?? null;
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
    return { kind: 'locked', ways: waysOf(main.header) };
  }

  /** The best of all houses; where none opens, memory. */
  async #survey(): Promise<{ house: StoreHouse; main: Main }> {
    const seen: { house: StoreHouse; main: Main }[] = [];
    for (const house of this.#parts.houses) {
      const main = await surveyHouse(house, (how) => this.#lost(how)).catch((): Main => ({ kind: 'broken' }));
      seen.push({ house, main });
    }
    const newer = seen.find(({ main }) => main.kind === 'newer');
    const sealed = seen
      .flatMap(({ house, main }) => (main.kind === 'sealed' ? [{ house, main }] : []))
      .sort((a, b) => b.main.generation - a.main.generation)[0];
    const best = newer ?? sealed ?? seen.find(({ main }) => main.kind === 'plain') ?? seen[0];
    for (const { main } of seen) if ('store' in main && main !== best?.main) main.store.close();
    return best && best.main.kind !== 'broken' ? best : { house: this.#parts.memory, main: { kind: 'broken' } };
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
    const place = { house, generation, isDemonstration: header.isDemonstration, isFounded: false };
    const facts = this.#enter(place, store, keys);
    try {
      await this.vault.commit(async (draft) => {
        for (const { table, row } of plain) await draft.adopt(table, row.id, storedOf(row));
        draft.header(header);
      });
    } catch (error) {
      this.close();
      throw error;
    }
    this.#open.isFounded = true;
    return { ...facts, recoveryKey };
  }

  async unlock(secret: Secret): Promise<OpenFacts> {
    const { house, main, copy, damage } = await this.#seen();
    if (damage || main.kind !== 'sealed' || !main.header) {
      throw new AppError(
        'vault_damaged',
        'What is stored on this device cannot be unlocked as it is. Nothing was changed; reload the page to see what can be done.',
      );
    }
    const { generation, store } = main;
    // As it is now: another tab may have changed the ways of unlocking since the look.
    const header = (await storedHeader(store).catch(() => null)) ?? main.header;
    const keys = await openHeader(header, secret, this.#parts.keys);
    const place = { house, generation, isDemonstration: header.isDemonstration, isFounded: true };
    const facts = this.#enter(place, store, keys);
    this.#tellCanary(main.commit, main.note, false);
    if (copy?.isWhole && copy.generation === generation && copy.commit >= main.commit) this.#copyAt = copy.at;
    else void this.#renewCopy();
    return facts;
  }

  async recover(secret: Secret): Promise<OpenFacts> {
    const sight = await this.#seen();
    const header = headerOf(sight);
    if (!header) {
      throw new AppError(
        'vault_damaged',
        'Neither the store nor a second copy holds enough to open this vault. Restore a backup file, or start over.',
      );
    }
    const keys = await openHeader(header, secret, this.#parts.keys);
    return this.#replacing(keys, async () => {
      const { main, copy } = sight;
      const stored = main.kind === 'sealed' ? await readable(main.store) : [];
      const copied = copy?.vaultId === header.vaultId ? await this.#parts.copy!.changes() : [];
      const found = [...stored, ...copied];
      if (main.kind !== 'sealed' && found.length === 0) {
        throw new AppError(
          'vault_damaged',
          'The store is lost and there is no second copy. Restore a backup file, or start over.',
        );
      }
      return this.#rebuild(header, keys, (await salvage(keys, found)).changes, sight);
    });
  }

  /** Changes nothing but what this worker remembers: file and keys wait for `restore`. */
  async openBackup(file: Blob, secret: Secret, canary: Canary | null): Promise<BackupContents> {
    this.closeBackup();
    const { header, keys, found, madeAt, commit } = (await isRescue(file))
      ? await this.#readRescue(file, secret)
      : await this.#readBackup(file, secret);
    try {
      const { changes, unreadable } = await salvage(keys, found);
      const at = madeAt ?? (await lastLogged(keys, changes));
      const compared = await this.#compare(header, commit, canary);
      this.#waiting = { header, keys, changes, commit, compared };
      return { madeAt: at, counts: noteOf(changes).counts, unreadable, ...compared };
    } catch (error) {
      keys.destroy();
      throw error;
    }
  }

  async restore(canary: Canary | null): Promise<OpenFacts> {
    const waiting = this.#waiting;
    invariant(waiting, 'a backup was opened before it is restored');
    const { header, keys, changes, commit, compared } = waiting;
    // Whatever comes of it, a file is put in once.
    this.#waiting = null;
    return this.#replacing(keys, async () => {
      // What is here may have gone on, in another tab, while somebody read what the file holds.
      const now = await this.#compare(header, commit, canary);
      if ((now.isOlder && !compared.isOlder) || (now.isOtherVault && !compared.isOtherVault)) {
        throw new AppError(
          'backup_older',
          'What is on this device changed in another tab since the file was opened, and would be lost. Nothing was restored. Open the file again to compare.',
        );
      }
      return this.#rebuild(header, keys, changes, await this.#seen());
    });
  }

  closeBackup(): void {
    this.#waiting?.keys.destroy();
    this.#waiting = null;
  }

  async #readBackup(file: Blob, secret: Secret) {
    const { header, keys, meta, payload } = await readBackup(file, secret, this.#parts.keys);
    try {
      const pieces: Uint8Array<ArrayBuffer>[] = [];
      for await (const piece of payload) pieces.push(new Uint8Array(piece));
      const found: Change[] = [];
      for await (const { body } of recordsOf(new Uint8Array(await new Blob(pieces).arrayBuffer()))) {
        for (const change of decodeBatch(body)?.changes ?? []) found.push(change);
      }
      return { header, keys, found, madeAt: meta.madeAt, commit: meta.commitCounter };
    } catch (error) {
      keys.destroy();
      throw error;
    }
  }

  /** What it says of its commit is not proved; its rows are, and the time in its log. */
  async #readRescue(file: Blob, secret: Secret) {
    const { header, changes, commit } = await readRescue(file);
    const keys = await openHeader(header, secret, this.#parts.keys);
    return { header, keys, found: changes, madeAt: null, commit };
  }

  /** With what is here now: looks anew. */
  async #compare(header: VaultHeader, commit: number, canary: Canary | null): Promise<Comparison> {
    const { kind } = await this.look(canary);
    if (kind === 'newer') {
      throw new AppError(
        'vault_newer',
        'The vault on this device was written by a later version of Counterpart. Nothing was restored; reload the page to update the app.',
      );
    }
    return compared(header, commit, await this.#seen());
  }

  /** Nobody else commits meanwhile. The keys go when it fails. */
  async #replacing(keys: VaultKeys, work: () => Promise<OpenFacts>): Promise<OpenFacts> {
    try {
      return await this.#parts.exclusive('commit', work);
    } catch (error) {
      keys.destroy();
      throw error;
    }
  }

  async lookAtBackup(file: Blob): Promise<Ways> {
    const header = (await isRescue(file)) ? (await readRescue(file)).header : await lookAtBackup(file);
    return { ways: waysOf(header) };
  }

  async rescue(): Promise<Blob | null> {
    const copy = await this.#parts.copy?.summary();
    return copy ? writeRescue(copy, await this.#parts.copy!.changes()) : null;
  }

  async startOver(): Promise<void> {
    this.close();
    const { houses, copy, tell, peers } = this.#parts;
    peers.post({ type: 'end' });
    // A store that will not open cannot be deleted either; it holds sealed rows only, and its keys go with the second copy.
    for (const house of houses) await deleteGenerations(house, Infinity).catch(() => {});
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
    const last = await this.vault.store.get('meta', commitId);
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

  async backup(): Promise<Blob> {
    const { vault } = this.#open;
    const madeAt = this.#parts.now();
    // In the file too, so that a restored vault knows its last backup.
    await vault.commit((draft) => draft.note('meta', backupNote, { at: madeAt }));
    const contents = await vault.store.everything();
    const last = contents.get('meta')?.find(({ id }) => id === commitId);
    invariant(last, 'an open vault has commits');
    const meta = { commitCounter: last.counter, madeAt, counts: readNote(last).counts };
    const changes = [...changesOf(contents)];
    return writeBackup(await this.#header(), vault.keys, meta, piecesOf(last.counter, changes), this.#parts.keys);
  }

  /** Closes, and has every other tab close. */
  lock(): void {
    this.close();
    this.#parts.peers.post({ type: 'lock' });
  }

  /** Forgets the keys and lets go of store and journal. */
  close(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#locking);
    const { main } = this.#sight ?? {};
    if (main && 'store' in main) main.store.close();
    this.#opened?.vault.keys.destroy();
    this.#opened?.vault.store.close();
    this.#parts.copy?.close();
    this.#sight = this.#opened = this.#copyAt = null;
    this.#isSuspect = false;
  }

  async #seen(): Promise<Sight> {
    if (!this.#sight) await this.look(this.#remembered);
    return this.#sight!;
  }

  #enter(place: Omit<Opened, 'vault'>, store: MainStore, keys: VaultKeys): OpenFacts {
    const vault = new OpenVault({
      store,
      keys,
      exclusive: this.#parts.exclusive,
      now: this.#parts.now,
      onCommit: (commit, changes, note) => this.#committed(commit, changes, note),
      onFailure: (cause) => this.#failed(cause),
      mayWrite: () => !this.#isSuspect,
    });
    this.#opened = { vault, ...place };
    return { isLasting: this.#isLasting, isDemonstration: place.isDemonstration };
  }

  get #isLasting(): boolean {
    return this.#opened?.house !== this.#parts.memory;
  }

  /** A new store of the next generation; what was there before goes last. */
  async #rebuild(header: VaultHeader, keys: VaultKeys, changes: readonly Change[], sight: Sight): Promise<OpenFacts> {
    const { main, copy } = sight;
    const mainCommit = main.kind === 'sealed' ? main.commit : 0;
    const mainGeneration = 'generation' in main ? main.generation : 0;
    // The canary has no say: anybody could have written it, and it is replaced below.
    const commit = Math.max(latestOf(changes), mainCommit, copy?.commit ?? 0) + 1;
    const above = Math.max(mainGeneration, copy?.generation ?? 0) + 1;
    if (Math.max(commit, above) > mostCommits) {
      throw new AppError(
        'vault_damaged',
        'The vault or the file gives a number to its last change that no vault reaches: it was changed from outside. Nothing was restored; use another backup.',
      );
    }
    this.#parts.peers.post({ type: 'end' });
    const note = noteOf(changes);
    const all = [...changes, headerChange(commit, header), commitChange(commit, note)];
    const { house, generation, store } = await this.#writeAnew(above, all);
    if ('store' in main) main.store.close();
    const facts = this.#enter({ house, generation, isDemonstration: header.isDemonstration, isFounded: true }, store, keys);
    // In memory nothing lasts: what is on the device stays as it is, for another attempt.
    if (!facts.isLasting) return facts;
    await this.#renewCopy();
    this.#tellCanary(commit, note, true);
    for (const old of this.#parts.houses) await deleteGenerations(old, generation).catch(() => {});
    return facts;
  }

  /** In one transaction, read back before it counts. Where no house takes it, in memory. */
  async #writeAnew(
    above: number,
    changes: readonly Change[],
  ): Promise<{ house: StoreHouse; generation: number; store: MainStore }> {
    for (const house of this.#parts.houses) {
      try {
        const generation = Math.max(above, ...(await house.generations()).map((one) => one + 1));
        const store = await house.open(generation, (how) => this.#lost(how));
        try {
          await store.commit(0, changes);
          await assertHolds(store, changes);
          return { house, generation, store };
        } catch (cause) {
          store.close();
          await house.delete(generation);
          throw cause;
        }
      } catch {
        // Full or broken: the next one.
      }
    }
    const house = this.#parts.memory;
    await house.delete(above);
    const store = await house.open(above, () => {});
    await store.commit(0, changes);
    return { house, generation: above, store };
  }

  async #committed(commit: number, changes: readonly Change[], note: CommitNote): Promise<void> {
    if (!this.#isLasting) return;
    await this.#copyCommit(commit, changes);
    if (this.#opened) this.#tellCanary(commit, note, false);
  }

  async #copyCommit(commit: number, changes: readonly Change[]): Promise<void> {
    const { copy, now } = this.#parts;
    if (!copy || !this.#opened) return;
    try {
      await copy.append(this.#owner, { commit, changes });
      this.#copyAt = now();
      if (copy.pendingBytes > longJournalBytes) void this.#renewCopy();
    } catch {
      this.#renewLater();
    }
  }

  #renewLater(): void {
    clearTimeout(this.#retry);
    if (this.#opened) this.#retry = setTimeout(() => void this.#renewCopy(), retryMs);
  }

  get #owner() {
    const { vault, generation } = this.#open;
    return { vaultId: vault.keys.vaultId, generation };
  }

  /** A new snapshot of everything; false where the second copy could not be written, or may still hold what was removed. */
  async #renewCopy(): Promise<boolean> {
    const { copy, exclusive, now } = this.#parts;
    if (!copy || !this.#isLasting) return true;
    const { vault } = this.#open;
    const owner = this.#owner;
    try {
      return await exclusive('copy', async () => {
        const contents = await vault.store.everything();
        const last = contents.get('meta')?.find(({ id }) => id === commitId);
        // What the store has lost must not be lost from the second copy too.
        if (!last || tableNames.some((table) => contents.get(table)!.length < readNote(last).counts[table])) {
          this.#suspect('unreadable');
          return false;
        }
        const isClean = await copy.replace(owner, contents);
        this.#copyAt = now();
        if (isClean) await vault.store.prune(last.counter);
        return isClean;
      });
    } catch {
      this.#renewLater();
      return false;
    }
  }

  #tellCanary(commit: number, { counts, entries }: CommitNote, replaces: boolean): void {
    const canary = { ...this.#owner, version: storeVersion, commit, counts, entries, isSuspect: false };
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
    await this.vault.commit(async (draft) => {
      // Deriving a key takes a second; a way that another tab took out meanwhile must not come back with it.
      if ((await this.#header()).mac !== header.mac) {
        throw new AppError(
          'vault_in_use',
          'The ways of unlocking were changed in another tab meanwhile. Nothing was changed here; look at them again.',
        );
      }
      draft.header(changed);
    });
    // The old way of unlocking goes out of the second copy too.
    await this.#renewCopy();
  }

  async #lastBackupAt(): Promise<number | null> {
    return ((await this.vault.note(backupNote)) as { at: number } | null)?.at ?? null;
  }

  /** A full quota is refused cleanly. After anything else a browser may lose the store when it is opened next. */
  #failed(cause: unknown): void {
    if (!isFull(cause)) this.#suspect('disk-full');
  }

  #lost(how: Loss): void {
    if (how === 'replaced') this.#end();
    else if (this.#opened) this.#suspect('unreadable');
  }

  #suspect(kind: Damage['kind']): void {
    if (this.#isSuspect || !this.#opened?.isFounded || !this.#isLasting) return;
    this.#isSuspect = true;
    void this.#tellDamage(kind);
  }

  async #tellDamage(kind: Damage['kind']): Promise<void> {
    const { copy, tell } = this.#parts;
    const owner = this.#owner;
    const summary = (await copy?.summary().catch(() => null)) ?? null;
    const none = countEach(() => 0);
    const counts = summary?.note.counts ?? null;
    const canary = { ...owner, version: storeVersion, commit: 0, counts: none, entries: 0, isSuspect: true };
    tell({ type: 'canary', canary, replaces: false });
    const secondCopy = summary && { at: summary.at, counts: summary.note.counts };
    tell({ type: 'damage', damage: { kind, remembered: counts, readable: none, secondCopy } });
  }

  /** The page is told, keeps what is being typed, and ends this worker. */
  #lockSoon(): void {
    if (!this.#opened) return this.#end();
    this.#parts.tell({ type: 'locking' });
    this.#locking ??= setTimeout(() => this.#end(), lockingMs);
  }

  #end(): void {
    this.closeBackup();
    this.close();
    this.#parts.tell({ type: 'ended' });
  }
}

function headerOf({ main, copy }: Sight): VaultHeader | null {
  return (main.kind === 'sealed' ? main.header : null) ?? copy?.header ?? null;
}

function waysOf({ wraps }: VaultHeader): Ways['ways'] {
  return wraps.map(({ kind, credentialId }) => ({ kind, credentialId: credentialId ?? null }));
}

function latestOf(changes: readonly Change[]): number {
  return changes.reduce((latest, { counter }) => Math.max(latest, counter), 0);
}

/** When the last entry of the log was written, milliseconds since 1970: sealed, so nobody without the key can have set it. */
async function lastLogged(keys: VaultKeys, changes: readonly Change[]): Promise<number | null> {
  const last = changes
    .filter(({ store }) => store === 'audit')
    .reduce<Change | null>((latest, one) => (!latest || one.id > latest.id ? one : latest), null);
  if (!last) return null;
  try {
    return Date.parse(((await makeRowSealer(keys).open('audit', last)) as AuditEntry).at);
  } catch {
    return null;
  }
}

function noteOf(changes: readonly Change[]): CommitNote {
  const counts = countEach((table) => changes.filter(({ store, isGone }) => store === table && !isGone).length);
  return { counts, entries: changes.filter(({ store, isGone }) => store === 'audit' && !isGone).length };
}

/** A backup is older when what is here has commits that it lacks. */
function compared(header: VaultHeader, commit: number, { main, copy, canary }: Sight): Comparison {
  const here = [
    ...(main.kind === 'sealed' && main.header ? [{ vaultId: main.header.vaultId, commit: main.commit }] : []),
    ...[copy, canary].filter((one) => one !== null),
  ];
  return {
    isOlder: here.some((one) => one.vaultId === header.vaultId && one.commit > commit),
    isOtherVault: main.kind === 'plain' || here.some(({ vaultId }) => vaultId !== header.vaultId),
  };
}

/** A backup's content, about a megabyte at a time. */
async function* piecesOf(commit: number, changes: readonly Change[]): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  let from = 0;
  for (const [index, { sealed }] of changes.entries()) {
    bytes += sealed.length;
    if (bytes < 1024 * 1024 && index < changes.length - 1) continue;
    yield await encodeBatch({ commit, changes: changes.slice(from, index + 1) });
    from = index + 1;
    bytes = 0;
  }
}
