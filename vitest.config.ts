import { svelte } from '@sveltejs/vite-plugin-svelte';
import { playwright } from '@vitest/browser-playwright';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { chromiumFlags, findChromium } from './scripts/chromium.mjs';
import { gpuEnvironment } from './scripts/gpu-environment.mjs';
import { models } from './scripts/vite-plugins.ts';

// Here and not in a set-up file: the Vulkan loader reads these when a test's process starts, and the pool forks after this.
Object.assign(process.env, gpuEnvironment());

const plugins = [svelte(), models(fileURLToPath(new URL('./models', import.meta.url)))];
const executablePath = findChromium();
// Two workers on the small machines this is tested on; more only multiplies software GPUs.
const pool = { pool: 'forks', maxWorkers: 2 } as const;

export default defineConfig({
  test: {
    passWithNoTests: true,
    projects: [
      {
        plugins,
        test: {
          name: 'node',
          environment: 'node',
          include: ['tests/{unit,conformance,science,golden,architecture}/**/*.test.ts'],
          exclude: ['tests/unit/app/**', 'tests/**/*.svelte.test.ts'],
          ...pool,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        // State classes (app/, and thing.svelte.test.ts elsewhere): in the node project Svelte compiles for the server, where
        // nothing is reactive and nothing a proxy. Files cannot be read here by new URL(…, import.meta.url), as it is the page's URL.
        plugins,
        resolve: { conditions: ['browser'] },
        test: {
          name: 'dom',
          environment: 'happy-dom',
          include: ['tests/unit/app/**/*.test.ts', 'tests/unit/**/*.svelte.test.ts'],
          ...pool,
          testTimeout: 30_000,
        },
      },
      {
        plugins,
        test: {
          name: 'browser',
          include: ['tests/browser/**/*.test.ts'],
          // The first pipeline takes seconds to build on the software GPU.
          testTimeout: 60_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: { args: [...chromiumFlags], ...(executablePath ? { executablePath } : {}) } }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
