import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isObject, JsonConflict, JsonNumber, pathText, readJson, type Json } from '#interop/json-reader.ts';

/** Back to what JSON.parse gives. */
function plain(json: Json | undefined): unknown {
  if (json instanceof JsonNumber) return json.value;
  if (json instanceof JsonConflict) return 'conflict';
  if (Array.isArray(json)) return (json as readonly Json[]).map(plain);
  if (isObject(json)) return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, plain(value)]));
  return json;
}

const value = (text: string): Json => {
  const read = readJson(text);
  if (!read.ok) throw new Error(read.code);
  return read.value;
};
const codeOf = (text: string): string => {
  const read = readJson(text);
  return read.ok ? `taken: ${read.notices.map(({ code, path }) => `${code} ${pathText(path)}`).join(', ')}` : read.code;
};

describe('readJson', () => {
  test('reads what JSON.parse reads', () => {
    const keys = fc.string().filter((key) => !['__proto__', 'constructor', 'prototype'].includes(key));
    const json = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.constant(null),
        fc.boolean(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.string(),
        fc.array(tie('any'), { maxLength: 4 }),
        fc.dictionary(keys, tie('any'), { maxKeys: 4 }),
      ),
    })).any;
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 2), (tree, space) => {
        const text = JSON.stringify(tree, null, space);
        expect(plain(value(text))).toEqual(JSON.parse(text));
      }),
      { numRuns: 300 },
    );
  });

  test('takes no text that JSON.parse refuses, and throws for none', () => {
    const pieces = ['{', '}', '[', ']', '"a"', '"', ':', ',', '1', '-', '0', '.5', 'e9', 'true', 'null', ' ', '\n', '\t', '\\', '\\u12', '\u0001', 'NaN', '//', "'"]; // prettier-ignore
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 9 }), (parts) => {
        const text = parts.join('');
        let isJson = true;
        try {
          // A number too large for a double (`1e901`) is refused, where JSON.parse makes it infinite.
          JSON.parse(text, (_, one) => void (isJson &&= one !== Infinity && one !== -Infinity));
        } catch {
          isJson = false;
        }
        expect(readJson(text).ok, text).toBe(isJson);
      }),
      { numRuns: 3000 },
    );
  });

  test('a number keeps its digits', () => {
    for (const text of ['1.10', '0', '-0', '5e-3', '1E+2', '100.000']) expect((value(text) as JsonNumber).text).toBe(text);
  });

  test('a number is imprecise when its digits say more than a double holds', () => {
    const isImprecise = (text: string): boolean => (value(text) as JsonNumber).isImprecise;
    for (const text of ['0.1', '9007199254740993.7', '12.000000000000000000004', '1e-400', '0.00001234567890123456789']) {
      expect(isImprecise(text), text).toBe(text !== '0.1');
    }
    for (const text of [
      '21.816967239728022',
      '9007199254740992',
      '1e300',
      '0.30000000000000004',
      '0.000',
      '5e-324',
      '1.50000000000000000000',
    ]) {
      expect(isImprecise(text), text).toBe(false);
    }
  });

  test.each([
    ['{"a":1e999}', 'number_overflow'],
    ['[-1e309]', 'number_overflow'],
    ['[NaN]', 'not_json'],
    ['[Infinity]', 'not_json'],
    ['[01]', 'not_json'],
    ['[1.]', 'not_json'],
    ['[.5]', 'not_json'],
    ['[+1]', 'not_json'],
    ["['a']", 'not_json'],
    ['[1,]', 'not_json'],
    ['{"a":1,}', 'not_json'],
    ['{a:1}', 'not_json'],
    ['["\u0001"]', 'not_json'],
    ['["\\x"]', 'not_json'],
    ['[1] 2', 'not_json'],
    ['[1', 'truncated'],
    ['{"a', 'truncated'],
    ['{"a":tr', 'truncated'],
    ['{"a":', 'truncated'],
    ['', 'truncated'],
    [`${'['.repeat(200)}${']'.repeat(200)}`, 'taken: '],
    [`${'['.repeat(201)}${']'.repeat(201)}`, 'too_deep'],
    ['['.repeat(2_000_000), 'too_deep'],
    ['{"a":1,"a":2}', 'taken: key_duplicate a'],
    ['[{"b":{"a":1,"a":2}}]', 'taken: key_duplicate [0].b.a'],
    ['{"__proto__":{"x":1}}', 'taken: key_forbidden __proto__'],
    ['{"\\u005f_proto__":{"x":1}}', 'taken: key_forbidden __proto__'],
    ['{"a":{"constructor":{"prototype":1}}}', 'taken: key_forbidden a.constructor.prototype, key_forbidden a.constructor'],
    ['["\\ud800"]', 'taken: text_damaged [0]'],
    ['["\\ud83d\\ude00"]', 'taken: '],
    ['{"a":"\\u202e"}', 'taken: text_control_characters a'],
  ])('%.60s: %s', (text, wanted) => expect(codeOf(text)).toBe(wanted));

  test('where it stopped is said by line and column', () => {
    expect(readJson('{\n  "a": 1,\n  "b": NaN\n}')).toMatchObject({ line: 3, column: 8 });
  });

  test('two values under one key are both kept as a conflict, and equal ones are one', () => {
    const conflict = value('{"a":1,"a":2,"b":3}') as { a: JsonConflict; b: JsonNumber };
    expect(conflict.a.values.map(plain)).toEqual([1, 2]);
    expect(conflict.b.value).toBe(3);
    expect(plain(value('{"a":1,"a":1}'))).toEqual({ a: 1 });
  });

  test('objects have no prototype to be reached', () => {
    const object = value('{"toString":1}') as Record<string, unknown>;
    expect(object.hasOwnProperty).toBeUndefined();
    expect('valueOf' in object).toBe(false);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});
