/** The proofs that a hospital can repeat: the page that tries every way out, and a meter on the only cable. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { root } from '../../scripts/packages.mjs';
import { buildCode, sumsText } from '../../src/guard/build-list.ts';
import { acknowledge } from './steps.ts';

const dist = () => process.env['COUNTERPART_DIST']!;

test('the page of the proof finds every way stopped, all headers in force and every file as it was built', async ({
  page,
  context,
}) => {
  test.slow();
  await acknowledge(page);
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  await page.getByRole('link', { name: 'sent: 0 bytes' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Can anything leave this device?');
  await page.getByRole('button', { name: 'Try every way out' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('none reached anything', { timeout: 60_000 });
  await expect(page.getByText('answers that were looked at carry every header as it should be')).toBeVisible();
  const list = JSON.parse(readFileSync(join(dist(), 'build.json'), 'utf8'));
  const sums = new TextEncoder().encode(sumsText(list));
  const digest = Buffer.from(await crypto.subtle.digest('SHA-256', sums)).toString('hex');
  await expect(page.getByText(buildCode(digest))).toBeVisible();
  await expect(page.getByText(/All \d+ files are what the build’s list says\./)).toBeVisible();
  await page.getByLabel('The code that was published for this version').fill(buildCode(digest).toUpperCase());
  await expect(page.getByText('It is the same.')).toBeVisible();
  // Still here, with nothing opened beside it.
  expect([new URL(page.url()).hash, context.pages().length]).toEqual(['#/prove', 1]);

  const row = (name: string) => page.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
  await expect(row('Changing the address')).toContainText('stopped: guard');
  await expect(row('WebRTC, STUN')).toContainText('stopped: taken away');
  await expect(row('Image')).toContainText('stopped: content policy');
  await expect(row('fetch').getByRole('cell').nth(1)).toContainText('stopped: content policy');
  await expect(row('fetch').getByRole('cell').nth(2)).toContainText('stopped: refused');
  for (const colorScheme of ['light', 'dark'] as const) {
    // Colours that are still on their way are nobody's contrast.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join('; ')}`)).toEqual([]);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
});

test('a meter on the only cable counts nothing in a walk through every feature, and sees a planted leak', async () => {
  test.slow();
  // The runner's own variables would make the inner one think that it is a worker.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(TEST_|PW_|PLAYWRIGHT_JSON)/.test(name)));
  const run = spawn(process.execPath, ['scripts/egress.mjs', '--short'], { cwd: root, env });
  let said = '';
  for (const stream of [run.stdout, run.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  await new Promise((done) => run.on('close', done));
  const report = JSON.parse(said.trim().split('\n').at(-1)!);
  test.info().annotations.push({ type: 'meter', description: report.meter });
  expect(report.walk, said).toMatchObject({ offences: [], later: [] });
  expect(report).toMatchObject({ left: 0, isProven: true });
  expect(report.planted.left).toBeGreaterThan(0);
});

test('the list of the build names every file once, and the service worker keeps all but those meant for the network', () => {
  const list: { files: readonly { path: string; bytes: number; sha256: string }[] } = JSON.parse(
    readFileSync(join(dist(), 'build.json'), 'utf8'),
  );
  const there = readdirSync(dist(), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dist().length + 1))
    .filter((path) => path !== 'build.json');
  expect(list.files.map(({ path }) => path).toSorted()).toEqual(there.toSorted());
  const worker = readFileSync(join(dist(), 'service-worker.js'), 'utf8');
  const notKept = list.files.filter(({ path, sha256 }) => !worker.includes(sha256) || !worker.includes(`"url":"${path}"`));
  expect(notKept.map(({ path }) => path).toSorted()).toEqual([
    'recover-clear.html',
    'recover.css',
    'recover.html',
    'service-worker.js',
  ]);
});

test('two builds of one source are the same, file by file', () => {
  test.skip(dist() !== join(root, 'dist'), 'Another build than dist was named, perhaps of another source.');
  const folder = mkdtempSync(join(tmpdir(), 'counterpart-build-'));
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const { status, stderr } = spawnSync(process.execPath, [vite, 'build', '--outDir', folder, '--emptyOutDir'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  expect(readFileSync(join(folder, 'build.json'), 'utf8')).toBe(readFileSync(join(dist(), 'build.json'), 'utf8'));
  rmSync(folder, { recursive: true });
});

test('the app can be installed: the manifest names icons of the sizes it says', async ({ page }) => {
  await page.goto('./');
  const manifest = JSON.parse(readFileSync(join(dist(), 'manifest.webmanifest'), 'utf8'));
  for (const { src, sizes, type } of manifest.icons) {
    const path = join(dist(), src);
    expect(existsSync(path), src).toBe(true);
    if (type !== 'image/png') continue;
    // Width and height stand in the first chunk of a PNG.
    const png = readFileSync(path);
    expect(`${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`).toBe(sizes);
  }
  const client = await page.context().newCDPSession(page);
  const { installabilityErrors } = await client.send('Page.getInstallabilityErrors');
  // A context of a test is like a private window, which cannot install.
  expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito')).toEqual([]);
});
