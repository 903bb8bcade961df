import { drivePlan } from '#engine/drive.ts';
import type { RolloutRequest, Stepper } from '#engine/engine.ts';
import { RandomSequence, streams, type Seed } from '#numerics/random.ts';
import { chiSquareUpper } from '#numerics/special-functions.ts';
import type { Network } from '#packs/network.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { traitPrior, type TraitDistribution } from './encoder-plain.ts';
import {
  acceptUniform,
  allocateNoise,
  allocateParticles,
  drawNoise,
  effectiveSize,
  logNormal,
  resample,
  runFilter,
  systematic,
  traitNoise,
  type FilterProblem,
  type Particles,
  type StepNoise,
} from './filter.ts';
import type { History } from './history.ts';

export interface FitRequest {
  readonly pack: Pick<LearnedPack, 'network'>;
  readonly history: History;
  readonly stepper: Stepper;
  /** q(z | history) of each member, from the encoder. */
  readonly posterior: readonly TraitDistribution[];
  /** 1,024 unless told otherwise, and more where a pack has fewer than four members. */
  readonly particlesPerMember?: number;
  readonly seed: Seed;
}

/** The posterior over a person's hidden state at today: weighted particles of every ensemble member. */
export interface Twin {
  readonly network: Network;
  readonly members: readonly TwinMember[];
  /** Over all members. */
  readonly particles: number;
  readonly effectiveSampleSize: number;
  /** Rejuvenation moves that were accepted. */
  readonly temperedMoves: number;
  /** Chance, under the pack, of a history at least as surprising; null without observations. */
  readonly conflictProbability: number | null;
}

export interface TwinMember {
  /** [n × (S + L)] */
  readonly x: Float32Array;
  /** [n × H] */
  readonly h: Float32Array;
  /** [n], sum 1. */
  readonly weights: Float64Array;
  /** log p(history | member). */
  readonly logEvidence: number;
  /**
   * 1 / Σ W² over the weights of independent lineages, not of particles: two particles that descend from one draw of the traits
   * count once, unless a rejuvenation move has parted them.
   */
  readonly effectiveSampleSize: number;
  readonly temperedMoves: number;
}

const smallestSample = 4096;

/** Throws nothing that a person could mend: the history has passed `readHistory`. */
export function fitTwin(request: FitRequest): Twin {
  const { network } = request.pack;
  const { M } = network.shape;
  const { history, stepper, seed } = request;
  const n = request.particlesPerMember ?? Math.max(1024, Math.ceil(smallestSample / M));
  const rows = drivePlan(network, history.inputs).rows;
  const problem: FilterProblem = { network, history, rows, stepper, seed };
  const observations = history.mask.reduce((sum, seen) => sum + seen, 0);
  const below = new Float64Array(observations);
  const above = new Float64Array(observations);
  const members = network.members.map((_, member) =>
    fitMember(problem, member, request.posterior[member]!, n, (observation, b, a) => {
      below[observation]! += b / M;
      above[observation]! += a / M;
    }),
  );
  return {
    network,
    members,
    particles: n * M,
    effectiveSampleSize: sum(members.map((member) => member.effectiveSampleSize)),
    temperedMoves: sum(members.map((member) => member.temperedMoves)),
    conflictProbability: observations === 0 ? null : conflictProbability(below, above),
  };
}

/**
 * Every observation's rank in what the pack expected of it, given all before it, is uniform and independent of the others if the
 * pack is right. Fisher's −2 Σ log(2 · smaller tail) is then χ² with two degrees of freedom each.
 */
function conflictProbability(below: Float64Array, above: Float64Array): number {
  let statistic = 0;
  // Beyond 1e-300 there is nothing left to tell apart.
  below.forEach((b, i) => (statistic -= 2 * Math.log(Math.min(1, Math.max(1e-300, 2 * Math.min(b, above[i]!))))));
  return chiSquareUpper(statistic, 2 * below.length);
}

// A proposal narrower than its target makes a few particles carry all the weight; one a little wider costs a few particles.
const widening = 1.25;
const priorShare = 0.2;

function fitMember(
  problem: FilterProblem,
  member: number,
  posterior: TraitDistribution,
  n: number,
  onPredicted: (observation: number, below: number, above: number) => void,
): TwinMember {
  const { network, history } = problem;
  const prior = traitPrior(network.members[member]!, history.covariates);
  const q = { mean: posterior.mean, scale: posterior.scale.map((scale) => widening * scale) };
  const hasSeen = history.steps > 0 || history.mask.includes(1);
  const particles = allocateParticles(network.shape, n);
  const firstParticle = member * n;
  if (hasSeen) drawTraits(problem, particles, firstParticle, q, prior, Math.round(n * (1 - priorShare)));
  else drawTraits(problem, particles, firstParticle, q, prior, 0);
  const noise = allocateNoise(network.shape, n);
  const draw = (t: number) => {
    drawNoise(problem, t, 0, (i) => firstParticle + i, noise);
    return noise;
  };
  runFilter(problem, particles, { member, noise: draw, resample: true, onPredicted });
  const { logEvidence } = particles;

  const temperedMoves = rejuvenate(problem, particles, member, firstParticle, q, prior);
  return {
    x: particles.x,
    h: particles.h,
    weights: particles.weights,
    logEvidence,
    effectiveSampleSize: lineageSize(particles),
    temperedMoves,
  };
}

/**
 * Draws traits from q and, for the last n − fromQ particles, from the prior: a defensive mixture (Hesterberg 1995), with weights
 * p / mixture that no error of the encoder can take above n / (n − fromQ). The shares are exact and not drawn, which keeps the
 * weights right (Veach & Guibas 1995) and takes their variance away.
 */
function drawTraits(
  problem: FilterProblem,
  particles: Particles,
  firstParticle: number,
  q: TraitDistribution,
  prior: TraitDistribution,
  fromQ: number,
): void {
  const { S, L } = problem.network.shape;
  const { n, x, weights, lineage } = particles;
  const noise = traitNoise(problem, firstParticle, 0, n);
  const share = fromQ / n;
  let total = 0;
  for (let i = 0; i < n; i++) {
    const { mean, scale } = i < fromQ ? q : prior;
    const at = i * (S + L) + S;
    for (let l = 0; l < L; l++) x[at + l] = mean[l]! + scale[l]! * noise[i * L + l]!;
    const ratio = share === 0 ? 0 : Math.exp(logNormal(x, at, q) - logNormal(x, at, prior));
    weights[i] = 1 / (share * ratio + (1 - share)) / n;
    total += weights[i]!;
    lineage[i] = i;
  }
  for (let i = 0; i < n; i++) weights[i]! /= total;
  particles.logEvidence = Math.log(total);
  particles.logPath.fill(0);
}

const tooFew = 0.05;
const mostRounds = 4;
// What the traits are moved around: q where it is good, the prior for when it is not.
const references = ['q', 'prior'] as const;
const firstReach = 0.35;

/**
 * Resampling copies traits, and nothing later can tell the copies apart again. When the lineages left are worth fewer than one in
 * twenty particles, these are made equal in weight and each is moved by Metropolis–Hastings until that many are parted, or four
 * rounds are over: each costs as much as the filter did.
 *
 * A particle is a function of its traits and of the standard normal noise of its guided path. Over these the posterior has the
 * density p(z) / N(z; m, σ²) · w(path) relative to N(m, σ²) × N(0, I), where w is the product of the path's incremental weights
 * and N(m, σ²) may be q or the prior. A preconditioned Crank–Nicolson step (Cotter, Roberts, Stuart & White 2013)
 *
 *   z' = m + √(1 − β²) (z − m) + β σ ξ,   ε' = √(1 − β²) ε + β ξ'
 *
 * is reversible for that reference, so accepting with the ratio of the densities leaves the posterior invariant, whatever the
 * number of rounds. The uniforms that choose tails stay as they are, which is reversible too. β follows the share accepted in the
 * round before, as in adaptive sequential samplers (Beskos, Jasra, Kantas & Thiery 2016).
 */
function rejuvenate(
  problem: FilterProblem,
  particles: Particles,
  member: number,
  firstParticle: number,
  q: TraitDistribution,
  prior: TraitDistribution,
): number {
  const { network, history } = problem;
  const { n } = particles;
  const { S, L, H } = network.shape;
  const D = S + L;
  if (lineageSize(particles) >= tooFew * n) return 0;
  resample(problem, particles, member, history.steps);
  const path = tracePath(problem, particles, firstParticle);
  const moved = path.map(({ tailByte, choice }) => ({ normal: new Float32Array(n * S), tailByte, choice }));
  const fresh = allocateNoise(network.shape, n);
  const proposed = allocateParticles(network.shape, n);
  let reach = firstReach;
  let moves = 0;
  for (let round = 1; round <= mostRounds && lineageSize(particles) < tooFew * n; round++) {
    const reference = references[round % references.length] === 'q' ? q : prior;
    const keep = Math.sqrt(1 - reach * reach);
    let accepted = 0;
    const traits = traitNoise(problem, firstParticle, round, n);
    for (let i = 0; i < n; i++) {
      for (let l = 0; l < L; l++) {
        const centred = particles.x[i * D + S + l]! - reference.mean[l]!;
        proposed.x[i * D + S + l] = reference.mean[l]! + keep * centred + reach * reference.scale[l]! * traits[i * L + l]!;
      }
    }
    proposed.weights.fill(1 / n);
    proposed.logPath.fill(0);
    const noise = (t: number) => {
      drawNoise(problem, t, round, (i) => firstParticle + i, fresh);
      for (let j = 0; j < n * S; j++) moved[t]!.normal[j] = keep * path[t]!.normal[j]! + reach * fresh.normal[j]!;
      return moved[t]!;
    };
    runFilter(problem, proposed, { member, noise, resample: false });
    for (let i = 0; i < n; i++) {
      const at = i * D + S;
      const now = logNormal(particles.x, at, prior) - logNormal(particles.x, at, reference) + particles.logPath[i]!;
      const next = logNormal(proposed.x, at, prior) - logNormal(proposed.x, at, reference) + proposed.logPath[i]!;
      if (!(Math.log(acceptUniform(problem, firstParticle, i, round)) < next - now)) continue;
      particles.x.set(proposed.x.subarray(i * D, (i + 1) * D), i * D);
      particles.h.set(proposed.h.subarray(i * H, (i + 1) * H), i * H);
      particles.logPath[i] = proposed.logPath[i]!;
      particles.lineage[i] = n * round + i;
      path.forEach(({ normal }, t) => normal.set(moved[t]!.normal.subarray(i * S, (i + 1) * S), i * S));
      accepted++;
    }
    if (accepted < 0.15 * n) reach /= 2;
    else if (accepted > 0.5 * n) reach = Math.min(1, 1.5 * reach);
    moves += accepted;
  }
  return moves;
}

/** The noise along each particle's own path, by grid time: drawn again from the counters of its ancestors. */
function tracePath(problem: FilterProblem, { n, copiedFrom }: Particles, firstParticle: number): StepNoise[] {
  const path: StepNoise[] = [];
  let ancestor = Int32Array.from({ length: n }, (_, i) => i);
  for (let t = problem.history.steps; t >= 0; t--) {
    const copied = copiedFrom.get(t);
    if (copied) ancestor = ancestor.map((i) => copied[i]!);
    const noise = allocateNoise(problem.network.shape, n);
    const own = ancestor;
    drawNoise(problem, t, 0, (i) => firstParticle + own[i]!, noise);
    path[t] = noise;
  }
  return path;
}

function lineageSize({ weights, lineage }: Particles): number {
  const total = new Map<number, number>();
  lineage.forEach((id, i) => total.set(id, (total.get(id) ?? 0) + weights[i]!));
  return effectiveSize(Float64Array.from(total.values()));
}

type Starts = Pick<RolloutRequest, 'starts' | 'rollouts' | 'groupsPerMember'>;

/**
 * Starting states of `rollouts` futures, a multiple of members × groups. Every member gives as many: the members are one training
 * repeated, so they differ by what the data could not decide, and the chance fit of a single history must not decide it. Within a
 * member the order is shuffled, so that its groups differ by chance alone.
 */
export function drawStarts(twin: Twin, rollouts: number, groupsPerMember: number, seed: Seed): Starts {
  const { S, L, H, M } = twin.network.shape;
  const D = S + L;
  const size = rollouts / M;
  const starts = new Float32Array(rollouts * (D + H));
  twin.members.forEach(({ x, h, weights }, m) => {
    const random = new RandomSequence(seed, streams.resample, startsSubstream + m);
    const order = shuffled(size, random);
    systematic(weights, size, random.uniform(), (to, from) => {
      const row = (m * size + order[to]!) * (D + H);
      for (let j = 0; j < D; j++) starts[row + j] = x[from * D + j]!;
      for (let j = 0; j < H; j++) starts[row + D + j] = h[from * H + j]!;
    });
  });
  return { starts, rollouts, groupsPerMember };
}

// The filter uses (member, grid time) as counters; a substream beyond any grid time keeps these draws apart from those.
const startsSubstream = 0x10000;

function shuffled(length: number, random: RandomSequence): Uint32Array {
  const order = Uint32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
