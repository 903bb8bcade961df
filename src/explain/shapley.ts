/**
 * Shapley values (Shapley 1953) of figures over time: each group's mean marginal contribution over all orders in which the groups can
 * be given. Coalitions are numbers whose bit g is set where group g is given.
 */
import type { RandomSequence } from '#numerics/random.ts';

/** [coalition] → the figure at each time. */
export type CoalitionValues = ReadonlyMap<number, Float64Array>;

/** Groups in the order in which they are given. */
export type Order = readonly number[];

export interface SampledShapley {
  /** [group] of [time]. */
  readonly contributions: readonly Float64Array[];
  /** [group] of [time], of the sampling of orders; NaN for a single pair. */
  readonly standardErrors: readonly Float64Array[];
}

export function everyCoalition(groups: number): number[] {
  return Array.from({ length: 2 ** groups }, (_, coalition) => coalition);
}

/** Exact, from the values of all 2ⁿ coalitions: Σ |S|! (n − |S| − 1)! / n! · (v(S ∪ g) − v(S)). */
export function exactShapley(groups: number, values: CoalitionValues): Float64Array[] {
  const times = values.get(0)!.length;
  const contributions = Array.from({ length: groups }, () => new Float64Array(times));
  // weights[s] = s! (n − s − 1)! / n!, from one to the next without a factorial that overflows.
  const weights: number[] = [1 / groups];
  for (let s = 1; s < groups; s++) weights.push((weights[s - 1]! * s) / (groups - s));
  for (let coalition = 0; coalition < 2 ** groups; coalition++) {
    const without = values.get(coalition)!;
    const weight = weights[sizeOf(coalition)]!;
    for (let g = 0; g < groups; g++) {
      if (coalition & (1 << g)) continue;
      const given = values.get(coalition | (1 << g))!;
      const own = contributions[g]!;
      for (let t = 0; t < times; t++) own[t]! += weight * (given[t]! - without[t]!);
    }
  }
  return contributions;
}

/** Each drawn order is followed by its reverse (Mitchell et al. 2022): the two err in opposite directions where groups interact. */
export function antitheticOrders(groups: number, pairs: number, random: RandomSequence): Order[] {
  return Array.from({ length: pairs }, () => {
    const order = Array.from({ length: groups }, (_, g) => g);
    for (let i = groups - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return [order, order.toReversed()];
  }).flat();
}

/** The distinct coalitions that these orders pass through, the empty and the full one first. */
export function coalitionsOf(groups: number, orders: readonly Order[]): number[] {
  const found = new Set([0, 2 ** groups - 1]);
  for (const order of orders) for (const coalition of prefixes(order)) found.add(coalition);
  return [...found];
}

/** Unbiased, from orders that come in antithetic pairs; errors from the scatter of the pairs. */
export function sampledShapley(groups: number, orders: readonly Order[], values: CoalitionValues): SampledShapley {
  const times = values.get(0)!.length;
  const pairs = orders.length / 2;
  const contributions = Array.from({ length: groups }, () => new Float64Array(times));
  const squares = Array.from({ length: groups }, () => new Float64Array(times));
  const ofPair = Array.from({ length: groups }, () => new Float64Array(times));
  for (let pair = 0; pair < pairs; pair++) {
    for (const own of ofPair) own.fill(0);
    for (const order of orders.slice(2 * pair, 2 * pair + 2)) {
      let before = values.get(0)!;
      prefixes(order).forEach((coalition, place) => {
        const after = values.get(coalition)!;
        const own = ofPair[order[place]!]!;
        for (let t = 0; t < times; t++) own[t]! += (after[t]! - before[t]!) / 2;
        before = after;
      });
    }
    for (let g = 0; g < groups; g++) {
      for (let t = 0; t < times; t++) {
        contributions[g]![t]! += ofPair[g]![t]! / pairs;
        squares[g]![t]! += ofPair[g]![t]! ** 2;
      }
    }
  }
  return {
    contributions,
    standardErrors: squares.map((own, g) =>
      own.map((square, t) => Math.sqrt(Math.max(0, square / pairs - contributions[g]![t]! ** 2) / (pairs - 1))),
    ),
  };
}

function prefixes(order: Order): number[] {
  let coalition = 0;
  return order.map((group) => (coalition |= 1 << group));
}

function sizeOf(coalition: number): number {
  let size = 0;
  for (let left = coalition; left !== 0; left &= left - 1) size++;
  return size;
}
