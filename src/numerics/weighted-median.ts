import type { Numbers } from './estimate.ts';

/**
 * The smallest value with at least half of the weight at or below it; NaN where there is no weight. Values that are no number are left
 * out. By quickselect: a dozen comparisons a value, without a sort.
 */
export function weightedMedian(values: Numbers, weights: Numbers): number {
  const order = new Uint32Array(values.length);
  let count = 0;
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    if (!(weights[i]! > 0) || Number.isNaN(values[i]!)) continue;
    order[count++] = i;
    total += weights[i]!;
  }
  if (count === 0) return Number.NaN;
  let [first, last] = [0, count - 1];
  // Weight that lies below `first`.
  let below = 0;
  while (first < last) {
    const pivot = values[order[(first + last) >> 1]!]!;
    let [less, greater, i] = [first, last, first];
    let [lighter, equal] = [0, 0];
    while (i <= greater) {
      const index = order[i]!;
      const value = values[index]!;
      if (value < pivot) {
        lighter += weights[index]!;
        order[i++] = order[less]!;
        order[less++] = index;
      } else if (value > pivot) {
        order[i] = order[greater]!;
        order[greater--] = index;
      } else {
        equal += weights[index]!;
        i++;
      }
    }
    if (below + lighter >= total / 2) last = less - 1;
    else if (below + lighter + equal >= total / 2 || greater === last) return pivot;
    else {
      below += lighter + equal;
      first = greater + 1;
    }
  }
  return values[order[first]!]!;
}
