/**
 * The work that every path is timed on, gru-1024x24: 1,024 trajectories of the network of packs/network.ts over 24 steps, H = 64,
 * S = 16, no traits, one cause, one member, constant conditioning, no tails. The libraries get the noise as a tensor and compute
 * only the recurrent core, the drift and the scale; our engines also make the noise, the hazards, the events and the measurement
 * of every step, so a ratio understates them.
 */
import { drivePlan } from '#engine/drive.ts';
import type { RolloutRequest } from '#engine/engine.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { normalPair, philox, seedFrom, streams } from '#numerics/random.ts';
import type { MemberTensors, Network, NetworkShape } from '#packs/network.ts';
import type { Sample } from './measure.ts';
import { toyNetwork, toyRequest, toyStarts } from '../tests/fixtures/toy-network.ts';

export interface Work {
  readonly name: string;
  readonly request: RolloutRequest;
  /** [steps][rollouts × S], the noise that the engines make from the request's seed. */
  readonly noise: readonly Float32Array[];
}

/** A way to do the work, ready to be timed. */
export interface PreparedPath {
  run(): Promise<void>;
  /** Does the work once more and gives the final states, [rollouts × S]. */
  finalStates(): Promise<Float32Array>;
  dispose(): void;
}

export interface Row extends Sample {
  readonly work: string;
  readonly path: string;
  readonly host: 'node' | 'browser';
  /** Largest difference from f64 in any final state, or in glucose (mg/dL); null where the work is not compared (forecasts: tests/conformance does it). */
  readonly error: number | null;
  /** How much of the work was timed, where the times were multiplied up to the whole of it. */
  readonly share?: number;
}

const shape: NetworkShape = { S: 16, L: 0, H: 64, K: 1, V: 1, M: 1 };

/** Fewer steps than 24 give the same ratios in less time. */
export function gruWork(steps = 24): Work {
  const rollouts = 1024;
  const network = withoutMeasurementError(toyNetwork({ seed: 12, shape, ordinalEvery: 0, logHazard: -30 }));
  const seed = seedFrom(99);
  return {
    name: `gru-${rollouts}x${steps}`,
    noise: Array.from({ length: steps }, (_, step) => stepNoise(rollouts, step, seed)),
    request: {
      network,
      starts: toyStarts(network, rollouts, 3),
      plans: [
        drivePlan(network, {
          v: new Float64Array(steps),
          logHazardShift: new Float64Array(steps),
          effectError: new Float64Array(steps),
        }),
      ],
      steps,
      rollouts,
      groupsPerMember: 1,
      seed,
      levels: [0.5],
      courses: 0,
    },
  };
}

/** A whole forecast, bands and all: 10,000 futures of five members over 60 steps, H = 64, S = 16, every fourth head ordinal. */
export function forecastRequest(): RolloutRequest {
  const network = toyNetwork({ seed: 13, shape: { ...shape, L: 3, K: 2, M: 5 }, ordinalEvery: 4 });
  return toyRequest(network, { rollouts: 10_000, steps: 60, planCount: 1, groupsPerMember: 10, courses: 20 });
}

/** What is measured is then the state itself, so that the paths can be compared. */
function withoutMeasurementError(network: Network): Network {
  const { S } = network.shape;
  const zeros = new Float32Array(S);
  const members = network.members.map((member): MemberTensors => ({ ...member, observationScale: zeros, tailCount: zeros }));
  return { ...network, members };
}

function stepNoise(rollouts: number, step: number, seed: RolloutRequest['seed']): Float32Array {
  const { S } = shape;
  const out = new Float32Array(rollouts * S);
  const words = new Uint32Array(4);
  const four = new Float64Array(4);
  for (let rollout = 0; rollout < rollouts; rollout++) {
    for (let i = 0; i < S; i += 4) {
      philox(words, rollout, step, i / 4, streams.process, seed);
      normalPair(four, 0, words[0], words[1]);
      normalPair(four, 2, words[2], words[3]);
      out.set(four, rollout * S + i);
    }
  }
  return out;
}

/** The answer in f64. */
export async function referenceStates(work: Work): Promise<Float32Array> {
  return coursesToStates(work, await new ReferenceEngine().rollOut(withCourses(work)));
}

export function withCourses({ request }: Work): RolloutRequest {
  return { ...request, courses: request.rollouts };
}

/** The last measured value of every course. */
export function coursesToStates({ request }: Work, summary: { plans: readonly { courses: Float32Array }[] }): Float32Array {
  const { S } = request.network.shape;
  const width = (request.steps + 1) * S;
  return summary.plans[0].courses.filter((_, at) => at % width >= width - S);
}

export function largestError(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) throw new Error(`Found ${actual.length} states, expected ${expected.length}.`);
  return expected.reduce((worst, value, at) => {
    const error = Math.abs(value - actual[at]);
    // A NaN must not hide: no number is larger than it.
    return error <= worst ? worst : Number.isNaN(error) ? Infinity : error;
  }, 0);
}
