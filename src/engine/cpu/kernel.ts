import { kernelBase64 } from './kernel-bytes.ts';

/** What `assembly/kernel.ts` exports; the parameters are described there. Addresses and widths are in bytes. */
export interface Kernel {
  readonly memory: WebAssembly.Memory;
  readonly words: { readonly value: number };
  readonly normals: { readonly value: number };
  heapBase(): number;
  setModel(
    S: number,
    D: number,
    H: number,
    K: number,
    working: number,
    driftAt: number,
    hazardAt: number,
    driveBytes: number,
  ): void;
  setLimits(scaleLow: number, scaleHigh: number, hazardLow: number, hazardHigh: number, divergence: number): void;
  setMember(gateBlock: number, resetBias: number, states: number, hazards: number, noise: number, heads: number): void;
  setSeed(low: number, high: number): void;
  drawWords(first: number, step: number, block: number, stream: number): void;
  drawNormals(pair: number): void;
  advance(
    n: number,
    drive: number,
    noErrors: number,
    states: number,
    memories: number,
    means: number,
    scales: number,
    logHazards: number,
  ): void;
  rollOut(
    firstRollout: number,
    count: number,
    steps: number,
    starts: number,
    effects: number,
    drive: number,
    effectErrors: number,
    stride: number,
    values: number,
    incidences: number,
    eventSteps: number,
    eventFree: number,
  ): void;
}

/** A kernel with memory of its own. Rejects with a CompileError where WebAssembly has no SIMD. */
export async function loadKernel(): Promise<Kernel> {
  const bytes = Uint8Array.from(atob(kernelBase64), (character) => character.charCodeAt(0));
  const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(bytes));
  return exports as unknown as Kernel;
}
