/** The paths that a browser can run, behind `globalThis.bench` for browser-host.ts to call. */
import type * as Ort from 'onnxruntime-web';
import wasmSimd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import wasmThreads from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import wasmPlain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import { glucoseWork, largestGlucoseError, type GlucosePack, type GlucosePath, type GlucoseWork } from '../glucose-work.ts';
import { wasmFused, wgslFused } from '../paths/engines.ts';
import { glucoseWasm, glucoseWgsl } from '../paths/glucose-engines.ts';
import { glucoseJs } from '../paths/glucose-js.ts';
import { glucoseTfjs } from '../paths/glucose-tfjs.ts';
import { ortWasm } from '../paths/ort.ts';
import { tfjs } from '../paths/tfjs.ts';
import { gruWork, largestError, referenceStates, type PreparedPath, type Work } from '../work.ts';

// Served beside the page, not bundled: ORT looks for its module's neighbours. The query gives each number of threads a copy.
const ortAddress = (threads: number) => `/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs?threads=${threads}`;
const ortWithThreads = async (work: Work, threads: number) =>
  ortWasm(work, (await import(/* @vite-ignore */ ortAddress(threads))) as typeof Ort, threads);

const paths = {
  'wgsl-fused': (work: Work) => wgslFused(work, navigator.gpu),
  'wasm-fused': wasmFused,
  'tfjs-webgpu': async (work: Work) => {
    await import('@tensorflow/tfjs-backend-webgpu');
    return tfjs(work, 'webgpu');
  },
  'tfjs-webgl': async (work: Work) => {
    await import('@tensorflow/tfjs-backend-webgl');
    return tfjs(work, 'webgl');
  },
  'tfjs-wasm': async (work: Work) => {
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
    setWasmPaths({
      'tfjs-backend-wasm.wasm': wasmPlain,
      'tfjs-backend-wasm-simd.wasm': wasmSimd,
      'tfjs-backend-wasm-threaded-simd.wasm': wasmThreads,
    });
    return tfjs(work, 'wasm');
  },
  'ort-wasm': (work: Work) => ortWithThreads(work, 2),
  'ort-wasm-1-thread': (work: Work) => ortWithThreads(work, 1),
};

export type BrowserPath = keyof typeof paths;

const glucosePaths = {
  'wgsl-dopri5': (work: GlucoseWork) => glucoseWgsl(work, 'dopri5', navigator.gpu),
  'wgsl-rk4': (work: GlucoseWork) => glucoseWgsl(work, 'rk4', navigator.gpu),
  'wasm-dopri5': (work: GlucoseWork) => glucoseWasm(work, 'dopri5'),
  'wasm-rk4': (work: GlucoseWork) => glucoseWasm(work, 'rk4'),
  'js-rk4': async (work: GlucoseWork) => glucoseJs(work),
  'tfjs-webgpu-rk4': async (work: GlucoseWork, timedMinutes: number) => {
    await import('@tensorflow/tfjs-backend-webgpu');
    return glucoseTfjs(work, 'webgpu', timedMinutes);
  },
};

export type BrowserGlucosePath = keyof typeof glucosePaths;

const prepared = new Map<BrowserPath | BrowserGlucosePath, () => Promise<void>>();
let glucose: { readonly work: GlucoseWork; readonly exact: Float32Array | Float64Array } | undefined;
const glucoseReady = new Map<BrowserGlucosePath, GlucosePath>();
let expected: { readonly work: Work; readonly states: Float32Array } | undefined;

const bench = {
  /** Makes a path ready, runs it once and gives its error. */
  async prepare(path: BrowserPath, steps: number): Promise<number> {
    const work = gruWork(steps);
    if (expected?.work.name !== work.name) expected = { work, states: await referenceStates(work) };
    const own: PreparedPath = await paths[path](work);
    prepared.set(path, own.run);
    return largestError(await own.finalStates(), expected.states);
  },

  /** The patients of the glucose ensemble and what becomes of them, to rtol 1e-10. */
  async drawGlucose(pack: GlucosePack, lanes: number): Promise<string> {
    const work = glucoseWork(pack, lanes);
    glucose = { work, exact: await (await glucoseWasm(work, 'exact')).glucose() };
    return work.name;
  },

  /** Makes a path ready; gives how much of the day a run of it goes through. */
  async prepareGlucose(path: BrowserGlucosePath, timedMinutes: number): Promise<number> {
    const own = await glucosePaths[path](glucose!.work, timedMinutes);
    glucoseReady.set(path, own);
    prepared.set(path, own.run);
    return own.share;
  },

  /** Runs a path once and gives its error, of as much of the day as it goes through. */
  async compareGlucose(path: BrowserGlucosePath): Promise<number> {
    const found = await glucoseReady.get(path)!.glucose();
    return largestGlucoseError(found, glucose!.exact.subarray(0, found.length));
  },

  async run(path: BrowserPath | BrowserGlucosePath, times: number): Promise<void> {
    for (let i = 0; i < times; i++) await prepared.get(path)!();
  },

  async adapter(): Promise<string> {
    const adapter = await navigator.gpu?.requestAdapter();
    if (!adapter) return 'none';
    const { vendor, architecture, device, description } = adapter.info;
    return [vendor, architecture, device, description].filter(Boolean).join(' ');
  },
};
export type Bench = typeof bench;

Object.assign(globalThis, { bench });
