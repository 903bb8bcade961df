import { describe, expect, test } from 'vitest';
import type { Twin } from '#twin/fit.ts';
import { reportFit } from '#twin/fit-report.ts';
import type { History } from '#twin/history.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';

const { manifest } = toyPack();
const unseen = { id: 'albumin', label: 'Albumin', value: '6 g/dL', date: '2020-01-01', remark: 'outside-seen', detail: '' };

function standing({ age = 50, bilirubin = 2, conflict = null as number | null, uses = [] as object[] }) {
  const history = { person: { covariates: { age } }, latest: new Map([['bilirubin', bilirubin]]), uses } as unknown as History;
  const twin = { particles: 10, effectiveSampleSize: 5, temperedMoves: 0, conflictProbability: conflict } as Twin;
  return reportFit(manifest, history, twin);
}

describe('standing', () => {
  test.each([
    ['nothing unusual', {}, 'fits'],
    ['a hard limit broken', { age: 10 }, 'outside'],
    ['a soft limit broken', { bilirubin: 31 }, 'partly'],
    ['a value that few had', { uses: [unseen] }, 'partly'],
    ['a history that hardly surprises', { conflict: 0.02 }, 'fits'],
    ['a surprising history', { conflict: 0.005 }, 'partly'],
    ['a history that contradicts the pack', { conflict: 1e-5 }, 'outside'],
    ['a hard limit broken and a soft one', { age: 10, bilirubin: 31 }, 'outside'],
  ])('%s: %#', (_, what, expected) => {
    const report = standing(what);
    expect(report.standing).toBe(expected);
    expect(report.reasons.length > 0).toBe(expected !== 'fits');
  });

  test('names what few training people had', () => {
    expect(standing({ uses: [unseen] }).reasons).toEqual(['Outside what 98 % of the training people had: Albumin.']);
  });
});
