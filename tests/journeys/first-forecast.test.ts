import { expect, test } from '@playwright/test';
import {
  engineWorker,
  expectNoSeriousFinding,
  finished,
  firstForecast,
  runDetails,
  sentence,
  uncover,
  watchTraffic,
} from './steps.ts';

const notADevice = 'Simulation for research and education. Not for diagnosis or treatment decisions. Not a medical device.';

test('a newcomer sees a forecast of a synthetic person after three presses', async ({ page }) => {
  await firstForecast(page);
  await expect(sentence(page)).toHaveText(/^Over .* in 1,?0?00 people like this: .* under usual care, .*\(.*\)\./);
  await expect(page.getByText('Nobody with this record exists.')).toBeVisible();
  await expect(runDetails(page)).toContainText(notADevice);
  await expect(runDetails(page)).toContainText(/seed 1 · 10,000 courses a plan,\s+\d+ versions of the model · [\d.]+ s/);
  await expect(page.getByRole('heading', { name: 'What would happen' })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'How the plans differ from usual care' })).toBeVisible();
});

test('nobody gets past the first screen without saying what they are', async ({ page }) => {
  await page.goto('./');
  await page.getByRole('button', { name: 'I understand; go on' }).click();
  await expect(page.getByRole('alert')).toContainText('Choose what fits best');
  await expect(page.getByRole('navigation', { name: 'Pages' })).toHaveCount(0);
});

test('the first courses are shown at once, and a stopped run keeps them', async ({ page }) => {
  await firstForecast(page);
  await page.getByLabel('Courses for each plan').selectOption('50000');
  await page.getByRole('button', { name: 'Run again' }).click();
  await expect(runDetails(page)).toContainText('courses a plan so far', { timeout: 60_000 });
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(page.getByText('Stopped after the first')).toBeVisible();
  await uncover(page);
  await expect(sentence(page)).toContainText('people like this');
});

test('every chart has a summary, a table and a cursor for the keyboard', async ({ page }) => {
  await firstForecast(page);
  const figures = page.locator('.result figure');
  expect(await figures.count()).toBeGreaterThan(3);
  for (const figure of await figures.all()) {
    await expect(figure.getByRole('img').first()).toHaveAttribute('aria-label', /\S{3,}/);
    await figure.getByRole('button', { name: 'As a table' }).click();
    await expect(figure.getByRole('table').first()).toBeVisible();
    await figure.getByRole('button', { name: 'As a table' }).click();
  }
  const reader = page.locator('.result').getByRole('slider').first();
  await reader.focus();
  const before = await reader.getAttribute('aria-valuetext');
  // It stands at the end, where a page without a mouse reads first.
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  expect(await reader.getAttribute('aria-valuetext')).not.toBe(before);
});

test('no request leaves the origin and none carries a body, from page or worker', async ({ page, context, baseURL }) => {
  const offences = watchTraffic(context, new URL(baseURL!).origin);
  await firstForecast(page);
  expect(offences).toEqual([]);

  // The worker cannot send even when its own code tries.
  const worker = await engineWorker(page);
  const tried = await worker.evaluate(async () => {
    const attempt = async (work: () => unknown) => {
      try {
        await work();
        return 'went through';
      } catch {
        return 'refused';
      }
    };
    return [
      await attempt(() => fetch('/models/index.json', { method: 'POST', body: 'x' })),
      await attempt(() => fetch('https://example.org/')),
      await attempt(() => fetch('/favicon.svg')),
      await attempt(() => new WebSocket('ws://localhost/')),
      await attempt(() => new XMLHttpRequest()),
      await attempt(() => new EventSource('/')),
    ];
  });
  expect(tried).toEqual(Array(6).fill('refused'));
  expect(offences).toEqual([]);
});

test('nothing of a patient is in the address, the title or the console', async ({ page }) => {
  const said: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  await firstForecast(page);
  const places = [page.url(), await page.title(), ...said].join('\n');
  expect(places).not.toContain('Synthetic person');
  // The canary: which vault, which commit, how many rows. Nothing else, and nothing of a person.
  const kept = await page.evaluate(() => ({ ...localStorage, ...sessionStorage }));
  expect(Object.keys(kept)).toEqual(['counterpart-canary']);
  expect(kept['counterpart-canary']).not.toContain('Synthetic person');
});

test('an old result is marked when its plans change, and a run makes it new', async ({ page }) => {
  await firstForecast(page);
  await page.getByRole('button', { name: 'Add a plan' }).click();
  await expect(page.getByText('Shown is the last run.')).toBeVisible();
  await page.getByRole('button', { name: 'Run again' }).click();
  await finished(page);
  await expect(page.getByText('Shown is the last run.')).toHaveCount(0);
  await expect(sentence(page)).toContainText('plan B');
});

test('single courses are overlaid, played and paused, and stand still for whoever asked for less motion', async ({ page }) => {
  await firstForecast(page);
  const figure = page.locator('.result figure').first();
  const courses = figure.locator('.course');
  await expect(courses).toHaveCount(0);
  await page.getByRole('switch', { name: /^Single courses/ }).press('Space');
  // Six a plan, in every chart of a marker.
  await expect(courses).toHaveCount(12);
  await expect(page.locator('.result figure').nth(2).locator('.course').first()).toBeAttached();
  await figure.getByRole('button', { name: 'Play' }).click();
  await figure.getByRole('button', { name: 'Pause' }).click();
  await expect(figure.getByRole('button', { name: 'Play' })).toBeVisible();
  const reader = figure.getByRole('slider');
  const paused = await reader.getAttribute('aria-valuetext');
  await page.waitForTimeout(300);
  expect(await reader.getAttribute('aria-valuetext')).toBe(paused);
  await figure.getByRole('button', { name: 'Play' }).click();
  await expect(figure.getByRole('button', { name: 'Play' })).toBeVisible({ timeout: 10_000 });
  await expect(courses).toHaveCount(12);

  await page.emulateMedia({ reducedMotion: 'reduce' });
  await expect(figure.getByRole('button', { name: 'Play' })).toHaveCount(0);
  await expect(courses).toHaveCount(12);
  await figure.getByRole('button', { name: 'Single courses' }).click();
  await expect(courses).toHaveCount(0);
});

test('the same is asked with another seed, and it is said whether the message keeps', async ({ page }) => {
  await firstForecast(page);
  const before = await sentence(page).innerText();
  await page.getByRole('button', { name: 'Compare with another seed' }).click();
  const seeds = page.getByRole('region', { name: 'Would another seed say the same?' });
  await expect(seeds.getByRole('status')).toHaveText(/^The message (keeps|moves): with seed \d+ instead of 1/, {
    timeout: 90_000,
  });
  await expect(seeds.getByRole('table').getByRole('row')).toHaveCount(3);
  // What is shown stays what it was.
  await expect(sentence(page)).toHaveText(before);
  await expect(runDetails(page)).toContainText('seed 1 ');
  await expectNoSeriousFinding(page);
  await page.getByRole('button', { name: 'Take another seed' }).click();
  await expect(page.getByRole('button', { name: 'Compare with another seed' })).toBeDisabled();
});

test('a patient deleted by mistake comes back', async ({ page }) => {
  await firstForecast(page);
  await page.getByRole('link', { name: 'Patients' }).click();
  await page.getByRole('button', { name: 'Delete Synthetic person 1' }).click();
  await expect(page.getByText('Nobody is here yet')).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByRole('button', { name: 'Synthetic person 1', exact: true })).toBeVisible();
});

test('the page prints without its controls', async ({ page }) => {
  await firstForecast(page);
  await page.emulateMedia({ media: 'print' });
  await expect(page.getByRole('button', { name: 'Run again' })).toBeHidden();
  await expect(page.getByRole('navigation', { name: 'Pages' })).toBeHidden();
  await expect(runDetails(page)).toBeVisible();
});
