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

/** One simulated person from entry on. */
export interface Course {
  /** [L] */
  readonly traits: Float64Array;
  /** [(steps + 1) × S] the hidden states. */
  readonly states: Float64Array;
  /** [(steps + 1) × S] what a measurement would have shown: standardised for a marker, a level for a sign. */
  readonly measured: Float64Array;
  /** Step in which the first event falls; null if none does. States from then on are what would have been. */
  readonly eventStep: number | null;
}

/** Draws traits, entry state and the steps after it from the pack's own distributions, one after the other. */
export function drawCourse({ network, member, covariates, rows, steps, stepper, random }: CourseRequest): Course {
  const { S, L, H, K } = network.shape;
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
  const buffers = {
    x: new Float32Array(S + L),
    h: new Float32Array(H),
    mean: new Float32Array(S),
    scale: new Float32Array(S),
    logHazard: new Float32Array(K),
  };
  buffers.x.set(given.subarray(C), S);
  for (let j = 0; j < S; j++) {
    const centre = dot(tensors.entryW, j, C + L) + tensors.entryBias[j]!;
    buffers.x[j] = centre + Math.exp(tensors.entryLogScale[j]!) * random.normal();
  }
  const states = new Float64Array((steps + 1) * S);
  const measured = new Float64Array((steps + 1) * S);
  const width = driveWidth(network.shape);
  let eventStep: number | null = null;
  for (let t = 0; ; t++) {
    for (let j = 0; j < S; j++) {
      states[t * S + j] = buffers.x[j]!;
      measured[t * S + j] = measure(network.heads[j]!, buffers.x[j]!, tensors.observationScale[j]!, random);
    }
    if (t === steps) break;
    const row = (member * steps + t) * width;
    stepper.advance(network, member, 1, rows.subarray(row, row + width), buffers);
    const hazard = buffers.logHazard.reduce((sum, logHazard) => sum + Math.exp(logHazard), 0);
    if (eventStep === null && -Math.log(random.uniform()) < hazard) eventStep = t;
    for (let j = 0; j < S; j++) {
      const widened = random.below(256) < tensors.tailCount[j]! ? tensors.tailScale[j]! : 1;
      buffers.x[j] = buffers.mean[j]! + buffers.scale[j]! * widened * random.normal();
    }
  }
  return { traits: given.slice(C), states, measured, eventStep };
}

function measure(head: Head, state: number, observationScale: number, random: RandomSequence): number {
  if (head.kind === 'continuous') return state + observationScale * random.normal();
  const u = random.uniform();
  const shown = state + Math.log(u / (1 - u));
  return head.cuts.filter((cut) => shown > cut).length;
}
