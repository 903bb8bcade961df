/** A listening stranger: it stands for another host and counts whatever arrives, by TCP and UDP. */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server as TcpServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { Target } from '../../src/guard/ways.ts';

export interface Sink {
  readonly target: Target;
  /** Connections and datagrams since the last `forget`. */
  heard(): number;
  /** The ways that were heard, by the path they asked for or the socket they came to, since the last `forget`. */
  paths(): readonly string[];
  forget(): void;
  close(): Promise<void>;
}

export async function startSink(): Promise<Sink> {
  let heard = 0;
  const paths = new Set<string>();
  const hear = (path: string) => {
    heard++;
    paths.add(path);
  };
  // The second loopback address where there is one: another host to the browser. Elsewhere another port is another origin.
  const server = await listening(createServer(), '127.0.0.2').catch(() => listening(createServer(), '127.0.0.1'));
  const { address, port } = server.address() as AddressInfo;
  // The path is not known yet: a connection alone is heard too.
  server.on('connection', () => heard++);
  server.on('request', (request, response) => {
    paths.add(request.url!.split(/[/?]/)[1]!);
    response.writeHead(200, { 'Access-Control-Allow-Origin': '*', 'Content-Type': 'text/plain' });
    response.end('heard');
  });
  server.on('upgrade', (request, socket) => {
    paths.add(request.url!.split('/')[1]!);
    socket.destroy();
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  const relay = await listening(createTcpServer(), address);
  const relayPort = (relay.address() as AddressInfo).port;
  relay.on('connection', (socket) => {
    hear('turn');
    socket.on('error', () => {}).destroy();
  });
  const transports = await bound(port, address, () => hear('web-transport'));
  const stuns = await bound(relayPort, address, () => hear('stun'));
  const host = `${address}:${port}`;
  return {
    target: {
      origin: `http://${host}`,
      socket: `ws://${host}`,
      secure: `https://${host}`,
      relay: `${address}:${relayPort}`,
      named: `http://${host}`,
    },
    heard: () => heard,
    paths: () => [...paths],
    forget() {
      heard = 0;
      paths.clear();
    },
    async close() {
      transports.close();
      stuns.close();
      server.closeAllConnections();
      await Promise.all([server, relay].map((one) => new Promise((done) => one.close(done))));
    },
  };
}

function bound(port: number, address: string, hear: () => void): Promise<Socket> {
  const socket = createSocket('udp4', hear);
  return new Promise((done, failed) => {
    socket.once('error', failed);
    socket.bind(port, address, () => done(socket));
  });
}

function listening<Kind extends TcpServer>(server: Kind, host: string): Promise<Kind> {
  return new Promise((done, failed) => {
    server.once('error', failed);
    server.listen({ host, port: 0 }, () => done(server));
  });
}

/** tests/fixtures/ways-in-a-scope.ts as one plain script. */
export async function waysScript(): Promise<string> {
  const made = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      target: 'esnext',
      lib: {
        entry: fileURLToPath(new URL('../fixtures/ways-in-a-scope.ts', import.meta.url)),
        formats: ['iife'],
        name: 'waysInAScope',
      },
    },
  });
  const [output] = Array.isArray(made) ? made : [made];
  if (!output || !('output' in output)) throw new Error('Vite gave no output for the ways out.');
  return output.output[0].code;
}

/**
 * A bare page with a worker and a service worker that can try every way, on an origin of its own, with `headers` on each answer. Plays
 * the part of a program that wants to leak.
 */
export async function startLeakingSite(script: string, headers: Readonly<Record<string, string>>) {
  const listen = `onmessage = ({ data, ports }) => {
    const { place, target, ids } = data;
    tryWaysFrom(place, target, ids).then((attempts) => (ports[0] ?? self).postMessage(attempts));
  };`;
  const files: Readonly<Record<string, readonly [string, string]>> = {
    '/': ['text/html', '<!doctype html><html lang="en"><title>Leak</title><body><script src="ways.js"></script>'],
    '/ways.js': ['text/javascript', script],
    '/worker.js': ['text/javascript', `${script}\n${listen}`],
    '/service-worker.js': ['text/javascript', `${script}\n${listen}`],
  };
  const server = createServer((request, response) => {
    const file = files[request.url!.split('?')[0]!];
    response.writeHead(file ? 200 : 404, { ...headers, 'Content-Type': file?.[0] ?? 'text/plain' });
    response.end(file?.[1] ?? '');
  });
  await new Promise<void>((done) => server.listen({ host: '127.0.0.1', port: 0 }, done));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
