import { describe, expect, test } from 'vitest';
import type { Measure, MeasureValue } from '#domain/planning.ts';
import { firstQuestion } from '#app/plan-question.ts';
import {
  axisOf,
  beyondText,
  differenceText,
  effortText,
  figureText,
  goalText,
  limitText,
  measureText,
  optimismText,
  planSentence,
  rangeText,
} from '#ui/features/plan/plan-words.ts';
import { figuresOf, frontPoints, identitiesOf } from '#ui/features/plan/front.ts';
import { planAnswer } from '../../fixtures/plan-answer.ts';
import { toyDosedManifest as manifest } from '../../fixtures/toy-dosed.ts';

const chance: Measure = { kind: 'target', target: 'auc' };
const interval = (low: number, value: number, high: number) => ({ low, value, high });
const question = {
  ...firstQuestion(manifest)!,
  limits: [{ measure: { kind: 'target', target: 'auc-high' } as const, atMost: 0.25 }],
};
const plan = (number: number) => ({ id: `c${number}`, name: `${number}`, blocks: [] });

describe('a figure is said with its interval first', () => {
  test('chances are people of 100', () => {
    expect(figureText(interval(0.6, 0.66, 0.72), chance, '1')).toBe('60 to 72 of 100 (66)');
    expect(figureText(interval(0, 0, 0), chance, '1')).toBe('0 of 100');
  });

  test('what is known from the plan alone has no interval and no unit but its words', () => {
    expect(figureText(interval(12, 12, 12), { kind: 'burden', of: 'doses' }, '1')).toBe('12');
    expect(differenceText(interval(3, 3, 3), { kind: 'burden', of: 'doses' }, '1')).toBe('+3');
  });

  test('shares of time are percents, days are days', () => {
    const time: Measure = { kind: 'marker-time', marker: 'level', low: 10, high: 20, fromDay: 0, toDay: 3 };
    expect(figureText(interval(0.5, 0.6, 0.7), time, '1')).toBe('50 to 70 % (60)');
    expect(figureText(interval(800, 850, 900), { kind: 'event-free-days' }, 'd')).toBe('800–900 (850)');
  });

  test('differences say more and fewer, and none', () => {
    expect(differenceText(interval(-0.03, 0.04, 0.08), chance, '1')).toBe('3 fewer to 8 more of 100 (4 more)');
    expect(differenceText(interval(0, 0, 0), chance, '1')).toBe('no difference');
    expect(differenceText(interval(10, 40, 70), { kind: 'event-free-days' }, 'd')).toBe('+10 to +70 (+40)');
  });
});

describe('goals and limits are sentences', () => {
  test('with their numbers', () => {
    expect(goalText({ measure: chance, wish: 'more', weight: 5 }, manifest)).toMatch(/^Want more: .+, counts 5 of 10$/);
    expect(limitText({ measure: chance, atMost: 0.1 }, manifest)).toMatch(/^Chance of .+: at most 10 in 100$/);
    expect(
      measureText({ kind: 'marker-ever-outside', marker: 'level', low: null, high: 40, fromDay: 0, toDay: 3 }, manifest),
    ).toMatch(/ever above 40 mg\/L$/);
  });

  test('of ranges with one open end', () => {
    expect(rangeText(2, 3, '1')).toBe('between 2 and 3');
    expect(rangeText(200, null, '{cells}/uL')).toBe('at least 200 cells/µL');
    expect(beyondText(2, 3, '1')).toBe('below 2 or above 3');
  });
});

describe('the first sentence', () => {
  const answer = planAnswer(plan);
  const shown = answer.candidates.filter(({ support }) => support.reasons.length === 0);

  test('counts the plans, those that keep the limits, those on the front, and says what the first goal comes to there', () => {
    expect(planSentence({ answer, candidates: shown, question }, manifest, 'X')).toMatch(
      /^3 plans were held against usual care, 2 keep every limit\. 2 are on the front; there “.+” comes to 30 to 60 of 100 \(usual care: 40\)\.$/,
    );
  });

  test('asks before anything was searched, and says so when nothing keeps the limits', () => {
    expect(planSentence({ answer: null, candidates: [], question: null }, manifest, 'X')).toBe(
      'What else could be done for X, and at what price?',
    );
    const broken = shown.map((one) => ({ ...one, keepsLimits: false }));
    expect(planSentence({ answer, candidates: broken, question }, manifest, 'X')).toMatch(/none keeps every limit/);
  });

  test('no word ranks or advises', () => {
    const said = [
      planSentence({ answer, candidates: shown, question }, manifest, 'X'),
      optimismText(answer),
      effortText(answer),
    ].join(' ');
    expect(said).not.toMatch(/\b(best|optimal|recommend\w*|winner\b(?!’s curse)|should)\b/i);
  });
});

test('the winner’s curse is said with its figure, whichever way it went', () => {
  const answer = planAnswer(plan);
  expect(optimismText(answer)).toMatch(/3 plans that led the search came out lower by 0\.02–0\.2\d? \(0\.12\)/);
  expect(optimismText({ ...answer, optimism: { value: -0.1, low: -0.3, high: 0.1, candidates: 1 } })).toMatch(
    /did not come out lower/,
  );
  expect(optimismText({ ...answer, optimism: null })).toBeNull();
});

test('rounds and what was saved are counted', () => {
  expect(effortText(planAnswer(plan))).toMatch(
    /4 × 500, 3 × 4,000\. 14,000 futures; every plan in full would have taken 16,000 \(13.% saved\)\. 1\.2/,
  );
});

test('the picture takes finished figures: marked plans on top, hollow where a limit breaks, hatched outside', () => {
  const answer = planAnswer(plan);
  const figures = figuresOf(question, answer.units, manifest);
  // A limit that is a goal as well is one figure.
  expect(figures.map(({ id }) => id)).toEqual(['goal-0', 'goal-1', 'goal-2']);
  const identities = identitiesOf(answer.candidates, [{ chosen: answer.candidates[1]!, plan: { ...plan(1), id: 'plan-a' } }]);
  const points = frontPoints(answer.candidates, [figures[2]!, figures[0]!], identities, ['found-1']);
  expect(points.slice(-2).map(({ plan: one }) => one?.letter)).toEqual(['U', 'A']);
  expect(points.filter(({ isBreaking }) => isBreaking).map(({ id }) => id)).toEqual(['found-3']);
  expect(points.filter(({ isOutside }) => isOutside).map(({ id }) => id)).toEqual(['found-4']);
  const axis = axisOf(chance, 'more', '1', manifest);
  expect(axis.text(0.66)).toBe('66');
  expect(axis.label).toMatch(/, of 100$/);
  const value: MeasureValue = figures[0]!.of(answer.candidates[1]!);
  expect(value.value).toBe(0.3);
});
