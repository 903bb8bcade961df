/** The fused paths stay ahead of the libraries: half of each ratio that bench/ promises, in one short run on a shared machine. */
import { describe, expect, it } from 'vitest';
import { openBrowserBench } from '../../bench/browser-host.ts';
import { benchInNode } from '../../bench/node-host.ts';
import { measuredRatios } from '../../bench/ratios.ts';
import { gruWork, type Row } from '../../bench/work.ts';
import { findChromium } from '../../scripts/chromium.mjs';

const limitMs = 240_000;

function expectHalf(rows: readonly Row[], count: number): void {
  const ratios = measuredRatios(rows);
  expect(ratios.length).toBe(count);
  for (const { fast, slow, required, ratio } of ratios) {
    expect(ratio, `${slow} takes ${ratio} times the CPU time of ${fast}`).toBeGreaterThan(required / 2);
  }
  // 24 steps of f32 against f64, as in the conformance suite.
  for (const { path, error } of rows) expect(error, path).toBeLessThan(2e-5);
}

describe('bench ratios', () => {
  it('hold in Node: wasm against onnxruntime and tfjs', { timeout: limitMs }, async () => {
    expectHalf(await benchInNode(gruWork(8), ['wasm-fused', 'ort-wasm', 'tfjs-wasm'], 3), 2);
  });

  const isPossible = findChromium() !== null && process.platform === 'linux';
  it.skipIf(!isPossible)('hold in Chromium on the software adapter: WGSL against tfjs', { timeout: limitMs }, async () => {
    const browser = await openBrowserBench();
    try {
      // Three of the 24 steps: tfjs needs ten seconds for all of them.
      expectHalf(await browser.gru(gruWork(3), ['wgsl-fused', 'tfjs-webgpu', 'tfjs-webgl'], 3), 2);
    } finally {
      await browser.close();
    }
  });
});
