import { driveWidth } from '#engine/drive.ts';
import type { Stepper } from '#engine/engine.ts';
import type { RandomSequence } from '#numerics/random.ts';
import type { Head, Network } from '#packs/network.ts';

export interface CourseRequest {
  readonly network: Network;
  readonly member: number;
  /** [C] the covariate inputs of v. */
  readonly covariates: Float64Array;
  /** [M × steps × width], conditioning multiplied through the network (`drivePlan`). */
  readonly rows: Float32Array;
  readonly steps: number;
  readonly stepper: Stepper;
  readonly random: RandomSequence;
}

/** Where a course stands: what the network needs to go on from there. */
export interface CourseEnd {
  /** [S + L] states, then traits. */
  readonly x: Float32Array;
  /** [H] the recurrent state. */
  readonly h: Float32Array;
}

interface Followed {
  /** [(steps + 1) × S] the hidden states. */
  readonly states: Float64Array;
  /** [(steps + 1) × S] what a measurement would have shown: standardised for a marker, a level for a sign. */
  readonly measured: Float64Array;
  /** The step in which the first event falls and which one it is; null if none does. States from then on are what would have been. */
  readonly event: { readonly step: number; readonly cause: number } | null;
  readonly end: CourseEnd;
}

/** One simulated person from entry on. */
export interface Course extends Followed {
  /** [L] */
  readonly traits: Float64Array;
}

/** Draws traits, entry state and the steps after it from the pack's own distributions, one after the other. */
export function drawCourse(request: CourseRequest): Course {
  const { network, member, covariates, random } = request;
  const { S, L, H } = network.shape;
  const tensors = network.members[member]!;
  const C = covariates.length;
  const given = new Float64Array(C + L);
  given.set(covariates);
  const dot = (matrix: Float32Array, row: number, length: number) => {
    let sum = 0;
    for (let j = 0; j < length; j++) sum += matrix[row * length + j]! * given[j]!;
    return sum;
  };
  for (let l = 0; l < L; l++) {
    given[C + l] = dot(tensors.traitW, l, C) + tensors.traitBias[l]! + Math.exp(tensors.traitLogScale[l]!) * random.normal();
  }
  const x = new Float32Array(S + L);
  x.set(given.subarray(C), S);
  for (let j = 0; j < S; j++) {
    const centre = dot(tensors.entryW, j, C + L) + tensors.entryBias[j]!;
    x[j] = centre + Math.exp(tensors.entryLogScale[j]!) * random.normal();
  }
  return { traits: given.slice(C), ...continueCourse(request, { x, h: new Float32Array(H) }) };
}

/** The steps after a point of a course; `from` is left as it is. */
export function continueCourse(
  { network, member, rows, steps, stepper, random }: Omit<CourseRequest, 'covariates'>,
  from: CourseEnd,
): Followed {
  const { S, K } = network.shape;
  const tensors = network.members[member]!;
  const buffers = {
    x: from.x.slice(),
    h: from.h.slice(),
    mean: new Float32Array(S),
    scale: new Float32Array(S),
    logHazard: new Float32Array(K),
  };
  const states = new Float64Array((steps + 1) * S);
  const measured = new Float64Array((steps + 1) * S);
  const width = driveWidth(network.shape);
  let event: Followed['event'] = null;
  for (let t = 0; ; t++) {
    for (let j = 0; j < S; j++) {
      states[t * S + j] = buffers.x[j]!;
      measured[t * S + j] = measure(network.heads[j]!, buffers.x[j]!, tensors.observationScale[j]!, random);
    }
    if (t === steps) break;
    const row = (member * steps + t) * width;
    stepper.advance(network, member, 1, rows.subarray(row, row + width), buffers);
    const hazards = Array.from(buffers.logHazard, Math.exp);
    const hazard = hazards.reduce((sum, one) => sum + one, 0);
    if (event === null) {
      const u = random.uniform();
      if (-Math.log(u) < hazard) event = { step: t, cause: causeAt(hazards, hazard, u) };
    }
    for (let j = 0; j < S; j++) {
      const widened = random.below(256) < tensors.tailCount[j]! ? tensors.tailScale[j]! : 1;
      buffers.x[j] = buffers.mean[j]! + buffers.scale[j]! * widened * random.normal();
    }
  }
  return { states, measured, event, end: { x: buffers.x, h: buffers.h } };
}

/** Given that −ln u lies below the whole hazard, 1 − u is uniform below the chance of an event: it chooses the cause as well. */
function causeAt(hazards: readonly number[], whole: number, u: number): number {
  const share = (1 - u) / -Math.expm1(-whole);
  let reached = 0;
  const found = hazards.findIndex((one) => (reached += one / whole) > share);
  return found < 0 ? hazards.length - 1 : found;
}

function measure(head: Head, state: number, observationScale: number, random: RandomSequence): number {
  if (head.kind === 'continuous') return state + observationScale * random.normal();
  const u = random.uniform();
  const shown = state + Math.log(u / (1 - u));
  return head.cuts.filter((cut) => shown > cut).length;
}
