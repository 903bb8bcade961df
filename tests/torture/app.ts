/** Ways through the app that several cases take. */
import type { Page } from '@playwright/test';

/** A new profile to the list of patients of the demonstration vault. */
export async function openDemonstration(page: Page, appUrl: string): Promise<void> {
  await page.goto(appUrl);
  await page.getByRole('radio', { name: 'Clinician' }).check();
  await page.getByRole('button', { name: 'I understand; go on' }).click();
  await page.getByRole('button', { name: 'Open the demonstration vault' }).click();
}
