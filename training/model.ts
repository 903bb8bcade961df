/**
 * The generative model of `packs/network.ts` as a likelihood: a Gaussian assumed-density filter over each person's series, whose
 * every step uses the same equations as the engines. Given the traits z, the filter carries mean m and variance P of each
 * component of s, absorbs visits in closed form (two Gaussian components for the heavy-tailed innovations, collapsed after each
 * step as in the first-order generalised pseudo-Bayes filter of Ackerson & Fu 1970), moment-matches ordinal signs, and charges
 * each lived step its expected hazard E[λ] = exp(mean + variance/2). So the gaps between visits are integrated over, not
 * filled in, and the innovations cannot shrink to flatter the fit.
 */
import { logHazardRange, logScaleRange, type Head } from '#packs/network.ts';
import type { Cohort } from './cohort.ts';
import type { Mat, Tape } from './tape.ts';

export interface ModelSizes {
  readonly S: number;
  readonly L: number;
  readonly H: number;
  readonly K: number;
  readonly V: number;
  readonly C: number;
}

export class Parameters {
  readonly theta: Float64Array;
  readonly gradient: Float64Array;
  readonly #at = new Map<string, { offset: number; n: number; c: number }>();

  constructor(shapes: Readonly<Record<string, readonly [n: number, c: number]>>) {
    let offset = 0;
    for (const [name, [n, c]] of Object.entries(shapes)) {
      this.#at.set(name, { offset, n, c });
      offset += n * c;
    }
    this.theta = new Float64Array(offset);
    this.gradient = new Float64Array(offset);
  }

  names(): string[] {
    return [...this.#at.keys()];
  }

  /** A view that shares the optimiser's arrays. */
  view(name: string): Mat {
    const { offset, n, c } = this.#at.get(name)!;
    return { n, c, v: this.theta.subarray(offset, offset + n * c), g: this.gradient.subarray(offset, offset + n * c) };
  }
}

/** Names and sizes as in `MemberTensors`; the last five are unconstrained forms of tensors with limits. */
export function makeParameters({ S, L, H, K, V, C }: ModelSizes): Parameters {
  const D = S + L;
  return new Parameters({
    gateX: [3 * H, D],
    gateH: [3 * H, H],
    gateBias: [1, 3 * H],
    resetBias: [1, H],
    gateV: [3 * H, V],
    driftX: [S, D],
    driftH: [S, H],
    driftBias: [1, S],
    driftV: [S, V],
    scaleH: [S, H],
    scaleBias: [1, S],
    hazardX: [K, D],
    hazardH: [K, H],
    hazardBias: [1, K],
    hazardV: [K, V],
    entryW: [S, C + L],
    entryBias: [1, S],
    entryLogScale: [1, S],
    traitW: [L, C],
    traitBias: [1, L],
    traitLogScale: [1, L],
    logObservationScale: [1, S],
    tailLogit: [1, S],
    tailExcess: [1, S],
  });
}

export interface FilterInput {
  readonly cohort: Cohort;
  readonly heads: readonly Head[];
  readonly sizes: ModelSizes;
  /** [N] each person's weight in the likelihood. */
  readonly weights: Float64Array;
}

/** [N] log-likelihood of each person's whole series given its z (visits and survival), beside the weighted sum on the tape. */
export function filterLogLikelihood(tape: Tape, parameters: Parameters, input: FilterInput, z: Mat): Float64Array {
  const { cohort, heads, sizes, weights } = input;
  const { S, L, H, K } = sizes;
  const N = cohort.steps.length;
  const p = (name: string) => parameters.view(name);
  const continuous = heads.filter((head) => head.kind === 'continuous').length;
  const perPerson = new Float64Array(N);

  const v = tape.leaf(N, cohort.V, cohort.v);
  const c = tape.columns(v, 0, cohort.C);
  const gateDrive = tape.add(tape.linear(v, p('gateV')), p('gateBias'));
  const driftDrive = tape.add(tape.linear(v, p('driftV')), p('driftBias'));
  const hazardDrive = tape.add(tape.linear(v, p('hazardV')), p('hazardBias'));
  const ones = (n: number, size: number) => tape.leaf(n, size, new Float64Array(n * size).fill(1));

  let mean = tape.add(tape.linear(tape.beside([c, z]), p('entryW')), p('entryBias'));
  let plain = tape.mul(ones(N, S), tape.exp(tape.scale(p('entryLogScale'), 2)));
  let tailed = plain;
  let h = tape.leaf(N, H, new Float64Array(N * H));

  const observationVariance = tape.exp(tape.scale(tape.columns(p('logObservationScale'), 0, continuous), 2));
  const tailLogit = p('tailLogit');
  const tailShare = tape.sigmoid(tailLogit);
  const tailVariance = tape.square(tape.shift(tape.softplus(p('tailExcess')), 1));
  const hazardXSquared = tape.square(p('hazardX'));
  const transition = tape.leaf(S, S, new Float64Array(S * S));
  const identityPlus = addIdentity(tape, tape.columns(p('driftX'), 0, S), transition);
  const transitionSquared = tape.square(identityPlus);

  for (let t = 0; t < cohort.values.length; t++) {
    const n = cohort.exposures[t]!.length;
    [mean, plain, tailed, h] = [tape.head(mean, n), tape.head(plain, n), tape.head(tailed, n), tape.head(h, n)];

    const seen = observeContinuous(tape, {
      mean: tape.columns(mean, 0, continuous),
      plain: tape.columns(plain, 0, continuous),
      tailed: tape.columns(tailed, 0, continuous),
      values: pick(cohort.values[t]!, n, S, 0, continuous),
      mask: pick(cohort.masks[t]!, n, S, 0, continuous),
      observationVariance,
      tailLogit: tape.columns(tailLogit, 0, continuous),
    });
    charge(tape, seen.logLikelihood, pick(cohort.masks[t]!, n, S, 0, continuous), weights, perPerson);
    let variance = seen.variance;
    mean = beside2(tape, seen.mean, tape.columns(mean, continuous, S));
    if (continuous < S) {
      const spread = collapse(
        tape,
        tape.columns(plain, continuous, S),
        tape.columns(tailed, continuous, S),
        tape.columns(tailShare, continuous, S),
      );
      const signs = observeOrdinal(tape, tape.columns(mean, continuous, S), spread, heads.slice(continuous), {
        values: pick(cohort.values[t]!, n, S, continuous, S),
        mask: pick(cohort.masks[t]!, n, S, continuous, S),
      });
      charge(tape, signs.logLikelihood, pick(cohort.masks[t]!, n, S, continuous, S), weights, perPerson);
      mean = beside2(tape, tape.columns(mean, 0, continuous), signs.mean);
      variance = beside2(tape, variance, signs.variance);
    }

    const x = L > 0 ? tape.beside([mean, tape.head(z, n)]) : mean;
    h = gatedStep(tape, p, x, h, tape.head(gateDrive, n), H);

    const logHazard = tape.clamp(
      tape.add(
        tape.add(tape.add(tape.linear(x, p('hazardX')), tape.linear(h, p('hazardH'))), tape.head(hazardDrive, n)),
        tape.scale(tape.linear(variance, tape.columns(hazardXSquared, 0, S)), 0.5),
      ),
      logHazardRange,
    );
    charge(tape, logHazard, cohort.events[t]!, weights, perPerson);
    charge(tape, tape.exp(logHazard), repeat(cohort.exposures[t]!, K, -1), weights, perPerson);

    const innovation = tape.exp(tape.scale(tape.clamp(tape.add(tape.linear(h, p('scaleH')), p('scaleBias')), logScaleRange), 2));
    const carried = tape.linear(variance, transitionSquared);
    plain = tape.add(carried, innovation);
    tailed = tape.add(carried, tape.mul(innovation, tailVariance));
    mean = tape.add(mean, tape.add(tape.add(tape.linear(x, p('driftX')), tape.linear(h, p('driftH'))), tape.head(driftDrive, n)));
  }
  return perPerson;
}

function gatedStep(tape: Tape, p: (name: string) => Mat, x: Mat, h: Mat, drive: Mat, H: number): Mat {
  const fromX = tape.add(tape.linear(x, p('gateX')), drive);
  const fromH = tape.linear(h, p('gateH'));
  const gates = tape.sigmoid(tape.add(tape.columns(fromX, 0, 2 * H), tape.columns(fromH, 0, 2 * H)));
  const r = tape.columns(gates, 0, H);
  const u = tape.columns(gates, H, 2 * H);
  const recurrent = tape.mul(r, tape.add(tape.columns(fromH, 2 * H, 3 * H), p('resetBias')));
  const proposal = tape.tanh(tape.add(tape.columns(fromX, 2 * H, 3 * H), recurrent));
  return tape.add(proposal, tape.mul(u, tape.sub(h, proposal)));
}

interface ContinuousVisit {
  readonly mean: Mat;
  readonly plain: Mat;
  readonly tailed: Mat;
  readonly values: Float64Array;
  readonly mask: Float64Array;
  readonly observationVariance: Mat;
  readonly tailLogit: Mat;
}

function observeContinuous(tape: Tape, visit: ContinuousVisit): { mean: Mat; variance: Mat; logLikelihood: Mat } {
  const { mean, plain, tailed, mask, observationVariance: R, tailLogit } = visit;
  const unseen = collapse(tape, plain, tailed, tape.sigmoid(tailLogit));
  const error = tape.sub(tape.leaf(mean.n, mean.c, visit.values), mean);
  const errorSquared = tape.square(error);
  const total0 = tape.add(plain, R);
  const total1 = tape.add(tailed, R);
  const l0 = gaussianLog(tape, errorSquared, total0);
  const l1 = gaussianLog(tape, errorSquared, total1);
  const odds = tape.add(tape.sub(l1, l0), tailLogit);
  const w1 = tape.sigmoid(odds);
  // log((1−π) e^l0 + π e^l1) = l0 + softplus(l1 − l0 + logit π) − softplus(logit π)
  const logLikelihood = tape.sub(tape.add(l0, tape.softplus(odds)), tape.softplus(tailLogit));
  const gain0 = tape.div(plain, total0);
  const gain1 = tape.div(tailed, total1);
  const between = tape.sub(gain1, gain0);
  const gain = tape.add(gain0, tape.mul(w1, between));
  const within = tape.mul(gain, R);
  const spread = tape.mul(tape.mul(tape.sub(w1, tape.square(w1)), errorSquared), tape.square(between));
  return {
    mean: tape.choose(mask, tape.add(mean, tape.mul(gain, error)), mean),
    variance: tape.choose(mask, tape.add(within, spread), unseen),
    logLikelihood,
  };
}

function gaussianLog(tape: Tape, errorSquared: Mat, variance: Mat): Mat {
  return tape.scale(tape.shift(tape.add(tape.log(variance), tape.div(errorSquared, variance)), Math.log(2 * Math.PI)), -0.5);
}

function collapse(tape: Tape, plain: Mat, tailed: Mat, share: Mat): Mat {
  return tape.add(plain, tape.mul(tape.sub(tailed, plain), share));
}

// Far enough out that the logistic is 0 or 1 in f64 and near enough that nothing overflows.
const beyond = 60;

/** Moment matching with the logistic link, E[sigmoid(a − s)] ≈ sigmoid((a − m) / √(1 + πP/8)) (MacKay 1992). */
function observeOrdinal(
  tape: Tape,
  mean: Mat,
  variance: Mat,
  heads: readonly Head[],
  { values, mask }: { values: Float64Array; mask: Float64Array },
): { mean: Mat; variance: Mat; logLikelihood: Mat } {
  const { n, c } = mean;
  const lower = new Float64Array(n * c);
  const upper = new Float64Array(n * c);
  for (let i = 0; i < n * c; i++) {
    const head = heads[i % c]!;
    const cuts = head.kind === 'ordinal' ? head.cuts : [];
    lower[i] = mask[i] ? (cuts[values[i]! - 1] ?? -beyond) : -beyond;
    upper[i] = mask[i] ? (cuts[values[i]!] ?? beyond) : beyond;
  }
  const k = tape.div(
    tape.leaf(n, c, new Float64Array(n * c).fill(1)),
    tape.sqrt(tape.shift(tape.scale(variance, Math.PI / 8), 1)),
  );
  const above = tape.sigmoid(tape.mul(k, tape.sub(tape.leaf(n, c, upper), mean)));
  const below = tape.sigmoid(tape.mul(k, tape.sub(tape.leaf(n, c, lower), mean)));
  const probability = tape.shift(tape.sub(above, below), 1e-9);
  const slopeAbove = tape.sub(above, tape.square(above));
  const slopeBelow = tape.sub(below, tape.square(below));
  const first = tape.div(tape.mul(k, tape.sub(slopeBelow, slopeAbove)), probability);
  const bendAbove = tape.mul(slopeAbove, tape.shift(tape.scale(above, -2), 1));
  const bendBelow = tape.mul(slopeBelow, tape.shift(tape.scale(below, -2), 1));
  const bend = tape.div(tape.mul(tape.square(k), tape.sub(bendAbove, bendBelow)), probability);
  const curvature = tape.sub(bend, tape.square(first));
  const shrunk = tape.mul(variance, tape.clamp(tape.shift(tape.mul(variance, curvature), 1), [0.02, 1.5]));
  return { mean: tape.add(mean, tape.mul(variance, first)), variance: shrunk, logLikelihood: tape.log(probability) };
}

/** Adds weight × term to the loss and to each person's own sum, where the mask is not zero. */
function charge(tape: Tape, term: Mat, mask: Float64Array, weights: Float64Array, perPerson: Float64Array): void {
  const weight = new Float64Array(term.v.length);
  for (let i = 0; i < weight.length; i++) {
    const person = Math.floor(i / term.c);
    weight[i] = mask[i]! * weights[person]!;
    if (mask[i] !== 0) perPerson[person]! += mask[i]! * term.v[i]!;
  }
  tape.collect(term, weight);
}

const beside2 = (tape: Tape, a: Mat, b: Mat): Mat => (b.c === 0 ? a : tape.beside([a, b]));

function pick(values: Float64Array, n: number, size: number, from: number, to: number): Float64Array {
  const out = new Float64Array(n * (to - from));
  for (let i = 0; i < n; i++) out.set(values.subarray(i * size + from, i * size + to), i * (to - from));
  return out;
}

function repeat(values: Float64Array, times: number, factor: number): Float64Array {
  return Float64Array.from({ length: values.length * times }, (_, i) => factor * values[Math.floor(i / times)]!);
}

function addIdentity(tape: Tape, matrix: Mat, identity: Mat): Mat {
  for (let i = 0; i < matrix.n; i++) identity.v[i * matrix.c + i] = 1;
  return tape.add(matrix, identity);
}
