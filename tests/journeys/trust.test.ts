import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';
import { acknowledge, cell, daysAgo, finished, firstForecast, firstPack, sentence, typePerson } from './steps.ts';

async function expectNoSeriousFinding(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join('; ')}`)).toEqual([]);
}

test('how far a forecast may be believed: placed, frozen, the pack’s report, local outcomes, odd records', async ({ page }) => {
  test.setTimeout(240_000);
  await firstForecast(page);
  await page.getByRole('button', { name: 'Freeze this forecast' }).click();
  await expect(page.getByRole('button', { name: 'Frozen', exact: true })).toBeDisabled();

  // By the keyboard, as one goes from page to page.
  await page.getByRole('link', { name: 'Trust' }).focus();
  await page.keyboard.press('Enter');
  await expect(sentence(page)).toHaveText('How far may this forecast be believed?');
  const minute = page.getByRole('region', { name: 'This forecast in a minute' });
  await expect(minute).toContainText('1 forecast was frozen; nothing that they speak of has come yet.');
  await expect(minute).toContainText('None is on: forecasts are the pack’s own.');
  await expect(page.getByRole('img', { name: /of 100 of the pack’s people lie at least as far out/ }).first()).toBeVisible({
    timeout: 60_000,
  });
  await expect(page.getByText(/Held against 1000 people drawn from the pack/)).toBeVisible();
  await expectNoSeriousFinding(page);

  await page.getByRole('tab', { name: 'The pack’s report' }).focus();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('heading', { name: /^Frozen on / })).toBeVisible();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByText(/Not yet\. Found 0 patients/).first()).toBeVisible();
  await expectNoSeriousFinding(page);
  await page.keyboard.press('ArrowRight');
  await page.getByRole('button', { name: 'Look through the one local record' }).click();
  await expect(page.getByText(/stands? out\./)).toBeVisible({ timeout: 60_000 });
  await expectNoSeriousFinding(page);

  // It is still there after a reload, and gone once it is discarded.
  await page.reload();
  await expect(page.getByRole('region', { name: 'This forecast in a minute' })).toContainText('1 forecast was frozen', {
    timeout: 60_000,
  });
  await page.getByRole('tab', { name: 'Frozen forecasts' }).click();
  await page.getByRole('button', { name: 'Discard' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Discard' }).click();
  await expect(page.getByText('None was put away yet.').first()).toBeVisible();
});

test('fits 360 pixels in the dark, and prints on one sheet', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await firstForecast(page);
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto('./#/trust');
  await expect(page.getByText(/Held against 1000 people drawn from the pack/)).toBeVisible({ timeout: 60_000 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await expectNoSeriousFinding(page);
  const sheet = await page.pdf({ format: 'A4' });
  expect(sheet.toString('latin1').match(/\/Type\s*\/Page\b/g)).toHaveLength(1);
});

test('a conformal correction is off, says what it assumes, marks the forecast, and goes with one press', async ({ page }) => {
  await firstForecast(page);
  const ranges = page.getByRole('switch', { name: /^Conformal ranges/ });
  test.skip((await ranges.count()) === 0, 'the first pack brings no conformal corrections');
  await expect(ranges).not.toBeChecked();
  await expect(page.getByText(/^Tried on \d+ test people: \d+ of the promised shares/)).toBeVisible();
  await page.getByText('Conformal ranges').click();
  await expect(page.getByText('Shown is the last run.')).toBeVisible();
  await page.getByRole('button', { name: 'Run again' }).click();
  await finished(page);
  await expect(page.getByText('This forecast is corrected.')).toBeVisible();
  await page.getByText('Conformal ranges').click();
  await page.getByRole('button', { name: 'Run again' }).click();
  await expect(page.getByText('This forecast is corrected.')).toBeHidden({ timeout: 60_000 });
});

test('a person far outside the pack is told so and why, and gets no forecast', async ({ page }) => {
  await acknowledge(page);
  const pack = await firstPack(page);
  await page.getByRole('button', { name: 'Enter a patient' }).click();
  await page.getByLabel('Record starts').fill(daysAgo(5));
  await typePerson(page, pack);
  await cell(page, 0, -1).fill(daysAgo(5));
  // The ends of what is taken at all, one high and the next low: nobody of the pack is like that.
  for (const [column, { plausible, decimals }] of pack.markers.entries()) {
    const [low, high] = plausible;
    await cell(page, 0, column).fill((column % 2 === 0 ? 0.97 * high : Math.max(low * 1.03, 10 ** -decimals)).toFixed(decimals));
  }
  await page.getByRole('button', { name: 'Save and forecast' }).click();
  await page.getByRole('button', { name: 'Run the forecast' }).click();
  await expect(page.getByText('No forecast for this person.')).toBeVisible({ timeout: 60_000 });
  await page.getByRole('link', { name: 'Trust' }).click();
  await expect(page.getByRole('region', { name: 'This forecast in a minute' })).toContainText('the forecast is withheld', {
    timeout: 60_000,
  });
  await expect(page.getByRole('table', { name: /^Values outside what 98 %/ })).toContainText('to');
  await expectNoSeriousFinding(page);
});
