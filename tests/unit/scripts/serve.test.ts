import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clearing, metaPolicy, securityHeaders } from '../../../src/guard/headers.mjs';
import { serve } from '../../../scripts/serve.mjs';

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

let folder: string;
let server: Awaited<ReturnType<typeof serve>>;

/** A request with the path exactly as written: fetch would tidy up `..` before it leaves. */
function ask(path: string, options: { method?: string; headers?: Record<string, string> } = {}): Promise<Answer> {
  return new Promise((done, failed) => {
    request({ host: '127.0.0.1', port: server.port, path, ...options }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () =>
        done({ status: response.statusCode ?? 0, headers: response.headers as Record<string, string>, body }),
      );
    })
      .on('error', failed)
      .end();
  });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'counterpart-serve-'));
  const dist = join(folder, 'dist');
  mkdirSync(join(dist, 'assets'), { recursive: true });
  mkdirSync(join(dist, 'models/demo'), { recursive: true });
  for (const name of [
    'index.html',
    'assets/main-AbCd1234.js',
    'assets/add-AbCd1234.wasm',
    'step.wgsl',
    'models/demo/weights.bin',
    'recover-clear.html',
    '.secret',
  ]) {
    writeFileSync(join(dist, name), `content of ${name}`);
  }
  writeFileSync(join(folder, 'outside.txt'), 'outside');
  server = await serve({ root: dist });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the headers that keep data on the device', () => {
  test.each(['/', '/assets/main-AbCd1234.js', '/models/demo/weights.bin', '/nothing-here'])(
    'are on the answer to %s',
    async (path) => {
      const { headers } = await ask(path);
      for (const [name, value] of Object.entries(securityHeaders)) expect(headers[name.toLowerCase()]).toBe(value);
    },
  );

  test('are on an answer without content too', async () => {
    const { headers } = await ask('/');
    const again = await ask('/', { headers: { 'If-None-Match': headers['etag']! } });
    expect(again.status).toBe(304);
    expect(again.headers['content-security-policy']).toBe(securityHeaders['Content-Security-Policy']);
  });

  test.each([
    ['POST', '/', 405],
    ['GET', '/%zz', 404],
  ] as const)('are on the refusal of %s %s', async (method, path, status) => {
    const answer = await ask(path, { method });
    expect(answer.status).toBe(status);
    for (const [name, value] of Object.entries(securityHeaders)) expect(answer.headers[name.toLowerCase()]).toBe(value);
  });

  test('are on the answer to what is no HTTP at all', async () => {
    const answer = await new Promise<string>((done) => {
      let text = '';
      const socket = connect(server.port, '127.0.0.1', () => socket.write('no such thing\r\n\r\n'));
      socket.on('data', (data) => (text += data)).on('close', () => done(text));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    for (const [name, value] of Object.entries(securityHeaders)) expect(answer).toContain(`${name}: ${value}\r\n`);
  });

  test('are the list of trust.md, and no other', () => {
    expect(Object.keys(securityHeaders)).toEqual([
      'Connection-Allowlist',
      'Content-Security-Policy',
      'Cross-Origin-Opener-Policy',
      'Cross-Origin-Embedder-Policy',
      'Cross-Origin-Resource-Policy',
      'Referrer-Policy',
      'X-Content-Type-Options',
      'X-DNS-Prefetch-Control',
      'Permissions-Policy',
      'Strict-Transport-Security',
    ]);
  });

  test('name no other origin, and allow no eval and no inline script', () => {
    const policy = securityHeaders['Content-Security-Policy'];
    expect(policy).not.toMatch(/https?:|\*|'unsafe-inline'|'unsafe-eval'/);
    expect(policy).toContain("require-trusted-types-for 'script'; trusted-types svelte-trusted-html app-worker");
  });

  test('are repeated in the page, but for what a meta element may not carry', () => {
    expect(metaPolicy()).toBe(securityHeaders['Content-Security-Policy'].replace("frame-ancestors 'none'; ", ''));
  });
});

describe('files', () => {
  test.each([
    ['/', 'text/html; charset=utf-8', 'no-cache'],
    ['/assets/main-AbCd1234.js', 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/assets/add-AbCd1234.wasm', 'application/wasm', 'public, max-age=31536000, immutable'],
    ['/step.wgsl', 'text/wgsl; charset=utf-8', 'no-cache'],
    ['/models/demo/weights.bin', 'application/octet-stream', 'no-cache'],
    ['/models/demo/weights.bin?v=1', 'application/octet-stream', 'no-cache'],
  ])('%s is served as %s with %s', async (path, type, caching) => {
    const { status, headers } = await ask(path);
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([200, type, caching]);
  });

  test.each([
    '/../outside.txt',
    '/%2e%2e/outside.txt',
    '/..%2foutside.txt',
    '/..%5coutside.txt',
    '/assets/../../outside.txt',
    '/.secret',
  ])('%s is refused', async (path) => {
    const { status, body } = await ask(path);
    expect(status).toBe(404);
    expect(body).not.toMatch(/outside|content/);
  });

  test.each(['/%zz', '/%00', '/assets', '/assets/'])('%s, which is no file, is answered with 404', async (path) => {
    expect((await ask(path)).status).toBe(404);
  });

  test('only reading is served', async () => {
    const { status, headers } = await ask('/', { method: 'POST' });
    expect([status, headers['allow']]).toEqual([405, 'GET, HEAD']);
    expect(await ask('/', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  });
});

describe('the page that empties the storage', () => {
  const going = { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'navigate' };
  test.each([
    ['from a page of this site', going, clearing.value],
    ['from another site', { ...going, 'Sec-Fetch-Site': 'cross-site' }, undefined],
    ['typed into the address bar', { ...going, 'Sec-Fetch-Site': 'none' }, undefined],
    ['only fetched', { ...going, 'Sec-Fetch-Mode': 'cors' }, undefined],
    ['by a browser that does not say', {}, undefined],
  ])('%s', async (_how, headers, expected) => {
    const answer = await ask(`/${clearing.page}`, { headers });
    expect([answer.status, answer.headers['clear-site-data']]).toEqual([200, expected]);
  });

  test('no other page does so', async () => {
    expect((await ask('/', { headers: going })).headers['clear-site-data']).toBeUndefined();
  });
});

test('a taken port is reported with what to do', async () => {
  await expect(serve({ root: folder, port: server.port })).rejects.toThrow(
    `Port ${server.port} is taken by another program. Stop that program, or choose another port: PORT=${server.port + 1} npm start`,
  );
});
