/** What the cases call from outside: vault, engine and import as the app starts them, without its screens. */
// oxlint-disable-next-line import/default -- Vite makes it: the query asks for the address of the built worker.
import engineUrl from '#engine/worker.ts?worker&url';
import { makeClient } from '#engine/client.ts';
import type { WorkerLike } from '#engine/client.ts';
import type { Forecast } from '#domain/forecast.ts';
import type { PatientRecord } from '#domain/record.ts';
import type { EnginePreference } from '#engine/protocol.ts';

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}
const trusted = (window as unknown as { trustedTypes?: TrustedTypes }).trustedTypes;
const policy = trusted?.createPolicy('app-worker', { createScriptURL: (url) => url });
const startWorker = (url: string, name: string) => new Worker(policy?.createScriptURL(url) ?? url, { type: 'module', name });

const today = '2026-03-01';
const engine = makeClient({
  startWorker: () => startWorker(engineUrl, 'engine') as WorkerLike,
  settings: { modelsUrl: new URL('models/', document.baseURI).href, preference: 'automatic' },
  locks: navigator.locks,
  randomName: () => `engine-${crypto.randomUUID()}`,
});

/** Milliseconds since the page's start at which a run said that it lives. */
let heard: number[] = [];

async function prefer(preference: EnginePreference): Promise<string> {
  engine.restart({ preference });
  const report = await engine.call('engine', null);
  return report.kind;
}

async function person(packId: string, seed: number): Promise<PatientRecord> {
  const drawn = await engine.call('person', { packId, seed, today, now: `${today}T08:00` });
  return { ...drawn, id: 'torture', alias: 'Torture', isSynthetic: true, updatedAt: 0 };
}

async function forecast(packId: string, seed: number, rollouts: number): Promise<{ forecast: Forecast; ms: number }> {
  const record = await person(packId, seed);
  heard = [];
  const began = performance.now();
  const made = await engine.call(
    'forecast',
    { packId, record, plans: [], today, now: `${today}T08:00`, rollouts, seed },
    { onProgress: () => heard.push(performance.now()) },
  );
  return { forecast: made, ms: performance.now() - began };
}

/** What the GPU's worker holds between runs. */
async function held(): Promise<{ tensors: number; buffers: number } | null> {
  return (await engine.call('engine', null)).held ?? null;
}

/** Tasks of over 50 ms on this page since the last call, in milliseconds: what a person would feel as a freeze. */
const tasks: number[] = [];
new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
  type: 'longtask',
});
function longTasks(): number[] {
  return tasks.splice(0);
}

const driver = { prefer, forecast, held, heard: () => heard, now: () => performance.now(), longTasks };
export type Driver = typeof driver;

Object.assign(window, { driver });
