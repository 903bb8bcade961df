/** One policy followed through every future: measured, decided, given, and so on to the last decision. */
import type { Policy, PolicyArm, PolicyRule } from '#domain/planning.ts';
import type { RunHooks } from '#engine/engine.ts';
import { quantileOfSorted } from '#numerics/quantiles.ts';
import { philox, streams, uniform, type Seed } from '#numerics/random.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import type { FittedPerson } from '#twin/equations/fitted-person.ts';
import { bodySize } from '#twin/equations/person.ts';
import { drawValue } from '#twin/equations/virtual-measurement.ts';
import { absorb, beliefToday, fewestEffectiveDraws, fitAfresh, type Belief, type VirtualMeasurement } from './belief.ts';
import { followPlans, type CourseDeps } from './courses.ts';
import { chooseDoses, type RefitRule } from './dose-choice.ts';
import { amountPerDayFrom, doseOptions, followFrom, titrate, type DosePlan } from './dose-rules.ts';
import type { DrawSet, SplitDraws } from './draws.ts';

export interface WrittenPolicy {
  readonly policy: Policy;
  readonly start: DosePlan;
  /** Of a rule that switches. */
  readonly switchesTo: DosePlan | null;
}

export interface FollowParts {
  readonly manifest: EquationsManifest;
  readonly fitted: FittedPerson;
  readonly split: SplitDraws;
}

export interface FollowedPolicy extends Pick<PolicyArm, 'changedShare' | 'dose' | 'refits'> {
  /** Everything that was given in some future, the start first; `planOf` says in which. */
  readonly plans: readonly DosePlan[];
  /** [futures] */
  readonly planOf: Uint32Array;
  /** In all futures together. */
  readonly measurements: number;
}

export async function followPolicy(
  { policy, start, switchesTo }: WrittenPolicy,
  { manifest, fitted, split }: FollowParts,
  deps: CourseDeps,
  hooks: RunHooks,
): Promise<FollowedPolicy> {
  const { rule } = policy;
  const { truths, known } = split;
  const days = policy.decisionDays.filter((day) => day < deps.horizonDays);
  const given = new GivenPlans(start, truths.size);
  const clinician = rule.kind === 'refit-and-dose' ? new Clinician(rule, manifest, fitted, known, truths.size) : null;
  const changedShare: number[] = [];
  const dose: { day: number; quantiles: readonly [number, number, number] }[] = [];
  let measurements = 0;
  for (const [d, day] of days.entries()) {
    const part: RunHooks = {
      ...(hooks.signal ? { signal: hooks.signal } : {}),
      onProgress: (fraction) => hooks.onProgress?.((d + fraction) / days.length),
    };
    const measured = await measure(policy.measures, day, given, truths, deps, part);
    measurements += measured.reduce((sum, own) => sum + own.length, 0);
    const next =
      rule.kind === 'refit-and-dose'
        ? await clinician!.decide(day, measured, given, deps, part)
        : measured.map((own, future) => react(rule, own, given.of(future), day, manifest, switchesTo));
    const changed = next.reduce((count, plan, future) => count + (given.give(future, plan) ? 1 : 0), 0);
    changedShare.push(changed / truths.size);
    if ('intervention' in rule) dose.push({ day, quantiles: doseQuantiles(given, rule.intervention, day) });
    part.onProgress?.(1);
  }
  return { plans: given.plans, planOf: given.planOf, changedShare, dose, measurements, refits: clinician?.refits() ?? null };
}

/** Which plan each future is on; plans that give the same are one. */
class GivenPlans {
  readonly plans: DosePlan[];
  readonly planOf: Uint32Array;
  readonly #numbers = new Map<string, number>();

  constructor(start: DosePlan, futures: number) {
    this.plans = [start];
    this.planOf = new Uint32Array(futures);
    this.#numbers.set(keyOf(start), 0);
  }

  of(future: number): DosePlan {
    return this.plans[this.planOf[future]!]!;
  }

  /** Whether that changes anything. */
  give(future: number, plan: DosePlan): boolean {
    const key = keyOf(plan);
    const number = this.#numbers.get(key) ?? this.plans.length;
    if (number === this.plans.length) {
      this.#numbers.set(key, number);
      this.plans.push(plan);
    }
    const isChange = this.planOf[future] !== number;
    this.planOf[future] = number;
    return isChange;
  }

  /** Futures by the plan that they are on. */
  groups(): ReadonlyMap<DosePlan, Uint32Array> {
    const futures = new Map<number, number[]>();
    this.planOf.forEach((plan, future) => futures.set(plan, [...(futures.get(plan) ?? []), future]));
    return new Map([...futures].map(([plan, own]) => [this.plans[plan]!, Uint32Array.from(own)]));
  }
}

function keyOf({ blocks, regimens, hasSwitched }: DosePlan): string {
  return JSON.stringify([blocks, regimens, hasSwitched]);
}

/** What a measurement on a day shows in each future; nothing where the course has ended. The same for all arms where they are alike. */
async function measure(
  markers: readonly string[],
  day: number,
  given: GivenPlans,
  truths: DrawSet,
  deps: CourseDeps,
  hooks: RunHooks,
): Promise<VirtualMeasurement[][]> {
  const measured: VirtualMeasurement[][] = Array.from({ length: truths.size }, () => []);
  for (const [plan, futures] of given.groups()) {
    const wanted = { days: [day], readouts: [], markers };
    const [course] = await followPlans(truths, futures, [plan], wanted, { ...deps, horizonDays: day }, hooks);
    futures.forEach((future, i) => {
      const { program } = truths.models.findLast(({ first }) => first <= future)!;
      markers.forEach((marker) => {
        const f = course!.marker(marker, 0, i);
        if (Number.isNaN(f)) return;
        const { error } = program.observations.find((one) => one.marker === marker)!;
        measured[future]!.push({ marker, day, value: drawValue(error, f, chanceOf(future, day, marker, deps.seed)) });
      });
    });
  }
  return measured;
}

const words = new Uint32Array(4);
const minutesPerDay = 1440;

/** Uniform, keyed by future, minute and marker: an arm that measures once more, or something else, does not disturb the others. */
export function chanceOf(future: number, day: number, marker: string, seed: Seed): number {
  let key = 0;
  for (let i = 0; i < marker.length; i++) key = (Math.imul(key, 31) + marker.charCodeAt(i)) >>> 0;
  philox(words, future, Math.round(day * minutesPerDay), key, streams.observation, seed);
  return uniform(words[0]!);
}

function react(
  rule: Exclude<PolicyRule, { kind: 'refit-and-dose' }>,
  measured: readonly VirtualMeasurement[],
  plan: DosePlan,
  day: number,
  manifest: EquationsManifest,
  switchesTo: DosePlan | null,
): DosePlan {
  const value = measured.find(({ marker }) => marker === rule.marker)?.value;
  if (value === undefined) return plan;
  if (rule.kind === 'titrate') return titrate(manifest, rule, plan, day, value);
  const isBeyond = rule.direction === 'above' ? value > rule.value : value < rule.value;
  return isBeyond && !plan.hasSwitched ? { ...followFrom(plan, day, switchesTo!), hasSwitched: true } : plan;
}

function doseQuantiles(given: GivenPlans, intervention: string, day: number): [number, number, number] {
  const perPlan = given.plans.map((plan) => amountPerDayFrom(plan, intervention, day));
  const ascending = Float64Array.from(given.planOf, (plan) => perPlan[plan]!).sort();
  return [quantileOfSorted(ascending, 0.05), quantileOfSorted(ascending, 0.5), quantileOfSorted(ascending, 0.95)];
}

/** Refits and doses. Is told measured values and what was given, and never which future is which truth. */
class Clinician {
  readonly #rule: RefitRule;
  readonly #manifest: EquationsManifest;
  readonly #fitted: FittedPerson;
  readonly #beliefs: Belief[];
  readonly #measured: VirtualMeasurement[][];
  #made = 0;
  #afresh = 0;
  #leastEffectiveDraws = Infinity;

  constructor(rule: RefitRule, manifest: EquationsManifest, fitted: FittedPerson, known: DrawSet, futures: number) {
    this.#rule = rule;
    this.#manifest = manifest;
    this.#fitted = fitted;
    const today = beliefToday(known);
    this.#beliefs = Array.from({ length: futures }, () => today);
    this.#measured = Array.from({ length: futures }, () => []);
  }

  refits(): PolicyArm['refits'] {
    const least = this.#leastEffectiveDraws;
    return { made: this.#made, afresh: this.#afresh, leastEffectiveDraws: least === Infinity ? 0 : least };
  }

  /** One plan a future. Futures in which nothing was measured go on as before. */
  async decide(
    day: number,
    measured: readonly (readonly VirtualMeasurement[])[],
    given: GivenPlans,
    deps: CourseDeps,
    hooks: RunHooks,
  ): Promise<DosePlan[]> {
    measured.forEach((own, future) => this.#measured[future]!.push(...own));
    const isSeen = (future: number) => measured[future]!.length > 0;
    for (const { plan, set, futures } of this.#alike(given, isSeen)) {
      hooks.signal?.throwIfAborted();
      const beliefs = futures.map((future) => this.#beliefs[future]!);
      const today = futures.map((future) => measured[future]!);
      const learned = await absorb({ plan, day, set, beliefs, today }, { ...deps, horizonDays: day }, hooks);
      for (const [i, future] of futures.entries()) await this.#keep(future, learned[i]!, plan, deps, hooks);
    }
    hooks.onProgress?.(0.4);
    const next = measured.map((_, future) => given.of(future));
    const groups = this.#alike(given, (future) => isSeen(future) && this.#beliefs[future]!.effectiveDraws > 0);
    const grid = this.#manifest.doseGrids.find(({ intervention }) => intervention === this.#rule.intervention)!;
    for (const [g, { plan, set, futures }] of groups.entries()) {
      hooks.signal?.throwIfAborted();
      const choice = doseOptions(grid, plan, day, deps.horizonDays, bodySize(this.#fitted.person));
      if (!choice) continue;
      const weights = futures.map((future) => this.#beliefs[future]!.weights);
      const chosen = await chooseDoses(this.#rule, { set, weights, choice }, this.#manifest, deps, hooks);
      futures.forEach((future, i) => (next[future] = chosen[i]!));
      hooks.onProgress?.(0.4 + (0.6 * (g + 1)) / groups.length);
    }
    return next;
  }

  /** Where weighing has left too few draws, a fresh fit takes their place, unless it finds none either. */
  async #keep(future: number, learned: Belief, plan: DosePlan, deps: CourseDeps, hooks: RunHooks): Promise<void> {
    this.#made++;
    if (learned.effectiveDraws >= fewestEffectiveDraws) {
      this.#beliefs[future] = learned;
      this.#leastEffectiveDraws = Math.min(this.#leastEffectiveDraws, learned.effectiveDraws);
      return;
    }
    this.#afresh++;
    const fresh = await fitAfresh(this.#fitted.twin, plan, this.#measured[future]!, deps, hooks);
    this.#beliefs[future] = fresh ?? learned;
  }

  /** Futures on one plan with beliefs over one set of draws. */
  #alike(given: GivenPlans, isWanted: (future: number) => boolean): { plan: DosePlan; set: DrawSet; futures: number[] }[] {
    const groups = new Map<DosePlan, Map<DrawSet, number[]>>();
    this.#beliefs.forEach(({ set }, future) => {
      if (!isWanted(future)) return;
      const plan = given.of(future);
      const ofPlan = groups.get(plan) ?? new Map<DrawSet, number[]>();
      groups.set(plan, ofPlan);
      ofPlan.set(set, [...(ofPlan.get(set) ?? []), future]);
    });
    return [...groups].flatMap(([plan, ofPlan]) => [...ofPlan].map(([set, futures]) => ({ plan, set, futures })));
  }
}
