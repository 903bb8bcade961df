import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadPack } from '#packs/catalogue.ts';
import { modelDigest } from '#packs/validation.ts';
import type { ArmOutcome, Outcomes, ValueOutcome } from '#training/evaluation/outcomes.ts';
import { assembleReport, knownFailuresOf } from '#training/validation.ts';
import { readParts, writePart } from '#training/validation/parts.ts';
import { subgroupParts, withoutSmall } from '#training/validation/subgroup-section.ts';
import { judged, replicateTrial } from '#training/validation/trial-section.ts';
import { readModels } from '../../../scripts/read-models.ts';
import { figure, section } from '../../fixtures/validation-report.ts';

const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'counterpart-validation-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
};

describe('parts of a report', () => {
  test('are read as they were written, to six digits, in the order of a report', () => {
    const parts = folder();
    writePart('a', section('events', [figure({ value: 1 / 3 })]), parts);
    writePart('a', section('markers', [figure()]), parts);
    const read = readParts('a', parts);
    expect(read.map(({ id }) => id)).toEqual(['markers', 'events']);
    expect(read[1]!.figures[0]!.value).toBe(0.333333);
    expect(readParts('nobody', parts)).toEqual([]);
  });

  test('one that cannot be read by the app is not written', () => {
    const parts = folder();
    expect(() => writePart('a', section('markers', [figure(), figure()]), parts)).toThrow(/stands here twice/);
    expect(readParts('a', parts)).toEqual([]);
  });

  test('a file with another name than its section is refused', () => {
    const parts = folder();
    mkdirSync(join(parts, 'a'));
    writeFileSync(join(parts, 'a/events.json'), JSON.stringify(section('markers', [])));
    expect(() => readParts('a', parts)).toThrow(/holds the section 'markers'/);
  });

  test('one that was made with another model is not taken into a report', async () => {
    const parts = folder();
    const pack = await loadPack('propofol', readModels());
    writePart('propofol', section('references', [figure()]), parts);
    await expect(assembleReport(pack, parts)).rejects.toThrow(/was made with another model/);
    const own = section('references', [figure()]);
    writePart('propofol', { ...own, made: { ...own.made, model: await modelDigest(pack.manifest) } }, parts);
    const report = await assembleReport(pack, parts);
    expect(report.packDigest).toBe(pack.digest);
    expect(report.sections.map(({ id }) => id)).toEqual(['references']);
    expect(report.absent.every(({ reason }) => reason.length > 0)).toBe(true);
    expect(report.knownFailures.length).toBeGreaterThan(0);
  });
});

test('known failures are the bullets of that section of the card, and no others', () => {
  const card = '# A\n\n- no\n\n## Known failure modes and warnings\n\n- **One** thing.\n- Another.\n\n## Transparency\n\n- no\n';
  expect(knownFailuresOf(card)).toEqual(['One thing.', 'Another.']);
  expect(knownFailuresOf('# Nothing of the kind')).toEqual([]);
});

describe('counts of people', () => {
  test('below five are hidden, and with one alone the smallest beside it', () => {
    const rows = (...n: number[]) => n.map((one, i) => ({ label: String(i), n: one }));
    expect(withoutSmall(rows(100, 3, 40)).map(({ n }) => n)).toEqual([100, null, null]);
    expect(withoutSmall(rows(100, 3, 4)).map(({ n }) => n)).toEqual([100, null, null]);
    expect(withoutSmall(rows(100, 0, 40)).map(({ n }) => n)).toEqual([100, 0, 40]);
  });
});

describe('the bias audit', () => {
  const outcomes = (large: number, small: number): Outcomes => {
    const ids = Array.from({ length: large + small }, (_, i) => String(i));
    const value = (person: string, isInside: boolean): ValueOutcome => ({
      person,
      marker: 'a',
      task: 'next visit',
      days: 10,
      pit: [0.4, 0.4],
      isInside: [isInside, isInside, isInside, isInside],
      crps: 1,
      error: 0,
      baselines: {},
    });
    return {
      set: 'made-up people',
      values: ids.map((id, i) => value(id, i % 10 !== 0)),
      events: [],
      horizons: [100],
      arms: [],
      groups: Object.fromEntries(ids.map((id, i) => [id, { Sex: i < large ? 'women' : 'men' }])),
    };
  };

  test('names groups under 50 and does not score them', () => {
    const { figures, drawings } = subgroupParts(outcomes(120, 30), { outcome: 'death', at: 0, label: '1 year' });
    const [coverage] = drawings;
    if (coverage?.kind !== 'forest') throw new Error('expected a forest');
    expect(coverage.rows.map(({ label, n }) => [label, n])).toEqual([
      ['Everyone', 150],
      ['Sex, women', 120],
    ]);
    expect(coverage.unscored).toEqual([{ label: 'Sex, men', n: 30 }]);
    expect(figures.some(({ name }) => name.includes('men') && !name.includes('women'))).toBe(false);
    // Coverage of the women: nine in ten by construction.
    expect(coverage.rows[1]!.value).toBeCloseTo(0.9, 12);
  });

  test('does not tell the size of a group under five', () => {
    const { drawings } = subgroupParts(outcomes(120, 3), { outcome: 'death', at: 0, label: '1 year' });
    expect(drawings[0]!.kind === 'forest' && drawings[0]!.unscored).toEqual([{ label: 'Sex, men', n: null }]);
  });
});

describe('a trial run again', () => {
  /** Exponential arms with the hazard ratio asked for. */
  const person = (hazardRatio: number): ArmOutcome => {
    const curve = (hazard: number) => Array.from({ length: 41 }, (_, t) => 1 - Math.exp(-hazard * t));
    return {
      person: 'a',
      arms: { placebo: { event: curve(0.03), competing: null }, drug: { event: curve(0.03 * hazardRatio), competing: null } },
      marker: null,
    };
  };
  const trial = {
    control: 'placebo',
    treated: 'drug',
    name: 'drug against placebo',
    citation: 'made up',
    independence: 'independent',
    people: [300, 300],
    measure: 'hazard ratio',
    risk: { days: 20, words: 'died' },
  } as const;

  test('gives the hazard ratio of the curves back, and trials of its size scatter around it', () => {
    const found = replicateTrial({ ...trial, hazardRatio: [0.6, 0.48, 0.76] }, [person(0.6)], 1);
    expect(found.simulated.value).toBeCloseTo(0.6, 2);
    // 600 people with about 350 events: standard error of the logarithm 2/√350 ≈ 0.107.
    expect(Math.log(found.simulated.interval.high / found.simulated.interval.low) / (2 * 1.96)).toBeGreaterThan(0.08);
    expect(Math.log(found.simulated.interval.high / found.simulated.interval.low) / (2 * 1.96)).toBeLessThan(0.14);
    expect(found.isReplicated).toBe(true);
    expect(found.arms.map(({ simulated }) => simulated)).toEqual([
      expect.closeTo(1 - Math.exp(-0.6), 6),
      expect.closeTo(1 - Math.exp(-0.36), 6),
    ]);
  });

  test('is not replicated where the published value lies outside, or on the other side', () => {
    const outside = replicateTrial({ ...trial, hazardRatio: [0.35, 0.25, 0.49] }, [person(0.6)], 1);
    expect([outside.isReplicated, outside.words]).toEqual([false, expect.stringContaining('below what simulated trials')]);
    const other = judged({ ...outside, published: { ...outside.published, value: 1.5, interval: { low: 1.2, high: 1.9 } } });
    expect([other.isReplicated, other.words]).toEqual([false, 'Simulated trials point in the other direction.']);
  });

  test('a null trial is replicated by arms that do not differ', () => {
    const found = replicateTrial({ ...trial, hazardRatio: [1, 0.72, 1.39] }, [person(0.98)], 1);
    expect([found.isReplicated, found.words]).toEqual([true, expect.stringContaining('no clear effect')]);
  });
});
