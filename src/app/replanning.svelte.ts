/** Looking again inside the future: policies that measure and change, what the next measurement is worth, when to draw the next level. */
import type { SamplingAnswer } from '#domain/dosing.ts';
import type { Plan } from '#domain/plan.ts';
import type { Goal, MeasurementAnswer, PolicyAnswer, ReadyPolicy } from '#domain/planning.ts';
import type { EquationsManifest, PackManifest } from '#packs/manifest.ts';
import { readyPolicies } from '#planning/policies/ready.ts';
import { anew } from './guarded-work.svelte.ts';
import type { WorkParts } from './guarded-work.svelte.ts';
import type { TypedQuestion } from './plan-question.ts';
import type { PlanningState } from './planning.svelte.ts';
import { usualCareId } from './plans.ts';

export interface ReplanningParts extends WorkParts {
  readonly planning: PlanningState;
}

export interface TypedSampling {
  readonly marker: string;
  readonly target: string;
}

export interface TypedMeasurement {
  readonly marker: string;
  /** Which of the question's goals. */
  readonly goal: number;
}

/** Each future of a policy is a fit of its own at every decision: fewer of them than of fixed plans. */
const policyFutures = 200;
const measurementFutures = 400;

export class ReplanningState {
  readonly #parts: ReplanningParts;
  readonly #key: string = $derived.by(() => this.#parts.planning.work.key);

  /** What the pack comes with, for this person. */
  readonly offered: readonly ReadyPolicy[] = $derived.by(() => {
    const { pack, record, now } = this.#parts.forecast;
    return pack && record ? readyPolicies(pack.manifest, record, now) : [];
  });
  /** Ids of policies that are left out. */
  leftOut = $derived.by<readonly string[]>(() => anew(this.#key, []));
  policies = $derived.by<PolicyAnswer | null>(() => anew(this.#key, null));
  /** What they were asked for. */
  policiesQuestion = $derived.by<TypedQuestion | null>(() => anew(this.#key, null));
  #policiesBasis = $derived.by<string | null>(() => anew(this.#key, null));

  measurement = $derived.by<TypedMeasurement | null>(() => anew(this.#key, firstMeasurement(this.#manifest)));
  value = $derived.by<MeasurementAnswer | null>(() => anew(this.#key, null));
  /** The goal that it is of. */
  valuedGoal = $derived.by<Goal | null>(() => anew(this.#key, null));
  #valueBasis = $derived.by<string | null>(() => anew(this.#key, null));

  sampling = $derived.by<TypedSampling | null>(() => anew(this.#key, firstSampling(this.#manifest)));
  samplingAnswer = $derived.by<SamplingAnswer | null>(() => anew(this.#key, null));

  readonly #manifest: PackManifest | null = $derived.by(() => this.#parts.forecast.pack?.manifest ?? null);
  readonly chosenPolicies: readonly ReadyPolicy[] = $derived.by(() =>
    this.offered.filter(({ policy }) => !this.leftOut.includes(policy.id)),
  );
  /** Held against policies and chosen between after a measurement: what is ticked, else the plans of the page. */
  readonly fixed: readonly Plan[] = $derived.by(() => {
    const { planning, forecast } = this.#parts;
    if (planning.lettered.length > 0) return planning.lettered.map(({ plan }) => plan);
    return forecast.plans.filter(({ id }) => id !== usualCareId);
  });
  readonly #basis: string = $derived.by(() => {
    const { planning, forecast } = this.#parts;
    return JSON.stringify([planning.question, this.fixed, forecast.record?.updatedAt, forecast.seed]);
  });
  readonly isPoliciesStale: boolean = $derived.by(
    () => this.policies !== null && this.#policiesBasis !== `${this.#basis} ${this.leftOut.join(' ')}`,
  );
  readonly isValueStale: boolean = $derived.by(
    () => this.value !== null && this.#valueBasis !== `${this.#basis} ${JSON.stringify(this.measurement)}`,
  );

  constructor(parts: ReplanningParts) {
    this.#parts = parts;
  }

  setPolicy(id: string, isWanted: boolean): void {
    const others = this.leftOut.filter((one) => one !== id);
    this.leftOut = isWanted ? others : [...others, id];
  }

  async tryPolicies(): Promise<void> {
    const { question, work } = this.#parts.planning;
    if (!question || this.chosenPolicies.length === 0) return;
    const basis = `${this.#basis} ${this.leftOut.join(' ')}`;
    const { goals, limits, horizonDays } = question;
    const policies = this.chosenPolicies.map(({ policy }) => policy);
    const { fixed } = this;
    await work.run('policies', 'policies', async (base, hooks) => {
      const { seed } = this.#parts.forecast;
      const asked = { policies, fixed, goals, limits, futures: policyFutures, horizonDays, seed };
      const show = (answer: PolicyAnswer) => {
        this.policies = answer;
        this.policiesQuestion = question;
        this.#policiesBasis = basis;
      };
      show(await this.#parts.client.call('policies', { ...base, question: asked }, { ...hooks, onPartial: show }));
    });
  }

  async valueMeasurements(): Promise<void> {
    const { question, work } = this.#parts.planning;
    const { measurement, fixed } = this;
    const goal = measurement && (question?.goals[measurement.goal] ?? question?.goals.at(-1));
    if (!question || !measurement || !goal || fixed.length === 0) return;
    const basis = `${this.#basis} ${JSON.stringify(measurement)}`;
    const { horizonDays } = question;
    const candidates = measurementDays(this.#manifest!, horizonDays).map((day) => ({ marker: measurement.marker, day }));
    await work.run('measurement', 'value of a measurement', async (base, hooks) => {
      const { seed } = this.#parts.forecast;
      const asked = { choices: fixed, goal, candidates, futures: measurementFutures, horizonDays, seed };
      this.value = await this.#parts.client.call('measurementValue', { ...base, question: asked }, hooks);
      this.valuedGoal = goal;
      this.#valueBasis = basis;
    });
  }

  async findTimes(): Promise<void> {
    const { question, work } = this.#parts.planning;
    const { sampling } = this;
    const manifest = this.#manifest;
    if (manifest?.kind !== 'equations' || !question || !sampling) return;
    await work.run('sampling', 'next sample', async ({ packId, record, now }, hooks) => {
      const { horizonDays } = question;
      const { seed } = this.#parts.forecast;
      const asked = { ...sampling, candidateHours: samplingHours(manifest, horizonDays), horizonDays, seed };
      this.samplingAnswer = await this.#parts.client.call('samplingTimes', { packId, record, now, question: asked }, hooks);
    });
  }
}

function firstSampling(manifest: PackManifest | null): TypedSampling | null {
  const [marker] = manifest?.markers ?? [];
  const [target] = manifest?.kind === 'equations' ? manifest.targets : [];
  return marker && target ? { marker: marker.id, target: target.id } : null;
}

function firstMeasurement(manifest: PackManifest | null): TypedMeasurement | null {
  const [marker] = manifest?.markers ?? [];
  return marker ? { marker: marker.id, goal: 0 } : null;
}

/** A dozen times, closer together at first: levels change fastest after a dose. */
export function samplingHours({ grid }: Pick<EquationsManifest, 'grid'>, days: number): number[] {
  const most = days * 24;
  const round = [0.5, 1, 2, 4, 6, 8, 10, 12, 18, 24, 36, 48].filter((hours) => hours <= most);
  if (grid.timeUnit === 'hours' && round.length >= 6) return round;
  return Array.from({ length: 12 }, (_, index) => Math.round(((index + 1) / 12) * most * 600) / 600);
}

/** Six days, on the pack's grid, in the first half of the horizon: a later measurement can change little. */
export function measurementDays({ grid }: Pick<PackManifest, 'grid'>, horizonDays: number): number[] {
  const { stepDays } = grid;
  const steps = [1, 2, 3, 4, 5, 6].map((sixth) => Math.max(1, Math.round((sixth * horizonDays) / 12 / stepDays)));
  return [...new Set(steps)].map((step) => step * stepDays);
}
