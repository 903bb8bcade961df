/** What journeys have in common. They know no pack: they take the first one installed and read from it what may be typed. */
import { readFileSync } from 'node:fs';
import { AxeBuilder } from '@axe-core/playwright';
import { expect } from '@playwright/test';
import type { BrowserContext, Locator, Page, Worker } from '@playwright/test';

/** The first screen, answered. */
export async function chooseRole(page: Page): Promise<void> {
  await page.goto('./');
  await page.getByRole('radio', { name: 'Clinician' }).check();
  await page.getByRole('button', { name: 'I understand; go on' }).click();
}

/** Into the demonstration vault: made-up people, no secret. */
export async function acknowledge(page: Page): Promise<void> {
  await chooseRole(page);
  await page.getByRole('button', { name: 'Open the demonstration vault' }).click();
  await expect(page.getByRole('button', { name: 'Enter a patient' })).toBeEnabled();
}

export const passphrase = 'otter lamp seven bridge';
export const passphraseField = (page: Page): Locator => page.getByRole('textbox', { name: 'Passphrase', exact: true });

/** Into a new locked vault. Gives its printed key. */
export async function createVault(page: Page): Promise<string> {
  await chooseRole(page);
  await page.getByRole('button', { name: 'Create a locked vault' }).click();
  return makeVault(page);
}

/** From the screen that asks for a new passphrase, on into the vault. */
export async function makeVault(page: Page, button = 'Create the vault'): Promise<string> {
  await passphraseField(page).fill(passphrase);
  await page.getByRole('textbox', { name: 'Passphrase, once more' }).fill(passphrase);
  await page.getByRole('button', { name: button }).click();
  const key = await keepKey(page, 'Go on');
  await expect(page.getByRole('button', { name: 'Enter a patient' })).toBeEnabled();
  return key;
}

/** Reads the printed key from the screen and types the group that is asked back. */
export async function keepKey(page: Page, button: string): Promise<string> {
  const groups = page.getByRole('list', { name: 'Recovery key' }).getByRole('listitem');
  await expect(groups.first()).toBeVisible();
  const key = await groups.allTextContents();
  await page.getByLabel(/^I have written it down/).fill(key[Math.floor(key.length / 2)]!);
  await page.getByRole('button', { name: button }).click();
  return key.join('-');
}

export const lockScreen = (page: Page): Locator => page.getByRole('heading', { name: 'The vault is locked' });

/** Through the lock screen; without a text, with the passphrase of `createVault`. */
export async function unlock(page: Page, text = passphrase): Promise<void> {
  await passphraseField(page).fill(text);
  await page.getByRole('button', { name: 'Unlock', exact: true }).click();
  await expect(page.getByRole('navigation', { name: 'Pages' })).toBeVisible();
}

/** First run, one synthetic person, and the whole forecast. */
export async function firstForecast(page: Page): Promise<void> {
  await acknowledge(page);
  await page
    .getByRole('button', { name: /^Synthetic person/ })
    .first()
    .click();
  await finished(page);
}

export const sentence = (page: Page): Locator => page.getByRole('heading', { level: 1 });
export const runDetails = (page: Page): Locator => page.getByLabel('Run details');

/** The engine's worker, among the others of the page. */
export async function engineWorker(page: Page): Promise<Worker> {
  for (const worker of page.workers()) if ((await worker.evaluate(() => self.name)) === 'engine') return worker;
  throw new Error('No worker is called “engine”.');
}

/** Where a result is covered because the model has little ground for it, a person reads why and opens it. */
export async function uncover(page: Page): Promise<void> {
  const open = page.getByRole('button', { name: 'Show the forecast all the same' });
  await expect(open.or(page.locator('.result')).first()).toBeVisible({ timeout: 120_000 });
  if (await open.isVisible()) await open.click();
}

/** All chosen courses are in, and shown: nothing runs any more. */
export async function finished(page: Page, courses = '10,000'): Promise<void> {
  await expect(page.getByRole('main').getByRole('button', { name: 'Stop', exact: true })).toHaveCount(0, { timeout: 90_000 });
  await expect(runDetails(page)).toContainText(`${courses} courses a plan,`, { timeout: 90_000 });
  await uncover(page);
  await expect(sentence(page)).toContainText('people like this');
}

export interface PackFile {
  readonly id: string;
  readonly title: string;
  readonly covariates: readonly {
    readonly id: string;
    readonly label: string;
    readonly kind: string;
    readonly required: boolean;
    readonly seen?: readonly [number, number];
    readonly categories?: readonly { readonly value: string; readonly label: string }[];
  }[];
  readonly markers: readonly {
    readonly id: string;
    readonly label: string;
    readonly seen: readonly [number, number];
    readonly plausible: readonly [number, number];
    readonly decimals: number;
    readonly staleAfterDays: number;
  }[];
  readonly events: readonly { readonly label: string; readonly isTerminal: boolean }[];
  readonly interventions: readonly { readonly id: string; readonly label: string; readonly whatIfClass: string }[];
}

/** The first pack of the page, as its file says. Fetched outside the page, so that the page's own traffic stays what it is. */
export async function firstPack(page: Page): Promise<PackFile> {
  const index: { packs: readonly { id: string }[] } = await (await page.request.get('models/index.json')).json();
  for (const { id } of index.packs) {
    const pack = await (await page.request.get(`models/${id}/pack.json`)).json();
    // Courses learned from patients are offered first.
    if (pack.kind === 'learned') return pack;
  }
  throw new Error('No learned pack is installed.');
}

/** A value that the pack's people had, as it is typed: between the ends by ratio, as laboratory values spread. */
export function usualValue({ seen, decimals }: { seen: readonly [number, number]; decimals: number }, share = 0.5): string {
  const [low, high] = seen;
  return (low > 0 ? low * (high / low) ** share : low + share * (high - low)).toFixed(decimals);
}

/** Fills what the pack demands of a person. */
export async function typePerson(page: Page, pack: PackFile): Promise<void> {
  for (const covariate of pack.covariates) {
    if (!covariate.required) continue;
    const field = page.getByRole('region', { name: 'Person' }).getByLabel(covariate.label, { exact: true });
    if (covariate.kind === 'category') await field.selectOption({ index: 1 });
    else await field.fill(usualValue({ seen: covariate.seen!, decimals: 0 }));
  }
}

/** A real person, as far as the app knows: typed, with values of the first pack, and saved. Without a purpose, without a basis. */
export async function enterPatient(page: Page, name: string, purpose?: string): Promise<void> {
  const pack = await firstPack(page);
  await page.getByRole('button', { name: 'Enter a patient' }).click();
  await page.getByLabel('Name on this device').fill(name);
  await page.getByLabel('Record starts').fill(daysAgo(400));
  await typePerson(page, pack);
  if (purpose !== undefined) {
    await page.getByLabel('Basis', { exact: true }).selectOption('care');
    await page.getByLabel('Purpose').fill(purpose);
  }
  await cell(page, 0, -1).fill(daysAgo(10));
  for (const [column, marker] of pack.markers.entries()) await cell(page, 0, column).fill(usualValue(marker));
  await page.getByRole('button', { name: 'Save and forecast' }).click();
  await expect(page.getByRole('combobox', { name: 'Patient' })).toBeVisible();
}

/** A file as the browser saves it. */
export async function saved(page: Page, press: () => Promise<void>): Promise<{ name: string; bytes: Buffer; text: string }> {
  const [download] = await Promise.all([page.waitForEvent('download'), press()]);
  const bytes = readFileSync(await download.path());
  return { name: download.suggestedFilename(), bytes, text: bytes.toString('utf8') };
}

/** Answers the browser's own question for a file. */
export async function chooseFile(page: Page, press: Locator, name: string, contents: string): Promise<void> {
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), press.click()]);
  await chooser.setFiles({ name, mimeType: 'application/json', buffer: Buffer.from(contents) });
}

export const cell = (page: Page, row: number, column: number): Locator =>
  page.locator(`[data-row="${row}"][data-column="${column}"]`);

/** A day before today, as date fields take it. */
export function daysAgo(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
}

/** Every request of the page and its workers that leaves the origin or carries a body. */
export function watchTraffic(context: BrowserContext, origin: string): string[] {
  const offences: string[] = [];
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol === 'blob:' || url.protocol === 'data:') return;
    if (url.origin !== origin) offences.push(`left the origin: ${url.href}`);
    if (request.postDataBuffer() !== null || request.method() !== 'GET')
      offences.push(`${request.method()} with a body: ${url.href}`);
  });
  return offences;
}

/** WCAG 2.2 AA; "moderate" and "minor" are listed in the report of the run, "serious" and "critical" fail it. */
export async function expectNoSeriousFinding(page: Page, without: string[] = []): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .disableRules(without)
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join('; ')}`)).toEqual([]);
}
