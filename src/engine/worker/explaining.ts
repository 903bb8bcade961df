/** What the model used for a forecast: contributions, sensitivities, smallest changes, synthetic neighbours. */
import { AppError } from '#domain/errors.ts';
import type { WhyQuestion } from '#domain/explanation.ts';
import { attribute } from '#explain/attribution.ts';
import { counterfactual as findCounterfactual } from '#explain/counterfactual.ts';
import type { Subject } from '#explain/elements.ts';
import { equationsGame } from '#explain/equations-game.ts';
import type { Game } from '#explain/game.ts';
import { gradientAttribution } from '#explain/gradients.ts';
import { learnedGame } from '#explain/learned-game.ts';
import { equationsNeighbours, learnedNeighbours } from '#explain/neighbours.ts';
import { sensitivity as findSensitivity } from '#explain/sensitivity.ts';
import { coalitionSize, learnedSize } from '#explain/sizes.ts';
import { requireInside, subjectOf } from '#explain/subject.ts';
import { isLearned, type EquationsPack, type LearnedPack } from '#packs/pack.ts';
import { encodeHistoryPlain } from '#twin/encoder-plain.ts';
import { reportEquationsFit } from '#twin/equations/report.ts';
import { reportFit } from '#twin/fit-report.ts';
import { yieldToOthers } from '../../yield.ts';
import type { AttributionOrder, WhyOrder } from '../protocol.ts';
import { currentBench } from './bench.ts';
import { fittedDraws, fittedOf } from './fitted.ts';
import { part, type Handler, type Hooks } from './hooks.ts';
import { learnedFitOf } from './learned-twin.ts';
import { packOf, requirePassed } from './packs.ts';
import { placeEquations, placeLearned } from './trusting.ts';

export const attribution: Handler<'attribution'> = async (order, hooks) => {
  const pack = await packOf(order.packId);
  await requirePassed(pack);
  const game = isLearned(pack) ? await learned(pack, order) : await equations(pack, order, part(hooks, 0, 0.2));
  const { effort, question } = order;
  return attribute(game, { effort, seed: question.seed, now: () => performance.now() }, part(hooks, 0.2, 1));
};

/** Coalitions are small and many: they run on the processor whatever rolls the forecast out. */
async function learned(pack: LearnedPack, order: AttributionOrder): Promise<Game> {
  const { stepper } = await currentBench();
  await requireForecast(pack, order);
  const subject = subjectOf(pack, asked(order));
  return learnedGame(pack, subject, order.question.explained, learnedSize(order.effort), {
    engine: stepper,
    stepper,
    encode: encodeHistoryPlain,
  });
}

async function equations(pack: EquationsPack, order: AttributionOrder, hooks: Hooks): Promise<Game> {
  const { engine } = await currentBench();
  const { effort, question } = order;
  // The page's forecast has fitted the same person.
  const fitted = await fittedOf(pack, order.record, asked(order).now, question.seed, fittedDraws, hooks);
  requireInside(reportEquationsFit(pack.manifest, fitted, placeEquations(pack)));
  const size = coalitionSize(pack, effort);
  const { flattening } = fitted.twin;
  const options = flattening === null ? size : { ...size, flattening };
  return equationsGame(pack, subjectOf(pack, asked(order)), question.explained, options, engine);
}

function asked<Question extends Pick<WhyQuestion, 'explained' | 'plan' | 'horizonDays'>>(order: WhyOrder<Question>) {
  const { record, today, now = `${today}T00:00`, question } = order;
  const { explained, plan, horizonDays } = question;
  return { record, today, now, explained, plan, horizonDays };
}

/** Throws where the forecast of this person is withheld. */
async function requireForecast(
  pack: LearnedPack,
  { record, today, question }: WhyOrder<{ readonly seed: number }>,
): Promise<void> {
  const { stepper } = await currentBench();
  const { history, twin } = await learnedFitOf(pack, record, today, question.seed);
  requireInside(reportFit(pack.manifest, history, twin, placeLearned(pack, stepper)));
}

export const gradients: Handler<'gradients'> = async (order, hooks) => {
  const pack = await packOf(order.packId);
  if (!isLearned(pack)) {
    throw new AppError(
      'request_invalid',
      `${pack.manifest.title} is made of equations: ask for its sensitivities. Gradients are for learned packs.`,
    );
  }
  await requirePassed(pack);
  await requireForecast(pack, order);
  const { explained } = order.question;
  return gradientAttribution(pack, subjectOf(pack, asked(order)), explained, yieldToOthers, hooks);
};

export const sensitivity: Handler<'sensitivity'> = async (order, hooks) => {
  const pack = await packOf(order.packId);
  if (isLearned(pack)) {
    throw new AppError(
      'request_invalid',
      `${pack.manifest.title} is a learned pack and has no parameters with a meaning: ask for its gradients.`,
    );
  }
  await requirePassed(pack);
  const { engine } = await currentBench();
  const { question } = order;
  const fitted = await fittedOf(pack, order.record, asked(order).now, question.seed, fittedDraws, part(hooks, 0, 0.3));
  requireInside(reportEquationsFit(pack.manifest, fitted, placeEquations(pack)));
  const subject = subjectOf(pack, asked(order));
  const options = { seed: question.seed, now: () => performance.now() };
  return findSensitivity(pack.manifest, fitted, subject, question.explained, options, engine, part(hooks, 0.3, 1));
};

export const counterfactual: Handler<'counterfactual'> = async (order, hooks) => {
  const pack = await packOf(order.packId);
  await requirePassed(pack);
  const { question } = order;
  const whole = { ...order, question: { ...question, horizonDays: question.day } };
  const subject = subjectOf(pack, asked(whole));
  const { engine, stepper } = await currentBench();
  if (isLearned(pack)) await requireForecast(pack, order);
  const gameOf = (changed: Subject): Game =>
    isLearned(pack)
      ? learnedGame(
          pack,
          changed,
          question.explained,
          { rollouts: Math.min(question.rollouts, 500), particlesPerMember: 256, isOneSeed: true },
          { engine: stepper, stepper, encode: encodeHistoryPlain },
        )
      : equationsGame(pack, changed, question.explained, { lanes: coalitionSize(pack, 'every').lanes }, engine);
  let done = 0;
  return findCounterfactual(subject, question, gameOf(subject).unit, async (record, plan) => {
    // How many changes are tried is not known beforehand: each takes a twentieth of what is left.
    hooks.onProgress(1 - 0.95 ** done++);
    await yieldToOthers();
    hooks.signal.throwIfAborted();
    const game = gameOf({ ...subject, record, plan });
    const [values] = await game.values([2 ** game.groups.length - 1], question.seed, { signal: hooks.signal });
    return values!.at(-1)!;
  });
};

export const neighbours: Handler<'neighbours'> = async (order, hooks) => {
  const pack = await packOf(order.packId);
  await requirePassed(pack);
  const { question } = order;
  const { engine, stepper } = await currentBench();
  const subject = subjectOf(pack, asked({ ...order, question: { ...question, explained: { kind: 'event', event: null } } }));
  return isLearned(pack)
    ? learnedNeighbours(pack, subject, question, stepper, yieldToOthers, hooks)
    : equationsNeighbours(pack, subject, question, engine, hooks);
};
