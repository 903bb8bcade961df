import { AppError } from '#domain/errors.ts';

/** NIST SP 800-63B-4, section 3.1.1.1: fifteen characters where a passphrase is the only factor. No rule on kinds of characters. */
const leastCharacters = 15;
const mostCharacters = 1024;
/** What is left of a passphrase without its repeats and runs. */
const leastDistinct = 10;

/** Rows of keyboards and the alphabet, along which a finger slides. */
const rows = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890',
  'qwertyuiop',
  'qwertzuiop',
  'azertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'yxcvbnm',
];

/** As it is fed to the key derivation: NFKC, so that the same passphrase from another keyboard is the same bytes. The caller overwrites them. */
export function passphraseBytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text.normalize('NFKC'));
}

/** Whether `text` could be a passphrase at all: longer ones are never accepted, and not worth the work of trying. */
export function isPossiblePassphrase(text: string): boolean {
  return text.length > 0 && text.length <= mostCharacters * 2;
}

/** Throws `vault_secret_weak`, saying what is missing. Asked when a passphrase is chosen, never when it is used. */
export function checkPassphrase(text: string): void {
  const characters = [...text.normalize('NFKC').toLowerCase()];
  const refuse = (why: string): never => {
    throw new AppError(
      'vault_secret_weak',
      `${why} Choose at least ${leastCharacters} characters, such as four or five unrelated words.`,
    );
  };
  if (characters.length < leastCharacters) refuse(`The passphrase has ${characters.length} characters.`);
  if (characters.length > mostCharacters) refuse(`The passphrase is longer than ${mostCharacters} characters.`);
  if (period(characters) < leastCharacters) refuse('The passphrase repeats a short piece.');
  if (withoutRuns(characters) < leastDistinct || new Set(characters).size < 5) {
    refuse('The passphrase is made of repeats or of neighbours on the keyboard.');
  }
}

/** Length of the shortest piece that gives the whole when it is repeated: 3 of 'abcabcab'. */
function period(characters: readonly string[]): number {
  for (let length = 1; length < characters.length; length++) {
    if (characters.every((character, at) => at < length || character === characters[at - length])) return length;
  }
  return characters.length;
}

/** How many characters do not merely go on as the two before them did: the same again, or the next along a row. */
function withoutRuns(characters: readonly string[]): number {
  const steps = characters.slice(1).map((character, at) => stepsBetween(characters[at]!, character));
  return characters.filter((_, at) => at < 2 || !steps[at - 1]!.some((step) => steps[at - 2]!.includes(step))).length;
}

/** 'a' to 'b' is a step along the alphabet; 'a' to 'a' one on the spot. */
function stepsBetween(from: string, to: string): string[] {
  if (from === to) return ['same'];
  return rows.flatMap((row) => {
    if (row.includes(from + to)) return [`${row} forwards`];
    return row.includes(to + from) ? [`${row} backwards`] : [];
  });
}
