import { requireFinite, requireSameLength, type Numbers } from './estimate.ts';

/**
 * Lowess without robustness passes (Cleveland 1979): at each distinct x a straight line through the nearest `span` of the
 * points, tricube weights. Gives the smooth at each x, in the given order. `span` defaults to 2/3; equal to R's
 * `lowess(x, y, f = span, iter = 0, delta = 0)`.
 */
export function lowess(x: Numbers, y: Numbers, span = 2 / 3): Float64Array {
  const n = requireSameLength({ x, y });
  requireFinite('x', x);
  requireFinite('y', y);
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => x[a]! - x[b]!);
  const xs = Float64Array.from(order, (i) => x[i]!);
  const ys = Float64Array.from(order, (i) => y[i]!);
  const out = new Float64Array(n);
  const neighbours = Math.max(2, Math.min(n, Math.floor(span * n + 1e-7)));
  const range = n === 0 ? 0 : xs[n - 1]! - xs[0]!;
  const weights = new Float64Array(n);
  let left = 0;
  for (let start = 0; start < n;) {
    const at = xs[start]!;
    // The window of nearest neighbours only ever moves to the right.
    while (left + neighbours < n && at - xs[left]! > xs[left + neighbours]! - at) left++;
    const right = Math.min(left + neighbours, n) - 1;
    const h = Math.max(at - xs[left]!, xs[right]! - at);
    let total = 0;
    let end = left;
    // Points beyond the window but at the same distance as its edge are part of it.
    for (; end < n; end++) {
      const distance = Math.abs(xs[end]! - at);
      weights[end] = 0;
      if (distance <= 0.999 * h) {
        weights[end] = distance <= 0.001 * h ? 1 : (1 - (distance / h) ** 3) ** 3;
        total += weights[end]!;
      } else if (xs[end]! > at) break;
    }
    let fitted = ys[start]!;
    if (total > 0) {
      let centre = 0;
      for (let j = left; j < end; j++) centre += (weights[j]! / total) * xs[j]!;
      let spread = 0;
      for (let j = left; j < end; j++) spread += (weights[j]! / total) * (xs[j]! - centre) ** 2;
      // With nearly all weight on one x a slope cannot be told from the points; the mean is used.
      const slopeFactor = Math.sqrt(spread) > 0.001 * range ? (at - centre) / spread : 0;
      fitted = 0;
      for (let j = left; j < end; j++) fitted += (weights[j]! / total) * (1 + slopeFactor * (xs[j]! - centre)) * ys[j]!;
    }
    while (start < n && xs[start] === at) out[order[start++]!] = fitted;
  }
  return out;
}
