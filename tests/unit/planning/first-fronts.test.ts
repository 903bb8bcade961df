import { describe, expect, test } from 'vitest';
import { askedQuestion, firstQuestion } from '#app/plan-question.ts';
import { demonstrationRecord } from '#cohorts/demonstrations.ts';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { loadPack } from '#packs/catalogue.ts';
import type { EquationsPack } from '#packs/pack.ts';
import { searchPlans } from '#planning/plan-search.ts';
import { equationsPlanSubject } from '#planning/subject.ts';
import { fitPerson } from '#twin/equations/fitted-person.ts';
import { readModels } from '../../../scripts/read-models.ts';

const now = '2026-01-05T08:00';
const seed = 1;

describe('the question that the page begins with', () => {
  // The other packs are asked by training/evaluation/first-fronts.ts: their fits take too long for a test.
  test.each(['neutropenia', 'vancomycin', 'tacrolimus', 'propofol', 'infliximab'])(
    '%s: what is wanted pulls apart, so that several plans are on the front',
    async (id) => {
      const pack = (await loadPack(id, readModels())) as EquationsPack;
      const { manifest } = pack;
      const record = demonstrationRecord(manifest, 0, now)!;
      const simulator = new CpuSimulator();
      const fit = (own: number) => fitPerson({ pack, record, now, lanes: 1000, seed: own }, { simulator });
      const subject = equationsPlanSubject({ manifest, simulator, fitted: await fit(seed), refit: fit }, seed);
      const question = askedQuestion(firstQuestion(manifest)!, { own: [], rollouts: 160, seed });
      const answer = await searchPlans(question, { subject });
      expect(answer.candidates.filter(({ isOnFront, origin }) => isOnFront && origin === 'found').length).toBeGreaterThan(2);
    },
    60_000,
  );

  test('wishes for more of a drug whose benefit the models do not know, and for less harm', async () => {
    const { manifest } = await loadPack('neutropenia', readModels());
    expect(firstQuestion(manifest)!.goals.map(({ measure, wish }) => [measure, wish])).toEqual([
      [{ kind: 'burden', of: 'amount' }, 'more'],
      [{ kind: 'target', target: 'grade-4' }, 'less'],
      [{ kind: 'burden', of: 'doses' }, 'less'],
    ]);
  });
});
