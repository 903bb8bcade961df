/**
 * The printed recovery key: 128 random bits and a 12-bit check sum in seven groups of five characters of Crockford's base32. The fifth
 * character of each group checks the other four and the group's place, so that a typing mistake is found, and in which group, before
 * anything is tried: always for one wrong character, two swapped neighbours or two swapped groups, and 131,071 times in 131,072 otherwise.
 */
import { AppError } from '#domain/errors.ts';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const keyBytes = 16;
const groups = 7;
const perGroup = 5;

/** `key`: 16 random bytes; left as they are. */
export async function writeRecoveryKey(key: Uint8Array<ArrayBuffer>): Promise<string> {
  const digits: number[] = [];
  let bits = 0n;
  for (const byte of key) bits = (bits << 8n) | BigInt(byte);
  bits = (bits << 12n) | BigInt(await checkSum(key));
  for (let at = groups * (perGroup - 1) - 1; at >= 0; at--) digits.push(Number((bits >> BigInt(5 * at)) & 31n));
  return Array.from({ length: groups }, (_, group) => {
    const data = digits.slice(group * 4, group * 4 + 4);
    return [...data, checkDigit(data, group)].map((digit) => alphabet[digit]).join('');
  }).join('-');
}

/**
 * The 16 bytes; the caller overwrites them. Takes any case, blanks and dashes, and I and L for 1, O for 0, U for V. Rejects with
 * `vault_secret_wrong`, naming the mistyped groups.
 */
export async function readRecoveryKey(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const letters = text
    .normalize('NFKC')
    .replace(/[\s\p{Dash}_.]/gu, '')
    .toUpperCase()
    .replace(/[IL]/g, '1')
    .replace(/O/g, '0')
    .replace(/U/g, 'V');
  const digits = [...letters].map((letter) => alphabet.indexOf(letter));
  if (digits.length !== groups * perGroup) {
    throw wrong(`A recovery key has ${groups} groups of ${perGroup} letters and digits; ${digits.length} were typed.`);
  }
  const byGroup = Array.from({ length: groups }, (_, group) => digits.slice(group * perGroup, (group + 1) * perGroup));
  const mistyped = byGroup.flatMap((group, at) =>
    group.includes(-1) || checkDigit(group.slice(0, 4), at) !== group[4] ? [at + 1] : [],
  );
  if (mistyped.length > 0) {
    throw wrong(
      `There is a typing mistake in ${mistyped.length === 1 ? 'group' : 'groups'} ${mistyped.join(', ')} of the recovery key.`,
    );
  }
  let bits = byGroup.flatMap((group) => group.slice(0, 4)).reduce((sum, digit) => (sum << 5n) | BigInt(digit), 0n);
  const sum = Number(bits & 0xfffn);
  bits >>= 12n;
  const key = Uint8Array.from({ length: keyBytes }, (_, at) => Number((bits >> BigInt(8 * (keyBytes - 1 - at))) & 255n));
  if ((await checkSum(key)) !== sum) throw wrong('There is more than one typing mistake in the recovery key.');
  return key;
}

/** Twelve bits of the key's SHA-256; whoever sees them holds the key anyway. */
async function checkSum(key: Uint8Array<ArrayBuffer>): Promise<number> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', key));
  return (digest[0]! << 4) | (digest[1]! >> 4);
}

/**
 * A weighted sum over GF(32): each place has its own power of x as weight, and the group's number stands before the first digit. Digits
 * that differ in one place, or are swapped with a neighbour, always differ in the sum.
 */
function checkDigit(data: readonly number[], group: number): number {
  return timesX(data.reduce((sum, digit) => timesX(sum) ^ digit, group + 1));
}

/** Modulo x⁵ + x² + 1, which is primitive. */
function timesX(value: number): number {
  return ((value << 1) ^ (value & 16 ? 0b100101 : 0)) & 31;
}

function wrong(message: string): AppError {
  return new AppError('vault_secret_wrong', `${message} Compare it with the printed key.`);
}
