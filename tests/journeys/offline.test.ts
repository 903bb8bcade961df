/** Without a network, with another version, with a spoilt cache, with a store that will not open. Each on a copy of the build in a sub-folder. */
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, expect, test } from '@playwright/test';
import type { BrowserContext, Page } from '@playwright/test';
import { chromiumFlags, requireChromium } from '../../scripts/chromium.mjs';
import { serve } from '../../scripts/serve.mjs';
import { acknowledge, finished, sentence, uncover } from './steps.ts';

let folder: string;
let app: string;
let server: Awaited<ReturnType<typeof serve>>;
let context: BrowserContext;
let page: Page;

const launch = async () => {
  context = await chromium.launchPersistentContext(join(folder, 'profile'), {
    executablePath: requireChromium(),
    args: [...chromiumFlags],
    baseURL: `http://localhost:${server.port}/hospital/counterpart/`,
    locale: 'en-GB',
    timezoneId: 'UTC',
  });
  page = context.pages()[0] ?? (await context.newPage());
};
const isReady = async () => {
  await page.getByRole('link', { name: 'Settings' }).click();
  await expect(page.getByText('Ready for offline use: the program and all packs are on this device')).toBeVisible();
};

test.beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'counterpart-offline-'));
  app = join(folder, 'site/hospital/counterpart');
  cpSync(process.env['COUNTERPART_DIST']!, app, { recursive: true });
  server = await serve({ root: join(folder, 'site') });
  await launch();
});
test.afterEach(async () => {
  await context.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

test('after the first visit it works without a network, and with a dead server after a restart of the browser', async () => {
  test.slow();
  await acknowledge(page);
  await isReady();
  await context.setOffline(true);
  await page.reload();
  await expect(page.getByRole('navigation', { name: 'Pages' })).toBeVisible();
  const firstPaint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]!.startTime);
  expect(firstPaint).toBeLessThan(2000);
  await page.getByRole('link', { name: 'Patients' }).click();
  await page
    .getByRole('button', { name: /^Synthetic person/ })
    .first()
    .click();
  await finished(page);
  const before = await sentence(page).textContent();

  await context.close();
  await server.close();
  await launch();
  await page.goto('./#/forecast');
  await uncover(page);
  await expect(sentence(page)).toHaveText(before!);
  await page.getByRole('button', { name: 'Run again' }).click();
  await finished(page);
  // The service worker's own answers carry the headers, and the browser obeys them.
  const isIsolated = await page.evaluate(() => crossOriginIsolated);
  const policy = await page.evaluate(async () => (await fetch('./')).headers.get('connection-allowlist'));
  expect([isIsolated, policy]).toEqual([true, '(response-origin); webrtc=block']);
});

test('a spoilt cache entry is not served: it is fetched anew, and refused when there is nothing to fetch', async () => {
  await acknowledge(page);
  await isReady();
  const spoil = () =>
    page.evaluate(async () => {
      const [name] = await caches.keys();
      const cache = await caches.open(name!);
      const keys = await cache.keys();
      for (const key of keys) await cache.put(key, new Response('globalThis.isSpoilt = true'));
      return keys.length;
    });
  expect(await spoil()).toBeGreaterThan(80);
  await page.reload();
  await expect(page.getByRole('navigation', { name: 'Pages' })).toBeVisible();
  expect(await page.evaluate(() => 'isSpoilt' in globalThis)).toBe(false);

  await spoil();
  await server.close();
  const failure = await page.reload().then(
    () => 'loaded',
    (error: Error) => error.message,
  );
  expect(failure).toContain('net::ERR_');
});

test('a new version waits until the person takes it; what is being typed is kept', async () => {
  test.slow();
  await acknowledge(page);
  await isReady();
  await page.reload();
  const description = () => page.evaluate(() => document.querySelector('meta[name=description]')!.getAttribute('content'));
  const old = await description();
  replace('index.html', old!, 'The next version.');

  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Look for a new version' }).click();
  await expect(page.getByText('A new version is ready.')).toBeVisible();
  await page.reload();
  expect(await description()).toBe(old);

  await page.getByRole('link', { name: 'Patients' }).click();
  await page.getByRole('button', { name: 'Enter a patient' }).click();
  await page.getByLabel('Name on this device').fill('Half typed');
  await expect(page.getByText('A new version is ready.')).toBeVisible();
  await page.getByRole('button', { name: 'Use it now' }).click();
  await expect.poll(() => description().catch(() => '')).toBe('The next version.');
  await expect(page.getByLabel('Name on this device')).toHaveValue('Half typed');
  await expect(page.getByText('A new version is ready.')).toHaveCount(0);
});

test('a version with a file that is not the listed one is not taken', async () => {
  await acknowledge(page);
  await isReady();
  await page.reload();
  replace('index.html', 'A what-if simulator', 'A changed simulator');
  // After the list was written: somebody changed the file on the server.
  writeFileSync(join(app, 'index.html'), `${readFileSync(join(app, 'index.html'), 'utf8')}<!-- changed -->`);
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Look for a new version' }).click();
  await expect
    .poll(() => page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.installing ?? null))
    .toBe(null);
  await expect(page.getByText('A new version is ready.')).toHaveCount(0);
  await page.reload();
  await expect(page.getByRole('navigation', { name: 'Pages' })).toBeVisible();
  expect(await page.content()).not.toContain('<!-- changed -->');
});

test('the recovery page empties the storage, only for a person who comes from the app', async () => {
  await acknowledge(page);
  await isReady();
  const kept = () =>
    page.evaluate(async () => ({
      databases: (await indexedDB.databases()).length,
      caches: (await caches.keys()).length,
      workers: (await navigator.serviceWorker.getRegistrations()).length,
    }));
  await page.evaluate(() => fetch('recover-clear.html'));
  expect((await kept()).databases).toBeGreaterThan(0);
  await page.goto('./recover.html');
  await page.getByRole('link', { name: 'Remove everything stored at this address' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('The browser was told to remove everything');
  expect(await kept()).toEqual({ databases: 0, caches: 0, workers: 0 });
  await page.getByRole('link', { name: 'Open Counterpart' }).click();
  await expect(page.getByRole('radio', { name: 'Clinician' })).toBeVisible();
});

/** Changes a file of the copy and the service worker's list with it, as another build would. */
function replace(name: string, from: string, to: string): void {
  const path = join(app, name);
  const sum = (content: Buffer) => createHash('sha256').update(content).digest('hex');
  const before = sum(readFileSync(path));
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
  const worker = join(app, 'service-worker.js');
  const list = readFileSync(worker, 'utf8');
  expect(list).toContain(before);
  writeFileSync(worker, list.replace(before, sum(readFileSync(path))));
}
