/**
 * The one place that asks for the GPU device. It belongs to the engine's worker and is lent to tfjs (`tfjs-device.ts`), so that
 * buffers pass between our kernels and the networks without copies.
 */
import { AppError } from '#domain/errors.ts';
import { nameAdapter } from '../choose.ts';

/** Nothing waits for the GPU longer than this: a hung driver may neither answer nor report the device lost. */
const answerTimeLimitMs = 30_000;

// The first two are for long columns; tfjs asks for all six when it makes its own device.
const wishes = [
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
] as const;

/**
 * Asks for an adapter and a device with the adapter's limits for large buffers. Kernels of the standard variant stay inside
 * WebGPU's default limits all the same. Rejects with `gpu_unavailable` where there is none.
 */
export async function acquireDevice(gpu: GPU): Promise<GpuDevice> {
  // Chromium answers null for 120 s after a second loss within two minutes.
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new AppError('gpu_unavailable', 'No GPU adapter was found. Forecasts run on the processor instead.');
  const requiredLimits = Object.fromEntries(wishes.map((name) => [name, adapter.limits[name]]));
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({ requiredLimits });
  } catch (cause) {
    throw new AppError('gpu_unavailable', 'The GPU adapter gave no device. Forecasts run on the processor instead.', { cause });
  }
  return new GpuDevice(device, adapter.info);
}

/** A device with the watch on its loss and its errors. */
export class GpuDevice {
  readonly device: GPUDevice;
  readonly info: GPUAdapterInfo;
  /** For matrix work a software adapter loses to the wasm engine about tenfold. */
  readonly isSoftware: boolean;
  /** One line for the page. */
  readonly description: string;
  /** Settles only when the device goes away by itself or by `destroy()`. */
  readonly lost: Promise<GPUDeviceLostInfo>;
  /** Errors that no scope caught. Tests fail on them. */
  readonly uncaptured: GPUError[] = [];
  #isLost = false;
  #liveBuffers = 0;
  /** What to reject when the device goes away. */
  readonly #waiting = new Set<(error: AppError) => void>();

  constructor(device: GPUDevice, info: GPUAdapterInfo) {
    this.device = device;
    this.info = info;
    const { isSoftware, name } = nameAdapter(info);
    this.isSoftware = isSoftware;
    this.description = `WebGPU, ${name}${isSoftware ? ' (software)' : ''}`;
    this.lost = device.lost.then((info) => {
      this.#isLost = true;
      const error = lostError(`the GPU device was lost (${info.reason || 'unknown'}${info.message ? `: ${info.message}` : ''})`);
      for (const reject of this.#waiting) reject(error);
      return info;
    });
    device.addEventListener('uncapturederror', (event) => this.uncaptured.push((event as GPUUncapturedErrorEvent).error));
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Buffers made through a `Scope` and not yet destroyed. */
  get liveBuffers(): number {
    return this.#liveBuffers;
  }

  /**
   * Waits for the device's answer. Rejects with `gpu_lost` when the device goes away or does not answer in time, whatever the
   * promise itself does: on a lost device it may reject, resolve or stay pending.
   */
  async answer<T>(promise: Promise<T>, timeLimitMs = answerTimeLimitMs): Promise<T> {
    if (this.#isLost) {
      promise.catch(() => {});
      throw lostError('the GPU device was lost');
    }
    let giveUp!: (error: AppError) => void;
    const failure = new Promise<never>((_, reject) => (giveUp = reject));
    const timer = setTimeout(() => giveUp(lostError(`the GPU gave no answer within ${timeLimitMs / 1000} s`)), timeLimitMs);
    this.#waiting.add(giveUp);
    try {
      const answer = await Promise.race([promise, failure]);
      // Work queued on a lost device may be reported as done.
      if (this.#isLost) throw lostError('the GPU device was lost');
      return answer;
    } catch (error) {
      if (this.#isLost && !(error instanceof AppError)) throw lostError('the GPU device was lost', error);
      throw error;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(giveUp);
    }
  }

  scope(): Scope {
    return new Scope(this, (change) => (this.#liveBuffers += change));
  }

  destroy(): void {
    this.device.destroy();
  }
}

/** Owns buffers: whoever opens a scope disposes of it. */
export class Scope {
  readonly #gpu: GpuDevice;
  readonly #count: (change: number) => void;
  readonly #buffers: GPUBuffer[] = [];

  constructor(gpu: GpuDevice, count: (change: number) => void) {
    this.#gpu = gpu;
    this.#count = count;
  }

  /** A zeroed buffer of at least `bytes`. */
  buffer(label: string, bytes: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const buffer = this.#gpu.device.createBuffer({ label, size: Math.max(16, Math.ceil(bytes / 4) * 4), usage });
    this.#buffers.push(buffer);
    this.#count(1);
    return buffer;
  }

  /** A buffer that holds `data`. */
  upload(label: string, data: Float32Array | Uint32Array, usage: GPUBufferUsageFlags = GPUBufferUsage.STORAGE): GPUBuffer {
    const buffer = this.buffer(label, data.byteLength, usage | GPUBufferUsage.COPY_DST);
    this.#gpu.device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
    return buffer;
  }

  dispose(): void {
    for (const buffer of this.#buffers) buffer.destroy();
    this.#count(-this.#buffers.length);
    this.#buffers.length = 0;
  }
}

/** Runs `allocate` and rejects with `gpu_out_of_memory` when the device could not find the room. */
export async function allocateOrRefuse<T>(gpu: GpuDevice, what: string, allocate: () => T): Promise<T> {
  gpu.device.pushErrorScope('out-of-memory');
  const result = allocate();
  const error = await gpu.answer(gpu.device.popErrorScope());
  if (error) {
    throw new AppError(
      'gpu_out_of_memory',
      `The GPU has no room for ${what}. Lower the number of futures, or run on the processor.`,
    );
  }
  return result;
}

function lostError(what: string, cause?: unknown): AppError {
  return new AppError('gpu_lost', `The forecast was interrupted: ${what}. It can be started again.`, { cause });
}
