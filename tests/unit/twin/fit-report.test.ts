import { describe, expect, test } from 'vitest';
import type { Standing } from '#domain/trust.ts';
import type { Twin } from '#twin/fit.ts';
import { reportFit } from '#twin/fit-report.ts';
import type { History } from '#twin/history.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';

const { manifest } = toyPack();
type Place = Pick<Standing, 'verdict' | 'reasons'>;
const inside: Place = { verdict: 'inside', reasons: [] };
const partly: Place = { verdict: 'partly', reasons: ['Unlike the others.'] };

function standing({ age = 50, bilirubin = 2, conflict = null as number | null, place = null as Place | null }) {
  const history = {
    person: { covariates: { age } },
    latest: new Map([['bilirubin', bilirubin]]),
    uses: [],
  } as unknown as History;
  const twin = { particles: 10, effectiveSampleSize: 5, temperedMoves: 0, conflictProbability: conflict } as Twin;
  return reportFit(manifest, history, twin, place ? () => place : undefined);
}

describe('standing', () => {
  test.each([
    ['nothing unusual', {}, 'fits'],
    ['a hard limit broken', { age: 10 }, 'outside'],
    ['a soft limit broken', { bilirubin: 31 }, 'partly'],
    ['a place inside the pack’s people', { place: inside }, 'fits'],
    ['a place partly outside', { place: partly }, 'partly'],
    ['a place outside', { place: { ...partly, verdict: 'outside' as const } }, 'outside'],
    ['a history that hardly surprises', { conflict: 0.02 }, 'fits'],
    ['a surprising history', { conflict: 0.005 }, 'partly'],
    ['a history that contradicts the pack', { conflict: 1e-5 }, 'outside'],
    ['a hard limit broken and a soft one', { age: 10, bilirubin: 31 }, 'outside'],
  ])('%s: %#', (_, what, expected) => {
    const report = standing(what);
    expect(report.standing).toBe(expected);
    expect(report.reasons.length > 0).toBe(expected !== 'fits');
  });

  test('reasons of a place stand beside those of the criteria, what withholds first', () => {
    const { reasons } = standing({ age: 10, place: partly });
    expect(reasons).toHaveLength(2);
    expect(reasons[1]).toBe('Unlike the others.');
  });
});
