/**
 * The population as a prior for one person: effects N(0, Ω), with columns of their own for each occasion, unknown categories by
 * their shares, both truncated to where the model's constraints hold.
 *
 * Everything that fits works in whitened coordinates z with effects = L z and Ω = L Lᵀ, where the prior is N(0, I). Columns are in
 * the order of `Lanes.effects`, so those of occasions that no observation has seen come last and stay N(0, I) under the posterior.
 */
import { AppError, invariant } from '#domain/errors.ts';
import { effectColumn, effectColumns, type Lanes } from '#engine/simulation.ts';
import { cholesky, logDeterminantCholesky, zeros, type Matrix } from '#numerics/linear-algebra.ts';
import { normalPair, philox, streams, uniform, type Seed } from '#numerics/random.ts';
import type { Program } from '#packs/equations/program.ts';
import type { ModelProblem } from './fit-problem.ts';
import { keepsConstraints } from './individual.ts';

/** Virtual patients in whitened coordinates. */
export interface Points {
  readonly n: number;
  /** [columns × n], lane fastest. */
  readonly z: Float64Array;
  /** [unknown covariates] of [n]: numbers of categories. */
  readonly categories: readonly Uint8Array[];
}

const mostAttempts = 1000;
// Counter words of `streams.twin`: blocks of four normals below, words for categories from here on.
const categoryBlock = 0x10000;
const uniformBlock = 0x20000;

export class Prior {
  readonly problem: ModelProblem;
  readonly columns: number;
  /** So many first columns shape what was observed; the rest are occasions still to come. */
  readonly activeColumns: number;
  /** ln det(2πΩ) of the active columns. */
  readonly logDeterminant: number;
  readonly #factor: Matrix;
  readonly #seed: Seed;
  readonly #words = new Uint32Array(4);

  /** `flattening` multiplies Ω. */
  constructor(problem: ModelProblem, seed: Seed, flattening = 1) {
    const { program, occasions } = problem;
    this.problem = problem;
    this.columns = effectColumns(program, occasions);
    this.activeColumns = effectColumns(program, occasionsSeen(problem));
    this.#seed = seed;
    const covariance = columnCovariance(program, occasions, flattening);
    const factor = cholesky(covariance);
    invariant(factor, `the effects of '${program.modelId}' have a positive definite covariance`);
    this.#factor = factor;
    const seen = factor.slice(0, this.activeColumns);
    this.logDeterminant = this.activeColumns * Math.log(2 * Math.PI) + logDeterminantCholesky(seen);
  }

  /**
   * `n` draws; `round` keeps the draws of different purposes apart. `acceptance` is the share of the unconstrained prior that keeps
   * the constraints. Throws fit_failed where next to none does.
   */
  draw(n: number, round: number): { readonly points: Points; readonly acceptance: number } {
    const points = allocatePoints(this, n);
    const lanes = Uint32Array.from({ length: n }, (_, lane) => lane);
    this.#fill(points, lanes, round, 0);
    const { constraints, modelId } = this.problem.program;
    if (constraints.length === 0) return { points, acceptance: 1 };
    let attempted = n;
    let keeps = this.allowed(points);
    for (let attempt = 1; ; attempt++) {
      const again = lanes.filter((lane) => keeps[lane] === 0);
      if (again.length === 0) return { points, acceptance: n / attempted };
      if (attempt === mostAttempts) {
        throw new AppError(
          'fit_failed',
          `Fewer than one draw in ${mostAttempts} of the population of model '${modelId}' keeps its constraints with these covariates. Check the covariates, or use another pack.`,
        );
      }
      this.#fill(points, again, round, attempt);
      attempted += again.length;
      keeps = this.allowed(points);
    }
  }

  /** `n` draws of N(0, I) and of the shares, whether or not they keep the constraints: what proposals are made from. */
  noise(n: number, round: number): Points {
    const points = allocatePoints(this, n);
    this.#fill(
      points,
      Uint32Array.from({ length: n }, (_, lane) => lane),
      round,
      0,
    );
    return points;
  }

  /** Uniforms of a lane by number, apart from whatever `draw` and `noise` use in the same round. */
  uniform(lane: number, round: number, number: number): number {
    philox(this.#words, lane, uniformBlock + (number >> 2), round * mostAttempts, streams.twin, this.#seed);
    return uniform(this.#words[number & 3]!);
  }

  /** [n]: 1 where the constraints hold in every covariate row and occasion. */
  allowed(points: Points): Uint8Array {
    const { program } = this.problem;
    const keeps = new Uint8Array(points.n).fill(1);
    if (program.constraints.length === 0) return keeps;
    const effects = this.effects(points);
    for (const [row, occasion] of this.#situations()) {
      const holds = keepsConstraints(program, this.individuals(points, effects, row, occasion));
      for (let i = 0; i < points.n; i++) if (holds[i] === 0) keeps[i] = 0;
    }
    return keeps;
  }

  /** Reads effects and covariates of the lanes in a covariate row on an occasion. `effects` as `effects(points)` gives them. */
  individuals(points: Points, effects: Float64Array, row: number, occasion: number): Parameters<typeof keepsConstraints>[1] {
    const { program, timeline, unknownCovariates } = this.problem;
    const { n, categories } = points;
    return {
      lanes: n,
      effect: (index) => {
        const column = columnOf(program, index, occasion);
        return effects.subarray(column * n, (column + 1) * n);
      },
      covariate: (index) => {
        const unknown = unknownCovariates.findIndex(({ covariate }) => covariate === index);
        if (unknown >= 0) return Float64Array.from(categories[unknown]!);
        return new Float64Array(n).fill(timeline.covariateRows[row]![index]!);
      },
    };
  }

  /** [columns × n], lane fastest. */
  effects({ n, z }: Points): Float64Array {
    const effects = new Float64Array(this.columns * n);
    this.#factor.forEach((row, i) => {
      for (let j = 0; j <= i; j++) {
        const l = row[j]!;
        if (l === 0) continue;
        for (let lane = 0; lane < n; lane++) effects[i * n + lane]! += l * z[j * n + lane]!;
      }
    });
    return effects;
  }

  lanes(points: Points): Lanes {
    return {
      lanes: points.n,
      effects: this.effects(points),
      laneCovariates: this.problem.unknownCovariates.map(({ covariate }, u) => ({
        covariate,
        values: Float64Array.from(points.categories[u]!),
      })),
    };
  }

  /** log prior probability of the categories of one lane. */
  logShare({ categories }: Points, lane: number): number {
    return this.problem.unknownCovariates.reduce((sum, { shares }, u) => sum + Math.log(shares[categories[u]![lane]!]!), 0);
  }

  #fill({ n, z, categories }: Points, lanes: Uint32Array, round: number, attempt: number): void {
    const words = this.#words;
    const four = new Float64Array(4);
    const counter = round * mostAttempts + attempt;
    const { unknownCovariates } = this.problem;
    for (const lane of lanes) {
      for (let first = 0; first < this.columns; first += 4) {
        philox(words, lane, first / 4, counter, streams.twin, this.#seed);
        normalPair(four, 0, words[0]!, words[1]!);
        normalPair(four, 2, words[2]!, words[3]!);
        for (let k = 0; k < 4 && first + k < this.columns; k++) z[(first + k) * n + lane] = four[k]!;
      }
      unknownCovariates.forEach(({ shares }, u) => {
        philox(words, lane, categoryBlock + u, counter, streams.twin, this.#seed);
        categories[u]![lane] = pick(shares, uniform(words[0]!));
      });
    }
  }

  /** Each covariate row with each occasion it is met on, and the occasions to come with the last row. */
  #situations(): readonly (readonly [row: number, occasion: number])[] {
    const { segments } = this.problem.timeline;
    const met = new Map<string, readonly [number, number]>();
    for (const { covariateRow, occasion } of segments) met.set(`${covariateRow} ${occasion}`, [covariateRow, occasion]);
    const { covariateRow, occasion } = segments.at(-1)!;
    for (let next = occasion + 1; next < this.problem.occasions; next++) met.set(`${covariateRow} ${next}`, [covariateRow, next]);
    return [...met.values()];
  }
}

export function allocatePoints(prior: Pick<Prior, 'columns' | 'problem'>, n: number): Points {
  return {
    n,
    z: new Float64Array(prior.columns * n),
    categories: prior.problem.unknownCovariates.map(() => new Uint8Array(n)),
  };
}

/** Copies lane `from` of `source` to lane `to` of `target`. */
export function copyPoint(target: Points, to: number, source: Points, from: number): void {
  const columns = target.z.length / target.n;
  for (let j = 0; j < columns; j++) target.z[j * target.n + to] = source.z[j * source.n + from]!;
  target.categories.forEach((values, u) => (values[to] = source.categories[u]![from]!));
}

/** The index whose share of (0, 1) `u` falls into. */
export function pick(shares: ArrayLike<number>, u: number): number {
  let reached = 0;
  for (let k = 0; k < shares.length - 1; k++) {
    reached += shares[k]!;
    if (u < reached) return k;
  }
  return shares.length - 1;
}

/** Occasions up to the last observation, from the first. */
function occasionsSeen({ timeline, observations, occasions }: ModelProblem): number {
  const last = observations.reduce((latest, { time }) => Math.max(latest, time), -Infinity);
  const seen = timeline.segments.reduce((most, { start, occasion }) => (start <= last ? Math.max(most, occasion + 1) : most), 0);
  return Math.min(seen, occasions);
}

function columnOf(program: Pick<Program, 'effects'>, index: number, occasion: number): number {
  const { first, stride } = effectColumn(program, index);
  return first + stride * occasion;
}

/** Effects of different occasions are independent of each other. */
function columnCovariance(program: Pick<Program, 'effects' | 'omega'>, occasions: number, flattening: number): Matrix {
  const { effects, omega } = program;
  const E = effects.length;
  const covariance = zeros(effectColumns(program, occasions), effectColumns(program, occasions));
  for (let occasion = 0; occasion < Math.max(1, occasions); occasion++) {
    for (let a = 0; a < E; a++) {
      for (let b = 0; b < E; b++) {
        if (occasions === 0 && (effects[a]!.perOccasion || effects[b]!.perOccasion)) continue;
        covariance[columnOf(program, a, occasion)]![columnOf(program, b, occasion)] = flattening * omega[a * E + b]!;
      }
    }
  }
  return covariance;
}
