import { logHazardRange, logScaleRange, type MemberTensors, type NetworkShape } from '#packs/network.ts';

/** Scratch and results of one trajectory's step; made once and reused. */
export interface StepScratch {
  readonly gateX: Float64Array;
  readonly gateH: Float64Array;
  readonly nextH: Float64Array;
  /** Mean of s'. */
  readonly mean: Float64Array;
  /** σ of s'. */
  readonly scale: Float64Array;
  /** log λ per cause, clamped. */
  readonly logHazard: Float64Array;
}

export function makeScratch({ S, H, K }: NetworkShape): StepScratch {
  return {
    gateX: new Float64Array(3 * H),
    gateH: new Float64Array(3 * H),
    nextH: new Float64Array(H),
    mean: new Float64Array(S),
    scale: new Float64Array(S),
    logHazard: new Float64Array(K),
  };
}

type Numbers = Float32Array | Float64Array;

/**
 * One grid step in f64, exactly as written in `packs/network.ts`, up to but without the noise. `row` is one row of a
 * `PlanDrive`, `effect` the standard normal draw that a cited effect's error is multiplied by, `effectError` its size per cause.
 */
export function stepMoments(
  shape: NetworkShape,
  member: MemberTensors,
  x: Numbers,
  h: Numbers,
  row: Numbers,
  effect: number,
  effectError: Numbers,
  out: StepScratch,
): void {
  const { S, L, H, K } = shape;
  const D = S + L;
  matrixVector(member.gateX, x, 3 * H, D, out.gateX);
  matrixVector(member.gateH, h, 3 * H, H, out.gateH);
  for (let i = 0; i < H; i++) {
    const r = sigmoid(out.gateX[i]! + out.gateH[i]! + row[i]!);
    const u = sigmoid(out.gateX[H + i]! + out.gateH[H + i]! + row[H + i]!);
    const n = Math.tanh(out.gateX[2 * H + i]! + row[2 * H + i]! + r * (out.gateH[2 * H + i]! + member.resetBias[i]!));
    out.nextH[i] = (1 - u) * n + u * h[i]!;
  }
  for (let k = 0; k < K; k++) {
    const sum = dot(member.hazardX, k * D, x, D) + dot(member.hazardH, k * H, out.nextH, H) + row[3 * H + S + k]!;
    out.logHazard[k] = clamp(sum + effect * effectError[k]!, logHazardRange);
  }
  for (let i = 0; i < S; i++) {
    out.mean[i] = x[i]! + dot(member.driftX, i * D, x, D) + dot(member.driftH, i * H, out.nextH, H) + row[3 * H + i]!;
    out.scale[i] = Math.exp(clamp(member.scaleBias[i]! + dot(member.scaleH, i * H, out.nextH, H), logScaleRange));
  }
}

function matrixVector(matrix: Float32Array, vector: Numbers, rows: number, columns: number, out: Float64Array): void {
  for (let i = 0; i < rows; i++) out[i] = dot(matrix, i * columns, vector, columns);
}

function dot(matrix: Float32Array, at: number, vector: Numbers, length: number): number {
  let sum = 0;
  for (let j = 0; j < length; j++) sum += matrix[at + j]! * vector[j]!;
  return sum;
}

const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a));

// NaN must pass through, so that a broken state is seen as diverged and not as the lower bound.
const clamp = (a: number, [low, high]: readonly [number, number]): number => (a < low ? low : a > high ? high : a);
