import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileSource } from '#interop/tables/text-file.ts';
import { largeCsv, largeNdjson } from '../../fixtures/import/large-files.ts';
import { newProfile, openBrowser, removeProfile, rendererBytes, sleep } from '../browser.ts';
import type { TortureCase } from '../case.ts';
import type { Driver } from '../driver/main.ts';

declare const driver: Driver;

const mostTaskMs = 200;
const mostCancelMs = 1000;
const mostMiB = 512;

async function writeSource(path: string, { chunks }: FileSource): Promise<void> {
  const file = await open(path, 'w');
  for await (const chunk of chunks()) await file.write(chunk);
  await file.close();
}

export const largeFiles: TortureCase = {
  name: 'large-files',
  must: '1,000,000-row CSV, 200,000-resource NDJSON: no task over 200 ms on the page, progress, cancel within 1 s, memory below 512 MiB',
  // Thousands of rows of the table; a fifth of it is the number of resources.
  times: { short: 50, long: 1000 },
  limitSeconds: 120,
  async run({ driverUrl, times, progress }) {
    const failures: string[] = [];
    const figures: Record<string, number> = {};
    const folder = mkdtempSync(join(tmpdir(), 'counterpart-large-'));
    const rows = times * 1000;
    const files = [
      { wanted: rows, source: largeCsv(rows) },
      { wanted: rows / 5, source: largeNdjson(rows / 5) },
    ];
    try {
      for (const [at, { wanted, source }] of files.entries()) {
        const { name } = source;
        progress(at, files.length, name);
        const path = join(folder, name);
        await writeSource(path, source);
        const profile = newProfile();
        const context = await openBrowser(profile);
        try {
          const page = await context.newPage();
          await page.goto(driverUrl);
          await page.locator('input[type=file]').setInputFiles(path);
          await sleep(500);
          await page.evaluate(() => void driver.longTasks());
          let mostBytes = 0;
          const meter = setInterval(() => (mostBytes = Math.max(mostBytes, rendererBytes(profile))), 100);
          const read = await page.evaluate(() => driver.readChosen());
          clearInterval(meter);
          const longest = Math.max(0, ...(await page.evaluate(() => driver.longTasks())));
          const cancelMs = await page.evaluate(() => driver.cancelChosen());
          const kind = name.split('.')[1]!;
          figures[`${kind}Seconds`] = Number((read.ms / 1000).toFixed(1));
          figures[`${kind}LongestTaskMs`] = Math.round(longest);
          figures[`${kind}PeakMiB`] = Math.round(mostBytes / 2 ** 20);
          figures[`${kind}CancelMs`] = Math.round(cancelMs);
          if (read.kept !== wanted) failures.push(`${name}: ${read.kept} values kept of ${wanted}; ${read.message}`);
          if (read.reports < Math.max(1, Math.floor(read.ms / 1000)))
            failures.push(`${name}: progress was told ${read.reports} times`);
          if (longest > mostTaskMs) failures.push(`${name}: a task of ${Math.round(longest)} ms on the page`);
          if (cancelMs > mostCancelMs)
            failures.push(`${name}: ${Math.round(cancelMs)} ms until the worker was free after a cancel`);
          if (mostBytes > mostMiB * 2 ** 20) failures.push(`${name}: ${Math.round(mostBytes / 2 ** 20)} MiB of memory`);
        } finally {
          await context.close();
          removeProfile(profile);
        }
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
    return { tried: files.length, failures, figures };
  },
};
