// node scripts/icons.mjs: draws public/icons/*.png from public/favicon.svg. Run it when the picture changes; the results are committed.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import { chromiumFlags, requireChromium } from './chromium.mjs';
import { root } from './packages.mjs';

const picture = readFileSync(join(root, 'public/favicon.svg'), 'utf8');
// Systems cut a maskable icon to a shape of their own: the ground must reach the edges and the picture stay in the middle 80 %.
const ground = '#12363d';
const icons = [
  { name: 'icon-192', size: 192, share: 1, background: 'transparent' },
  { name: 'icon-512', size: 512, share: 1, background: 'transparent' },
  { name: 'icon-maskable-512', size: 512, share: 0.8, background: ground },
];

mkdirSync(join(root, 'public/icons'), { recursive: true });
const browser = await chromium.launch({ executablePath: requireChromium(), args: [...chromiumFlags] });
for (const { name, size, share, background } of icons) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  const edge = (size * (1 - share)) / 2;
  await page.setContent(
    `<style>html{background:${background}}body{margin:${edge}px}svg{display:block;width:${size * share}px}</style>${picture}`,
  );
  await page.screenshot({ path: join(root, 'public/icons', `${name}.png`), omitBackground: background === 'transparent' });
  await page.close();
}
await browser.close();
