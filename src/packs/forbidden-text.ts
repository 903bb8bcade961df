/** A pack is numbers and plain words. Whatever a browser could follow, run or draw is refused, wherever it stands. */
import { refusal } from './refusal.ts';

// Every pattern is linear in the text: a card may have 256 KiB.
const forbidden: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /\b(?:https?|javascript|vbscript):|:\/\/|\/\/[a-z0-9]|\bwww\.|\bdata:[a-z]+\//i, what: 'a web address' },
  { pattern: /<[a-z/!?]/i, what: "something that reads as HTML ('<' directly before a letter)" },
  { pattern: /@(?:compute|vertex|fragment|workgroup_size|group|binding|builtin)\b/i, what: 'shader text' },
];

/** Throws `pack_text_forbidden` for a text, naming where it stands. */
export function refuseForbiddenText(text: string, where: string): void {
  const hit = forbidden.find(({ pattern }) => pattern.test(text));
  if (hit) throw refusal('pack_text_forbidden', where, `found ${hit.what}, expected plain words.`);
}

/** The same for every text and key in parsed JSON. */
export function refuseForbiddenTexts(value: unknown, file: string, path = ''): void {
  if (typeof value === 'string') return refuseForbiddenText(value, `${file}, ${path}`);
  if (typeof value !== 'object' || value === null) return;
  const isList = Array.isArray(value);
  for (const [key, child] of Object.entries(value)) {
    if (!isList) refuseForbiddenText(key, `${file}, a key in ${path || 'the outermost object'}`);
    refuseForbiddenTexts(child, file, isList ? `${path}[${key}]` : path ? `${path}.${key}` : key);
  }
}
