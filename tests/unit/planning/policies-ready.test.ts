import { describe, expect, test } from 'vitest';
import { demonstrationRecord } from '#cohorts/demonstrations.ts';
import { drawPerson } from '#cohorts/people.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { seedFrom } from '#numerics/random.ts';
import { listPacks, loadPack } from '#packs/catalogue.ts';
import { isLearned } from '#packs/pack.ts';
import { checkPolicy } from '#planning/policies/dose-rules.ts';
import { readyPolicies } from '#planning/policies/ready.ts';
import { checkEquationsPlan } from '#twin/equations/plans.ts';
import { checkPlan } from '#twin/plan-check.ts';
import { readModels } from '../../../scripts/read-models.ts';

const now = '2026-01-05T08:00';
const expected: Readonly<Record<string, readonly string[]>> = {
  warfarin: ['inr-table', 'refit-and-dose'],
  vancomycin: ['refit-and-dose', 'trough-table'],
  neutropenia: ['nadir-reduction', 'recovery-delay', 'refit-and-dose'],
  'type-1-diabetes': ['refit-and-correct', 'basal-table'],
  'hiv-actg175': ['count-at-entry', 'switch-at-week-20'],
  pbc: ['ursodiol-by-bilirubin'],
  tacrolimus: ['refit-and-dose'],
  infliximab: ['refit-and-dose'],
};
const packs = await listPacks(readModels());

describe.each(packs.map(({ id }) => id))('ready-made policies of %s', (id) => {
  test('are what the pack can answer, in words and with a source', async () => {
    const pack = await loadPack(id, readModels());
    const { manifest } = pack;
    const horizonDays = manifest.grid.horizonSteps * manifest.grid.stepDays;
    const records = isLearned(pack)
      ? [
          {
            ...drawPerson(pack, seedFrom(2), {
              historySteps: 0,
              today: now.slice(0, 10),
              stepper: new ReferenceEngine(),
              number: 1,
            }).record,
            treatments: [],
          },
        ]
      : manifest.kind === 'equations'
        ? manifest.demonstrations.map((_, number) => demonstrationRecord(manifest, number, now)!)
        : [];
    for (const record of records) {
      const ready = readyPolicies(manifest, record, now);
      const ids = ready.map(({ policy }) => policy.id);
      // A table multiplies a dose; without one, as before a first cycle, the pack's own first dose stands in.
      expect(ids).toEqual(expected[id] ?? ids);
      if (expected[id] === undefined)
        expect(isLearned(pack) || manifest.kind !== 'equations' || manifest.doseGrids.length > 0 || ids.length === 0).toBe(true);
      for (const { policy, description, source } of ready) {
        expect(description.length).toBeGreaterThan(40);
        expect(source.length).toBeGreaterThan(10);
        expect(policy.decisionDays.every((day) => day < horizonDays)).toBe(true);
        if (manifest.kind === 'equations') {
          checkPolicy(manifest, policy);
          checkEquationsPlan(manifest, policy.start);
          expect(policy.start.regimens!.length).toBeGreaterThan(0);
        } else checkPlan(manifest, policy.start);
      }
    }
  });
});

test('switching in the middle of ACTG 175 is outside what was randomised, choosing at entry is not', async () => {
  const pack = await loadPack('hiv-actg175', readModels());
  if (!isLearned(pack)) throw new Error('a learned pack was asked for');
  const { record } = drawPerson(pack, seedFrom(2), {
    historySteps: 0,
    today: now.slice(0, 10),
    stepper: new ReferenceEngine(),
    number: 1,
  });
  const [atEntry, later] = readyPolicies(pack.manifest, { ...record, treatments: [] }, now);
  expect(atEntry!.outsideSupport).toEqual([]);
  expect(later!.outsideSupport.join(' ')).toContain('no later start');
});

test('a record that the pack cannot read has none', async () => {
  const pack = await loadPack('warfarin', readModels());
  if (isLearned(pack)) throw new Error('a pack of equations was asked for');
  const record = demonstrationRecord(pack.manifest, 0, now)!;
  expect(readyPolicies(pack.manifest, { ...record, covariates: {} }, now)).toEqual([]);
});
