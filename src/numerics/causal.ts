/**
 * How well effects of a treatment were estimated: against known truth (both outcomes of everyone are simulated), and from observed data
 * by weighting. Effects are treated less untreated; `treated` holds 0 or 1.
 */
import {
  defined,
  MetricInputError,
  notDefined,
  requireBinary,
  requireFinite,
  requireSameLength,
  type Estimate,
  type Numbers,
} from './estimate.ts';
import { sampleSd } from './moments.ts';

/** Outcomes of everyone without and with the treatment. */
export interface PotentialOutcomes {
  readonly untreated: Numbers;
  readonly treated: Numbers;
}

/** Individual effects. */
export function effectsOf({ untreated, treated }: PotentialOutcomes): Float64Array {
  const n = requireSameLength({ untreated, treated });
  requireFinite('untreated', untreated);
  requireFinite('treated', treated);
  return Float64Array.from({ length: n }, (_, i) => treated[i]! - untreated[i]!);
}

const mean = (values: Numbers): number => {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total / values.length;
};

/** Mean effect: the average treatment effect where these are the true outcomes of everyone. */
export function averageEffect(outcomes: PotentialOutcomes): Estimate {
  const effects = effectsOf(outcomes);
  return effects.length === 0 ? notDefined('no persons') : defined(mean(effects));
}

/** Root mean squared error of individual effects: precision in estimating heterogeneous effects (Hill 2011). */
export function effectRmse(estimated: PotentialOutcomes, truth: PotentialOutcomes): Estimate {
  const [found, wanted] = [effectsOf(estimated), effectsOf(truth)];
  requireSameLength({ found, wanted });
  return rootMeanSquare(found.map((effect, i) => effect - wanted[i]!));
}

function rootMeanSquare(errors: Numbers): Estimate {
  return errors.length === 0 ? notDefined('no persons') : defined(Math.sqrt(mean(Float64Array.from(errors, (e) => e * e))));
}

/** Root mean squared error of the outcome that was observed, under each person's own treatment. */
export function factualRmse(estimated: PotentialOutcomes, treated: Numbers, observed: Numbers): Estimate {
  const n = requireSameLength({ observed, treated, estimated: estimated.treated });
  requireBinary('treated', treated);
  return rootMeanSquare(
    Float64Array.from({ length: n }, (_, i) => (treated[i] === 1 ? estimated.treated : estimated.untreated)[i]! - observed[i]!),
  );
}

/** The same of the outcome that nobody saw, under the other treatment: needs known truth. */
export function counterfactualRmse(estimated: PotentialOutcomes, truth: PotentialOutcomes, treated: Numbers): Estimate {
  const n = requireSameLength({ treated, estimated: estimated.treated, truth: truth.treated });
  requireBinary('treated', treated);
  const other = (outcomes: PotentialOutcomes, i: number) => (treated[i] === 1 ? outcomes.untreated : outcomes.treated)[i]!;
  return rootMeanSquare(Float64Array.from({ length: n }, (_, i) => other(estimated, i) - other(truth, i)));
}

/** What everyone would have on average if each were treated exactly where the estimated effect is above 0. */
export function policyValue(estimated: PotentialOutcomes, truth: PotentialOutcomes): Estimate {
  const effects = effectsOf(estimated);
  requireSameLength({ effects, truth: truth.treated });
  if (effects.length === 0) return notDefined('no persons');
  return defined(mean(effects.map((effect, i) => (effect > 0 ? truth.treated : truth.untreated)[i]!)));
}

/** 1 / propensity for the treated, 1 / (1 − propensity) for the others. */
export function inverseWeights(treated: Numbers, propensity: Numbers): Float64Array {
  const n = requireSameLength({ treated, propensity });
  requireBinary('treated', treated);
  return Float64Array.from({ length: n }, (_, i) => {
    const p = propensity[i]!;
    if (!(p > 0 && p < 1))
      throw new MetricInputError(`propensity[${i}] is ${p}. Expected a probability between 0 and 1, not 0 or 1.`);
    return treated[i] === 1 ? 1 / p : 1 / (1 - p);
  });
}

/** Weighted mean of the arm; null where the arm is empty. */
function armMean(values: Numbers, weights: Numbers, treated: Numbers, arm: 0 | 1): number | null {
  let [total, weight] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    if (treated[i] !== arm) continue;
    total += weights[i]! * values[i]!;
    weight += weights[i]!;
  }
  return weight === 0 ? null : total / weight;
}

/** Average effect by inverse weighting with weights that sum to one in each arm (Hájek 1971). */
export function weightedEffect(observed: Numbers, treated: Numbers, propensity: Numbers): Estimate {
  requireSameLength({ observed, treated });
  requireFinite('observed', observed);
  const weights = inverseWeights(treated, propensity);
  const [one, zero] = [armMean(observed, weights, treated, 1), armMean(observed, weights, treated, 0)];
  return one === null || zero === null ? notDefined('an arm is empty') : defined(one - zero);
}

/** Average effect by augmented inverse weighting (Robins, Rotnitzky & Zhao 1994): right where outcomes or propensities are. */
export function doublyRobustEffect(
  observed: Numbers,
  treated: Numbers,
  propensity: Numbers,
  estimated: PotentialOutcomes,
): Estimate {
  const n = requireSameLength({ observed, treated, propensity, estimated: estimated.treated });
  requireFinite('observed', observed);
  if (n === 0) return notDefined('no persons');
  const weights = inverseWeights(treated, propensity);
  const effects = effectsOf(estimated);
  return defined(
    mean(
      effects.map((effect, i) =>
        treated[i] === 1
          ? effect + weights[i]! * (observed[i]! - estimated.treated[i]!)
          : effect - weights[i]! * (observed[i]! - estimated.untreated[i]!),
      ),
    ),
  );
}

/**
 * Standardised mean difference of a covariate between the arms, treated less untreated, over the root of the mean of the arms'
 * unweighted sample variances; with `weights` only the means are weighted (Austin 2011).
 */
export function standardisedDifference(x: Numbers, treated: Numbers, weights?: Numbers): Estimate {
  const n = requireSameLength({ x, treated, ...(weights ? { weights } : {}) });
  requireFinite('x', x);
  requireBinary('treated', treated);
  const even = weights ?? new Float64Array(n).fill(1);
  const arm = (which: 0 | 1) => sampleSd(Float64Array.from(x).filter((_, i) => treated[i] === which));
  const [sd1, sd0] = [arm(1), arm(0)];
  if (!sd1.defined) return sd1;
  if (!sd0.defined) return sd0;
  const sd = Math.sqrt((sd1.value ** 2 + sd0.value ** 2) / 2);
  if (sd === 0) return notDefined('the covariate does not vary');
  return defined((armMean(x, even, treated, 1)! - armMean(x, even, treated, 0)!) / sd);
}

/** (Σ w)² / Σ w² (Kish 1965). */
export function effectiveSampleSize(weights: Numbers): Estimate {
  let [total, squares] = [0, 0];
  for (let i = 0; i < weights.length; i++) {
    total += weights[i]!;
    squares += weights[i]! ** 2;
  }
  return squares === 0 ? notDefined('no weight') : defined(total ** 2 / squares);
}

/** Spearman's rank correlation; ties share their mean rank. */
export function rankCorrelation(x: Numbers, y: Numbers): Estimate {
  const n = requireSameLength({ x, y });
  requireFinite('x', x);
  requireFinite('y', y);
  if (n < 2) return notDefined('fewer than two persons');
  const [a, b] = [ranks(x), ranks(y)];
  const centre = (n + 1) / 2;
  let [product, squaresA, squaresB] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    product += (a[i]! - centre) * (b[i]! - centre);
    squaresA += (a[i]! - centre) ** 2;
    squaresB += (b[i]! - centre) ** 2;
  }
  return squaresA === 0 || squaresB === 0
    ? notDefined('all values are equal')
    : defined(product / Math.sqrt(squaresA * squaresB));
}

/** From 1. */
function ranks(values: Numbers): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const found = new Float64Array(values.length);
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let k = start; k < end; k++) found[order[k]!] = (start + 1 + end) / 2;
    start = end;
  }
  return found;
}
