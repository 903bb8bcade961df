// A static file server for `dist`, in plain Node: the app needs no other.
// node scripts/serve.mjs [folder]   PORT (default 4173) and HOST (default: this machine only) from the environment.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contentTypes } from '../src/guard/content-types.mjs';
import { clearing, securityHeaders } from '../src/guard/headers.mjs';

// Vite puts a hash of the content into the name of everything under assets/; the other names keep, their content changes.
const hashed = /\/assets\/.*-[\w-]{8,}\.\w+$/;

/** Whether this answer empties the browser's storage: for the page made for it, asked for from a page of this site. */
function clears(pathname, { headers }) {
  const isGoingThere = headers['sec-fetch-site'] === 'same-origin' && headers['sec-fetch-mode'] === 'navigate';
  return pathname.endsWith(`/${clearing.page}`) && isGoingThere;
}

function plainAnswer(response, status, text) {
  response.writeHead(status, { ...securityHeaders, 'Content-Type': contentTypes['.txt'], 'Cache-Control': 'no-store' });
  response.end(`${text}\n`);
}

/** The path inside `root` that a request means, or null when it is malformed or leads outside. */
function fileOf(root, pathname) {
  let path;
  try {
    path = decodeURIComponent(pathname);
  } catch {
    return null;
  }
  if (path.includes('\0') || path.includes('\\')) return null;
  const file = resolve(join(root, path));
  if (file !== root && !file.startsWith(root + sep)) return null;
  // Dot files (.git, .env) are nobody's to read, should the folder ever hold one.
  return path.split('/').some((part) => part.startsWith('.')) ? null : file;
}

async function answer(root, request, response) {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return plainAnswer(response, 405, `${request.method} is not served here; only GET and HEAD are.`);
  }
  const pathname = (request.url ?? '/').split(/[?#]/, 1)[0];
  let file = fileOf(root, pathname);
  let found = file && (await stat(file).catch(() => null));
  if (found?.isDirectory() && pathname.endsWith('/')) {
    file = join(file, 'index.html');
    found = await stat(file).catch(() => null);
  }
  if (!file || !found?.isFile()) return plainAnswer(response, 404, 'There is no such file.');

  const tag = `"${found.size.toString(36)}-${Math.trunc(found.mtimeMs).toString(36)}"`;
  const headers = {
    ...securityHeaders,
    'Content-Type': contentTypes[extname(file).toLowerCase()] ?? 'application/octet-stream',
    'Cache-Control': hashed.test(pathname) ? 'public, max-age=31536000, immutable' : 'no-cache',
    ETag: tag,
    ...(clears(pathname, request) ? { [clearing.name]: clearing.value } : {}),
  };
  if (request.headers['if-none-match'] === tag) {
    response.writeHead(304, headers);
    return response.end();
  }
  response.writeHead(200, { ...headers, 'Content-Length': found.size });
  if (request.method === 'HEAD') return response.end();
  createReadStream(file)
    .on('error', () => response.destroy())
    .pipe(response);
}

function listen(root, port, host) {
  const server = createServer((request, response) => {
    answer(root, request, response).catch(() => {
      if (response.headersSent) response.destroy();
      else plainAnswer(response, 500, 'The file could not be read.');
    });
  });
  // What is no HTTP at all is answered by Node itself, which knows no headers of ours.
  server.on('clientError', (_error, socket) => {
    if (!socket.writable) return socket.destroy();
    const headers = Object.entries({ ...securityHeaders, Connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 400 Bad Request\r\n${headers.join('')}\r\n`);
  });
  return new Promise((done, failed) => {
    server.once('error', failed);
    server.listen({ port, host }, () => done(server));
  });
}

/**
 * Serves `root`. Port 0 takes any free one. Without `host` it listens on both loopback addresses, because browsers differ in
 * which of them `localhost` is. Rejects with a message for a person when the port is taken.
 * @param {{ root: string, port?: number, host?: string | undefined }} options
 * @returns {Promise<{ url: string, port: number, close: () => Promise<void> }>}
 */
export async function serve({ root, port = 0, host }) {
  const folder = resolve(root);
  let first;
  try {
    first = await listen(folder, port, host ?? '127.0.0.1');
  } catch (error) {
    if (error.code === 'EADDRINUSE') {
      throw new Error(
        `Port ${port} is taken by another program. Stop that program, or choose another port: PORT=${port + 1} npm start`,
        { cause: error },
      );
    }
    if (error.code === 'EACCES') {
      throw new Error(`Port ${port} may not be used by this account. Choose one above 1023: PORT=4173 npm start`, {
        cause: error,
      });
    }
    throw error;
  }
  const taken = first.address().port;
  const servers = [first];
  if (!host) {
    // Absent on machines without IPv6; the first address serves there.
    const second = await listen(folder, taken, '::1').catch(() => null);
    if (second) servers.push(second);
  }
  return {
    url: `http://${host && host !== '0.0.0.0' && host !== '::' ? host : 'localhost'}:${taken}/`,
    port: taken,
    close: async () => {
      await Promise.all(
        servers.map(
          (server) =>
            new Promise((done) => {
              server.close(done);
              server.closeAllConnections();
            }),
        ),
      );
    },
  };
}

/** PORT as a number, or an error that says what was found. */
export function portFromEnvironment(fallback = 4173) {
  const text = process.env.PORT;
  if (text === undefined || text === '') return fallback;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port;
  throw new Error(`PORT: '${text}' is not a port. Expected a whole number from 0 (any free port) to 65535, such as PORT=4173.`);
}

/** Serves until SIGINT or SIGTERM, and prints the address. */
export async function serveUntilStopped(root) {
  const server = await serve({ root, port: portFromEnvironment(), host: process.env.HOST });
  console.log(`Counterpart is at ${server.url}  (stop with Ctrl+C)`);
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      await server.close();
      process.exit(0);
    });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = process.argv[2] ?? fileURLToPath(new URL('../dist', import.meta.url));
  serveUntilStopped(root).catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
}
