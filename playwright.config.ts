import { defineConfig } from '@playwright/test';
import { chromiumFlags, requireChromium } from './scripts/chromium.mjs';

// The journeys run on the built app behind its own server, so headers and policies are the real ones. scripts/journey-server.ts
// starts it on a free port before the first test and stops it after the last.
export default defineConfig({
  testDir: 'tests/journeys',
  testMatch: '**/*.test.ts',
  outputDir: 'test-results/journeys',
  globalSetup: './scripts/journey-server.ts',
  workers: 1,
  forbidOnly: Boolean(process.env['CI']),
  // A forecast on the software GPU takes seconds where a real one takes milliseconds.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [['list']],
  use: {
    baseURL: process.env['COUNTERPART_URL'] ?? 'http://localhost:4173/',
    browserName: 'chromium',
    locale: 'en-GB',
    timezoneId: 'UTC',
    trace: 'off',
    screenshot: 'only-on-failure',
    launchOptions: { executablePath: requireChromium(), args: [...chromiumFlags] },
  },
});
