import type { Engine, EngineKind, RolloutRequest } from './engine.ts';

/** What was found out about this machine's GPU before any engine is made. */
export type GpuFinding = { readonly found: 'none' } | { readonly found: 'software' | 'hardware'; readonly name: string };

export interface EngineChoice {
  readonly kind: Extract<EngineKind, 'gpu' | 'cpu'>;
  /** One sentence for the page. */
  readonly reason: string;
}

export interface ChooseOptions {
  readonly finding: GpuFinding;
  /** What the person or a test insists on; a GPU that is not there cannot be forced. */
  readonly forced?: EngineChoice['kind'];
  /** Least time in ms of the probe on each engine, from `timeProbe`. Without it a hardware GPU is taken on trust. */
  readonly probe?: { readonly gpuMs: number; readonly cpuMs: number };
}

/** Asks the browser what there is, without making a device. */
export async function findGpu(gpu: GPU | undefined): Promise<GpuFinding> {
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (!adapter) return { found: 'none' };
  const { isSoftware, name } = nameAdapter(adapter.info);
  return { found: isSoftware ? 'software' : 'hardware', name };
}

/** A name to show, and whether the adapter is software. */
export function nameAdapter(info: GPUAdapterInfo): { isSoftware: boolean; name: string } {
  const { vendor, architecture, description } = info;
  // Older browsers lack isFallbackAdapter; the software adapters all bear one of these names.
  const isNamedSoftware = /swiftshader|llvmpipe|lavapipe|warp|basic render/i.test(`${vendor} ${architecture} ${description}`);
  return {
    isSoftware: info.isFallbackAdapter === true || isNamedSoftware,
    name: description || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter',
  };
}

/** Which engine forecasts run on. */
export function chooseEngine({ finding, forced, probe }: ChooseOptions): EngineChoice {
  if (finding.found === 'none') return { kind: 'cpu', reason: 'Forecasts run on the processor: no GPU adapter was found.' };
  if (forced === 'gpu') return { kind: 'gpu', reason: `Forecasts run on ${finding.name}, as was asked for.` };
  if (forced === 'cpu') return { kind: 'cpu', reason: 'Forecasts run on the processor, as was asked for.' };
  if (finding.found === 'software') {
    // Measured: the fused wasm module needs a tenth of the processor time of the fused shader on a software adapter.
    return { kind: 'cpu', reason: 'Forecasts run on the processor: the only GPU adapter here is software, which is slower.' };
  }
  if (probe && probe.cpuMs < probe.gpuMs) {
    return { kind: 'cpu', reason: `Forecasts run on the processor: a short trial was faster there than on ${finding.name}.` };
  }
  return { kind: 'gpu', reason: `Forecasts run on ${finding.name}.` };
}

/** The least time of `rounds` runs after one that warms up, in ms; Infinity for an engine that fails. */
export async function timeProbe(
  engine: Engine,
  request: RolloutRequest,
  rounds = 2,
  now = () => performance.now(),
): Promise<number> {
  let least = Infinity;
  try {
    for (let round = 0; round <= rounds; round++) {
      const started = now();
      await engine.rollOut(request);
      if (round > 0) least = Math.min(least, now() - started);
    }
  } catch {
    return Infinity;
  }
  return least;
}
