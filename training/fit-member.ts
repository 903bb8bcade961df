import { RandomSequence, seedFrom, streams } from '#numerics/random.ts';
import type { Head } from '#packs/network.ts';
import { Adam } from './adam.ts';
import { partOfCohort, type Cohort } from './cohort.ts';
import { filterLogLikelihood, makeParameters, Parameters, type ModelSizes } from './model.ts';
import { Tape, type Mat } from './tape.ts';

export interface FitOptions {
  readonly sizes: ModelSizes;
  readonly heads: readonly Head[];
  readonly seed: number;
  readonly iterations: number;
  readonly learningRate: number;
  /** Penalty per squared parameter, by group. */
  readonly penalty: Readonly<Record<PenaltyGroup, number>>;
  /** Bayesian-bootstrap weights over people (Rubin 1981), so that members disagree where the data leave room; false: all one. */
  readonly bootstrap: boolean;
  /** Sizes the first guess of the innovations, of the measurement error and of the return to the mean. */
  readonly start: { readonly innovation: number; readonly observation: number; readonly reversion: number };
  /** Goes on from here; noise is keyed by iteration, so a resumed fit ends with the same numbers. */
  readonly resume?: Checkpoint;
  readonly onStep?: (iteration: number, loss: number, save: () => Checkpoint) => void;
}

export interface Checkpoint {
  readonly iteration: number;
  readonly parameters: readonly number[];
  readonly people: readonly number[];
  readonly moments: readonly (readonly number[])[];
}

export type PenaltyGroup = 'core' | 'drift' | 'hazard' | 'treatment' | 'entry';

/** Which group each tensor's penalty belongs to; biases and scales go free. */
const groups: Readonly<Record<string, PenaltyGroup>> = {
  gateX: 'core',
  gateH: 'core',
  gateV: 'core',
  driftH: 'core',
  scaleH: 'core',
  hazardH: 'core',
  driftX: 'drift',
  driftV: 'drift',
  hazardX: 'hazard',
  hazardV: 'hazard',
  entryW: 'entry',
  traitW: 'entry',
};

/**
 * One ensemble member: maximises the evidence lower bound over the parameters and a Gaussian q(z) per person, by Adam on the
 * whole cohort. The encoder that a new person needs is trained afterwards, on histories drawn from the fitted model.
 */
export function fitMember(cohort: Cohort, options: FitOptions): Parameters {
  const { sizes, seed, iterations } = options;
  const random = new RandomSequence(seedFrom(seed), streams.twin);
  const N = cohort.steps.length;
  const parameters = initialise(cohort, options, random);
  const people = new Parameters({ mean: [N, sizes.L], logScale: [N, sizes.L] });
  people.view('logScale').v.fill(-0.5);
  const weights = new Float64Array(N).fill(1);
  if (options.bootstrap) {
    for (let i = 0; i < N; i++) weights[i] = -Math.log(random.uniform());
    const total = weights.reduce((a, b) => a + b, 0);
    for (let i = 0; i < N; i++) weights[i]! *= N / total;
  }
  const adams = [new Adam(parameters), new Adam(people)];
  const tape = new Tape();
  const parts = partsOf(cohort);
  const { resume } = options;
  if (resume) {
    parameters.theta.set(resume.parameters);
    people.theta.set(resume.people);
    adams.forEach((adam, i) => adam.restore(resume.iteration, resume.moments[2 * i]!, resume.moments[2 * i + 1]!));
  }
  const save = (iteration: number): Checkpoint => ({
    iteration,
    parameters: [...parameters.theta],
    people: [...people.theta],
    moments: adams.flatMap((adam) => [[...adam.first], [...adam.second]]),
  });
  for (let iteration = resume?.iteration ?? 0; iteration < iterations; iteration++) {
    parameters.gradient.fill(0);
    people.gradient.fill(0);
    const noise = new RandomSequence(seedFrom(seed), streams.twin, iteration + 1);
    let bound = 0;
    for (const { from, to, part } of parts) {
      const own = { parameters, people: rowsOf(people, from, to), cohort: part, weights: weights.subarray(from, to), sizes };
      const z = drawTraits(tape, own.people, noise);
      const logLikelihood = filterLogLikelihood(tape, parameters, { ...own, heads: options.heads }, z);
      bound += logLikelihood.reduce((sum, value, i) => sum + own.weights[i]! * value, 0) - chargeDivergence(tape, own);
      tape.backward();
    }
    applyPenalty(parameters, options, N);
    const rate = options.learningRate * cosine(iteration / iterations);
    // The objective is maximised, and per person so that the rate means the same in both packs.
    for (const adam of adams) adam.ascend(rate, 1 / N);
    options.onStep?.(iteration, bound / N, () => save(iteration + 1));
  }
  return parameters;
}

function initialise(cohort: Cohort, options: FitOptions, random: RandomSequence): Parameters {
  const { sizes, heads, start } = options;
  const parameters = makeParameters(sizes);
  const { S, H, K } = sizes;
  const fill = (name: string, sd: number) => {
    const { v } = parameters.view(name);
    for (let i = 0; i < v.length; i++) v[i] = sd * random.normal();
  };
  fill('gateX', 0.3 / Math.sqrt(S));
  fill('gateH', 0.5 / Math.sqrt(H));
  fill('gateV', 0.1);
  fill('driftH', 0.02);
  fill('hazardH', 0.02);
  fill('driftX', 0.01);
  fill('entryW', 0.2);
  for (let i = 0; i < S; i++) parameters.view('driftX').v[i * (S + sizes.L) + i]! -= start.reversion;
  parameters.view('scaleBias').v.fill(Math.log(start.innovation));
  parameters.view('logObservationScale').v.fill(Math.log(start.observation));
  parameters.view('tailLogit').v.fill(-2.5);
  parameters.view('tailExcess').v.fill(0.8);
  const lived = cohort.exposures.reduce((sum, row) => sum + row.reduce((a, b) => a + b, 0), 0);
  for (let k = 0; k < K; k++) {
    const deaths = cohort.events.reduce((sum, row) => sum + row.filter((value, i) => i % K === k && value === 1).length, 0);
    parameters.view('hazardBias').v[k] = Math.log((deaths + 0.5) / lived);
  }
  heads.forEach((head, i) => {
    if (head.kind === 'ordinal') parameters.view('entryLogScale').v[i] = 0.7;
  });
  return parameters;
}

// A tape over a whole cohort outgrows every cache; a few dozen people at a time took under half of it.
const peopleAtATime = 48;

function partsOf(cohort: Cohort): { from: number; to: number; part: Cohort }[] {
  const N = cohort.steps.length;
  return Array.from({ length: Math.ceil(N / peopleAtATime) }, (_, i) => {
    const from = i * peopleAtATime;
    const to = Math.min(N, from + peopleAtATime);
    return { from, to, part: partOfCohort(cohort, from, to) };
  });
}

/** q(z) of each person of a part. */
interface TraitPosterior {
  readonly mean: Mat;
  readonly logScale: Mat;
}

function rowsOf(people: Parameters, from: number, to: number): TraitPosterior {
  const rows = ({ c, v, g }: Mat): Mat => ({ n: to - from, c, v: v.subarray(from * c, to * c), g: g.subarray(from * c, to * c) });
  return { mean: rows(people.view('mean')), logScale: rows(people.view('logScale')) };
}

function drawTraits(tape: Tape, { mean, logScale }: TraitPosterior, random: RandomSequence): Mat {
  const noise = tape.leaf(mean.n, mean.c, Float64Array.from({ length: mean.n * mean.c }, random.normal));
  return tape.add(mean, tape.mul(noise, tape.exp(logScale)));
}

interface Part {
  readonly parameters: Parameters;
  readonly people: TraitPosterior;
  readonly cohort: Cohort;
  readonly weights: Float64Array;
  readonly sizes: ModelSizes;
}

/** KL(q(z) ‖ p(z | c)), charged to the tape; returns its weighted sum. */
function chargeDivergence(tape: Tape, { parameters, people, cohort, weights, sizes }: Part): number {
  const { L, C } = sizes;
  if (L === 0) return 0;
  const N = cohort.steps.length;
  const c = tape.columns(tape.leaf(N, cohort.V, cohort.v), 0, C);
  const priorMean = tape.add(tape.linear(c, parameters.view('traitW')), parameters.view('traitBias'));
  const priorLog = parameters.view('traitLogScale');
  const precision = tape.exp(tape.scale(priorLog, -2));
  const spread = tape.exp(tape.scale(people.logScale, 2));
  const distance = tape.square(tape.sub(people.mean, priorMean));
  const quadratic = tape.mul(tape.add(spread, distance), precision);
  const logs = tape.scale(tape.sub(people.logScale, priorLog), 2);
  const terms = tape.scale(tape.shift(tape.sub(quadratic, logs), -1), -0.5);
  return -tape.collect(
    terms,
    Float64Array.from({ length: N * L }, (_, i) => weights[Math.floor(i / L)]!),
  );
}

function applyPenalty(parameters: Parameters, { sizes, penalty, start }: FitOptions, N: number): void {
  const { S, L, V, C } = sizes;
  for (const name of parameters.names()) {
    const group = groups[name];
    if (!group) continue;
    const { v, g, c } = parameters.view(name);
    for (let i = 0; i < v.length; i++) {
      const column = i % c;
      const isTreatment = name.endsWith('V') && column >= C && V > C;
      // Markers return to their level a little each step unless the data say otherwise: the penalty pulls there, not to zero.
      const target = name === 'driftX' && column === Math.floor(i / (S + L)) ? -start.reversion : 0;
      g[i]! -= penalty[isTreatment ? 'treatment' : group] * (v[i]! - target) * (N / 100);
    }
  }
  for (const name of ['traitLogScale', 'traitBias']) {
    const { v, g } = parameters.view(name);
    for (let i = 0; i < v.length; i++) g[i]! -= v[i]! * (N / 10); // z has no scale of its own: keep it near N(0, 1)
  }
  for (const [name, target] of [
    ['tailLogit', -2.5],
    ['tailExcess', 0.8],
  ] as const) {
    const { v, g } = parameters.view(name);
    for (let i = 0; i < v.length; i++) g[i]! -= (v[i]! - target) * 2;
  }
}

const cosine = (share: number): number => 0.02 + 0.98 * 0.5 * (1 + Math.cos(Math.PI * share));

/**
 * log p(series) per person, z integrated over by importance sampling around a Gaussian q(z) fitted to that person with the
 * model held still: what models are chosen by, on people they have not seen.
 */
export function logEvidence(
  parameters: Parameters,
  cohort: Cohort,
  options: Pick<FitOptions, 'sizes' | 'heads'>,
  { draws, fitSteps, seed }: { draws: number; fitSteps: number; seed: number },
): Float64Array {
  const { sizes, heads } = options;
  const { L } = sizes;
  const N = cohort.steps.length;
  const random = new RandomSequence(seedFrom(seed), streams.twin, 1);
  const weights = new Float64Array(N).fill(1);
  if (L === 0) {
    const tape = new Tape();
    return filterLogLikelihood(tape, parameters, { cohort, heads, sizes, weights }, tape.leaf(N, 0, new Float64Array(0)));
  }
  const people = new Parameters({ mean: [N, L], logScale: [N, L] });
  people.view('logScale').v.fill(-0.5);
  const adam = new Adam(people);
  const tape = new Tape();
  for (let step = 0; step < fitSteps; step++) {
    people.gradient.fill(0);
    const own = { parameters, people: rowsOf(people, 0, N), cohort, weights, sizes };
    filterLogLikelihood(tape, parameters, { ...own, heads }, drawTraits(tape, own.people, random));
    chargeDivergence(tape, own);
    tape.backward();
    adam.ascend(0.1 * cosine(step / fitSteps), 1 / N);
  }
  const prior = priorOf(parameters, cohort, sizes);
  const q = { mean: people.view('mean').v, logScale: people.view('logScale').v.map((x) => x + 0.2) };
  const sums = Array.from({ length: draws }, () => {
    const z = Float64Array.from(q.mean, (mean, i) => mean + Math.exp(q.logScale[i]!) * random.normal());
    tape.restart();
    const sum = filterLogLikelihood(tape, parameters, { cohort, heads, sizes, weights }, tape.leaf(N, L, z));
    return sum.map((value, i) => {
      let log = value;
      for (let l = i * L; l < (i + 1) * L; l++) {
        log += q.logScale[l]! - prior.logScale[l]!;
        log +=
          0.5 *
          (((z[l]! - q.mean[l]!) / Math.exp(q.logScale[l]!)) ** 2 -
            ((z[l]! - prior.mean[l]!) / Math.exp(prior.logScale[l]!)) ** 2);
      }
      return log;
    });
  });
  return Float64Array.from({ length: N }, (_, i) => {
    const top = Math.max(...sums.map((sum) => sum[i]!));
    return top + Math.log(sums.reduce((total, sum) => total + Math.exp(sum[i]! - top), 0) / sums.length);
  });
}

/** [N × L] mean and log sd of p(z | c). */
function priorOf(parameters: Parameters, cohort: Cohort, { L, C }: ModelSizes): { mean: Float64Array; logScale: Float64Array } {
  const N = cohort.steps.length;
  const W = parameters.view('traitW').v;
  const bias = parameters.view('traitBias').v;
  const log = parameters.view('traitLogScale').v;
  const mean = new Float64Array(N * L);
  const logScale = new Float64Array(N * L);
  for (let i = 0; i < N; i++) {
    for (let l = 0; l < L; l++) {
      let sum = bias[l]!;
      for (let j = 0; j < C; j++) sum += W[l * C + j]! * cohort.v[i * cohort.V + j]!;
      mean[i * L + l] = sum;
      logScale[i * L + l] = log[l]!;
    }
  }
  return { mean, logScale };
}
