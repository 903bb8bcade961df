/**
 * A good sequence of choices, one of a few options at each decision, in two phases. The cross-entropy method (Rubinstein 1999) looks
 * everywhere: draw many, keep the best tenth, draw the next ones more like those. It treats decisions as if they were independent,
 * so it stalls where only whole patterns are good; then local changes of its best schedule (some decisions, a run, a shift in time)
 * are tried in batches and kept when they are better.
 */
import { RandomSequence, streams, type Seed } from '#numerics/random.ts';

export interface ScheduleSearch {
  readonly decisions: number;
  readonly options: number;
  /** Higher is better; NaN counts as worst. [candidates] of [decisions] → [candidates]. */
  readonly score: (candidates: readonly Uint8Array[]) => Promise<ArrayLike<number>>;
  readonly seed: Seed;
  /** Candidates a generation. */
  readonly population: number;
  /** Of the cross-entropy method. */
  readonly generations: number;
  /** Generations of local changes after it. */
  readonly refinements: number;
  /** Schedules to begin with, beside those that are drawn. */
  readonly first?: readonly Uint8Array[];
  readonly signal?: AbortSignal;
  readonly onGeneration?: (generation: number, best: number) => void;
}

export interface FoundSchedule {
  readonly choices: Uint8Array;
  readonly score: number;
  /** Schedules that were scored. */
  readonly scored: number;
}

const eliteShare = 0.1;
/** How far the probabilities move towards the elite in a generation. */
const learningRate = 0.3;
/** No option ever dies out, so that a late discovery stays possible. */
const leastProbability = 0.01;
/** A local change alters up to so many decisions here and there, or a run of up to so many. */
const mostAltered = 4;
const longestRun = 8;

/** The best schedule of all generations. The same search gives the same schedule. */
export async function searchSchedules(search: ScheduleSearch): Promise<FoundSchedule> {
  const { decisions, options, population, generations, refinements } = search;
  let chances = new Float64Array(decisions * options).fill(1 / options);
  let best: { choices: Uint8Array; score: number } = { choices: new Uint8Array(decisions), score: -Infinity };
  let scored = 0;
  for (let generation = 0; generation < generations + refinements; generation++) {
    search.signal?.throwIfAborted();
    const random = new RandomSequence(search.seed, streams.resample, generation);
    const isLocal = generation >= generations;
    const draw = () => (isLocal ? alter(best.choices, options, random) : drawSchedule(chances, options, random));
    const given = generation === 0 ? (search.first ?? []) : [];
    const candidates = [...given, ...Array.from({ length: population - given.length }, draw)];
    const scores = Array.from(await search.score(candidates), (score) => (Number.isNaN(score) ? -Infinity : score));
    scored += candidates.length;
    const order = candidates.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
    const winner = order[0]!;
    if (scores[winner]! > best.score) best = { choices: candidates[winner]!, score: scores[winner]! };
    const elite = order.slice(0, Math.max(1, Math.round(population * eliteShare))).map((i) => candidates[i]!);
    if (!isLocal) chances = learn(chances, elite, options);
    search.onGeneration?.(generation, best.score);
  }
  return { ...best, scored };
}

function drawSchedule(chances: Float64Array, options: number, random: RandomSequence): Uint8Array {
  return Uint8Array.from({ length: chances.length / options }, (_, decision) => {
    let left = random.uniform();
    for (let option = 0; option < options - 1; option++) {
      left -= chances[decision * options + option]!;
      if (left < 0) return option;
    }
    return options - 1;
  });
}

function learn(chances: Float64Array, elite: readonly Uint8Array[], options: number): Float64Array<ArrayBuffer> {
  return Float64Array.from(chances, (chance, i) => {
    const [decision, option] = [Math.floor(i / options), i % options];
    const share = elite.reduce((sum, choices) => sum + (choices[decision] === option ? 1 : 0), 0) / elite.length;
    const moved = (1 - learningRate) * chance + learningRate * share;
    return leastProbability + (1 - options * leastProbability) * moved;
  });
}

function alter(schedule: Uint8Array, options: number, random: RandomSequence): Uint8Array {
  const below = (limit: number) => Math.floor(random.uniform() * limit);
  const altered = schedule.slice();
  const { length } = altered;
  const kind = random.uniform();
  const at = below(length);
  if (kind < 0.5) {
    for (let left = 1 + below(mostAltered); left > 0; left--) altered[below(length)] = below(options);
  } else if (kind < 0.75) {
    altered.fill(below(options), at, at + 1 + below(longestRun));
  } else if (kind < 0.875) {
    // Everything from here on comes one decision later …
    altered.copyWithin(at + 1, at, length - 1);
  } else {
    // … or earlier.
    altered.copyWithin(at, at + 1);
  }
  return altered;
}
