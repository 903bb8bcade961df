/**
 * A worker needs the files it is told of, and nothing else of the network. The server's policy already keeps it to this origin; this is
 * the second lock, and it holds on a server that forgot its headers. Imported before anything that could hold on to `fetch`.
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

/** `mayRead` is asked for addresses of this origin only; reads are GET without a body. */
export function lockDown(scope: typeof globalThis, mayRead: (url: URL) => boolean): void {
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
      if (method !== 'GET' || init?.body || url.origin !== scope.location.origin || !mayRead(url)) {
        throw new DOMException('This worker may not read that address.', 'SecurityError');
      }
      return realFetch(url, init?.signal ? { signal: init.signal } : undefined);
    },
  });
}
