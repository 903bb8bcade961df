/** The built app and the driver page, each behind the app's own server with its headers. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { root } from '../../scripts/packages.mjs';
import { serve } from '../../scripts/serve.mjs';
import { models } from '../../scripts/vite-plugins.ts';

export interface Servers {
  readonly urls: { readonly appUrl: string; readonly driverUrl: string };
  close(): Promise<void>;
}

const driver = join(root, 'tests/torture/driver');

/** Built from the sources as the app is, so that workers, policies and chunks are the real ones. */
async function buildDriver(): Promise<string> {
  // Of this process alone: two runs side by side do not take the page from each other.
  const built = mkdtempSync(join(tmpdir(), 'counterpart-driver-'));
  await build({
    configFile: false,
    root: driver,
    base: './',
    logLevel: 'warn',
    publicDir: false,
    plugins: [svelte(), models(join(root, 'models'))],
    worker: { format: 'es' },
    build: { target: 'esnext', outDir: built, emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  });
  return built;
}

/** Builds the driver each time (a few seconds); the app must have been built. */
export async function startServers(): Promise<Servers> {
  const dist = process.env['COUNTERPART_DIST'] ?? join(root, 'dist');
  if (!existsSync(join(dist, 'index.html'))) throw new Error('dist/index.html: there is no build. Run `npm run build` first.');
  const built = await buildDriver();
  const [app, page] = [await serve({ root: dist }), await serve({ root: built })];
  return {
    urls: { appUrl: app.url, driverUrl: page.url },
    close: async () => {
      await Promise.all([app.close(), page.close()]);
      rmSync(built, { recursive: true });
    },
  };
}
