/**
 * The worker: holds the packs, the engines and the one GPU device, and answers the page's calls. With `worker/` the only place besides
 * main.ts that knows which implementation is which.
 */
import { holdLifeLock } from '../life-lock.ts';
import { lockDown } from '../lockdown.ts';
import type { CallName, Calls, FromWorker, ToWorker, WorkerSettings } from './protocol.ts';
import { currentBench } from './worker/bench.ts';
import { samplingTimes } from './worker/dosing.ts';
import { attribution, counterfactual, gradients, neighbours, sensitivity } from './worker/explaining.ts';
import { drawnFuture, forecast, person } from './worker/forecasting.ts';
import type { Handler } from './worker/hooks.ts';
import { goldenOf, shelf } from './worker/packs.ts';
import { planSearch } from './worker/planning.ts';
import { measurementValue, policies } from './worker/policies.ts';
import { sent } from './worker/sent-error.ts';
import { anomalies, conformalTable, recalibrate, standing } from './worker/trusting.ts';
import { isOfPacks, keepSettings } from './worker/settings.ts';
import { validation } from './worker/validation.ts';

/** What TypeScript's two libraries disagree on; this file runs in a dedicated worker. */
interface WorkerScope {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
}
const scope = globalThis as unknown as WorkerScope & typeof globalThis;

// Packs, and the app's own wasm.
lockDown(scope, (url) => url.pathname.endsWith('.wasm') || isOfPacks(url));

type Handlers = { readonly [Name in CallName]: Handler<Name> };

const handlers: Handlers = {
  packs: shelf,
  engine: async () => (await currentBench()).report(),
  golden: ({ packId }) => goldenOf(packId),
  validation,
  person,
  drawnFuture,
  forecast,
  planSearch,
  policies,
  measurementValue,
  samplingTimes,
  anomalies,
  conformalTable,
  recalibrate,
  standing,
  attribution,
  gradients,
  sensitivity,
  counterfactual,
  neighbours,
};

const running = new Map<number, AbortController>();

scope.onmessage = ({ data }) => {
  if (data.type === 'settings') begin(data.settings);
  else if (data.type === 'cancel') running.get(data.id)?.abort();
  else void answer(data.id, data.name, data.argument);
};

function begin(received: WorkerSettings): void {
  keepSettings(received);
  holdLifeLock(received.lifeLock, () => scope.postMessage({ type: 'alive' }));
}

async function answer<Name extends CallName>(id: number, name: Name, argument: Calls[Name]['argument']): Promise<void> {
  const stop = new AbortController();
  running.set(id, stop);
  try {
    const handler = handlers[name] as Handlers[Name];
    const result = await handler(argument, {
      signal: stop.signal,
      onProgress: (fraction) => scope.postMessage({ type: 'progress', id, fraction }),
      onPartial: (found) => scope.postMessage({ type: 'partial', id, answer: found }),
    });
    scope.postMessage({ type: 'answer', id, answer: result });
  } catch (error) {
    scope.postMessage({ type: 'error', id, error: sent(error) });
  } finally {
    running.delete(id);
  }
}
