/**
 * The worker: holds the packs, the engines and the one GPU device, and answers the page's calls. The only file besides main.ts that
 * knows which implementation is which.
 */
import { lockDown } from '../lockdown.ts';
import { demonstrationRecord } from '#cohorts/demonstrations.ts';
import { drawPerson } from '#cohorts/people.ts';
import { AppError, invariant } from '#domain/errors.ts';
import type { CovariateChange } from '#domain/dosing.ts';
import type { Regimen } from '#domain/plan.ts';
import type { IsoDate, IsoMinute, PatientRecord } from '#domain/record.ts';
import { seedFrom } from '#numerics/random.ts';
import { listPacks, loadPack } from '#packs/catalogue.ts';
import { leverInterventions } from '#packs/manifest-views.ts';
import { isLearned, type EquationsPack, type LearnedPack, type Pack } from '#packs/pack.ts';
import { searchDoses } from '#planning/dose-search.ts';
import { courseOf, timelineOf } from '#twin/equations/course.ts';
import { fitPerson, withDraws, type FittedPerson } from '#twin/equations/fitted-person.ts';
import { forecastEquations } from '#twin/equations/forecast.ts';
import { bodySize } from '#twin/equations/person.ts';
import { samplingTimes } from '#twin/equations/sampling-times.ts';
import { encodeHistoryPlain, encodePlain } from '#twin/encoder-plain.ts';
import { forecast } from '#twin/forecast.ts';
import type { ForecastDeps } from '#twin/forecast.ts';
import { usualCareId } from '#twin/plan-check.ts';
import { CpuEngine } from './cpu/engine.ts';
import { CpuSimulator } from './cpu/simulation.ts';
import { chooseEngine, findGpu } from './choose.ts';
import type { Stepper } from './engine.ts';
import { runEquationsGolden } from './equations-golden.ts';
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
import type { GpuDevice } from './gpu/device.ts';
import { ReferenceEngine } from './reference/engine.ts';
import { ReferenceSimulator } from './reference/simulation.ts';
import { asMachine, ResilientEngine, type Machine } from './resilient.ts';

/** What TypeScript's two libraries disagree on; this file runs in a dedicated worker. */
interface WorkerScope {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
}
const scope = globalThis as unknown as WorkerScope & typeof globalThis;

let settings: WorkerSettings | null = null;
// Packs, and the app's own wasm.
lockDown(scope, (url) => url.pathname.endsWith('.wasm') || (settings !== null && url.href.startsWith(settings.modelsUrl)));

interface Bench {
  readonly engine: Machine;
  /** The learned twin's particle filter runs on the processor whatever rolls the futures out: its steps are many and small. */
  readonly stepper: Stepper & Machine;
  readonly encode: ForecastDeps['encode'];
  readonly report: () => EngineReport;
}

let bench: Promise<Bench> | null = null;
const packs = new Map<string, Promise<Pack>>();
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

function asStepper(stepper: Stepper, machine: Machine): Stepper & Machine {
  return { ...machine, advance: (...step) => stepper.advance(...step) };
}

/** The GPU's code and tfjs are fetched only here, so that a machine without one never loads them. */
async function onGpu(stepper: Stepper & Machine, reason: string, attempts: string[]): Promise<Bench> {
  const [{ acquireDevice }, { GpuEngine }, { GpuSimulator }, { lendDeviceToTfjs, tensorsHeld }, { encodeHistory }] =
    await Promise.all([
      import('./gpu/device.ts'),
      import('./gpu/forecast.ts'),
      import('./gpu/simulation.ts'),
      import('./gpu/tfjs-device.ts'),
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
  return {
    engine,
    stepper,
    encode: async (pack, history) => {
      if (engine.kind !== 'gpu') return encodeHistoryPlain(pack, history);
      // On a lost device tfjs throws (a RangeError from mapping a new buffer), or answers zeros without an error; the plain encoder
      // gives the same answer. The rollout that follows meets the loss too, and there it is mended.
      const encoded = await encodeHistory(pack, history).catch(() => null);
      const isWhole = encoded?.every(({ mean, scale }) => mean.every(Number.isFinite) && scale.every((value) => value > 0));
      return encoded && isWhole ? encoded : encodeHistoryPlain(pack, history);
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

async function fetchBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  invariant(settings, 'the page sends settings before any call');
  // Paths come as `models/…`; the folder itself may lie below any address.
  const response = await fetch(new URL(path.replace(/^models\//, ''), settings.modelsUrl));
  if (!response.ok) throw new AppError('pack_not_found', `${path}: the server answered ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}

function packOf(id: string): Promise<Pack> {
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
  if (!isLearned(pack)) return checkEquationsGolden(pack, engine);
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

async function checkEquationsGolden(pack: EquationsPack, engine: Machine): Promise<GoldenReport> {
  const report = await runEquationsGolden(engine, pack);
  return {
    packId: pack.manifest.id,
    isPassed: report.passed,
    engine: engine.description,
    lines: [
      `${pack.golden.cases.length} stored cases were asked again on ${engine.description}.`,
      `Largest difference: ${(100 * report.maxError).toPrecision(2)} % of what is allowed.`,
      ...report.failed.map(({ id, where, found, expected }) => `${id}, ${where}: found ${found}, expected ${expected}.`),
    ],
  };
}

async function requirePassed(pack: Pack): Promise<void> {
  const golden = await goldenOf(pack.manifest.id);
  if (golden.isPassed) return;
  throw new AppError(
    'pack_golden_failed',
    `${pack.manifest.title}: this device does not repeat the pack’s stored answers, so no forecast is made on it. Choose another engine.`,
  );
}

async function equationsPackOf(id: string): Promise<EquationsPack> {
  const pack = await packOf(id);
  if (isLearned(pack))
    throw new AppError('request_invalid', `${pack.manifest.title} has no doses to ask about. Choose another pack.`);
  await requirePassed(pack);
  return pack;
}

/** Progress of a part of the work, from one fraction to another. */
function part({ signal, onProgress }: Hooks, from: number, to: number): Hooks {
  return { signal, onProgress: (fraction) => onProgress(from + fraction * (to - from)) };
}

/** So many posterior draws are kept of the last fitted person; whoever needs fewer takes an even share of them. */
const fittedDraws = 10_000;
let lastFit: { readonly key: string; readonly fitted: Promise<FittedPerson>; readonly signal: AbortSignal } | null = null;

/** The forecast, the dose search and the sampling times of one page are about one fit. */
function fittedOf(
  pack: EquationsPack,
  record: PatientRecord,
  now: IsoMinute,
  seed: number,
  wanted: number,
  hooks: Hooks,
): Promise<FittedPerson> {
  const lanes = Math.max(wanted, fittedDraws);
  const key = JSON.stringify([pack.digest, record, now, seed, lanes]);
  // A fit that somebody stopped is nobody else's.
  if (lastFit?.key !== key || lastFit.signal.aborted) {
    const fitted = currentBench().then(({ engine }) =>
      fitPerson({ pack, record, now, lanes, seed }, { simulator: engine, now: () => performance.now() }, hooks),
    );
    lastFit = { key, fitted, signal: hooks.signal };
    fitted.catch(() => {
      if (lastFit?.fitted === fitted) lastFit = null;
    });
  }
  return lastFit.fitted;
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
  async person({ packId, seed, today, now = `${today}T00:00` }) {
    const [pack, { stepper }] = [await packOf(packId), await currentBench()];
    if (isLearned(pack)) return drawDemonstration(pack, stepper, seed, today);
    const record = demonstrationRecord(pack.manifest, seed, now);
    if (!record) throw new AppError('request_invalid', `${pack.manifest.title} brings no demonstration person. Enter one.`);
    return record;
  },
  async forecast({ packId, record, plans, today, now = `${today}T00:00`, rollouts, seed }, hooks) {
    const [pack, { engine, stepper, encode }] = [await packOf(packId), await currentBench()];
    await requirePassed(pack);
    const others = plans.filter(({ id }) => id !== usualCareId);
    const deps = { engine, stepper, encode, now: () => performance.now() };
    if (isLearned(pack)) return forecast({ pack, record, today, rollouts, seed, plans: others }, deps, hooks);
    const fitted = withDraws(await fittedOf(pack, record, now, seed, rollouts, part(hooks, 0, 0.6)), rollouts);
    return forecastEquations({ pack, fitted, plans: others, seed }, { simulator: engine, now: deps.now }, part(hooks, 0.6, 1));
  },
  async doseSearch({ packId, record, now, question }, hooks) {
    const [pack, { engine }] = [await equationsPackOf(packId), await currentBench()];
    const { person, twin } = await fittedOf(pack, record, now, question.seed, fittedDraws, part(hooks, 0, 0.3));
    const models = twin.models.map(({ program, lanes }) => ({
      program,
      lanes,
      initialStates: courseOf(program, person).initialStates,
      toModelTime: courseOf(program, person).toModelTime,
      timelineOf: (regimens: readonly Regimen[], changes: readonly CovariateChange[]) => {
        const plan = { id: 'candidate', name: 'Candidate', blocks: [], regimens, stopsCurrentDoses: true };
        return timelineOf(program, person, { plan, changes, horizonDays: question.horizonDays });
      },
    }));
    const deps = { manifest: pack.manifest, models, simulator: engine, bodySize: bodySize(person), now: () => performance.now() };
    return searchDoses(question, deps, part(hooks, 0.3, 1));
  },
  async samplingTimes({ packId, record, now, question }, hooks) {
    const [pack, { engine }] = [await equationsPackOf(packId), await currentBench()];
    const fitted = await fittedOf(pack, record, now, question.seed, fittedDraws, part(hooks, 0, 0.5));
    return samplingTimes(question, { manifest: pack.manifest, fitted, simulator: engine }, hooks);
  },
};

async function drawDemonstration(
  pack: LearnedPack,
  stepper: Stepper & Machine,
  seed: number,
  today: IsoDate,
): Promise<PatientRecord> {
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
}

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
