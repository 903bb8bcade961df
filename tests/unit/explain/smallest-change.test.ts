import { describe, expect, test } from 'vitest';
import { smallestChanges, type Axis, type Change } from '#explain/smallest-change.ts';

const axis = (input: string, { size = 1, ...rest }: Partial<Axis> & { size?: number } = {}): Axis => ({
  input,
  isStep: false,
  sizeAt: (share) => size * share,
  rank: 0,
  ...rest,
});
const options = { wanted: 3, mostEvaluations: 400 };

/** A figure that falls by so much along each whole axis, from 1. */
const linear = (falls: readonly number[]) => async (change: Change) =>
  change.reduce((value, { axis: at, share }) => value - falls[at]! * share, 1);
const below = (limit: number) => (value: number) => value - limit;

describe('the smallest change that takes a figure past a limit', () => {
  test('of one input is found where a straight line crosses it', async () => {
    const found = await smallestChanges([axis('a'), axis('b')], linear([0.8, 0.3]), below(0.5), options);
    expect(found[0]!.change).toHaveLength(1);
    expect(found[0]!.change[0]!.axis).toBe(0);
    // 0.5 / 0.8, from above by at most a quarter's sixth half.
    expect(found[0]!.change[0]!.share).toBeGreaterThanOrEqual(0.625);
    expect(found[0]!.change[0]!.share).toBeLessThan(0.625 + 0.25 / 2 ** 6 + 1e-12);
    expect(found[0]!.reached).toBeLessThanOrEqual(0.5);
  });

  test('of two inputs goes all along the one that does more, and as far as needed along the other', async () => {
    const found = await smallestChanges([axis('a'), axis('b')], linear([0.4, 0.3]), below(0.5), options);
    expect(found).toHaveLength(1);
    const shares = new Map(found[0]!.change.map(({ axis: at, share }) => [at, share]));
    expect(shares.get(0)).toBe(1);
    expect(Math.abs(shares.get(1)! - 1 / 3)).toBeLessThan(1 / 2 ** 6);
    expect(Math.abs(found[0]!.size - 4 / 3)).toBeLessThan(1 / 2 ** 6);
  });

  test('of three inputs is looked for only where two do not do', async () => {
    const found = await smallestChanges(
      ['a', 'b', 'c'].map((input) => axis(input)),
      linear([0.2, 0.2, 0.2]),
      below(0.45),
      options,
    );
    expect(found).toHaveLength(1);
    expect(found[0]!.change).toHaveLength(3);
    expect(Math.abs(found[0]!.size - 2.75)).toBeLessThan(1 / 2 ** 5);
  });

  test('several answers share no needless change: none holds another', async () => {
    const found = await smallestChanges(
      ['a', 'b', 'c'].map((input) => axis(input)),
      linear([0.6, 0.3, 0.3]),
      below(0.5),
      options,
    );
    const sets = found.map(({ change }) => change.map(({ axis: at }) => at));
    expect(sets).toEqual([[0], [1, 2]]);
  });

  test('what has evidence comes before what is only associated, and smaller before larger', async () => {
    const axes = [axis('lab', { rank: 1, size: 0.2 }), axis('large', { isStep: true, size: 2 }), axis('small', { isStep: true })];
    const found = await smallestChanges(axes, linear([0.9, 0.9, 0.9]), below(0.5), options);
    expect(found.map(({ change }) => axes[change[0]!.axis]!.input)).toEqual(['small', 'large', 'lab']);
  });

  test('two axes of one input are never taken together', async () => {
    const found = await smallestChanges([axis('dose'), axis('dose')], linear([0.4, 0.4]), below(0.5), options);
    expect(found).toEqual([]);
  });

  test('a figure that falls and rises again is not missed', async () => {
    const valley = async (change: Change) => change.reduce((value, { share }) => value - 3 * share * (1 - share), 1);
    const found = await smallestChanges([axis('a')], valley, below(0.5), options);
    // 3 s (1 − s) = 0.5 at s = (1 − √(1/3)) / 2.
    expect(Math.abs(found[0]!.change[0]!.share - (1 - Math.sqrt(1 / 3)) / 2)).toBeLessThan(0.25 / 2 ** 5);
  });

  test('what cannot be reached has no answer, and the search ends', async () => {
    let asked = 0;
    const axes = Array.from({ length: 30 }, (_, i) => axis(`input ${i}`));
    const found = await smallestChanges(
      axes,
      async (change) => {
        asked++;
        return (await linear(axes.map(() => 0.001))(change)) as number;
      },
      below(0),
      { wanted: 3, mostEvaluations: 200 },
    );
    expect(found).toEqual([]);
    expect(asked).toBeLessThanOrEqual(201);
  });
});
