/** A worker with nothing taken from it, so that the page can prove what its headers alone stop. */
import { tryWays } from './try-ways.ts';
import { scopeWays } from './ways.ts';
import type { Target } from './ways.ts';

const scope = globalThis as unknown as DedicatedWorkerGlobalScope & typeof globalThis;

scope.onmessage = async ({ data }: MessageEvent<Target>) => {
  scope.postMessage(await tryWays(scopeWays, 'worker', data, { speaker: scope }));
};
