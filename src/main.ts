/** Composition root: opens the vault, starts the engine's worker, makes the session, mounts the page. Read this first. */
// Before all other imports: what a library took hold of could not be taken away from it.
import { guard } from '#guard/installed.ts';
import { mount, unmount } from 'svelte';
import './ui/theme/base.css';
// oxlint-disable-next-line import/default -- Vite makes it: the query asks for the address of the built worker.
import engineWorkerUrl from './engine/worker.ts?worker&url';
// oxlint-disable-next-line import/default -- as above
import importWorkerUrl from './interop/worker.ts?worker&url';
// oxlint-disable-next-line import/default -- as above
import vaultWorkerUrl from './vault/worker.ts?worker&url';
// oxlint-disable-next-line import/default -- as above
import proveWorkerUrl from './guard/prove-worker.ts?worker&url';
import App from './App.svelte';
import { Gate } from '#app/gate.svelte.ts';
import type { Remains } from '#app/gate.svelte.ts';
import { Offline } from '#app/offline.svelte.ts';
import { Proof } from '#app/prove.svelte.ts';
import { Session } from '#app/session.svelte.ts';
import type { Next } from '#app/session.svelte.ts';
import { makeClient } from '#engine/client.ts';
import type { WorkerLike } from '#engine/client.ts';
import { siteContext } from '#ui/features/prove/site-context.ts';
import { makeImportClient } from '#interop/client.ts';
import InsecureOrigin from '#ui/features/start/InsecureOrigin.svelte';
import StartScreen from '#ui/features/start/StartScreen.svelte';
import { openDoor } from '#vault/client.ts';
import { browserHost, passkeys } from '#vault/passkey.ts';
import type { Vault } from '#vault/vault.ts';
import { version } from '../package.json';

/** The one policy under which this page makes scripts: a worker of this origin, and nothing else. */
const policy = trustedTypesOf(window)?.createPolicy('app-worker', {
  createScriptURL(url: string) {
    if (new URL(url, location.href).origin !== location.origin) throw new TypeError('A worker may only come from this site.');
    return url;
  },
});

function startWorker(address: string, name: string): Worker {
  // The type of Worker's argument knows no trusted URL yet; at run time the policy demands one.
  const url = (policy?.createScriptURL(address) ?? address) as string;
  return new Worker(url, { type: 'module', name });
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): unknown };
}
function trustedTypesOf(scope: object): TrustedTypes | undefined {
  return 'trustedTypes' in scope ? (scope.trustedTypes as TrustedTypes) : undefined;
}

/** What the page was left with, in the history entry that a reload keeps: that it was locked, and where it goes next. */
interface Left {
  readonly isLocked: boolean;
  readonly next: Next | null;
}

function takeLeft(): Left {
  const left = history.state as Partial<Left> | null;
  history.replaceState(null, '');
  return { isLocked: left?.isLocked === true, next: left?.next ?? null };
}

const leaving = {
  blank: () => (document.body.hidden = true),
  reload(next: Next | null) {
    history.replaceState({ isLocked: true, next } satisfies Left, '');
    location.reload();
  },
};

/** What this browser still holds for this site, the program's own cache apart. */
async function countRemains(): Promise<Remains> {
  const databases = await indexedDB.databases();
  const root = await navigator.storage.getDirectory().catch(() => null);
  const files = root ? await countFiles(root) : 0;
  return { databases: databases.length, files, keptItems: localStorage.length + sessionStorage.length };
}

async function countFiles(folder: FileSystemDirectoryHandle): Promise<number> {
  let files = 0;
  for await (const entry of folder.values()) {
    files += entry.kind === 'directory' ? await countFiles(entry as FileSystemDirectoryHandle) : 1;
  }
  return files;
}

/** The files of this copy of the program: kept for offline use, renewed, proven. Of no session. */
function makeSite(now: () => number) {
  const base = new URL('./', document.baseURI).href;
  const { serviceWorker } = navigator as Partial<Pick<Navigator, 'serviceWorker'>>;
  const offline = new Offline({
    register:
      serviceWorker && import.meta.env.PROD
        ? () => {
            const address = `${base}service-worker.js`;
            return serviceWorker.register((policy?.createScriptURL(address) ?? address) as string, { updateViaCache: 'none' });
          }
        : null,
    container: serviceWorker ?? null,
    reload: () => location.reload(),
  });
  const proof = new Proof({
    guard,
    speaker: document,
    mayLeave: 'navigation' in window,
    base,
    fetch,
    onRequest(listener) {
      new PerformanceObserver((list) => list.getEntries().forEach(({ name }) => listener(name))).observe({
        type: 'resource',
        buffered: true,
      });
    },
    startWorker: () => startWorker(proveWorkerUrl, 'prove'),
    serviceWorker: () => offline.worker,
    now,
  });
  return { offline, proof };
}

async function start(target: HTMLElement): Promise<void> {
  if (!isSecureContext) {
    mount(InsecureOrigin, { target, props: { address: location.origin } });
    return;
  }
  const now = () => Date.now();
  const site = makeSite(now);
  const context = siteContext(site);
  const devicePasskeys = passkeys(browserHost(), 'Counterpart on this device');

  /** Packs and engine begin to load once there is somebody to see them. */
  async function open(vault: Vault): Promise<Session> {
    const client = makeClient({
      startWorker: () => startWorker(engineWorkerUrl, 'engine') as WorkerLike,
      settings: { modelsUrl: new URL('models/', document.baseURI).href, preference: 'automatic' },
      locks: navigator.locks,
      randomName: () => `engine-${crypto.randomUUID()}`,
    });
    const session = new Session({
      vault,
      client,
      importClient: makeImportClient(() => startWorker(importWorkerUrl, 'import')),
      passkeys: devicePasskeys,
      leaving,
      now,
      newId: () => crypto.randomUUID(),
      randomSeed: () => crypto.getRandomValues(new Uint32Array(1))[0]!,
      version,
    });
    await session.start();
    return session;
  }

  const gate = new Gate({
    door: openDoor({ startWorker: () => startWorker(vaultWorkerUrl, 'vault') }),
    passkeys: devicePasskeys,
    open,
    now,
    after: takeLeft(),
    countRemains,
    onentered(session) {
      void unmount(shown);
      mount(App, { target, props: { session }, context });
    },
  });
  const shown = mount(StartScreen, { target, props: { gate, onreload: () => location.reload() }, context });
  await gate.start();
  // Not while the first screen is being made.
  void site.offline.start();
}

void start(document.getElementById('app')!);
