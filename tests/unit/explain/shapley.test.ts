import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { antitheticOrders, coalitionsOf, everyCoalition, exactShapley, sampledShapley } from '#explain/shapley.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';

/** Values of all coalitions of so many groups, at two times. */
const games = (groups: number) =>
  fc
    .array(fc.tuple(fc.double({ min: -5, max: 5, noNaN: true }), fc.double({ min: -5, max: 5, noNaN: true })), {
      minLength: 2 ** groups,
      maxLength: 2 ** groups,
    })
    .map((rows) => new Map(rows.map((row, coalition) => [coalition, Float64Array.from(row)])));

const map = (groups: number, value: (coalition: number) => number) =>
  new Map(everyCoalition(groups).map((coalition) => [coalition, Float64Array.of(value(coalition))]));

describe('Shapley values from every coalition', () => {
  test('add up to what all groups change together', () => {
    fc.assert(
      fc.property(games(5), (values) => {
        const contributions = exactShapley(5, values);
        for (const t of [0, 1]) {
          const sum = contributions.reduce((total, own) => total + own[t]!, 0);
          expect(Math.abs(sum - (values.get(31)![t]! - values.get(0)![t]!))).toBeLessThan(1e-12);
        }
      }),
    );
  });

  test('are equal for groups that change everything alike, whatever the others are', () => {
    fc.assert(
      fc.property(games(4), (values) => {
        const swapped = (coalition: number) => (coalition & ~3) | ((coalition & 1) << 1) | ((coalition & 2) >> 1);
        const symmetric = new Map(
          [...values].map(([coalition, own]) => [coalition, own.map((value, t) => value + values.get(swapped(coalition))![t]!)]),
        );
        const [a, b] = exactShapley(4, symmetric);
        a!.forEach((value, t) => expect(Math.abs(value - b![t]!)).toBeLessThan(1e-12));
      }),
    );
  });

  test('are zero for a group that changes nothing', () => {
    fc.assert(
      fc.property(games(4), (values) => {
        const without = new Map([...values].map(([coalition]) => [coalition, values.get(coalition & ~4)!]));
        expect([...exactShapley(4, without)[2]!]).toEqual([0, 0]);
      }),
    );
  });

  test('of a sum of games are the sum of theirs', () => {
    fc.assert(
      fc.property(games(4), games(4), fc.double({ min: -3, max: 3, noNaN: true }), (first, second, factor) => {
        const both = new Map(
          [...first].map(([coalition, own]) => [coalition, own.map((value, t) => value + factor * second.get(coalition)![t]!)]),
        );
        const [a, b] = [exactShapley(4, first), exactShapley(4, second)];
        exactShapley(4, both).forEach((own, g) =>
          own.forEach((value, t) => expect(Math.abs(value - a[g]![t]! - factor * b[g]![t]!)).toBeLessThan(1e-11)),
        );
      }),
    );
  });

  test('of twelve groups in a game of pairs are half of each pair', () => {
    const sizes = Array.from({ length: 12 }, (_, g) => g + 1);
    const has = (coalition: number, g: number) => (coalition >> g) & 1;
    const values = map(12, (coalition) =>
      sizes.reduce((sum, size, g) => sum + size * has(coalition, g) * has(coalition, (g + 1) % 12), 0),
    );
    exactShapley(12, values).forEach((own, g) => expect(own[0]).toBeCloseTo((sizes[g]! + sizes[(g + 11) % 12]!) / 2, 9));
  });
});

describe('Shapley values from sampled orders', () => {
  test('are exact where groups do not interact, with no error to report', () => {
    const sizes = [3, -1, 0.5, 2, 0, -4];
    const orders = antitheticOrders(6, 3, new RandomSequence(seedFrom(1)));
    const values = map(6, (coalition) => sizes.reduce((sum, size, g) => sum + size * ((coalition >> g) & 1), 0));
    const { contributions, standardErrors } = sampledShapley(6, orders, values);
    contributions.forEach((own, g) => expect(own[0]).toBeCloseTo(sizes[g]!, 12));
    for (const own of standardErrors) expect(own[0]).toBeLessThan(1e-7);
  });

  test('add up, ask for no coalition that the orders do not pass, and err as much as they say', () => {
    const n = 8;
    const random = new RandomSequence(seedFrom(3));
    const strengths = everyCoalition(n).map(() => random.normal());
    const values = map(n, (coalition) => strengths[coalition]!);
    const exact = exactShapley(n, values);
    let inside = 0;
    let all = 0;
    for (let seed = 0; seed < 60; seed++) {
      const orders = antitheticOrders(n, 20, new RandomSequence(seedFrom(seed)));
      const asked = new Map(coalitionsOf(n, orders).map((coalition) => [coalition, values.get(coalition)!]));
      const { contributions, standardErrors } = sampledShapley(n, orders, asked);
      const sum = contributions.reduce((total, own) => total + own[0]!, 0);
      expect(sum).toBeCloseTo(strengths[2 ** n - 1]! - strengths[0]!, 10);
      contributions.forEach((own, g) => {
        all++;
        if (Math.abs(own[0]! - exact[g]![0]!) < 1.96 * standardErrors[g]![0]!) inside++;
      });
    }
    // Twenty pairs make a t of 19 degrees: about 93 % inside 1.96 errors; 480 tries have a standard deviation of 1.2 points.
    expect(inside / all).toBeGreaterThan(0.89);
    expect(inside / all).toBeLessThan(0.98);
  });
});
