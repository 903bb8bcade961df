// npx tsx scripts/vault-timings.ts: what the vault's cryptography costs on this machine, in Node and in headless Chromium, one JSON
// line each. Wall time, so that what else runs on the machine counts.
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';
import { createServer } from 'vite';
import { vaultTimings } from '../bench/vault-work.ts';
import { chromiumFlags, requireChromium } from './chromium.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

async function inChromium(): Promise<unknown> {
  const server = await createServer({
    configFile: false,
    root,
    logLevel: 'error',
    cacheDir: 'build/vault-timings',
    appType: 'custom',
    optimizeDeps: { include: ['hash-wasm', 'valibot'], noDiscovery: true },
    plugins: [
      {
        name: 'empty-page',
        configureServer: ({ middlewares }) =>
          void middlewares.use('/empty', (_, response) => response.setHeader('Content-Type', 'text/html').end()),
      },
    ],
  });
  await server.listen(0);
  const browser = await chromium.launch({ executablePath: requireChromium(), args: [...chromiumFlags] });
  try {
    const page = await browser.newPage();
    const address = server.httpServer?.address();
    await page.goto(`http://localhost:${typeof address === 'object' && address ? address.port : 0}/empty`);
    return await page.evaluate(async (path) => (await import(path)).vaultTimings(), '/bench/vault-work.ts');
  } finally {
    await browser.close();
    await server.close();
  }
}

console.log(JSON.stringify({ host: `Node ${process.version}`, ...(await vaultTimings()) }));
console.log(JSON.stringify({ host: 'Chromium', ...((await inChromium()) as object) }));
