import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readRecoveryKey, writeRecoveryKey } from '#vault/recovery-key.ts';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const wrong = expect.objectContaining({ code: 'vault_secret_wrong' });
const key = Uint8Array.from({ length: 16 }, (_, at) => at * 17);
const printed = await writeRecoveryKey(key);
const letters = printed.replaceAll('-', '');

test('it is seven groups of five letters and digits, of 128 bits', () => {
  expect(printed).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){6}[0-9A-HJKMNP-TV-Z]{5}$/);
});

test('what was printed reads back, however it is typed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 16, maxLength: 16 }), async (bytes) => {
      const text = await writeRecoveryKey(new Uint8Array(bytes));
      const typed = [
        text,
        text.toLowerCase(),
        text.replaceAll('-', ' '),
        text.replaceAll('-', ''),
        ` ${text.replaceAll('-', ' – ')}\n`,
        text.replaceAll('1', 'l').replaceAll('0', 'o').replaceAll('V', 'u'),
        text.replaceAll('1', 'I').replaceAll('0', 'O'),
      ];
      for (const each of typed) expect(await readRecoveryKey(each)).toEqual(new Uint8Array(bytes));
    }),
    { seed: 1, numRuns: 200 },
  );
});

describe('a mistyped key is noticed before anything is tried, and the group is named:', () => {
  const refusedIn = async (typed: string, group: number) => {
    await expect(readRecoveryKey(typed)).rejects.toEqual(wrong);
    await expect(readRecoveryKey(typed)).rejects.toThrow(`in group ${group} of`);
  };

  test('every wrong letter in every place', async () => {
    for (let at = 0; at < letters.length; at++) {
      for (const letter of [...alphabet, '!'].filter((other) => other !== letters[at])) {
        await refusedIn(letters.slice(0, at) + letter + letters.slice(at + 1), Math.floor(at / 5) + 1);
      }
    }
  });

  test('every two neighbours swapped within a group', async () => {
    let swaps = 0;
    for (let at = 0; at + 1 < letters.length; at++) {
      if (at % 5 === 4 || letters[at] === letters[at + 1]) continue;
      swaps++;
      await refusedIn(letters.slice(0, at) + letters[at + 1]! + letters[at]! + letters.slice(at + 2), Math.floor(at / 5) + 1);
    }
    expect(swaps).toBeGreaterThan(15);
  });

  test('every two groups swapped', async () => {
    const groups = printed.split('-');
    for (let a = 0; a < 7; a++) {
      for (let b = a + 1; b < 7; b++) {
        const swapped = groups.with(a, groups[b]!).with(b, groups[a]!).join('-');
        await expect(readRecoveryKey(swapped)).rejects.toThrow(`in groups ${a + 1}, ${b + 1} of`);
      }
    }
  });

  test('a whole group typed at random, in each of 20,000 tries', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 6 }),
        fc.array(fc.constantFrom(...alphabet), { minLength: 5, maxLength: 5 }),
        async (group, other) => {
          const groups = printed.split('-');
          fc.pre(groups[group] !== other.join(''));
          await expect(readRecoveryKey(groups.with(group, other.join('')).join('-'))).rejects.toEqual(wrong);
        },
      ),
      { seed: 1, numRuns: 20_000 },
    );
  });

  test('too few or too many letters, and what is no key at all', async () => {
    for (const typed of ['', printed.slice(0, -1), `${printed}0`, 'correct horse battery staple', '0'.repeat(1000)]) {
      await expect(readRecoveryKey(typed)).rejects.toEqual(wrong);
    }
  });
});
