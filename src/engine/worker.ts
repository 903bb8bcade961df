/**
 * The worker: holds the packs, the engines and the one GPU device, and answers the page's calls. The only file besides main.ts that
 * knows which implementation is which.
 */
import { lockDown } from './lockdown.ts';
import { drawPerson } from '#cohorts/people.ts';
import { AppError, invariant } from '#domain/errors.ts';
import { seedFrom } from '#numerics/random.ts';
import { listPacks, loadPack } from '#packs/catalogue.ts';
import { leverInterventions } from '#packs/manifest-views.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { encodeHistoryPlain, encodePlain } from '#twin/encoder-plain.ts';
import { forecast } from '#twin/forecast.ts';
import type { ForecastDeps } from '#twin/forecast.ts';
import { usualCareId } from '#twin/plan-check.ts';
import { CpuEngine } from './cpu/engine.ts';
import { chooseEngine, findGpu } from './choose.ts';
import type { Engine, Stepper } from './engine.ts';
import { goldenTolerance, runGolden } from './golden.ts';
import type {
  CallName,
  Calls,
  EngineReport,
  FromWorker,
  GoldenReport,
  PackShelf,
  RefusedPack,
  SentError,
  ToWorker,
  WorkerSettings,
} from './protocol.ts';
import { ReferenceEngine } from './reference/engine.ts';
import { ResilientEngine } from './resilient.ts';

/** What TypeScript's two libraries disagree on; this file runs in a dedicated worker. */
interface WorkerScope {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
}
const scope = globalThis as unknown as WorkerScope & typeof globalThis;

let settings: WorkerSettings | null = null;
lockDown(scope, () => settings?.modelsUrl ?? null);

interface Bench {
  readonly engine: Engine;
  /** The twin's particle filter runs on the processor whatever rolls the futures out: its steps are many and small. */
  readonly stepper: Stepper & Engine;
  readonly encode: ForecastDeps['encode'];
  readonly report: () => EngineReport;
}

let bench: Promise<Bench> | null = null;
const packs = new Map<string, Promise<LearnedPack>>();
const goldens = new Map<string, Promise<GoldenReport>>();

function currentBench(): Promise<Bench> {
  // A failed start is not kept: the next call tries again.
  bench ??= makeBench().catch((error: unknown) => {
    bench = null;
    throw error;
  });
  return bench;
}

async function makeBench(): Promise<Bench> {
  const preference = settings?.preference ?? 'automatic';
  if (preference === 'reference') {
    const engine = new ReferenceEngine();
    const report: EngineReport = {
      kind: 'reference',
      description: engine.description,
      reason: 'It was asked for.',
      attempts: [],
    };
    return { engine, stepper: engine, encode: encodeHistoryPlain, report: () => report };
  }
  const stepper = await CpuEngine.create();
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

/** The GPU's code and tfjs are fetched only here, so that a machine without one never loads them. */
async function onGpu(stepper: CpuEngine, reason: string, attempts: string[]): Promise<Bench> {
  const [{ acquireDevice }, { GpuEngine }, { lendDeviceToTfjs }, { encodeHistory }] = await Promise.all([
    import('./gpu/device.ts'),
    import('./gpu/forecast.ts'),
    import('./gpu/tfjs-device.ts'),
    import('#twin/encoder.ts'),
  ]);
  const makeGpu = async () => {
    const gpu = await acquireDevice(navigator.gpu);
    await lendDeviceToTfjs(gpu);
    return new GpuEngine(gpu);
  };
  const engine = await ResilientEngine.create({
    makeGpu,
    makeCpu: async () => stepper,
    onChange: (change) => attempts.push('reason' in change ? change.reason : 'The GPU was lost and given back.'),
  });
  return {
    engine,
    stepper,
    encode: async (pack, history) => {
      // On a lost device tfjs answers zeros without an error; the plain encoder is the same answer.
      if (engine.kind !== 'gpu') return encodeHistoryPlain(pack, history);
      const encoded = await encodeHistory(pack, history);
      const isWhole = encoded.every(({ mean, scale }) => mean.every(Number.isFinite) && scale.every((value) => value > 0));
      return isWhole ? encoded : encodeHistoryPlain(pack, history);
    },
    report: () => ({
      kind: engine.kind,
      description: engine.description,
      reason: engine.kind === 'gpu' ? reason : (attempts.at(-1) ?? reason),
      attempts: [...attempts],
    }),
  };
}

async function fetchBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  invariant(settings, 'the page sends settings before any call');
  // Paths come as `models/…`; the folder itself may lie below any address.
  const response = await fetch(new URL(path.replace(/^models\//, ''), settings.modelsUrl));
  if (!response.ok) throw new AppError('pack_not_found', `${path}: the server answered ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}

function packOf(id: string): Promise<LearnedPack> {
  const known = packs.get(id);
  if (known) return known;
  const loading = loadPack(id, fetchBytes);
  packs.set(id, loading);
  loading.catch(() => packs.delete(id));
  return loading;
}

async function shelf(): Promise<PackShelf> {
  const listings = await listPacks(fetchBytes);
  const outcomes = await Promise.allSettled(listings.map(({ id }) => packOf(id)));
  const refused: RefusedPack[] = [];
  const found = outcomes.flatMap((outcome, index) => {
    if (outcome.status === 'fulfilled')
      return [{ manifest: outcome.value.manifest, digest: outcome.value.digest, card: outcome.value.card }];
    const { code, message } = sent(outcome.reason);
    refused.push({ id: listings[index]!.id, code: code ?? 'unknown', message });
    return [];
  });
  return { packs: found, refused };
}

/** Asked once a pack for as long as this worker and its engine live. */
function goldenOf(packId: string): Promise<GoldenReport> {
  const known = goldens.get(packId);
  if (known) return known;
  const checking = checkGolden(packId);
  goldens.set(packId, checking);
  checking.catch(() => goldens.delete(packId));
  return checking;
}

async function checkGolden(packId: string): Promise<GoldenReport> {
  const [pack, { engine }] = [await packOf(packId), await currentBench()];
  const report = await runGolden(engine, pack, encodePlain);
  const cases = pack.golden.rollouts.length + pack.golden.encoder.length;
  return {
    packId,
    isPassed: report.passed,
    engine: engine.description,
    lines: [
      `${cases} stored cases were asked again on ${engine.description}.`,
      `Largest difference: ${report.maxError.toExponential(1)}; allowed: ${goldenTolerance.toExponential(0)}.`,
      ...report.failed.map(({ id, where, found, expected }) => `${id}, ${where}: found ${found}, expected ${expected}.`),
    ],
  };
}

type Handlers = {
  readonly [Name in CallName]: (argument: Calls[Name]['argument'], hooks: Hooks) => Promise<Calls[Name]['answer']>;
};
interface Hooks {
  readonly signal: AbortSignal;
  readonly onProgress: (fraction: number) => void;
}

const handlers: Handlers = {
  packs: shelf,
  engine: async () => (await currentBench()).report(),
  golden: ({ packId }) => goldenOf(packId),
  async person({ packId, seed, today }) {
    const [pack, { stepper }] = [await packOf(packId), await currentBench()];
    // Where the evidence is all of treatments begun at entry, the person stands there, so that plans can be compared inside it. Elsewhere
    // a quarter of the history that the pack can read: a course to see, and most people are still without an event.
    const isAtEntry = leverInterventions(pack.manifest).every(({ timing }) => timing === 'from-entry');
    const historySteps = isAtEntry ? 0 : Math.max(1, Math.round(pack.manifest.grid.historySteps / 4));
    const draw = (number: number) => {
      const { record } = drawPerson(pack, seedFrom(seed), { historySteps, today, stepper, number });
      return isAtEntry ? { ...record, treatments: [] } : record;
    };
    // A demonstration shows what a forecast looks like, so people at the edge of the pack are drawn again; the page says so.
    for (let number = 1; number < demonstrationAttempts; number++) {
      const record = draw(number);
      const { status, fit } = await forecast(
        { pack, record, today, plans: [], rollouts: 200, seed: 1 },
        { engine: stepper, stepper, encode: encodeHistoryPlain },
      );
      if (status === 'completed' && fit.standing === 'fits') return record;
    }
    return draw(demonstrationAttempts);
  },
  async forecast({ packId, record, plans, today, rollouts, seed }, { signal, onProgress }) {
    const [pack, { engine, stepper, encode }] = [await packOf(packId), await currentBench()];
    const golden = await goldenOf(packId);
    if (!golden.isPassed) {
      throw new AppError(
        'pack_golden_failed',
        `${pack.manifest.title}: this device does not repeat the pack’s stored answers, so no forecast is made on it. Choose another engine.`,
      );
    }
    const answer = await forecast(
      { pack, record, today, rollouts, seed, plans: plans.filter(({ id }) => id !== usualCareId) },
      { engine, stepper, encode, now: () => performance.now() },
      { signal, onProgress },
    );
    return answer;
  },
};

const demonstrationAttempts = 6;

const running = new Map<number, AbortController>();

scope.onmessage = ({ data }) => {
  if (data.type === 'settings') begin(data.settings);
  else if (data.type === 'cancel') running.get(data.id)?.abort();
  else void answer(data.id, data.name, data.argument);
};

function begin(received: WorkerSettings): void {
  settings = received;
  // Held for ever: the browser frees it when this worker ends, and so the page learns of its death.
  void navigator.locks?.request(received.lifeLock, () => {
    scope.postMessage({ type: 'alive' });
    return new Promise(() => {});
  });
}

async function answer<Name extends CallName>(id: number, name: Name, argument: Calls[Name]['argument']): Promise<void> {
  const stop = new AbortController();
  running.set(id, stop);
  try {
    const handler = handlers[name] as Handlers[Name];
    const result = await handler(argument, {
      signal: stop.signal,
      onProgress: (fraction) => scope.postMessage({ type: 'progress', id, fraction }),
    });
    scope.postMessage({ type: 'answer', id, answer: result });
  } catch (error) {
    scope.postMessage({ type: 'error', id, error: sent(error) });
  } finally {
    running.delete(id);
  }
}

function sent(error: unknown): SentError {
  if (error instanceof AppError) return { name: error.name, code: error.code, message: error.message };
  if (error instanceof Error) return { name: error.name, code: null, message: error.message };
  return { name: 'Error', code: null, message: 'The worker failed without saying why.' };
}
