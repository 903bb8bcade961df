// A walk through every feature of the built app for scripts/egress.mjs. Prints one JSON line: every request of page, workers and service
// worker that was not to the app's own origin, or carried a body; and those that came after everything was loaded.
import { chromium } from '@playwright/test';
import { join } from 'node:path';
import { walkEveryFeature } from '../tests/journeys/walk.ts';
import { chromiumFlags, requireChromium } from './chromium.mjs';
import { root } from './packages.mjs';
import { serve } from './serve.mjs';

const server = await serve({ root: process.env['COUNTERPART_DIST'] ?? join(root, 'dist') });
const browser = await chromium.launch({ executablePath: requireChromium(), args: [...chromiumFlags] });
try {
  const context = await browser.newContext({ baseURL: server.url, locale: 'en-GB', timezoneId: 'UTC' });
  console.log(JSON.stringify(await walkEveryFeature(await context.newPage(), new URL(server.url).origin)));
} finally {
  await browser.close();
  await server.close();
}
