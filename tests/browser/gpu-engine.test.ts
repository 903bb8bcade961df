import { env, matMul, memory, mul, tensor } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GpuEngine } from '#engine/gpu/forecast.ts';
import { lendDeviceToTfjs, tensorOnBuffer, tfjsEpoch } from '#engine/gpu/tfjs-device.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { asMachine, ResilientEngine } from '#engine/resilient.ts';
import { toyNetwork, toyRequest } from '../fixtures/toy-network.ts';

const request = toyRequest(toyNetwork({ shape: { H: 8, S: 5, L: 1, K: 2, V: 2, M: 2 } }), { steps: 8, rollouts: 80 });

let engine: GpuEngine;
beforeAll(async () => {
  engine = await GpuEngine.create(navigator.gpu);
}, 60_000);
afterAll(() => {
  expect(engine.gpu.uncaptured.map((error) => error.message)).toEqual([]);
  engine.dispose();
});

it('forecasts in the browser what the reference engine forecasts', { timeout: 120_000 }, async () => {
  const found = await engine.rollOut(request);
  const expected = await new ReferenceEngine().rollOut(request);
  found.plans.forEach((plan, p) => {
    expect(plan.alive).toEqual(expected.plans[p].alive);
    // Only f32 rounding over eight contractive steps stands between them, as in tests/conformance/engines.ts.
    expect(worst(plan.quantiles, expected.plans[p].quantiles)).toBeLessThan(2e-5);
    expect(worst(plan.memberMedians, expected.plans[p].memberMedians)).toBeLessThan(2e-5);
    expect(worst(plan.incidence, expected.plans[p].incidence)).toBeLessThan(2e-5);
  });
  expect(worst(found.differences[0].quantiles, expected.differences[0].quantiles)).toBeLessThan(4e-5);
  expect(engine.gpu.liveBuffers).toBe(0);
});

it('lends its device to tfjs, buffers and tensors without copies', { timeout: 120_000 }, async () => {
  const epoch = await lendDeviceToTfjs(engine.gpu);
  expect(tfjsEpoch()).toBe(epoch);
  // Otherwise small tensors are silently computed on the processor.
  env().set('WEBGPU_CPU_FORWARD', false);
  const scope = engine.gpu.scope();
  const buffer = scope.upload('lent', Float32Array.of(1, 2, 3, 4), GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
  const bytesBefore = memory().numBytes;
  const ours = tensorOnBuffer(buffer, [2, 2]);
  const theirs = tensor([
    [0, 1],
    [1, 0],
  ]);
  const product = matMul(ours, theirs);
  expect(Array.from(await product.data())).toEqual([2, 1, 4, 3]);
  product.dispose();
  theirs.dispose();
  ours.dispose();
  scope.dispose();
  expect(memory().numBytes).toBe(bytesBefore);
});

it('goes on after the device is lost, and tfjs with it', { timeout: 240_000 }, async () => {
  const made: GpuEngine[] = [];
  const resilient = await ResilientEngine.create({
    makeGpu: async () => {
      const next = await GpuEngine.create(navigator.gpu);
      made.push(next);
      return asMachine(next, new ReferenceSimulator());
    },
    makeCpu: async () => asMachine(new ReferenceEngine(), new ReferenceSimulator()),
  });
  await lendDeviceToTfjs(made[0].gpu);
  const { plans } = await resilient.rollOut(request, { onProgress: () => made[0].gpu.destroy() });
  expect(made.length).toBe(2);
  expect(plans).toEqual((await engine.rollOut(request)).plans);

  await lendDeviceToTfjs(made[1].gpu);
  const twos = tensor([2, 2]);
  const fours = mul(twos, twos);
  expect(Array.from(await fours.data())).toEqual([4, 4]);
  twos.dispose();
  fours.dispose();
  resilient.dispose();
});

function worst(found: Float32Array, expected: Float32Array): number {
  return Math.max(...expected.map((value, at) => (Object.is(value, found[at]) ? 0 : Math.abs(value - found[at]))));
}
