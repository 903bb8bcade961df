import { expect, test } from 'vitest';
import { checkPassphrase, passphraseBytes } from '#vault/passphrase.ts';

const weak = expect.objectContaining({ code: 'vault_secret_weak' });

test.each([
  'correct horse battery staple',
  'fifteen charact',
  'Zürich liegt am See',
  '密碼必須夠長才能保護病人的資料',
  'the first student hijacked',
  'q8Rk2!vZp0-sWx7',
  'mississippi mudpie bananas',
])('%j is accepted', (text) => expect(() => checkPassphrase(text)).not.toThrow());

test.each([
  ['', 'nothing'],
  ['fourteen chars', 'one character too few'],
  ['🔑🔒🔑🔒🔑🔒🔑', 'seven characters, though fourteen code units'],
  ['aaaaaaaaaaaaaaaaaaaa', 'one letter'],
  ['passwordpassword', 'a word twice'],
  ['Passwordpassword', 'a word twice, once with a capital'],
  ['abcabcabcabcabcabc', 'three letters over and over'],
  ['abcabcabcabcabcab', 'the same, cut off'],
  ['abcdefghijklmnopqrst', 'the alphabet'],
  ['123456789012345', 'the digits'],
  ['987654321987654321', 'the digits backwards'],
  ['qwertyuiopasdfghjkl', 'two rows of a keyboard'],
  ['qwertzuiopasdfghjkl', 'two rows of a German keyboard'],
  ['aaaaabbbbbcccccddddd', 'four letters'],
  ['11111111112222222222', 'two digits'],
  ['x'.repeat(1025), 'beyond any hand'],
])('%j is refused: %s', (text) => expect(() => checkPassphrase(text)).toThrow(weak));

test('the message never repeats the passphrase', () => {
  try {
    checkPassphrase('hunter2');
  } catch (error) {
    expect(String(error)).not.toContain('hunter2');
  }
  expect.assertions(1);
});

test('composed and decomposed letters, and letters of full width, are the same bytes; upper and lower case are not', () => {
  expect(passphraseBytes('naïve'.normalize('NFD'))).toEqual(passphraseBytes('naïve'.normalize('NFC')));
  expect(passphraseBytes('ａｂｃ')).toEqual(passphraseBytes('abc'));
  expect(passphraseBytes('A')).not.toEqual(passphraseBytes('a'));
});
