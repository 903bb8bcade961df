import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-cpu';
// For its side effect: core alone registers no gradients, and its own list of them cannot be imported in Node.
import '@tensorflow/tfjs-layers';

/** Training runs on tfjs's SIMD WebAssembly backend: no native add-on to install, and the ops the app itself uses. */
export async function useWasmBackend(): Promise<void> {
  setWasmPaths(path.join(import.meta.dirname, '../node_modules/@tensorflow/tfjs-backend-wasm/dist/'));
  // Threads would fight with the other member that trains beside this one, and hang in some hosts.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  if (!(await tf.setBackend('wasm'))) throw new Error('tfjs could not start its wasm backend. Run npm ci and try again.');
  await tf.ready();
}
