/**
 * "What would be better for this person, and at what price?" Every plan that the question allows is held against usual care in the same
 * futures: listed plans in rounds of successive halving, large spaces by a search first. What leads is scored again on fresh futures,
 * because the best of many is partly the luckiest, and how much of it was luck is said. No plan is put before another.
 */
import { AppError } from '#domain/errors.ts';
import type { Plan } from '#domain/plan.ts';
import type { Goal, PlanAnswer, PlanCandidate, PlanQuestion, PlanSupport } from '#domain/planning.ts';
import type { PartialHooks, RunHooks } from '#engine/engine.ts';
import { leverInterventions } from '#packs/manifest-views.ts';
import { usualCareId, usualCarePlan } from '#twin/plan-check.ts';
import { amountPlans, listedPlans, onOffPlans, type Receiver } from './candidates.ts';
import { burdenOf, isWithin } from './doses-given.ts';
import { checkMeasure, meanOfGroups, measureValues, unitOf, type PlanEvaluator, type PlanFigures } from './evaluate.ts';
import { exploreAmounts, exploreSchedules, keyOf, type Exploration, type Tried } from './explore.ts';
import { doseUnit } from './naming.ts';
import { keepingOrder, nonDominated, type Rated } from './pareto.ts';
import { gridsOf, horizonOf } from './spaces.ts';
import { withDivergence } from './support.ts';

/** One person under one pack, as the search asks about them. */
export interface PlanSubject extends Receiver {
  /** Set where the person is outside what the pack saw: why nothing is searched. */
  readonly withheld: string | null;
  /** Throws `AppError` for a plan that the pack cannot answer. */
  readonly check: (plan: Plan) => void;
  readonly support: (plan: Plan, horizonDays: number) => PlanSupport;
  /** Plans in futures that follow from a seed: another seed, and none of the futures is the same. */
  readonly evaluator: (question: PlanQuestion, seed: number, hooks: RunHooks) => Promise<PlanEvaluator>;
}

export interface PlanSearchDeps {
  readonly subject: PlanSubject;
  /** Milliseconds, only to say how long it took. Without it it took 0. */
  readonly now?: () => number;
}

/** A round keeps this share of its candidates and gives the next one the inverse as many futures. */
const keptShare = 1 / 4;
const halvings = 2;
/** Of the work of a search that looks for plans first. */
const exploringShare = 0.5;
/** So many are always taken to the last round, to be compared side by side on equal terms. */
const fewestInLastRound = 12;
/** So many of what a search tried are scored further. */
const mostFromSearch = 40;
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
      alive = Math.min(alive, Math.max(fewestInLastRound, Math.ceil(alive * keptShare)));
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

/** A plan of the answer, with its figures of the latest round that it was in. */
interface Entry {
  readonly plan: Plan;
  readonly origin: PlanCandidate['origin'];
  readonly support: PlanSupport;
  /** Of the search, and later of the fresh futures. */
  readonly figures: { search: PlanFigures | null; rescore: PlanFigures | null };
  /** Usual care in the same futures. */
  readonly usual: { search: PlanFigures | null; rescore: PlanFigures | null };
  /** In the last round of the search. */
  isLeading: boolean;
}

type Stage = 'search' | 'rescore';

/** All plans of one search, what they came to, and what that cost. */
class Ledger {
  readonly freshSeed: number;
  readonly countedGoals: readonly Goal[];
  readonly #question: PlanQuestion;
  readonly #subject: PlanSubject;
  /** Usual care first. */
  readonly #held: readonly Entry[];
  readonly #leftOut: number;
  #found: Entry[] = [];
  #rounds: { readonly candidates: number; readonly rollouts: number }[] = [];
  #simulated = 0;
  #tried = 0;
  #scales: readonly number[] | null = null;
  /** Keys of plans that are in the answer already. */
  readonly #known: Set<string>;

  constructor(question: PlanQuestion, subject: PlanSubject) {
    this.#question = question;
    this.#subject = subject;
    this.freshSeed = (question.seed + 0x9e3779b9) % 2 ** 32;
    this.countedGoals = question.goals.filter(({ weight }) => weight > 0);
    const { own, excluded, maximumPerDay, horizonDays } = question;
    const usual = usualCarePlan(subject.manifest, horizonDays);
    const kept = own.filter((plan) => isWithin(plan, excluded, maximumPerDay, horizonDays));
    this.#leftOut = own.length - kept.length;
    this.#held = [usual, ...kept].map((plan, i) => this.#entry(plan, i === 0 ? 'usual-care' : 'own'));
    const levers = new Set(leverInterventions(subject.manifest).map(({ id }) => id));
    this.#known = new Set(
      this.#held.map(({ plan }) =>
        keyOf({ ...plan, blocks: plan.blocks.filter(({ intervention }) => levers.has(intervention)) }, subject.continuing),
      ),
    );
  }

  #entry(plan: Plan, origin: Entry['origin']): Entry {
    return {
      plan,
      origin,
      support: this.#subject.support(plan, this.#question.horizonDays),
      figures: { search: null, rescore: null },
      usual: { search: null, rescore: null },
      isLeading: false,
    };
  }

  isOffered(plan: Plan): boolean {
    const { insistsOutside, excluded, maximumPerDay, horizonDays } = this.#question;
    if (this.#known.has(keyOf(plan, this.#subject.continuing)) || !isWithin(plan, excluded, maximumPerDay, horizonDays))
      return false;
    return insistsOutside || this.#subject.support(plan, horizonDays).distance === 0;
  }

  /** Listed plans that may be searched become candidates. */
  add(plans: readonly Plan[]): Entry[] {
    const offered = plans.filter((plan) => this.isOffered(plan));
    this.#found = offered.map((plan, i) => this.#entry({ ...plan, id: `found-${i + 1}` }, 'found'));
    this.#tried = offered.length;
    return this.#found;
  }

  /**
   * Of what a search tried, what is most worth keeping becomes candidates, in the order of the space. Of plans that come to the same in
   * every goal and limit the one that gives least stands for all: what no goal looks at is not given for nothing.
   */
  keep(tried: readonly Tried<PlanFigures>[]): Entry[] {
    this.#tried = tried.length;
    this.#rounds = [{ candidates: tried.length, rollouts: tried[0]?.figures.rollouts ?? 0 }];
    const least = new Map<string, Tried<PlanFigures>>();
    for (const one of tried) {
      const key = JSON.stringify(one.figures.groups.map(meanOfGroups));
      const known = least.get(key);
      if (!known || this.#amountOf(one.plan) < this.#amountOf(known.plan)) least.set(key, one);
    }
    const standing = new Set(least.values());
    const distinct = tried.filter((one) => standing.has(one));
    const kept = new Set(
      keepingOrder(
        distinct.map(({ figures }) => this.#rate(figures)),
        mostFromSearch,
      ),
    );
    this.#found = distinct
      .filter((_, i) => kept.has(i))
      .map(({ plan, figures }, i) => {
        const entry = this.#entry({ ...plan, id: `found-${i + 1}` }, 'found');
        entry.figures.search = figures;
        entry.usual.search = this.#held[0]!.figures.search;
        return entry;
      });
    for (const entry of [...this.#held, ...this.#found]) entry.isLeading = true;
    return this.#found;
  }

  #amountOf(plan: Plan): number {
    const given = { regimens: plan.regimens ?? [], blocks: plan.blocks };
    const { horizonDays } = this.#question;
    return burdenOf('amount', given, horizonDays) + burdenOf('days-on-treatment', given, horizonDays);
  }

  /** Usual care and own plans alone, before a search that holds its plans against them. */
  async scoreHeld(evaluator: PlanEvaluator, rollouts: number, hooks: RunHooks): Promise<void> {
    await this.#evaluate(this.#held, evaluator, rollouts, 'search', hooks);
  }

  /** Usual care and own plans are scored in every round with the candidates, in the same futures. */
  async score(alive: readonly Entry[], evaluator: PlanEvaluator, rollouts: number, stage: Stage, hooks: RunHooks): Promise<void> {
    await this.#evaluate([...this.#held, ...alive], evaluator, rollouts, stage, hooks);
    if (stage === 'rescore') return;
    this.#rounds.push({ candidates: alive.length, rollouts: this.#held[0]!.figures.search!.rollouts });
    for (const entry of this.#found) entry.isLeading = false;
    for (const entry of [...this.#held, ...alive]) entry.isLeading = true;
  }

  async #evaluate(
    entries: readonly Entry[],
    evaluator: PlanEvaluator,
    rollouts: number,
    stage: Stage,
    hooks: RunHooks,
  ): Promise<void> {
    const figures = await evaluator.evaluate(
      entries.map(({ plan }) => plan),
      rollouts,
      hooks,
    );
    this.count(figures);
    entries.forEach((entry, i) => {
      entry.figures[stage] = figures[i]!;
      entry.usual[stage] = figures[0]!;
    });
  }

  count(figures: readonly PlanFigures[]): void {
    for (const { rollouts } of figures) this.#simulated += rollouts;
  }

  /** Of the candidates of a round, those of the next: the better quarter, the front as far as half of them, never fewer than a few. */
  best(alive: readonly Entry[]): Entry[] {
    const rated = alive.map(({ figures }) => this.#rate(figures.search!));
    const front = nonDominated(rated).filter(Boolean).length;
    const kept = Math.max(fewestInLastRound, Math.ceil(alive.length * keptShare), Math.min(front, Math.ceil(alive.length / 2)));
    const chosen = new Set(keepingOrder(rated, kept));
    return alive.filter((_, i) => chosen.has(i));
  }

  /** One number for a search: weighted goals, each in the spread of the plans that were seen first, less far more for a broken limit. */
  merit(figures: PlanFigures, weights: readonly number[]): number {
    const { limits } = this.#question;
    const scales = (this.#scales ??= this.countedGoals.map(() => 1));
    const goals = this.#rate(figures).goals.reduce(
      (sum, value, i) => sum + (weights[i]! * (Number.isNaN(value) ? -1e6 : value)) / scales[i]!,
      0,
    );
    const excess = limits.map(({ atMost }, l) => Math.max(0, this.#limit(figures, l) - atMost));
    return goals - 1e3 * excess.reduce((sum, one) => sum + (one > 0 ? 1 + one : 0), 0);
  }

  /** The spread of each goal over the first plans that come, by which `merit` measures from then on. */
  measureBy(figures: readonly PlanFigures[]): void {
    if (this.#scales || figures.length < 2) return;
    const rated = figures.map((one) => this.#rate(one).goals);
    this.#scales = this.countedGoals.map((_, i) => spread(rated.map((goals) => goals[i]!)) || 1);
  }

  #limit({ groups }: PlanFigures, limit: number): number {
    return meanOfGroups(groups[this.#question.goals.length + limit]!);
  }

  #rate(figures: PlanFigures): Rated {
    const { goals, limits } = this.#question;
    return {
      goals: goals.flatMap(({ weight, wish }, g) => (weight > 0 ? [sign(wish) * meanOfGroups(figures.groups[g]!)] : [])),
      // A chance that is not known for a plan, because nothing of it could be simulated, breaks no limit; its support says why.
      kept: limits.filter(({ atMost }, l) => !(this.#limit(figures, l) > atMost)).length,
    };
  }

  answer(): Omit<PlanAnswer, 'status' | 'message' | 'elapsedMs'> {
    const { goals, limits, seed, rollouts } = this.#question;
    const { manifest } = this.#subject;
    const entries = [...this.#held, ...this.#found].filter(({ figures }) => figures.search !== null);
    const stage = this.#held[0]!.figures.rescore ? 'rescore' : 'search';
    const isCompared = (entry: Entry) => entry.isLeading && entry.figures[stage] !== null;
    const compared = entries.filter(isCompared);
    const isBest = nonDominated(compared.map(({ figures }) => this.#rate(figures[stage]!)));
    const front = new Set(compared.filter((_, i) => isBest[i]));
    const shown = entries.map((entry) => {
      const at = entry.figures.rescore ? 'rescore' : 'search';
      return { entry, figures: entry.figures[at]!, usual: entry.usual[at]! };
    });
    const scales = this.#goalScales(shown.map(({ figures }) => figures));
    const amountUnit =
      manifest.kind === 'equations' && gridsOf(manifest)[0] ? doseUnit(manifest, gridsOf(manifest)[0]!.intervention) : '1';
    return {
      candidates: shown.map(({ entry, figures, usual }): PlanCandidate => {
        return {
          id: entry.plan.id,
          name: entry.plan.name,
          plan: entry.plan,
          origin: entry.origin,
          ...measureValues(this.#question, manifest, figures.groups, usual.groups),
          keepsLimits: this.#rate(figures).kept === limits.length,
          isOnFront: front.has(entry),
          score: this.#score(figures, usual, scales),
          support: withDivergence(entry.support, figures.divergedShare),
          rollouts: figures.rollouts,
          isRescored: entry.figures.rescore !== null,
        };
      }),
      units: [...goals, ...limits].map(({ measure }) => unitOf(measure, amountUnit)),
      optimism: this.#optimism(scales),
      rounds: this.#rounds,
      simulated: this.#simulated,
      fullEnumeration: this.#tried * rollouts,
      seed,
      freshSeed: this.freshSeed,
    };
  }

  /** Standard deviation of each goal over the plans of the answer; 0 where they do not differ. */
  #goalScales(figures: readonly PlanFigures[]): readonly number[] {
    return this.#question.goals.map((_, g) => spread(figures.map(({ groups }) => meanOfGroups(groups[g]!))));
  }

  #score(figures: PlanFigures, usual: PlanFigures, scales: readonly number[]): number {
    return meanOfGroups(this.#scoreByGroup(figures, usual, scales));
  }

  /** Σ weight × improvement over usual care, each in its standard deviation: [group]. A goal that is not known counts nothing. */
  #scoreByGroup(figures: PlanFigures, usual: PlanFigures, scales: readonly number[]): Float64Array {
    const { goals } = this.#question;
    return figures.groups[0]!.map((_, group) =>
      goals.reduce((sum, { weight, wish }, g) => {
        const improvement = sign(wish) * (figures.groups[g]![group]! - usual.groups[g]![group]!);
        return scales[g]! > 0 && !Number.isNaN(improvement) ? sum + (weight * improvement) / scales[g]! : sum;
      }, 0),
    );
  }

  /**
   * By how much the candidates that led the search fell on fresh futures, with a 90 % interval. Group is held against group of the same
   * number, so that what both share (an ensemble member, a model) is no part of the interval.
   */
  #optimism(scales: readonly number[]): PlanAnswer['optimism'] {
    const last = this.#found.filter(({ isLeading, figures }) => isLeading && figures.rescore);
    const isBest = nonDominated(last.map(({ figures }) => this.#rate(figures.search!)));
    const leading = last.filter((_, i) => isBest[i]);
    if (leading.length === 0) return null;
    const falls = leading.map(({ figures, usual }) => {
      const before = this.#scoreByGroup(figures.search!, usual.search!, scales);
      const after = this.#scoreByGroup(figures.rescore!, usual.rescore!, scales);
      return before.slice(0, Math.min(before.length, after.length)).map((value, group) => value - after[group]!);
    });
    const byGroup = falls[0]!.map((_, group) => meanOf(falls.map((fall) => fall[group]!)));
    const value = meanOf([...byGroup]);
    const half = (normalCritical90 * spread([...byGroup])) / Math.sqrt(byGroup.length);
    return { value, low: value - half, high: value + half, candidates: leading.length };
  }

  message(): string {
    const { insistsOutside } = this.#question;
    const outside = this.#found.filter(({ support }) => support.distance > 0).length;
    const sentences = [
      this.#found.length === 0
        ? 'No plan of this space is left: raise a maximum, take an exclusion back, or search beyond what the pack’s people had.'
        : `${this.#tried.toLocaleString('en-GB')} ${this.#tried === 1 ? 'plan was' : 'plans were'} tried in ${this.#simulated.toLocaleString('en-GB')} simulated futures.`,
      ...(insistsOutside && outside > 0
        ? [`${outside} of the plans shown lie outside what the pack’s people had and are marked.`]
        : []),
      ...(this.#leftOut > 0
        ? [
            `${this.#leftOut} of your plans ${this.#leftOut === 1 ? 'gives' : 'give'} what is excluded and ${this.#leftOut === 1 ? 'is' : 'are'} left out.`,
          ]
        : []),
    ];
    return sentences.join(' ');
  }
}

const normalCritical90 = 1.6448536269514722;

const sign = (wish: Goal['wish']) => (wish === 'more' ? 1 : -1);

function part({ onProgress, signal }: RunHooks, from: number, to: number): RunHooks {
  return {
    ...(onProgress ? { onProgress: (fraction: number) => onProgress(from + fraction * (to - from)) } : {}),
    ...(signal ? { signal } : {}),
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample standard deviation of what is known; 0 for fewer than two values. */
function spread(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  if (known.length < 2) return 0;
  const mean = meanOf(known);
  return Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (known.length - 1));
}
