/** The state of the Plan page: what is wanted and what is out of the question, the candidates that came back. Knows no page. */
import type { Goal, Measure, PlanAnswer, PlanCandidate, SearchSpace } from '#domain/planning.ts';
import { keyOf } from '#planning/explore.ts';
import { offeredSpaces } from '#planning/spaces.ts';
import { anew, GuardedWork } from './guarded-work.svelte.ts';
import type { WorkParts } from './guarded-work.svelte.ts';
import { withinHorizon } from './measures.ts';
import { askedQuestion, firstQuestion, firstSearchRollouts, questionFault } from './plan-question.ts';
import type { ExclusionReason, TypedQuestion } from './plan-question.ts';
import { letteredPlans, usualCareId } from './plans.ts';

/** More are not told apart side by side, and the forecast page has as many letters beside usual care. */
export const mostCompared = 3;

/** Futures a plan of the last round; 0 where there was none. */
export function latestRollouts({ rounds }: PlanAnswer): number {
  return rounds.at(-1)?.rollouts ?? 0;
}

/** The same plan in a later answer, where what was found is numbered anew. */
function sameCandidate({ candidates }: PlanAnswer, { id, origin, plan }: PlanCandidate): PlanCandidate | undefined {
  if (origin !== 'found') return candidates.find((one) => one.id === id);
  const key = keyOf(plan);
  return candidates.find((one) => one.origin === 'found' && keyOf(one.plan) === key);
}

/** What the Plan page may compute; one at a time. */
export type PlanWork = 'search' | 'sampling' | 'policies' | 'measurement';

export class PlanningState {
  readonly #parts: WorkParts;
  readonly work: GuardedWork<PlanWork>;
  /** Null where the pack offers nothing to choose. */
  readonly question: TypedQuestion | null = $derived.by(() => {
    const { pack, question } = this.#parts.forecast;
    return pack && (question ?? firstQuestion(pack.manifest));
  });
  readonly spaces: readonly SearchSpace[] = $derived.by(() => {
    const { pack } = this.#parts.forecast;
    return pack ? offeredSpaces(pack.manifest) : [];
  });
  /** What keeps the search from being run; null when nothing does. */
  readonly fault: string | null = $derived.by(() => {
    const { pack } = this.#parts.forecast;
    return pack && this.question ? questionFault(pack.manifest, this.question) : null;
  });

  answer = $derived.by<PlanAnswer | null>(() => anew(this.work.key, null));
  /** The question that the answer is to. */
  answered = $derived.by<TypedQuestion | null>(() => anew(this.work.key, null));
  /** Fewer futures than asked for: the rest were stopped, or are still to come. */
  isPreliminary = $derived.by<boolean>(() => anew(this.work.key, false));
  /** Ids of candidates to compare, in the order of ticking; nobody but a person ticks. */
  ticked = $derived.by<readonly string[]>(() => anew(this.work.key, []));
  /** Ids circled in the picture; null while all are shown. */
  circled = $derived.by<readonly string[] | null>(() => anew(this.work.key, null));
  onlyKeepingLimits = $state(false);
  /** The sum of weights is shown, to be sorted by, to whoever asks. */
  isScoreShown = $state(false);

  #answeredBasis = $derived.by<string | null>(() => anew(this.work.key, null));
  readonly #basis: string = $derived.by(() => {
    const { record, seed } = this.#parts.forecast;
    return JSON.stringify([this.question, this.#own(), record?.updatedAt, seed]);
  });
  /** The question, the page's plans or the record changed since the answer. */
  readonly isStale: boolean = $derived.by(() => this.answer !== null && this.#answeredBasis !== this.#basis);
  /** What the page shows: found candidates outside the support only where the question insisted on them. */
  readonly candidates: readonly PlanCandidate[] = $derived.by(() =>
    (this.answer?.candidates ?? []).filter(
      ({ origin, support }) => origin !== 'found' || support.reasons.length === 0 || this.answered!.insistsOutside,
    ),
  );
  readonly listed: readonly PlanCandidate[] = $derived.by(() =>
    this.candidates.filter(
      ({ id, keepsLimits, origin }) =>
        (this.circled?.includes(id) ?? true) && (origin === 'usual-care' || keepsLimits || !this.onlyKeepingLimits),
    ),
  );
  /** Something shown leaves what the pack's people had: whatever leaves the page says so. */
  readonly isOutsideShown: boolean = $derived.by(() => this.candidates.some(({ support }) => support.reasons.length > 0));
  /** Usual care, which every candidate is held against. */
  readonly usual: PlanCandidate | null = $derived.by(() => this.candidates.find(({ origin }) => origin === 'usual-care') ?? null);
  readonly compared: readonly PlanCandidate[] = $derived.by(() =>
    this.ticked.flatMap((id) => this.candidates.filter((one) => one.id === id)),
  );
  /** The ticked candidates with the letters they have side by side and on the forecast page. */
  readonly lettered: ReturnType<typeof letteredPlans<PlanCandidate>> = $derived.by(() =>
    letteredPlans(this.compared, this.#own()),
  );

  constructor(parts: WorkParts) {
    this.#parts = parts;
    this.work = new GuardedWork({ ...parts, minute: () => parts.forecast.moment() });
  }

  set(changed: Partial<TypedQuestion>): void {
    const { question } = this;
    if (!question) return;
    const days = changed.horizonDays;
    const fitting = <T extends { readonly measure: Measure }>(those: readonly T[]) =>
      days === undefined ? those : those.map((one) => ({ ...one, measure: withinHorizon(one.measure, days) }));
    const next = { ...question, ...changed };
    this.#parts.forecast.ask({ ...next, goals: fitting(next.goals), limits: fitting(next.limits) });
  }

  addGoal(measure: Measure, wish: Goal['wish']): void {
    if (this.question) this.set({ goals: [...this.question.goals, { measure, wish, weight: 5 }] });
  }

  setGoal(index: number, changed: Partial<Goal>): void {
    const goal = this.question?.goals[index];
    if (goal) this.set({ goals: this.question!.goals.with(index, { ...goal, ...changed }) });
  }

  removeGoal(index: number): void {
    if (this.question) this.set({ goals: this.question.goals.toSpliced(index, 1) });
  }

  /** At most 10 in 100, to begin with: the person says how much may be borne. */
  addLimit(measure: Measure): void {
    if (this.question) this.set({ limits: [...this.question.limits, { measure, atMost: 0.1 }] });
  }

  setLimit(index: number, changed: { readonly measure?: Measure; readonly atMost?: number }): void {
    const limit = this.question?.limits[index];
    if (limit) this.set({ limits: this.question!.limits.with(index, { ...limit, ...changed }) });
  }

  removeLimit(index: number): void {
    if (this.question) this.set({ limits: this.question.limits.toSpliced(index, 1) });
  }

  /** Null takes the exclusion back. */
  exclude(intervention: string, because: ExclusionReason | null): void {
    if (!this.question) return;
    const others = this.question.excluded.filter((one) => one.intervention !== intervention);
    this.set({ excluded: because === null ? others : [...others, { intervention, because }] });
  }

  /** Null takes the limit away. */
  setMaximum(intervention: string, perDay: number | null): void {
    if (!this.question) return;
    const { [intervention]: _, ...others } = this.question.maximumPerDay;
    this.set({ maximumPerDay: perDay === null ? others : { ...others, [intervention]: perDay } });
  }

  /** Null leaves the covariate as it is in the record. */
  setChange(covariate: string, value: number | null): void {
    if (!this.question) return;
    const { [covariate]: _, ...others } = this.question.changes;
    this.set({ changes: value === null ? others : { ...others, [covariate]: value } });
  }

  /** Usual care is always compared and cannot be ticked. */
  tick(id: string, isTicked: boolean): void {
    const others = this.ticked.filter((one) => one !== id);
    if (!isTicked) this.ticked = others;
    else if (others.length < mostCompared && id !== this.usual?.id) this.ticked = [...others, id];
  }

  /** What was circled in the picture: the table keeps to it, and up to three at once are ticked. */
  circle(ids: readonly string[]): void {
    this.circled = ids.length === 0 ? null : ids;
    const tickable = ids.filter((id) => id !== this.usual?.id);
    if (tickable.length <= mostCompared) for (const id of tickable) this.tick(id, true);
  }

  /** First few futures, then as many as chosen, with the same seed. What is found on the way is shown at once, and stopping keeps it. */
  async search(): Promise<void> {
    const { question, fault } = this;
    if (!question || fault) return;
    const basis = this.#basis;
    const { seed } = this.#parts.forecast;
    const own = this.#own();
    let shown: PlanAnswer | null = null;
    const show = (answer: PlanAnswer, isPreliminary: boolean) => {
      const ticked = this.compared.flatMap((one) => sameCandidate(answer, one)?.id ?? []);
      this.answer = shown = answer;
      this.answered = question;
      this.#answeredBasis = basis;
      this.isPreliminary = isPreliminary;
      this.circled = null;
      this.ticked = ticked;
    };
    await this.work.run('search', 'plan search', async (base, hooks) => {
      const first = firstSearchRollouts(this.#parts.forecast.pack!.manifest);
      const counts = question.rollouts > first ? [first, question.rollouts] : [question.rollouts];
      for (const rollouts of counts) {
        this.work.fraction = 0;
        const asked = askedQuestion(question, { own, rollouts, seed });
        // Early rounds of the second search are on fewer futures than the first look.
        const onPartial = (answer: PlanAnswer) => {
          if (shown === null || latestRollouts(answer) >= latestRollouts(shown)) show(answer, true);
        };
        const answer = await this.#parts.client.call('planSearch', { ...base, question: asked }, { ...hooks, onPartial });
        if (hooks.signal.aborted) return;
        show(answer, answer.status === 'completed' && rollouts < question.rollouts);
        if (answer.status !== 'completed') return;
      }
    });
  }

  /** The ticked candidates become plans beside usual care. True when there is something to look at. */
  compare(): boolean {
    if (this.compared.length === 0) return false;
    this.#parts.forecast.compare(this.compared);
    return true;
  }

  stop(): void {
    this.work.stop();
  }

  #own() {
    return this.#parts.forecast.plans.filter(({ id }) => id !== usualCareId);
  }
}
