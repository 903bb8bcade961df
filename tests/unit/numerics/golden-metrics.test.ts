import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runMetricCases, type MetricFile } from '../../../scripts/metrics-conformance.ts';

const folder = new URL('../../fixtures/golden-metrics/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

const read = (name: string): MetricFile => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as MetricFile;

describe('golden metric vectors', () => {
  test('all groups of this milestone are here', () => {
    expect(files).toEqual([
      'attribution.json',
      'binary-calibration.json',
      'causal.json',
      'conformal.json',
      'edge-cases.json',
      'fairness.json',
      'ood.json',
      'probabilistic-forecast.json',
      'statistics-basics.json',
      'survival-brier-auc.json',
      'survival-concordance.json',
      'survival-dcalibration.json',
      'survival-km.json',
      'survival-tests.json',
    ]);
  });

  test.each(files)('%s is reproduced within its tolerance', async (name) => {
    const file = read(name);
    expect(await runMetricCases(file)).toEqual({ passed: file.cases.length, failed: 0, notCovered: 0, messages: [] });
  });

  test('a wrong number is named with its place', async () => {
    const file = read('statistics-basics.json');
    const changed = { ...file, cases: [{ ...file.cases[0]!, expected: { sampleSd: 1 } }] };
    const report = await runMetricCases(changed);
    expect(report.failed).toBe(1);
    expect(report.messages[0]).toContain('statistics-basics/quantiles-intervals.sampleSd: expected 1 ± 1e-8');
  });

  test('a group without code is reported as not covered, not as passed', async () => {
    const report = await runMetricCases({
      schema: 1,
      metricGroup: 'something-later',
      cases: [{ id: 'a', input: {}, expected: 1 }],
    });
    expect(report).toEqual({ passed: 0, failed: 0, notCovered: 1, messages: ['something-later/a: not covered'] });
  });
});
