// npm run screenshots: pictures of the built app with a synthetic person, for the README and for looking at before calling a page
// done. Writes docs/images. Needs a build (npm run build); says so when there is none.
import { chromium } from '@playwright/test';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromiumFlags, requireChromium } from './chromium.mjs';
import { root } from './packages.mjs';
import { serve } from './serve.mjs';

const dist = process.argv[2] ?? join(root, 'dist');
const images = process.argv[3] ?? join(root, 'docs/images');
if (!existsSync(join(dist, 'index.html'))) {
  console.error(`${dist}: there is no build to take pictures of. Run npm run build first.`);
  process.exit(1);
}
mkdirSync(images, { recursive: true });

const server = await serve({ root: dist });
const browser = await chromium.launch({ executablePath: requireChromium(), args: [...chromiumFlags] });
try {
  const page = await browser.newPage({
    baseURL: server.url,
    viewport: { width: 1280, height: 860 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
  });
  // The same person in every picture: the seed of the drawing is the one thing on this page that chance decides.
  await page.addInitScript(() => {
    crypto.getRandomValues = (values) => values.fill(7);
  });
  const take = async (name, options = {}) => {
    await page.evaluate(() => document.fonts.ready);
    await page.screenshot({ path: join(images, `${name}.png`), ...options });
    console.log(`  docs/images/${name}.png`);
  };
  const size = (width, height) => page.setViewportSize({ width, height });

  await page.goto('./');
  await page.getByRole('radio', { name: 'Clinician' }).waitFor();
  await take('welcome');
  await page.getByRole('radio', { name: 'Clinician' }).check();
  await page.getByRole('button', { name: 'I understand; go on' }).click();
  await page.getByRole('button', { name: 'Open the demonstration vault' }).waitFor();
  await take('choose');
  await page.getByRole('button', { name: 'Open the demonstration vault' }).click();
  // The person of the README.
  const liver = page.getByRole('button', { name: 'Synthetic person: Liver' });
  await liver.waitFor();
  await take('empty');
  await liver.click();
  await page.getByRole('progressbar').waitFor({ state: 'visible', timeout: 60_000 });
  await page.getByRole('progressbar').waitFor({ state: 'detached', timeout: 120_000 });
  const doubtful = page.getByRole('button', { name: 'Show the forecast all the same' });
  if (await doubtful.isVisible()) await doubtful.click();
  // High enough for the first chart.
  await size(1280, 1160);
  await take('forecast');
  await take('forecast-whole', { fullPage: true });
  await page.emulateMedia({ colorScheme: 'dark' });
  await take('forecast-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await size(1920, 1080);
  await take('forecast-1920');
  await size(360, 740);
  await take('forecast-360');
  await size(1280, 860);
  await page.getByRole('link', { name: 'Patients' }).click();
  await take('patients');
  await page.getByRole('button', { name: /^Edit / }).click();
  await page.getByRole('heading', { level: 1, name: /What is known of/ }).waitFor();
  await take('record');

  // A dosed person, and what else could be done for them.
  await page.getByRole('link', { name: 'Patients' }).click();
  await page.getByLabel('Add a synthetic person').selectOption('vancomycin');
  await page.getByRole('progressbar').waitFor({ state: 'visible', timeout: 60_000 });
  await page.getByRole('progressbar').waitFor({ state: 'detached', timeout: 120_000 });
  await take('dosed-forecast');
  await page.getByRole('link', { name: 'Plan', exact: true }).click();
  await page.getByRole('button', { name: 'Search plans' }).click();
  await page.getByRole('button', { name: 'Search again' }).waitFor({ timeout: 120_000 });
  await take('plan');
} finally {
  await browser.close();
  await server.close();
}
