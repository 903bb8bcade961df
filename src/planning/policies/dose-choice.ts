/** Which of the listed doses a virtual clinician gives, from what the draws say of each. */
import type { PolicyRule } from '#domain/planning.ts';
import type { RunHooks } from '#engine/engine.ts';
import { isReached, measureLanes } from '#engine/target-measure.ts';
import { systematic } from '#numerics/weighted-draws.ts';
import type { EquationsManifest, Target } from '#packs/manifest.ts';
import { followPlans, type CourseDeps } from './courses.ts';
import type { DosePlan, DoseOptions } from './dose-rules.ts';
import type { DrawSet } from './draws.ts';
import { measureDaysFrom } from './target-window.ts';

export type RefitRule = Extract<PolicyRule, { kind: 'refit-and-dose' }>;

/** Futures in which the same was given so far, and about which the same draws are weighed. */
export interface AlikeFutures {
  readonly set: DrawSet;
  /** One a future: [draws of the set], adding up to one. */
  readonly weights: readonly Float64Array[];
  readonly choice: DoseOptions;
}

/** So many draws stand for a future's posterior when doses are held against each other: a chance is known to about 6 points. */
const drawsPerChoice = 64;

/**
 * One plan a future, by climbing: from what is given now to the better of the neighbouring doses and rhythms, until none is better. The
 * chance of a target rises and falls once over the doses, so the top is the one that trying all of them would find, for a fraction of
 * the courses. It says nothing of the direction where it is zero, or where a limit is broken: from there every third dose is tried
 * first. All options are looked at in the same draws.
 */
export async function chooseDoses(
  rule: RefitRule,
  { set, weights, choice }: AlikeFutures,
  manifest: EquationsManifest,
  deps: CourseDeps,
  hooks: RunHooks,
): Promise<readonly DosePlan[]> {
  const { options } = choice;
  const asked = askedTargets(rule, manifest);
  const draws = weights.map(resampled);
  const verdicts = weights.map(() => new Map<number, Verdict>());
  const best = weights.map(() => 0);
  const judge = async (option: number, futures: readonly number[]) => {
    const found = await verdictsOf(
      option,
      futures.map((future) => draws[future]!),
      { set, choice },
      asked,
      deps,
      hooks,
    );
    futures.forEach((future, i) => verdicts[future]!.set(option, found[i]!));
  };
  const all = [...weights.keys()];
  await judge(0, all);
  const isLost = ({ excess, reached }: Verdict) => excess > 0 || (asked.reach !== null && reached === 0);
  const lost = all.filter((future) => isLost(verdicts[future]!.get(0)!));
  let wanted = new Map(lost.length > 0 ? choice.spread.map((option) => [option, lost]) : []);
  for (;;) {
    for (const [option, futures] of wanted) {
      hooks.signal?.throwIfAborted();
      await judge(option, futures);
      for (const future of futures) {
        const own = verdicts[future]!;
        if (isBetter(own.get(option)!, own.get(best[future]!)!)) best[future] = option;
      }
    }
    wanted = new Map<number, number[]>();
    for (const future of all) {
      for (const next of options[best[future]!]!.neighbours)
        if (!verdicts[future]!.has(next)) wanted.set(next, [...(wanted.get(next) ?? []), future]);
    }
    if (wanted.size === 0) return best.map((option) => options[option]!.plan);
  }
}

interface AskedTargets {
  readonly reach: Target | null;
  readonly avoid: readonly { readonly target: Target; readonly atMost: number }[];
}

function askedTargets({ reach, avoid }: RefitRule, { targets }: EquationsManifest): AskedTargets {
  const find = (id: string) => targets.find((target) => target.id === id)!;
  return {
    reach: reach === null ? null : find(reach),
    avoid: avoid.map(({ target, atMost }) => ({ target: find(target), atMost })),
  };
}

type Resampled = ReadonlyMap<number, number>;

/** One a future, from one simulation of all their draws under the option. */
async function verdictsOf(
  option: number,
  futures: readonly Resampled[],
  { set, choice }: Pick<AlikeFutures, 'set' | 'choice'>,
  { reach, avoid }: AskedTargets,
  deps: CourseDeps,
  hooks: RunHooks,
): Promise<readonly Verdict[]> {
  const { plan, amountPerDay } = choice.options[option]!;
  const targets = [...(reach ? [reach] : []), ...avoid.map(({ target }) => target)];
  const daysOf = targets.map((target) => measureDaysFrom(target, plan.regimens, choice.effectDay, deps.horizonDays));
  const days = [...new Set(daysOf.flatMap((own) => own ?? []))].sort((a, b) => a - b);
  if (days.length === 0) return futures.map(() => ({ excess: 0, reached: reach ? 0 : amountPerDay, margin: 0 }));
  const readouts = [...new Set(targets.map(({ measure }) => measure.readout))];
  const draws = unionOf(futures, set.size);
  const [course] = await followPlans(set, draws, [plan], { days, readouts, markers: [] }, deps, hooks);
  const dayIndex = new Map(days.map((day, d) => [day, d]));
  const measured = targets.map((target, t) => {
    const rows = daysOf[t]?.map((day) => dayIndex.get(day)!);
    const at = (k: number, lane: number) => course!.readout(target.measure.readout, rows![k]!, lane);
    return rows ? measureLanes(target, daysOf[t]!, at, draws.length) : null;
  });
  const place = new Map(Array.from(draws, (draw, i) => [draw, i]));
  return futures.map((own): Verdict => {
    const inUnion = [...own].map(([draw, count]) => ({ at: place.get(draw)!, count }));
    const mean = (values: Float64Array | null, of: (value: number) => number) => (values ? meanOf(inUnion, values, of) : 0);
    const chance = (target: Target, values: Float64Array | null) => mean(values, (value) => (isReached(target, value) ? 1 : 0));
    const ofLimits = measured.slice(reach ? 1 : 0);
    return {
      excess: avoid.reduce((sum, { target, atMost }, a) => sum + Math.max(0, chance(target, ofLimits[a]!) - atMost), 0),
      reached: reach ? chance(reach, measured[0]!) : amountPerDay,
      margin: reach ? mean(measured[0]!, (value) => marginOf(reach, value)) : 0,
    };
  });
}

interface Verdict {
  /** Chance above what is allowed, summed over limits. */
  readonly excess: number;
  /** Chance of the target; without one, the amount. */
  readonly reached: number;
  /** Mean distance to the nearer end of the target's range, positive inside: decides between doses of one chance. */
  readonly margin: number;
}

/** Those that keep the limits first, else whichever breaks them least. Of equals neither is, so that who goes on stays. */
function isBetter(a: Verdict, b: Verdict): boolean {
  if (a.excess !== b.excess) return a.excess < b.excess;
  return a.reached !== b.reached ? a.reached > b.reached : a.margin > b.margin;
}

function marginOf({ low = -Infinity, high = Infinity }: Target, value: number): number {
  return Math.min(value - low, high - value);
}

function meanOf(
  draws: readonly { readonly at: number; readonly count: number }[],
  values: Float64Array,
  of: (value: number) => number,
): number {
  let sum = 0;
  let all = 0;
  for (const { at, count } of draws) {
    const value = values[at]!;
    if (Number.isNaN(value)) continue;
    sum += count * of(value);
    all += count;
  }
  return all === 0 ? 0 : sum / all;
}

/** Numbers of the draws that stand for a posterior, with how often each does. */
function resampled(weights: Float64Array): Resampled {
  const counts = new Map<number, number>();
  systematic(weights, drawsPerChoice, 0.5, (_, from) => counts.set(from, (counts.get(from) ?? 0) + 1));
  return counts;
}

function unionOf(futures: readonly Resampled[], size: number): Uint32Array {
  const isUsed = new Uint8Array(size);
  for (const own of futures) for (const draw of own.keys()) isUsed[draw] = 1;
  return Uint32Array.from(isUsed.keys()).filter((draw) => isUsed[draw] === 1);
}
