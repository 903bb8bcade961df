/** Result of a derivative-free minimisation. */
export interface Minimum {
  readonly x: readonly number[];
  readonly value: number;
  readonly isConverged: boolean;
}

export interface NelderMeadOptions {
  /** Length of the first simplex's edges, one a coordinate. Default 0.5 each. */
  readonly steps?: readonly number[];
  /** Stops when the simplex's values differ by less than this. Default 1e-10. */
  readonly tolerance?: number;
  /** Evaluations at most. Default 2000. */
  readonly budget?: number;
}

/**
 * Nelder & Mead (1965) simplex search with the usual coefficients (1, 2, 1/2, 1/2). For a few smooth parameters. A value
 * that is not finite counts as Infinity, so a function may refuse a region.
 */
export function nelderMead(
  f: (x: readonly number[]) => number,
  start: readonly number[],
  options: NelderMeadOptions = {},
): Minimum {
  const { steps, tolerance = 1e-10, budget = 2000 } = options;
  const n = start.length;
  let evaluations = 0;
  const vertex = (x: readonly number[]): { x: readonly number[]; value: number } => {
    evaluations++;
    const value = f(x);
    return { x, value: Number.isFinite(value) ? value : Infinity };
  };
  const simplex = [vertex(start)];
  for (let j = 0; j < n; j++) simplex.push(vertex(start.map((v, i) => (i === j ? v + (steps?.[j] ?? 0.5) : v))));
  while (evaluations < budget) {
    simplex.sort((a, b) => a.value - b.value);
    const best = simplex[0]!;
    const worst = simplex[n]!;
    if (worst.value - best.value < tolerance) return { ...best, isConverged: true };
    const centre = Array.from({ length: n }, (_, j) => simplex.slice(0, n).reduce((total, v) => total + v.x[j]!, 0) / n);
    const along = (factor: number): { x: readonly number[]; value: number } =>
      vertex(centre.map((c, j) => c + factor * (worst.x[j]! - c)));
    const reflected = along(-1);
    if (reflected.value < best.value) {
      const expanded = along(-2);
      simplex[n] = expanded.value < reflected.value ? expanded : reflected;
    } else if (reflected.value < simplex[n - 1]!.value) {
      simplex[n] = reflected;
    } else {
      const contracted = along(reflected.value < worst.value ? -0.5 : 0.5);
      if (contracted.value < Math.min(reflected.value, worst.value)) simplex[n] = contracted;
      else for (let k = 1; k <= n; k++) simplex[k] = vertex(simplex[k]!.x.map((v, j) => (v + best.x[j]!) / 2));
    }
  }
  simplex.sort((a, b) => a.value - b.value);
  return { ...simplex[0]!, isConverged: false };
}
