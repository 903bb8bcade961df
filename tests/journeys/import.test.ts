import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { fileURLToPath } from 'node:url';
import { acknowledge, createVault, watchTraffic } from './steps.ts';
import type { Locator, Page } from '@playwright/test';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/imports/${name}`, import.meta.url));
const picker = (page: Page): Locator => page.locator('input[type=file]');

async function startImport(page: Page, ...names: string[]): Promise<void> {
  await createVault(page);
  await page.getByRole('button', { name: 'Import records' }).click();
  await picker(page).setInputFiles(names.map(fixture));
}

async function checkAccess(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)).toEqual([]);
}

const row = (table: Locator, text: string): Locator => table.getByRole('row').filter({ hasText: text });

test('a FHIR bundle: preview with what was received, summary, storing, provenance in the record, undo', async ({
  page,
  context,
  baseURL,
}) => {
  const offences = watchTraffic(context, new URL(baseURL!).origin);
  await startImport(page, 'bundle.json');
  const values = page.getByRole('region', { name: 'Values of Ada Invented' });
  await expect(row(values, 'Observation/o1')).toContainText('34.2 µmol/L');
  await expect(row(values, 'Observation/o1')).toContainText('2 mg/dL');
  await expect(row(values, 'Observation/o3')).toContainText('> 30 mg/dL');
  await expect(row(values, 'Observation/o3')).toContainText('preliminary result');
  await expect(row(values, 'Observation/o5')).toContainText('the day is not known');
  await checkAccess(page);

  // A code that nobody knows is named once.
  await page.getByRole('button', { name: 'It is Bilirubin' }).click();
  await page.getByRole('button', { name: 'Read again with this meaning' }).click();
  await expect(row(values, 'Observation/o4')).toContainText('2.4 mg/dL');

  await page.getByRole('button', { name: 'Go on with 1 person' }).click();
  await expect(page.getByText('1 patient, 4 new values; 1 kept as received only.')).toBeVisible();
  await page.getByLabel('Basis', { exact: true }).selectOption('care');
  await page.getByLabel('Purpose').fill('liver clinic');
  await checkAccess(page);
  await page.getByRole('button', { name: 'Import 1 patient' }).click();
  await expect(page.getByText('Imported: 1 added.')).toBeVisible();

  await page.getByRole('button', { name: 'Back to patients' }).click();
  await page.getByRole('button', { name: 'Edit Patient 1' }).click();
  await page.getByText('Where 4 imported values come from').click();
  const origins = page.getByRole('region', { name: 'Where imported values come from' });
  await expect(row(origins, 'Observation/o1')).toContainText('34.2 µmol/L');
  await expect(row(origins, 'Observation/o1')).toContainText('bundle.json');
  await expect(page.getByText('Primary biliary cholangitis', { exact: true })).toBeVisible();
  await checkAccess(page);

  await page.goto('./#/import');
  await page.getByRole('button', { name: 'Undo the import' }).click();
  await expect(page.getByRole('heading', { name: 'Nobody is here yet' })).toBeVisible();
  expect(offences).toEqual([]);
});

test('a European table: suggestions, an open question, two people, one left out; the columns are remembered', async ({
  page,
}) => {
  await startImport(page, 'labs-eu.csv');
  await expect(page.getByLabel('Decimal mark')).toHaveValue(',');
  await expect(page.getByText('Before you go on: 1 open question.')).toBeVisible();
  const sample = page.getByRole('region', { name: 'The first rows, as they would be read' });
  await expect(row(sample, 'line 2')).toContainText('2020-03-01');
  await expect(row(sample, 'line 2')).toContainText('34,2 µmol/L');
  await expect(row(sample, 'line 2')).toContainText('2 mg/dL');
  await checkAccess(page);
  // Nobody's favourite number is a measurement.
  await page.getByLabel('Measurement called Lieblingszahl').selectOption({ label: 'Pain, 0–10' });
  await expect(row(sample, 'line 6')).toContainText('(Pain, 0–10)');
  await page.getByLabel('Measurement called Lieblingszahl').selectOption({ index: 0 });
  await expect(row(sample, 'line 6')).toContainText('not known here');
  await page.getByRole('button', { name: 'Read with these meanings' }).click();

  const people = page.getByRole('region', { name: 'People in these files' });
  await expect(row(people, 'Ada Invented')).toContainText('2020-03-01 to 2021-02-03');
  await page.getByLabel('What to do with Bob Beispiel').selectOption('out');
  await page.getByRole('button', { name: 'Go on with 1 person' }).click();
  await page.getByRole('button', { name: 'Import 1 patient' }).click();
  await page.getByRole('button', { name: 'Import more' }).click();

  // The same again: recognised, and nothing is doubled.
  await picker(page).setInputFiles(fixture('labs-eu.csv'));
  await expect(page.getByText('You have read a file with these columns before.')).toBeVisible();
  await page.getByRole('button', { name: 'Read with these meanings' }).click();
  await expect(page.getByText('as Patient 1')).toBeVisible();
  await page.getByRole('button', { name: 'Add all to whom they are like' }).click();
  await page.getByLabel('What to do with Bob Beispiel').selectOption('out');
  await page.getByRole('button', { name: 'Go on with 1 person' }).click();
  await expect(page.getByText('1 patient, 0 new values;')).toBeVisible();
  await expect(page.getByText('3 values were there already and are not doubled.')).toBeVisible();
});

test('a table with codes: what they name is shown and closed; one that is overruled is read otherwise', async ({ page }) => {
  await startImport(page, 'labs-coded.csv');
  await expect(page.getByText('All are recognised: 4 by code.')).toBeVisible();
  const creatinine = page.getByLabel('Measurement called 14682-9');
  await expect(creatinine).toBeHidden();
  await page.getByText('4 measurements', { exact: true }).click();
  await expect(creatinine).toHaveValue('creatinine');
  const names = page.getByRole('region', { name: 'Measurements in labs-coded.csv' });
  await expect(row(names, '718-7')).toContainText('Haemoglobin');
  await expect(row(names, '718-7')).toContainText('by its code');
  await checkAccess(page);
  await creatinine.selectOption({ label: 'not said: kept as received' });
  const sample = page.getByRole('region', { name: 'The first rows, as they would be read' });
  await expect(row(sample, 'line 2')).toContainText('not known here');
  await expect(page.getByText('1 is not recognised, or without a unit: it comes first.')).toBeVisible();
});

test('a file that is cut off is refused in plain words, and the others can come in', async ({ page }) => {
  await startImport(page, 'cut-off.json', 'bundle.json');
  await expect(page.getByText('Nothing of this file is taken.')).toBeVisible();
  await expect(page.getByText('The file ends in the middle.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Go on with 1 person' })).toBeEnabled();
});

test('a dropped file is looked at, and a narrow window holds the page', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await createVault(page);
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(['id;date;test;value;unit\n1;2020-01-31;Bilirubin;2,4;mg/dL\n'], 'dropped.csv'));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await expect(page.getByText('dropped.csv').first()).toBeVisible();
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
  await expect(page.getByRole('button', { name: 'Read with these meanings' })).toBeVisible();
  expect(await fits()).toBe(true);
  await page.getByRole('button', { name: 'Read with these meanings' }).click();
  await page.getByRole('button', { name: 'Go on with 1 person' }).click();
  await expect(page.getByRole('button', { name: 'Import 1 patient' })).toBeVisible();
  expect(await fits()).toBe(true);
  await checkAccess(page);
});

test('nothing is imported into the demonstration vault, and the page says what to do', async ({ page }) => {
  await acknowledge(page);
  await page.goto('./#/import');
  await expect(page.getByText('Nothing is imported into the demonstration vault.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Close the demonstration' })).toBeVisible();
  await expect(picker(page)).toHaveCount(0);
});
