/**
 * Lends our device to tfjs, so that the encoder networks run on it and their tensors and our buffers never cross devices. Import
 * this module only where tfjs is wanted: it brings the whole backend with it.
 */
import '@tensorflow/tfjs-backend-webgpu';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import type { GpuDevice } from './device.ts';

/** The name under which tfjs registers its own factory and its kernels; ours replaces the factory and keeps the kernels. */
const backendName = 'webgpu';

/** Bumped at every lending. A tensor of an older epoch belongs to a lost device and reads as 0 without an error. */
let epoch = 0;

/**
 * Makes tfjs compute on `gpu` from now on; call it again with the new device after a loss. Every tensor made before is invalid
 * then: keep weights and inputs as typed arrays, compare epochs, and make the tensors again. Gives the new epoch.
 */
export async function lendDeviceToTfjs(gpu: GpuDevice): Promise<number> {
  if (backendName in tf.engine().registryFactory) tf.removeBackend(backendName);
  tf.registerBackend(backendName, () => new WebGPUBackend(gpu.device, gpu.info), 3);
  if (!(await tf.setBackend(backendName))) throw new Error('tfjs did not accept the lent device.');
  return ++epoch;
}

/** The epoch of tensors that are valid now; 0 before the first lending. */
export const tfjsEpoch = (): number => epoch;

/** Tensors alive on every backend of this worker. */
export const tensorsHeld = (): number => tf.memory().numTensors;

/**
 * A tensor whose data are `buffer` itself, not a copy: f32, with usage STORAGE | COPY_SRC. The tensor does not own the buffer;
 * dispose of the tensor first, then of the buffer's scope.
 */
export function tensorOnBuffer(buffer: GPUBuffer, shape: number[]): tf.Tensor {
  return tf.tensor({ buffer, zeroCopy: true }, shape, 'float32');
}
