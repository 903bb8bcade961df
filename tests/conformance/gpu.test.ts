import { probeNodeGpu } from '../../scripts/node-gpu.ts';
import { GpuEngine } from '#engine/gpu/forecast.ts';
import { describeEngine } from './engines.ts';

describeEngine('GPU', async () => {
  const { gpu, reason } = await probeNodeGpu();
  if (!gpu) throw new Error(reason);
  return GpuEngine.create(gpu);
});
