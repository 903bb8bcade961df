/** Once through every feature, with an ear on every request: a demonstration vault that is deleted again, then a locked one. */
import { fileURLToPath } from 'node:url';
import { expect } from '@playwright/test';
import type { Page, Request, Response } from '@playwright/test';
import {
  acknowledge,
  chooseFile,
  createVault,
  enterPatient,
  finished,
  lockScreen,
  passphrase,
  passphraseField,
  runDetails,
  saved,
  sentence,
  unlock,
  watchTraffic,
} from './steps.ts';

export interface Walk {
  /** All requests that page, workers and service worker made before the ways out were tried. */
  readonly requests: number;
  /** Of these, what left the origin, carried a body, or asked for anything but a file of the build by its bare name. */
  readonly offences: readonly string[];
  /** What was asked of the network, and not answered by the service worker, once that had everything; but for the icon of the page. */
  readonly later: readonly string[];
  /** Files that were saved on the way. */
  readonly files: readonly string[];
  /** What the page of the proof said. */
  readonly proof: string;
  readonly isClean: boolean;
}

export async function walkEveryFeature(page: Page, origin: string): Promise<Walk> {
  const context = page.context();
  const offences = watchTraffic(context, origin);
  const requests: string[] = [];
  const later: string[] = [];
  const files: string[] = [];
  let isKept = false;
  const build: { files: readonly { path: string }[] } = await (await page.request.get('build.json')).json();
  const paths = new Set(['/', '/build.json', ...build.files.map(({ path }) => `/${path}`)]);
  const note = (request: Request) => {
    const { protocol, pathname, search, href } = new URL(request.url());
    if (protocol === 'blob:' || protocol === 'data:') return;
    requests.push(href);
    if (search !== '' || !paths.has(pathname)) offences.push(`no file of the build: ${href}`);
  };
  const noteAnswer = (response: Response) => {
    const { protocol, pathname, href } = new URL(response.url());
    // The browser asks again for the page's own icon at each change of screen, and past the service worker.
    if (isKept && protocol !== 'blob:' && !response.fromServiceWorker() && pathname !== '/favicon.svg') later.push(href);
  };
  context.on('request', note);
  context.on('response', noteAnswer);
  page.on('download', (download) => files.push(download.suggestedFilename()));

  await demonstration(page);
  isKept = true;
  await createVault(page);
  await enterPatient(page, 'Ada Invented', 'Teaching round');
  await press(page, 'Run the forecast');
  await finished(page);
  await forecastAndCard(page);
  const run = await exportEverything(page);
  await reopen(page, run);
  await importFiles(page);
  await doses(page);
  const backup = await settingsAndLog(page);
  await lockAndRestore(page, backup);
  await withoutNetwork(page);
  context.off('request', note);
  context.off('response', noteAnswer);

  // The proof asks for its own files again and tries every way out: nothing of that is of the app itself.
  const found = [...offences];
  await goTo(page, 'prove');
  await press(page, 'Try every way out');
  await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible({ timeout: 90_000 });
  const proof = (await sentence(page).textContent())!.trim();
  return {
    requests: requests.length,
    offences: found,
    later,
    files,
    proof,
    isClean: found.length === 0 && later.length === 0 && proof.includes('none reached anything'),
  };
}

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/imports/${name}`, import.meta.url));
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).first().click();

async function goTo(page: Page, screen: string): Promise<void> {
  await page.evaluate((name) => (location.hash = `#/${name}`), screen);
  await expect(page.getByRole('main').getByRole('heading').first()).toBeVisible();
}

/** Made-up people only; deleted to make room for a locked vault. */
async function demonstration(page: Page): Promise<void> {
  await acknowledge(page);
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  await goTo(page, 'import');
  await expect(page.getByText('Nothing is imported into the demonstration vault.')).toBeVisible();
  await goTo(page, 'settings');
  await press(page, 'Delete it, to begin with a locked vault');
  await page.getByLabel('Type “delete” to go on').fill('delete');
  await press(page, 'Delete everything');
  await press(page, 'Go to the first screen');
}

async function forecastAndCard(page: Page): Promise<void> {
  await press(page, 'Card');
  for (const tab of ['Limits', 'What can be changed', 'Whole card', 'Sources'])
    await page.getByRole('tab', { name: tab }).click();
  await page.keyboard.press('Escape');
  await press(page, 'Add a plan');
  await press(page, 'Run again');
  await finished(page);
  const charts = page.locator('.result figure');
  for (const figure of await charts.all()) await figure.getByRole('button', { name: 'As a table' }).click();
  // Only a picture can be saved as one.
  await charts.first().getByRole('button', { name: 'As a table' }).click();
  for (const kind of ['SVG', 'PNG']) {
    const button = page.getByRole('button', { name: new RegExp(`^Save “.*” as ${kind}$`) }).first();
    await saved(page, () => button.press('Enter'));
  }
}

/** Every kind of file, one with the person's identity, and the report. Gives the run. */
async function exportEverything(page: Page): Promise<string> {
  await press(page, 'Export');
  const dialog = page.getByRole('dialog', { name: 'Export' });
  const save = async (name: string) => (await saved(page, () => dialog.getByRole('button', { name, exact: true }).click())).text;
  const run = await save('Whole run (JSON)');
  for (const name of ['Simulated numbers (CSV)', 'FHIR bundle', 'FHIR with courses', 'Record (CSV)', 'Record (FHIR)'])
    await save(name);
  await dialog.getByRole('switch', { name: /With name/ }).press('Space');
  await press(page, 'Export with identity');
  expect(await save('Whole run (JSON)')).toContain('Ada Invented');
  await dialog.getByRole('button', { name: 'One-page report' }).click();
  await expect(page.getByRole('article', { name: 'Report' })).toBeVisible();
  await page.emulateMedia({ media: 'print' });
  await page.emulateMedia({ media: null });
  return run;
}

async function reopen(page: Page, run: string): Promise<void> {
  await goTo(page, 'patients');
  await chooseFile(page, page.getByRole('button', { name: 'Open a run', exact: true }), 'run.json', run);
  await expect(page.getByText('Opened from a file.')).toBeVisible();
  await press(page, 'Close it');
}

/** A table and a bundle, and where their values came from. */
async function importFiles(page: Page): Promise<void> {
  await goTo(page, 'import');
  await page.locator('input[type=file]').setInputFiles([fixture('labs-eu.csv'), fixture('bundle.json')]);
  await press(page, 'Read with these meanings');
  await press(page, 'Add all to whom they are like');
  await page.getByRole('button', { name: /^Go on with \d+ (person|people)$/ }).click();
  await page.getByLabel('Basis', { exact: true }).selectOption('care');
  await page.getByLabel('Purpose').fill('liver clinic');
  await page.getByRole('button', { name: /^Import \d+ patients?$/ }).click();
  await expect(page.getByText(/^Imported: /)).toBeVisible();
  await press(page, 'Back to patients');
  await press(page, 'Edit Patient 1');
  await page.getByText(/^Where \d+ imported values come from/).click();
}

/** A dosed person: plans searched, policies tried, the worth of a measurement, and the next sample. */
async function doses(page: Page): Promise<void> {
  await goTo(page, 'patients');
  await page.getByLabel('Add a synthetic person').selectOption('vancomycin');
  await expect(runDetails(page)).toContainText('courses a plan', { timeout: 120_000 });
  await goTo(page, 'plan');
  await press(page, 'Search plans');
  await expect(page.getByRole('button', { name: 'Search again' })).toBeVisible({ timeout: 120_000 });
  await page
    .getByRole('checkbox', { name: / every / })
    .first()
    .check();
  await press(page, 'Try the policies');
  await expect(page.getByRole('table', { name: /^Policies beside fixed plans/ })).toBeVisible({ timeout: 240_000 });
  await press(page, 'Ask what it is worth');
  await expect(page.getByText('no measurement can be worth more')).toBeVisible({ timeout: 240_000 });
  await press(page, 'Find the times');
  await expect(page.getByText('is expected to narrow it')).toBeVisible({ timeout: 120_000 });
}

/** All screens of the navigation, the light, the machine, the log. Gives a backup. */
async function settingsAndLog(page: Page): Promise<Buffer> {
  for (const link of await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').all()) await link.click();
  await goTo(page, 'audit');
  await expect(page.getByRole('cell', { name: 'Vault made' })).toBeVisible();
  for (const kind of ['As CSV', 'As JSON']) await saved(page, () => press(page, kind));
  await goTo(page, 'settings');
  for (const light of ['Dark', 'Light']) await page.getByRole('radio', { name: light, exact: true }).check({ force: true });
  await press(page, 'Where it runs');
  await page.keyboard.press('Escape');
  await expect(page.getByText('Ready for offline use')).toBeVisible();
  return (await saved(page, () => press(page, 'Save a backup'))).bytes;
}

async function lockAndRestore(page: Page, backup: Buffer): Promise<void> {
  await press(page, 'Lock');
  await expect(lockScreen(page)).toBeVisible();
  await unlock(page);
  await goTo(page, 'settings');
  await press(page, 'Restore a backup…');
  await page.getByLabel('Backup or rescue file').setInputFiles({
    name: 'backup.vault',
    mimeType: 'application/octet-stream',
    buffer: backup,
  });
  await passphraseField(page).fill(passphrase);
  await press(page, 'Show what it holds');
  await page.getByLabel(/^Type “/).fill('replace');
  await press(page, 'Replace and open');
  await expect(page.getByRole('navigation', { name: 'Pages' })).toBeVisible({ timeout: 20_000 });
}

/** Begun anew from what the service worker keeps. */
async function withoutNetwork(page: Page): Promise<void> {
  await page.context().setOffline(true);
  await page.reload();
  await unlock(page);
  await page.getByRole('link', { name: 'Patients' }).click();
  await expect(page.getByRole('button', { name: 'Ada Invented', exact: true })).toBeVisible();
  await page.context().setOffline(false);
}
