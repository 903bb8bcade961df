import { expect, test } from 'vitest';
import { gpuEnvironment, swiftShaderFolder } from '../../../scripts/gpu-environment.mjs';
import { requestNodeGpu } from '../../../scripts/node-gpu.ts';

test('a driver that somebody chose is left alone', () => {
  expect(gpuEnvironment({ VK_ICD_FILENAMES: '/some/driver.json' })).toEqual({});
});

test.skipIf(!swiftShaderFolder())('a test in Node runs a shader', async () => {
  const gpu = await requestNodeGpu();
  const adapter = await gpu!.requestAdapter();
  const device = await adapter!.requestDevice();
  const code =
    '@group(0) @binding(0) var<storage, read_write> x: array<u32>; @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) i: vec3u) { x[i.x] = i.x * i.x; }';
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  });
  const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const readback = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer } }] }),
  );
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(buffer, 0, readback, 0, 16);
  device.queue.submit([encoder.finish()]);
  await readback.mapAsync(GPUMapMode.READ);
  expect([...new Uint32Array(readback.getMappedRange())]).toEqual([0, 1, 4, 9]);
  device.destroy();
});
