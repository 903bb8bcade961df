/** Contributions of groups of inputs to a figure over time: the game's values, asked for twice with different draws, as Shapley values. */
import type { Attribution, InputGroup } from '#domain/explanation.ts';
import type { RunHooks } from '#engine/engine.ts';
import { RandomSequence, seedFrom, streams } from '#numerics/random.ts';
import type { Game } from './game.ts';
import { antitheticOrders, coalitionsOf, everyCoalition, exactShapley, sampledShapley, type SampledShapley } from './shapley.ts';

export interface AttributionOptions {
  readonly effort: 'first' | 'every';
  readonly seed: number;
  /** Milliseconds, only to say how long it took. Without it it took 0. */
  readonly now?: () => number;
}

/** Up to so many groups every coalition is asked. */
const mostExact = 12;
const pairs = { first: 4, every: 48 } as const;
/** Keeps the draws of orders apart from those of people. */
const orderSubstream = 0x20000;

/**
 * The values are means over two runs with different seeds, and the contributions are linear in them; half the difference between the
 * runs is the standard deviation of that mean, pooled over the groups. `first` asks a few pairs of orders, unless every coalition is no more than that.
 */
export async function attribute(
  game: Game,
  { effort, seed, now = () => 0 }: AttributionOptions,
  hooks: RunHooks = {},
): Promise<Attribution> {
  const started = now();
  const n = game.groups.length;
  const random = new RandomSequence(seedFrom(seed), streams.people, orderSubstream);
  const orders = antitheticOrders(n, pairs[effort], random);
  const sampled = coalitionsOf(n, orders);
  const isExact = n <= mostExact && (effort === 'every' || 2 ** n <= sampled.length);
  const coalitions = isExact ? everyCoalition(n) : sampled;

  const runs: Float64Array[][] = [];
  for (const run of [0, 1]) {
    runs.push(await game.values(coalitions, seed + run, half(hooks, run)));
  }
  const known = game.timesDays.flatMap((_, t) =>
    runs.every((values) => values.every((own) => Number.isFinite(own[t]!))) ? [t] : [],
  );
  const at = (values: readonly Float64Array[]) =>
    new Map(coalitions.map((coalition, i) => [coalition, Float64Array.from(known, (t) => values[i]![t]!)]));
  const solve = (values: readonly Float64Array[]): SampledShapley | Pick<SampledShapley, 'contributions'> =>
    isExact ? { contributions: exactShapley(n, at(values)) } : sampledShapley(n, orders, at(values));
  const [first, second] = runs.map(solve) as [SampledShapley, SampledShapley];
  const mean = runs[0]!.map((own, i) => own.map((value, t) => (value + runs[1]![i]![t]!) / 2));
  const answer = solve(mean);

  // Two runs say little of one group at one time, where they may happen to agree; over all groups together, and as the largest so far,
  // they say how far chance moves any of them.
  const spread = (t: number) =>
    Math.sqrt(first.contributions.reduce((sum, own, g) => sum + ((own[t]! - second.contributions[g]![t]!) / 2) ** 2, 0) / n);
  let largest = 0;
  const noise = known.map((_, t) => (largest = n === 0 ? 0 : Math.max(largest, spread(t))));
  const values = at(mean);
  return {
    groups: game.groups.map(({ id, label, kind, value, reference }): InputGroup => ({ id, label, kind, value, reference })),
    timesDays: known.map((t) => game.timesDays[t]!),
    unit: game.unit,
    base: [...values.get(0)!],
    full: [...values.get(2 ** n - 1)!],
    contributions: answer.contributions.map((own) => [...own]),
    standardErrors: 'standardErrors' in answer ? answer.standardErrors.map((own) => [...own]) : null,
    method: isExact ? 'every-coalition' : 'sampled-orders',
    coalitions: coalitions.length,
    noise,
    elapsedMs: now() - started,
  };
}

function half({ signal, onProgress }: RunHooks, run: number): RunHooks {
  return {
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress: (fraction: number) => onProgress((run + fraction) / 2) } : {}),
  };
}
