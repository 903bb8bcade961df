import type { Page } from '@playwright/test';
import { kill, newProfile, openBrowser, removeProfile, sleep, waitUntilGone } from '../browser.ts';
import { seeded } from '../case.ts';
import type { TortureCase } from '../case.ts';
import type { Driver } from '../driver/main.ts';

declare const driver: Driver;

/** Opens the driver in a new process of the browser, with every acknowledged number told to `onSaved` at once. */
async function openDriver(profile: string, url: string, onSaved: (number: number) => void) {
  const context = await openBrowser(profile);
  await context.exposeBinding('saved', (_, number: number) => onSaved(number));
  const page = await context.newPage();
  await page.goto(url);
  return { context, page };
}

/** What is wrong with what is stored, given what was acknowledged. */
async function check(page: Page, acknowledged: ReadonlySet<number>): Promise<string[]> {
  const { wrong, numbers, unreadable } = await page.evaluate(() => driver.readNumbered());
  const found = new Set(numbers);
  const lost = [...acknowledged].filter((number) => !found.has(number));
  return [
    ...(lost.length > 0 ? [`acknowledged saves lost: ${lost.slice(0, 5).join(', ')} (${lost.length})`] : []),
    ...(wrong > 0 ? [`${wrong} records are not what was written`] : []),
    ...(unreadable > 0 ? [`${unreadable} records cannot be opened`] : []),
  ];
}

export const browserKilled: TortureCase = {
  name: 'browser-killed',
  must: 'SIGKILL of the browser during writes: 0 acknowledged saves lost, 0 partial records',
  times: { short: 20, long: 200 },
  limitSeconds: 240,
  async run({ driverUrl, times, seed, progress }) {
    const failures: string[] = [];
    const random = seeded(seed);
    const profile = newProfile();
    const acknowledged = new Set<number>();
    try {
      for (let round = 0; round < times; round++) {
        progress(round, times);
        const { page } = await openDriver(profile, driverUrl, (number) => acknowledged.add(number));
        const found = await page.evaluate(() => driver.openVault());
        if (round > 0 && found !== 'demonstration') failures.push(`round ${round}: the start said “${found}”`);
        failures.push(...(await check(page, acknowledged)).map((words) => `seed ${seed}, round ${round}: ${words}`));
        if (failures.length > 0) break;
        const before = acknowledged.size;
        // It never answers: the browser dies under it.
        void page.evaluate((from) => driver.writeNumbered(from), round * 10_000 + 1).catch(() => {});
        while (acknowledged.size === before) await sleep(5);
        await sleep(random() * 300);
        // Now all of the tree, now only the browser's own process.
        kill(profile, round % 4 === 3 ? ['browser'] : undefined);
        await waitUntilGone(profile);
      }
      const { context, page } = await openDriver(profile, driverUrl, () => {});
      await page.evaluate(() => driver.openVault());
      failures.push(...(await check(page, acknowledged)).map((words) => `at the end: ${words}`));
      await context.close();
    } finally {
      kill(profile);
      removeProfile(profile);
    }
    return { tried: times, failures, figures: { savesAcknowledged: acknowledged.size } };
  },
};
