import { describe, expect, test } from 'vitest';
import { batchSpread, memberSpread, spreadDots, spreadQuantile } from '#numerics/member-spread.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { normalQuantile, studentQuantile } from '#numerics/special-functions.ts';

describe('Student’s quantile', () => {
  // scipy.stats.t.ppf([0.95, 0.975, 0.995], df) of SciPy 1.17.1.
  test.each([
    [1, 6.313751514675037, 12.706204736174694, 63.656741162871526],
    [4, 2.1318467863266495, 2.7764451051977934, 4.604094871349992],
    [7.5, 1.8757474792112878, 2.333039626864974, 3.421422688124044],
    [45, 1.6794273926523544, 2.014103388880846, 2.689585019374643],
  ])('is SciPy’s for %f degrees of freedom', (freedom, ...expected) => {
    [0.95, 0.975, 0.995].forEach((level, i) => {
      expect(studentQuantile(level, freedom)).toBeCloseTo(expected[i]!, 9);
    });
  });

  test('is that of two closed forms, odd about the median, and goes over into the normal one', () => {
    for (const p of [0.001, 0.05, 0.31, 0.5, 0.77, 0.999]) {
      expect(studentQuantile(p, 1)).toBeCloseTo(Math.tan(Math.PI * (p - 0.5)), 9);
      expect(studentQuantile(p, 2)).toBeCloseTo((2 * p - 1) / Math.sqrt(2 * p * (1 - p)), 11);
      expect(studentQuantile(p, 3.7)).toBeCloseTo(-studentQuantile(1 - p, 3.7), 12);
      expect(studentQuantile(p, 1e7)).toBeCloseTo(normalQuantile(p), 5);
      expect(studentQuantile(p, Infinity)).toBe(normalQuantile(p));
    }
    expect(studentQuantile(0, 4)).toBe(-Infinity);
    expect(studentQuantile(1.1, 4)).toBeNaN();
    expect(studentQuantile(0.9, 0)).toBeNaN();
  });
});

describe('the spread over members', () => {
  test('of members that are one group each is that of one more draw of a normal sample', () => {
    const spread = memberSpread([1, 2, 3, 4, 5], 5);
    expect(spread.centre).toBe(3);
    expect(spread.scale).toBeCloseTo(Math.sqrt(2.5 * (1 + 1 / 5)), 12);
    expect(spread.freedom).toBeCloseTo(4, 12);
    expect(spreadQuantile(spread, 0.975)).toBeCloseTo(3 + 2.776445105197793 * Math.sqrt(3), 9);
  });

  test('of members that do not differ is that of one more draw inside them', () => {
    // Both means are 2, so that nothing is estimated between them.
    const { centre, scale, freedom } = memberSpread([1, 2, 3, 0, 2, 4], 2);
    expect(centre).toBe(2);
    expect(scale).toBeCloseTo(Math.sqrt(2.5 * (1 - 1 / 3)), 12);
    expect(freedom).toBeCloseTo(4, 12);
  });

  test('is drawn as values that are equally likely', () => {
    const spread = memberSpread([1, 2, 3, 4, 6], 5);
    const dots = spreadDots(spread, 50);
    dots.forEach((value, i) => expect(value).toBeCloseTo(spreadQuantile(spread, (i + 0.5) / 50), 9));
    expect(spreadDots(memberSpread([2, 2], 2), 4)).toEqual([2, 2, 2, 2]);
  });

  test('of one member is what is inside it', () => {
    const { centre, scale, freedom } = memberSpread([1, 2, 3, 4, 5], 1);
    expect([centre, freedom]).toEqual([3, 4]);
    expect(scale).toBeCloseTo(Math.sqrt(2.5 * 1.2), 12);
  });

  test('leaves out groups and members that say nothing', () => {
    const none = Number.NaN;
    expect(memberSpread([1, 2, none, none, none, none, 4, none, 5], 3)).toEqual(memberSpread([1, 2, 4, 5], 2));
    expect(memberSpread([none, none, none, 1, 2, 3], 2)).toEqual(memberSpread([1, 2, 3], 1));
    expect(memberSpread([none, none], 2).centre).toBeNaN();
    expect(spreadQuantile(memberSpread([none, none], 2), 0.05)).toBeNaN();
  });

  test('weighs members by the groups that they have', () => {
    // Members of 3 and 1 known groups: Σ w² = 10/16, mean of 1/n = 2/3.
    const { centre, scale } = memberSpread([1, 2, 3, 6, Number.NaN, Number.NaN], 2);
    expect(centre).toBe(3);
    const left = 1 + 1 / 4 - (1 + 10 / 16) * (2 / 3);
    expect(scale ** 2).toBeCloseTo((1 + 10 / 16) * 8 + Math.max(0, left) * 1, 12);
  });

  test('of what is the same in every group is a point', () => {
    const spread = memberSpread([2, 2, 2, 2], 2);
    expect([0.05, 0.5, 0.95].map((level) => spreadQuantile(spread, level))).toEqual([2, 2, 2]);
  });

  // Two interlaced chances: what the members have in common is off the truth, and so is each draw inside them.
  test.each([
    ['members differ most', 1, 0.1],
    ['both are alike', 1, 1],
    ['draws inside members differ most', 0.1, 1],
  ])('holds as many of the truths as it says where %s', (_, between, inside) => {
    const random = new RandomSequence(seedFrom(11));
    const normal = () => normalQuantile(random.uniform());
    const runs = 4000;
    let held = 0;
    let heldByQuantiles = 0;
    for (let run = 0; run < runs; run++) {
      const groups = Array.from({ length: 5 }, () => {
        const member = between * normal();
        return Array.from({ length: 10 }, () => member + inside * normal());
      }).flat();
      const truth = between * normal() + inside * normal();
      const spread = memberSpread(groups, 5);
      if (spreadQuantile(spread, 0.05) <= truth && truth <= spreadQuantile(spread, 0.95)) held++;
      const ascending = groups.sort((a, b) => a - b);
      if (ascending[2]! <= truth && truth <= ascending[47]!) heldByQuantiles++;
    }
    // Three standard errors of 4,000 runs.
    expect(Math.abs(held / runs - 0.9)).toBeLessThan(3 * Math.sqrt((0.9 * 0.1) / runs));
    if (between > inside) expect(heldByQuantiles / runs).toBeLessThan(0.75);
  });
});

describe('batches of one posterior', () => {
  test('the mean, with the standard error that the batches show', () => {
    const spread = batchSpread([1, 2, 3, Number.NaN, 6]);
    expect(spread.centre).toBe(3);
    expect(spread.freedom).toBe(3);
    // Standard deviation of 1, 2, 3, 6 over the root of four.
    expect(spread.scale).toBeCloseTo(Math.sqrt(14 / 3 / 4), 12);
  });

  test('batches that agree, or one alone, leave nothing open; none says nothing', () => {
    expect(spreadDots(batchSpread([0.5, 0.5, 0.5]), 4)).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect(spreadQuantile(batchSpread([2]), 0.05)).toBe(2);
    expect(batchSpread([Number.NaN]).centre).toBeNaN();
  });

  test('their middle 90 % holds the mean of all draws in nine of ten repetitions', () => {
    const random = new RandomSequence(seedFrom(11));
    const runs = 2000;
    let held = 0;
    for (let run = 0; run < runs; run++) {
      const batches = Array.from({ length: 20 }, () => {
        let count = 0;
        for (let i = 0; i < 50; i++) count += random.uniform() < 0.3 ? 1 : 0;
        return count / 50;
      });
      const spread = batchSpread(batches);
      if (spreadQuantile(spread, 0.05) <= 0.3 && 0.3 <= spreadQuantile(spread, 0.95)) held++;
    }
    // Five standard errors of a share of 2,000.
    expect(Math.abs(held / runs - 0.9)).toBeLessThan(5 * Math.sqrt((0.9 * 0.1) / runs));
  });
});
