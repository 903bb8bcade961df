/**
 * How commits lie in files of the second copy and in backups: records one after the other, each with its length and a digest, so that
 * a torn end is seen. Rows stay sealed; what is in the clear here is in the clear in the main store.
 *
 * record = length of the body (4 bytes, big endian), first 16 bytes of its SHA-256, body
 * body = length of the head (4 bytes), head (JSON), the rows' bytes one after the other
 */
import * as v from 'valibot';
import type { Change } from './store.ts';
import { storeNames } from './tables.ts';

export interface Batch {
  readonly commit: number;
  readonly changes: readonly Change[];
}

const digestBytes = 16;
const preludeBytes = 4 + digestBytes;
/** Of one record; a longer one was never written. */
const mostBytes = 256 * 1024 * 1024;

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const headSchema = v.object({
  commit: whole,
  /** Store, id, counter, whether it was removed, bytes. */
  changes: v.array(v.tuple([v.picklist(storeNames), v.string(), whole, v.boolean(), whole])),
});

export function encodeBatch({ commit, changes }: Batch): Promise<Uint8Array<ArrayBuffer>> {
  const head = {
    commit,
    changes: changes.map(({ store, id, counter, isGone, sealed }) => [store, id, counter, isGone, sealed.length]),
  };
  return encodeRecord(
    head,
    changes.map(({ sealed }) => sealed),
  );
}

/** Null for what is no batch. */
export function decodeBatch(body: Uint8Array): Batch | null {
  const head = v.safeParse(headSchema, decodeHead(body));
  if (!head.success) return null;
  let at = 4 + headLength(body);
  const changes: Change[] = [];
  for (const [store, id, counter, isGone, length] of head.output.changes) {
    if (at + length > body.length) return null;
    changes.push({ store, id, counter, isGone, sealed: new Uint8Array(body.subarray(at, at + length)) });
    at += length;
  }
  return at === body.length ? { commit: head.output.commit, changes } : null;
}

export async function encodeRecord(head: unknown, parts: readonly Uint8Array[] = []): Promise<Uint8Array<ArrayBuffer>> {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const record = new Uint8Array(preludeBytes + 4 + text.length + parts.reduce((sum, part) => sum + part.length, 0));
  const view = new DataView(record.buffer);
  view.setUint32(0, record.length - preludeBytes);
  view.setUint32(preludeBytes, text.length);
  record.set(text, preludeBytes + 4);
  let at = preludeBytes + 4 + text.length;
  for (const part of parts) {
    record.set(part, at);
    at += part.length;
  }
  record.set(await digestOf(record.subarray(preludeBytes)), 4);
  return record;
}

/** The JSON before the rows; null where it is none. */
export function decodeHead(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body.subarray(4, 4 + headLength(body))));
  } catch {
    return null;
  }
}

interface FoundRecord {
  readonly from: number;
  readonly to: number;
  readonly body: Uint8Array;
}

/** Every whole record; what is damaged or torn between them is passed over. */
export async function* recordsOf(bytes: Uint8Array<ArrayBuffer>): AsyncGenerator<FoundRecord> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let from = 0; from + preludeBytes <= bytes.length;) {
    const length = view.getUint32(from);
    const to = from + preludeBytes + length;
    if (length < 4 || length > mostBytes || to > bytes.length) return;
    const body = bytes.subarray(from + preludeBytes, to);
    const digest = await digestOf(body);
    if (digest.every((byte, at) => byte === bytes[from + 4 + at])) yield { from, to, body };
    from = to;
  }
}

function headLength(body: Uint8Array): number {
  return new DataView(body.buffer, body.byteOffset, body.byteLength).getUint32(0);
}

async function digestOf(body: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', body)).subarray(0, digestBytes);
}
