import type { EngineReport } from '#app/engine.svelte.ts';

/** For the chip: two words at most. */
export const engineName: Readonly<Record<EngineReport['kind'], string>> = {
  gpu: 'WebGPU',
  cpu: 'CPU, wasm',
  reference: 'CPU, reference',
};
