import { expect, test } from 'vitest';
import { searchSchedules } from '#planning/cross-entropy.ts';

const wanted = Uint8Array.from({ length: 40 }, (_, i) => (i * 7) % 3);
const matches = (choices: Uint8Array) => choices.reduce((sum, choice, i) => sum + (choice === wanted[i] ? 1 : 0), 0);
const search = {
  decisions: 40,
  options: 3,
  seed: [5, 0] as const,
  population: 200,
  generations: 40,
  score: (candidates: readonly Uint8Array[]) => Promise.resolve(candidates.map(matches)),
};

test('a schedule of forty choices among three is found exactly', async () => {
  const { choices, score, scored } = await searchSchedules(search);
  expect(score).toBe(40);
  expect(choices).toEqual(wanted);
  expect(scored).toBe(8000);
});

test('the same search finds the same schedule, and a score that is not a number never wins', async () => {
  const noisy = {
    ...search,
    generations: 5,
    score: (candidates: readonly Uint8Array[]) =>
      Promise.resolve(candidates.map((choices, i) => (i % 5 === 0 ? Number.NaN : matches(choices)))),
  };
  const [first, again] = [await searchSchedules(noisy), await searchSchedules(noisy)];
  expect(first).toEqual(again);
  expect(Number.isFinite(first.score)).toBe(true);
});

test('a schedule given to begin with is never lost', async () => {
  const { score } = await searchSchedules({ ...search, generations: 1, first: [wanted] });
  expect(score).toBe(40);
});
