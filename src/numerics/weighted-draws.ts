/** Draws with weights: how many they are worth, how to make them equal, and what their mean weight says of an integral. */

/** Of weights that add up to one: 1 / Σ w², between 1 and n (Kish 1965). */
export function effectiveSize(weights: Float64Array): number {
  let sum = 0;
  for (const weight of weights) sum += weight * weight;
  return 1 / sum;
}

/** Which of shares that add up to one `u` in [0, 1) falls into; the last where rounding leaves it beyond them all. */
export function shareAt(shares: readonly number[], u: number): number {
  let reached = 0;
  const found = shares.findIndex((share) => (reached += share) > u);
  return found < 0 ? shares.length - 1 : found;
}

/** Calls `take(to, from)` for `count` draws whose expected numbers are proportional to the (normalised) weights. */
export function systematic(weights: Float64Array, count: number, start: number, take: (to: number, from: number) => void): void {
  let from = 0;
  let reached = weights[0]!;
  for (let to = 0; to < count; to++) {
    const position = (to + start) / count;
    while (reached < position && from < weights.length - 1) reached += weights[++from]!;
    take(to, from);
  }
}

export interface NormalisedWeights {
  /** Add up to one; all zero where every log weight is −Infinity. */
  readonly weights: Float64Array;
  /** log of the mean of the weights as they were given; −Infinity where all are zero. */
  readonly logMean: number;
  /** Standard error of `logMean` over independent draws, by the delta method: √(1/ESS − 1/n). */
  readonly standardError: number;
  /** 0 where all weights are zero. */
  readonly effectiveSize: number;
}

/** From log weights, −Infinity for a draw that counts nothing. The largest is taken out before exp, so none overflows. */
export function normaliseLogWeights(logWeights: Float64Array): NormalisedWeights {
  const n = logWeights.length;
  let largest = -Infinity;
  for (const value of logWeights) if (value > largest) largest = value;
  const weights = new Float64Array(n);
  if (largest === -Infinity) return { weights, logMean: -Infinity, standardError: Infinity, effectiveSize: 0 };
  let sum = 0;
  for (let i = 0; i < n; i++) {
    weights[i] = Math.exp(logWeights[i]! - largest);
    sum += weights[i]!;
  }
  for (let i = 0; i < n; i++) weights[i]! /= sum;
  const size = effectiveSize(weights);
  return {
    weights,
    logMean: largest + Math.log(sum / n),
    standardError: Math.sqrt(Math.max(0, 1 / size - 1 / n)),
    effectiveSize: size,
  };
}

/** Whole numbers that add up to `total`, as near to `shares` (adding up to one) as they can be: largest remainders. */
export function apportion(total: number, shares: readonly number[]): number[] {
  const counts = shares.map((share) => Math.floor(share * total));
  const byRemainder = shares
    .map((share, i) => ({ i, rest: share * total - counts[i]! }))
    .sort((a, b) => b.rest - a.rest || a.i - b.i);
  let left = total - counts.reduce((sum, count) => sum + count, 0);
  for (const { i } of byRemainder) {
    if (left-- <= 0) break;
    counts[i]!++;
  }
  return counts;
}
