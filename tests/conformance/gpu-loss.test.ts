import { beforeAll, expect, it, vi } from 'vitest';
import { AppError } from '#domain/errors.ts';
import type { RolloutSummary } from '#engine/engine.ts';
import { GpuEngine } from '#engine/gpu/forecast.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { asMachine, ResilientEngine, type EngineChange, type Machine } from '#engine/resilient.ts';
import { probeNodeGpu } from '../../scripts/node-gpu.ts';
import { toyNetwork, toyRequest } from '../fixtures/toy-network.ts';

// The software adapter compiles each shader for seconds, and under load for much longer.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const request = toyRequest(toyNetwork({ shape: { H: 4, S: 2, L: 1, K: 1, V: 1, M: 2 } }), { steps: 4, rollouts: 80 });

let gpu: GPU;
beforeAll(async () => {
  const { gpu: found, reason } = await probeNodeGpu();
  if (!found) throw new Error(reason);
  gpu = found;
});

const results = ({ plans, differences }: RolloutSummary) => ({ plans, differences });

it('many runs leave no buffer behind, nor does one that was stopped', async () => {
  const engine = await GpuEngine.create(gpu);
  const first = await engine.rollOut(request);
  expect(engine.gpu.liveBuffers).toBe(0);
  for (let run = 0; run < 20; run++) expect(results(await engine.rollOut(request))).toEqual(results(first));
  const stop = new AbortController();
  await expect(engine.rollOut(request, { signal: stop.signal, onProgress: () => stop.abort() })).rejects.toMatchObject({
    name: 'AbortError',
  });
  expect(engine.gpu.liveBuffers).toBe(0);
  expect(engine.gpu.uncaptured).toEqual([]);
  engine.dispose();
});

it('a run during which the device goes away rejects with gpu_lost, and so does every later one', async () => {
  const engine = await GpuEngine.create(gpu);
  await expect(engine.rollOut(request, { onProgress: () => engine.gpu.destroy() })).rejects.toMatchObject({ code: 'gpu_lost' });
  await expect(engine.rollOut(request)).rejects.toMatchObject({ code: 'gpu_lost' });
  expect(engine.gpu.liveBuffers).toBe(0);
});

it('a plan too large for the GPU is refused with what to lower', async () => {
  const engine = await GpuEngine.create(gpu);
  const steps = 2_000_000;
  const huge = { ...request, steps, plans: [{ rows: new Float32Array(2 * steps * 15), effectError: new Float32Array(steps) }] };
  await expect(engine.rollOut(huge)).rejects.toMatchObject({
    code: 'gpu_out_of_memory',
    message: /Lower the number of futures below \d+/,
  });
  engine.dispose();
});

it('the resilient engine answers the same after one loss on a new device, and after two on the processor', async () => {
  const changes: EngineChange[] = [];
  const made: GpuEngine[] = [];
  const resilient = await ResilientEngine.create({
    makeGpu: async () => {
      const engine = await GpuEngine.create(gpu);
      made.push(engine);
      return asMachine(engine, new ReferenceSimulator());
    },
    makeCpu: async () => asMachine(new ReferenceEngine(), new ReferenceSimulator()),
    onChange: (change) => changes.push(change),
  });
  const expected = await resilient.rollOut(request);

  // Two runs at once that lose the same device share one rebuild.
  const destroyed = { onProgress: () => made[0].gpu.destroy() };
  const [first, second] = await Promise.all([resilient.rollOut(request, destroyed), resilient.rollOut(request)]);
  expect(results(first)).toEqual(results(expected));
  expect(results(second)).toEqual(results(expected));
  expect(changes.map(({ kind }) => kind)).toEqual(['rebuilt']);
  expect(resilient.kind).toBe('gpu');

  const onProcessor = await resilient.rollOut(request, { onProgress: () => made[1].gpu.destroy() });
  expect(changes.map(({ kind }) => kind)).toEqual(['rebuilt', 'moved-to-cpu']);
  expect(resilient.kind).toBe('reference');
  expect(onProcessor.plans[0].alive).toEqual(expected.plans[0].alive);
  resilient.dispose();
});

it('the resilient engine passes on what is not a loss, and sends one run to the processor when memory is short', async () => {
  const changes: EngineChange[] = [];
  const failing = (code: 'gpu_out_of_memory' | 'request_invalid'): Machine => ({
    kind: 'gpu',
    description: 'fails',
    rollOut: () => Promise.reject(new AppError(code, 'as asked')),
    simulate: () => Promise.reject(new AppError(code, 'as asked')),
    dispose: () => {},
  });
  const options = {
    makeGpu: () => Promise.reject(new Error('not asked')),
    makeCpu: async () => asMachine(new ReferenceEngine(), new ReferenceSimulator()),
    onChange: (change: EngineChange) => changes.push(change),
  };
  await expect(new ResilientEngine(options, failing('request_invalid')).rollOut(request)).rejects.toMatchObject({
    code: 'request_invalid',
  });
  const short = new ResilientEngine(options, failing('gpu_out_of_memory'));
  expect((await short.rollOut(request)).plans.length).toBe(2);
  expect(changes.map(({ kind }) => kind)).toEqual(['one-run-on-cpu']);
  expect(short.kind).toBe('gpu');
});
