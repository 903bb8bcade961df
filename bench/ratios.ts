import type { Row } from './work.ts';

/** What the fused engines promise: `slow` takes at least `required` times the CPU time of `fast`, on one host and adapter. */
export const requiredRatios = [
  { fast: 'wgsl-fused', slow: 'tfjs-webgpu', required: 15, host: 'browser' },
  { fast: 'wgsl-fused', slow: 'tfjs-webgl', required: 2, host: 'browser' },
  { fast: 'wasm-fused', slow: 'ort-wasm', required: 2.5, host: 'node' },
  { fast: 'wasm-fused', slow: 'tfjs-wasm', required: 4, host: 'node' },
] as const;

export function ratioOf(rows: readonly Row[], host: Row['host'], fast: string, slow: string): number | null {
  const cpuMs = (path: string) => rows.find((row) => row.work === 'gru-1024x24' && row.host === host && row.path === path)?.cpuMs;
  const fastMs = cpuMs(fast);
  const slowMs = cpuMs(slow);
  return fastMs && slowMs ? slowMs / fastMs : null;
}
