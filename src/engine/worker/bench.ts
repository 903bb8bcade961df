/** What computes in this worker: the engine that was chosen, the processor beside it, the encoder. One of each, made when first asked for. */
import { AppError } from '#domain/errors.ts';
import { encodeHistoryPlain, encoderSteps } from '#twin/encoder-plain.ts';
import type { ForecastDeps } from '#twin/forecast.ts';
import { chooseEngine, findGpu } from '../choose.ts';
import { CpuEngine } from '../cpu/engine.ts';
import { CpuSimulator } from '../cpu/simulation.ts';
import type { FutureEngine, Stepper } from '../engine.ts';
import type { GpuDevice } from '../gpu/device.ts';
import type { EngineReport } from '../protocol.ts';
import { ReferenceEngine } from '../reference/engine.ts';
import { ReferenceSimulator } from '../reference/simulation.ts';
import { asMachine, ResilientEngine, type Machine } from '../resilient.ts';
import { currentSettings } from './settings.ts';

export interface Bench {
  readonly engine: Machine;
  /**
   * The processor, whatever rolls the futures out. The learned twin's particle filter runs on it, whose steps are many and small, and so
   * do policies, which decide future by future.
   */
  readonly stepper: Stepper & FutureEngine & Machine;
  readonly encode: ForecastDeps['encode'];
  readonly report: () => EngineReport;
}

let bench: Promise<Bench> | null = null;

export function currentBench(): Promise<Bench> {
  // A failed start is not kept: the next call tries again.
  bench ??= makeBench().catch((error: unknown) => {
    bench = null;
    throw error;
  });
  return bench;
}

async function makeBench(): Promise<Bench> {
  const { preference } = currentSettings();
  if (preference === 'reference') {
    const plain = new ReferenceEngine();
    const engine = asStepper(plain, asMachine(plain, new ReferenceSimulator()));
    const report: EngineReport = {
      kind: 'reference',
      description: engine.description,
      reason: 'It was asked for.',
      attempts: [],
    };
    return { engine, stepper: engine, encode: encodeHistoryPlain, report: () => report };
  }
  const processor = await CpuEngine.create();
  const stepper = asStepper(processor, asMachine(processor, new CpuSimulator()));
  const finding = await findGpu(navigator.gpu);
  const attempts = [finding.found === 'none' ? 'WebGPU: no adapter' : `WebGPU: ${finding.found} adapter, ${finding.name}`];
  const choice = chooseEngine({ finding, ...(preference === 'automatic' ? {} : { forced: preference }) });
  const onCpu = (reason: string): Bench => {
    const report: EngineReport = { kind: 'cpu', description: stepper.description, reason, attempts };
    return { engine: stepper, stepper, encode: encodeHistoryPlain, report: () => report };
  };
  if (choice.kind === 'cpu') return onCpu(choice.reason);
  try {
    return await onGpu(stepper, choice.reason, attempts);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'gpu_unavailable') throw error;
    attempts.push(error.message);
    return onCpu(error.message);
  }
}

function asStepper(own: Stepper & FutureEngine, machine: Machine): Stepper & FutureEngine & Machine {
  return { ...machine, advance: (...step) => own.advance(...step), futures: (...run) => own.futures(...run) };
}

/** The GPU's code and tfjs are fetched only here, so that a machine without one never loads them. */
async function onGpu(stepper: Bench['stepper'], reason: string, attempts: string[]): Promise<Bench> {
  const [{ acquireDevice }, { GpuEngine }, { GpuSimulator }, { lendDeviceToTfjs, tensorsHeld }, { encodeHistory }] =
    await Promise.all([
      import('../gpu/device.ts'),
      import('../gpu/forecast.ts'),
      import('../gpu/simulation.ts'),
      import('../gpu/tfjs-device.ts'),
      import('#twin/encoder.ts'),
    ]);
  let device: GpuDevice | null = null;
  const makeGpu = async () => {
    const gpu = await acquireDevice(navigator.gpu);
    device = gpu;
    await lendDeviceToTfjs(gpu);
    return asMachine(new GpuEngine(gpu), new GpuSimulator(gpu));
  };
  const engine = await ResilientEngine.create({
    makeGpu,
    makeCpu: async () => stepper,
    onChange: (change) => attempts.push('reason' in change ? change.reason : 'The GPU was lost and given back.'),
  });
  // The plain encoder gives the same answer but for the last digits, and a filter that copies particles makes more of them. So a run that
  // is made again after the GPU was lost starts from what was encoded before.
  let lastEncoded: { readonly key: string; readonly encoded: Awaited<ReturnType<typeof encodeHistory>> } | null = null;
  return {
    engine,
    stepper,
    encode: async (pack, history) => {
      const { values, mask, v } = encoderSteps(pack.network, history);
      const key = [pack.digest, values, mask, v, history.covariates].join(' ');
      if (lastEncoded?.key === key) return lastEncoded.encoded;
      if (engine.kind !== 'gpu') return encodeHistoryPlain(pack, history);
      // On a lost device tfjs throws (a RangeError from mapping a new buffer), or answers zeros without an error; then the plain encoder
      // answers. The rollout that follows meets the loss too, and there it is mended.
      const encoded = await encodeHistory(pack, history).catch(() => null);
      const isWhole = encoded?.every(({ mean, scale }) => mean.every(Number.isFinite) && scale.every((value) => value > 0));
      if (!encoded || !isWhole) return encodeHistoryPlain(pack, history);
      lastEncoded = { key, encoded };
      return encoded;
    },
    report: () => ({
      kind: engine.kind,
      description: engine.description,
      reason: engine.kind === 'gpu' ? reason : (attempts.at(-1) ?? reason),
      attempts: [...attempts],
      ...(device && engine.kind === 'gpu' ? { held: { tensors: tensorsHeld(), buffers: device.liveBuffers } } : {}),
    }),
  };
}
