import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { version } from './package.json' with { type: 'json' };
import { buildListing, models, offline, policyInPage, shellIntegrity } from './scripts/vite-plugins.ts';

const packs = fileURLToPath(new URL('./models', import.meta.url));

export default defineConfig({
  // Any sub-folder of any static host.
  base: './',
  plugins: [svelte(), models(packs), policyInPage(), shellIntegrity(), offline(), buildListing(version)],
  worker: { format: 'es' },
  build: {
    target: 'esnext',
    sourcemap: false,
    // The policy allows no data: addresses for fonts and fetches, so nothing may be inlined as one.
    assetsInlineLimit: 0,
    // Every browser with WebGPU knows modulepreload; the polyfill would fetch by hand.
    modulePreload: { polyfill: false },
    // A chunk holds one tfjs backend and is loaded when that backend is chosen.
    chunkSizeWarningLimit: 1000,
  },
  server: {
    port: 5173,
    // Cross-origin isolation as in `npm start`; the rest of its headers would stop Vite's own client.
    headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' },
  },
});
