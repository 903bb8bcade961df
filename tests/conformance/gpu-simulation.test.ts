import { vi } from 'vitest';
import { probeNodeGpu } from '../../scripts/node-gpu.ts';
import { GpuSimulator } from '#engine/gpu/simulation.ts';
import { describeSimulator } from './simulation-suite.ts';

// The software adapter compiles each shader for seconds, and under load for much longer.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

// What the model specifications ask of an f32 engine: relative to the value, or to the largest of its read-out.
const tolerance = { relative: 2e-4, ofLargest: 1e-5 };

describeSimulator(
  'GPU',
  async () => {
    const { gpu, reason } = await probeNodeGpu();
    if (!gpu) throw new Error(reason);
    return GpuSimulator.create(gpu);
  },
  tolerance,
);
