/**
 * The service worker: keeps every file of this build on the device, so that the app works without a network, and is a lock of its own
 * on the way out. Three promises: a file is kept and served only if its SHA-256 is the one that the build listed, so a changed network
 * file and a poisoned cache entry are refused; every answer carries the security headers, as the server's do; a new version waits until
 * the person takes it.
 */
import { contentTypes } from './guard/content-types.mjs';
import { securityHeaders } from './guard/headers.mjs';
import type { ListedFile, ToServiceWorker, FromServiceWorker, KeptFiles } from './guard/service-worker-messages.ts';
import { tryWays } from './guard/try-ways.ts';
import type { Attempt } from './guard/try-ways.ts';
import { scopeWays } from './guard/ways.ts';
import type { Target } from './guard/ways.ts';
import { lockDown } from './lockdown.ts';

const scope = globalThis as unknown as ServiceWorkerGlobalScope & typeof globalThis;
// Written here by the build (vite.config.ts): each file's address from this folder, its SHA-256 in hex, its bytes.
const list = (self as unknown as { listedFiles: readonly ListedFile[] }).listedFiles;

const realFetch = scope.fetch.bind(scope);
lockDown(scope, () => false);

const base = new URL('./', scope.location.href).href;
const files = new Map(list.map((file) => [new URL(file.url, base).pathname, file]));
const shell = files.get(new URL('index.html', base).pathname);
// Caches belong to the origin, on which several copies of the app may stand in folders of their own.
const cacheName = `counterpart-files ${base}`;

/** Files are kept under their digest: what did not change between two builds is kept once, and is not fetched again. */
const keyOf = ({ revision }: ListedFile) => new URL(`kept/${revision}`, base).href;

scope.addEventListener('install', (event) => event.waitUntil(keepAll()));

scope.addEventListener('activate', (event) => event.waitUntil(dropOthers()));

scope.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== scope.location.origin || (request.method !== 'GET' && request.method !== 'HEAD')) {
    // The page's policy forbids both already.
    event.respondWith(Response.error());
    return;
  }
  // HEAD goes to the server: it is how the page sees the server's own headers. So does what no build lists, such as the recovery page.
  // By path alone: the address of a page also has the screen's name, after the #.
  const file = url.pathname === new URL(base).pathname ? shell : files.get(url.pathname);
  if (file && request.method === 'GET') event.respondWith(answer(file));
});

scope.addEventListener('message', (event) => {
  const message = event.data as ToServiceWorker;
  const reply = (value: unknown) => event.ports[0]?.postMessage(value);
  if (message.type === 'take-over') void scope.skipWaiting();
  else if (message.type === 'kept') event.waitUntil(kept().then(reply));
  else if (message.type === 'try-ways') event.waitUntil(tryOut(message.target).then(reply));
});

/** From the page's proof, so nothing is tried that would take that page away. */
function tryOut(target: Target): Promise<readonly Attempt[]> {
  return tryWays(scopeWays, 'service-worker', target, { speaker: scope, mayLeave: false });
}

/** All or nothing: the browser keeps the version before when one file cannot be had. */
async function keepAll(): Promise<void> {
  const cache = await caches.open(cacheName);
  let done = 0;
  let bytes = 0;
  const queue = [...list];
  const keepNext = async (): Promise<void> => {
    for (let file = queue.pop(); file; file = queue.pop()) {
      if (!(await readKept(cache, file))) await keep(cache, file, await download(file));
      done++;
      bytes += file.bytes;
      await tellPages({ type: 'progress', done, total: list.length, bytes });
    }
  };
  // Two at a time: the page that is being used comes first.
  await Promise.all([keepNext(), keepNext()]);
}

async function dropOthers(): Promise<void> {
  const cache = await caches.open(cacheName);
  const wanted = new Set(list.map(keyOf));
  for (const request of await cache.keys()) if (!wanted.has(request.url)) await cache.delete(request);
}

/** What is kept of this build; a browser short of space may have dropped it all. */
async function kept(): Promise<KeptFiles> {
  const cache = await caches.open(cacheName);
  const there = new Set((await cache.keys()).map(({ url }) => url));
  const held = list.filter((file) => there.has(keyOf(file)));
  return { files: held.length, total: list.length, bytes: held.reduce((sum, file) => sum + file.bytes, 0) };
}

async function answer(file: ListedFile): Promise<Response> {
  const cache = await caches.open(cacheName);
  const own = await readKept(cache, file);
  if (own) return dressed(own, file);
  try {
    const fresh = await download(file);
    await keep(cache, file, fresh);
    return dressed(fresh, file);
  } catch {
    // The server has another version by now. Its page may start, since its files have names of their own; a part of this one may not.
    if (file === shell) return realFetch(base).catch(() => Response.error());
    return Response.error();
  }
}

/** The bytes kept for a file, or null when there are none or they are not what the build listed; those are dropped. */
async function readKept(cache: Cache, file: ListedFile): Promise<ArrayBuffer | null> {
  const found = await cache.match(keyOf(file));
  if (!found) return null;
  const bytes = await found.arrayBuffer();
  if ((await sha256(bytes)) === file.revision) return bytes;
  await cache.delete(keyOf(file));
  return null;
}

async function download(file: ListedFile): Promise<ArrayBuffer> {
  // A cache on the way may hold the version before; then the server is asked past it.
  for (const cache of ['default', 'reload'] as const) {
    const response = await realFetch(new URL(file.url, base), { cache, credentials: 'same-origin', redirect: 'error' });
    const bytes = response.ok ? await response.arrayBuffer() : null;
    if (bytes && (await sha256(bytes)) === file.revision) return bytes;
  }
  throw new TypeError(`${file.url} is not the file of this build.`);
}

async function keep(cache: Cache, file: ListedFile, bytes: ArrayBuffer): Promise<void> {
  await cache.put(keyOf(file), new Response(bytes));
}

function dressed(bytes: ArrayBuffer, { url }: ListedFile): Response {
  const type = contentTypes[url.slice(url.lastIndexOf('.'))] ?? 'application/octet-stream';
  return new Response(bytes, { headers: { ...securityHeaders, 'Content-Type': type, 'Cache-Control': 'no-cache' } });
}

async function sha256(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function tellPages(message: FromServiceWorker): Promise<void> {
  for (const page of await scope.clients.matchAll({ includeUncontrolled: true, type: 'window' })) page.postMessage(message);
}
