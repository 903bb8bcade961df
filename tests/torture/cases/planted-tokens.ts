import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from '@playwright/test';
import { cell, createVault, daysAgo, firstPack, lockScreen, typePerson, unlock, usualValue } from '../../journeys/steps.ts';
import { newProfile, openBrowser, removeProfile } from '../browser.ts';
import type { TortureCase } from '../case.ts';
import { scan } from '../scan.ts';
import type { Hit } from '../scan.ts';

const count = 32;

/** Random, so that no compression of a store can hide them, and letters only, so that every field takes them. */
function newTokens(): string[] {
  const letters = 'abcdefghijkmnpqrstuvwxyz';
  return Array.from({ length: count }, () => Array.from(randomBytes(20), (byte) => letters[byte % letters.length]).join(''));
}

/** Types a token into every text field that is to be seen. Gives how many there were. */
async function fillAll(page: Page, next: () => string): Promise<number> {
  let filled = 0;
  // Handles, not positions: typing adds rows.
  const fields = page.locator('input:not([type]), input[type=text], input[type=search], textarea');
  for (const field of await fields.elementHandles()) {
    if (!(await field.isVisible()) || !(await field.isEditable())) continue;
    await field.fill(next());
    filled++;
  }
  return filled;
}

const link = (page: Page, name: string) => page.getByRole('link', { name, exact: true }).first().click();

/** One person saved with tokens in every text, imported values, a run, an export, and another person typed and never saved. */
async function plant(page: Page, tokens: readonly string[], folder: string): Promise<number> {
  let used = 0;
  const next = () => tokens[used++ % tokens.length]!;
  await createVault(page);
  const pack = await firstPack(page);
  await page.getByRole('button', { name: 'Enter a patient' }).click();
  await page.getByLabel('Name on this device').fill(next());
  await page.getByRole('textbox', { name: 'Note' }).fill(Array.from({ length: 20 }, next).join(' '));
  await page.getByLabel('Record starts').fill(daysAgo(400));
  await typePerson(page, pack);
  await cell(page, 0, -1).fill(daysAgo(10));
  for (const [column, marker] of pack.markers.entries()) {
    // A draft is kept while it is typed, wrong words too.
    await cell(page, 0, column).fill(next());
    await page.waitForTimeout(300);
    await cell(page, 0, column).fill(usualValue(marker));
  }
  await page.getByRole('button', { name: 'Save and forecast' }).click();
  await page.getByRole('button', { name: 'Record the basis' }).click();
  const dialog = page.getByRole('dialog', { name: 'On what basis may these data be used?' });
  await dialog.getByLabel('Basis').selectOption('consent');
  await dialog.getByLabel('Purpose').fill(`${next()} ${next()}`);
  await dialog.getByRole('button', { name: 'Record it' }).click();
  await page.getByRole('button', { name: 'Run the forecast' }).click();
  await page.getByRole('button', { name: 'Run again' }).first().waitFor({ timeout: 120_000 });
  await fillAll(page, next);
  await page.keyboard.press('Control+k');
  await page.keyboard.type(next());
  await page.keyboard.press('Escape');

  // A file whose name, headings and cells are tokens.
  const file = join(folder, `${next()}.csv`);
  const name = next();
  writeFileSync(
    file,
    `patient_id,name,loinc,test,value,unit,date,${next()}\n${next()},${name},1975-2,${next()},1.2,mg/dL,2025-03-04,${next()}\n`,
  );
  await page.evaluate(() => (location.hash = '#/import'));
  await page.locator('input[type=file]').first().setInputFiles(file);
  await page.waitForTimeout(3000);
  await fillAll(page, next);

  await link(page, 'Patients');
  await fillAll(page, next);
  await page.getByRole('searchbox').first().fill('');
  await page.getByRole('button', { name: 'Enter a patient' }).click();
  await fillAll(page, next);
  await page.waitForTimeout(1000);
  return used;
}

/** Strings of the page's own memory: what a heap snapshot shows. */
async function inMemory(page: Page, tokens: readonly string[]): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  let snapshot = '';
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => (snapshot += chunk));
  await session.send('HeapProfiler.enable');
  await session.send('HeapProfiler.collectGarbage');
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  return tokens.filter((token) => snapshot.includes(token));
}

const words = (hits: readonly Hit[]) =>
  hits
    .slice(0, 5)
    .map(({ file, encoding }) => `${file} (${encoding})`)
    .join(', ');

async function start(profile: string, appUrl: string): Promise<{ context: BrowserContext; page: Page }> {
  const context = await openBrowser(profile, { baseURL: appUrl });
  return { context, page: context.pages()[0] ?? (await context.newPage()) };
}

export const plantedTokens: TortureCase = {
  name: 'planted-tokens',
  must: '32 random tokens planted in every field, then lock, then erase: 0 hits in the profile, in any encoding',
  times: { short: 1, long: 5 },
  limitSeconds: 300,
  async run({ appUrl, times, progress }) {
    const failures: string[] = [];
    const figures: Record<string, number> = { tokensTyped: 0 };
    for (let round = 0; round < times; round++) {
      progress(round, times);
      const tokens = newTokens();
      const profile = newProfile();
      const folder = mkdtempSync(join(tmpdir(), 'counterpart-planted-'));
      try {
        let { context, page } = await start(profile, appUrl);
        const used = await plant(page, tokens, folder);
        figures['tokensTyped'] = used;
        if (used < count) failures.push(`only ${used} of ${count} tokens found a field`);
        await page.getByRole('button', { name: 'Lock', exact: true }).click();
        await lockScreen(page).waitFor();
        const remembered = await inMemory(page, tokens);
        if (remembered.length > 0) failures.push(`after the lock the page's memory holds ${remembered.length} tokens`);
        const shown = `${await page.title()} ${page.url()} ${await page.content()}`;
        if (tokens.some((token) => shown.includes(token))) failures.push('after the lock the page shows a token');
        await context.close();
        const locked = scan(profile, tokens);
        if (locked.length > 0) failures.push(`locked: ${locked.length} hits: ${words(locked)}`);

        ({ context, page } = await start(profile, appUrl));
        await page.goto('./');
        await unlock(page);
        const download = page.waitForEvent('download');
        await link(page, 'Settings');
        await page.getByRole('button', { name: 'Save a backup' }).click();
        const backups = join(folder, 'backups');
        await (await download).saveAs(join(backups, 'backup'));
        const inBackup = scan(backups, tokens);
        if (inBackup.length > 0) failures.push(`backup: ${inBackup.length} hits`);
        await link(page, 'Patients');
        await page
          .getByRole('button', { name: /^Delete / })
          .first()
          .click();
        await page.waitForTimeout(6000);
        if ((await page.getByRole('button', { name: /^Delete / }).count()) > 0) failures.push('the person was not erased');
        await context.close();
        const erased = scan(profile, tokens);
        if (erased.length > 0) failures.push(`erased: ${erased.length} hits: ${words(erased)}`);

        // The control: a token where none may be must be seen, or the scan proves nothing.
        ({ context, page } = await start(profile, appUrl));
        await page.goto('./');
        await page.evaluate((token) => localStorage.setItem('planted', token), tokens[0]!);
        await page.waitForTimeout(500);
        await context.close();
        if (scan(profile, tokens.slice(0, 1)).length === 0)
          failures.push('the scan did not see a token that was left in localStorage');
      } finally {
        removeProfile(profile);
        rmSync(folder, { recursive: true, force: true });
      }
    }
    return { tried: times * count, failures, figures };
  },
};
