// WebGPU in Node for scripts and tests, through the npm package `webgpu` (Dawn). The driver is chosen by the environment:
// start scripts with `node scripts/with-gpu.mjs`; vitest.config.ts does the same for tests.
import { create, globals } from 'webgpu';

interface GpuHolder {
  // Dawn's bindings crash the process when what create() returns is garbage collected, so it stays reachable for ever.
  counterpartNodeGpu?: GPU;
}
const holder = globalThis as GpuHolder;

export interface NodeGpuProbe {
  readonly gpu: GPU | null;
  /** Name of the adapter, or why there is none and what to do. */
  readonly reason: string;
}

/** Looks for an adapter and says what was found. Puts GPUBufferUsage and its kind onto globalThis, as a browser has them. */
export async function probeNodeGpu(): Promise<NodeGpuProbe> {
  if (!holder.counterpartNodeGpu) {
    Object.assign(globalThis, globals);
    holder.counterpartNodeGpu = create([]);
  }
  const adapter = await holder.counterpartNodeGpu.requestAdapter();
  if (!adapter) {
    const driver = process.env['VK_ICD_FILENAMES'] ?? "the system's own";
    return {
      gpu: null,
      reason:
        `No WebGPU adapter was found (Vulkan driver: ${driver}). Start the script with \`node scripts/with-gpu.mjs\`, ` +
        'and install Chromium, whose software driver it uses (Debian: apt-get install chromium; `npm test` does it).',
    };
  }
  const { vendor, architecture, description } = adapter.info;
  return { gpu: holder.counterpartNodeGpu, reason: [vendor, architecture, description].filter(Boolean).join(' ') };
}

/** The GPU, or null with the reason on stderr when there is no adapter. End a script that used it with process.exit. */
export async function requestNodeGpu(): Promise<GPU | null> {
  const { gpu, reason } = await probeNodeGpu();
  if (!gpu) console.warn(reason);
  return gpu;
}
