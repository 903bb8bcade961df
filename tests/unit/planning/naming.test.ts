import { expect, test } from 'vitest';
import type { Regimen } from '#domain/plan.ts';
import type { LearnedManifest } from '#packs/manifest.ts';
import { blocksName, dosesName } from '#planning/naming.ts';
import { toyDosedManifest } from '../../fixtures/toy-dosed.ts';
import { toyManifestDraft } from '../../fixtures/toy-pack.ts';

const course: Regimen = {
  intervention: 'toymycin',
  amount: 1000,
  route: 'iv-infusion',
  durationHours: 1,
  startHour: 0,
  everyHours: 12,
  count: null,
};
const bolus = { ...course, route: 'iv-bolus', durationHours: null } as const;

test.each([
  ['1,000 mg over 1 h every 12 h', [course]],
  ['1,000 mg every 8 h, first in 24 h', [{ ...bolus, everyHours: 8, startHour: 24 }]],
  [
    '2,000 mg first, then 1,000 mg over 1 h every 12 h',
    [
      { ...course, amount: 2000, everyHours: null, count: 1 },
      { ...course, startHour: 12 },
    ],
  ],
  [
    '2.5, then 5 mg every 24 h, changed every 7 days',
    [
      { ...bolus, amount: 2.5, everyHours: 24, count: 7 },
      { ...bolus, amount: 5, everyHours: 24, startHour: 168 },
    ],
  ],
  [
    '1,000 mg every 24 h',
    [
      { ...bolus, everyHours: 24, count: 7 },
      { ...bolus, everyHours: 24, startHour: 168 },
    ],
  ],
  ['1,000 mg over 30 min once', [{ ...course, durationHours: 0.5, everyHours: 500 }]],
  ['No doses', []],
] as const)('doses are called: %s', (name, regimens) => {
  expect(dosesName(toyDosedManifest, regimens, 14)).toBe(name);
});

const manifest = { ...toyManifestDraft, kind: 'learned' } as unknown as LearnedManifest;
const year = 365.25;

test.each([
  ['None of the pack’s treatments', []],
  ['Drug R throughout', [[0, 10]]],
  ['Drug R from now to year 2', [[0, 2]]],
  ['Drug R from year 2.5 on', [[2.5, 10]]],
  [
    'Drug R from now to year 1, from year 2 to year 3',
    [
      [0, 1],
      [2, 3],
    ],
  ],
  [
    'Drug R from now to year 1, from year 2 to year 3, from year 4 to year 5, from year 6 to year 7 and 1 more spells, 1,826 of 3,653 days in all',
    [
      [0, 1],
      [2, 3],
      [4, 5],
      [6, 7],
      [8, 9],
    ],
  ],
] as const)('levers are called: %s', (name, spells) => {
  const blocks = spells.map(([from, to]) => ({ intervention: 'drug-r', startDay: from * year, stopDay: to * year }));
  expect(blocksName(manifest, { blocks }, 10 * year)).toBe(name);
});
