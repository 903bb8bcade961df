import type { Network } from '#packs/network.ts';
import type { PlanDrive } from './engine.ts';

/** Conditioning of one plan before it meets the network. */
export interface PlanInputs {
  /** [steps × V] covariates and intervention inputs, standardised as in training. */
  readonly v: Float64Array;
  /** [steps × K] added to log λ: cited log hazard ratios, zero where none applies. */
  readonly logHazardShift: Float64Array;
  /** [steps × K] their standard errors. */
  readonly effectError: Float64Array;
}

/** Width of one row of `PlanDrive.rows`: 3H gate summands, S drift summands, K hazard summands. */
export function driveWidth({ H, S, K }: Network['shape']): number {
  return 3 * H + S + K;
}

/** Multiplies the conditioning through each member once, so that no engine does it per trajectory. */
export function drivePlan(network: Network, inputs: PlanInputs): PlanDrive {
  const { H, S, K, V, M } = network.shape;
  const steps = inputs.v.length / V;
  const width = driveWidth(network.shape);
  const rows = new Float32Array(M * steps * width);
  network.members.forEach((member, m) => {
    const blocks = [
      { bias: member.gateBias, weights: member.gateV, at: 0, size: 3 * H },
      { bias: member.driftBias, weights: member.driftV, at: 3 * H, size: S },
      { bias: member.hazardBias, weights: member.hazardV, at: 3 * H + S, size: K },
    ];
    for (let step = 0; step < steps; step++) {
      const row = (m * steps + step) * width;
      for (const { bias, weights, at, size } of blocks) {
        for (let i = 0; i < size; i++) {
          let sum = bias[i]!;
          for (let j = 0; j < V; j++) sum += weights[i * V + j]! * inputs.v[step * V + j]!;
          rows[row + at + i] = sum;
        }
      }
      for (let k = 0; k < K; k++) rows[row + 3 * H + S + k]! += inputs.logHazardShift[step * K + k]!;
    }
  });
  return { rows, effectError: Float32Array.from(inputs.effectError) };
}
