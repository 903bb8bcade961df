/**
 * The course that a learned network makes without chance, as a differentiable function of what is known of a person and of a plan, with
 * its gradient by reverse mode, written by hand, in f64.
 *
 * What is known comes as amounts: 1 where an input is as the person has it, 0 where it is as its reference. The traits are the encoder's
 * mean; a state moves by its mean; where something was measured it moves towards it by a share of the distance, times the amount. That
 * share is the gain of a Kalman filter with the network's own errors at rest, fixed beforehand. A sign counts as a measurement of the
 * middle of its level, with the variance of the logistic. So the path is the mean of neither the twin nor its futures, only near them.
 */
import { logistic } from '#numerics/logistic-regression.ts';
import { logHazardRange, logScaleRange, type EncoderTensors, type MemberTensors, type Network } from '#packs/network.ts';
import type { PathPoint } from './integrated-gradients.ts';

/** One conditioning input in one step: (constant + slope · amount) · (constant + slope · amount). */
export interface Term {
  readonly constant: number;
  readonly slope: number;
  /** Place of the amount; −1 where there is none. */
  readonly amount: number;
  readonly otherConstant: number;
  readonly otherSlope: number;
  readonly otherAmount: number;
}

/** The conditioning of one step. */
export interface StepTerms {
  /** [V] */
  readonly v: readonly Term[];
  /** [K] of what is added to log λ. */
  readonly shift: readonly (readonly Term[])[];
}

export interface SeenValue {
  readonly amount: number;
  /** Of the state: a marker's standardised value, the middle of a sign's level. */
  readonly state: number;
  /** As the encoder reads it. */
  readonly encoded: number;
}

export interface PathProblem {
  readonly network: Network;
  readonly encoder: readonly EncoderTensors[];
  /** [steps, or one where there is none]: conditioning of the steps up to today. */
  readonly past: readonly StepTerms[];
  /** Grid steps from entry to today. */
  readonly steps: number;
  /** [steps + 1] of [S]; null where nothing was measured. */
  readonly seen: readonly (readonly (SeenValue | null)[])[];
  /** Conditioning of each step from today on; with `less`, the figure under that is taken away. */
  readonly future: readonly StepTerms[];
  readonly less: readonly StepTerms[] | null;
  readonly figure:
    | {
        readonly kind: 'state';
        readonly index: number;
        readonly show: (state: number) => number;
        readonly slope: (state: number) => number;
      }
    /** Cumulative incidence of these causes together. */
    | { readonly kind: 'incidence'; readonly causes: readonly number[] };
}

/** Figures at [0 … future steps], mean over the members, and their gradient in the amounts. */
export function meanPath(problem: PathProblem, amounts: Float64Array): PathPoint {
  const times = problem.future.length + 1;
  const values = new Float64Array(times);
  const gradient = new Float64Array(times * amounts.length);
  problem.network.members.forEach((member, m) =>
    new MemberPath(problem, member, problem.encoder[m]!, amounts).addTo(values, gradient),
  );
  const M = problem.network.members.length;
  return { values: values.map((value) => value / M), gradient: gradient.map((value) => value / M) };
}

/** What a step computed, kept for the way back. */
interface Step {
  readonly terms: StepTerms;
  readonly x: Float64Array;
  readonly h: Float64Array;
  readonly r: Float64Array;
  readonly u: Float64Array;
  readonly n: Float64Array;
  /** Un h + cn */
  readonly q: Float64Array;
  readonly nextH: Float64Array;
  readonly mean: Float64Array;
  readonly logHazard: Float64Array;
}

/** Adjoints of where a path stands. */
interface Adjoint {
  readonly s: Float64Array;
  readonly h: Float64Array;
  readonly z: Float64Array;
}

const logisticVariance = Math.PI ** 2 / 3;

class MemberPath {
  readonly #problem: PathProblem;
  readonly #member: MemberTensors;
  readonly #encoder: EncoderTensors;
  readonly #a: Float64Array;
  /** [C] the covariate inputs. */
  readonly #c: Float64Array;
  readonly #z: Float64Array;
  /** [L × amounts] of the traits. */
  readonly #traitGradient: Float64Array;
  /** [steps + 1] of [S] */
  readonly #gains: readonly Float64Array[];
  readonly #entryMean: Float64Array;
  readonly #past: readonly Step[];

  constructor(problem: PathProblem, member: MemberTensors, encoder: EncoderTensors, amounts: Float64Array) {
    this.#problem = problem;
    this.#member = member;
    this.#encoder = encoder;
    this.#a = amounts;
    const { S, L, H } = problem.network.shape;
    const C = member.traitW.length / L;
    this.#c = Float64Array.from(problem.past[0]!.v.slice(0, C), (term) => valueOf(term, amounts));
    this.#gains = gainsOf(problem, member);
    const traits = this.#encode();
    this.#z = traits.z;
    this.#traitGradient = traits.gradient;
    const given = Float64Array.of(...this.#c, ...this.#z);
    this.#entryMean = Float64Array.from({ length: S }, (_, j) => member.entryBias[j]! + rowTimes(member.entryW, j, given));
    let s = this.#absorb(0, this.#entryMean);
    let h: Float64Array = new Float64Array(H);
    this.#past = Array.from({ length: problem.steps }, (_, t) => {
      const step = this.#step(problem.past[t]!, s, h);
      s = this.#absorb(t + 1, step.mean);
      h = step.nextH;
      return step;
    });
    this.#today = { s, h };
  }

  readonly #today: { readonly s: Float64Array; readonly h: Float64Array };

  /** Adds this member's figures and their gradient; with `less`, takes away those under the other plan. */
  addTo(values: Float64Array, gradient: Float64Array): void {
    const { future, less } = this.#problem;
    this.#addCourse(future, 1, values, gradient);
    if (less) this.#addCourse(less, -1, values, gradient);
  }

  #addCourse(future: readonly StepTerms[], sign: number, values: Float64Array, gradient: Float64Array): void {
    const { figure, network } = this.#problem;
    const { S, L, H } = network.shape;
    let { s, h } = this.#today;
    const steps: Step[] = [];
    const states = [s];
    for (const terms of future) {
      const step = this.#step(terms, s, h);
      steps.push(step);
      [s, h] = [step.mean, step.nextH];
      states.push(s);
    }
    const width = this.#a.length;
    const deaths = figure.kind === 'incidence' ? incidences(steps, figure.causes) : null;
    for (let t = 0; t <= future.length; t++) {
      const own = gradient.subarray(t * width, (t + 1) * width);
      const adjoint: Adjoint = { s: new Float64Array(S), h: new Float64Array(H), z: new Float64Array(L) };
      if (figure.kind === 'state') {
        const state = states[t]![figure.index]!;
        values[t]! += sign * figure.show(state);
        adjoint.s[figure.index] = sign * figure.slope(state);
        for (let k = t - 1; k >= 0; k--) this.#stepBack(steps[k]!, adjoint, null, own);
      } else {
        values[t]! += sign * deaths!.incidence[t]!;
        let survival = 0;
        for (let k = t - 1; k >= 0; k--) {
          const back = deathsBack(deaths!, k, figure.causes, steps[k]!.logHazard, sign, survival);
          survival = back.survival;
          this.#stepBack(steps[k]!, adjoint, back.logHazard, own);
        }
      }
      this.#pastBack(adjoint, own);
    }
  }

  /** From today back to entry and through the traits; adds to the gradient. Consumes the adjoint. */
  #pastBack(adjoint: Adjoint, gradient: Float64Array): void {
    const { S, L } = this.#problem.network.shape;
    for (let t = this.#problem.steps; t >= 0; t--) {
      this.#absorbBack(t, t === 0 ? this.#entryMean : this.#past[t - 1]!.mean, adjoint.s, gradient);
      if (t > 0) this.#stepBack(this.#past[t - 1]!, adjoint, null, gradient);
    }
    const C = this.#c.length;
    const given = new Float64Array(C + L);
    for (let j = 0; j < S; j++) addRow(this.#member.entryW, j, adjoint.s[j]!, given);
    for (let j = 0; j < C; j++) addTerm(this.#problem.past[0]!.v[j]!, this.#a, given[j]!, gradient);
    for (let l = 0; l < L; l++) {
      const own = adjoint.z[l]! + given[C + l]!;
      for (let k = 0; k < gradient.length; k++) gradient[k]! += own * this.#traitGradient[l * gradient.length + k]!;
    }
  }

  #absorb(t: number, mean: Float64Array): Float64Array {
    return mean.map((value, j) => {
      const seen = this.#problem.seen[t]![j];
      return seen ? value + this.#a[seen.amount]! * this.#gains[t]![j]! * (seen.state - value) : value;
    });
  }

  #absorbBack(t: number, mean: Float64Array, s: Float64Array, gradient: Float64Array): void {
    for (let j = 0; j < s.length; j++) {
      const seen = this.#problem.seen[t]![j];
      if (!seen) continue;
      const gain = this.#gains[t]![j]!;
      gradient[seen.amount]! += s[j]! * gain * (seen.state - mean[j]!);
      s[j]! *= 1 - this.#a[seen.amount]! * gain;
    }
  }

  /** One step of packs/network.ts without its noise. */
  #step(terms: StepTerms, s: Float64Array, h: Float64Array): Step {
    const { S, L, H, K } = this.#problem.network.shape;
    const w = this.#member;
    const x = new Float64Array(S + L);
    x.set(s);
    x.set(this.#z, S);
    const v = Float64Array.from(terms.v, (term) => valueOf(term, this.#a));
    const [r, u, n, q, nextH] = [0, 1, 2, 3, 4].map(() => new Float64Array(H)) as Float64Array[] as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    for (let i = 0; i < H; i++) {
      const drive = (row: number) => w.gateBias[row]! + rowTimes(w.gateV, row, v) + rowTimes(w.gateX, row, x);
      r[i] = logistic(drive(i) + rowTimes(w.gateH, i, h));
      u[i] = logistic(drive(H + i) + rowTimes(w.gateH, H + i, h));
      q[i] = rowTimes(w.gateH, 2 * H + i, h) + w.resetBias[i]!;
      n[i] = Math.tanh(drive(2 * H + i) + r[i]! * q[i]!);
      nextH[i] = (1 - u[i]!) * n[i]! + u[i]! * h[i]!;
    }
    const mean = Float64Array.from(
      { length: S },
      (_, j) => x[j]! + rowTimes(w.driftX, j, x) + rowTimes(w.driftH, j, nextH) + w.driftBias[j]! + rowTimes(w.driftV, j, v),
    );
    const logHazard = Float64Array.from({ length: K }, (_, k) => {
      const own = rowTimes(w.hazardX, k, x) + rowTimes(w.hazardH, k, nextH) + w.hazardBias[k]! + rowTimes(w.hazardV, k, v);
      return Math.min(logHazardRange[1], Math.max(logHazardRange[0], own + shiftOf(terms, k, this.#a)));
    });
    return { terms, x, h, r, u, n, q, nextH, mean, logHazard };
  }

  /** Takes the adjoint of a step's end (`adjoint.s` of its mean) to that of its beginning. */
  #stepBack(step: Step, adjoint: Adjoint, logHazard: Float64Array | null, gradient: Float64Array): void {
    const { S, H, K } = this.#problem.network.shape;
    const w = this.#member;
    const { terms, x, h, r, u, n, q } = step;
    const dx = new Float64Array(x.length);
    const dv = new Float64Array(terms.v.length);
    const nextH = adjoint.h.slice();
    for (let j = 0; j < S; j++) {
      const own = adjoint.s[j]!;
      if (own === 0) continue;
      dx[j]! += own;
      addRow(w.driftX, j, own, dx);
      addRow(w.driftH, j, own, nextH);
      addRow(w.driftV, j, own, dv);
    }
    for (let k = 0; logHazard && k < K; k++) {
      const own = logHazard[k]!;
      // At a clamp the hazard does not move.
      if (step.logHazard[k]! <= logHazardRange[0] || step.logHazard[k]! >= logHazardRange[1]) continue;
      addRow(w.hazardX, k, own, dx);
      addRow(w.hazardH, k, own, nextH);
      addRow(w.hazardV, k, own, dv);
      for (const term of terms.shift[k]!) addTerm(term, this.#a, own, gradient);
    }
    const dh = new Float64Array(H);
    for (let i = 0; i < H; i++) {
      const own = nextH[i]!;
      const dn = own * (1 - u[i]!) * (1 - n[i]! ** 2);
      const du = own * (h[i]! - n[i]!) * u[i]! * (1 - u[i]!);
      const dr = dn * q[i]! * r[i]! * (1 - r[i]!);
      dh[i]! += own * u[i]!;
      for (const [row, gate] of [
        [i, dr],
        [H + i, du],
        [2 * H + i, dn],
      ] as const) {
        addRow(w.gateX, row, gate, dx);
        addRow(w.gateV, row, gate, dv);
      }
      addRow(w.gateH, i, dr, dh);
      addRow(w.gateH, H + i, du, dh);
      addRow(w.gateH, 2 * H + i, dn * r[i]!, dh);
    }
    for (let j = 0; j < dv.length; j++) addTerm(terms.v[j]!, this.#a, dv[j]!, gradient);
    for (let j = 0; j < S; j++) adjoint.s[j] = dx[j]!;
    for (let l = S; l < x.length; l++) adjoint.z[l - S]! += dx[l]!;
    adjoint.h.set(dh);
  }

  /** Mean traits, and how they move with each amount. */
  #encode(): { readonly z: Float64Array; readonly gradient: Float64Array } {
    const { past, seen, network } = this.#problem;
    const { S, L } = network.shape;
    const w = this.#encoder;
    const E = w.encoderResetBias.length;
    const a = this.#a;
    let h: Float64Array = new Float64Array(E);
    const steps = seen.map((ofTime, t) => {
      const { v } = past[Math.max(0, t - 1)]!;
      const y = new Float64Array(2 * S + v.length);
      ofTime.forEach((own, j) => {
        if (!own) return;
        y[j] = own.encoded * a[own.amount]!;
        y[S + j] = a[own.amount]!;
      });
      v.forEach((term, j) => (y[2 * S + j] = valueOf(term, a)));
      const before = h;
      const gates = Array.from({ length: E }, (_, i) => {
        const drive = (row: number) => w.encoderBias[row]! + rowTimes(w.encoderX, row, y);
        const r = logistic(drive(i) + rowTimes(w.encoderH, i, before));
        const u = logistic(drive(E + i) + rowTimes(w.encoderH, E + i, before));
        const q = rowTimes(w.encoderH, 2 * E + i, before) + w.encoderResetBias[i]!;
        return { r, u, q, n: Math.tanh(drive(2 * E + i) + r * q) };
      });
      h = Float64Array.from(gates, ({ u, n }, i) => (1 - u) * n + u * before[i]!);
      return { ofTime, v, before, gates };
    });
    const scale = Float64Array.from(this.#member.traitLogScale, Math.exp);
    const z = Float64Array.from(
      { length: L },
      (_, l) =>
        this.#member.traitBias[l]! +
        rowTimes(this.#member.traitW, l, this.#c) +
        scale[l]! * (w.encoderMeanBias[l]! + rowTimes(w.encoderMean, l, h)),
    );
    const gradient = new Float64Array(L * a.length);
    for (let l = 0; l < L; l++) {
      const own = gradient.subarray(l * a.length, (l + 1) * a.length);
      for (let j = 0; j < this.#c.length; j++) addTerm(past[0]!.v[j]!, a, this.#member.traitW[l * this.#c.length + j]!, own);
      let dh = new Float64Array(E);
      addRow(w.encoderMean, l, scale[l]!, dh);
      for (const { ofTime, v, before, gates } of steps.toReversed()) {
        const dy = new Float64Array(2 * S + v.length);
        const earlier = new Float64Array(E);
        gates.forEach(({ r, u, q, n }, i) => {
          const dn = dh[i]! * (1 - u) * (1 - n * n);
          const du = dh[i]! * (before[i]! - n) * u * (1 - u);
          const dr = dn * q * r * (1 - r);
          earlier[i]! += dh[i]! * u;
          addRow(w.encoderX, i, dr, dy);
          addRow(w.encoderX, E + i, du, dy);
          addRow(w.encoderX, 2 * E + i, dn, dy);
          addRow(w.encoderH, i, dr, earlier);
          addRow(w.encoderH, E + i, du, earlier);
          addRow(w.encoderH, 2 * E + i, dn * r, earlier);
        });
        ofTime.forEach((seenValue, j) => {
          if (seenValue) own[seenValue.amount]! += dy[j]! * seenValue.encoded + dy[S + j]!;
        });
        v.forEach((term, j) => addTerm(term, a, dy[2 * S + j]!, own));
        dh = earlier;
      }
    }
    return { z, gradient };
  }
}

/** Gains of a filter in which every state stands alone and every measurement is given: [steps + 1] of [S]. */
function gainsOf({ network, seen }: PathProblem, member: MemberTensors): Float64Array[] {
  const { S } = network.shape;
  const variance = Float64Array.from(member.entryLogScale, (log) => Math.exp(2 * log));
  const added = Float64Array.from(member.scaleBias, (log) =>
    Math.exp(2 * Math.min(logScaleRange[1], Math.max(logScaleRange[0], log))),
  );
  return seen.map((ofTime, t) =>
    Float64Array.from({ length: S }, (_, j) => {
      if (t > 0) variance[j]! += added[j]!;
      const error = network.heads[j]!.kind === 'ordinal' ? logisticVariance : member.observationScale[j]! ** 2;
      const gain = variance[j]! / (variance[j]! + error);
      if (ofTime[j]) variance[j]! *= 1 - gain;
      return gain;
    }),
  );
}

interface Deaths {
  /** [step] before it. */
  readonly survival: readonly number[];
  /** [time] of the causes asked about. */
  readonly incidence: readonly number[];
}

function incidences(steps: readonly Step[], causes: readonly number[]): Deaths {
  const survival = [1];
  const incidence = [0];
  steps.forEach(({ logHazard }, k) => {
    const total = logHazard.reduce((sum, log) => sum + Math.exp(log), 0);
    const own = causes.reduce((sum, cause) => sum + Math.exp(logHazard[cause]!), 0);
    incidence.push(incidence[k]! + (survival[k]! * -Math.expm1(-total) * own) / total);
    survival.push(survival[k]! * Math.exp(-total));
  });
  return { survival, incidence };
}

/** Adjoints of a step's hazards and of the survival before it, from that of the survival after it; the incidence's own is `sign`. */
function deathsBack(
  { survival }: Deaths,
  k: number,
  causes: readonly number[],
  logHazard: Float64Array,
  sign: number,
  after: number,
): { readonly logHazard: Float64Array; readonly survival: number } {
  const hazards = logHazard.map(Math.exp);
  const total = hazards.reduce((sum, hazard) => sum + hazard, 0);
  const share = causes.reduce((sum, cause) => sum + hazards[cause]!, 0) / total;
  const stays = Math.exp(-total);
  const dies = survival[k]! * -Math.expm1(-total);
  const ofTotal = -after * survival[k]! * stays + sign * share * (survival[k]! * stays - dies / total);
  return {
    logHazard: hazards.map((hazard, cause) => hazard * (ofTotal + (causes.includes(cause) ? (sign * dies) / total : 0))),
    survival: after * stays - sign * share * Math.expm1(-total),
  };
}

function valueOf({ constant, slope, amount, otherConstant, otherSlope, otherAmount }: Term, amounts: Float64Array): number {
  return (
    (constant + (slope === 0 ? 0 : slope * amounts[amount]!)) *
    (otherConstant + (otherSlope === 0 ? 0 : otherSlope * amounts[otherAmount]!))
  );
}

function shiftOf({ shift }: StepTerms, cause: number, amounts: Float64Array): number {
  return shift[cause]!.reduce((sum, term) => sum + valueOf(term, amounts), 0);
}

function addTerm(term: Term, amounts: Float64Array, adjoint: number, gradient: Float64Array): void {
  const { constant, slope, amount, otherConstant, otherSlope, otherAmount } = term;
  if (slope !== 0) {
    const other = otherConstant + (otherSlope === 0 ? 0 : otherSlope * amounts[otherAmount]!);
    gradient[amount]! += adjoint * slope * other;
  }
  if (otherSlope !== 0) {
    gradient[otherAmount]! += adjoint * otherSlope * (constant + (slope === 0 ? 0 : slope * amounts[amount]!));
  }
}

/** Row of a matrix as wide as x, times x. */
function rowTimes(matrix: Float32Array, row: number, x: Float64Array): number {
  let sum = 0;
  for (let j = 0, at = row * x.length; j < x.length; j++, at++) sum += matrix[at]! * x[j]!;
  return sum;
}

/** into += factor · row. */
function addRow(matrix: Float32Array, row: number, factor: number, into: Float64Array): void {
  for (let j = 0, at = row * into.length; j < into.length; j++, at++) into[j]! += factor * matrix[at]!;
}
