/**
 * Strict JSON for files of strangers. JSON.parse recurses, takes the last of two equal keys, turns 1e400 into Infinity, forgets how a
 * number was written and makes `__proto__` a key like any other. Here depth is bounded, two equal keys give neither value, numbers keep
 * their text, and keys that name parts of objects are left out; each with its place.
 *
 * Strings are cut out of the text, not built, and what is rare is looked for once in the whole text and not in every string.
 */
import { hasHiddenControls } from './clean-text.ts';

/** A number with the text it had. */
export class JsonNumber {
  readonly text: string;
  readonly value: number;
  /** The double is not the number that the text says. */
  readonly isImprecise: boolean;

  constructor(text: string, value: number, isImprecise: boolean) {
    this.text = text;
    this.value = value;
    this.isImprecise = isImprecise;
  }
}

/** What stood under a key that occurs more than once with different values. None of them is used. */
export class JsonConflict {
  readonly values: readonly Json[];

  constructor(values: readonly Json[]) {
    this.values = values;
  }
}

export type Json = null | boolean | string | JsonNumber | JsonConflict | readonly Json[] | JsonObject;

/** Without a prototype: only what the file has. */
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

export type JsonNoticeCode = 'key_duplicate' | 'key_forbidden' | 'text_damaged' | 'text_control_characters';

export interface JsonNotice {
  readonly code: JsonNoticeCode;
  /** Keys and indices from the top: `['entry', 3, 'resource', 'id']`. */
  readonly path: readonly (string | number)[];
}

export type JsonRefusalCode = 'not_json' | 'truncated' | 'too_deep' | 'number_overflow';

export type JsonRead =
  | { readonly ok: true; readonly value: Json; readonly notices: readonly JsonNotice[] }
  | { readonly ok: false; readonly code: JsonRefusalCode; readonly line: number; readonly column: number };

/** Deeper than any FHIR resource, far from the depth at which a stack overflows. */
const mostDepth = 200;
/** Notices kept of one text; a file of nothing but doubled keys must not fill the memory. */
const mostNotices = 2000;

const Bare = function Bare() {} as unknown as new () => Record<string, Json>;
Bare.prototype = Object.create(null) as object;

export function isObject(json: Json | undefined): json is JsonObject {
  return (
    typeof json === 'object' &&
    json !== null &&
    !Array.isArray(json) &&
    !(json instanceof JsonNumber) &&
    !(json instanceof JsonConflict)
  );
}

/** Reads one JSON text. Must not throw, whatever the text. */
export function readJson(text: string): JsonRead {
  const reader = new Reader(text);
  try {
    return { ok: true, value: reader.document(), notices: reader.notices };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const before = text.slice(0, error.at);
    const lineStart = before.lastIndexOf('\n') + 1;
    return { ok: false, code: error.code, line: before.split('\n').length, column: error.at - lineStart + 1 };
  }
}

class Refusal extends Error {
  readonly code: JsonRefusalCode;
  readonly at: number;

  constructor(code: JsonRefusalCode, at: number) {
    super(code);
    this.code = code;
    this.at = at;
  }
}

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/uy;
const controlPattern = /[\u0000-\u001f]/u;
const surrogatePattern = /\p{Surrogate}/u;
const surrogates = /\p{Surrogate}/gu;
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);

class Reader {
  readonly notices: JsonNotice[] = [];
  readonly #text: string;
  readonly #path: (string | number)[] = [];
  #at = 0;

  readonly #hasLoneSurrogates: boolean;
  readonly #hasHidden: boolean;

  constructor(text: string) {
    this.#text = text;
    this.#hasLoneSurrogates = surrogatePattern.test(text);
    this.#hasHidden = hasHiddenControls(text);
  }

  document(): Json {
    this.#space();
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw new Refusal('not_json', this.#at);
    return value;
  }

  #value(): Json {
    switch (this.#text.charCodeAt(this.#at)) {
      case 0x7b:
        return this.#object();
      case 0x5b:
        return this.#array();
      case 0x22:
        return this.#string();
      case 0x74:
        return this.#word('true', true);
      case 0x66:
        return this.#word('false', false);
      case 0x6e:
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(): JsonObject {
    if (this.#path.length >= mostDepth) throw new Refusal('too_deep', this.#at);
    this.#at += 1;
    const object = new Bare();
    const depth = this.#path.length;
    this.#space();
    if (this.#text.charCodeAt(this.#at) === 0x7d) {
      this.#at += 1;
      return object;
    }
    for (;;) {
      if (this.#text.charCodeAt(this.#at) !== 0x22) throw this.#unexpected();
      this.#path[depth] = '';
      const key = this.#string();
      this.#path[depth] = key;
      this.#space();
      if (this.#text.charCodeAt(this.#at) !== 0x3a) throw this.#unexpected();
      this.#at += 1;
      this.#space();
      const value = this.#value();
      if (forbiddenKeys.has(key)) this.#notice('key_forbidden');
      else if (key in object) this.#again(object, key, value);
      else object[key] = value;
      this.#space();
      const next = this.#text.charCodeAt(this.#at);
      if (next !== 0x2c && next !== 0x7d) throw this.#unexpected();
      this.#at += 1;
      if (next === 0x7d) break;
      this.#space();
    }
    this.#path.length = depth;
    return object;
  }

  #again(object: Record<string, Json>, key: string, value: Json): void {
    this.#notice('key_duplicate');
    const before = object[key];
    if (isSame(before, value)) return;
    const values = before instanceof JsonConflict ? before.values : [before as Json];
    object[key] = new JsonConflict([...values, value]);
  }

  #array(): Json[] {
    if (this.#path.length >= mostDepth) throw new Refusal('too_deep', this.#at);
    this.#at += 1;
    const array: Json[] = [];
    const depth = this.#path.length;
    this.#space();
    if (this.#text.charCodeAt(this.#at) === 0x5d) {
      this.#at += 1;
      return array;
    }
    for (;;) {
      this.#path[depth] = array.length;
      array.push(this.#value());
      this.#space();
      const next = this.#text.charCodeAt(this.#at);
      if (next !== 0x2c && next !== 0x5d) throw this.#unexpected();
      this.#at += 1;
      if (next === 0x5d) break;
      this.#space();
    }
    this.#path.length = depth;
    return array;
  }

  #string(): string {
    const start = this.#at + 1;
    let end = this.#text.indexOf('"', start);
    // A quote after an odd number of backslashes belongs to the string.
    while (end !== -1 && this.#isEscaped(end, start)) end = this.#text.indexOf('"', end + 1);
    if (end === -1) throw new Refusal('truncated', this.#text.length);
    const raw = this.#text.slice(start, end);
    if (controlPattern.test(raw)) throw new Refusal('not_json', start);
    let text = raw;
    const hasEscapes = raw.includes('\\');
    if (hasEscapes) {
      try {
        text = JSON.parse(this.#text.slice(start - 1, end + 1)) as string;
      } catch {
        throw new Refusal('not_json', start);
      }
    }
    this.#at = end + 1;
    if ((this.#hasHidden || hasEscapes) && hasHiddenControls(text)) this.#notice('text_control_characters');
    if ((this.#hasLoneSurrogates || hasEscapes) && surrogatePattern.test(text)) {
      this.#notice('text_damaged');
      return text.replace(surrogates, '\ufffd');
    }
    return text;
  }

  #isEscaped(quote: number, start: number): boolean {
    let at = quote - 1;
    while (at >= start && this.#text.charCodeAt(at) === 0x5c) at -= 1;
    return (quote - 1 - at) % 2 === 1;
  }

  #number(): JsonNumber {
    numberPattern.lastIndex = this.#at;
    const match = numberPattern.exec(this.#text);
    if (!match) throw this.#unexpected();
    const text = match[0];
    this.#at += text.length;
    const value = Number(text);
    if (!Number.isFinite(value)) throw new Refusal('number_overflow', this.#at - text.length);
    const isImprecise = (text.length > 15 || value === 0) && !isExactly(text, value);
    return new JsonNumber(text, value, isImprecise);
  }

  #word<T extends boolean | null>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected();
    this.#at += word.length;
    return value;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at += 1;
    }
  }

  /** At the very end the text was cut; before it, it is not JSON. */
  #unexpected(): Refusal {
    const rest = this.#text.slice(this.#at, this.#at + 6);
    const isCutWord =
      this.#at + rest.length === this.#text.length && ['true', 'false', 'null', '-'].some((word) => word.startsWith(rest));
    return new Refusal(isCutWord ? 'truncated' : 'not_json', this.#at);
  }

  #notice(code: JsonNoticeCode): void {
    if (this.notices.length < mostNotices) this.notices.push({ code, path: [...this.#path] });
  }
}

/** Equal values under one key are one value; larger things are not compared. */
function isSame(a: Json | undefined, b: Json): boolean {
  if (a instanceof JsonNumber && b instanceof JsonNumber) return a.text === b.text;
  return a === b;
}

/** Whether the double is the number that the digits say, as far as seventeen digits can tell. */
function isExactly(text: string, value: number): boolean {
  const digits = significantDigits(text);
  if (digits.length <= 15) return value !== 0 || digits === '';
  if (digits.length > 100) return false;
  return significantDigits(value.toPrecision(digits.length)) === digits;
}

function significantDigits(text: string): string {
  return text
    .replace(/[eE].*$/u, '')
    .replace(/[-.]/gu, '')
    .replace(/^0+/u, '')
    .replace(/0+$/u, '');
}

/** `entry[3].resource.id`. */
export function pathText(path: readonly (string | number)[]): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('');
}
