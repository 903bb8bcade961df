import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ui = fileURLToPath(new URL('../../src', import.meta.url));
const screens = readdirSync(ui, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.svelte'));

/** Opening tags of fields; a `>` behind `=` belongs to an arrow function. */
const fields = (text: string) => [...text.matchAll(/<(?:input|textarea|select)\b(.*?)(?<!=)>/gs)].map(([tag]) => tag);

test('every field says what the browser may remember of it: otherwise its text stands in the profile’s session files', () => {
  const forgetful = screens.flatMap((name) =>
    fields(readFileSync(`${ui}/${name}`, 'utf8'))
      .filter((tag) => !/\bautocomplete\b/.test(tag) && !/type="file"/.test(tag))
      .map((tag) => `${name}: ${tag.slice(0, 80)}`),
  );
  expect(forgetful).toEqual([]);
});

test('a field without the word is found', () => {
  expect(fields('<select onchange={(event) => go(event)}><option></option></select>')).toEqual([
    '<select onchange={(event) => go(event)}>',
  ]);
});
