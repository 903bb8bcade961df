/**
 * Simulation-based calibration of fits on the vancomycin pack's three models: people drawn from them, two levels each, ranks of the
 * truth in the posterior. The long form, 1,000 people of three packs, is training/calibration.ts; its figures are in docs/evidence.md.
 */
import { describe, expect, test } from 'vitest';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { runStudy, summarise } from '#training/calibration/study.ts';
import { vancomycinStudy } from '#training/calibration/vancomycin.ts';

describe('fits of vancomycin models', async () => {
  const people = 200;
  const fitted = await runStudy(vancomycinStudy, { people, seed: 3, draws: 4096, lanes: 500 }, new ReferenceSimulator());
  const report = summarise(fitted);
  console.log(JSON.stringify(report, null, 1));

  test.each(Object.keys(report.ranks))('%s ranks uniformly', (name) => {
    expect(report.ranks[name]!.p).toBeGreaterThan(0.01);
  });
});
