import { expect, test } from 'vitest';
import { searchSchedules } from '#planning/schedule-search.ts';

const wanted = Uint8Array.from({ length: 40 }, (_, i) => (i * 7) % 3);
const matches = (choices: Uint8Array) => choices.reduce((sum, choice, i) => sum + (choice === wanted[i] ? 1 : 0), 0);
const search = {
  decisions: 40,
  options: 3,
  seed: [5, 0] as const,
  population: 200,
  generations: 40,
  refinements: 0,
  score: (candidates: readonly Uint8Array[]) => Promise.resolve(candidates.map(matches)),
};

test('a schedule of forty independent choices among three is found exactly', async () => {
  const { choices, score, scored } = await searchSchedules(search);
  expect(score).toBe(40);
  expect(choices).toEqual(wanted);
  expect(scored).toBe(8000);
});

test('local changes find a pattern that counts only as a whole, which independent choices miss', async () => {
  // The longest run of the pattern 0, 0, 1, wherever it begins: every single change of a good schedule makes it worse.
  const longest = (choices: Uint8Array) => {
    let [best, run] = [0, 0];
    for (let i = 0; i < choices.length; i++) {
      run = choices[i] === (run % 3 === 2 ? 1 : 0) ? run + 1 : 0;
      best = Math.max(best, run);
    }
    return best;
  };
  const score = (candidates: readonly Uint8Array[]) => Promise.resolve(candidates.map(longest));
  const global = await searchSchedules({ ...search, score, generations: 10 });
  const both = await searchSchedules({ ...search, score, generations: 10, refinements: 60 });
  expect(both.score).toBeGreaterThan(global.score);
});

test('the same search finds the same schedule, and a score that is not a number never wins', async () => {
  const noisy = {
    ...search,
    generations: 5,
    refinements: 5,
    score: (candidates: readonly Uint8Array[]) =>
      Promise.resolve(candidates.map((choices, i) => (i % 5 === 0 ? Number.NaN : matches(choices)))),
  };
  const [first, again] = [await searchSchedules(noisy), await searchSchedules(noisy)];
  expect(first).toEqual(again);
  expect(Number.isFinite(first.score)).toBe(true);
});

test('a schedule given to begin with is never lost', async () => {
  const { score } = await searchSchedules({ ...search, generations: 1, refinements: 3, first: [wanted] });
  expect(score).toBe(40);
});
