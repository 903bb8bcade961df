// Scratch of `cascade`, which never calls anything that could come back here before it has returned its number.
const sorted = new Float64Array(8);
const homogeneous = new Float64Array(8);

/**
 * What a unit impulse becomes after a cascade of first-order stages: (e^{-r₁·} ∗ … ∗ e^{-rₙ·})(t), which is (−1)ⁿ⁻¹ times the divided
 * difference of e^{−rt} over the rates. A rate of 0 integrates, so a constant input is an impulse through a stage of rate 0.
 * Rates in any order, equal ones too; at most 8. Relative error a few units in the last place: near rates by a series of positive
 * terms, distant ones by the recurrence of divided differences, which then cancels little (McCurdy, Ng & Parlett 1984).
 */
export function cascade(t: number, ...rates: readonly number[]): number {
  const n = rates.length;
  for (let i = 0; i < n; i++) {
    let at = i;
    for (; at > 0 && sorted[at - 1] > rates[i]; at--) sorted[at] = sorted[at - 1];
    sorted[at] = rates[i];
  }
  return between(t, 0, n);
}

/** The cascade of the sorted rates first … first + n − 1. */
function between(t: number, first: number, n: number): number {
  const slow = sorted[first];
  if (n === 1) return Math.exp(-slow * t);
  const fast = sorted[first + n - 1];
  const width = fast - slow;
  if (n === 2) return width === 0 ? t * Math.exp(-slow * t) : (Math.exp(-slow * t) * -Math.expm1(-width * t)) / width;
  if (width * t > 1) return (between(t, first, n - 1) - between(t, first + 1, n - 1)) / width;
  return nearby(t, first, n, fast);
}

/** tⁿ⁻¹ e^{−fast·t} Σₖ hₖ(x) / (n−1+k)! with xᵢ = (fast − rᵢ)t in [0, 1] and hₖ the complete homogeneous symmetric polynomials. */
function nearby(t: number, first: number, n: number, fast: number): number {
  let factorial = 1;
  for (let i = 2; i < n; i++) factorial *= i;
  homogeneous.fill(1, 0, n);
  let sum = 1 / factorial;
  // h₂₀ of eight ones is C(27, 20) = 888030, and 888030 / 22! is below 1e-15 of the first term: 20 terms are enough for 8 rates.
  for (let k = 1; k <= 20; k++) {
    let before = 0;
    for (let i = 0; i < n; i++) {
      before += (fast - sorted[first + i]) * t * homogeneous[i];
      homogeneous[i] = before;
    }
    factorial *= n - 1 + k;
    sum += homogeneous[n - 1] / factorial;
  }
  return sum * t ** (n - 1) * Math.exp(-fast * t);
}
