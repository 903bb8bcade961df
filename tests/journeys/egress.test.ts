/**
 * Every way out, against a listener that stands for another host: without the headers the listener hears of it, or the test could not
 * fail; with the headers alone it hears nothing; and from the app itself, its workers and its service worker, nothing.
 */
import { expect, test } from '@playwright/test';
import type { Browser, BrowserContext } from '@playwright/test';
import { securityHeaders } from '../../src/guard/headers.mjs';
import { pageWays } from '../../src/guard/page-ways.ts';
import { scopeWays } from '../../src/guard/ways.ts';
import type { Place } from '../../src/guard/ways.ts';
import { startLeakingSite, startSink, waysScript } from './sink.ts';
import type { Sink } from './sink.ts';
import { acknowledge } from './steps.ts';

let script: string;
test.beforeAll(async () => {
  script = await waysScript();
});

const settled = () => new Promise((done) => setTimeout(done, 400));
const idsFrom = (place: Place) =>
  (place === 'page' ? pageWays : scopeWays).filter(({ from }) => from.includes(place)).map(({ id }) => id);
// In a page of their own: those that leave it, and one at which Chromium ends the page when the allowlist forbids WebRTC.
const aloneIds = pageWays.filter(({ id, isLeaving }) => isLeaving || id === 'stun-in-frame').map(({ id }) => id);
const togetherIds = idsFrom('page').filter((id) => !aloneIds.includes(id));
const call = (sink: Sink, place: Place, ids: readonly string[]) =>
  `tryWaysFrom(${JSON.stringify(place)}, ${JSON.stringify(sink.target)}, ${JSON.stringify(ids)})`;

/** Attempts that may take their page away. */
async function tryAlone(sink: Sink, context: BrowserContext, url: string): Promise<void> {
  await Promise.all(
    aloneIds.map(async (id) => {
      const page = await context.newPage();
      await page.goto(url);
      await page.evaluate(call(sink, 'page', [id])).catch(() => {});
    }),
  );
  await settled();
  await Promise.all(context.pages().map((page) => page.close()));
}

/** From page, worker and service worker of the bare site. Gives the ways by which the sink heard something. */
async function tryEverything(
  browser: Browser,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly heard: number; readonly ways: readonly string[] }> {
  const [sink, { url, close }, context] = await Promise.all([
    startSink(),
    startLeakingSite(script, headers),
    browser.newContext(),
  ]);
  const ways: string[] = [];
  let heard = 0;
  const take = async (place: Place) => {
    await settled();
    heard += sink.heard();
    ways.push(...sink.paths().map((path) => `${place}: ${path}`));
    sink.forget();
  };
  const page = await context.newPage();
  await page.goto(url);
  await page.evaluate(call(sink, 'page', togetherIds));
  await tryAlone(sink, context, url);
  await take('page');

  const second = await context.newPage();
  await second.goto(url);
  const from = (place: Place, ids: readonly string[], sender: string) =>
    second.evaluate(
      `(async () => {
        const { port1, port2 } = new MessageChannel();
        const answer = new Promise((done) => (port1.onmessage = done));
        const policy = (window.policy ??= window.trustedTypes?.createPolicy('app-worker', { createScriptURL: (address) => address }));
        const script = (address) => policy?.createScriptURL(address) ?? address;
        (${sender}).postMessage(${JSON.stringify({ place, target: sink.target, ids })}, [port2]);
        await answer;
      })()`,
    );
  await from('worker', idsFrom('worker'), "new Worker(script('worker.js'))");
  await take('worker');
  // The way that sends the page elsewhere comes last, and takes with it the page that waits for the answer.
  await from(
    'service-worker',
    idsFrom('service-worker').filter((id) => !id.startsWith('client')),
    "(await navigator.serviceWorker.register(script('service-worker.js')), await navigator.serviceWorker.ready).active",
  );
  await take('service-worker');
  await second.reload();
  await context
    .serviceWorkers()[0]!
    .evaluate(call(sink, 'service-worker', ['client-navigation', 'client-window']))
    .catch(() => {});
  await take('service-worker');
  await context.close();
  await Promise.all([sink.close(), close()]);
  return { heard, ways };
}

test('planted leaks are heard without headers and guard, and none with the headers alone', async ({ browser }) => {
  test.slow();
  const [bare, dressed] = await Promise.all([tryEverything(browser, {}), tryEverything(browser, securityHeaders)]);
  const heardFrom = (place: Place) =>
    bare.ways.filter((way) => way.startsWith(`${place}: `)).map((way) => way.slice(place.length + 2));
  // A preconnect and a looked-up name ask for no path; paint worklets and windows of a service worker are not in every Chromium.
  const missing = (place: Place) => idsFrom(place).filter((id) => !heardFrom(place).includes(id));
  const most = idsFrom('page').length - 42;
  expect(missing('page').length, `not heard from the page: ${missing('page').join(', ')}`).toBeLessThanOrEqual(most);
  expect(missing('worker')).toEqual([]);
  expect(missing('service-worker').length, missing('service-worker').join(', ')).toBeLessThanOrEqual(3);
  test.info().annotations.push({ type: 'not heard in the control', description: missing('page').join(', ') });

  expect(dressed).toEqual({ heard: 0, ways: [] });
});

test('from the app, its workers and its service worker none of the ways gets out, and the page stays', async ({
  page,
  context,
}) => {
  test.slow();
  const sink = await startSink();
  await acknowledge(page);
  const url = page.url();
  const attemptsFrom = async (scope: { evaluate(code: string): Promise<unknown> }, place: Place) => {
    await scope.evaluate(script);
    return (await scope.evaluate(call(sink, place, idsFrom(place)))) as readonly { id: string; outcome: string }[];
  };
  expect(page.workers().length).toBeGreaterThanOrEqual(1);
  const [attempts] = await Promise.all([
    attemptsFrom(page, 'page'),
    ...page.workers().map((worker) => attemptsFrom(worker, 'worker')),
  ]);
  expect(attempts!.map(({ id }) => id)).toEqual(idsFrom('page'));
  expect(attempts!.filter(({ outcome }) => outcome === 'reached')).toEqual([]);
  expect([page.url().split('#')[0], context.pages().length]).toEqual([url.split('#')[0], 1]);

  const service = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'));
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  // Its last way takes the page away, to an address that the allowlist refuses.
  await attemptsFrom(service, 'service-worker').catch(() => []);
  await settled();
  expect(sink.paths()).toEqual([]);
  expect(sink.heard()).toBe(0);
  await sink.close();
});
