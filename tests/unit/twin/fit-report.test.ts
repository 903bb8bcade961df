import { describe, expect, test } from 'vitest';
import { addDays, type PatientRecord } from '#domain/record.ts';
import type { Standing } from '#domain/trust.ts';
import { loadPack } from '#packs/catalogue.ts';
import { requireLearned } from '#packs/pack.ts';
import type { Twin } from '#twin/fit.ts';
import { reportFit } from '#twin/fit-report.ts';
import { readHistory, type History } from '#twin/history.ts';
import { readModels } from '../../../scripts/read-models.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';

const { manifest } = toyPack();
type Place = Pick<Standing, 'verdict' | 'reasons'>;
const inside: Place = { verdict: 'inside', reasons: [] };
const partly: Place = { verdict: 'partly', reasons: ['Unlike the others.'] };

const actgPerson: PatientRecord = {
  id: 'p',
  alias: 'P',
  isSynthetic: true,
  entryDate: '2020-01-01',
  covariates: { age: 40, sex: 'male', 'prior-therapy': 'naive' },
  observations: [],
  treatments: [],
  events: [],
  note: '',
  updatedAt: 0,
};

interface Case {
  readonly age?: number;
  readonly bilirubin?: number;
  /** As long as not given, the latest. */
  readonly atEntry?: number;
  readonly at?: 'entry';
  readonly conflict?: number;
  readonly place?: Place;
}

function standing({ age = 50, bilirubin = 2, atEntry = bilirubin, at, conflict, place }: Case) {
  const history = {
    person: { covariates: { age } },
    latest: new Map([['bilirubin', bilirubin]]),
    atEntry: new Map([['bilirubin', atEntry]]),
    uses: [],
  } as unknown as History;
  const twin = { particles: 10, effectiveSampleSize: 5, temperedMoves: 0, conflictProbability: conflict ?? null } as Twin;
  const criteria = manifest.population.criteria.map((own) => (own.of === 'marker' && at ? { ...own, at } : own));
  return reportFit(
    { ...manifest, population: { ...manifest.population, criteria } },
    history,
    twin,
    place ? () => place : undefined,
  );
}

describe('standing', () => {
  test.each([
    ['nothing unusual', {}, 'fits'],
    ['a hard limit broken', { age: 10 }, 'outside'],
    ['a soft limit broken', { bilirubin: 31 }, 'partly'],
    ['a limit of entry broken since', { at: 'entry', bilirubin: 31, atEntry: 2 }, 'fits'],
    ['a limit of entry broken then', { at: 'entry', bilirubin: 2, atEntry: 31 }, 'partly'],
    ['a limit of now broken then', { bilirubin: 2, atEntry: 31 }, 'fits'],
    ['a place inside the pack’s people', { place: inside }, 'fits'],
    ['a place partly outside', { place: partly }, 'partly'],
    ['a place outside', { place: { ...partly, verdict: 'outside' } }, 'outside'],
    ['a history that hardly surprises', { conflict: 0.02 }, 'fits'],
    ['a surprising history', { conflict: 0.005 }, 'partly'],
    ['a history that contradicts the pack', { conflict: 1e-5 }, 'outside'],
    ['a hard limit broken and a soft one', { age: 10, bilirubin: 31 }, 'outside'],
  ] satisfies [string, Case, string][])('%s: %#', (_, what: Case, expected) => {
    const report = standing(what);
    expect(report.standing).toBe(expected);
    expect(report.reasons.length > 0).toBe(expected !== 'fits');
  });

  test('reasons of a place stand beside those of the criteria, what withholds first', () => {
    const { reasons } = standing({ age: 10, place: partly });
    expect(reasons).toHaveLength(2);
    expect(reasons[1]).toBe('Unlike the others.');
  });

  test('ACTG 175 asks for the CD4 count at entry: a fall since then is no reason for doubt, one count outside is', async () => {
    const actg = requireLearned(await loadPack('hiv-actg175', readModels())).manifest;
    const reasonsFor = (...counts: readonly (readonly [day: number, count: number])[]) => {
      const observations = counts.map(([day, value], i) => ({
        id: `o${i}`,
        code: 'cd4',
        date: addDays('2020-01-01', day),
        value,
        unit: '{cells}/uL',
        isConfirmed: true,
        source: '',
      }));
      return reportFit(actg, readHistory(actg, { ...actgPerson, observations }, '2021-01-01'), {
        conflictProbability: null,
      } as Twin).reasons;
    };
    const screened = expect.stringContaining('at entry 99 % of the people learned from had 128 to 718') as string;
    expect(reasonsFor([0, 300], [300, 120])).toEqual([]);
    expect(reasonsFor([0, 120], [300, 300])).toEqual([screened]);
    expect(reasonsFor([300, 120])).toEqual([screened]);
    expect(reasonsFor([0, 300], [300, 40])).toHaveLength(1);
  });
});
