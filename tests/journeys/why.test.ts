import { expect, test } from '@playwright/test';
import type { Locator, Page } from '@playwright/test';
import { acknowledge, expectNoSeriousFinding, finished, runDetails, sentence, uncover } from './steps.ts';

const explained = (page: Page) => page.getByRole('button', { name: 'Explain again' });
const overflow = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** On the Why page with a synthetic person, nothing explained yet. */
async function demonstrate(page: Page, pack: 'learned' | 'vancomycin'): Promise<void> {
  await acknowledge(page);
  if (pack === 'vancomycin') await page.getByRole('button', { name: 'Synthetic person: Vancomycin' }).click();
  else {
    await page
      .getByRole('button', { name: /^Synthetic person/ })
      .first()
      .click();
  }
  await expect(runDetails(page)).toContainText('courses a plan', { timeout: 120_000 });
  await page.getByRole('link', { name: 'Why', exact: true }).click();
  await expect(sentence(page)).toContainText('What did the model use for');
}

/** Tab by Tab, as a person without a mouse goes. */
async function tabTo(page: Page, target: Locator, key = 'Tab'): Promise<void> {
  for (let presses = 0; presses < 120; presses++) {
    await page.keyboard.press(key);
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  await expect(target).toBeFocused();
}

for (const pack of ['learned', 'vancomycin'] as const) {
  test(`what the model used is explained over time, group by group, and prints on one page: ${pack}`, async ({ page }) => {
    test.setTimeout(600_000);
    await page.emulateMedia({ colorScheme: pack === 'learned' ? 'light' : 'dark', reducedMotion: 'reduce' });
    await demonstrate(page, pack);
    await expectNoSeriousFinding(page);
    await page.getByRole('button', { name: 'Explain this forecast' }).click();
    await expect(explained(page)).toBeVisible({ timeout: 400_000 });
    await expect(sentence(page)).toContainText(/^What the model used for .* for this person, .* with every input at what stands/);
    await expect(page.getByText(/groups were asked;\s+the\s+parts\s+add\s+up\s+to\s+the\s+whole\s+way/)).toBeVisible();
    expect(await page.locator('main').innerText()).not.toMatch(/why the patient|recommended|optimal|\bbest\b/i);

    const groups = page.getByRole('button', { name: /(raises it by|lowers it by|no more than chance)/ });
    expect(await groups.count()).toBeGreaterThan(1);
    await groups.first().click();
    await expect(page.getByText('In its place stands')).toBeVisible();
    await expect(page.getByRole('img', { name: /^What “.*” adds over time/ })).toBeVisible();
    await expectNoSeriousFinding(page);
    await page.getByRole('button', { name: /^Close / }).click();

    const pdf = (await page.pdf({ format: 'A4', preferCSSPageSize: true })).toString('latin1');
    expect(pdf.match(/\/Type\s*\/Page\b(?!s)/g)).toHaveLength(1);
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await page.setViewportSize({ width: 1280, height: 800 });

    // Another seed: the answer stays and says that it is old.
    await page.getByLabel('Under', { exact: true }).selectOption({ index: 0 });
    await page.getByLabel('Explain', { exact: true }).selectOption({ index: pack === 'learned' ? 1 : 0 });
    if (pack === 'learned') await expect(page.getByText('Shown is the last answer.')).toBeVisible();
  });
}

test('a river is explained and read by the keyboard alone', async ({ page }) => {
  test.setTimeout(600_000);
  await demonstrate(page, 'vancomycin');
  await tabTo(page, page.getByRole('button', { name: 'Explain this forecast' }));
  await page.keyboard.press('Enter');
  await expect(explained(page)).toBeVisible({ timeout: 400_000 });
  const river = page.getByRole('slider', { name: /what raises it and what lowers it at a time; Enter chooses it$/ });
  await tabTo(page, river);
  for (let presses = 0; presses < 6; presses++) await page.keyboard.press('ArrowLeft');
  await expect(river).toHaveAttribute('aria-valuetext', /the reference .*, this person /);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: /^The same in .*, largest first/ })).toBeVisible();
  const group = page.getByRole('button', { name: /(raises it by|lowers it by|no more than chance)/ }).first();
  await tabTo(page, group);
  await page.keyboard.press('Enter');
  await expect(group).toHaveAttribute('aria-pressed', 'true');
  await expect(page.getByText('In its place stands')).toBeVisible();
});

test('under a learned pack each value is asked for, the smallest change, and made-up people', async ({ page }) => {
  test.slow();
  await demonstrate(page, 'learned');
  await page.getByRole('button', { name: 'Compute value by value' }).click();
  await expect(page.getByText(/The parts (add up to|miss) the whole change|They miss the whole change/)).toBeVisible({
    timeout: 120_000,
  });
  await expect(page.getByRole('img', { name: /^Dated values/ })).toBeVisible();
  await expectNoSeriousFinding(page);

  await page.getByRole('tab', { name: 'What would change it' }).click();
  await expect(page.getByRole('button', { name: 'Find the smallest changes' })).toBeDisabled();
  await page.getByRole('textbox', { name: 'People of 100' }).fill('a few');
  await expect(page.getByText('That is not a number.')).toBeVisible();
  await page.getByRole('textbox', { name: 'People of 100' }).fill('2');
  await page.getByRole('button', { name: 'Find the smallest changes' }).click();
  await expect(page.getByText(/^\s*Now:\s+\d+\s+people of 100\./)).toBeVisible({ timeout: 120_000 });
  await expectNoSeriousFinding(page);

  await page.getByRole('tab', { name: 'People like this one' }).click();
  await page.getByRole('button', { name: 'Draw people like this one' }).click();
  await expect(page.getByRole('img', { name: /^Drawn person 1, made up/ })).toBeVisible({ timeout: 120_000 });
  await expect(page.getByText('Nobody of them exists', { exact: false }).first()).toBeVisible();
  await expectNoSeriousFinding(page);
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await overflow(page)).toBeLessThanOrEqual(0);
});

test('under equations it is said which unknown matters most', async ({ page }) => {
  test.slow();
  await demonstrate(page, 'vancomycin');
  await page.getByRole('button', { name: 'Vary the unknowns' }).click();
  await expect(page.getByText(/^(Of the spread of|Knowing no single unknown)/)).toBeVisible({ timeout: 180_000 });
  await expect(page.getByRole('img', { name: /^Where the spread of/ })).toBeVisible();
  await expectNoSeriousFinding(page);
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await overflow(page)).toBeLessThanOrEqual(0);
});

test('an educator guesses first, then sees the forecast and what comes of the made-up person', async ({ page }) => {
  test.slow();
  await page.goto('./');
  await page.getByRole('radio', { name: 'Educator' }).check();
  await page.getByRole('button', { name: 'I understand; go on' }).click();
  await page.getByRole('button', { name: 'Open the demonstration vault' }).click();
  await page
    .getByRole('button', { name: /^Synthetic person/ })
    .first()
    .click();
  await expect(runDetails(page)).toContainText('10,000 courses a plan,', { timeout: 120_000 });
  await expect(sentence(page)).toHaveText('Your own guess first');
  await expect(page.getByRole('heading', { name: 'What would happen' })).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Show the forecast' })).toBeDisabled();
  await expectNoSeriousFinding(page);
  await page.getByLabel('Under usual care').fill('20');
  await page.keyboard.press('Tab');
  await page.getByRole('button', { name: 'Show the forecast', exact: true }).click();
  await uncover(page);
  await finished(page);
  await expect(page.getByText(/^Under usual care you said 20 of 100; the model says /)).toBeVisible();
  await page.getByRole('button', { name: 'Show what comes of this made-up person' }).click();
  await expect(page.getByText(/^made up This person was drawn|This person was drawn/)).toBeVisible();
  await expect(page.getByText('Dash-dotted: what was drawn for this made-up person', { exact: false }).first()).toBeVisible();
  await expectNoSeriousFinding(page);

  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('switch', { name: /Ask for my own guess first/ }).press('Space');
  await expect(page.getByRole('switch', { name: /Ask for my own guess first/ })).not.toBeChecked();
});
