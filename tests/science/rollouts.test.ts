/** Rollouts of networks simple enough that the answer is known in closed form. */
import { describe, expect, it } from 'vitest';
import { CpuEngine } from '#engine/cpu/engine.ts';
import { drivePlan } from '#engine/drive.ts';
import type { Engine, RolloutRequest } from '#engine/engine.ts';
import { groupEffect, ReferenceEngine } from '#engine/reference/engine.ts';
import { seedFrom } from '#numerics/random.ts';
import type { Head, MemberTensors, Network, NetworkShape } from '#packs/network.ts';

const engines: { name: string; make: () => Promise<Engine>; rollouts: number }[] = [
  { name: 'reference', make: async () => new ReferenceEngine(), rollouts: 4000 },
  { name: 'cpu', make: CpuEngine.create, rollouts: 40_000 },
];

/** Every test is seeded, so a bound of five standard errors would be missed by one seed in a million. */
const standardErrors = 5;
const noEvent = -30;

describe.each(engines)('$name engine', ({ make, rollouts }) => {
  it('a network without weights is a random walk whose variance grows by σ² a step', async () => {
    const sigma = 0.3;
    const network = plainNetwork({ S: 2 }, { scaleBias: [Math.log(sigma), Math.log(sigma)], hazardBias: [noEvent] });
    const values = await allValues(await make(), request(network, { rollouts, steps: 16 }), 0);
    for (const step of [1, 4, 16]) expectVariance(values(step), step * sigma ** 2);
  });

  it('a measurement adds its own error, the same at every step', async () => {
    const network = plainNetwork({ S: 1 }, { scaleBias: [-9], observationScale: [0.5], hazardBias: [noEvent] });
    const values = await allValues(await make(), request(network, { rollouts, steps: 2 }), 0);
    // e^−6 is the smallest scale that the model allows.
    for (const step of [0, 1, 2]) expectVariance(values(step), 0.25 + step * Math.exp(-12));
  });

  it('a pull to the mean settles at the stationary variance σ² / (1 − φ²)', async () => {
    const sigma = 0.4;
    const pull = 0.3;
    const network = plainNetwork({ S: 1 }, { scaleBias: [Math.log(sigma)], driftX: [-pull], hazardBias: [noEvent] });
    const values = await allValues(await make(), request(network, { rollouts, steps: 40 }), 0);
    const stationary = sigma ** 2 / (1 - (1 - pull) ** 2);
    expectVariance(values(40), stationary);
    expectVariance(values(3), stationary * (1 - (1 - pull) ** 6));
  });

  it('contaminated noise has the variance of its mixture, and its fourth moment', async () => {
    const share = 32 / 256;
    const network = plainNetwork({ S: 1 }, { scaleBias: [0], tailCount: [32], tailScale: [3], hazardBias: [noEvent] });
    const values = (await allValues(await make(), request(network, { rollouts, steps: 1 }), 0))(1);
    const second = 1 - share + share * 9;
    const fourth = 3 * (1 - share + share * 81);
    expectMean(square(values), second, fourth - second ** 2);
    const eighth = 105 * (1 - share + share * 6561);
    expectMean(square(square(values)), fourth, eighth - fourth ** 2);
  });

  it('an ordinal head shows level k with the logistic probability', async () => {
    const cuts = [-0.5, 0.25, 2];
    const network = plainNetwork({ S: 1 }, { hazardBias: [noEvent], scaleBias: [-6] }, [{ kind: 'ordinal', cuts }]);
    const { plans } = await (await make()).rollOut(request(network, { rollouts, steps: 1 }));
    const above = cuts.map((cut) => 1 / (1 + Math.exp(cut)));
    [1 - above[0], above[0] - above[1], above[1] - above[2], above[2]].forEach((probability, level) => {
      expectCount(plans[0].levelCounts[level], rollouts, probability);
    });
  });

  it('constant hazards give exponential survival, and causes share the events as they share the hazard', async () => {
    const rates = [0.05, 0.02, 0.01];
    const total = 0.08;
    const steps = 20;
    const network = plainNetwork({ S: 1, K: 3 }, { hazardBias: rates.map(Math.log), scaleBias: [-6] });
    const { plans } = await (await make()).rollOut(request(network, { rollouts, steps }));
    for (const step of [1, 10, steps]) {
      const died = 1 - Math.exp(-total * step);
      expectCount(plans[0].alive[step], rollouts, 1 - died);
      // No chance is left in the incidence: every path has the same hazards.
      rates.forEach((rate, k) => expect(plans[0].incidence[step * 3 + k]).toBeCloseTo((died * rate) / total, 5));
    }
    expect(plans[0].eventFreeSteps[0]).toBeCloseTo((1 - Math.exp(-total * steps)) / total, 4);
  });

  it.each([-25, -6, 3, 5])('counts event-free time right at log λ = %d', async (logRate) => {
    const network = plainNetwork({ S: 1 }, { hazardBias: [logRate], scaleBias: [-6] });
    const { plans } = await (await make()).rollOut(request(network, { rollouts: 16, steps: 5 }));
    // The model allows no hazard above e³ a step.
    const rate = Math.exp(Math.min(3, logRate));
    expect(plans[0].eventFreeSteps[0]).toBeCloseTo(-Math.expm1(-5 * rate) / rate, 5);
    expect(plans[0].incidence[5]).toBeCloseTo(-Math.expm1(-5 * rate), 6);
  });

  it('a cited effect moves the hazard of a whole group by its own draw', async () => {
    const network = plainNetwork({ S: 1 }, { hazardBias: [Math.log(0.1)], scaleBias: [-6] });
    const error = 0.5;
    const asked = request(network, { rollouts: 400, steps: 4, groupsPerMember: 50, effectError: error });
    const { plans } = await (await make()).rollOut(asked);
    for (let group = 0; group < 50; group++) {
      const rate = 0.1 * Math.exp(error * groupEffect(group, asked.seed));
      expect(plans[0].incidence[group * 5 + 4]).toBeCloseTo(1 - Math.exp(-4 * rate), 5);
    }
  });

  it('a memory without weights halves at every step', async () => {
    // All gates are sigmoid(0) = 1/2 and the new content tanh(0) = 0, so s moves by a · h₀ · (1/2 + 1/4 + …).
    const driftH = [0.8, 0, 0, 0];
    const network = plainNetwork({ S: 1, H: 4 }, { driftH, scaleBias: [-6], hazardBias: [noEvent] });
    const asked = request(network, { rollouts, steps: 6, starts: [0.2, 0.9, 0, 0, 0] });
    const values = await allValues(await make(), asked, 0);
    for (const step of [1, 3, 6]) expectMean(values(step), 0.2 + 0.8 * 0.9 * (1 - 0.5 ** step), step * Math.exp(-12));
  });
});

/** One member of zeros but for the given tensors; no noise tails, no measurement error, traits or conditioning. */
function plainNetwork(
  sizes: Partial<NetworkShape>,
  tensors: Partial<Record<keyof MemberTensors, number[]>>,
  heads?: Head[],
): Network {
  const shape: NetworkShape = { S: 1, L: 0, H: 4, K: 1, V: 1, M: 1, ...sizes };
  const { S, L, H, K, V } = shape;
  const lengths: Record<keyof MemberTensors, number> = {
    gateX: 3 * H * (S + L),
    gateH: 3 * H * H,
    gateBias: 3 * H,
    resetBias: H,
    gateV: 3 * H * V,
    driftX: S * (S + L),
    driftH: S * H,
    driftBias: S,
    driftV: S * V,
    scaleH: S * H,
    scaleBias: S,
    hazardX: K * (S + L),
    hazardH: K * H,
    hazardBias: K,
    hazardV: K * V,
    observationScale: S,
    tailCount: S,
    tailScale: S,
    entryW: 0,
    entryBias: S,
    entryLogScale: S,
    traitW: 0,
    traitBias: L,
    traitLogScale: L,
  };
  const member = Object.fromEntries(
    Object.entries(lengths).map(([name, length]) => [
      name,
      Float32Array.from({ length }, (_, i) => tensors[name as keyof MemberTensors]?.[i] ?? 0),
    ]),
  ) as unknown as MemberTensors;
  return { shape, heads: heads ?? Array.from({ length: S }, () => ({ kind: 'continuous' })), members: [member] };
}

interface Asked {
  readonly rollouts: number;
  readonly steps: number;
  readonly groupsPerMember?: number;
  readonly effectError?: number;
  /** The state that every rollout starts from; zeros by default. */
  readonly starts?: readonly number[];
}

function request(
  network: Network,
  { rollouts, steps, groupsPerMember = 1, effectError = 0, starts = [] }: Asked,
): RolloutRequest {
  const { S, L, H, K, V } = network.shape;
  const width = S + L + H;
  return {
    network,
    starts: Float32Array.from({ length: rollouts * width }, (_, j) => starts[j % width] ?? 0),
    plans: [
      drivePlan(network, {
        v: new Float64Array(steps * V),
        logHazardShift: new Float64Array(steps * K),
        effectError: new Float64Array(steps * K).fill(effectError),
      }),
    ],
    steps,
    rollouts,
    groupsPerMember,
    seed: seedFrom(31),
    levels: [0.5],
    courses: rollouts,
  };
}

/** All measured values of head `i` at a step; nobody may have had an event. */
async function allValues(engine: Engine, asked: RolloutRequest, i: number): Promise<(step: number) => Float64Array> {
  const { plans } = await engine.rollOut(asked);
  const { S } = asked.network.shape;
  const width = (asked.steps + 1) * S;
  return (step) => Float64Array.from({ length: asked.rollouts }, (_, c) => plans[0].courses[c * width + step * S + i]);
}

const square = (values: Float64Array): Float64Array => values.map((value) => value * value);

/** The mean of independent draws whose distribution has this mean and variance. */
function expectMean(values: Float64Array, mean: number, variance: number): void {
  const found = values.reduce((sum, value) => sum + value, 0) / values.length;
  // 1e-6: where the variance is next to nothing only the rounding of f32 is left.
  expect(Math.abs(found - mean)).toBeLessThan(standardErrors * Math.sqrt(variance / values.length) + 1e-6);
}

/** Draws of N(0, variance). */
function expectVariance(values: Float64Array, variance: number): void {
  expectMean(square(values), variance, 2 * variance ** 2);
}

function expectCount(count: number, draws: number, probability: number): void {
  const deviation = Math.sqrt(draws * probability * (1 - probability));
  expect(Math.abs(count - draws * probability)).toBeLessThan(standardErrors * deviation);
}
