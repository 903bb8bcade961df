import { drivePlan } from '#engine/drive.ts';
import type { RolloutRequest, Stepper } from '#engine/engine.ts';
import { RandomSequence, streams, type Seed } from '#numerics/random.ts';
import { chiSquareUpper } from '#numerics/special-functions.ts';
import { effectiveSize, systematic } from '#numerics/weighted-draws.ts';
import type { Network } from '#packs/network.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { traitPrior, type TraitDistribution } from './encoder-plain.ts';
import {
  acceptUniform,
  allocateNoise,
  allocateParticles,
  drawNoise,
  resample,
  runFilter,
  traitNoise,
  type FilterProblem,
  type Particles,
  type RunOptions,
  type StepNoise,
} from './filter.ts';
import { fromCovariance, independent, logDensity, move, type Gaussian } from './gaussian.ts';
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
const pilotShare = 0.25;
/** Counter round of the pilot's noise: beyond every round of rejuvenation. */
const pilotRound = 64;

function fitMember(
  problem: FilterProblem,
  member: number,
  posterior: TraitDistribution,
  n: number,
  onPredicted: (observation: number, below: number, above: number) => void,
): TwinMember {
  const { network, history } = problem;
  const prior = independent(traitPrior(network.members[member]!, history.covariates));
  const q = independent(posterior, widening);
  const firstParticle = member * n;
  const run = (count: number, proposal: Mixture, round: number, rest: Pick<RunOptions, 'resampling' | 'onPredicted'>) => {
    const particles = allocateParticles(network.shape, count);
    drawTraits(problem, particles, firstParticle, round, proposal, prior);
    const noise = allocateNoise(network.shape, count);
    const draw = (t: number) => {
      drawNoise(problem, t, round, (i) => firstParticle + i, noise);
      return noise;
    };
    runFilter(problem, particles, { member, noise: draw, ...rest });
    return particles;
  };

  const hasSeen = history.steps > 0 || history.mask.includes(1);
  let reference = prior;
  let proposal: Mixture = [{ of: prior, share: 1 }];
  if (hasSeen) {
    const fromEncoder: Mixture = [
      { of: q, share: 0.8 },
      { of: prior, share: 0.2 },
    ];
    const pilot = run(Math.ceil(pilotShare * n), fromEncoder, pilotRound, { resampling: 'pilot' });
    reference = refine(network.shape, pilot, posterior);
    proposal = [
      { of: reference, share: 0.6 },
      { of: q, share: 0.2 },
      { of: prior, share: 0.2 },
    ];
  }
  const particles = run(n, proposal, 0, { resampling: 'filter', onPredicted });
  const { logEvidence } = particles;
  const temperedMoves = rejuvenate(problem, particles, member, firstParticle, reference, prior);
  return {
    x: particles.x,
    h: particles.h,
    weights: particles.weights,
    logEvidence,
    effectiveSampleSize: lineageSize(particles),
    temperedMoves,
  };
}

/** Shares add up to one. */
type Mixture = readonly { readonly of: Gaussian; readonly share: number }[];

/**
 * Draws traits from a mixture that always holds some of the prior: a defensive mixture (Hesterberg 1995), with weights p / mixture
 * that no error of the encoder can take above one over the prior's share. Each component gives its exact share of the particles
 * and is not drawn, which keeps the weights right (Veach & Guibas 1995) and takes their variance away.
 */
function drawTraits(
  problem: FilterProblem,
  particles: Particles,
  firstParticle: number,
  round: number,
  proposal: Mixture,
  prior: Gaussian,
): void {
  const { S, L } = problem.network.shape;
  const { n, x, weights, lineage } = particles;
  const noise = traitNoise(problem, firstParticle, round, n);
  const counts = proposal.map(({ share }) => Math.round(share * n));
  counts[counts.length - 1]! += n - sum(counts);
  let component = 0;
  let left = counts[0]!;
  for (let i = 0; i < n; i++) {
    while (left === 0) left = counts[++component]!;
    left--;
    move(proposal[component]!.of, 0, 1, noise, i * L, x, x, i * (S + L) + S);
    lineage[i] = i;
  }
  let total = 0;
  for (let i = 0; i < n; i++) {
    const at = i * (S + L) + S;
    const logPrior = logDensity(prior, x, at);
    let ratio = 0;
    proposal.forEach(
      ({ of }, c) => (ratio += (counts[c]! / n) * (of === prior ? 1 : Math.exp(logDensity(of, x, at) - logPrior))),
    );
    weights[i] = 1 / ratio / n;
    total += weights[i]!;
  }
  for (let i = 0; i < n; i++) weights[i]! /= total;
  particles.logEvidence = Math.log(total);
  particles.logPath.fill(0);
}

/**
 * A proposal with the correlations that the encoder's independent traits lack: the weighted moments of a small first run, which
 * are worth as many draws as it has lineages, pulled towards the encoder's by a few. The main run's weights are exact whatever it
 * proposes, so the pilot can only cost.
 */
function refine({ S, L }: Network['shape'], pilot: Particles, posterior: TraitDistribution): Gaussian {
  const { n, x, weights } = pilot;
  const worth = lineageSize(pilot);
  const fromEncoder = (2 * L) / (worth + 2 * L);
  const trait = (i: number, l: number) => x[i * (S + L) + S + l]!;
  const own = posterior.mean.map((_, l) => weights.reduce((total, weight, i) => total + weight * trait(i, l), 0));
  const mean = own.map((value, l) => value + (posterior.mean[l]! - value) / (worth + 1));
  const covariance = Array.from({ length: L }, () => new Array<number>(L).fill(0));
  for (let i = 0; i < n; i++) {
    for (let a = 0; a < L; a++) {
      for (let b = 0; b <= a; b++) covariance[a]![b]! += weights[i]! * (trait(i, a) - own[a]!) * (trait(i, b) - own[b]!);
    }
  }
  for (let a = 0; a < L; a++) {
    for (let b = 0; b <= a; b++) covariance[a]![b]! *= (1 - fromEncoder) * widening ** 2;
    covariance[a]![a]! += fromEncoder * (widening * posterior.scale[a]!) ** 2;
  }
  return fromCovariance(mean, covariance);
}

const tooFew = 0.05;
const mostRounds = 4;
const firstReach = 0.35;

/**
 * Resampling copies traits, and nothing later can tell the copies apart again. When the lineages left are worth fewer than one in
 * twenty particles, these are made equal in weight and each is moved by Metropolis–Hastings until that many are parted, or four
 * rounds are over: each costs as much as the filter did.
 *
 * A particle is a function of its traits and of the standard normal noise of its guided path. Over these the posterior has the
 * density p(z) / N(z; m, σ²) · w(path) relative to N(m, σ²) × N(0, I), where w is the product of the path's incremental weights
 * and N(m, σ²) is in turn the refined proposal, where large moves are accepted, and the prior. A preconditioned Crank–Nicolson step (Cotter, Roberts, Stuart & White 2013)
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
  refined: Gaussian,
  prior: Gaussian,
): number {
  const { network, history } = problem;
  const { n } = particles;
  const { S, L, H } = network.shape;
  const D = S + L;
  if (lineageSize(particles) >= tooFew * n) return 0;
  resample(problem, particles, member, history.steps, 'filter');
  const path = tracePath(problem, particles, firstParticle);
  const moved = path.map(({ tailByte, choice }) => ({ normal: new Float32Array(n * S), tailByte, choice }));
  const fresh = allocateNoise(network.shape, n);
  const proposed = allocateParticles(network.shape, n);
  let reach = firstReach;
  let moves = 0;
  for (let round = 1; round <= mostRounds && lineageSize(particles) < tooFew * n; round++) {
    const reference = round % 2 === 1 ? refined : prior;
    const keep = Math.sqrt(1 - reach * reach);
    let accepted = 0;
    const traits = traitNoise(problem, firstParticle, round, n);
    for (let i = 0; i < n; i++) {
      move(reference, keep, reach, traits, i * L, particles.x, proposed.x, i * D + S);
    }
    proposed.weights.fill(1 / n);
    proposed.logPath.fill(0);
    const noise = (t: number) => {
      drawNoise(problem, t, round, (i) => firstParticle + i, fresh);
      for (let j = 0; j < n * S; j++) moved[t]!.normal[j] = keep * path[t]!.normal[j]! + reach * fresh.normal[j]!;
      return moved[t]!;
    };
    runFilter(problem, proposed, { member, noise, resampling: null });
    for (let i = 0; i < n; i++) {
      const at = i * D + S;
      const now = logDensity(prior, particles.x, at) - logDensity(reference, particles.x, at) + particles.logPath[i]!;
      const next = logDensity(prior, proposed.x, at) - logDensity(reference, proposed.x, at) + proposed.logPath[i]!;
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
