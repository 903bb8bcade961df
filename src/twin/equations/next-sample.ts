/**
 * Where next to measure: how much better a quantity would be known after one more measurement, for each of several times. Before it
 * is made, a measurement's value is as uncertain as its prediction; so for each of many virtual patients one is drawn, all patients
 * are weighted by how likely it is under them, and what is then known of the quantity is averaged (preposterior analysis; Raiffa &
 * Schlaifer 1961).
 */
import { invariant } from '#domain/errors.ts';
import { RandomSequence, streams, type Seed } from '#numerics/random.ts';
import { normalQuantile } from '#numerics/special-functions.ts';
import { apportion, normaliseLogWeights } from '#numerics/weighted-draws.ts';
import type { ErrorModel } from '#packs/equations/model.ts';
import { logDensity } from './error-models.ts';
import { drawValue, measurementOf } from './virtual-measurement.ts';

/** Equally weighted posterior draws of one model. */
export interface SamplingGroup {
  readonly lanes: number;
  /** [candidates × lanes], lane fastest: what each lane predicts for a measurement, in the marker's unit. */
  readonly predictions: Float32Array | Float64Array;
  /** [lanes]; NaN leaves the lane out. */
  readonly quantity: Float32Array | Float64Array;
  readonly error: ErrorModel;
}

export interface SamplingValue {
  /** Standard deviation of the quantity after a measurement, on average over what the measurement may show. */
  readonly expectedSd: number;
  /** Of `expectedSd`, from the number of values that were tried. */
  readonly standardError: number;
  /**
   * Nats: ½ E ln(variance now / variance after) of the quantity's normal scores. A lower bound of the mutual information, because no
   * distribution of a given variance has more entropy than the normal; equal to it where quantity and measurement are jointly normal.
   */
  readonly information: number;
}

export interface SamplingValues {
  readonly sdNow: number;
  /** One a candidate. */
  readonly candidates: readonly SamplingValue[];
}

// Two thousand patients against two hundred values: a standard error of about 2 % of the expected standard deviation.
const mostLanes = 2000;
const values = 200;

/** The same virtual patients and the same chance for all candidates, so that they are compared more exactly than each is known. */
export function valueSamples(groups: readonly SamplingGroup[], candidates: number, seed: Seed): SamplingValues {
  invariant(
    groups.every(({ error }) => error.kind !== 'transition'),
    'a state that is observed exactly is not sampled with error',
  );
  const lanes = thin(groups);
  const n = lanes.length;
  invariant(n > 1, 'there are draws to weigh');
  const quantity = Float64Array.from(lanes, ({ group, lane }) => groups[group]!.quantity[lane]!);
  const scores = normalScores(quantity);
  const random = new RandomSequence(seed, streams.observation);
  const tried = Array.from({ length: Math.min(values, n) }, (_, k) => ({
    lane: Math.floor(((k + 0.5) * n) / Math.min(values, n)),
    u: random.uniform(),
  }));
  const scoreVariance = variance(scores, new Float64Array(n).fill(1 / n));
  const logs = new Float64Array(n);
  return {
    sdNow: Math.sqrt(variance(quantity, new Float64Array(n).fill(1 / n))),
    candidates: Array.from({ length: candidates }, (_, candidate): SamplingValue => {
      const predicted = Float64Array.from(lanes, ({ group, lane }) => {
        const own = groups[group]!;
        return own.predictions[candidate * own.lanes + lane]!;
      });
      const sds: number[] = [];
      let information = 0;
      for (const { lane: truth, u } of tried) {
        const measurements = groups.map(({ error }) =>
          measurementOf(error, drawValue(groups[lanes[truth]!.group]!.error, predicted[truth]!, u)),
        );
        // Its own patient would always find its value likely: left out, or few draws would look too sure.
        for (let i = 0; i < n; i++) {
          const log = i === truth ? -Infinity : logDensity(measurements[lanes[i]!.group]!, predicted[i]!);
          logs[i] = Number.isNaN(log) ? -Infinity : log;
        }
        const { weights, effectiveSize } = normaliseLogWeights(logs);
        if (effectiveSize === 0) continue;
        sds.push(Math.sqrt(variance(quantity, weights)));
        information += 0.5 * Math.log(scoreVariance / Math.max(1e-12, variance(scores, weights)));
      }
      const mean = sds.reduce((sum, sd) => sum + sd, 0) / sds.length;
      const squares = sds.reduce((sum, sd) => sum + (sd - mean) ** 2, 0);
      return {
        expectedSd: mean,
        standardError: Math.sqrt(squares / (sds.length - 1) / sds.length),
        information: information / sds.length,
      };
    }),
  };
}

/** Up to so many lanes, each model with its share, those left out that have no quantity. */
function thin(groups: readonly SamplingGroup[]): { readonly group: number; readonly lane: number }[] {
  const all = groups.map(({ quantity }) => Array.from(quantity.keys()).filter((lane) => !Number.isNaN(quantity[lane])));
  const total = all.reduce((sum, lanes) => sum + lanes.length, 0);
  const counts = apportion(
    Math.min(total, mostLanes),
    all.map((lanes) => lanes.length / total),
  );
  return all.flatMap((lanes, group) =>
    Array.from({ length: counts[group]! }, (_, k) => ({ group, lane: lanes[Math.floor((k * lanes.length) / counts[group]!)]! })),
  );
}

function variance(x: Float64Array, weights: Float64Array): number {
  let mean = 0;
  for (let i = 0; i < x.length; i++) mean += weights[i]! * x[i]!;
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += weights[i]! * (x[i]! - mean) ** 2;
  return sum;
}

function normalScores(x: Float64Array): Float64Array {
  const order = Array.from(x.keys()).sort((a, b) => x[a]! - x[b]! || a - b);
  const scores = new Float64Array(x.length);
  order.forEach((i, rank) => (scores[i] = normalQuantile((rank + 0.5) / x.length)));
  return scores;
}
