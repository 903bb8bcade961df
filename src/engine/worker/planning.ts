/** "What would be better for this person?": plans searched and held against usual care. */
import { searchPlans } from '#planning/plan-search.ts';
import { equationsPlanSubject, learnedPlanSubject } from '#planning/subject.ts';
import { isLearned } from '#packs/pack.ts';
import { currentBench } from './bench.ts';
import { fittedDraws, fittedOf } from './fitted.ts';
import { part, type Handler, type Hooks } from './hooks.ts';
import { learnedFitOf } from './learned-twin.ts';
import { packOf, requirePassed } from './packs.ts';
import { placeEquations, placeLearned } from './trusting.ts';

export const planSearch: Handler<'planSearch'> = async ({ packId, record, today, now = `${today}T00:00`, question }, hooks) => {
  const [pack, { engine, stepper }] = [await packOf(packId), await currentBench()];
  await requirePassed(pack);
  const clock = () => performance.now();
  if (isLearned(pack)) {
    const { history, twin } = await learnedFitOf(pack, record, today, question.seed);
    return searchPlans(
      question,
      { subject: learnedPlanSubject({ pack, history, twin, engine, placing: placeLearned(pack, stepper) }), now: clock },
      hooks,
    );
  }
  const { manifest } = pack;
  const fit = (seed: number, own: Hooks) => fittedOf(pack, record, now, seed, fittedDraws, own);
  const fitted = await fit(question.seed, part(hooks, 0, 0.2));
  const refit = (seed: number) => fit(seed, { signal: hooks.signal, onProgress: () => {} });
  const subject = equationsPlanSubject(
    { manifest, simulator: engine, fitted, placing: placeEquations(pack), refit },
    question.seed,
  );
  return searchPlans(question, { subject, now: clock }, { ...part(hooks, 0.2, 1), onPartial: hooks.onPartial });
};
