import type { EncoderTensors, MemberTensors, NetworkShape } from './network.ts';

export type MemberTensorName = keyof MemberTensors;
export type EncoderTensorName = keyof EncoderTensors;
type Dimensions = readonly number[];

/** What a learned pack's shape demands of one member's tensors; C as in `covariateInputCount`. The order is that of the file. */
export function memberTensorShapes({ S, L, H, K, V }: NetworkShape, C: number): Readonly<Record<MemberTensorName, Dimensions>> {
  return {
    gateX: [3 * H, S + L],
    gateH: [3 * H, H],
    gateBias: [3 * H],
    resetBias: [H],
    gateV: [3 * H, V],
    driftX: [S, S + L],
    driftH: [S, H],
    driftBias: [S],
    driftV: [S, V],
    scaleH: [S, H],
    scaleBias: [S],
    hazardX: [K, S + L],
    hazardH: [K, H],
    hazardBias: [K],
    hazardV: [K, V],
    observationScale: [S],
    tailCount: [S],
    tailScale: [S],
    entryW: [S, C + L],
    entryBias: [S],
    entryLogScale: [S],
    traitW: [L, C],
    traitBias: [L],
    traitLogScale: [L],
  };
}

/** The same for one member's encoder of E units. */
export function encoderTensorShapes({ S, L, V }: NetworkShape, E: number): Readonly<Record<EncoderTensorName, Dimensions>> {
  return {
    encoderX: [3 * E, 2 * S + V],
    encoderH: [3 * E, E],
    encoderBias: [3 * E],
    encoderResetBias: [E],
    encoderMean: [L, E],
    encoderMeanBias: [L],
    encoderScale: [L, E],
    encoderScaleBias: [L],
  };
}

export const elementCount = (dimensions: Dimensions): number => dimensions.reduce((product, size) => product * size, 1);

export const dtypeBytes = { f32: 4, f16: 2 } as const;
