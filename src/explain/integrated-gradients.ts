/**
 * Integrated gradients (Sundararajan, Taly & Yan 2017): what each input contributes to a change of figures, by the mean gradient along
 * the straight line from a reference to the person.
 */
export interface PathPoint {
  /** [figure] */
  readonly values: Float64Array;
  /** [figure × input] */
  readonly gradient: Float64Array;
}

export interface IntegratedGradients {
  /** [input × figure] (x − reference) · mean gradient. */
  readonly contributions: Float64Array;
  readonly base: Float64Array;
  readonly full: Float64Array;
  /** Largest |Σ contributions − change| over the largest |change|; 0 where nothing changes and nothing is contributed. */
  readonly completenessGap: number;
  readonly steps: number;
}

export interface PathOptions {
  readonly firstSteps: number;
  /** The steps are tripled until the gap is below this or the most are reached. */
  readonly gap: number;
  readonly mostSteps: number;
}

/**
 * By the midpoint rule. Three times as many midpoints hold the ones before, so that no gradient is asked for twice. `at` gives values
 * and gradient at x; `onRound` is called before each round and may throw to stop.
 */
export async function integrateGradients(
  at: (x: Float64Array) => PathPoint,
  x: Float64Array,
  reference: Float64Array,
  { firstSteps, gap, mostSteps }: PathOptions,
  onPoint: (done: number, of: number) => Promise<void> | void = () => {},
): Promise<IntegratedGradients> {
  const place = (share: number) => x.map((own, i) => reference[i]! + share * (own - reference[i]!));
  const base = at(place(0)).values;
  const full = at(place(1)).values;
  const summed = new Float64Array(base.length * x.length);
  let steps = firstSteps;
  let isFirst = true;
  for (;;) {
    for (let k = 0; k < steps; k++) {
      if (!isFirst && k % 3 === 1) continue;
      await onPoint(k, steps);
      const { gradient } = at(place((k + 0.5) / steps));
      for (let j = 0; j < summed.length; j++) summed[j]! += gradient[j]!;
    }
    const found = assemble(summed, steps, x, reference, base, full);
    if (found.completenessGap <= gap || 3 * steps > mostSteps) return found;
    steps *= 3;
    isFirst = false;
  }
}

function assemble(
  summed: Float64Array,
  steps: number,
  x: Float64Array,
  reference: Float64Array,
  base: Float64Array,
  full: Float64Array,
): IntegratedGradients {
  const [inputs, figures] = [x.length, base.length];
  const contributions = new Float64Array(inputs * figures);
  let [gap, change] = [0, 0];
  for (let f = 0; f < figures; f++) {
    let total = 0;
    for (let i = 0; i < inputs; i++) {
      const own = ((x[i]! - reference[i]!) * summed[f * inputs + i]!) / steps;
      contributions[i * figures + f] = own;
      total += own;
    }
    gap = Math.max(gap, Math.abs(total - (full[f]! - base[f]!)));
    change = Math.max(change, Math.abs(full[f]! - base[f]!));
  }
  const isNothing = gap <= 1e-12 && change <= 1e-12;
  return { contributions, base, full, completenessGap: isNothing ? 0 : gap / change, steps };
}
