/**
 * The audit log's chain: every entry holds the hash of the one before, and the vault's key signs the last. Somebody with the key could
 * still write all of it anew; the head's code, written down outside, is what shows that.
 */
import { canonicalBytes } from './canonical-bytes.ts';
import type { VaultKeys } from './keys.ts';
import type { AuditEntry, AuditEvent } from './vault.ts';

export interface Link extends AuditEntry {
  /** SHA-256 of the entry before, hex; empty for the first. */
  readonly previous: string;
}

export interface Head {
  readonly number: number;
  /** SHA-256 of the last entry, hex. */
  readonly hash: string;
}

export const emptyHead: Head = { number: 0, hash: '' };

export function nextLink(head: Head, event: AuditEvent, at: number): Link {
  return { ...event, number: head.number + 1, at: new Date(at).toISOString(), previous: head.hash };
}

export async function headAfter(link: Link): Promise<Head> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(canonicalJson(link)));
  return { number: link.number, hash: hex(new Uint8Array(digest)) };
}

/** Crockford's letters: no I, L, O or U to be misread. */
const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const codeLength = 12;

/** 60 bits of a MAC over the head, as three groups of four letters. */
export async function headCode(keys: VaultKeys, { number, hash }: Head): Promise<string> {
  const mac = await keys.mac('audit-head', canonicalBytes(number, hash));
  let bits = 0n;
  for (const byte of mac.subarray(0, 8)) bits = (bits << 8n) | BigInt(byte);
  let code = '';
  for (let at = 0; at < codeLength; at++) code += letters[Number((bits >> BigInt(59 - 5 * at)) & 31n)];
  return code.replace(/(....)(?=.)/g, '$1-');
}

/** As it was typed: case, blanks and dashes do not matter, nor O for 0 and I or L for 1. Null when it is no code. */
export function readCode(typed: string): string | null {
  const plain = typed.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  if (plain.length !== codeLength || [...plain].some((letter) => !letters.includes(letter))) return null;
  return plain.replace(/(....)(?=.)/g, '$1-');
}

/**
 * Follows the chain. `links` in the order of their numbers; null where an entry could not be opened. `brokenAt`: the number of the
 * first entry that does not follow from the one before, the one after the last if the end was cut off.
 */
export async function follow(
  links: readonly (Link | null)[],
  head: Head | null,
): Promise<{ readonly brokenAt: number | null; readonly heads: readonly Head[] }> {
  const heads: Head[] = [];
  let before = emptyHead;
  for (const link of links) {
    if (!link || link.number !== before.number + 1 || link.previous !== before.hash)
      return { brokenAt: before.number + 1, heads };
    before = await headAfter(link);
    heads.push(before);
  }
  if (!head) return { brokenAt: links.length > 0 ? 1 : null, heads };
  if (head.number !== before.number) return { brokenAt: Math.min(head.number, before.number) + 1, heads };
  return { brokenAt: head.hash === before.hash ? null : before.number, heads };
}

/** JSON with sorted keys and without blanks: one text for one value. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`).join(',')}}`;
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
