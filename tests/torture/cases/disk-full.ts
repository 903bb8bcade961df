import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { newProfile, openBrowser, removeProfile } from '../browser.ts';
import type { TortureCase } from '../case.ts';
import type { Driver } from '../driver/main.ts';

declare const driver: Driver;

const settled = 30;
const diskMB = 300;

/** A small disk of its own, for root only; null where it cannot be mounted. */
function mountDisk(): { readonly folder: string; unmount(): void } | null {
  const folder = mkdtempSync(join(tmpdir(), 'counterpart-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMB}m`, 'tmpfs', folder], { stdio: 'pipe' });
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
  return {
    folder,
    unmount() {
      execFileSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Fills what is free. Random bytes: a file of zeros may take no room. */
function fill(folder: string): string {
  const file = join(folder, 'filler');
  const { bavail, bsize } = statfsSync(folder);
  try {
    writeFileSync(file, randomBytes(Math.max(0, bavail * bsize)));
  } catch {
    // Full a little earlier than was said.
  }
  try {
    for (let i = 0; i < 64; i++) writeFileSync(file, randomBytes(4096), { flag: 'a' });
  } catch {
    // Full.
  }
  return file;
}

async function check(page: Page, where: string): Promise<{ failures: string[]; found: string }> {
  const { found, opened, numbers, wrong, unreadable } = await page.evaluate(() => driver.openDamaged());
  const missing = Array.from({ length: settled }, (_, i) => i + 1).filter((number) => !numbers.includes(number));
  const failures: string[] = [];
  // A browser that gave the room back by deleting everything, copies included, can only be noticed, and it must be.
  if (found === 'nothing' || found === 'unencrypted') failures.push(`${where}: an unannounced empty app: “${found}”`);
  // With room again, everything is to be had again.
  if ((opened === 'open' || !where.includes('still full')) && missing.length > 0)
    failures.push(`${where}: ${missing.length} settled records are missing without a word`);
  if (wrong > 0 || unreadable > 0) failures.push(`${where}: ${wrong} wrong, ${unreadable} unreadable records`);
  return { failures, found: `${found}, then ${opened}` };
}

async function prepare(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.evaluate(() => driver.openVault());
  await page.evaluate((count) => driver.writeNumbered(1, count), settled);
  await page.waitForTimeout(5000);
}

async function quota(driverUrl: string): Promise<string[]> {
  const failures: string[] = [];
  const profile = newProfile();
  const context = await openBrowser(profile);
  try {
    const page = await context.newPage();
    await prepare(page, driverUrl);
    const session = await context.newCDPSession(page);
    const { usage } = await session.send('Storage.getUsageAndQuota', { origin: new URL(driverUrl).origin });
    await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(driverUrl).origin, quotaSize: usage + 200_000 });
    const refused = await page.evaluate(() => driver.writeUntilRefused());
    if (refused.code !== 'vault_write_failed') failures.push(`quota: a full store was answered with “${refused.code}”`);
    const during = await page.evaluate(() => driver.readNumbered());
    const kept = Array.from({ length: settled }, (_, i) => i + 1).every((number) => during.numbers.includes(number));
    if (!kept) failures.push('quota: settled records cannot be read while the store is full');
    await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(driverUrl).origin });
    await page.reload();
    failures.push(...(await check(page, 'quota, afterwards')).failures);
  } finally {
    await context.close();
    removeProfile(profile);
  }
  return failures;
}

export const diskFull: TortureCase = {
  name: 'disk-full',
  must: 'full disk, quota: refused writes are said, nothing that was saved is lost unannounced, never an unannounced empty app',
  times: { short: 1, long: 5 },
  limitSeconds: 120,
  async run({ driverUrl, times, progress }) {
    const failures: string[] = [];
    const answers: Record<string, number | string> = {};
    let tried = 0;
    for (let round = 0; round < times; round++) {
      progress(round, times);
      failures.push(...(await quota(driverUrl)));
      tried++;
      const disk = mountDisk();
      if (!disk) {
        answers['fullDisk'] = 'not tried: only root may mount a small disk';
        continue;
      }
      tried++;
      const profile = join(disk.folder, 'profile');
      mkdirSync(profile);
      try {
        const context = await openBrowser(profile);
        const page = await context.newPage();
        await prepare(page, driverUrl);
        const filler = fill(disk.folder);
        const refused = await page.evaluate(() => driver.writeUntilRefused()).catch(() => ({ code: 'page ended' }));
        answers[`write: ${refused.code}`] = Number(answers[`write: ${refused.code}`] ?? 0) + 1;
        await context.close().catch(() => {});
        // Once with the disk still full, as after a restart in despair, and once with room again.
        for (const state of ['still full', 'with room again']) {
          if (state === 'with room again') rmSync(filler);
          const again = await openBrowser(profile);
          const reopened = await again.newPage();
          await reopened.goto(driverUrl);
          const { failures: found, found: words } = await check(reopened, `disk, ${state}`);
          failures.push(...found);
          answers[`${state}: ${words}`] = Number(answers[`${state}: ${words}`] ?? 0) + 1;
          await again.close().catch(() => {});
        }
      } finally {
        disk.unmount();
      }
    }
    return { tried, failures, figures: answers };
  },
};
