// Formulas by their numbers in NIST DLMF (dlmf.nist.gov); continued fractions by the modified Lentz method.

const EPSILON = Number.EPSILON;
const TINY = 1e-300;
const MAX_TERMS = 10_000;

// Lanczos (1964) with g = 7 and nine terms: relative error about 1e-15 for positive arguments.
const LANCZOS_G = 7;
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;

/** Natural logarithm of the gamma function, x > 0. */
export function logGamma(x: number): number {
  if (!(x > 0)) return Number.NaN;
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x); // reflection, DLMF 5.5.3
  let sum: number = LANCZOS[0];
  for (let k = 1; k < LANCZOS.length; k++) sum += LANCZOS[k]! / (x - 1 + k);
  const t = x - 1 + LANCZOS_G + 0.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

/** Lower regularised incomplete gamma P(a, x) by its series, DLMF 8.11.4; converges fast for x < a + 1. */
function gammaSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let k = 1; k < MAX_TERMS; k++) {
    term *= x / (a + k);
    sum += term;
    if (Math.abs(term) < Math.abs(sum) * EPSILON) break;
  }
  return sum * Math.exp(-x + a * Math.log(x) - logGamma(a));
}

/** Upper regularised incomplete gamma Q(a, x) by its continued fraction, DLMF 8.9.2; for x ≥ a + 1. */
function gammaFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = 1 / TINY;
  let d = 1 / b;
  let h = d;
  for (let k = 1; k < MAX_TERMS; k++) {
    const an = -k * (k - a);
    b += 2;
    d = an * d + b;
    if (Math.abs(d) < TINY) d = TINY;
    c = b + an / c;
    if (Math.abs(c) < TINY) c = TINY;
    d = 1 / d;
    const change = d * c;
    h *= change;
    if (Math.abs(change - 1) < EPSILON) break;
  }
  return h * Math.exp(-x + a * Math.log(x) - logGamma(a));
}

/** Lower regularised incomplete gamma function P(a, x), a > 0, x ≥ 0. */
export function gammaP(a: number, x: number): number {
  if (!(a > 0) || !(x >= 0)) return Number.NaN;
  if (x === 0) return 0;
  if (x === Infinity) return 1;
  return x < a + 1 ? gammaSeries(a, x) : 1 - gammaFraction(a, x);
}

/** Upper regularised incomplete gamma function Q(a, x) = 1 − P(a, x), accurate in the far tail. */
export function gammaQ(a: number, x: number): number {
  if (!(a > 0) || !(x >= 0)) return Number.NaN;
  if (x === 0) return 1;
  if (x === Infinity) return 0;
  return x < a + 1 ? 1 - gammaSeries(a, x) : gammaFraction(a, x);
}

/** Error function, by erf(x) = P(1/2, x²), DLMF 7.11.1. */
export function erf(x: number): number {
  return x < 0 ? -gammaP(0.5, x * x) : gammaP(0.5, x * x);
}

/** Complementary error function, accurate in the upper tail. */
export function erfc(x: number): number {
  return x < 0 ? 1 + gammaP(0.5, x * x) : gammaQ(0.5, x * x);
}

/** Density of the standard normal distribution. */
export function normalPdf(z: number): number {
  return Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
}

/** Cumulative distribution of the standard normal distribution, accurate in both tails. */
export function normalCdf(z: number): number {
  return 0.5 * erfc(-z / Math.SQRT2);
}

// P. J. Acklam's rational approximation (relative error 1.15e-9), used as a start only.
const ACKLAM_A = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239,
];
const ACKLAM_B = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1];
const ACKLAM_C = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783,
];
const ACKLAM_D = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];

const polynomial = (coefficients: readonly number[], x: number): number => coefficients.reduce((sum, c) => sum * x + c, 0);

/** Quantile of the standard normal distribution, 0 ≤ p ≤ 1; −Infinity and Infinity at the ends. */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) return Number.NaN;
  if (p === 0) return -Infinity;
  if (p === 1) return Infinity;
  if (p > 0.5) return -normalQuantile(1 - p);
  let z: number;
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    z = polynomial(ACKLAM_C, q) / polynomial(ACKLAM_D, q);
  } else {
    const q = p - 0.5;
    z = (polynomial(ACKLAM_A, q * q) * q) / polynomial(ACKLAM_B, q * q);
  }
  // One Halley step takes 1e-9 to the limit of double precision.
  const u = (normalCdf(z) - p) / normalPdf(z);
  return z - u / (1 + (z * u) / 2);
}

/** Probability that a chi-square variable with `degreesOfFreedom` exceeds `x`: the p-value of a chi-square test. */
export function chiSquareUpper(x: number, degreesOfFreedom: number): number {
  return gammaQ(degreesOfFreedom / 2, x / 2);
}

/** Two-sided p-value of a standard normal statistic. */
export function normalTwoSidedP(z: number): number {
  return erfc(Math.abs(z) / Math.SQRT2);
}

function betaFraction(x: number, a: number, b: number): number {
  // DLMF 8.17.22
  let c = 1;
  let d = 1 - ((a + b) * x) / (a + 1);
  if (Math.abs(d) < TINY) d = TINY;
  d = 1 / d;
  let h = d;
  for (let m = 1; m < MAX_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const term of [even, odd]) {
      d = 1 + term * d;
      if (Math.abs(d) < TINY) d = TINY;
      c = 1 + term / c;
      if (Math.abs(c) < TINY) c = TINY;
      d = 1 / d;
      change = d * c;
      h *= change;
    }
    if (Math.abs(change - 1) < EPSILON) break;
  }
  return h;
}

/** Regularised incomplete beta function I_x(a, b): the cumulative distribution of Beta(a, b) at x. */
export function betaI(x: number, a: number, b: number): number {
  if (!(a > 0) || !(b > 0) || !(x >= 0 && x <= 1)) return Number.NaN;
  if (x === 0 || x === 1) return x;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(x, a, b)) / a : 1 - (front * betaFraction(1 - x, b, a)) / b;
}

/** Quantile of Beta(a, b), by bisection: slow and certain. */
export function betaQuantile(p: number, a: number, b: number): number {
  if (!(p >= 0 && p <= 1)) return Number.NaN;
  let low = 0;
  let high = 1;
  for (let k = 0; k < 200 && high - low > EPSILON * high; k++) {
    const middle = (low + high) / 2;
    if (betaI(middle, a, b) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * Quantile of Student's t, 0 ≤ p ≤ 1, for any positive degrees of freedom; of the normal distribution for infinitely many. Halley's steps
 * from the normal quantile, which above the median lies before the root, never more than twice Newton's.
 */
export function studentQuantile(p: number, degreesOfFreedom: number): number {
  const v = degreesOfFreedom;
  if (!(p >= 0 && p <= 1) || !(v > 0)) return Number.NaN;
  if (v === Infinity || p === 0 || p === 0.5 || p === 1) return normalQuantile(p);
  if (p < 0.5) return -studentQuantile(1 - p, v);
  const density = Math.exp(logGamma((v + 1) / 2) - logGamma(v / 2)) / Math.sqrt(Math.PI * v);
  let t = normalQuantile(p);
  for (let k = 0; k < MAX_TERMS; k++) {
    const newton = (betaI(v / (v + t * t), v / 2, 0.5) / 2 - (1 - p)) / (density * (1 + (t * t) / v) ** (-(v + 1) / 2));
    const step = newton / Math.max(0.5, 1 - (newton * (v + 1) * t) / (2 * (v + t * t)));
    t += step;
    // What is left is of the third order in the step.
    if (!(Math.abs(step) > 1e-6 * t)) break;
  }
  return t;
}
