/** Composition root: opens the vault, starts the engine's worker, makes the session, mounts the page. Read this first. */
// Before all other imports: what a library took hold of could not be taken away from it.
import '#guard/installed.ts';
import { mount } from 'svelte';
import './ui/theme/base.css';
// oxlint-disable-next-line import/default -- Vite makes it: the query asks for the address of the built worker.
import workerUrl from './engine/worker.ts?worker&url';
import App from './App.svelte';
import { Session } from '#app/session.svelte.ts';
import { makeClient } from '#engine/client.ts';
import type { WorkerLike } from '#engine/client.ts';
import InsecureOrigin from '#ui/features/start/InsecureOrigin.svelte';
import { openVault } from '#vault/open-vault.ts';
import { version } from '../package.json';

/** The one policy under which this page makes scripts: a worker of this origin, and nothing else. */
const policy = trustedTypesOf(window)?.createPolicy('app-worker', {
  createScriptURL(url: string) {
    if (new URL(url, location.href).origin !== location.origin) throw new TypeError('A worker may only come from this site.');
    return url;
  },
});

function startWorker(): WorkerLike {
  // The type of Worker's argument knows no trusted URL yet; at run time the policy demands one.
  const url = (policy?.createScriptURL(workerUrl) ?? workerUrl) as string;
  return new Worker(url, { type: 'module', name: 'engine' });
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): unknown };
}
function trustedTypesOf(scope: object): TrustedTypes | undefined {
  return 'trustedTypes' in scope ? (scope.trustedTypes as TrustedTypes) : undefined;
}

async function start(target: HTMLElement): Promise<void> {
  if (!isSecureContext) {
    mount(InsecureOrigin, { target, props: { address: location.origin } });
    return;
  }
  const now = () => Date.now();
  const client = makeClient({
    startWorker,
    settings: { modelsUrl: new URL('models/', document.baseURI).href, preference: 'automatic' },
    locks: navigator.locks,
    randomName: () => `engine-${crypto.randomUUID()}`,
  });
  const session = new Session({
    vault: await openVault('counterpart', now),
    client,
    now,
    newId: () => crypto.randomUUID(),
    randomSeed: () => crypto.getRandomValues(new Uint32Array(1))[0]!,
    version,
  });
  await session.start();
  mount(App, { target, props: { session } });
}

void start(document.getElementById('app')!);
