import { vi } from 'vitest';
import { GpuSimulator } from '#engine/gpu/simulation.ts';
import type { Simulator } from '#engine/simulation.ts';
import { probeNodeGpu } from '../../scripts/node-gpu.ts';
import { describeGoldenModels } from './golden-models.ts';

// The software adapter compiles each shader for seconds, and under load for much longer.
vi.setConfig({ testTimeout: 600_000 });

let simulator: Promise<Simulator> | undefined;

async function onThisMachine(): Promise<Simulator> {
  const { gpu, reason } = await probeNodeGpu();
  if (!gpu) throw new Error(reason);
  return GpuSimulator.create(gpu);
}

describeGoldenModels('the GPU', () => (simulator ??= onThisMachine()));
