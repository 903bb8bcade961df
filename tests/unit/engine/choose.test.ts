import { describe, expect, it } from 'vitest';
import { chooseEngine, findGpu, nameAdapter, timeProbe } from '#engine/choose.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { toyNetwork, toyRequest } from '../../fixtures/toy-network.ts';

const hardware = { found: 'hardware', name: 'Some GPU' } as const;
const software = { found: 'software', name: 'SwiftShader' } as const;

describe('the engine that is chosen', () => {
  it('is the processor where no adapter was found, even when the GPU is insisted on', async () => {
    expect(await findGpu(undefined)).toEqual({ found: 'none' });
    expect(chooseEngine({ finding: { found: 'none' }, forced: 'gpu' }).kind).toBe('cpu');
  });

  it('is the processor on a software adapter unless the GPU is insisted on', () => {
    expect(chooseEngine({ finding: software }).kind).toBe('cpu');
    expect(chooseEngine({ finding: software, forced: 'gpu' }).kind).toBe('gpu');
  });

  it('is a real GPU, unless the trial was faster on the processor or the processor is insisted on', () => {
    expect(chooseEngine({ finding: hardware })).toEqual({ kind: 'gpu', reason: 'Forecasts run on Some GPU.' });
    expect(chooseEngine({ finding: hardware, probe: { gpuMs: 5, cpuMs: 50 } }).kind).toBe('gpu');
    expect(chooseEngine({ finding: hardware, probe: { gpuMs: 50, cpuMs: 5 } }).kind).toBe('cpu');
    expect(chooseEngine({ finding: hardware, probe: { gpuMs: Infinity, cpuMs: 5 } }).kind).toBe('cpu');
    expect(chooseEngine({ finding: hardware, forced: 'cpu' }).kind).toBe('cpu');
  });
});

it('an adapter is software by its flag or by a name known for it', () => {
  const info = (fields: Partial<GPUAdapterInfo>) =>
    ({ vendor: '', architecture: '', description: '', ...fields }) as GPUAdapterInfo;
  expect(nameAdapter(info({ vendor: 'google', architecture: 'swiftshader' }))).toEqual({
    isSoftware: true,
    name: 'google swiftshader',
  });
  expect(nameAdapter(info({ vendor: 'apple', architecture: 'metal-3' }))).toEqual({ isSoftware: false, name: 'apple metal-3' });
  expect(nameAdapter(info({ isFallbackAdapter: true }))).toEqual({ isSoftware: true, name: 'unnamed adapter' });
});

it('the probe takes the least time after a run that warms up, and Infinity for an engine that fails', async () => {
  const request = toyRequest(toyNetwork({ shape: { H: 4, S: 1, M: 1 } }), { steps: 1, rollouts: 2, planCount: 1 });
  let clock = 0;
  const times = [0, 100, 130, 130, 150];
  expect(await timeProbe(new ReferenceEngine(), request, 2, () => times[clock++])).toBe(20);
  expect(await timeProbe(new ReferenceEngine(), { ...request, rollouts: 3 })).toBe(Infinity);
});
