import { expect, test } from '@playwright/test';
import { acknowledge, cell, daysAgo, finished, firstPack, sentence, typePerson, usualValue } from './steps.ts';
import type { Page } from '@playwright/test';

async function newPatient(page: Page) {
  await acknowledge(page);
  const pack = await firstPack(page);
  await page.getByRole('button', { name: 'Enter a patient' }).click();
  await page.getByLabel('Record starts').fill(daysAgo(400));
  return pack;
}

test('a patient is typed in, forecast, and two plans are compared', async ({ page }) => {
  const pack = await newPatient(page);
  await typePerson(page, pack);
  for (const [row, days] of [390, 200, 10].entries()) {
    await cell(page, row, -1).fill(daysAgo(days));
    for (const [column, marker] of pack.markers.entries())
      await cell(page, row, column).fill(usualValue(marker, 0.48 + 0.02 * row));
  }
  await page.getByRole('button', { name: 'Save and forecast' }).click();
  await page.getByRole('button', { name: 'Run the forecast' }).click();
  await finished(page);
  await expect(sentence(page)).toContainText('under usual care');
  await expect(sentence(page)).toContainText('plan A');

  await page.getByRole('button', { name: 'Duplicate plan A' }).click();
  await page.getByRole('button', { name: 'Run again' }).click();
  await finished(page);
  await expect(sentence(page)).toContainText('plan B');
});

test('a value older than the pack counts as current is marked with its age', async ({ page }) => {
  const pack = await newPatient(page);
  const [marker] = pack.markers;
  await typePerson(page, pack);
  const days = marker!.staleAfterDays + 30;
  await page.getByLabel('Record starts').fill(daysAgo(days));
  await cell(page, 0, -1).fill(daysAgo(days));
  for (const [column, one] of pack.markers.entries()) await cell(page, 0, column).fill(usualValue(one));
  await page.getByRole('button', { name: 'Save and forecast' }).click();
  await page.getByRole('button', { name: 'Run the forecast' }).click();
  await finished(page);
  await page.getByText('Every input, and what the model did with it').click();
  const row = page
    .getByRole('region', { name: 'What went in' })
    .getByRole('row', { name: new RegExp(`^${marker!.label} `) })
    .first();
  await expect(row).toContainText('old');
  await expect(row).toContainText(`${days} days old; the pack counts a value as stale after ${marker!.staleAfterDays}.`);
});

test('ten values are typed with the keyboard alone, by tab and enter', async ({ page }) => {
  const pack = await newPatient(page);
  const markers = pack.markers.slice(0, 5);
  await cell(page, 0, -1).fill(daysAgo(30));
  await cell(page, 0, 0).focus();
  const started = Date.now();
  for (const marker of markers) {
    await page.keyboard.type(usualValue(marker));
    await page.keyboard.press('Enter');
    // Enter went down a row; back up and on to the next column.
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowRight');
  }
  for (const [column, marker] of markers.entries()) await expect(cell(page, 0, column)).toHaveValue(usualValue(marker));
  expect(Date.now() - started).toBeLessThan(30_000);
});

test('a block of a spreadsheet is pasted, dates and all', async ({ page }) => {
  const pack = await newPatient(page);
  const lines = [120, 60].map((days) =>
    [daysAgo(days), ...pack.markers.slice(0, 2).map((marker) => usualValue(marker))].join('\t'),
  );
  await cell(page, 0, -1).focus();
  await page.evaluate((text) => {
    const data = new DataTransfer();
    data.setData('text/plain', text);
    document.activeElement!.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, lines.join('\n'));
  await expect(cell(page, 1, -1)).toHaveValue(daysAgo(60));
  await expect(cell(page, 1, 1)).toHaveValue(usualValue(pack.markers[1] ?? pack.markers[0]!));
});

test.describe('bad input is refused in place, with what to do, and nothing typed is lost', () => {
  test('a wrong unit', async ({ page }) => {
    await newPatient(page);
    await cell(page, 0, -1).fill(daysAgo(5));
    await cell(page, 0, 0).fill('3 furlongs');
    await page.getByRole('button', { name: 'Save and forecast' }).click();
    await expect(page.getByText('is not a unit of this measure. Expected')).toBeVisible();
    await expect(cell(page, 0, 0)).toHaveValue('3 furlongs');
  });

  test('an impossible age', async ({ page }) => {
    const pack = await newPatient(page);
    test.skip(!pack.covariates.some(({ id }) => id === 'age'), 'the pack asks for no age');
    const age = page
      .getByRole('region', { name: 'Person' })
      .getByLabel(pack.covariates.find(({ id }) => id === 'age')!.label, { exact: true });
    await age.fill('400');
    await age.blur();
    await expect(page.getByText('nobody is this old')).toBeVisible();
    await expect(age).toHaveValue('400');
  });

  test('a future date', async ({ page }) => {
    const pack = await newPatient(page);
    await cell(page, 0, -1).fill(daysAgo(-30));
    await cell(page, 0, 0).fill(usualValue(pack.markers[0]!));
    await expect(page.getByText('this day is in the future')).toBeVisible();
  });

  test('a value after death', async ({ page }) => {
    const pack = await newPatient(page);
    const final = pack.events.find(({ isTerminal }) => isTerminal)!;
    await cell(page, 0, -1).fill(daysAgo(10));
    await cell(page, 0, 0).fill(usualValue(pack.markers[0]!));
    await page.getByRole('button', { name: 'Add an event' }).click();
    await page.getByRole('combobox', { name: 'Event' }).selectOption({ label: final.label });
    await page.getByLabel('On', { exact: true }).fill(daysAgo(100));
    await expect(page.getByText('dated after the end of the record')).toBeVisible();
  });

  test('an unusual value, which a person may confirm', async ({ page }) => {
    const pack = await newPatient(page);
    const marker = pack.markers[0]!;
    await cell(page, 0, -1).fill(daysAgo(10));
    await cell(page, 0, 0).fill(String(Math.ceil(marker.plausible[1] * 1.5)));
    await expect(page.getByText('Unusual value.')).toBeVisible();
    await page.getByRole('button', { name: 'It is right' }).click();
    await expect(page.getByText('Unusual value.')).toHaveCount(0);
  });
});

test('what was typed and never saved is there after a reload', async ({ page }) => {
  await newPatient(page);
  await page.getByLabel('Name on this device').fill('Half typed');
  await cell(page, 0, 0).fill('12.');
  await expect(page.getByText('Kept as a draft, not saved yet')).toBeVisible();
  await page.waitForTimeout(600);
  await page.reload();
  await expect(page.getByText('This is what you had typed before.')).toBeVisible();
  await expect(page.getByLabel('Name on this device')).toHaveValue('Half typed');
  await expect(cell(page, 0, 0)).toHaveValue('12.');
});
