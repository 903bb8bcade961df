/**
 * Covariance matrix adaptation evolution strategy (Hansen, "The CMA evolution strategy: a tutorial", arXiv 1604.00772v2; the letters are
 * its own): finds where a noisy or kinked function of a few dozen numbers inside bounds is largest, from values alone. Candidates of a
 * generation are scored together. When a run has settled, the next begins elsewhere with twice the population (Auger & Hansen 2005).
 */
import { eigenSymmetric } from '#numerics/linear-algebra.ts';
import { RandomSequence, streams, type Seed } from '#numerics/random.ts';

export interface CmaSearch {
  readonly low: readonly number[];
  /** Each above its `low`. */
  readonly high: readonly number[];
  /** Higher is better; NaN counts as worst. [candidates] of [numbers] → [candidates]. Every candidate lies inside the bounds. */
  readonly score: (candidates: readonly Float64Array[]) => Promise<ArrayLike<number>>;
  readonly seed: Seed;
  /** Candidates that may be scored in all. */
  readonly budget: number;
  /** Candidates of a generation of the first run; 4 + 3 ln n by default, as the tutorial has it. */
  readonly population?: number;
  /** Where the first run begins; the middle of the bounds by default. */
  readonly start?: readonly number[];
  /** Steps in which each number can be given: the search never draws closer together than a part of that. 0 by default. */
  readonly steps?: readonly number[];
  readonly signal?: AbortSignal;
  readonly onGeneration?: (scored: number, best: number) => void;
}

export interface CmaAnswer {
  readonly best: Float64Array;
  readonly score: number;
  /** Candidates that were scored, never more than the budget. */
  readonly scored: number;
  /** Runs that were begun after the first. */
  readonly restarts: number;
}

/** Standard deviation at the start, in shares of the bounds' width. */
const firstDeviation = 0.3;
/** A run has settled when neither scores nor candidates differ by more than this, in their own size. */
const scoreTolerance = 1e-12;
const stepTolerance = 1e-11;
const worstCondition = 1e14;
/** The least deviation in steps of what can be given, so that neighbours are still drawn. */
const leastDeviationInSteps = 0.3;

/** The best candidate of all runs. The same search gives the same answer. */
export async function searchContinuous(search: CmaSearch): Promise<CmaAnswer> {
  const n = search.low.length;
  let population = search.population ?? 4 + Math.floor(3 * Math.log(n));
  let start = (search.start ?? search.low.map((low, i) => (low + search.high[i]!) / 2)).map((value, i) =>
    toUnit(search, i, value),
  );
  let best: { candidate: Float64Array; score: number } | null = null;
  let scored = 0;
  let restarts = 0;
  for (;;) {
    const random = new RandomSequence(search.seed, streams.resample, restarts);
    if (restarts > 0) start = Array.from({ length: n }, random.uniform);
    const run = new Run(start, population, leastDeviations(search));
    while (scored < search.budget && !run.isSettled) {
      search.signal?.throwIfAborted();
      const drawn = run.draw(random, Math.min(population, search.budget - scored));
      const candidates = drawn.map((unit) => Float64Array.from(unit, (value, i) => fromUnit(search, i, reflect(value))));
      const scores = Array.from(await search.score(candidates), (score) => (Number.isNaN(score) ? -Infinity : score));
      scored += candidates.length;
      scores.forEach((score, i) => {
        if (best === null || score > best.score) best = { candidate: candidates[i]!, score };
      });
      search.onGeneration?.(scored, best!.score);
      // A last generation that the budget cut short says too little to learn from.
      if (candidates.length === population) run.learn(drawn, scores);
    }
    if (scored >= search.budget) break;
    restarts++;
    population *= 2;
  }
  const { candidate, score } = best!;
  return { best: candidate, score, scored, restarts };
}

const toUnit = ({ low, high }: CmaSearch, i: number, value: number) => (value - low[i]!) / (high[i]! - low[i]!);
const fromUnit = ({ low, high }: CmaSearch, i: number, unit: number) =>
  Math.min(high[i]!, Math.max(low[i]!, low[i]! + unit * (high[i]! - low[i]!)));

/** Mirrors a number into 0 … 1, so that the function goes on smoothly beyond its bounds. */
function reflect(value: number): number {
  const within = Math.abs(value) % 2;
  return within > 1 ? 2 - within : within;
}

function leastDeviations({ low, high, steps }: CmaSearch): readonly number[] {
  return low.map((one, i) => (leastDeviationInSteps * (steps?.[i] ?? 0)) / (high[i]! - one));
}

/** One run on the unit cube. Figure 6 of the tutorial, with its default parameters and positive weights alone. */
class Run {
  isSettled = false;
  readonly #n: number;
  readonly #population: number;
  readonly #leastDeviations: readonly number[];
  readonly #weights: readonly number[];
  readonly #muEff: number;
  readonly #cSigma: number;
  readonly #dSigma: number;
  readonly #cC: number;
  readonly #c1: number;
  readonly #cMu: number;
  /** E‖N(0, I)‖ */
  readonly #chiN: number;
  #mean: number[];
  #sigma = firstDeviation;
  #pSigma: number[];
  #pC: number[];
  #C: number[][];
  /** Columns are the eigenvectors of C. */
  #B: number[][];
  /** Square roots of its eigenvalues. */
  #D: number[];
  #generation = 0;
  readonly #bestOfGenerations: number[] = [];

  constructor(mean: readonly number[], population: number, leastDeviations: readonly number[]) {
    const n = mean.length;
    this.#n = n;
    this.#population = population;
    this.#leastDeviations = leastDeviations;
    this.#mean = [...mean];
    const mu = Math.floor(population / 2);
    const raw = Array.from({ length: mu }, (_, i) => Math.log((population + 1) / 2) - Math.log(i + 1));
    const total = sum(raw);
    this.#weights = raw.map((weight) => weight / total);
    const muEff = 1 / sum(this.#weights.map((weight) => weight ** 2));
    this.#muEff = muEff;
    this.#cSigma = (muEff + 2) / (n + muEff + 5);
    this.#dSigma = 1 + 2 * Math.max(0, Math.sqrt((muEff - 1) / (n + 1)) - 1) + this.#cSigma;
    this.#cC = (4 + muEff / n) / (n + 4 + (2 * muEff) / n);
    this.#c1 = 2 / ((n + 1.3) ** 2 + muEff);
    this.#cMu = Math.min(1 - this.#c1, (2 * (muEff - 2 + 1 / muEff)) / ((n + 2) ** 2 + muEff));
    this.#chiN = Math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
    this.#pSigma = new Array<number>(n).fill(0);
    this.#pC = new Array<number>(n).fill(0);
    this.#C = identity(n);
    this.#B = identity(n);
    this.#D = new Array<number>(n).fill(1);
  }

  /** x = m + σ B D z, and a little of its own for numbers that are given in steps. */
  draw(random: RandomSequence, count: number): Float64Array[] {
    return Array.from({ length: count }, () => {
      const z = this.#D.map((deviation) => deviation * random.normal());
      return Float64Array.from(this.#mean, (mean, i) => {
        const own = this.#sigma * Math.sqrt(this.#C[i]![i]!);
        const missing = Math.sqrt(Math.max(0, this.#leastDeviations[i]! ** 2 - own ** 2));
        return mean + this.#sigma * dot(this.#B[i]!, z) + (missing > 0 ? missing * random.normal() : 0);
      });
    });
  }

  learn(drawn: readonly Float64Array[], scores: readonly number[]): void {
    const n = this.#n;
    const order = drawn.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
    const steps = this.#weights.map((_, k) =>
      Array.from(drawn[order[k]!]!, (value, i) => (value - this.#mean[i]!) / this.#sigma),
    );
    const step = this.#mean.map((_, i) => sum(this.#weights.map((weight, k) => weight * steps[k]![i]!)));
    this.#mean = this.#mean.map((value, i) => value + this.#sigma * step[i]!);
    this.#generation++;

    const whitened = this.#whiten(step);
    const keep = 1 - this.#cSigma;
    const move = Math.sqrt(this.#cSigma * (2 - this.#cSigma) * this.#muEff);
    this.#pSigma = this.#pSigma.map((value, i) => keep * value + move * whitened[i]!);
    const length = Math.hypot(...this.#pSigma);
    const expected = Math.sqrt(1 - keep ** (2 * this.#generation)) * this.#chiN;
    const isSteady = length / expected < 1.4 + 2 / (n + 1);
    const moveC = isSteady ? Math.sqrt(this.#cC * (2 - this.#cC) * this.#muEff) : 0;
    this.#pC = this.#pC.map((value, i) => (1 - this.#cC) * value + moveC * step[i]!);
    const lost = isSteady ? 0 : this.#c1 * this.#cC * (2 - this.#cC);
    this.#C = this.#C.map((row, i) =>
      row.map(
        (value, j) =>
          (1 - this.#c1 - this.#cMu + lost) * value +
          this.#c1 * this.#pC[i]! * this.#pC[j]! +
          this.#cMu * sum(this.#weights.map((weight, k) => weight * steps[k]![i]! * steps[k]![j]!)),
      ),
    );
    // Exponent at most one: a single lucky generation does not throw the step size away.
    this.#sigma *= Math.exp(Math.min(1, (this.#cSigma / this.#dSigma) * (length / this.#chiN - 1)));
    const { values, vectors } = eigenSymmetric(this.#C);
    this.#B = vectors;
    this.#D = values.map((value) => Math.sqrt(Math.max(0, value)));
    this.#settle(scores[order[0]!]!, scores);
  }

  /** C^(−1/2) v */
  #whiten(v: readonly number[]): number[] {
    const turned = this.#D.map((deviation, j) =>
      deviation > 0 ? sum(v.map((value, i) => this.#B[i]![j]! * value)) / deviation : 0,
    );
    return v.map((_, i) => dot(this.#B[i]!, turned));
  }

  #settle(best: number, scores: readonly number[]): void {
    const history = this.#bestOfGenerations;
    history.push(best);
    const window = 10 + Math.ceil((30 * this.#n) / this.#population);
    const recent = [...history.slice(-window), ...scores];
    const range = Math.max(...recent) - Math.min(...recent);
    const isFlat = history.length >= window && !(range > scoreTolerance * Math.max(1e-300, Math.abs(best)));
    const largest = Math.max(...this.#D);
    const isTight = this.#D.every((deviation, i) => this.#sigma * deviation < stepTolerance && this.#leastDeviations[i] === 0);
    const isDegenerate = !(this.#sigma * largest < 1e4) || !(largest < Math.sqrt(worstCondition) * Math.min(...this.#D));
    this.isSettled = isFlat || isTight || isDegenerate;
  }
}

function identity(n: number): number[][] {
  return Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => (i === j ? 1 : 0)));
}

function dot(a: readonly number[], b: readonly number[]): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
