/**
 * The ways by which a page, a worker or a service worker could reach another host. One list, tried by the page that proves the locks
 * (`#/prove`) against an address that belongs to nobody, and by tests/journeys/egress.test.ts against a listening one.
 */

export type Place = 'page' | 'worker' | 'service-worker';

/** Where it is tried to get to. No trailing slashes. */
export interface Target {
  /** `https://192.0.2.1` */
  readonly origin: string;
  /** `wss://192.0.2.1` */
  readonly socket: string;
  /** Of WebTransport, which speaks only https. */
  readonly secure: string;
  /** `192.0.2.1:3478`, for STUN and TURN. */
  readonly relay: string;
  /** An address by name, which would have to be looked up. */
  readonly named: string;
}

export interface Way {
  readonly id: string;
  readonly label: string;
  readonly group: 'Requests' | 'Scripts' | 'Images and media' | 'Styles and fonts' | 'Frames' | 'Hints' | 'Leaving' | 'WebRTC';
  readonly from: readonly Place[];
  /** The global that it needs; a browser or a lock may not have it. */
  readonly needs?: string;
  /** Would leave the page or open a window if nothing stopped it. */
  readonly isLeaving?: boolean;
  /**
   * Tries. `reached` when an answer came, `failed` when the browser reported a failure that may be the network's, `silent` when it
   * tells nothing. A refusal by the browser throws.
   */
  readonly attempt: (target: Target) => Promise<'reached' | 'failed' | 'silent'>;
}

/** Addresses that belong to nobody: RFC 5737 keeps the number, RFC 6761 the name. */
export const nobody: Target = {
  origin: 'https://192.0.2.1',
  socket: 'wss://192.0.2.1',
  secure: 'https://192.0.2.1',
  relay: '192.0.2.1:3478',
  named: 'https://counterpart.invalid',
};

/** Milliseconds after which an attempt without an answer counts as silent. */
export const patience = 500;
export const wait = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));
export const silent = async (): Promise<'silent'> => {
  await wait(patience);
  return 'silent';
};
export const limited = (work: Promise<'reached' | 'failed' | 'silent'>) => Promise.race([work, silent()]);
export const answered = (work: Promise<unknown>) =>
  limited(
    work.then(
      () => 'reached' as const,
      (error: unknown) => {
        // A network failure is a TypeError or a NetworkError; anything else is a refusal.
        if (error instanceof TypeError || (error instanceof DOMException && error.name === 'NetworkError'))
          return 'failed' as const;
        throw error;
      },
    ),
  );

const everywhere = ['page', 'worker', 'service-worker'] as const;
const workers = ['page', 'worker'] as const;
/** By name, because no scope's types know them all. */
const rolled = (name: string) => (globalThis as unknown as Record<string, new (...args: unknown[]) => EventTarget>)[name]!;
export const at = ({ origin }: Target, id: string) => `${origin}/${id}`;

/** Those that need no page. What only a page has is in page-ways.ts. */
export const scopeWays: readonly Way[] = [
  {
    id: 'fetch',
    label: 'fetch',
    group: 'Requests',
    from: everywhere,
    attempt: (target) => answered(fetch(at(target, 'fetch'), { mode: 'no-cors' })),
  },
  {
    id: 'fetch-post',
    label: 'fetch with a body, also after the page is gone',
    group: 'Requests',
    from: everywhere,
    attempt: (target) =>
      answered(fetch(at(target, 'fetch-post'), { method: 'POST', body: 'x', mode: 'no-cors', keepalive: true })),
  },
  {
    id: 'xhr',
    label: 'XMLHttpRequest',
    group: 'Requests',
    from: workers,
    needs: 'XMLHttpRequest',
    attempt: (target) =>
      limited(
        new Promise((done) => {
          const request = new XMLHttpRequest();
          request.onload = () => done('reached');
          request.onerror = () => done('failed');
          request.open('GET', at(target, 'xhr'));
          request.send();
        }),
      ),
  },
  {
    id: 'event-source',
    label: 'EventSource',
    group: 'Requests',
    from: everywhere,
    needs: 'EventSource',
    attempt: (target) => heard(new (rolled('EventSource'))(at(target, 'event-source'))),
  },
  {
    id: 'web-socket',
    label: 'WebSocket',
    group: 'Requests',
    from: everywhere,
    needs: 'WebSocket',
    attempt: (target) => heard(new (rolled('WebSocket'))(`${target.socket}/web-socket`)),
  },
  {
    id: 'web-socket-stream',
    label: 'WebSocket as a stream',
    group: 'Requests',
    from: everywhere,
    needs: 'WebSocketStream',
    attempt: (target) =>
      answered(
        (
          new (rolled('WebSocketStream'))(`${target.socket}/web-socket-stream`) as unknown as {
            readonly opened: Promise<unknown>;
          }
        ).opened,
      ),
  },
  {
    id: 'web-transport',
    label: 'WebTransport',
    group: 'Requests',
    from: everywhere,
    needs: 'WebTransport',
    attempt: (target) =>
      answered(
        (new (rolled('WebTransport'))(`${target.secure}/web-transport`) as unknown as { readonly ready: Promise<unknown> }).ready,
      ),
  },
  {
    id: 'cache-add',
    label: 'Adding an address to a cache',
    group: 'Requests',
    from: everywhere,
    needs: 'caches',
    attempt: async (target) => {
      const name = 'counterpart-ways';
      const request = new Request(at(target, 'cache-add'), { mode: 'no-cors' });
      try {
        return await answered(caches.open(name).then((cache) => cache.add(request)));
      } finally {
        await caches.delete(name);
      }
    },
  },
  {
    id: 'import',
    label: 'Importing a module',
    group: 'Scripts',
    from: workers,
    attempt: (target) => answered(import(/* @vite-ignore */ at(target, 'import'))),
  },
  {
    id: 'import-scripts',
    label: 'importScripts',
    group: 'Scripts',
    from: ['worker', 'service-worker'],
    needs: 'importScripts',
    attempt: async (target) => {
      (globalThis as unknown as { importScripts(url: string): void }).importScripts(at(target, 'import-scripts'));
      return 'reached';
    },
  },
  {
    id: 'font',
    label: 'Font',
    group: 'Styles and fonts',
    from: workers,
    needs: 'FontFace',
    attempt: (target) => answered(new FontFace('counterpart-way', `url("${at(target, 'font')}")`).load()),
  },
  {
    id: 'client-navigation',
    label: 'Sending a page elsewhere',
    group: 'Leaving',
    from: ['service-worker'],
    needs: 'clients',
    isLeaving: true,
    attempt: async (target) => {
      const { clients } = globalThis as unknown as ServiceWorkerGlobalScope;
      const [client] = await clients.matchAll({ type: 'window' });
      if (!client) return 'silent';
      return answered((client as WindowClient).navigate(at(target, 'client-navigation')));
    },
  },
  {
    id: 'client-window',
    label: 'New window',
    group: 'Leaving',
    from: ['service-worker'],
    needs: 'clients',
    isLeaving: true,
    attempt: (target) =>
      answered((globalThis as unknown as ServiceWorkerGlobalScope).clients.openWindow(at(target, 'client-window'))),
  },
];

function heard(source: EventTarget): Promise<'reached' | 'failed' | 'silent'> {
  return limited(
    new Promise((done) => {
      source.addEventListener('open', () => done('reached'));
      source.addEventListener('error', () => done('failed'));
    }),
  ).finally(() => (source as EventTarget & { close(): void }).close());
}
