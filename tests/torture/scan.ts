/** Looks for planted tokens in every file of a folder, in the encodings in which browsers store text. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

export interface Hit {
  readonly token: string;
  readonly file: string;
  readonly encoding: string;
}

/** Base64 has three shapes for a text in the middle of others, by its offset modulo 3; the ends that depend on neighbours are cut. */
function base64Shapes(bytes: Buffer): string[] {
  return [0, 1, 2].map((offset) => {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const from = Math.ceil((offset * 4) / 3);
    const whole = Math.floor(((offset + bytes.length) * 8) / 6);
    return shifted.slice(from, whole);
  });
}

function shapesOf(token: string): { readonly encoding: string; readonly bytes: Buffer }[] {
  const utf8 = Buffer.from(token, 'utf8');
  const utf16 = Buffer.from(token, 'utf16le');
  return [
    { encoding: 'UTF-8', bytes: utf8 },
    { encoding: 'UTF-16LE', bytes: utf16 },
    { encoding: 'UTF-16BE', bytes: Buffer.from(utf16).swap16() },
    ...base64Shapes(utf8).map((text) => ({ encoding: 'base64', bytes: Buffer.from(text, 'latin1') })),
    ...base64Shapes(utf16).map((text) => ({ encoding: 'base64 of UTF-16', bytes: Buffer.from(text, 'latin1') })),
    { encoding: 'hex', bytes: Buffer.from(utf8.toString('hex'), 'latin1') },
    { encoding: 'reversed', bytes: Buffer.from([...token].reverse().join(''), 'utf8') },
    { encoding: 'percent', bytes: Buffer.from([...utf8].map((byte) => `%${byte.toString(16)}`).join(''), 'latin1') },
  ];
}

/** Tokens should be random: a store that compresses text would hide words. */
export function scan(folder: string, tokens: readonly string[]): Hit[] {
  const shapes = tokens.flatMap((token) => shapesOf(token).map((shape) => ({ token, ...shape })));
  const hits: Hit[] = [];
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat?.isFile()) continue;
    const content = readFileSync(path);
    for (const { token, encoding, bytes } of shapes) {
      if (content.includes(bytes)) hits.push({ token, file: relative(folder, path), encoding });
    }
  }
  return hits;
}
