/**
 * The worker needs the packs and the app's own wasm files, and nothing else of the network. The server's policy already keeps it to this
 * origin; this is the second lock, and it holds on a server that forgot its headers. Imported before anything that could hold on to `fetch`.
 */
const refused = [
  'XMLHttpRequest',
  'WebSocket',
  'WebSocketStream',
  'EventSource',
  'WebTransport',
  'importScripts',
  'RTCPeerConnection',
] as const;

export function lockDown(scope: typeof globalThis, modelsUrl: () => string | null): void {
  const realFetch = scope.fetch.bind(scope);
  for (const name of refused) {
    Object.defineProperty(scope, name, { value: undefined, writable: false, configurable: false });
  }
  Object.defineProperty(scope, 'fetch', {
    writable: false,
    configurable: false,
    value: async (input: RequestInfo | URL, init?: RequestInit) => {
      const request = input instanceof Request ? input : null;
      const url = new URL(request?.url ?? String(input), scope.location.href);
      const method = init?.method ?? request?.method ?? 'GET';
      const models = modelsUrl();
      const isPack = models !== null && url.href.startsWith(models);
      const isProgram = url.pathname.endsWith('.wasm');
      if (method !== 'GET' || init?.body || url.origin !== scope.location.origin || !(isPack || isProgram)) {
        throw new TypeError('The worker may only read packs of this site.');
      }
      return realFetch(url, init?.signal ? { signal: init.signal } : undefined);
    },
  });
}
