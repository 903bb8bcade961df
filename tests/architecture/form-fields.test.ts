import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const ui = `${root}src`;
const screens = readdirSync(ui, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.svelte'));

/** Opening tags of fields; a `>` behind `=` belongs to an arrow function. */
const fields = (text: string) => [...text.matchAll(/<(?:input|textarea|select)\b(.*?)(?<!=)>/gs)].map(([tag]) => tag);

/** Into which words can be typed. A type that is worked out while the page runs counts. */
const isForWords = (tag: string) =>
  !tag.startsWith('<select') && !/\btype="(?:file|radio|checkbox|date|datetime-local|range|number)"/.test(tag);

const without = (isWanted: (tag: string) => boolean, word: RegExp) =>
  screens.flatMap((name) =>
    fields(readFileSync(`${ui}/${name}`, 'utf8'))
      .filter((tag) => isWanted(tag) && !word.test(tag))
      .map((tag) => `${name}: ${tag.slice(0, 80)}`),
  );

test('every field says what the browser may remember of it: otherwise its text stands in the profile’s session files', () => {
  expect(without((tag) => !/type="file"/.test(tag), /\bautocomplete\b/)).toEqual([]);
});

test('no field is spell-checked: browsers offer to do that on a server of theirs, with what was typed', () => {
  expect(without(isForWords, /\bspellcheck="false"/)).toEqual([]);
});

test('the page is not translated, spell-checked or completed by a service of the browser', () => {
  const page = readFileSync(`${root}index.html`, 'utf8');
  expect(page).toMatch(/<html [^>]*translate="no"[^>]*spellcheck="false"[^>]*writingsuggestions="false"/);
  expect(page).toContain('<meta name="google" content="notranslate" />');
});

test('a field without the word is found', () => {
  expect(fields('<select onchange={(event) => go(event)}><option></option></select>')).toEqual([
    '<select onchange={(event) => go(event)}>',
  ]);
  expect(['<input {...wiring} bind:value />', '<textarea></textarea>'].every(isForWords)).toBe(true);
  expect(['<select>', '<input type="radio" />'].some(isForWords)).toBe(false);
});
