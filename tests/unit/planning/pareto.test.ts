import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { dominates, keepingOrder, nonDominated, type Rated } from '#planning/pareto.ts';

const goals = fc.array(fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constant(Number.NaN)), { minLength: 3, maxLength: 3 });
const rated = fc.array(fc.record({ goals, kept: fc.integer({ min: 0, max: 2 }) }), { maxLength: 40 });
const worth = (value: number) => (Number.isNaN(value) ? -Infinity : value);

/** Word for word what the contract says, in the slowest way. */
function bruteForce(all: readonly Rated[]): boolean[] {
  return all.map((one) =>
    all.every((other) => {
      const isNoWorse = one.goals.every((value, i) => worth(other.goals[i]!) >= worth(value));
      const isBetter = one.goals.some((value, i) => worth(other.goals[i]!) > worth(value));
      return !(other.kept >= one.kept && isNoWorse && isBetter);
    }),
  );
}

test('the front is what brute force says it is', () => {
  fc.assert(
    fc.property(rated, (all) => {
      expect(nonDominated(all)).toEqual(bruteForce(all));
    }),
  );
});

test('nothing dominates itself, and domination goes one way', () => {
  fc.assert(
    fc.property(rated, (all) => {
      for (const a of all) {
        expect(dominates(a, a)).toBe(false);
        for (const b of all) expect(dominates(a, b) && dominates(b, a)).toBe(false);
      }
    }),
  );
});

test('the keeping order holds each once, more limits kept first, and never a dominated one before what dominates it', () => {
  fc.assert(
    fc.property(rated, (all) => {
      const order = keepingOrder(all);
      expect([...order].sort((a, b) => a - b)).toEqual(all.map((_, i) => i));
      const place = new Map(order.map((i, at) => [i, at]));
      all.forEach((a, i) =>
        all.forEach((b, j) => {
          if (a.kept > b.kept || (a.kept === b.kept && dominates(a, b))) expect(place.get(i)!).toBeLessThan(place.get(j)!);
        }),
      );
    }),
  );
});
