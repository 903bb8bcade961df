/** The paths that Node can run by itself. CPU time is that of this process with all its threads. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Ort from 'onnxruntime-web';
import type { Engine } from '#engine/engine.ts';
import { glucosePack } from './glucose-pack.ts';
import { glucoseWork, largestGlucoseError, type GlucosePath, type GlucoseWork } from './glucose-work.ts';
import { measure } from './measure.ts';
import { reference, wasmFused, wgslFused } from './paths/engines.ts';
import { glucoseWasm } from './paths/glucose-engines.ts';
import { glucoseJs } from './paths/glucose-js.ts';
import { timeNumpy } from './paths/glucose-numpy.ts';
import { ortWasm } from './paths/ort.ts';
import { tfjs } from './paths/tfjs.ts';
import { forecastRequest, largestError, referenceStates, type PreparedPath, type Row, type Work } from './work.ts';

const { resolve } = createRequire(import.meta.url);

export const nodePaths = {
  'wasm-fused': wasmFused,
  'ort-wasm': async (work: Work) => ortWasm(work, await loadOrt('ort.node.min.mjs'), 2),
  'ort-wasm-1-thread': async (work: Work) => ortWasm(work, await loadOrt('ort.wasm.min.mjs'), 1),
  'tfjs-wasm': async (work: Work) => {
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
    setWasmPaths(`${dirname(resolve('@tensorflow/tfjs-backend-wasm'))}/`);
    return tfjs(work, 'wasm');
  },
  reference,
} satisfies Record<string, (work: Work) => Promise<PreparedPath>>;

export type NodePath = keyof typeof nodePaths;

/**
 * ORT keeps its number of threads for good, and its Node module cannot be loaded twice beside itself. Its browser module brings
 * the same WebAssembly and runs in Node as long as it starts no threads.
 */
async function loadOrt(module: 'ort.node.min.mjs' | 'ort.wasm.min.mjs'): Promise<typeof Ort> {
  return import(pathToFileURL(join(dirname(resolve('onnxruntime-web')), module)).href) as Promise<typeof Ort>;
}

export async function benchInNode(work: Work, paths: readonly NodePath[], rounds: number): Promise<Row[]> {
  return benchPaths(work, Object.fromEntries(paths.map((path) => [path, () => nodePaths[path](work)])), rounds);
}

async function benchPaths(work: Work, paths: Record<string, () => Promise<PreparedPath>>, rounds: number): Promise<Row[]> {
  const expected = await referenceStates(work);
  const prepared: { path: string; own: PreparedPath; error: number }[] = [];
  for (const [path, prepare] of Object.entries(paths)) {
    const own = await prepare();
    prepared.push({ path, own, error: largestError(await own.finalStates(), expected) });
  }
  const contenders = prepared.map(({ path, own }) => ({ path, run: (times: number) => repeat(times, own.run) }));
  const samples = await measure(contenders, processCpuMs, rounds);
  return prepared.map(({ path, own, error }) => {
    own.dispose();
    return { work: work.name, path, host: 'node', error, ...samples.get(path)! };
  });
}

/**
 * The GPU of this machine, through Dawn: the fused kernel against tfjs op by op, both on the device that Dawn gives. Wall time is
 * what counts here; on a GPU the processor mostly waits.
 */
export async function benchOnGpu(work: Work, gpu: GPU, rounds: number): Promise<Row[]> {
  return benchPaths(work, { 'wgsl-fused': () => wgslFused(work, gpu), 'tfjs-webgpu': () => tfjsOnDawn(work, gpu) }, rounds);
}

/** tfjs registers its WebGPU backend only where there is a window or a worker's scope with a `navigator.gpu`, so it is shown one. */
async function tfjsOnDawn(work: Work, gpu: GPU): Promise<PreparedPath> {
  Object.assign(globalThis, { WorkerGlobalScope: Object, navigator: { gpu, userAgent: 'node' } });
  await import('@tensorflow/tfjs-backend-webgpu');
  return tfjs(work, 'webgpu');
}

/** A whole forecast with its bands. */
export async function benchForecast(path: string, makeEngine: () => Promise<Engine>, rounds: number): Promise<Row[]> {
  const engine = await makeEngine();
  const request = forecastRequest();
  await engine.rollOut(request);
  const run = (times: number) => repeat(times, () => engine.rollOut(request));
  const samples = await measure([{ path, run }], processCpuMs, rounds);
  engine.dispose();
  return [{ work: 'forecast-10000x60', path, host: 'node', error: null, ...samples.get(path)! }];
}

const glucosePaths = {
  'wasm-dopri5': (work: GlucoseWork) => glucoseWasm(work, 'dopri5'),
  'wasm-rk4': (work: GlucoseWork) => glucoseWasm(work, 'rk4'),
  'js-rk4': async (work: GlucoseWork) => glucoseJs(work),
} satisfies Record<string, (work: GlucoseWork) => Promise<GlucosePath>>;

/** The glucose ensemble, and after it numpy in a process of its own where there is one. */
export async function benchGlucoseInNode(lanes: number, rounds: number): Promise<Row[]> {
  const work = glucoseWork(glucosePack, lanes);
  const exact = await (await glucoseWasm(work, 'exact')).glucose();
  const prepared: { path: string; own: GlucosePath; error: number }[] = [];
  for (const [path, prepare] of Object.entries(glucosePaths)) {
    const own = await prepare(work);
    prepared.push({ path, own, error: largestGlucoseError(await own.glucose(), exact) });
  }
  const contenders = prepared.map(({ path, own }) => ({ path, run: (times: number) => repeat(times, own.run) }));
  const samples = await measure(contenders, processCpuMs, rounds);
  const rows = prepared.map(({ path, own, error }): Row => {
    own.dispose();
    return { work: work.name, path, host: 'node', error, ...samples.get(path)! };
  });
  const numpy = await timeNumpy(work, rounds);
  if (!numpy) return rows;
  const error = largestGlucoseError(numpy.glucose, exact);
  return [...rows, { work: work.name, path: 'numpy-rk4', host: 'node', error, ...numpy.sample }];
}

async function repeat(times: number, run: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < times; i++) await run();
}

/** Of all threads of this process. */
export function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
