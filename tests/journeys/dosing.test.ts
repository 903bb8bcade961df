import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';
import { acknowledge, daysAgo, expectNoSeriousFinding, runDetails, sentence, uncover } from './steps.ts';

const day = (days: number) => daysAgo(days);

/** A vancomycin patient: a regimen with one missed dose, and two levels. */
async function enterPatient(page: Page): Promise<void> {
  await acknowledge(page);
  await page.getByRole('button', { name: 'Enter a patient' }).click();
  const person = page.getByRole('region', { name: 'Person' });
  await person.getByLabel('Fields for').selectOption('vancomycin');
  await person.getByLabel('Record starts').fill(day(3));
  await person.getByLabel('Age', { exact: true }).fill('62');
  await person.getByLabel('Sex', { exact: true }).selectOption({ index: 1 });
  await person.getByLabel('Body weight', { exact: true }).fill('78');
  await person.getByLabel('Creatinine in serum', { exact: true }).fill('97 µmol/L');
  await person.getByLabel('Intermittent haemodialysis', { exact: true }).selectOption({ label: 'no' });

  await page.getByLabel('Type a line of doses').fill(`1000 mg q12h over 1h from ${day(3)} 08:00 when needed`);
  await page.keyboard.press('Enter');
  await expect(page.getByText('“when needed” was not understood.')).toBeVisible();
  await page.getByLabel('Type a line of doses').fill(`1000 mg q12h over 1h from ${day(3)} 08:00`);
  await page.keyboard.press('Enter');
  await page.locator('summary', { hasText: 'doses by now, all as planned' }).click();
  await page.getByLabel('What happened to dose 2', { exact: true }).selectOption('not given');
  await expect(page.locator('summary', { hasText: 'doses by now, 1 otherwise than planned' })).toBeVisible();

  const values: readonly (readonly [string, string, string])[] = [
    [day(2), '07:30', '9.5'],
    [day(1), '07:30', '12.4 mg/L'],
  ];
  for (const [row, [date, time, level]] of values.entries()) {
    await page.getByLabel(`Date of row ${row + 1}`).fill(date);
    await page.getByLabel(`Time of row ${row + 1}`).fill(time);
    await page.locator(`[data-row="${row}"][data-column="0"]`).fill(level);
  }
}

test('a patient with a regimen, a missed dose and two levels: forecast, search of plans, two compared', async ({ page }) => {
  test.slow();
  await enterPatient(page);
  await expectNoSeriousFinding(page);
  await page.getByRole('button', { name: 'Save and forecast' }).click();
  await page.getByRole('button', { name: 'Run the forecast' }).click();
  await expect(runDetails(page)).toContainText('courses a plan', { timeout: 120_000 });
  await uncover(page);
  await expect(sentence(page)).toContainText('of 100 draws under usual care');
  await expect(page.getByRole('button', { name: 'Run again' })).toBeVisible({ timeout: 120_000 });
  await expect(page.getByRole('img', { name: /^Vancomycin in serum/ })).toBeVisible();
  await page.locator('summary', { hasText: 'Each level, and what the model expected of it' }).click();
  await expect(page.getByRole('region', { name: 'Each level' }).getByRole('row')).toHaveCount(3);
  await expectNoSeriousFinding(page);

  await page.getByRole('link', { name: 'Plan', exact: true }).click();
  await expect(sentence(page)).toContainText('What else could be done');
  await page.getByRole('button', { name: 'Search plans' }).click();
  await expect(page.getByRole('button', { name: 'Search again' })).toBeVisible({ timeout: 180_000 });
  await expect(sentence(page)).toContainText(/^\d+ plans were held against usual care/);
  const candidates = page.getByRole('checkbox', { name: / every / });
  expect(await candidates.count()).toBeGreaterThan(10);
  await expect(page.getByRole('checkbox', { checked: true, name: / every / })).toHaveCount(0);
  await candidates.nth(0).check();
  await candidates.nth(4).check();
  await expect(page.getByRole('heading', { name: 'Side by side' })).toBeVisible();
  await expectNoSeriousFinding(page);

  await page.getByRole('button', { name: 'See them on the forecast page' }).click();
  await uncover(page);
  await expect(sentence(page)).toContainText('under plan B', { timeout: 180_000 });
  await expect(page.getByRole('group', { name: 'plan A', exact: true })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Run again' })).toBeVisible({ timeout: 180_000 });
});

test('bad doses and levels are refused in their places, and a level before the first dose is asked about', async ({ page }) => {
  await enterPatient(page);
  const line = page.getByRole('group', { name: 'Doses, line 1' });
  await line.getByLabel('Over').fill('-1');
  await page.getByRole('button', { name: 'Save and forecast' }).click();
  await expect(page.getByText('an infusion lasts longer than no time')).toBeVisible();
  await line.getByLabel('Over').fill('1 h');
  await page.getByLabel('Time of row 1').fill('');
  await page.getByLabel('Time of row 1').blur();
  await expect(page.getByText('The clock time of these values is needed')).toBeVisible();
  await page.getByLabel('Date of row 1').fill(day(3));
  await page.getByLabel('Time of row 1').fill('06:00');
  await page.getByLabel('Time of row 1').blur();
  await expect(page.getByText('measured before the first dose in the record')).toBeVisible();
  await page.getByRole('button', { name: 'It is right' }).click();
  await expect(page.getByText('measured before the first dose in the record')).toHaveCount(0);
});

test('at 360 pixels nothing sticks out of the plan page or of the record', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await enterPatient(page);
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(await overflow()).toBeLessThanOrEqual(0);
  await page.getByRole('button', { name: 'Save and forecast' }).click();
  await page.getByRole('link', { name: 'Plan', exact: true }).click();
  await expect(sentence(page)).toContainText('What else could be done');
  expect(await overflow()).toBeLessThanOrEqual(0);
  await page.locator('summary', { hasText: 'What is wanted' }).click();
  expect(await overflow()).toBeLessThanOrEqual(0);
});
