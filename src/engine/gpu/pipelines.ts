import type { GpuDevice } from './device.ts';

/** Compute pipelines of one device, made once. Making one takes from milliseconds to seconds, so it never blocks the caller. */
export class Pipelines {
  readonly #gpu: GpuDevice;
  readonly #made = new Map<string, Promise<GPUComputePipeline>>();

  constructor(gpu: GpuDevice) {
    this.#gpu = gpu;
  }

  /** The pipeline of a shader text with one entry point. The text is the key: equal texts are equal pipelines. */
  get(label: string, code: string): Promise<GPUComputePipeline> {
    const known = this.#made.get(code);
    if (known) return known;
    // The software adapter compiles, and under load that has taken twelve seconds.
    const making = this.#gpu.answer(this.#make(label, code), 120_000);
    this.#made.set(code, making);
    making.catch(() => this.#made.delete(code));
    return making;
  }

  async #make(label: string, code: string): Promise<GPUComputePipeline> {
    const { device } = this.#gpu;
    // The pipeline's own error says only that its module is invalid; why, the module says to this scope.
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ label, code });
    const refusal = device.popErrorScope();
    const making = device.createComputePipelineAsync({ label, layout: 'auto', compute: { module } });
    making.catch(() => {});
    const error = await refusal;
    if (error) throw new Error(`The GPU refused the shader '${label}': ${error.message}`);
    return making;
  }
}

export function bind(device: GPUDevice, pipeline: GPUComputePipeline, buffers: readonly GPUBuffer[]): GPUBindGroup {
  return device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
}

export interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  readonly workgroups: readonly [x: number, y: number, z: number];
}

/** Queues the dispatches, in order, as one submission. */
export function submit(device: GPUDevice, dispatches: readonly Dispatch[]): void {
  const encoder = device.createCommandEncoder();
  for (const { pipeline, bindings, workgroups } of dispatches) {
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindings);
    pass.dispatchWorkgroups(...workgroups);
    pass.end();
  }
  device.queue.submit([encoder.finish()]);
}
