import { chromium, expect, test } from '@playwright/test';
import { chromiumFlags, chromiumFlagsWithHost, requireChromium } from '../../scripts/chromium.mjs';
import {
  acknowledge,
  chooseRole,
  engineWorker,
  finished,
  firstForecast,
  firstPack,
  runDetails,
  sentence,
  uncover,
} from './steps.ts';

test('a reload keeps patient, plans and result', async ({ page }) => {
  await firstForecast(page);
  await page.getByRole('button', { name: 'Add a plan' }).click();
  const before = await sentence(page).textContent();
  await page.reload();
  await uncover(page);
  await expect(sentence(page)).toHaveText(before!);
  await expect(page.getByRole('group', { name: 'plan B' })).toBeVisible();
  await expect(page.getByText('Shown is the last run.')).toBeVisible();
});

test('a second tab reads, says so, and may take over', async ({ page, context }) => {
  await firstForecast(page);
  const second = await context.newPage();
  await second.goto('./#/patients');
  await expect(second.getByText('Open in another tab.')).toBeVisible();
  await expect(second.getByRole('button', { name: 'Delete Synthetic person 1' })).toBeDisabled();
  await second.getByRole('button', { name: 'Edit in this tab' }).click();
  await expect(second.getByText('Open in another tab.')).toHaveCount(0);
  await expect(page.getByText('Open in another tab.')).toBeVisible();
  await second.close();
  await expect(page.getByText('Open in another tab.')).toHaveCount(0);
});

test('a worker that ends during a run is noticed, nothing is lost, and the run is offered again', async ({ page }) => {
  await firstForecast(page);
  const before = await sentence(page).textContent();
  await page.getByLabel('Courses for each plan').selectOption('50000');
  await page.getByRole('button', { name: 'Run again' }).click();
  await expect(page.getByRole('progressbar')).toBeVisible();
  // Ends the worker from within, as the browser does when it takes the memory back: the page gets no event for it.
  await (await engineWorker(page)).evaluate(() => self.close()).catch(() => {});
  await expect(page.getByText('The run did not finish.')).toBeVisible();
  expect((await sentence(page).textContent())!.slice(0, 12)).toBe(before!.slice(0, 12));
  await page.getByLabel('Courses for each plan').selectOption('10000');
  await page.getByRole('alert').getByRole('button', { name: 'Run again' }).click();
  await finished(page);
  await expect(page.getByText('The run did not finish.')).toHaveCount(0);
});

test('an altered weights file is refused, named, and nothing of it is used', async ({ page, context }) => {
  const pack = await firstPack(page);
  await context.route(`**/models/${pack.id}/weights.bin`, async (route) => {
    const response = await route.fetch();
    const body = Buffer.from(await response.body());
    body[100]! ^= 1;
    await route.fulfill({ response, body });
  });
  await chooseRole(page);
  await page.getByRole('button', { name: 'Open the demonstration vault' }).click();
  await expect(page.getByText(`The pack “${pack.id}” was refused.`)).toBeVisible();
  await expect(page.getByRole('button', { name: `Synthetic person: ${pack.title.split(/[:,(]/)[0]}`, exact: true })).toHaveCount(
    0,
  );
});

test('a truncated weights file is refused', async ({ page, context }) => {
  const pack = await firstPack(page);
  await context.route(`**/models/${pack.id}/weights.bin`, async (route) => {
    const response = await route.fetch();
    const body = (await response.body()).subarray(0, 1000);
    await route.fulfill({ status: 200, contentType: 'application/octet-stream', body });
  });
  await chooseRole(page);
  await page.getByRole('button', { name: 'Open the demonstration vault' }).click();
  await expect(page.getByText(`The pack “${pack.id}” was refused.`)).toBeVisible();
  await expect(
    page
      .getByText('Your records are not affected.', { exact: false })
      .or(page.getByText('your records are not affected.', { exact: false }))
      .first(),
  ).toBeVisible();
});

test('a pack.json with a wrong field is refused', async ({ page, context }) => {
  const pack = await firstPack(page);
  await context.route(`**/models/${pack.id}/pack.json`, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replace('"markers"', '"markets"') });
  });
  await chooseRole(page);
  await page.getByRole('button', { name: 'Open the demonstration vault' }).click();
  await expect(page.getByText(`The pack “${pack.id}” was refused.`)).toBeVisible();
});

test('an insecure origin says why it cannot start and what to do', async ({ baseURL }) => {
  const { port } = new URL(baseURL!);
  const browser = await chromium.launch({
    executablePath: requireChromium(),
    args: chromiumFlagsWithHost('MAP ward-pc.example 127.0.0.1'),
  });
  try {
    const page = await browser.newPage();
    await page.goto(`http://ward-pc.example:${port}/`);
    await expect(page.getByRole('heading', { name: 'Counterpart cannot start at this address' })).toBeVisible();
    await expect(page.getByText('Use the address that begins with')).toBeVisible();
  } finally {
    await browser.close();
  }
});

test('without WebGPU it says so and forecasts on the processor', async ({ baseURL }) => {
  const flags = chromiumFlags.filter((flag) => !/webgpu|Vulkan/i.test(flag));
  const browser = await chromium.launch({
    executablePath: requireChromium(),
    args: [...flags, '--disable-features=WebGPU', '--disable-gpu'],
  });
  try {
    const page = await browser.newPage({ baseURL: baseURL!, locale: 'en-GB' });
    await firstForecast(page);
    await page.getByRole('button', { name: 'CPU, wasm' }).click();
    await expect(page.getByText('Forecasts run on the processor: no GPU adapter was found.', { exact: true })).toBeVisible();
  } finally {
    await browser.close();
  }
});

test('the software adapter can be forced, passes the reference cases and names itself', async ({ page }) => {
  test.slow();
  await acknowledge(page);
  await page.getByRole('button', { name: 'CPU, wasm' }).click();
  await page.getByLabel('Engine', { exact: true }).selectOption('gpu');
  await expect(page.getByRole('button', { name: 'WebGPU' })).toBeVisible({ timeout: 60_000 });
  await page.keyboard.press('Escape');
  await page
    .getByRole('button', { name: /^Synthetic person/ })
    .first()
    .click();
  await page.getByLabel('Courses for each plan').selectOption('1000');
  await page
    .getByRole('button', { name: 'Stop', exact: true })
    .click({ timeout: 5000 })
    .catch(() => {});
  await page.getByRole('button', { name: /Run (again|the forecast)/ }).click();
  await finished(page, '1,000');
  await expect(runDetails(page)).toContainText('WebGPU');
  await page.getByRole('button', { name: 'WebGPU' }).click();
  await expect(page.getByText('Passed: the pack’s stored cases')).toBeVisible({ timeout: 60_000 });
});
