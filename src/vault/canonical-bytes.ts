import { invariant } from '#domain/errors.ts';

const encoder = new TextEncoder();
const tag = { nothing: 0, text: 1, number: 2, boolean: 3, bytes: 4 } as const;

/**
 * One byte string for one list of values, and never the same for another list: each value is a tag byte, its length as four bytes
 * (big endian) and its content. What is authenticated or put into a key derivation is always written with it.
 */
export function canonicalBytes(...values: readonly (string | number | boolean | Uint8Array | null)[]): Uint8Array<ArrayBuffer> {
  const parts = values.map(encoded);
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + 5 + part.bytes.length, 0));
  const view = new DataView(whole.buffer);
  let at = 0;
  for (const part of parts) {
    whole[at] = part.tag;
    view.setUint32(at + 1, part.bytes.length);
    whole.set(part.bytes, at + 5);
    at += 5 + part.bytes.length;
  }
  return whole;
}

function encoded(value: string | number | boolean | Uint8Array | null): { readonly tag: number; readonly bytes: Uint8Array } {
  if (value === null) return { tag: tag.nothing, bytes: new Uint8Array() };
  if (typeof value === 'boolean') return { tag: tag.boolean, bytes: Uint8Array.of(value ? 1 : 0) };
  if (value instanceof Uint8Array) return { tag: tag.bytes, bytes: value };
  if (typeof value === 'string') {
    // UTF-8 writes every lone surrogate as the same three bytes: two texts would be one.
    invariant(!/\p{Surrogate}/u.test(value), 'authenticated text is well-formed Unicode');
    return { tag: tag.text, bytes: encoder.encode(value) };
  }
  invariant(Number.isSafeInteger(value) && value >= 0, 'an authenticated number is a whole number from 0');
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return { tag: tag.number, bytes };
}
