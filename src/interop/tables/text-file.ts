/** Bytes of a file to text: the encoding found, line ends made one, and nothing that is not text let through. */
import { ImportRefusal } from '../refusal.ts';
import type { Encoding } from './mapping.ts';

/** A file that can be read from its beginning as often as needed; a `File` of the browser, a file of Node, or made-up bytes. */
export interface FileSource {
  /** Without its folder. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  chunks(): AsyncIterable<Uint8Array>;
}

/** Called after each piece, with the bytes read of this file; throws when the person stopped it. */
export type Pace = (bytesDone: number) => void | Promise<void>;

/** How much of a file is looked at to find out what it is. */
const headBytes = 64 * 1024;

/** The first `headBytes`, or all of a shorter file. */
export async function readHead(file: FileSource): Promise<Uint8Array> {
  const head = new Uint8Array(Math.min(headBytes, file.size));
  let length = 0;
  for await (const chunk of file.chunks()) {
    const part = chunk.subarray(0, head.length - length);
    head.set(part, length);
    length += part.length;
    if (length === head.length) break;
  }
  return head.subarray(0, length);
}

/** Of a file with a byte order mark, or with the zero bytes of plain letters in UTF-16; null: eight-bit text, as far as `head` goes. */
export function wideEncoding(head: Uint8Array): Encoding | null {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  const pairs = head.length >> 1;
  if (pairs < 4) return null;
  let even = 0;
  let odd = 0;
  for (let i = 0; i < pairs * 2; i += 2) {
    if (head[i] === 0) even++;
    if (head[i + 1] === 0) odd++;
  }
  if (odd > pairs * 0.4 && even < pairs * 0.05) return 'utf-16le';
  if (even > pairs * 0.4 && odd < pairs * 0.05) return 'utf-16be';
  return null;
}

/** Whether these bytes can be eight-bit text at all: no zero bytes, next to no control characters. */
function isText(head: Uint8Array): boolean {
  let controls = 0;
  for (const byte of head) {
    if (byte === 0) return false;
    if (byte < 32 && byte !== 9 && byte !== 10 && byte !== 12 && byte !== 13) controls++;
  }
  return controls <= head.length / 200;
}

/** UTF-8 where every byte fits, windows-1252 otherwise. Reads the whole file unless it starts with a mark. */
export async function findEncoding(file: FileSource, pace: Pace): Promise<Encoding> {
  const head = await readHead(file);
  const wide = wideEncoding(head);
  if (wide) return wide;
  if (!isText(head)) throw notText();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let done = 0;
  try {
    for await (const chunk of file.chunks()) {
      decoder.decode(chunk, { stream: true });
      done += chunk.length;
      await pace(done);
    }
    decoder.decode();
  } catch (error) {
    if (error instanceof TypeError) return 'windows-1252';
    throw error;
  }
  return 'utf-8';
}

/** Text in pieces with `\n` alone between lines, without a byte order mark. Bytes that do not fit the encoding become U+FFFD. */
export async function* textOf(file: FileSource, encoding: Encoding, pace: Pace): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding);
  let done = 0;
  let hasOpenReturn = false;
  for await (const chunk of file.chunks()) {
    let text = decoder.decode(chunk, { stream: true });
    done += chunk.length;
    if (hasOpenReturn) text = `\r${text}`;
    hasOpenReturn = text.endsWith('\r');
    if (hasOpenReturn) text = text.slice(0, -1);
    if (text) yield plainLines(text);
    await pace(done);
  }
  const rest = (hasOpenReturn ? '\r' : '') + decoder.decode();
  if (rest) yield plainLines(rest);
}

function plainLines(text: string): string {
  if (text.includes('\0')) throw notText();
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

function notText(): ImportRefusal {
  return new ImportRefusal(
    'not_text',
    'The file holds bytes that no text has. Expected CSV, a workbook (.xlsx) or FHIR as JSON. Export the data again as one of them.',
  );
}
