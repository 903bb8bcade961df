import type { EngineReport } from '#app/engine.svelte.ts';

/** For the chip: two words at most. */
export const engineName: Readonly<Record<EngineReport['kind'], string>> = {
  gpu: 'WebGPU',
  cpu: 'CPU, wasm',
  reference: 'CPU, reference',
};

export const engineSentence: Readonly<Record<EngineReport['kind'], string>> = {
  gpu: 'Forecasts run on the graphics processor, through WebGPU.',
  cpu: 'Forecasts run on the processor, in WebAssembly.',
  reference: 'Forecasts run in plain 64-bit arithmetic: slow, exact, and what the other engines are compared with.',
};
