/**
 * Search of spaces that are too large to list: schedules by the cross-entropy method and local changes, amounts by CMA-ES. Each looks for
 * one number; so several searches are run, one with the person's own weights and one a goal with more weight on it, and whatever any of
 * them tried is remembered, so that the front among all of it can be told.
 */
import type { Plan, Regimen } from '#domain/plan.ts';
import { seedFrom, type Seed } from '#numerics/random.ts';
import type { AmountPlans, OnOffPlans } from './candidates.ts';
import { searchContinuous } from './cma-es.ts';
import { searchSchedules } from './schedule-search.ts';

export interface Tried<Figures> {
  readonly plan: Plan;
  readonly figures: Figures;
}

export interface Exploration<Figures> {
  /** Of plans that may be searched; null in the place of one that may not. */
  readonly evaluate: (plans: readonly Plan[]) => Promise<readonly (Figures | null)[]>;
  /** Higher is better, by how much each goal counts. */
  readonly merit: (figures: Figures, weights: readonly number[]) => number;
  /** Of the goals that count. */
  readonly weights: readonly number[];
  /** Plans that may be tried in all. */
  readonly budget: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onTried?: (tried: number) => void;
  /** After each of the searches but the last: all that was tried so far, in the order of the space. */
  readonly onSearched?: (tried: readonly Tried<Figures>[]) => void;
}

/** How much more a goal counts in the search that is its own. */
const emphasis = 5;
const fewestInGeneration = 16;
const mostInGeneration = 60;
const fewestGenerations = 4;
const constantAmounts = 12;
/** The rest of a search is local changes. */
const entropyShare = 0.6;

/** Every plan that was tried, each once, in the order of the space. */
export async function exploreSchedules<Figures>(space: OnOffPlans, exploration: Exploration<Figures>): Promise<Tried<Figures>[]> {
  const memory = new Memory(exploration, (choices: Uint8Array) => space.plan(choices));
  const first = simpleSchedules(space);
  await memory.each(async ({ seed, budget, score }) => {
    const population = Math.max(fewestInGeneration, first.length, Math.min(mostInGeneration, Math.round(budget / 20)));
    const generations = Math.max(fewestGenerations, Math.round(budget / population));
    const global = Math.max(1, Math.round(entropyShare * generations));
    await searchSchedules({
      decisions: space.decisions,
      options: space.options,
      score,
      seed,
      population,
      generations: global,
      refinements: generations - global,
      first,
      ...(exploration.signal ? { signal: exploration.signal } : {}),
    });
  });
  return memory.inOrder();
}

/** Nothing, and each option over one stretch between quarters of the horizon: what a person would think of first. */
function simpleSchedules({ decisions, options }: OnOffPlans): Uint8Array[] {
  const quarter = (part: number) => Math.round((part * decisions) / 4);
  const found = new Map([['', new Uint8Array(decisions)]]);
  for (let option = 1; option < options; option++) {
    for (let from = 0; from < 4; from++) {
      for (let to = from + 1; to <= 4; to++) {
        const choices = new Uint8Array(decisions).fill(option, quarter(from), quarter(to));
        found.set(choices.join(','), choices);
      }
    }
  }
  return [...found.values()].slice(0, mostInGeneration);
}

export async function exploreAmounts<Figures>(space: AmountPlans, exploration: Exploration<Figures>): Promise<Tried<Figures>[]> {
  const memory = new Memory(exploration, (amounts: Float64Array) => space.plan(amounts));
  // The same amount all the time, in so many steps, is tried before anything else; each search begins with the best of these.
  const constant = Array.from({ length: constantAmounts }, (_, i) =>
    Float64Array.from(space.low, (low, k) => low + ((space.high[k]! - low) * i) / (constantAmounts - 1)),
  );
  await memory.each(async ({ seed, budget, score }) => {
    const scores = await score(constant);
    await searchContinuous({
      start: [...constant[scores.indexOf(Math.max(...scores))]!],
      low: space.low,
      high: space.high,
      steps: space.low.map(() => space.roundTo),
      score,
      seed,
      budget,
      population: Math.max(fewestInGeneration, 4 + Math.floor(3 * Math.log(space.low.length))),
      ...(exploration.signal ? { signal: exploration.signal } : {}),
    });
  });
  return memory.inOrder();
}

interface Run<Point> {
  readonly seed: Seed;
  readonly budget: number;
  readonly score: (points: readonly Point[]) => Promise<number[]>;
}

/** What was tried, by what is given: points that are rounded to the same doses are one plan and are simulated once. */
class Memory<Figures, Point extends ArrayLike<number>> {
  readonly #exploration: Exploration<Figures>;
  readonly #planOf: (point: Point) => Plan;
  readonly #known = new Map<string, { readonly point: Point; readonly plan: Plan; readonly figures: Figures | null }>();
  #tried = 0;

  constructor(exploration: Exploration<Figures>, planOf: (point: Point) => Plan) {
    this.#exploration = exploration;
    this.#planOf = planOf;
  }

  async each(run: (run: Run<Point>) => Promise<void>): Promise<void> {
    const { weights, budget, seed } = this.#exploration;
    const own = weights.map((_, i) => weights.map((weight, j) => (i === j ? emphasis * weight : weight)));
    const searches = weights.length > 1 ? [weights, ...own] : [weights];
    for (const [s, wanted] of searches.entries()) {
      await run({
        seed: seedFrom(seed + s),
        budget: Math.max(1, Math.round(budget / searches.length)),
        score: (points) => this.#score(points, wanted),
      });
      if (s < searches.length - 1) this.#exploration.onSearched?.(this.inOrder());
    }
  }

  inOrder(): Tried<Figures>[] {
    return [...this.#known.values()]
      .sort((a, b) => compareNumbers(a.point, b.point))
      .flatMap(({ plan, figures }) => (figures === null ? [] : [{ plan, figures }]));
  }

  async #score(points: readonly Point[], weights: readonly number[]): Promise<number[]> {
    const { evaluate, merit, onTried } = this.#exploration;
    const asked = points.map((point) => {
      const plan = this.#planOf(point);
      return { point, plan, key: keyOf(plan) };
    });
    const fresh = [...new Map(asked.filter(({ key }) => !this.#known.has(key)).map((one) => [one.key, one])).values()];
    const figures = await evaluate(fresh.map(({ plan }) => plan));
    fresh.forEach(({ key, point, plan }, i) => this.#known.set(key, { point, plan, figures: figures[i]! }));
    this.#tried += points.length;
    onTried?.(this.#tried);
    return asked.map(({ key }) => {
      const found = this.#known.get(key)!.figures;
      return found === null ? -Infinity : merit(found, weights);
    });
  }
}

/** Two plans that give the same have the same key; `continuing` are the doses of the record that go on unless a plan stops them. */
export function keyOf({ blocks, regimens = [], stopsCurrentDoses }: Plan, continuing: readonly Regimen[] = []): string {
  const given = [...regimens, ...(stopsCurrentDoses ? [] : continuing)].map(
    ({ intervention, amount, route, durationHours, startHour, everyHours, count }) =>
      JSON.stringify([intervention, amount, route, durationHours, startHour, everyHours, count]),
  );
  const spans = blocks.map(({ intervention, startDay, stopDay }) => JSON.stringify([intervention, startDay, stopDay]));
  return [...spans.sort(), ...given.sort()].join(' ');
}

function compareNumbers(a: ArrayLike<number>, b: ArrayLike<number>): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}
