/**
 * The second copy: files in the origin's private file system, apart from the main store, so that what ruins the one need not ruin the
 * other. Every worker appends its commits to a journal of its own; now and then all of them are replaced by a snapshot. Rows lie in it
 * as sealed as in the main store. The later row wins, by its counter.
 */
import * as v from 'valibot';
import { decodeBatch, decodeHead, encodeBatch, encodeRecord, recordsOf } from './batch.ts';
import type { Batch } from './batch.ts';
import { readHeader } from './header.ts';
import type { VaultHeader } from './keys.ts';
import { headerId, readNote } from './open-vault.ts';
import type { CommitNote } from './open-vault.ts';
import { changesOf, commitId } from './store.ts';
import type { Change, Contents } from './store.ts';

/** What the second copy remembers, read without opening anything. */
export interface CopySummary {
  readonly vaultId: string;
  readonly generation: number;
  readonly header: VaultHeader;
  readonly commit: number;
  readonly note: CommitNote;
  /** When it was last written, milliseconds since 1970. */
  readonly at: number;
  /** No commit up to the last is missing. */
  readonly isWhole: boolean;
}

/** Which vault a file belongs to. A rebuilt vault is of the next generation. */
interface CopyOwner {
  readonly vaultId: string;
  readonly generation: number;
}

/** The parts of the file system that are used, so that tests can bring their own. */
export interface Folder {
  keys(): AsyncIterable<string>;
  getFileHandle(name: string, options?: { readonly create: boolean }): Promise<FileEntry>;
  removeEntry(name: string): Promise<void>;
}
export interface FileEntry {
  getFile(): Promise<Blob & { readonly lastModified: number }>;
  createSyncAccessHandle(): Promise<OpenFile>;
}
export interface OpenFile {
  getSize(): number;
  read(into: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
  write(bytes: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

/** `replaced`: a snapshot holds everything up to a commit. `trimmed`: a journal holds nothing of that any more. */
export type CopyMessage =
  | { readonly type: 'replaced'; readonly owner: CopyOwner; readonly upTo: number }
  | { readonly type: 'trimmed'; readonly journal: string; readonly upTo: number };

interface SecondCopyParts {
  readonly folder: () => Promise<Folder>;
  readonly randomName: () => string;
  readonly post: (message: CopyMessage) => void;
}

/** How long the workers of other tabs may take to trim their journals. */
const trimMs = 3000;
/** Of a snapshot's records: rows are gathered until they have as many bytes. */
const recordBytes = 1024 * 1024;

const ownerSchema = v.object({ vaultId: v.string(), generation: v.number() });
const endSchema = v.object({ end: v.number() });

interface ReadFile {
  readonly name: string;
  readonly owner: CopyOwner;
  readonly batches: readonly Batch[];
  /** Of a snapshot: everything was written. */
  readonly isComplete: boolean;
  readonly at: number;
}

interface Journal {
  readonly name: string;
  readonly file: OpenFile;
  readonly owner: CopyOwner;
  size: number;
  /** Where each batch lies. */
  batches: { readonly commit: number; readonly from: number; readonly to: number }[];
}

export class SecondCopy {
  readonly #parts: SecondCopyParts;
  #journal: Journal | null = null;
  /** Commits up to this one are in a snapshot and need no journal. */
  #upTo = 0;
  readonly #trimmed = new Map<string, number>();
  readonly #waiting: Batch[] = [];
  #session = 0;
  /** Nothing is appended while the journal is cut. */
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: SecondCopyParts) {
    this.#parts = parts;
  }

  /** Bytes written since the last snapshot. */
  get pendingBytes(): number {
    return this.#journal?.size ?? 0;
  }

  /** Of the latest generation; null where there is no second copy. */
  async summary(): Promise<CopySummary | null> {
    const files = await this.#latestFiles();
    const last = new Map<string, Change>();
    const commits = new Set<number>();
    let covered = 0;
    for (const { name, batches, isComplete } of files) {
      for (const { commit, changes } of batches) {
        if (isSnapshot(name) && isComplete) covered = Math.max(covered, commit);
        else commits.add(commit);
        for (const change of changes) {
          if (change.store === 'meta' && change.counter >= (last.get(change.id)?.counter ?? 0)) last.set(change.id, change);
        }
      }
    }
    const [headerRow, commitRow] = [last.get(headerId), last.get(commitId)];
    if (!headerRow || !commitRow) return null;
    const commit = commitRow.counter;
    let isWhole = true;
    for (let number = covered + 1; number <= commit; number++) isWhole &&= commits.has(number);
    return {
      ...files[0]!.owner,
      header: readHeader(JSON.parse(new TextDecoder().decode(headerRow.sealed))),
      commit,
      note: readNote(commitRow),
      at: Math.max(...files.map(({ at }) => at)),
      isWhole,
    };
  }

  /** Every change that can be read of the latest generation, in no order; several of one row may be there. */
  async changes(): Promise<readonly Change[]> {
    return (await this.#latestFiles()).flatMap(({ batches }) => batches.flatMap(({ changes }) => changes));
  }

  /** Writes and flushes one commit, together with those that wait. Rejects where the file system refuses; nothing of it is then left. */
  append(owner: CopyOwner, batch: Batch): Promise<void> {
    this.#waiting.push(batch);
    return this.#inTurn(async () => {
      const batches = this.#waiting.splice(0).filter(({ commit }) => commit > this.#upTo);
      if (batches.length === 0) return;
      const records = await Promise.all(batches.map(encodeBatch));
      const journal = await this.#ownJournal(owner);
      const written: Journal['batches'] = [];
      let size = journal.size;
      try {
        for (const [index, record] of records.entries()) {
          write(journal.file, record, size);
          written.push({ commit: batches[index]!.commit, from: size, to: size + record.length });
          size += record.length;
        }
        journal.file.flush();
      } catch (cause) {
        journal.file.truncate(journal.size);
        throw cause;
      }
      journal.batches.push(...written);
      journal.size = size;
    });
  }

  /**
   * A snapshot of everything in the place of all other files, which go once it was read back. True when no file holds anything older;
   * false when another tab did not answer in time.
   */
  async replace(owner: CopyOwner, contents: Contents): Promise<boolean> {
    const folder = await this.#parts.folder();
    const name = `snapshot-${this.#parts.randomName()}`;
    const commit = contents.get('meta')?.find(({ id }) => id === commitId)?.counter ?? 0;
    try {
      await writeSnapshot(folder, name, owner, commit, contents);
      await verifySnapshot(folder, name, contents);
    } catch (cause) {
      await folder.removeEntry(name).catch(() => {});
      throw cause;
    }
    await this.#trim(owner, commit);
    this.#parts.post({ type: 'replaced', owner, upTo: commit });
    const busy: string[] = [];
    for (const other of await namesIn(folder)) {
      if (other === name || other === this.#journal?.name) continue;
      // A journal that a living worker holds cannot be removed.
      await folder.removeEntry(other).catch(() => busy.push(other));
    }
    return this.#allTrimmed(folder, busy, commit);
  }

  /** Told by another worker. */
  async hear(message: CopyMessage): Promise<void> {
    if (message.type === 'trimmed') this.#trimmed.set(message.journal, message.upTo);
    else {
      await this.#trim(message.owner, message.upTo);
      if (this.#journal) this.#parts.post({ type: 'trimmed', journal: this.#journal.name, upTo: message.upTo });
    }
  }

  /** Takes what a snapshot holds out of this worker's journal; all of it when the snapshot is of another vault or generation. */
  #trim(owner: CopyOwner, upTo: number): Promise<void> {
    return this.#inTurn(async () => {
      this.#upTo = upTo;
      const journal = this.#journal;
      if (!journal) return;
      const kept = isSameOwner(journal.owner, owner) ? journal.batches.filter(({ commit }) => commit > upTo) : [];
      const first = await encodeRecord(owner);
      const parts = kept.map(({ from, to }) => {
        const part = new Uint8Array(to - from);
        journal.file.read(part, { at: from });
        return part;
      });
      journal.file.truncate(0);
      write(journal.file, first, 0);
      let size = first.length;
      const batches: Journal['batches'] = [];
      for (const [index, part] of parts.entries()) {
        write(journal.file, part, size);
        batches.push({ commit: kept[index]!.commit, from: size, to: size + part.length });
        size += part.length;
      }
      journal.file.flush();
      this.#journal = { ...journal, owner, size, batches };
    });
  }

  async delete(): Promise<void> {
    this.close();
    const folder = await this.#parts.folder();
    // The workers of other tabs were told to end, and hold their journals for a moment.
    for (let waited = 0; ; waited += 50) {
      const names = await namesIn(folder);
      const removed = await Promise.allSettled(names.map((name) => folder.removeEntry(name)));
      if (removed.every(({ status }) => status === 'fulfilled')) break;
      if (waited >= trimMs) throw new Error('A file of the second copy could not be deleted: another tab holds it.');
      await new Promise((done) => setTimeout(done, 50));
    }
    this.#upTo = 0;
  }

  /** Lets go of the journal; the next worker takes it up. */
  close(): void {
    this.#session++;
    this.#waiting.length = 0;
    this.#journal?.file.close();
    this.#journal = null;
  }

  /** One at a time; what waits when the copy is closed is dropped. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const session = this.#session;
    const turn = this.#turn.then(() => {
      if (session === this.#session) return work();
      throw new Error('The second copy was closed.');
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #allTrimmed(folder: Folder, busy: readonly string[], upTo: number): Promise<boolean> {
    let left = busy;
    for (let waited = 0; left.length > 0 && waited < trimMs; waited += 50) {
      await new Promise((done) => setTimeout(done, 50));
      left = left.filter((name) => (this.#trimmed.get(name) ?? 0) < upTo);
    }
    // Whoever did not answer may have ended meanwhile.
    const removed = await Promise.allSettled(left.map((name) => folder.removeEntry(name)));
    return removed.every(({ status }) => status === 'fulfilled');
  }

  async #ownJournal(owner: CopyOwner): Promise<Journal> {
    if (this.#journal) return this.#journal;
    const folder = await this.#parts.folder();
    for (const name of (await namesIn(folder)).filter((one) => !isSnapshot(one))) {
      const file = await (await folder.getFileHandle(name)).createSyncAccessHandle().catch(() => null);
      if (!file) continue;
      const taken = await takeUp(await readOf(folder, name), owner);
      if (taken) {
        file.truncate(taken.size);
        return (this.#journal = { name, file, owner, ...taken });
      }
      file.close();
    }
    const name = `journal-${this.#parts.randomName()}`;
    const file = await (await folder.getFileHandle(name, { create: true })).createSyncAccessHandle();
    const first = await encodeRecord(owner);
    write(file, first, 0);
    return (this.#journal = { name, file, owner, size: first.length, batches: [] });
  }

  /** The files of the latest generation, the one with the latest commit first. */
  async #latestFiles(): Promise<readonly ReadFile[]> {
    const folder = await this.#parts.folder();
    const files: ReadFile[] = [];
    for (const name of await namesIn(folder)) {
      const file = await readWhole(folder, name);
      if (file) files.push(file);
    }
    const lastOf = ({ owner, batches }: ReadFile) =>
      [owner.generation, Math.max(0, ...batches.map(({ commit }) => commit))] as const;
    files.sort((a, b) => {
      const [[generationA, commitA], [generationB, commitB]] = [lastOf(a), lastOf(b)];
      return generationB - generationA || commitB - commitA;
    });
    const latest = files[0]?.owner;
    return files.filter(({ owner }) => latest && isSameOwner(owner, latest));
  }
}

const isSameOwner = (a: CopyOwner, b: CopyOwner) => a.vaultId === b.vaultId && a.generation === b.generation;
const isSnapshot = (name: string) => name.startsWith('snapshot-');

async function namesIn(folder: Folder): Promise<string[]> {
  const names: string[] = [];
  for await (const name of folder.keys()) names.push(name);
  return names.sort();
}

async function readOf(folder: Folder, name: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await (await folder.getFileHandle(name)).getFile()).arrayBuffer());
}

async function readWhole(folder: Folder, name: string): Promise<ReadFile | null> {
  try {
    const file = await (await folder.getFileHandle(name)).getFile();
    let owner: CopyOwner | null = null;
    let end: number | null = null;
    const batches: Batch[] = [];
    for await (const { body } of recordsOf(new Uint8Array(await file.arrayBuffer()))) {
      const batch = decodeBatch(body);
      const head = decodeHead(body);
      if (batch) batches.push(batch);
      else if (v.is(ownerSchema, head)) owner ??= v.parse(ownerSchema, head);
      else if (v.is(endSchema, head)) end = head.end;
    }
    const written = batches.reduce((sum, { changes }) => sum + changes.length, 0);
    return owner && { name, owner, batches, isComplete: end === written, at: file.lastModified };
  } catch {
    // A file that went meanwhile, or that the disk does not give back.
    return null;
  }
}

/** Where the next batch goes in a journal that a worker left behind; null when it is not of this vault and generation. */
async function takeUp(bytes: Uint8Array<ArrayBuffer>, owner: CopyOwner): Promise<Pick<Journal, 'size' | 'batches'> | null> {
  let size = 0;
  let isOwn = false;
  const batches: Journal['batches'] = [];
  for await (const { from, to, body } of recordsOf(bytes)) {
    const batch = decodeBatch(body);
    const head = decodeHead(body);
    if (batch) batches.push({ commit: batch.commit, from, to });
    else if (v.is(ownerSchema, head)) isOwn = isSameOwner(head, owner);
    size = to;
  }
  return isOwn ? { size, batches } : null;
}

async function writeSnapshot(folder: Folder, name: string, owner: CopyOwner, commit: number, contents: Contents): Promise<void> {
  const file = await (await folder.getFileHandle(name, { create: true })).createSyncAccessHandle();
  try {
    let size = 0;
    const add = async (record: Promise<Uint8Array<ArrayBuffer>>) => {
      const bytes = await record;
      write(file, bytes, size);
      size += bytes.length;
    };
    await add(encodeRecord(owner));
    let changes: Change[] = [];
    let bytes = 0;
    let written = 0;
    const flush = async () => {
      if (changes.length > 0) await add(encodeBatch({ commit, changes }));
      written += changes.length;
      changes = [];
      bytes = 0;
    };
    for (const change of changesOf(contents)) {
      changes.push(change);
      bytes += change.sealed.length;
      if (bytes > recordBytes) await flush();
    }
    await flush();
    await add(encodeRecord({ end: written }));
    file.flush();
  } finally {
    file.close();
  }
}

async function verifySnapshot(folder: Folder, name: string, contents: Contents): Promise<void> {
  const file = await readWhole(folder, name);
  if (!file?.isComplete) throw new Error('The snapshot was not written whole.');
  const read = new Map(file.batches.flatMap(({ changes }) => changes).map((change) => [`${change.store}/${change.id}`, change]));
  for (const { store, id, counter, sealed } of changesOf(contents)) {
    const found = read.get(`${store}/${id}`);
    const isSame = found?.counter === counter && found.sealed.length === sealed.length;
    if (!isSame || found.sealed.some((byte, at) => byte !== sealed[at])) throw new Error('The snapshot is not what was written.');
  }
}

function write(file: OpenFile, bytes: Uint8Array<ArrayBuffer>, at: number): void {
  if (file.write(bytes, { at }) !== bytes.length) throw new Error('The file system wrote less than it was given.');
}
