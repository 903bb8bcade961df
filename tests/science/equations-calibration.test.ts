/**
 * Simulation-based calibration of fits on the vancomycin pack's three models: people drawn from them, two levels each, ranks of the
 * truth in the posterior. The long form, 1,000 people of three packs, is training/calibration.ts.
 */
import { describe, expect, test } from 'vitest';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { runStudy, summarise } from '#training/calibration/study.ts';
import { vancomycinStudy } from '#training/calibration/vancomycin.ts';

describe('fits of vancomycin models', async () => {
  const people = 150;
  const { ranks, inConflict } = summarise(
    await runStudy(vancomycinStudy, { people, seed: 3, draws: 2048, lanes: 300 }, new CpuSimulator()),
  );

  test.each(Object.keys(ranks))('%s ranks uniformly', (name) => {
    expect(ranks[name]!.p).toBeGreaterThan(0.01);
  });

  test('intervals of 90 % hold nine in ten', () => {
    const { coverage90 } = ranks['AUC over a day from the last dose']!;
    // Three standard deviations of a share of 150.
    expect(Math.abs(coverage90 - 0.9)).toBeLessThan(3 * Math.sqrt(0.09 / people));
  });

  test('the population’s own people are hardly ever in conflict with it', () => {
    // 1.5 are expected below a chance of 0.01.
    expect(inConflict).toBeLessThan(7);
  });
});
