import type { Row } from './work.ts';

/**
 * What the fused engines promise: `slow` takes at least `required` times the CPU time of `fast`, on one host and adapter.
 * `ort-wasm` has two threads, which wait for each other by spinning; on one thread it needs about half the CPU time, and our kernel
 * has only to be faster.
 */
const requiredRatios = [
  { fast: 'wgsl-fused', slow: 'tfjs-webgpu', required: 15 },
  { fast: 'wgsl-fused', slow: 'tfjs-webgl', required: 2 },
  { fast: 'wasm-fused', slow: 'ort-wasm', required: 2.5 },
  { fast: 'wasm-fused', slow: 'ort-wasm-1-thread', required: 1 },
  { fast: 'wasm-fused', slow: 'tfjs-wasm', required: 4 },
  { fast: 'wgsl-dopri5', slow: 'tfjs-webgpu-rk4', required: 70 },
  { fast: 'wgsl-rk4', slow: 'tfjs-webgpu-rk4', required: 30 },
  { fast: 'wasm-rk4', slow: 'js-rk4', required: 4 },
  { fast: 'wasm-rk4', slow: 'numpy-rk4', required: 2 },
] as const;

export interface Ratio {
  readonly host: Row['host'];
  readonly fast: string;
  readonly slow: string;
  readonly required: number;
  readonly ratio: number;
}

/** The required ratios that the rows allow, each inside one host. On a real GPU (`of: 'wallMs'`) the processor waits. */
export function measuredRatios(rows: readonly Row[], of: 'cpuMs' | 'wallMs' = 'cpuMs'): Ratio[] {
  const time = (host: string, path: string) =>
    rows.find((row) => row.error !== null && row.host === host && row.path === path)?.[of];
  return (['node', 'browser'] as const).flatMap((host) =>
    requiredRatios.flatMap(({ fast, slow, required }) => {
      const fastMs = time(host, fast);
      const slowMs = time(host, slow);
      return fastMs && slowMs ? [{ host, fast, slow, required, ratio: Math.round((100 * slowMs) / fastMs) / 100 }] : [];
    }),
  );
}
