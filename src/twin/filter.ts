/**
 * The guided particle filter of one ensemble member: what `fit.ts` is made of.
 *
 * A particle is a full state [s, z] and h. Because the noise of a step is independent over the components of s, and a marker is
 * seen through Gaussian error, the proposal that looks at the visit before it moves is known exactly: each component is weighed
 * with its predictive density and drawn from its own posterior. A contaminated normal is two such cases. An ordinal sign has no
 * closed posterior; it is drawn from the transition and weighed with the probability of the level seen.
 *
 * All noise comes from Philox counters (particle, grid time, block): a fit repeats bit for bit on the same stepper.
 */
import { driveWidth } from '#engine/drive.ts';
import type { Stepper } from '#engine/engine.ts';
import { logistic } from '#numerics/logistic-regression.ts';
import { normalPair, philox, streams, uniform, type Seed } from '#numerics/random.ts';
import { effectiveSize, systematic } from '#numerics/weighted-draws.ts';
import type { MemberTensors, Network } from '#packs/network.ts';
import { rowDot } from './encoder-plain.ts';
import type { History } from './history.ts';
import { normalTail } from './normal-tail.ts';

/** What a filter reads; the same for every member. */
export interface FilterProblem {
  readonly network: Network;
  readonly history: History;
  /** [M × steps × width], the history's conditioning multiplied through the network. */
  readonly rows: Float32Array;
  readonly stepper: Stepper;
  readonly seed: Seed;
}

/** n particles of one member and the scratch of a step, allocated once and used again. */
export interface Particles {
  readonly n: number;
  /** [n × (S + L)] */ x: Float32Array;
  /** [n × H] */ h: Float32Array;
  /** [n] normalised. */
  readonly weights: Float64Array;
  /** [n] log of all incremental weights along each particle's own path; resampling copies it and does not reset it. */
  logPath: Float64Array;
  /** [n] which independent draw of the traits a particle descends from. */
  lineage: Int32Array;
  /** For each grid time at which they were resampled: [n] whose copy each became. */
  readonly copiedFrom: Map<number, Int32Array>;
  /** Σ log of the mean incremental weights: log p(history) estimated without bias on the natural scale. */
  logEvidence: number;

  readonly mean: Float32Array;
  readonly scale: Float32Array;
  readonly logHazard: Float32Array;
  /** [n] log of the incremental weight being absorbed. */
  readonly logDensity: Float64Array;
  /** [n] posterior probability of the tail component. */
  readonly tailShare: Float64Array;
  spareX: Float32Array;
  spareH: Float32Array;
  sparePath: Float64Array;
  spareLineage: Int32Array;
}

export function allocateParticles({ S, L, H, K }: Network['shape'], n: number): Particles {
  return {
    n,
    x: new Float32Array(n * (S + L)),
    h: new Float32Array(n * H),
    weights: new Float64Array(n),
    logPath: new Float64Array(n),
    lineage: new Int32Array(n),
    copiedFrom: new Map(),
    logEvidence: 0,
    mean: new Float32Array(n * S),
    scale: new Float32Array(n * S),
    logHazard: new Float32Array(n * K),
    logDensity: new Float64Array(n),
    tailShare: new Float64Array(n),
    spareX: new Float32Array(n * (S + L)),
    spareH: new Float32Array(n * H),
    sparePath: new Float64Array(n),
    spareLineage: new Int32Array(n),
  };
}

// Third counter word. A round of rejuvenation has its own 1,024 blocks, so that its draws are new.
const blocks = { state: 0, component: 256, trait: 512, accept: 768, perRound: 1024 } as const;
const resamplingBlocks = { filter: 1, pilot: 2 } as const;
export type Resampling = keyof typeof resamplingBlocks;

const words = new Uint32Array(4);
const pair = new Float64Array(2);

/** The random numbers that move n particles to one grid time: [n × S] each. */
export interface StepNoise {
  /** Standard normal. */
  readonly normal: Float32Array;
  /** 0…255, chooses the tail of a component that was not observed. */
  readonly tailByte: Uint8Array;
  /** Uniform, chooses the tail of one that was: a byte is too coarse for a posterior probability. */
  readonly choice: Float32Array;
}

export function allocateNoise({ S }: Network['shape'], n: number): StepNoise {
  return { normal: new Float32Array(n * S), tailByte: new Uint8Array(n * S), choice: new Float32Array(n * S) };
}

/** Particle i gets the numbers of counter `particle(i)`, so that the path of a copy can be drawn again from its ancestors. */
export function drawNoise(
  problem: FilterProblem,
  t: number,
  round: number,
  particle: (i: number) => number,
  out: StepNoise,
): void {
  const { network, history, seed } = problem;
  const { S } = network.shape;
  const n = out.normal.length / S;
  const ofRound = round * blocks.perRound;
  for (let first = 0; first < S; first += 4) {
    const end = Math.min(S, first + 4);
    const isSeen = history.mask.subarray(t * S + first, t * S + end).includes(1);
    for (let i = 0; i < n; i++) {
      philox(words, particle(i), t, blocks.state + first / 4 + ofRound, streams.twin, seed);
      for (let j = first; j < end; j++) {
        if (j % 2 === 0) normalPair(pair, 0, words[j - first]!, words[j - first + 1]!);
        out.normal[i * S + j] = pair[j % 2]!;
        // The low byte takes no part in the normal draw, as in the engines.
        out.tailByte[i * S + j] = words[j - first]! & 255;
      }
      if (!isSeen) continue;
      philox(words, particle(i), t, blocks.component + first / 4 + ofRound, streams.twin, seed);
      for (let j = first; j < end; j++) out.choice[i * S + j] = uniform(words[j - first]!);
    }
  }
}

/** Uniform for accepting particle i's move in a round. */
export function acceptUniform({ seed }: FilterProblem, firstParticle: number, i: number, round: number): number {
  philox(words, firstParticle + i, 0, blocks.accept + round * blocks.perRound, streams.twin, seed);
  return uniform(words[0]!);
}

/** Writes standard normals [n × L] for the traits of a round. */
export function traitNoise({ seed, network }: FilterProblem, firstParticle: number, round: number, n: number): Float64Array {
  const { L } = network.shape;
  const out = new Float64Array(n * L);
  for (let i = 0; i < n; i++) {
    for (let l = 0; l < L; l += 2) {
      philox(words, firstParticle + i, 0, blocks.trait + l / 2 + round * blocks.perRound, streams.twin, seed);
      normalPair(pair, 0, words[0]!, words[1]!);
      out[i * L + l] = pair[0]!;
      if (l + 1 < L) out[i * L + l + 1] = pair[1]!;
    }
  }
  return out;
}

const halfLog2Pi = 0.5 * Math.log(2 * Math.PI);

export interface RunOptions {
  readonly member: number;
  /** What moves the particles to grid time t; read before it is asked for again. */
  readonly noise: (t: number) => StepNoise;
  /** Resample when the effective size falls below half; null for the paths that rejuvenation proposes. */
  readonly resampling: Resampling | null;
  /** Called before each observation is absorbed, with the predictive probabilities below and above what was seen. */
  readonly onPredicted?: (observation: number, below: number, above: number) => void;
}

/**
 * Carries particles whose traits, weights and `logPath` are set from entry to today. Leaves `weights` normalised; adds to
 * `logEvidence` and `logPath`.
 */
export function runFilter(problem: FilterProblem, particles: Particles, options: RunOptions): void {
  const { network, history, rows, stepper } = problem;
  const { K } = network.shape;
  const { n, logHazard, logDensity } = particles;
  const width = driveWidth(network.shape);
  const visit: Visit = { ...problem, ...options, tensors: network.members[options.member]!, observation: 0 };

  particles.h.fill(0); // the core has nothing to remember at entry
  predictEntry(visit, particles);
  absorb(visit, particles, 0);
  for (let t = 0; t < history.steps; t++) {
    if (options.resampling && effectiveSize(particles.weights) < n / 2) {
      resample(problem, particles, options.member, t, options.resampling);
    }
    const at = (options.member * history.steps + t) * width;
    stepper.advance(network, options.member, n, rows.subarray(at, at + width), particles);
    const lived = history.lived[t]!;
    for (let i = 0; i < n; i++) {
      let hazard = 0;
      for (let k = 0; k < K; k++) hazard += Math.exp(logHazard[i * K + k]!);
      logDensity[i] = -lived * hazard;
    }
    reweigh(particles);
    absorb(visit, particles, t + 1);
  }
}

interface Visit extends FilterProblem, RunOptions {
  readonly tensors: MemberTensors;
  /** Running number of the observation, for `onPredicted`. */
  observation: number;
}

/** s at entry given c and each particle's traits, as mean and scale. */
function predictEntry({ network, history, tensors }: Visit, { n, x, mean, scale }: Particles): void {
  const { S, L } = network.shape;
  const { covariates } = history;
  const C = covariates.length;
  const given = new Float64Array(C + L);
  given.set(covariates);
  const entryScale = Float32Array.from(tensors.entryLogScale, Math.exp);
  for (let i = 0; i < n; i++) {
    for (let l = 0; l < L; l++) given[C + l] = x[i * (S + L) + S + l]!;
    for (let j = 0; j < S; j++) mean[i * S + j] = rowDot(tensors.entryW, j, given) + tensors.entryBias[j]!;
    scale.set(entryScale, i * S);
  }
}

/**
 * Weighs and draws s at grid time t, from `mean` and `scale`, one component after the other. A step's noise has tails, the
 * distribution at entry has none.
 */
function absorb(visit: Visit, particles: Particles, t: number): void {
  const { network, history, tensors } = visit;
  const { S, L } = network.shape;
  const { n, x, mean, scale } = particles;
  const noise = visit.noise(t);
  for (let j = 0; j < S; j++) {
    const isObserved = history.mask[t * S + j] === 1;
    const y = history.values[t * S + j]!;
    const head = network.heads[j]!;
    const tailCount = t === 0 ? 0 : tensors.tailCount[j]!;
    const tailScale = tensors.tailScale[j]!;
    if (isObserved && head.kind === 'continuous') {
      absorbContinuous(visit, particles, noise, j, y, tailCount);
      continue;
    }
    for (let i = 0; i < n; i++) {
      const cell = i * S + j;
      const widened = noise.tailByte[cell]! < tailCount ? tailScale : 1;
      x[i * (S + L) + j] = mean[cell]! + scale[cell]! * widened * noise.normal[cell]!;
    }
    if (isObserved && head.kind === 'ordinal') absorbOrdinal(visit, particles, j, y, head.cuts);
  }
}

/**
 * Marker j was seen at y through N(0, R). Over a component k of the noise (plain, tail) with variance σ_k² the seen value is
 * N(μ, σ_k² + R), and given k and y the state is Gaussian again.
 */
function absorbContinuous(visit: Visit, particles: Particles, noise: StepNoise, j: number, y: number, tailCount: number): void {
  const { network, tensors, onPredicted } = visit;
  const { S, L } = network.shape;
  const { n, x, mean, scale, weights, logDensity, tailShare } = particles;
  const R = tensors.observationScale[j]! ** 2;
  const tail = tailCount / 256;
  const widening = tensors.tailScale[j]! ** 2;
  let below = 0;
  let above = 0;
  for (let i = 0; i < n; i++) {
    const d = y - mean[i * S + j]!;
    const variance = scale[i * S + j]! ** 2;
    const plainV = variance + R;
    const plainRoot = Math.sqrt(plainV);
    const plainKernel = Math.exp((-0.5 * d * d) / plainV);
    const plain = ((1 - tail) * plainKernel) / plainRoot;
    let density = plain;
    let beyond = onPredicted ? (1 - tail) * normalTail(Math.abs(d) / plainRoot, plainKernel) : 0;
    let widestV = plainV;
    if (tailCount > 0) {
      const tailV = variance * widening + R;
      const tailRoot = Math.sqrt(tailV);
      const tailKernel = Math.exp((-0.5 * d * d) / tailV);
      const wide = (tail * tailKernel) / tailRoot;
      density += wide;
      tailShare[i] = density > 0 ? wide / density : 1;
      if (onPredicted) beyond += tail * normalTail(Math.abs(d) / tailRoot, tailKernel);
      widestV = tailV;
    }
    // So far out that the density underflows, the wider component alone decides between particles.
    logDensity[i] = (density > 1e-290 ? Math.log(density) : -0.5 * ((d * d) / widestV + Math.log(widestV))) - halfLog2Pi;
    below += weights[i]! * (d < 0 ? beyond : 1 - beyond);
    above += weights[i]! * (d < 0 ? 1 - beyond : beyond);
  }
  onPredicted?.(visit.observation++, below, above);
  reweigh(particles);
  for (let i = 0; i < n; i++) {
    const cell = i * S + j;
    const isTail = tailCount > 0 && noise.choice[cell]! < tailShare[i]!;
    const variance = scale[cell]! ** 2 * (isTail ? widening : 1);
    const gain = variance / (variance + R);
    x[i * (S + L) + j] = mean[cell]! + gain * (y - mean[cell]!) + Math.sqrt(gain * R) * noise.normal[cell]!;
  }
}

/** Sign j was seen at a level: P(level ≥ q | s) = logistic(s − cut_q). Half of the level's own probability counts to each side. */
function absorbOrdinal(visit: Visit, particles: Particles, j: number, level: number, cuts: readonly number[]): void {
  const { S, L } = visit.network.shape;
  const { n, x, weights, logDensity } = particles;
  const lower = level === 0 ? -Infinity : cuts[level - 1]!;
  const upper = level === cuts.length ? Infinity : cuts[level]!;
  let below = 0;
  let above = 0;
  for (let i = 0; i < n; i++) {
    const s = x[i * (S + L) + j]!;
    const reached = logistic(s - lower);
    const passed = logistic(s - upper);
    // Where both are close to one their difference cancels; their complements then are small and do not.
    const probability = s > 0 ? logistic(upper - s) - logistic(lower - s) : reached - passed;
    logDensity[i] = Math.log(probability);
    below += weights[i]! * (1 - reached + probability / 2);
    above += weights[i]! * (passed + probability / 2);
  }
  visit.onPredicted?.(visit.observation++, below, above);
  reweigh(particles);
}

/**
 * Multiplies the incremental weights in and normalises. A value that no particle can explain (all densities zero) leaves the
 * weights as they were: the evidence is then zero and the conflict is reported, but there is nothing to learn from it.
 */
function reweigh(particles: Particles): void {
  const { n, weights, logDensity, logPath } = particles;
  let largest = -Infinity;
  for (let i = 0; i < n; i++) {
    const value = logDensity[i]!;
    if (Number.isNaN(value)) logDensity[i] = -Infinity;
    else if (value > largest && weights[i]! > 0) largest = value;
    logPath[i]! += logDensity[i]!;
  }
  if (largest === -Infinity) {
    particles.logEvidence = -Infinity;
    return;
  }
  let sum = 0;
  for (let i = 0; i < n; i++) {
    weights[i]! *= Math.exp(logDensity[i]! - largest);
    sum += weights[i]!;
  }
  for (let i = 0; i < n; i++) weights[i]! /= sum;
  particles.logEvidence += largest + Math.log(sum);
}

/** Systematic resampling after grid time `t`; all weights are then 1/n. */
export function resample(
  { network, seed }: FilterProblem,
  particles: Particles,
  member: number,
  t: number,
  kind: Resampling,
): void {
  const { n, x, h, weights, logPath, lineage, spareX, spareH, sparePath, spareLineage } = particles;
  const { S, L, H } = network.shape;
  const D = S + L;
  philox(words, member, t, resamplingBlocks[kind], streams.resample, seed);
  const copied = new Int32Array(n);
  systematic(weights, n, uniform(words[0]!), (to, from) => {
    copied[to] = from;
    for (let j = 0; j < D; j++) spareX[to * D + j] = x[from * D + j]!;
    for (let j = 0; j < H; j++) spareH[to * H + j] = h[from * H + j]!;
    sparePath[to] = logPath[from]!;
    spareLineage[to] = lineage[from]!;
  });
  Object.assign(particles, { x: spareX, h: spareH, logPath: sparePath, lineage: spareLineage });
  Object.assign(particles, { spareX: x, spareH: h, sparePath: logPath, spareLineage: lineage });
  particles.copiedFrom.set(t, copied);
  weights.fill(1 / n);
}
