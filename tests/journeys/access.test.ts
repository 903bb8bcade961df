import { expect, test } from '@playwright/test';
import type { Locator } from '@playwright/test';
import { acknowledge, expectNoSeriousFinding, finished, firstPack, sentence } from './steps.ts';

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious on any screen, ${colorScheme}`, async ({ page }) => {
    test.slow();
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.goto('./');
    await expect(page.getByRole('radio', { name: 'Clinician' })).toBeVisible();
    await expectNoSeriousFinding(page);
    await acknowledge(page);
    await expectNoSeriousFinding(page);
    await page
      .getByRole('button', { name: /^Synthetic person/ })
      .first()
      .click();
    await finished(page);
    await expectNoSeriousFinding(page);
    await page.getByRole('button', { name: 'Card', exact: true }).click();
    for (const tab of ['Limits', 'What can be changed', 'Whole card', 'Sources']) {
      await page.getByRole('tab', { name: tab }).click();
      await expectNoSeriousFinding(page);
    }
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'CPU, wasm' }).click();
    await expectNoSeriousFinding(page);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await expect(page.getByPlaceholder('Find an action or a patient')).toBeFocused();
    // The list is a combobox's: arrow keys in its text field move through it and scroll it. axe wants a tab stop in it all the same.
    await expectNoSeriousFinding(page, ['scrollable-region-focusable']);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Plan', exact: true }).click();
    await expectNoSeriousFinding(page);
    await page.getByRole('button', { name: 'Search plans' }).click();
    await expect(page.getByRole('button', { name: 'Search again' })).toBeVisible({ timeout: 120_000 });
    await page.getByRole('switch', { name: 'Show the sum of my weights' }).press('Space');
    await expectNoSeriousFinding(page);
    await page.getByRole('link', { name: 'Settings' }).click();
    await expectNoSeriousFinding(page);
    await page.getByRole('link', { name: 'Patients' }).click();
    await expectNoSeriousFinding(page);
    await page.getByRole('button', { name: 'Edit Synthetic person 1' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toContainText('What is known of');
    await page.locator('[data-row="0"][data-column="0"]').fill('no number');
    await expectNoSeriousFinding(page);
  });
}

/** A phone, and a screen of 1280 pixels at 200 %. */
for (const [what, width, height] of [
  ['a page of 360 pixels', 360, 740],
  ['the screen at 200 %', 640, 450],
] as const) {
  test(`nothing is wider than ${what}`, async ({ page }) => {
    test.slow();
    await page.setViewportSize({ width, height });
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    await page.goto('./');
    expect(await overflow()).toBe(0);
    await acknowledge(page);
    expect(await overflow()).toBe(0);
    await page
      .getByRole('button', { name: /^Synthetic person/ })
      .first()
      .click();
    await finished(page);
    expect(await overflow()).toBe(0);
    for (const [name, title] of [
      ['Plan', 'What else could be done for'],
      ['Why', 'What did the model use for'],
      ['Trust', 'How far'],
    ] as const) {
      await page.getByRole('link', { name, exact: true }).click();
      await expect(sentence(page)).toContainText(title);
      expect(await overflow()).toBe(0);
    }
    await page.getByRole('link', { name: 'Settings' }).click();
    expect(await overflow()).toBe(0);
    await page.getByRole('link', { name: 'Patients' }).click();
    await expect(page.getByRole('button', { name: 'Edit Synthetic person 1' })).toBeAttached();
    expect(await overflow()).toBe(0);
    await page.getByRole('button', { name: 'Edit Synthetic person 1' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toContainText('What is known of');
    expect(await overflow()).toBe(0);
  });
}

test('under forced colours what is current or pressed is still told apart', async ({ page }) => {
  await page.emulateMedia({ forcedColors: 'active' });
  await acknowledge(page);
  await page
    .getByRole('button', { name: /^Synthetic person/ })
    .first()
    .click();
  await finished(page);
  const outline = (of: Locator) => of.evaluate((element) => getComputedStyle(element).outlineStyle);
  expect(await outline(page.getByRole('link', { name: 'Forecast', exact: true }))).toBe('solid');
  expect(await outline(page.getByRole('link', { name: 'Plan', exact: true }))).toBe('none');
  const courses = page.locator('.result figure').first().getByRole('button', { name: 'Single courses' });
  expect(await outline(courses)).toBe('none');
  await courses.click();
  await page.mouse.move(0, 0);
  expect(await outline(courses)).toBe('solid');
});

test('the first forecast is reached by the keyboard alone', async ({ page }) => {
  await page.goto('./');
  await expect(page.getByRole('radio', { name: 'Clinician' })).toBeVisible();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Create a locked vault' })).toBeVisible();
  for (let presses = 0; presses < 3; presses++) await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: 'Open the demonstration vault' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Enter a patient' })).toBeEnabled();
  await page.keyboard.press('Control+k');
  const word = (await firstPack(page)).title.split(/[\s:,(]/)[0]!;
  await page.keyboard.type(`synthetic ${word}`);
  // The list is ranked after the typing; a person looks at what is chosen before Enter.
  await expect(page.getByRole('option', { name: new RegExp(word), selected: true })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Run the forecast' })).toBeVisible();
  await page.keyboard.press('Control+Enter');
  await finished(page);

  // Into the plans: a block is moved with the arrows and the change can be taken back.
  const block = page
    .getByRole('group', { name: 'plan A' })
    .getByRole('button', { name: /from today/ })
    .first();
  await block.focus();
  await page.keyboard.press('Alt+ArrowRight');
  await expect(page.getByText('Shown is the last run.')).toBeVisible();
  await page.keyboard.press('Control+z');
  await expect(page.getByText('Shown is the last run.')).toHaveCount(0);

  await page.keyboard.press('g');
  await page.keyboard.press('p');
  await expect(sentence(page)).toHaveText('Whose future is in question?');
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
});
