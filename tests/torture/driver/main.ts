/** What the cases call from outside: vault, engine and import as the app starts them, without its screens. */
// oxlint-disable-next-line import/default -- Vite makes it: the query asks for the address of the built worker.
import engineUrl from '#engine/worker.ts?worker&url';
// oxlint-disable-next-line import/default -- As above.
import vaultUrl from '#vault/worker.ts?worker&url';
// oxlint-disable-next-line import/default -- As above.
import importUrl from '#interop/worker.ts?worker&url';
import { makeClient } from '#engine/client.ts';
import type { WorkerLike } from '#engine/client.ts';
import type { Forecast } from '#domain/forecast.ts';
import type { PatientRecord } from '#domain/record.ts';
import type { EnginePreference } from '#engine/protocol.ts';
import { AppError } from '#domain/errors.ts';
import { makeImportClient } from '#interop/client.ts';
import type { ImportWorkerLike } from '#interop/client.ts';
import { openDoor } from '#vault/client.ts';
import type { Shelf, Vault } from '#vault/vault.ts';

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

interface Numbered {
  readonly number: number;
  readonly text: string;
}

/** About 2 kB that no other number has, so that a half-written or swapped record is noticed. */
function textOf(number: number): string {
  let state = number >>> 0;
  let text = '';
  while (text.length < 2000) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x297a2d39) >>> 0;
    text += state.toString(36);
  }
  return text;
}

const door = openDoor({ startWorker: () => startWorker(vaultUrl, 'vault') });
let vault: Vault | null = null;

function shelfOf<T>(table: 'patients' | 'drafts'): Shelf<T> {
  if (!vault) throw new Error('The vault is not open.');
  return vault.shelf(table, (stored) => stored as T);
}

/** Made when there is none. Gives what was found before. */
async function openVault(): Promise<string> {
  const found = await door.look();
  // Said before unlocking is refused, so that a failure names what was found.
  if (found.kind === 'damaged') throw new Error(`The start found damage: ${JSON.stringify(found.damage)}`);
  vault = found.kind === 'nothing' ? (await door.create({ kind: 'none' })).vault : await door.unlock({ kind: 'none' });
  return found.kind;
}

/** As a person would after damage: recover where that is offered. Never throws: the answer is what is asked for. */
async function openDamaged() {
  const found = await door.look();
  try {
    vault = found.kind === 'damaged' ? await door.recover({ kind: 'none' }) : await door.unlock({ kind: 'none' });
    return { found: found.kind, opened: 'open', ...(await readNumbered()) };
  } catch (error) {
    // Refused in words: nothing is shown as if it were all.
    const opened = error instanceof AppError ? error.code : String(error);
    return { found: found.kind, opened, numbers: [], wrong: 0, unreadable: 0 };
  }
}

/** Saves new records, numbered from `from`, each told to `saved` once it is acknowledged. Without a count until the end. */
async function writeNumbered(from: number, count = Infinity): Promise<void> {
  const shelf = shelfOf<Numbered>('patients');
  const saved = (window as unknown as { saved?: (number: number) => void }).saved;
  for (let number = from; number < from + count; number++) {
    await shelf.put(`n${number}`, { number, text: textOf(number) }, null);
    saved?.(number);
  }
}

async function readNumbered(): Promise<{ numbers: number[]; wrong: number; unreadable: number }> {
  const { kept, unreadable } = await shelfOf<Numbered>('patients').all();
  const right = kept.filter(({ id, value }) => id === `n${value.number}` && value.text === textOf(value.number));
  return { numbers: right.map(({ value }) => value.number), wrong: kept.length - right.length, unreadable };
}

/** Records of 60 kB that no disk can compress, until one is refused. */
async function writeUntilRefused(): Promise<{ code: string; written: number }> {
  const shelf = shelfOf<{ noise: string }>('drafts');
  for (let written = 0; written < 20_000; written++) {
    const noise = Array.from(crypto.getRandomValues(new Uint8Array(60_000)), (byte) =>
      String.fromCharCode(32 + (byte % 95)),
    ).join('');
    try {
      await shelf.put(`noise ${written}`, { noise }, null);
    } catch (error) {
      return { code: error instanceof AppError ? error.code : String(error), written };
    }
  }
  return { code: 'never', written: 20_000 };
}

/** `edits` times: one more on the number that all tabs share, and one more on this tab's own. */
async function editShared(who: string, edits: number): Promise<void> {
  const shelf = shelfOf<{ count: number }>('drafts');
  for (let edit = 1; edit <= edits; edit++) {
    for (let isDone = false; !isDone;) {
      const before = await shelf.get('shared');
      try {
        await shelf.put('shared', { count: (before?.value.count ?? 0) + 1 }, before?.updatedAt ?? null);
        isDone = true;
      } catch (error) {
        // Another tab was first: read again.
        if (!(error instanceof AppError) || error.code !== 'vault_in_use') throw error;
      }
    }
    await shelf.put(who, { count: edit }, 'any');
  }
}

async function readShared(): Promise<{ shared: number; own: Record<string, number> }> {
  const { kept } = await shelfOf<{ count: number }>('drafts').all();
  const counts = Object.fromEntries(kept.map(({ id, value }) => [id, value.count]));
  return { shared: counts['shared'] ?? 0, own: counts };
}

const importer = makeImportClient(() => startWorker(importUrl, 'import') as ImportWorkerLike);

/** The file that the test put into the page's field. */
function chosen(): readonly File[] {
  return [...document.querySelector('input')!.files!];
}

/** Opened and staged as the import page does, with the suggested mapping. */
async function readChosen(): Promise<{ ms: number; reports: number; kept: number; message: string }> {
  let reports = 0;
  const hooks = { onProgress: () => void reports++ };
  const began = performance.now();
  const [group] = await importer.call('open', { files: chosen() }, hooks);
  const mapping = group!.table?.suggestion ?? null;
  const summary = await importer.call('stage', { group: group!.id, mapping, confirmed: [], today }, hooks);
  return { ms: performance.now() - began, reports, kept: summary.kept, message: summary.message };
}

/** Begins to read, cancels after a moment, and gives how long the worker then took to answer something else, milliseconds. */
async function cancelChosen(): Promise<number> {
  const stop = new AbortController();
  const reading = importer.call('open', { files: chosen() }, { signal: stop.signal }).catch(() => null);
  await new Promise((done) => setTimeout(done, 300));
  stop.abort();
  const began = performance.now();
  await reading;
  await importer.call('open', { files: [new File(['a,b\n1,2\n'], 'small.csv')] });
  return performance.now() - began;
}

const driver = {
  readChosen,
  cancelChosen,
  openVault,
  openDamaged,
  writeNumbered,
  readNumbered,
  writeUntilRefused,
  editShared,
  readShared,
  prefer,
  forecast,
  held,
  heard: () => heard,
  now: () => performance.now(),
  longTasks,
};
export type Driver = typeof driver;

Object.assign(window, { driver });
