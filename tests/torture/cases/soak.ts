import type { Page } from '@playwright/test';
import { newProfile, openBrowser, removeProfile } from '../browser.ts';
import type { TortureCase } from '../case.ts';
import { openDemonstration } from '../app.ts';
import type { Driver } from '../driver/main.ts';

declare const driver: Driver;

const mostGrowthMB = 10;

/** Live JavaScript heap of the page after two collections, megabytes. */
async function heapMB(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.enable');
  await session.send('HeapProfiler.collectGarbage');
  await session.send('HeapProfiler.collectGarbage');
  await session.send('Performance.enable');
  const { metrics } = await session.send('Performance.getMetrics');
  await session.detach();
  return metrics.find(({ name }) => name === 'JSHeapUsedSize')!.value / 1e6;
}

/** What a person does again and again with one patient: every screen, a plan more and less, a run, another seed. */
async function use(page: Page): Promise<void> {
  for (const screen of ['patients', 'forecast', 'plan', 'settings', 'forecast']) {
    await page.evaluate((name) => (location.hash = `#/${name}`), screen);
    await page.locator('main :is(h1, h2)').first().waitFor();
  }
  await page.getByRole('button', { name: 'Add a plan' }).click();
  await page.keyboard.press('Control+z');
  await page
    .getByRole('button', { name: /^Run (again|the forecast)$/ })
    .first()
    .click();
  await page
    .getByLabel('Run details')
    .getByText(/courses a plan,/)
    .waitFor({ timeout: 120_000 });
  await page
    .getByRole('button', { name: /^Run (again|the forecast)$/ })
    .first()
    .waitFor({ timeout: 120_000 });
}

export const soak: TortureCase = {
  name: 'soak',
  must: '30 minutes of use (3 in CI): heap at most +10 MB, tensors and GPU buffers constant',
  // Minutes.
  times: { short: 3, long: 30 },
  limitSeconds: 480,
  async run({ appUrl, driverUrl, times: minutes, seed, progress }) {
    const failures: string[] = [];
    const profile = newProfile();
    const context = await openBrowser(profile);
    try {
      const page = await context.newPage();
      await openDemonstration(page, appUrl);
      await page
        .getByRole('button', { name: /^Synthetic person/ })
        .first()
        .click();
      await page.getByRole('button', { name: 'Run again' }).first().waitFor({ timeout: 120_000 });
      // The first rounds fill caches: glyphs, compiled code, the pictures of every screen.
      for (let i = 0; i < 5; i++) await use(page);
      const before = await heapMB(page);
      // Half of the time on the page, half on the GPU's path, which a machine without a GPU does not take by itself.
      const until = performance.now() + minutes * 30_000;
      let rounds = 0;
      const heaps: number[] = [];
      while (performance.now() < until) {
        await use(page);
        rounds++;
        if (rounds % 10 === 0) heaps.push(await heapMB(page));
        progress(Math.round(minutes * 30 - (until - performance.now()) / 1000), minutes * 60, 'seconds');
      }
      const growth = (await heapMB(page)) - before;
      if (!(growth <= mostGrowthMB)) failures.push(`the heap grew by ${growth.toFixed(1)} MB in ${rounds} rounds`);
      await page.close();

      const gpuPage = await context.newPage();
      await gpuPage.goto(driverUrl);
      await gpuPage.evaluate(() => driver.prefer('gpu'));
      const runOnce = () => gpuPage.evaluate((s) => driver.forecast('pbc', s, 1000), seed);
      const held = () => gpuPage.evaluate(() => driver.held());
      for (let i = 0; i < 3; i++) await runOnce();
      const first = await held();
      const gpuUntil = performance.now() + minutes * 30_000;
      let runs = 0;
      while (performance.now() < gpuUntil) {
        await runOnce();
        runs++;
        const now = await held();
        if (!first || !now || now.tensors !== first.tensors || now.buffers !== first.buffers) {
          failures.push(`run ${runs}: ${JSON.stringify(now)} held, ${JSON.stringify(first)} at first`);
          break;
        }
      }
      return {
        tried: rounds + runs,
        failures,
        figures: {
          roundsOnThePage: rounds,
          heapBeforeMB: before.toFixed(1),
          heapGrowthMB: growth.toFixed(2),
          runsOnTheGpu: runs,
          tensors: first?.tensors ?? 'none',
          gpuBuffers: first?.buffers ?? 'none',
        },
      };
    } finally {
      await context.close();
      removeProfile(profile);
    }
  },
};
