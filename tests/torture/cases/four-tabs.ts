import { newProfile, openBrowser, removeProfile } from '../browser.ts';
import type { TortureCase } from '../case.ts';
import type { Driver } from '../driver/main.ts';

declare const driver: Driver;

const tabs = 4;

export const fourTabs: TortureCase = {
  name: 'four-tabs',
  must: '4 tabs × 2,000 edits: 0 lost',
  // Edits of each tab.
  times: { short: 200, long: 2000 },
  limitSeconds: 120,
  async run({ driverUrl, times, progress }) {
    const failures: string[] = [];
    const profile = newProfile();
    const context = await openBrowser(profile);
    try {
      const pages = [];
      for (let tab = 0; tab < tabs; tab++) {
        const page = await context.newPage();
        await page.goto(driverUrl);
        await page.evaluate(() => driver.openVault());
        pages.push(page);
      }
      let done = 0;
      // Every tab adds one to a number that all share, and writes one of its own, as often.
      await Promise.all(
        pages.map(async (page, tab) => {
          await page.evaluate(([who, edits]) => driver.editShared(who, edits), [`tab ${tab}`, times] as const);
          progress(++done, tabs);
        }),
      );
      const { shared, own } = await pages[0]!.evaluate(() => driver.readShared());
      if (shared !== tabs * times) failures.push(`the shared number is ${shared}, expected ${tabs * times}`);
      for (let tab = 0; tab < tabs; tab++) {
        if (own[`tab ${tab}`] !== times) failures.push(`tab ${tab} kept ${own[`tab ${tab}`]} of ${times} edits`);
      }
    } finally {
      await context.close();
      removeProfile(profile);
    }
    return { tried: tabs * times, failures, figures: {} };
  },
};
