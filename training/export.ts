import type { MemberTensors } from '#packs/network.ts';
import type { ModelSizes, Parameters } from './model.ts';

/** A fitted member as a pack stores it: constrained values, f32. */
export function toMemberTensors(parameters: Parameters, { S, L, K, H }: ModelSizes): MemberTensors {
  const plain = (name: string) => Float32Array.from(parameters.view(name).v);
  const map = (name: string, f: (value: number) => number) => Float32Array.from(parameters.view(name).v, f);
  const expected = { driftX: S * (S + L), hazardH: K * H };
  for (const [name, size] of Object.entries(expected)) {
    if (plain(name).length !== size) throw new Error(`${name}: found ${plain(name).length} values, expected ${size}.`);
  }
  return {
    gateX: plain('gateX'),
    gateH: plain('gateH'),
    gateBias: plain('gateBias'),
    resetBias: plain('resetBias'),
    gateV: plain('gateV'),
    driftX: plain('driftX'),
    driftH: plain('driftH'),
    driftBias: plain('driftBias'),
    driftV: plain('driftV'),
    scaleH: plain('scaleH'),
    scaleBias: plain('scaleBias'),
    hazardX: plain('hazardX'),
    hazardH: plain('hazardH'),
    hazardBias: plain('hazardBias'),
    hazardV: plain('hazardV'),
    observationScale: map('logObservationScale', Math.exp),
    // The share of heavy-tailed innovations in 1/256, as the engines draw it from eight spare bits.
    tailCount: map('tailLogit', (logit) => Math.round(256 / (1 + Math.exp(-logit)))),
    tailScale: map('tailExcess', (excess) => 1 + Math.log1p(Math.exp(excess))),
    entryW: plain('entryW'),
    entryBias: plain('entryBias'),
    entryLogScale: plain('entryLogScale'),
    traitW: plain('traitW'),
    traitBias: plain('traitBias'),
    traitLogScale: plain('traitLogScale'),
  };
}
