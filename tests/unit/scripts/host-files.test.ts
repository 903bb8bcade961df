import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostFiles } from '../../../scripts/host-files.mjs';
import { root } from '../../../scripts/packages.mjs';
import { clearing, securityHeaders } from '../../../src/guard/headers.mjs';

test('hosting/ is as `node scripts/host-files.mjs` would write it', () => {
  const written = readdirSync(join(root, 'hosting'));
  expect(written.toSorted()).toEqual(Object.keys(hostFiles).toSorted());
  for (const [name, content] of Object.entries(hostFiles)) {
    expect(readFileSync(join(root, 'hosting', name), 'utf8'), name).toBe(content);
  }
});

// How often each server needs the whole list: nginx inherits none into a location, Caddy none into its errors.
const times = { 'nginx.conf': 3, Caddyfile: 2, htaccess: 1, _headers: 1 } as const;

test.each(Object.entries(times))('%s sends every header, with its whole value, on every kind of answer', (name, count) => {
  const lines = hostFiles[name as keyof typeof times].split('\n');
  for (const [header, value] of Object.entries(securityHeaders)) {
    const sending = lines.filter((line) => line.includes(`${header} `) || line.includes(`${header}:`));
    expect(sending.filter((line) => line.includes(value)).length, header).toBe(count);
  }
});

test.each(['nginx.conf', 'Caddyfile', 'htaccess'] as const)('%s empties the storage only for who comes from the app', (name) => {
  expect(hostFiles[name]).toContain(clearing.name);
  expect(hostFiles[name]).toMatch(/same-origin/);
  expect(hostFiles[name]).toMatch(/navigate/);
});

test('a host that cannot tell who comes empties nobody’s storage', () => {
  expect(hostFiles['_headers']).not.toContain(clearing.name);
});
