/** Once through every feature, with an ear on every request. */
import { expect } from '@playwright/test';
import type { Page } from '@playwright/test';
import { finished, firstForecast, sentence, watchTraffic } from './steps.ts';

export interface Walk {
  /** All requests that page, workers and service worker made before the ways out were tried. */
  readonly requests: number;
  /** Of these, what left the origin or carried a body. */
  readonly offences: readonly string[];
  /** Requests after everything was loaded, but for the icon of the page. */
  readonly later: readonly string[];
  /** What the page of the proof said. */
  readonly proof: string;
  readonly isClean: boolean;
}

export async function walkEveryFeature(page: Page, origin: string): Promise<Walk> {
  const context = page.context();
  const offences = watchTraffic(context, origin);
  const seen: string[] = [];
  context.on('request', (request) => seen.push(request.url()));

  await firstForecast(page);
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  // All packs are read for the list of patients, and the screens are parts of one program: from here on nothing is to be fetched.
  const loaded = seen.length;
  await page.getByRole('button', { name: 'Card', exact: true }).click();
  for (const tab of ['Limits', 'What can be changed', 'Whole card', 'Sources'])
    await page.getByRole('tab', { name: tab }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Add a plan' }).click();
  await page.getByRole('button', { name: 'Run again' }).click();
  await finished(page);
  for (const figure of await page.locator('.result figure').all()) {
    await figure.getByRole('button', { name: 'As a table' }).click();
  }
  const somethingShown = page.getByRole('main').getByRole('heading').first();
  const screens = await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').all();
  for (const link of screens) {
    await link.click();
    await expect(somethingShown).toBeVisible();
  }
  for (const screen of ['audit', 'record', 'forecast']) {
    await page.evaluate((name) => (location.hash = `#/${name}`), screen);
    await expect(somethingShown).toBeVisible();
  }
  await page.emulateMedia({ media: 'print' });
  await page.emulateMedia({ media: null });
  // The browser asks again for the page's own icon at each change of screen.
  const later = seen.slice(loaded).filter((address) => !address.startsWith('blob:') && !address.endsWith('/favicon.svg'));
  const requests = seen.length;
  const found = [...offences];

  // The proof asks for its own files again and tries every way out: nothing of that is of the app itself.
  await page.evaluate(() => (location.hash = '#/prove'));
  await page.getByRole('button', { name: 'Try every way out' }).click();
  await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible({ timeout: 90_000 });
  const proof = (await sentence(page).textContent())!.trim();
  return {
    requests,
    offences: found,
    later,
    proof,
    isClean: found.length === 0 && later.length === 0 && proof.includes('none reached anything'),
  };
}
