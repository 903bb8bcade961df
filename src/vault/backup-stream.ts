/**
 * The backup file: a header that says how to unlock it, then the content in chunks of 64 KiB, sealed in the STREAM construction (Hoang,
 * Reyhanitabar, Rogaway, Vizár, CRYPTO 2015), as in age. Byte by byte in docs/vault.md. Cut, swapped, repeated, reordered or added
 * pieces are refused where the reading meets them, so a reader keeps nothing for good before the iteration has ended.
 */
import * as v from 'valibot';
import { AppError, invariant } from '#domain/errors.ts';
import { fromBase64url, toBase64url } from './base64url.ts';
import { openHeader, readHeader } from './header.ts';
import type { Secret, VaultHeader, VaultKeys } from './keys.ts';
import { isSame } from './same-bytes.ts';
import type { KeyOptions } from './vault-keys.ts';
import type { RandomBytes } from './wraps.ts';

/** What a backup says of itself. Sealed in the file, and checked before its content is read. */
export interface BackupMeta {
  /** The vault's commit number when it was made: a lower one is an older state. */
  readonly commitCounter: number;
  /** Milliseconds since 1970. */
  readonly madeAt: number;
  /** Rows by table. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface OpenBackup {
  readonly header: VaultHeader;
  readonly keys: VaultKeys;
  readonly meta: BackupMeta;
  /**
   * The content, in pieces of any size, once. Rejects with `backup_truncated` or `backup_changed`: what came before is then not to be
   * used.
   */
  readonly payload: AsyncIterable<Uint8Array>;
}

/** As of PNG: a high bit, a name, and line ends that a transfer as text would change. */
const magic = Uint8Array.of(0x89, 0x43, 0x50, 0x42, 0x0d, 0x0a, 0x1a, 0x0a);
const formatVersion = 1;
/** Magic, version, length of the header. */
const preludeBytes = magic.length + 1 + 4;
const mostHeaderBytes = 64 * 1024;
/** SHA-256 of all before it: damage by accident is told before a secret is asked for, and not as a wrong one. */
const digestBytes = 32;
const macBytes = 32;
const saltBytes = 32;
const chunkBytes = 64 * 1024;
const tagBytes = 16;
const sealedChunkBytes = chunkBytes + tagBytes;
/** Whole chunks given to the browser at a time, which may put them on the disk. */
const flushChunks = 64;
/** Whole chunks asked of the browser at a time: each asking costs about a millisecond. */
const windowChunks = 16;
/** Ends the content in the last chunk; zeros follow to its end, so that the file's size says little about its content. */
const endMark = 0x80;

/** The last byte of a nonce: what kind of piece it closes. Numbers apart, no two pieces of a file share a nonce. */
const piece = { inner: 0, last: 1, meta: 2 } as const;

export async function writeBackup(
  header: VaultHeader,
  keys: VaultKeys,
  meta: BackupMeta,
  payload: AsyncIterable<Uint8Array>,
  { randomBytes }: { readonly randomBytes: RandomBytes },
): Promise<Blob> {
  const salt = randomBytes(saltBytes);
  const key = await keys.backupKey(salt);
  const seal = async (bytes: Uint8Array<ArrayBuffer>, index: number, kind: number, bound: Uint8Array<ArrayBuffer>) =>
    new Uint8Array(await crypto.subtle.encrypt(closing(index, kind, bound), key, bytes));

  const sealedMeta = await seal(encoder.encode(JSON.stringify(meta)), 0, piece.meta, salt);
  const text = encoder.encode(JSON.stringify({ vault: header, salt: toBase64url(salt), meta: toBase64url(sealedMeta) }));
  invariant(text.length <= mostHeaderBytes, 'the header of a backup is below 64 KiB');
  const start = new Uint8Array(preludeBytes + text.length);
  start.set(magic);
  start[magic.length] = formatVersion;
  new DataView(start.buffer).setUint32(magic.length + 1, text.length);
  start.set(text, preludeBytes);
  const signed = new Uint8Array([...start, ...(await digestOf(start))]);
  const mac = await keys.mac('backup header', signed);

  const whole: Blob[] = [new Blob([signed, mac])];
  let unflushed: Uint8Array<ArrayBuffer>[] = [];
  const chunk = new Uint8Array(chunkBytes);
  let filled = 0;
  let index = 0;
  const close = async (kind: number): Promise<void> => {
    unflushed.push(await seal(chunk, index++, kind, mac));
    filled = 0;
    if (unflushed.length < flushChunks && kind !== piece.last) return;
    whole.push(new Blob(unflushed));
    unflushed = [];
  };
  for await (const bytes of payload) {
    for (let at = 0; at < bytes.length;) {
      const taken = bytes.subarray(at, at + chunkBytes - filled);
      chunk.set(taken, filled);
      filled += taken.length;
      at += taken.length;
      if (filled === chunkBytes) await close(piece.inner);
    }
  }
  chunk[filled] = endMark;
  chunk.fill(0, filled + 1);
  await close(piece.last);
  return new Blob(whole, { type: 'application/octet-stream' });
}

/** How a file says it is unlocked, before anything of it is proved. Rejects with `backup_not_one`, `backup_truncated`, `backup_changed` or `vault_newer`. */
export async function lookAtBackup(file: Blob): Promise<VaultHeader> {
  return (await readStart(file)).vault;
}

/**
 * Rejects as `lookAtBackup` does; with `vault_secret_wrong`; with `vault_cost_refused` before any work; with `backup_changed` when the
 * secret is right and anything of the header is not what was written.
 */
export async function readBackup(file: Blob, secret: Secret, options: KeyOptions): Promise<OpenBackup> {
  const { vault: header, salt, sealedMeta, signed, mac, contentAt } = await readStart(file);
  const keys = await openHeader(header, secret, options).catch((cause: unknown) => {
    throw cause instanceof AppError && cause.code === 'vault_damaged' ? changed('its header', cause) : cause;
  });
  try {
    if (!isSame(await keys.mac('backup header', signed), mac)) throw changed('its header');
    const key = await keys.backupKey(salt);
    const meta = await opened(key, sealedMeta, 0, piece.meta, salt);
    const checked = meta && v.safeParse(metaSchema, parsed(meta));
    if (!checked?.success) throw changed('its header');
    return { header, keys, meta: checked.output, payload: contentOf(file, contentAt, key, mac) };
  } catch (cause) {
    keys.destroy();
    throw cause;
  }
}

async function* contentOf(
  file: Blob,
  contentAt: number,
  key: CryptoKey,
  mac: Uint8Array<ArrayBuffer>,
): AsyncGenerator<Uint8Array, void> {
  let window = new Uint8Array();
  for (let index = 0; ; index++) {
    const at = contentAt + index * sealedChunkBytes;
    const left = file.size - at;
    if (left < sealedChunkBytes) throw truncated();
    if (index % windowChunks === 0) window = await bytesOf(file, at, at + windowChunks * sealedChunkBytes);
    const from = (index % windowChunks) * sealedChunkBytes;
    const sealed = window.subarray(from, from + sealedChunkBytes);
    const inner = await opened(key, sealed, index, piece.inner, mac);
    if (inner) {
      yield inner;
      continue;
    }
    const last = await opened(key, sealed, index, piece.last, mac);
    if (!last) throw changed(`piece ${index + 1}`);
    if (left > sealedChunkBytes) throw changed('something was added at its end');
    const end = last.lastIndexOf(endMark);
    invariant(end >= 0, 'the last piece of a backup has an end mark');
    if (end > 0) yield last.subarray(0, end);
    return;
  }
}

interface Start {
  readonly vault: VaultHeader;
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly sealedMeta: Uint8Array<ArrayBuffer>;
  /** Everything before the MAC, which is over it. */
  readonly signed: Uint8Array<ArrayBuffer>;
  readonly mac: Uint8Array<ArrayBuffer>;
  readonly contentAt: number;
}

async function readStart(file: Blob): Promise<Start> {
  const prelude = await bytesOf(file, 0, preludeBytes);
  if (prelude.length < magic.length || magic.some((byte, at) => prelude[at] !== byte)) {
    throw new AppError(
      'backup_not_one',
      'This file is not a backup of Counterpart: its first bytes are others. Choose the file that was saved as a backup. To read records from it, import it.',
    );
  }
  if (prelude.length < preludeBytes) throw truncated();
  const version = prelude[magic.length]!;
  if (version > formatVersion) {
    throw new AppError(
      'vault_newer',
      `This backup was written by a later version of Counterpart (format ${version}, known here: ${formatVersion}). Open it with that version.`,
    );
  }
  const length = new DataView(prelude.buffer).getUint32(magic.length + 1);
  if (version !== formatVersion || length > mostHeaderBytes) throw changed('its header');
  const digestAt = preludeBytes + length;
  const contentAt = digestAt + digestBytes + macBytes;
  if (file.size < contentAt) throw truncated();
  const start = await bytesOf(file, 0, contentAt);
  const signed = start.slice(0, -macBytes);
  if (!isSame(await digestOf(start.slice(0, digestAt)), signed.subarray(digestAt))) throw changed('its header');
  const outcome = v.safeParse(startSchema, parsed(start.subarray(preludeBytes, digestAt)));
  if (!outcome.success) throw changed('its header');
  const { salt, meta } = outcome.output;
  return { vault: vaultOf(outcome.output.vault), salt, sealedMeta: meta, signed, mac: start.slice(-macBytes), contentAt };
}

const bytes = v.pipe(v.string(), v.transform(fromBase64url), v.instance(Uint8Array<ArrayBuffer>));
const startSchema = v.strictObject({
  vault: v.unknown(),
  salt: v.pipe(
    bytes,
    v.check((salt) => salt.length === saltBytes),
  ),
  meta: bytes,
});
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const metaSchema = v.strictObject({
  commitCounter: count,
  madeAt: v.pipe(v.number(), v.finite()),
  counts: v.record(v.string(), count),
});

function parsed(text: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(text));
  } catch {
    return null;
  }
}

function vaultOf(stored: unknown): VaultHeader {
  try {
    return readHeader(stored);
  } catch (cause) {
    throw cause instanceof AppError && cause.code === 'vault_damaged' ? changed('its header', cause) : cause;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

function closing(index: number, kind: number, additionalData: Uint8Array<ArrayBuffer>): AesGcmParams {
  const iv = new Uint8Array(12);
  new DataView(iv.buffer).setUint32(7, index);
  iv[11] = kind;
  return { name: 'AES-GCM', iv, additionalData };
}

/** Null when it is not that piece of that file. */
async function opened(
  key: CryptoKey,
  sealed: Uint8Array<ArrayBuffer>,
  index: number,
  kind: number,
  bound: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    return new Uint8Array(await crypto.subtle.decrypt(closing(index, kind, bound), key, sealed));
  } catch {
    return null;
  }
}

async function bytesOf(file: Blob, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await file.slice(from, to).arrayBuffer());
  } catch (cause) {
    // The file was moved, or written to, since it was chosen.
    throw truncated(cause);
  }
}

async function digestOf(start: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', start));
}

function truncated(cause?: unknown): AppError {
  return new AppError(
    'backup_truncated',
    'This backup ends too early: a part of it is missing. Nothing was restored. Copy the file again from where it was saved, or use another backup.',
    { cause },
  );
}

function changed(where: string, cause?: unknown): AppError {
  return new AppError(
    'backup_changed',
    `This backup is not as it was saved (${where}). Nothing was restored. Copy the file again from where it was saved, or use another backup.`,
    { cause },
  );
}
