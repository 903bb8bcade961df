/**
 * JSON of a stranger. `JSON.parse` would follow any depth, keep the last of two equal keys without a word and build objects that
 * inherit; this reader limits the depth, refuses what is ambiguous, and builds objects that inherit nothing.
 */
import { quoted, refusal } from './refusal.ts';

const maxJsonDepth = 32;

/** Throws `pack_not_json`, naming file and line. */
export function parseJson(bytes: Uint8Array, file: string): unknown {
  return new JsonReader(decodeText(bytes, file), file).read();
}

/** UTF-8 without a byte order mark. Throws `pack_not_json`. */
export function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw refusal('pack_not_json', file, 'it is not text in UTF-8.', { cause });
  }
}

const numberToken = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const space = /[ \t\n\r]*/y;
const words: readonly (readonly [string, boolean | null])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

class JsonReader {
  readonly #text: string;
  readonly #file: string;
  #at = 0;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  read(): unknown {
    const value = this.#value(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#error('there is text after the end of the value.');
    return value;
  }

  #value(depth: number): unknown {
    this.#skipSpace();
    const character = this.#text[this.#at];
    if (character === '{' || character === '[') {
      if (depth === maxJsonDepth) throw this.#error(`values are nested deeper than ${maxJsonDepth} levels.`);
      this.#at++;
      return character === '{' ? this.#object(depth + 1) : this.#array(depth + 1);
    }
    if (character === '"') return this.#string();
    for (const [word, value] of words) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    return this.#number();
  }

  #object(depth: number): Readonly<Record<string, unknown>> {
    const object: Record<string, unknown> = Object.create(null);
    if (this.#takes('}')) return object;
    do {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') throw this.#error('expected a key in double quotes.');
      const key = this.#string();
      if (key === 'prototype' || key in Object.prototype) throw this.#error(`the key ${quoted(key)} is not allowed.`);
      if (key in object) throw this.#error(`the key ${quoted(key)} stands twice in one object.`);
      if (!this.#takes(':')) throw this.#error('expected a colon after a key.');
      object[key] = this.#value(depth);
    } while (this.#takes(','));
    if (!this.#takes('}')) throw this.#error('expected a comma or the end of the object.');
    return object;
  }

  #array(depth: number): unknown[] {
    const array: unknown[] = [];
    if (this.#takes(']')) return array;
    do array.push(this.#value(depth));
    while (this.#takes(','));
    if (!this.#takes(']')) throw this.#error('expected a comma or the end of the list.');
    return array;
  }

  #string(): string {
    const start = this.#at++;
    while (this.#at < this.#text.length && this.#text[this.#at] !== '"') this.#at += this.#text[this.#at] === '\\' ? 2 : 1;
    this.#at++;
    try {
      return JSON.parse(this.#text.slice(start, this.#at)) as string;
    } catch (cause) {
      this.#at = start;
      throw this.#error('this text is not closed, or holds a control character or an unknown escape.', cause);
    }
  }

  #number(): number {
    numberToken.lastIndex = this.#at;
    const token = numberToken.exec(this.#text)?.[0];
    if (token === undefined) throw this.#error('expected a value.');
    const value = Number(token);
    if (!Number.isFinite(value)) throw this.#error('this number is too large.');
    this.#at += token.length;
    return value;
  }

  #skipSpace(): void {
    space.lastIndex = this.#at;
    space.exec(this.#text);
    this.#at = space.lastIndex;
  }

  #takes(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #error(what: string, cause?: unknown): Error {
    const line = this.#text.slice(0, this.#at).split('\n').length;
    return refusal('pack_not_json', `${this.#file}, line ${line}`, what, { cause });
  }
}
