import { vi } from 'vitest';
import { probeNodeGpu } from '../../scripts/node-gpu.ts';
import { GpuEngine } from '#engine/gpu/forecast.ts';
import { describeEngine } from './engines.ts';

// The software adapter compiles each shader for seconds, and under load for much longer.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

describeEngine('GPU', async () => {
  const { gpu, reason } = await probeNodeGpu();
  if (!gpu) throw new Error(reason);
  return GpuEngine.create(gpu);
});
