/** The plans of one search: which are in it, what they came to in the rounds, which go on, and the answer that this makes. */
import type { Plan } from '#domain/plan.ts';
import type { Goal, PlanAnswer, PlanCandidate, PlanQuestion, PlanSupport } from '#domain/planning.ts';
import type { RunHooks } from '#engine/engine.ts';
import { leverInterventions } from '#packs/manifest-views.ts';
import { usualCarePlan } from '#twin/plan-check.ts';
import type { Receiver } from './candidates.ts';
import { burdenOf, isWithin } from './doses-given.ts';
import { meanOfGroups, measureValues, unitOf, type PlanEvaluator, type PlanFigures } from './evaluate.ts';
import { keyOf, type Tried } from './explore.ts';
import { doseUnit } from './naming.ts';
import { keepingOrder, nonDominated, type Rated } from './pareto.ts';
import { gridsOf } from './spaces.ts';
import { withDivergence } from './support.ts';

export interface LedgerSubject extends Pick<Receiver, 'manifest' | 'continuing'> {
  readonly support: (plan: Plan, horizonDays: number) => PlanSupport;
}

/** A round keeps this share of its candidates and gives the next one the inverse as many futures. */
export const keptShare = 1 / 4;
/** So many are always taken to the last round, to be compared side by side on equal terms. */
const fewestInLastRound = 12;
/** So many of what a search tried are scored further. */
const mostFromSearch = 40;

/** So many of the candidates of a round are in the next, at least. */
export function survivorsOf(candidates: number): number {
  return Math.max(fewestInLastRound, Math.ceil(candidates * keptShare));
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
export class Ledger {
  readonly freshSeed: number;
  readonly countedGoals: readonly Goal[];
  readonly #question: PlanQuestion;
  readonly #subject: LedgerSubject;
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

  constructor(question: PlanQuestion, subject: LedgerSubject) {
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
    const kept = Math.max(survivorsOf(alive.length), Math.min(front, Math.ceil(alive.length / 2)));
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
