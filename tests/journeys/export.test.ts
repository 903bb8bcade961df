import { expect, test } from '@playwright/test';
import type { Locator, Page } from '@playwright/test';
import {
  acknowledge,
  chooseFile,
  expectNoSeriousFinding,
  finished,
  firstForecast,
  runDetails,
  saved,
  sentence,
  uncover,
} from './steps.ts';

const safetyLine = 'Simulation for research and education. Not for diagnosis or treatment decisions. Not a medical device.';

const openDialog = async (page: Page): Promise<Locator> => {
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  return page.getByRole('dialog', { name: 'Export' });
};
const save = async (page: Page, name: string) => {
  const dialog = page.getByRole('dialog', { name: 'Export' });
  return saved(page, () => dialog.getByRole('button', { name, exact: true }).click());
};

/** Every line and area that the charts of the result draw. */
const drawnPaths = (page: Page): Promise<string[]> =>
  page.locator('.result svg').evaluateAll((all) =>
    all.flatMap((svg) => [
      svg.getAttribute('aria-label') ?? '',
      ...[...svg.querySelectorAll('path, circle, line, text')].map((one) =>
        ['d', 'cx', 'cy', 'x1', 'y1', 'x2', 'y2', 'x', 'y', 'transform']
          .map((name) => one.getAttribute(name) ?? '')
          .concat(one.localName === 'text' ? (one.textContent ?? '') : '')
          .join(' '),
      ),
    ]),
  );

const openFile = (page: Page, name: string, contents: string) =>
  chooseFile(page, page.getByRole('button', { name: 'Open a run', exact: true }), name, contents);

test('every kind of file is saved, marked, and a run opens again to the same picture and the same bytes', async ({ page }) => {
  test.slow();
  await firstForecast(page);
  const asked = await sentence(page).textContent();
  const before = await drawnPaths(page);
  expect(before.length).toBeGreaterThan(100);

  await openDialog(page);
  await expectNoSeriousFinding(page);
  const run = await save(page, 'Whole run (JSON)');
  expect(run.name).toMatch(/^counterpart-run-\d{8}-[0-9a-f]{4}\.json$/);
  const made = JSON.parse(run.text);
  expect(made).toMatchObject({ format: 'counterpart-run/1', simulated: true, notice: safetyLine, identity: 'removed' });
  expect(made.record.alias).toBe('Synthetic person');
  const numbers = await save(page, 'Simulated numbers (CSV)');
  expect(numbers.text).toContain(safetyLine);
  const rows = numbers.text.split('\r\n').filter((line) => !/^\ufeff?#/.test(line) && line !== '');
  expect(rows[0]).toMatch(/^simulated,kind,plan,/);
  for (const row of rows.slice(1)) expect(row).toMatch(/^TRUE,/);
  const fhir = await save(page, 'FHIR bundle');
  expect(JSON.parse(fhir.text)).toMatchObject({ resourceType: 'Bundle', type: 'collection' });
  expect(fhir.text).toContain('AIAST');
  expect(fhir.text).toContain('HTEST');
  const record = await save(page, 'Record (CSV)');
  expect(record.text).not.toContain('TRUE,marker');
  for (const row of record.text.split('\r\n').filter((line) => /^(TRUE|FALSE)/.test(line))) expect(row).toMatch(/^FALSE,/);
  expect(JSON.parse((await save(page, 'Record (FHIR)')).text).resourceType).toBe('Bundle');
  await page.keyboard.press('Escape');

  await page.getByRole('link', { name: 'Patients' }).click();
  await openFile(page, 'any.json', run.text);
  await expect(page.getByText('Opened from a file.')).toBeVisible();
  await uncover(page);
  await expect(sentence(page)).toHaveText(asked!);
  await expect.poll(() => drawnPaths(page)).toEqual(before);
  await expectNoSeriousFinding(page);
  await openDialog(page);
  expect((await save(page, 'Whole run (JSON)')).text).toBe(run.text);
  await page.keyboard.press('Escape');

  // The same engine, seed and record: the same numbers once more, without anything being stored.
  await page.getByRole('button', { name: 'Run it again here' }).click();
  await expect(page.getByText('Run again here, from a file.')).toBeVisible();
  await finished(page);
  await expect(sentence(page)).toHaveText(asked!);
  await page.getByRole('button', { name: 'Close it' }).click();
  await expect(page.getByText('1 of 1 patient')).toBeVisible();
});

test('a file that is no run is refused in words, and what is open stays open', async ({ page }) => {
  await firstForecast(page);
  await openDialog(page);
  const run = await save(page, 'Whole run (JSON)');
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Patients' }).click();
  for (const text of ['{}', run.text.slice(0, -100), run.text.replace('"seed":1', '"seed":2')]) {
    await openFile(page, 'broken.json', text);
    const alert = page.getByText('This is not a run that can be opened');
    await expect(alert).toBeVisible();
    await expectNoSeriousFinding(page);
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await expect(alert).toBeHidden();
  }
  await page.getByRole('link', { name: 'Forecast' }).click();
  await expect(runDetails(page)).toContainText('10,000 courses a plan');
});

test('identity goes along only after it was asked for, and the log says so', async ({ page }) => {
  await firstForecast(page);
  const dialog = await openDialog(page);
  const toggle = dialog.getByRole('switch', { name: /With name/ });
  await toggle.press('Space');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(toggle).not.toBeChecked();
  await toggle.press('Space');
  await page.getByRole('button', { name: 'Export with identity' }).click();
  await expect(toggle).toBeChecked();
  const run = JSON.parse((await save(page, 'Whole run (JSON)')).text);
  expect(run.identity).toBe('kept');
  expect(run.record.alias).toBe('Synthetic person 1');
  await page.keyboard.press('Escape');
  await openDialog(page);
  await expect(toggle).not.toBeChecked();
  await page.keyboard.press('Escape');
  await page.goto('./#/audit');
  await expect(page.getByText(/with identity/).first()).toBeVisible();
});

test('every chart saves itself as SVG and PNG with its mark in the picture', async ({ page }) => {
  test.slow();
  await firstForecast(page);
  const buttons = page.getByRole('button', { name: /^Save “.*” as SVG$/ });
  // SVG is parsed where no policy stands in the way.
  const blank = await page.context().newPage();
  const count = await buttons.count();
  expect(count).toBeGreaterThanOrEqual(5);
  for (let index = 0; index < count; index++) {
    const { name, text } = await saved(page, () => buttons.nth(index).press('Enter'));
    expect(name).toMatch(/^counterpart-chart-\d{8}-[0-9a-f]{4}\.svg$/);
    const found = await blank.evaluate((svg) => {
      const parsed = new DOMParser().parseFromString(svg, 'image/svg+xml');
      const all = [...parsed.querySelectorAll('*')];
      return {
        isBroken: parsed.querySelector('parsererror') !== null,
        names: [...new Set(all.map((one) => one.localName))],
        attributes: [...new Set(all.flatMap((one) => one.getAttributeNames()))],
        words: [...parsed.querySelectorAll('text')].map((one) => one.textContent).join(' '),
        metadata: parsed.querySelector('metadata')?.textContent ?? '',
      };
    }, text);
    expect(found.isBroken).toBe(false);
    for (const name of ['script', 'foreignObject', 'a', 'image', 'style', 'use', 'animate'])
      expect(found.names).not.toContain(name);
    expect(found.attributes.filter((one) => /^on|href|^style$|^class$/.test(one))).toEqual([]);
    expect(found.words).toContain('SIMULATED, not a measurement.');
    expect(found.words.replaceAll(/\s+/g, ' ')).toContain(safetyLine);
    expect(found.words).toMatch(/seed 1/);
    expect(text).not.toMatch(/var\(|oklch|NaN|undefined/);
    expect(text).not.toContain('http://www.w3.org/1999/xlink');
  }
  const { name, bytes } = await saved(page, () =>
    page
      .getByRole('button', { name: /^Save “.*” as PNG$/ })
      .first()
      .press('Enter'),
  );
  expect(name).toMatch(/\.png$/);
  expect(bytes.subarray(1, 4).toString()).toBe('PNG');
  const box = await page.locator('.result figure').first().boundingBox();
  expect(bytes.readUInt32BE(16)).toBeGreaterThanOrEqual(Math.floor(2 * box!.width));
});

for (const kind of ['learned', 'dosed'] as const) {
  test(`the report is one printed page: ${kind}`, async ({ page }) => {
    test.slow();
    if (kind === 'learned') await firstForecast(page);
    else {
      await acknowledge(page);
      await page
        .getByRole('button', { name: /^Synthetic person/ })
        .first()
        .click();
      await finished(page);
      await page.getByRole('link', { name: 'Patients' }).click();
      await page.getByLabel('Add a synthetic person').selectOption({ value: 'vancomycin' });
      await expect(runDetails(page)).toContainText('10,000 courses a plan,', { timeout: 90_000 });
    }
    await page.getByRole('button', { name: 'One-page report' }).click();
    const report = page.getByRole('article', { name: 'Report' });
    await expect(report).toContainText(safetyLine);
    for (const heading of ['Plans compared', 'Limits', 'What went in', 'Evidence'])
      await expect(report.getByRole('heading', { name: heading })).toBeVisible();
    for (const part of ['seed 1', 'SHA-256', 'inputs', 'Counterpart 0', 'engine cpu']) await expect(report).toContainText(part);
    await expectNoSeriousFinding(page);
    const pdf = (await page.pdf({ format: 'A4', preferCSSPageSize: true })).toString('latin1');
    expect(pdf.match(/\/Type\s*\/Page\b(?!s)/g)).toHaveLength(1);
    await page.setViewportSize({ width: 360, height: 740 });
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
    ).toBeLessThanOrEqual(0);
  });
}

test('exports are reached from the keyboard, and fit 360 pixels', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await firstForecast(page);
  await page.keyboard.press('Control+k');
  await page.getByPlaceholder('Find an action or a patient').fill('Export');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Export' });
  await expect(dialog).toBeVisible();
  const wide = await dialog.evaluate((element) => element.scrollWidth - element.clientWidth);
  expect(wide).toBeLessThanOrEqual(0);
  await expectNoSeriousFinding(page);
});
