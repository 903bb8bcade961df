import { expect, test } from 'vitest';
import { buildCode, sumsText } from '../../../src/guard/build-list.ts';
import { isOwnAddress } from '../../../src/guard/page-guard.ts';

const here = { origin: 'https://ward.example', href: 'https://ward.example/app/#/forecast' };

test.each([
  '#/settings',
  './recover.html',
  '/elsewhere/on/this/site',
  'https://ward.example/x',
  'blob:https://ward.example/3f0c',
  'about:blank',
])('%s is of this site', (address) => {
  expect(isOwnAddress(address, here)).toBe(true);
});

test.each([
  'https://example.org/',
  '//example.org/x',
  'https://ward.example:8443/',
  'http://ward.example/',
  'https://ward.example@example.org/',
  'blob:https://example.org/3f0c',
  'data:text/html,x',
  'mailto:somebody@example.org?body=x',
  'tel:112',
  'ms-word:ofe|u|https://example.org/x',
])('%s is not', (address) => {
  expect(isOwnAddress(address, here)).toBe(false);
});

test('the code of a build is the beginning of the digest of what sha256sum prints, in fours', () => {
  const list = { format: 1, version: '1', files: [{ path: 'a/b.js', bytes: 1, sha256: 'ab'.repeat(32) }] } as const;
  expect(sumsText(list)).toBe(`${'ab'.repeat(32)}  a/b.js\n`);
  expect(buildCode('0123456789abcdef0123')).toBe('0123-4567-89ab-cdef');
});
