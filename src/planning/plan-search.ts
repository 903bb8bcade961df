/**
 * "What would be better for this person, and at what price?" Every plan that the question allows is held against usual care in the same
 * futures: listed plans in rounds of successive halving, large spaces by a search first. What leads is scored again on fresh futures,
 * because the best of many is partly the luckiest, and how much of it was luck is said. No plan is put before another.
 */
import { AppError } from '#domain/errors.ts';
import type { Plan } from '#domain/plan.ts';
import type { PlanAnswer, PlanQuestion } from '#domain/planning.ts';
import type { PartialHooks, RunHooks } from '#engine/engine.ts';
import { usualCareId } from '#twin/plan-check.ts';
import { amountPlans, listedPlans, onOffPlans, type Receiver } from './candidates.ts';
import { checkMeasure, type PlanEvaluator, type PlanFigures } from './evaluate.ts';
import { exploreAmounts, exploreSchedules, type Exploration, type Tried } from './explore.ts';
import { keptShare, Ledger, survivorsOf, type LedgerSubject } from './plan-ledger.ts';
import { horizonOf } from './spaces.ts';

/** One person under one pack, as the search asks about them. */
export interface PlanSubject extends Receiver, LedgerSubject {
  /** Set where the person is outside what the pack saw: why nothing is searched. */
  readonly withheld: string | null;
  /** Throws `AppError` for a plan that the pack cannot answer. */
  readonly check: (plan: Plan) => void;
  /** Plans in futures that follow from a seed: another seed, and none of the futures is the same. */
  readonly evaluator: (question: PlanQuestion, seed: number, hooks: RunHooks) => Promise<PlanEvaluator>;
}

export interface PlanSearchDeps {
  readonly subject: PlanSubject;
  /** Milliseconds, only to say how long it took. Without it it took 0. */
  readonly now?: () => number;
}

const halvings = 2;
/** Of the work of a search that looks for plans first. */
const exploringShare = 0.5;
/** Below so many futures of the last round an answer is a first look: it is not scored again, and says so. */
const fewestRescored = 1000;
const fewestTried = 200;
const mostTried = 2000;

/**
 * Throws `AppError` for what a person must mend in the question. A search that is stopped answers with what there is, once the first
 * round is over. The same question about the same subject gives the same answer but for the time it took.
 */
export async function searchPlans(
  question: PlanQuestion,
  { subject, now = () => 0 }: PlanSearchDeps,
  hooks: PartialHooks<PlanAnswer> = {},
): Promise<PlanAnswer> {
  const started = now();
  checkQuestion(question, subject);
  const ledger = new Ledger(question, subject);
  const finish = (status: PlanAnswer['status'], message: string): PlanAnswer => ({
    status,
    message,
    ...ledger.answer(),
    elapsedMs: now() - started,
  });
  const stopped = () => finish('stopped', `Not finished: shown is what was found so far, not scored again. ${ledger.message()}`);
  if (subject.withheld !== null) return finish('outside-support', `The search is withheld. ${subject.withheld}`);
  try {
    await runSearch(ledger, question, subject, hooks, () => hooks.onPartial?.(stopped()));
    return finish('completed', ledger.message());
  } catch (error) {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error;
    return stopped();
  }
}

/** `onFound` is called whenever the ledger holds a newer front than before, except for the last. */
async function runSearch(
  ledger: Ledger,
  question: PlanQuestion,
  subject: PlanSubject,
  hooks: RunHooks,
  onFound: () => void,
): Promise<void> {
  const { space, rollouts } = question;
  const isRescored = rollouts >= fewestRescored;
  const share = isRescored ? 0.75 : 1;
  const evaluator = await subject.evaluator(question, question.seed, part(hooks, 0, 0.05));
  const searching = part(hooks, 0.05, share);
  const isListed = space.kind === 'listed';
  let alive = isListed
    ? ledger.add(listedPlans(space, question, subject))
    : ledger.keep(await explore(ledger, question, subject, evaluator, part(searching, 0, exploringShare), onFound));
  const halving = part(searching, isListed ? 0 : exploringShare, 1);
  const last = isListed ? halvings : halvings - 1;
  for (let round = cheapestStart(alive.length, last); round <= last; round++) {
    const futures = Math.max(1, Math.round(rollouts * keptShare ** (last - round)));
    await ledger.score(alive, evaluator, futures, 'search', part(halving, round / (last + 1), (round + 1) / (last + 1)));
    if (round < last || isRescored) onFound();
    if (round < last) alive = ledger.best(alive);
  }
  if (!isRescored) return;
  const fresh = await subject.evaluator(question, ledger.freshSeed, part(hooks, share, share + 0.05));
  await ledger.score(alive, fresh, rollouts, 'rescore', part(hooks, share + 0.05, 1));
}

/** The round with which to begin so that fewest futures are taken in all: of few candidates none fall out, and early rounds only cost. */
function cheapestStart(candidates: number, last: number): number {
  const costFrom = (start: number) => {
    let alive = candidates;
    let cost = 0;
    for (let round = start; round <= last; round++) {
      cost += alive * keptShare ** (last - round);
      alive = Math.min(alive, survivorsOf(alive));
    }
    return cost;
  };
  const costs = Array.from({ length: last + 1 }, (_, start) => costFrom(start));
  return costs.indexOf(Math.min(...costs));
}

/** What the space holds is searched on few futures; all that was tried comes back in the order of the space. */
async function explore(
  ledger: Ledger,
  question: PlanQuestion,
  subject: PlanSubject,
  evaluator: PlanEvaluator,
  hooks: RunHooks,
  onFound: () => void,
): Promise<Tried<PlanFigures>[]> {
  const { space, rollouts } = question;
  const futures = Math.max(1, Math.round(rollouts * keptShare ** halvings));
  const budget = Math.min(mostTried, Math.max(fewestTried, Math.round(rollouts / 4)));
  await ledger.scoreHeld(evaluator, futures, hooks);
  const exploration: Exploration<PlanFigures> = {
    evaluate: async (plans) => {
      const asked = plans.filter((plan) => ledger.isOffered(plan));
      const figures = await evaluator.evaluate(asked, futures, hooks.signal ? { signal: hooks.signal } : {});
      ledger.count(figures);
      ledger.measureBy(figures);
      const found = new Map(asked.map((plan, i) => [plan, figures[i]!]));
      return plans.map((plan) => found.get(plan) ?? null);
    },
    merit: (figures, weights) => ledger.merit(figures, weights),
    weights: ledger.countedGoals.map(({ weight }) => weight),
    budget,
    seed: question.seed,
    ...(hooks.signal ? { signal: hooks.signal } : {}),
    onTried: (tried) => hooks.onProgress?.(Math.min(1, tried / budget)),
    onSearched: (tried) => {
      ledger.keep(tried);
      onFound();
    },
  };
  if (space.kind === 'on-off') {
    const plans = onOffPlans(space, question, subject);
    return plans ? exploreSchedules(plans, exploration) : [];
  }
  if (space.kind === 'amounts') {
    const plans = amountPlans(space, question, subject);
    return plans ? exploreAmounts(plans, exploration) : [];
  }
  throw new Error('Broken promise: a listed space is not explored');
}

function checkQuestion({ goals, limits, own, horizonDays, changes = [] }: PlanQuestion, { manifest, check }: PlanSubject): void {
  const most = horizonOf(manifest);
  if (!(horizonDays > 0 && horizonDays <= most * (1 + 1e-9))) {
    throw new AppError(
      'request_invalid',
      `Horizon: found ${horizonDays} days, expected more than 0 and at most ${most}. Choose a horizon in this range.`,
    );
  }
  if (!goals.some(({ weight }) => weight > 0)) {
    throw new AppError('request_invalid', 'Nothing is wanted. Give at least one goal a weight above 0.');
  }
  if (changes.length > 0 && manifest.kind === 'learned') {
    throw new AppError(
      'request_invalid',
      `${manifest.title} cannot be asked what changes in a covariate would do. Take the changes out.`,
    );
  }
  for (const { measure } of [...goals, ...limits]) checkMeasure(manifest, measure, horizonDays);
  own.forEach(check);
  if (new Set([usualCareId, ...own.map(({ id }) => id)]).size <= own.length)
    throw new AppError('plan_invalid', 'Two plans have the same id. Rename one.');
}

function part({ onProgress, signal }: RunHooks, from: number, to: number): RunHooks {
  return {
    ...(onProgress ? { onProgress: (fraction: number) => onProgress(from + fraction * (to - from)) } : {}),
    ...(signal ? { signal } : {}),
  };
}
