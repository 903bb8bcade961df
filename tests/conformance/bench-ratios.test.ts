/** The fused paths stay ahead of the libraries: half of each ratio that bench/ promises, in one short run on a shared machine. */
import { describe, expect, it } from 'vitest';
import { openBrowserBench } from '../../bench/browser-host.ts';
import { benchGlucoseInNode, benchInNode } from '../../bench/node-host.ts';
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
}

/** 24 steps of f32 against f64, as in the conformance suite. */
function expectStates(rows: readonly Row[]): void {
  for (const { path, error } of rows) expect(error, path).toBeLessThan(2e-5);
}

/** In mg/dL, of any patient at any time: what is promised of adaptive steps and of RK4. */
function expectGlucose(rows: readonly Row[]): void {
  for (const { path, error } of rows) expect(error, path).toBeLessThanOrEqual(path.endsWith('dopri5') ? 0.06 : 0.2);
}

describe('bench ratios', () => {
  it('hold in Node: wasm against onnxruntime and tfjs', { timeout: limitMs }, async () => {
    const rows = await benchInNode(gruWork(8), ['wasm-fused', 'ort-wasm', 'tfjs-wasm'], 3);
    expectHalf(rows, 2);
    expectStates(rows);
  });

  it(
    'hold in Node for the glucose ensemble: wasm against plain JavaScript, and numpy where it is',
    { timeout: limitMs },
    async () => {
      const rows = await benchGlucoseInNode(300, 3);
      expectHalf(rows, rows.some(({ path }) => path === 'numpy-rk4') ? 2 : 1);
      expectGlucose(rows);
    },
  );

  const isPossible = findChromium() !== null && process.platform === 'linux';
  it.skipIf(!isPossible)('hold in Chromium on the software adapter: WGSL against tfjs', { timeout: limitMs }, async () => {
    const browser = await openBrowserBench();
    try {
      // Three of the 24 steps: tfjs needs ten seconds for all of them.
      const rows = await browser.gru(gruWork(3), ['wgsl-fused', 'tfjs-webgpu', 'tfjs-webgl'], 3);
      expectHalf(rows, 2);
      expectStates(rows);
      // Five minutes of tfjs's day: it takes the same operations for each of the 1,440.
      const glucose = await browser.glucose(2000, ['wgsl-dopri5', 'wgsl-rk4', 'tfjs-webgpu-rk4'], 5, 3);
      expectHalf(glucose, 2);
      expectGlucose(glucose);
    } finally {
      await browser.close();
    }
  });
});
