/**
 * Most probable effects from several starts at once: damped Gauss–Newton steps with the expected information of each measurement
 * (Fisher scoring). All central differences of a step, of all starts, are the lanes of one simulation, and all trial steps of
 * another, so a fit costs a few dozen small simulations whatever the model.
 */
import type { RunHooks } from '#engine/engine.ts';
import type { Simulator } from '#engine/simulation.ts';
import { cholesky, inverseCholesky, logDeterminantCholesky, solveCholesky, zeros } from '#numerics/linear-algebra.ts';
import { logDensity, spread, type Measurement } from './error-models.ts';
import type { MapEstimate } from './fit-problem.ts';
import { individualParameters } from './individual.ts';
import type { Evaluation, Objective } from './objective.ts';
import { allocatePoints, copyPoint, type Points } from './prior.ts';

/** A local maximum of the posterior density, in whitened coordinates of the active columns. */
export interface Mode {
  /** One lane; columns of occasions to come are zero. */
  readonly point: Points;
  readonly minus2LogPosterior: number;
  /** [active × active] inverse of the Gauss–Newton Hessian of ½ (−2 log posterior). */
  readonly covariance: readonly (readonly number[])[];
  readonly logDeterminantCovariance: number;
  /** [measurements], in the marker's unit. */
  readonly predictions: Float64Array;
}

const mostSteps = 60;
// 1 is the undamped step; each row of the ladder trusts the quadratic model ten times less than the one before.
const dampings = [0, 0.01, 0.1, 1, 10, 100, 1000];

/**
 * Sizes of differences in units of one prior standard deviation, and the gain below which a start has arrived. Central differences
 * err by h², and by the simulator's rounding (1e-7 of an adaptive f64 stepper, about 2e-6 in f32) over h.
 */
function precision({ kind }: Pick<Simulator, 'kind'>): { readonly h: number; readonly gain: number } {
  return kind === 'reference' ? { h: 2e-3, gain: 1e-9 } : { h: 0.03, gain: 1e-5 };
}

/** Modes that the starts lead to, best first, each once. Empty where no start has any posterior mass. */
export async function findModes(
  objective: Objective,
  simulator: Pick<Simulator, 'kind'>,
  starts: Points,
  hooks?: RunHooks,
): Promise<Mode[]> {
  const { h, gain } = precision(simulator);
  const { prior } = objective;
  const D = prior.activeColumns;
  const current = allocatePoints(prior, starts.n);
  for (let s = 0; s < starts.n; s++) {
    copyPoint(current, s, starts, s);
    for (let j = D; j < prior.columns; j++) current.z[j * starts.n + s] = 0;
  }
  const signal = hooks?.signal ? { signal: hooks.signal } : undefined;
  let at = await objective.evaluate(current, signal);
  const startAllowed = prior.allowed(current);
  const value = Float64Array.from({ length: starts.n }, (_, s) =>
    startAllowed[s] === 1 ? objectiveOf(objective, at, s) : Infinity,
  );
  const predictions = Array.from({ length: starts.n }, (_, s) => predictionsOf(objective, at, s));
  const curvatures = new Map<number, Curvature>();
  let moving = [...value.keys()].filter((s) => value[s]! < Infinity);
  for (let step = 0; moving.length > 0; step++) {
    const slopes = await differences(objective, current, moving, h, signal);
    moving.forEach((s, k) => {
      curvatures.set(s, curvature(objective.measurements, zOf(current, s, D), predictions[s]!, slopes[k]!));
    });
    if (step === mostSteps) break;
    const trials = allocatePoints(prior, moving.length * dampings.length);
    moving.forEach((s, k) => {
      const { hessian, gradient } = curvatures.get(s)!;
      dampings.forEach((damping, d) => {
        const lane = k * dampings.length + d;
        copyPoint(trials, lane, current, s);
        const factor = cholesky(damped(hessian, damping));
        if (!factor) return;
        solveCholesky(factor, gradient).forEach((change, j) => (trials.z[j * trials.n + lane]! -= change));
      });
    });
    at = await objective.evaluate(trials, signal);
    const allowed = prior.allowed(trials);
    moving = moving.filter((s, k) => {
      let best = -1;
      let least = value[s]!;
      for (let lane = k * dampings.length; lane < (k + 1) * dampings.length; lane++) {
        const trial = allowed[lane] === 1 ? objectiveOf(objective, at, lane) : Infinity;
        if (trial < least) [best, least] = [lane, trial];
      }
      if (best < 0) return false;
      const gained = value[s]! - least;
      copyPoint(current, s, trials, best);
      value[s] = least;
      predictions[s] = predictionsOf(objective, at, best);
      return gained > gain;
    });
  }
  const order = [...curvatures.keys()].sort((a, b) => value[a]! - value[b]! || a - b);
  const modes: Mode[] = [];
  for (const s of order) {
    const point = allocatePoints(prior, 1);
    copyPoint(point, 0, current, s);
    const { hessian } = curvatures.get(s)!;
    if (modes.some((mode) => isSameMode(mode, point, hessian, D))) continue;
    const factor = factorise(hessian);
    if (!factor) continue;
    modes.push({
      point,
      minus2LogPosterior: value[s]!,
      covariance: inverseCholesky(factor),
      logDeterminantCovariance: -logDeterminantCholesky(factor),
      predictions: predictions[s]!,
    });
  }
  return modes;
}

/**
 * Positive definite in theory. Where one direction is known 10⁸ times as well as the prior knows it, rounding swallows the others; the
 * least of the dampings that brings them back is then taken. A mode is where draws are proposed, and their weights are exact whatever
 * it is. Null where the curvature is no number.
 */
function factorise(hessian: readonly (readonly number[])[]): number[][] | null {
  for (const damping of dampings) {
    const factor = cholesky(damped(hessian, damping));
    if (factor) return factor;
  }
  return null;
}

function damped(hessian: readonly (readonly number[])[], damping: number): readonly (readonly number[])[] {
  return hessian.map((row, i) => row.map((value, j) => (i === j ? value * (1 + damping) : value)));
}

/** What is shown of the best mode. Parameters are those of the last covariate row on the last occasion seen. */
export function describeMode({ prior, measurements }: Objective, mode: Mode): MapEstimate {
  const { program, timeline, observations } = prior.problem;
  const effects = prior.effects(mode.point);
  const { covariateRow, occasion } = timeline.segments.at(-1)!;
  const values = individualParameters(program, prior.individuals(mode.point, effects, covariateRow, occasion));
  const fitted = observations.map(({ value }) => value);
  measurements.forEach(({ index }, m) => (fitted[index] = mode.predictions[m]!));
  return {
    effects,
    minus2LogPosterior: mode.minus2LogPosterior,
    parameters: Object.fromEntries(program.parameters.map(({ symbol }, p) => [symbol, values[p]![0]!])),
    fitted,
  };
}

interface Curvature {
  /** Of ½ (−2 log posterior): I + Σ information · J Jᵀ, positive definite whatever the model. */
  readonly hessian: readonly (readonly number[])[];
  readonly gradient: readonly number[];
}

function objectiveOf(objective: Objective, evaluation: Evaluation, lane: number): number {
  const value = objective.minus2LogPosterior(evaluation, lane);
  return Number.isNaN(value) ? Infinity : value;
}

function predictionsOf({ measurements }: Objective, { predictions, points }: Evaluation, lane: number): Float64Array {
  return Float64Array.from(measurements, (_, m) => predictions[m * points.n + lane]!);
}

function zOf({ z, n }: Points, lane: number, D: number): Float64Array {
  return Float64Array.from({ length: D }, (_, j) => z[j * n + lane]!);
}

/** [moving][measurements][D] ∂f/∂z. A side that left the numbers is replaced by the middle being flat there: the trial steps decide. */
async function differences(
  objective: Objective,
  current: Points,
  moving: readonly number[],
  h: number,
  hooks?: RunHooks,
): Promise<Float64Array[][]> {
  const { prior, measurements } = objective;
  const D = prior.activeColumns;
  const sides = allocatePoints(prior, moving.length * 2 * D);
  moving.forEach((s, k) => {
    for (let j = 0; j < D; j++) {
      for (const side of [0, 1]) {
        const lane = (k * D + j) * 2 + side;
        copyPoint(sides, lane, current, s);
        sides.z[j * sides.n + lane]! += side === 0 ? -h : h;
      }
    }
  });
  const { predictions } = await objective.evaluate(sides, hooks);
  return moving.map((_, k) =>
    measurements.map((__, m) =>
      Float64Array.from({ length: D }, (___, j) => {
        const lane = m * sides.n + (k * D + j) * 2;
        const slope = (predictions[lane + 1]! - predictions[lane]!) / (2 * h);
        return Number.isFinite(slope) ? slope : 0;
      }),
    ),
  );
}

function curvature(
  measurements: readonly Measurement[],
  z: Float64Array,
  predictions: Float64Array,
  slopes: readonly Float64Array[],
): Curvature {
  const D = z.length;
  const hessian = zeros(D, D);
  for (let j = 0; j < D; j++) hessian[j]![j] = 1;
  const gradient = Array.from(z);
  measurements.forEach((measurement, m) => {
    const J = slopes[m]!;
    const { score, information } = sensitivity(measurement, predictions[m]!);
    for (let i = 0; i < D; i++) {
      gradient[i]! -= score * J[i]!;
      for (let j = 0; j < D; j++) hessian[i]![j]! += information * J[i]! * J[j]!;
    }
  });
  return { hessian, gradient };
}

/** ∂ log density/∂f, by a difference of the density itself, and its expected square: 1/v + ½ (v′/v)² for a normal. */
function sensitivity(measurement: Measurement, f: number): { readonly score: number; readonly information: number } {
  const sd = spread(measurement, f);
  const size = sd > 0 ? sd : Math.abs(f) + 1;
  const d = 1e-4 * size;
  const score = (logDensity(measurement, f + d) - logDensity(measurement, f - d)) / (2 * d);
  if (!Number.isFinite(score)) return { score: 0, information: 0 };
  if (measurement.observation.isBelowLimit) return { score, information: score * score };
  const widening = (spread(measurement, f + d) - spread(measurement, f - d)) / (2 * d);
  const isLog = measurement.error.kind === 'log';
  return { score, information: 1 / (size * size) + (isLog ? 0 : 2 * (widening / size) ** 2) };
}

/** Same categories, and nearer than a tenth of a posterior standard deviation. */
function isSameMode(mode: Mode, point: Points, hessian: readonly (readonly number[])[], D: number): boolean {
  if (mode.point.categories.some((values, u) => values[0] !== point.categories[u]![0])) return false;
  const apart = Float64Array.from({ length: D }, (_, j) => mode.point.z[j]! - point.z[j]!);
  let distance = 0;
  for (let i = 0; i < D; i++) for (let j = 0; j < D; j++) distance += hessian[i]![j]! * apart[i]! * apart[j]!;
  return distance < 0.01;
}
