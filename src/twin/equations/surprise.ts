/**
 * How surprising a person is under the population: each observation's rank in what the models expected of it, given all before it, is
 * uniform and independent of the others if the population is right (Rosenblatt 1952). Fisher's −2 Σ ln(2 · smaller tail) is then χ²
 * with two degrees of freedom each. The same measure as that of learned packs.
 */
import { chiSquareUpper } from '#numerics/special-functions.ts';
import { normaliseLogWeights } from '#numerics/weighted-draws.ts';
import { chanceBelow, logDensity } from './error-models.ts';
import type { ModelPosterior } from './posterior.ts';

/** One model's view of the observations in time, each before it was made. */
export interface Foretelling {
  /** [measurements in time] log density given those before. */
  readonly logDensity: Float64Array;
  /** [measurements in time] chance of a lower value, given those before. */
  readonly below: Float64Array;
  /** [measurements in time] what the draws were worth before it. */
  readonly effectiveSize: Float64Array;
  /** Of a value below its limit only "lower" is a tail. */
  readonly isBelowLimit: readonly boolean[];
}

/** By reweighting the draws of prior and mixture, observation after observation. */
export function foretell({ objective, predictive }: ModelPosterior): Foretelling {
  const { measurements } = objective;
  const { predictions, logRatio, diverged, points } = predictive;
  const { n } = points;
  const order = [...measurements.keys()].sort(
    (a, b) => measurements[a]!.observation.time - measurements[b]!.observation.time || a - b,
  );
  const logs = logRatio.map((log, lane) => (diverged[lane] === 1 ? -Infinity : log));
  const logDensities = new Float64Array(order.length);
  const below = new Float64Array(order.length);
  const effectiveSize = new Float64Array(order.length);
  let before = normaliseLogWeights(logs);
  order.forEach((m, i) => {
    const measurement = measurements[m]!;
    const { value } = measurement.observation;
    effectiveSize[i] = before.effectiveSize;
    for (let lane = 0; lane < n; lane++) {
      const weight = before.weights[lane]!;
      if (weight === 0) continue;
      const f = predictions[m * n + lane]!;
      const chance = chanceBelow(measurement, value, f);
      if (!Number.isNaN(chance)) below[i]! += weight * chance;
      const log = logDensity(measurement, f);
      logs[lane] = Number.isNaN(log) ? -Infinity : logs[lane]! + log;
    }
    const after = normaliseLogWeights(logs);
    logDensities[i] = after.logMean - before.logMean;
    before = after;
  });
  const isBelowLimit = order.map((m) => measurements[m]!.observation.isBelowLimit);
  return { logDensity: logDensities, below, effectiveSize, isBelowLimit };
}

// Fewer draws than this rank an observation by chance, and a model with less than this weight has no say in when that begins.
const fewestDraws = 50;
const leastWeight = 0.01;

/**
 * Of models averaged by what each has foretold so far, starting from `logPrior`: they foretell the same observations. Where many
 * observations leave too few draws to foretell the next, the rest is not asked. Null without observations.
 */
export function surprise(foretellings: readonly Foretelling[], logPrior: readonly number[]): number | null {
  const count = foretellings[0]!.below.length;
  if (count === 0) return null;
  let logs = Float64Array.from(logPrior);
  let statistic = 0;
  let asked = 0;
  for (; asked < count; asked++) {
    const i = asked;
    const { weights } = normaliseLogWeights(logs);
    if (foretellings.some(({ effectiveSize }, m) => weights[m]! >= leastWeight && effectiveSize[i]! < fewestDraws)) break;
    const below = foretellings.reduce((sum, { below: own }, m) => sum + weights[m]! * own[i]!, 0);
    const tail = foretellings[0]!.isBelowLimit[i] ? below : 2 * Math.min(below, 1 - below);
    // Beyond 1e-300 there is nothing left to tell apart.
    statistic -= 2 * Math.log(Math.min(1, Math.max(1e-300, tail)));
    logs = logs.map((log, m) => log + foretellings[m]!.logDensity[i]!);
  }
  return chiSquareUpper(statistic, 2 * asked);
}
