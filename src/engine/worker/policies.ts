/** Policies that look again inside the future, and what the next measurement would be worth. */
import { equationsMeasurementValue, learnedMeasurementValue } from '#planning/policies/measurement-value.ts';
import { equationsPolicies } from '#planning/policies/equations-policies.ts';
import { learnedPolicies } from '#planning/policies/learned-policies.ts';
import { isLearned } from '#packs/pack.ts';
import { currentBench } from './bench.ts';
import { fittedDraws, fittedOf } from './fitted.ts';
import { part, type Handler } from './hooks.ts';
import { learnedFitOf } from './learned-twin.ts';
import { packOf, requirePassed } from './packs.ts';
import { placeEquations, placeLearned } from './trusting.ts';

const clock = () => performance.now();

export const policies: Handler<'policies'> = async ({ packId, record, today, now = `${today}T00:00`, question }, hooks) => {
  const [pack, { stepper }] = [await packOf(packId), await currentBench()];
  await requirePassed(pack);
  if (isLearned(pack)) {
    const { history, twin } = await learnedFitOf(pack, record, today, question.seed);
    return learnedPolicies(
      question,
      { pack, history, twin, engine: stepper, placing: placeLearned(pack, stepper), now: clock },
      hooks,
    );
  }
  const fitted = await fittedOf(pack, record, now, question.seed, fittedDraws, part(hooks, 0, 0.1));
  // On the processor: what decides in each future asks for many simulations of few draws, which a GPU would wait for one by one.
  const deps = { manifest: pack.manifest, fitted, simulator: stepper, placing: placeEquations(pack), now: clock };
  return equationsPolicies(question, deps, { ...part(hooks, 0.1, 1), onPartial: hooks.onPartial });
};

export const measurementValue: Handler<'measurementValue'> = async (
  { packId, record, today, now = `${today}T00:00`, question },
  hooks,
) => {
  const [pack, { engine, stepper }] = [await packOf(packId), await currentBench()];
  await requirePassed(pack);
  if (isLearned(pack)) {
    const { history, twin } = await learnedFitOf(pack, record, today, question.seed);
    return learnedMeasurementValue(
      question,
      { pack, history, twin, engine: stepper, placing: placeLearned(pack, stepper), now: clock },
      hooks,
    );
  }
  const fitted = await fittedOf(pack, record, now, question.seed, fittedDraws, part(hooks, 0, 0.1));
  const deps = { manifest: pack.manifest, fitted, simulator: engine, placing: placeEquations(pack), now: clock };
  return equationsMeasurementValue(question, deps, part(hooks, 0.1, 1));
};
