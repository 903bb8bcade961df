import { describe, expect, test } from 'vitest';
import {
  comparisonsOf,
  correctionTried,
  coverageAt,
  failuresOf,
  isOffTarget,
  standingTo,
  trialsOf,
} from '#domain/validation-findings.ts';
import { figure, madeUpReport, section } from '../../fixtures/validation-report.ts';

describe('a figure', () => {
  test('misses what is wanted when its interval leaves it out', () => {
    expect(isOffTarget(figure({ wanted: 0.9, interval: { low: 0.8, high: 0.85 } }))).toBe(true);
    expect(isOffTarget(figure({ wanted: 0.9, interval: { low: 0.8, high: 0.95 } }))).toBe(false);
  });

  test('that should be at least or at most something misses only on the wrong side', () => {
    const interval = { low: 0.2, high: 0.3 };
    expect(isOffTarget(figure({ better: 'higher', wanted: 0.1, interval }))).toBe(false);
    expect(isOffTarget(figure({ better: 'higher', wanted: 0.4, interval }))).toBe(true);
    expect(isOffTarget(figure({ better: 'lower', wanted: 0.4, interval }))).toBe(false);
    expect(isOffTarget(figure({ better: 'lower', wanted: 0.1, interval }))).toBe(true);
  });

  test('without an interval is judged by its value; one that is not defined, or of which nothing is wanted, by nothing', () => {
    expect(isOffTarget(figure({ wanted: 1, value: 1, interval: null }))).toBe(false);
    expect(isOffTarget(figure({ wanted: 1, value: 0.98, interval: null }))).toBe(true);
    expect(isOffTarget(figure({ value: null, interval: null }))).toBe(false);
    expect(isOffTarget(figure({ better: 'lower', wanted: null }))).toBe(false);
  });

  test.each([
    ['higher', 0.01, 0.03, 1],
    ['higher', -0.03, -0.01, -1],
    ['lower', -0.03, -0.01, 1],
    ['lower', 0.01, 0.03, -1],
    ['lower', -0.01, 0.03, 0],
    ['nearer', 0.01, 0.03, null],
  ] as const)('better %s with a difference of %d to %d stands %s', (better, low, high, standing) => {
    const baselines = [{ name: 'a simpler method', value: 1, difference: { value: (low + high) / 2, low, high } }];
    expect(standingTo(figure({ better, baselines }), 0)).toBe(standing);
  });
});

describe('a report', () => {
  test('counts in how many figures the pack is better than each simpler method', () => {
    expect(comparisonsOf(madeUpReport())).toEqual([
      { baseline: 'climatology', better: 1, undecided: 0, worseAt: [] },
      { baseline: 'landmark Cox', better: 0, undecided: 0, worseAt: ['Death from entry: Harrell’s C (200 made-up people)'] },
    ]);
  });

  test('finds what falls short by itself', () => {
    expect(failuresOf(madeUpReport()).map(({ kind, section: id, figure: at }) => [kind, id, at])).toEqual([
      ['off target', 'markers', 0],
      ['worse than a simpler method', 'events', 0],
      ['trial not replicated', 'trials', null],
    ]);
  });

  test('a group that clearly differs from everyone else is a finding, and no comparison with a simpler method', () => {
    const baselines = [{ name: 'everyone else', value: 0.9, difference: { value: -0.1, low: -0.15, high: -0.05 } }];
    const report = madeUpReport({ sections: [section('subgroups', [figure({ baselines })])] });
    expect(failuresOf(report).map(({ kind }) => kind)).toEqual(['group differs']);
    expect(comparisonsOf(report)).toEqual([]);
  });

  test('gives the coverage of everything, not that of parts', () => {
    expect(coverageAt(madeUpReport(), 0.9).map(({ observed, n }) => [observed, n])).toEqual([[0.82, 1204]]);
    expect(trialsOf(madeUpReport()).map(({ isReplicated }) => isReplicated)).toEqual([true, false]);
  });

  test('says what corrected ranges brought nearer to what they promise, and what they moved furthest from it', () => {
    const tried = (name: string, before: number, value: number) =>
      figure({
        name,
        set: '51 test people',
        value,
        wanted: 0.9,
        baselines: [{ name: 'before', value: before, difference: null }],
      });
    const figures = [tried('a', 0.8, 0.85), tried('b', 0.91, 0.92), tried('c', 0.95, 0.82), tried('d', 0.9, 0.9), figure()];
    expect(correctionTried(madeUpReport({ sections: [section('conformal', figures)] }))).toEqual({
      set: '51 test people',
      nearer: 1,
      further: 2,
      furthest: { name: 'c', before: 0.95, after: 0.82, wanted: 0.9 },
    });
    expect(correctionTried(madeUpReport())).toBeNull();
  });
});
