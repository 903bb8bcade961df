import { expect, test } from '@playwright/test';
import type { Locator, Page } from '@playwright/test';
import { acknowledge, expectNoSeriousFinding, sentence } from './steps.ts';

/** Tab by Tab, as a person without a mouse goes. */
async function tabTo(page: Page, target: Locator, key = 'Tab'): Promise<void> {
  for (let presses = 0; presses < 120; presses++) {
    await page.keyboard.press(key);
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  await expect(target).toBeFocused();
}

/** A synthetic person of a pack, by the command palette. */
async function demonstrate(page: Page, words: string, pack: RegExp): Promise<void> {
  await page.keyboard.press('Control+k');
  await page.keyboard.type(`synthetic ${words}`);
  // The list is ranked after the typing; a person looks at what is chosen before Enter.
  await expect(page.getByRole('option', { name: pack, selected: true })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Run the forecast' })).toBeVisible();
}

/** A goal and a limit, by the keyboard; then the search. */
async function askAndSearch(page: Page, goal: string, limit: string): Promise<void> {
  await page.keyboard.press('g');
  await page.keyboard.press('d');
  await expect(sentence(page)).toContainText('What else could be done');
  await expect(page.getByRole('listbox')).toHaveCount(0);
  await tabTo(page, page.getByLabel('Another goal'));
  await page.keyboard.type(goal);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('textbox', { name: /^How much it counts/ })).toHaveCount(4);
  const counts = page.getByRole('textbox', { name: /^How much it counts/ }).last();
  await tabTo(page, counts, 'Shift+Tab');
  await page.keyboard.press('ArrowUp');
  await expect(counts).toHaveValue('6');
  await tabTo(page, page.getByLabel('Another limit'));
  await page.keyboard.type(limit);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const atMost = page.getByRole('textbox', { name: /^At most in 100/ });
  await tabTo(page, atMost, 'Shift+Tab');
  await page.keyboard.press('Control+a');
  await page.keyboard.type('60');
  await page.keyboard.press('Enter');
  await expect(atMost).toHaveValue('60');
  await tabTo(page, page.getByRole('button', { name: 'Search plans' }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Search again' })).toBeVisible({ timeout: 240_000 });
  await expect(sentence(page)).toContainText(/^\d+ plans? (was|were) held against usual care/);
}

/** Two dots of the picture are ticked. Usual care is one of the dots, always there, and cannot be. */
async function tickTwo(page: Page): Promise<void> {
  const front = page.getByRole('listbox');
  await tabTo(page, front);
  const ticked = front.getByRole('option', { selected: true });
  await expect(ticked).toHaveCount(0);
  for (let presses = 0; presses < 10 && (await ticked.count()) < 2; presses++) {
    await page.keyboard.press('Space');
    await page.keyboard.press('ArrowRight');
  }
  await expect(ticked).toHaveCount(2);
}

test('the first front is there while the search goes on, and a stop keeps what was found', async ({ page }) => {
  test.slow();
  await acknowledge(page);
  await demonstrate(page, 'hiv dynamics', /HIV/);
  await page.keyboard.press('g');
  await page.keyboard.press('d');
  await page.getByRole('button', { name: 'Search plans' }).click();
  await expect(page.getByRole('listbox')).toBeVisible({ timeout: 120_000 });
  await page.getByRole('button', { name: 'Stop' }).click();
  await expect(page.getByText(/^Stopped at \d+ futures a plan; figures are rough\.$/)).toBeVisible();
  await expect(page.getByRole('listbox')).toBeVisible();
  await expect(page.getByText(/Not finished: shown is what was found so far/)).toBeVisible();
});

for (const [pack, words, title, goal, limit] of [
  ['an equations pack', 'vancomycin', /Vancomycin/, 'hours of infusion', 'Trough above'],
  ['a learned pack', 'hiv 1991', /HIV, 1991/, 'CD8', 'CD4'],
] as const) {
  test(`under ${pack}: a goal, a limit, the search, two ticked and compared, by the keyboard alone`, async ({ page }) => {
    test.slow();
    await acknowledge(page);
    await demonstrate(page, words, title);
    await askAndSearch(page, goal, limit);
    await tickTwo(page);
    const side = page.getByRole('region', { name: 'Side by side' }).getByRole('table');
    await expect(side.getByRole('columnheader')).toHaveCount(4);
    await expect(side).toContainText('in 100 people like this');
    await expect(page.getByText(/Rounds, plans × futures/)).toBeVisible();
    await expectNoSeriousFinding(page);
    await expect(page.getByText('2 of 3 ticked')).toBeVisible();
    const see = page.getByRole('button', { name: 'See them on the forecast page' });
    await tabTo(page, see);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('button', { name: 'Run again' })).toBeVisible({ timeout: 180_000 });
    // Usual care and two more lanes.
    await expect(page.getByRole('group', { name: /^(usual care|plan [A-D])$/i })).toHaveCount(3);
  });
}

test('what lies beyond what the pack saw is searched on request only, and the word goes with it to forecast and report', async ({
  page,
}) => {
  test.slow();
  await acknowledge(page);
  await demonstrate(page, 'hiv 1991', /HIV, 1991/);
  await page.getByRole('link', { name: 'Plan', exact: true }).click();
  await page.getByRole('button', { name: 'Search plans' }).click();
  await expect(page.getByRole('button', { name: 'Search again' })).toBeVisible({ timeout: 180_000 });
  await expect(page.getByRole('listbox').getByRole('option', { name: /outside what the pack saw/ })).toHaveCount(0);
  await page.getByRole('switch', { name: /Search beyond what the pack saw too/ }).press('Space');
  await expect(page.getByText('Shown is the last search.')).toBeVisible();
  await page.getByRole('button', { name: 'Search again' }).click();
  await expect(page.getByText('Shown is the last search.')).toHaveCount(0, { timeout: 180_000 });
  await expect(page.getByRole('button', { name: 'Search again' })).toBeVisible({ timeout: 180_000 });
  const outside = page.getByRole('row', { name: /outside what the pack saw/ });
  expect(await outside.count()).toBeGreaterThan(0);
  await outside.first().getByRole('checkbox').check();
  await expect(page.getByText(/leaves what the pack’s people had/)).toBeVisible();
  await page.getByRole('button', { name: 'See them on the forecast page' }).click();
  // The result is covered by the reasons until it is asked for all the same.
  await page.getByRole('button', { name: /all the same/ }).click({ timeout: 180_000 });
  await expect(sentence(page)).toContainText('outside the pack’s evidence');
  await expect(page.getByRole('button', { name: 'Run again' })).toBeVisible({ timeout: 180_000 });
  await page.getByRole('button', { name: 'One-page report' }).click();
  await expect(page.getByRole('article', { name: 'Report' }).getByText('outside the pack’s evidence').first()).toBeVisible();
});

test('policies, the worth of a measurement and the next level are answered, and the page prints on one sheet', async ({
  page,
}) => {
  test.slow();
  await acknowledge(page);
  await demonstrate(page, 'vancomycin', /Vancomycin/);
  await page.getByRole('link', { name: 'Plan', exact: true }).click();
  await page.getByRole('button', { name: 'Search plans' }).click();
  await expect(page.getByRole('button', { name: 'Search again' })).toBeVisible({ timeout: 180_000 });
  await page
    .getByRole('checkbox', { name: / every / })
    .first()
    .check();
  await page.emulateMedia({ media: 'print' });
  const sheet = (await page.pdf({ format: 'A4', preferCSSPageSize: true })).toString('latin1');
  expect(sheet.match(/\/Type\s*\/Page[^s]/g)).toHaveLength(1);
  await page.emulateMedia({ media: 'screen' });
  await page.getByRole('button', { name: 'Try the policies' }).click();
  await expect(page.getByRole('table', { name: /^Policies beside fixed plans/ })).toBeVisible({ timeout: 240_000 });
  await expect(page.getByRole('row', { name: /^Measurements/ })).toBeVisible();
  await page.getByRole('button', { name: 'Ask what it is worth' }).click();
  await expect(page.getByText('no measurement can be worth more')).toBeVisible({ timeout: 240_000 });
  await page.getByRole('button', { name: 'Find the times' }).click();
  await expect(page.getByText('is expected to narrow it')).toBeVisible({ timeout: 180_000 });
  await expectNoSeriousFinding(page);
});

test('a pack of natural history says that there is nothing to choose', async ({ page }) => {
  await acknowledge(page);
  await demonstrate(page, 'alzheimer', /Alzheimer/);
  await page.getByRole('link', { name: 'Plan', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Nothing to choose in this pack' })).toBeVisible();
  await expectNoSeriousFinding(page);
});
