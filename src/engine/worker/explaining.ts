/** What the model used for a forecast: contributions, sensitivities, smallest changes, synthetic neighbours. */
import { AppError } from '#domain/errors.ts';
import type { WhyQuestion } from '#domain/explanation.ts';
import { attribute } from '#explain/attribution.ts';
import { equationsGame } from '#explain/equations-game.ts';
import type { Game } from '#explain/game.ts';
import { learnedGame } from '#explain/learned-game.ts';
import { requireInside, subjectOf } from '#explain/subject.ts';
import { isLearned, type EquationsPack, type LearnedPack } from '#packs/pack.ts';
import { encodeHistoryPlain } from '#twin/encoder-plain.ts';
import { reportEquationsFit } from '#twin/equations/report.ts';
import { reportFit } from '#twin/fit-report.ts';
import { fitTwin } from '#twin/fit.ts';
import { readHistory } from '#twin/history.ts';
import { seedFrom } from '#numerics/random.ts';
import type { AttributionOrder, WhyOrder } from '../protocol.ts';
import { currentBench } from './bench.ts';
import { fittedDraws, fittedOf } from './fitted.ts';
import { part, type Handler, type Hooks } from './hooks.ts';
import { packOf, requirePassed } from './packs.ts';

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
  const rollouts = Math.min(order.question.rollouts, coalitionFutures);
  return learnedGame(
    pack,
    subject,
    order.question.explained,
    { rollouts },
    { engine: stepper, stepper, encode: encodeHistoryPlain },
  );
}

async function equations(pack: EquationsPack, order: AttributionOrder, hooks: Hooks): Promise<Game> {
  const { engine } = await currentBench();
  const { effort, question } = order;
  // The page's forecast has fitted the same person.
  const fitted = await fittedOf(pack, order.record, asked(order).now, question.seed, fittedDraws, hooks);
  requireInside(reportEquationsFit(pack.manifest, fitted));
  const size = coalitionSize(pack, effort);
  const { flattening } = fitted.twin;
  const options = flattening === null ? size : { ...size, flattening };
  return equationsGame(pack, subjectOf(pack, asked(order)), question.explained, options, engine);
}

const coalitionFutures = 100;

/** A closed form takes microseconds a virtual patient, a differential equation a third of a millisecond. */
function coalitionSize({ programs }: EquationsPack, effort: AttributionOrder['effort']) {
  const isCheap = programs.every(({ priorWeight, stepper }) => priorWeight === 0 || stepper.kind === 'closed-form');
  if (isCheap) return { mostGroups: 12, lanes: effort === 'every' ? 256 : 128 };
  return { mostGroups: 9, lanes: effort === 'every' ? 96 : 48 };
}

function asked<Question extends Pick<WhyQuestion, 'explained' | 'plan' | 'horizonDays'>>(order: WhyOrder<Question>) {
  const { record, today, now = `${today}T00:00`, question } = order;
  const { explained, plan, horizonDays } = question;
  return { record, today, now, explained, plan, horizonDays };
}

/** Throws where the forecast of this person is withheld. */
async function requireForecast(pack: LearnedPack, { record, today, question }: AttributionOrder): Promise<void> {
  const { stepper } = await currentBench();
  const history = readHistory(pack.manifest, record, today);
  const posterior = encodeHistoryPlain(pack, history);
  const twin = fitTwin({ pack, history, stepper, posterior, seed: seedFrom(question.seed) });
  requireInside(reportFit(pack.manifest, history, twin));
}

async function notYet(): Promise<never> {
  throw new AppError('request_invalid', 'This build cannot answer that yet.');
}

export const gradients: Handler<'gradients'> = notYet;
export const sensitivity: Handler<'sensitivity'> = notYet;
export const counterfactual: Handler<'counterfactual'> = notYet;
export const neighbours: Handler<'neighbours'> = notYet;
