/** The state of the Forecast page: plans, run, result, and whether the result still belongs to what is on the page. Knows no page. */
import { AppError } from '#domain/errors.ts';
import type { Forecast } from '#domain/forecast.ts';
import type { Plan, Regimen } from '#domain/plan.ts';
import type { PlanCandidate } from '#domain/planning.ts';
import type { IsoMinute, PatientRecord } from '#domain/record.ts';
import type { NamedCorrection } from '#domain/trust.ts';
import type { EngineClient } from '#engine/client.ts';
import type { PackInfo } from '#engine/protocol.ts';
import type { RunFile } from '#interop/export/run-file.ts';
import { checkEquationsPlan } from '#twin/equations/plans.ts';
import { checkPlan } from '#twin/plan-check.ts';
import type { Shelf } from '#vault/vault.ts';
import type { Audit } from './audit.svelte.ts';
import { consentFault } from './consent.ts';
import { countsHours } from './dosed.ts';
import { failureOf } from './failure.ts';
import type { Failure } from './failure.ts';
import { fittingQuestion } from './plan-question.ts';
import type { TypedQuestion } from './plan-question.ts';
import { comparingPlans, duplicatePlan, firstPlans, horizonDays, usualCareId } from './plans.ts';
import { anyEvent, firstOutcome } from './reading.ts';
import { continuingRegimens } from './regimens.ts';
import type { Basis, Bench, Workspace } from './workspace.ts';

export interface ForecastParts {
  readonly client: EngineClient;
  readonly workspaces: Shelf<Workspace>;
  readonly audit: Audit;
  /** On the person's own clock. */
  readonly minute: () => IsoMinute;
  /** Milliseconds. */
  readonly now: () => number;
  /** A whole number below 2³². */
  readonly randomSeed: () => number;
  /** What a person switched on for a pack; none without. */
  readonly corrections?: (pack: PackInfo) => Promise<readonly NamedCorrection[]>;
}

/** So many rollouts come first, whatever is chosen: enough for bands that hardly move afterwards. */
export const firstRollouts = 1000;
export const rolloutChoices = [1000, 10_000, 50_000] as const;

export type Phase = 'idle' | 'first' | 'rest';

export type StalePart = keyof Basis;

export class ForecastState {
  record = $state.raw<PatientRecord | null>(null);
  pack = $state.raw<PackInfo | null>(null);
  plans = $state.raw<readonly Plan[]>([]);
  hidden = $state.raw<ReadonlySet<string>>(new Set());
  /** The minute that the page counts from: that of the shown result, else of opening it. */
  now = $state<IsoMinute>('');
  seed = $state(1);
  rollouts = $state<number>(10_000);
  outcome = $state<string>(anyEvent);
  readDay = $state(0);
  /** Of the Plan page; null until something is asked there otherwise than it begins with. */
  question = $state.raw<TypedQuestion | null>(null);

  /** What the next run is corrected with; null until it was asked for the pack that is open. */
  corrections = $state.raw<readonly NamedCorrection[] | null>(null);

  forecast = $state.raw<Forecast | null>(null);
  madeAt = $state<number | null>(null);
  phase = $state<Phase>('idle');
  fraction = $state(0);
  /** The first rollouts are shown and the rest were stopped, or are still to come. */
  isPreliminary = $state(false);
  failure = $state.raw<Failure | null>(null);
  /** Set when plans could not be kept, for example because another tab writes. */
  keepFailure = $state.raw<Failure | null>(null);

  /** The run that the page was opened with from a file; null for people of the vault. */
  opened = $state.raw<RunFile | null>(null);
  /** Why nothing may be run for this person: no basis was recorded, or it has ended. */
  readonly held: AppError | null = $derived.by(() =>
    this.record ? consentFault(this.record, this.#minute().slice(0, 10)) : null,
  );
  /** Doses of the record that go on: what usual care gives. */
  readonly continuing: readonly Regimen[] = $derived(
    this.record && this.pack ? continuingRegimens(this.pack.manifest, this.record, this.now) : [],
  );
  readonly isRunning = $derived(this.phase !== 'idle');
  #basis = $state.raw<Basis | null>(null);
  readonly #present: Basis | null = $derived(this.record && this.pack ? this.#basisOf(this.record, this.pack) : null);
  /** What changed since the result was made; empty when it is up to date. */
  readonly stale: readonly StalePart[] = $derived.by(() => {
    const [made, now] = [this.#basis, this.#present];
    if (!this.forecast || !made || !now) return [];
    return (Object.keys(now) as StalePart[]).filter((part) => made[part] !== now[part]);
  });
  /** The plans of the shown result, to revert to. */
  readonly ranPlans: readonly Plan[] = $derived(this.forecast?.plans.map((one) => one.plan) ?? []);
  /** The record as it was when the shown result was made. */
  readonly ranRecord: PatientRecord | null = $derived.by(() => {
    const { record } = this;
    if (!record || !this.#basis) return record;
    const [entryDate, covariates, observations, treatments, events, doses] = JSON.parse(this.#basis.record) as BasisRecord;
    const { doses: _, ...rest } = record;
    return { ...rest, entryDate, covariates, observations, treatments, events, ...(doses ? { doses } : {}) };
  });
  readonly canUndo = $derived.by(() => this.#past.length > 0);

  #past = $state.raw<readonly (readonly Plan[])[]>([]);
  #stop: AbortController | null = null;
  #workspace: Workspace | null = null;
  #updatedAt: number | null = null;
  readonly #parts: ForecastParts;

  constructor(parts: ForecastParts) {
    this.#parts = parts;
  }

  /** Shows a patient: with what was set up and run before, under the pack used then unless another is named. */
  async open(
    record: PatientRecord,
    choose: (packId: string | null) => PackInfo | null,
    packId: string | null = null,
  ): Promise<void> {
    this.stop();
    this.opened = null;
    const kept = await this.#parts.workspaces.get(record.id).catch(() => null);
    this.#workspace = kept?.value ?? null;
    this.#updatedAt = kept?.updatedAt ?? null;
    this.record = record;
    this.#show(choose(packId ?? this.#workspace?.packId ?? null));
  }

  /** Shows a run from a file as it was. It is the page's alone: nothing of it is kept in the vault. */
  openRun(run: RunFile, pack: PackInfo): void {
    this.stop();
    this.#workspace = null;
    this.opened = run;
    this.record = run.record;
    this.#show(pack);
    this.now = run.now;
    this.plans = run.forecast.plans.map(({ plan }) => plan);
    this.seed = run.forecast.run.seed;
    this.rollouts = run.rollouts;
    this.outcome = run.reading.outcome;
    this.readDay = run.reading.readDay;
    this.forecast = run.forecast;
    this.madeAt = Date.parse(run.madeAt);
    this.isPreliminary = run.isPreliminary;
    this.#basis = this.#basisOf(run.record, pack);
  }

  /** The opened run once more, by the pack that is installed here: same record, plans, moment and seed. */
  async runAgain(pack: PackInfo): Promise<void> {
    this.pack = pack;
    await this.run();
  }

  /** The record was saved again. */
  update(record: PatientRecord): void {
    if (this.record?.id !== record.id) return;
    this.record = record;
    if (!this.forecast) this.now = this.#parts.minute();
  }

  close(): void {
    this.stop();
    this.record = null;
    this.opened = null;
    this.#workspace = null;
    this.#show(null);
  }

  usePack(pack: PackInfo): void {
    this.stop();
    this.#show(pack);
    void this.#keep();
  }

  #show(pack: PackInfo | null): void {
    this.pack = pack;
    this.corrections = null;
    this.failure = this.keepFailure = null;
    this.hidden = new Set();
    this.#past = [];
    const bench = pack ? this.#workspace?.benches[pack.manifest.id] : undefined;
    const horizon = pack ? horizonDays(pack.manifest) : 0;
    this.now = bench?.result?.now ?? this.#parts.minute();
    this.plans = bench?.plans ?? (pack && this.record ? firstPlans(pack.manifest, this.record, this.now) : []);
    this.seed = bench?.seed ?? 1;
    this.rollouts = bench?.rollouts ?? 10_000;
    this.outcome = bench?.outcome ?? (pack ? firstOutcome(pack.manifest) : anyEvent);
    this.readDay = Math.min(bench?.readDay ?? horizon, horizon);
    this.question = pack && bench?.question ? fittingQuestion(pack.manifest, bench.question) : null;
    this.forecast = bench?.result?.forecast ?? null;
    this.madeAt = bench?.result?.madeAt ?? null;
    this.#basis = bench?.result?.basis ?? null;
    this.isPreliminary = false;
  }

  /** The first sentence that speaks against a plan, or null. */
  faultOf(plan: Plan): string | null {
    if (!this.pack || plan.id === usualCareId) return null;
    const { manifest } = this.pack;
    try {
      if (manifest.kind === 'learned') checkPlan(manifest, plan);
      else checkEquationsPlan(manifest, plan);
      return null;
    } catch (error) {
      return error instanceof AppError ? error.message : 'This plan cannot be forecast.';
    }
  }

  /** Changes what a plan gives. */
  setPlan(planId: string, changed: Partial<Pick<Plan, 'blocks' | 'regimens' | 'stopsCurrentDoses'>>): void {
    this.#change(this.plans.map((plan) => (plan.id === planId ? { ...plan, ...changed } : plan)));
  }

  /** Candidates of the Plan page become plans beside usual care; undo brings the former plans back. */
  compare(chosen: readonly Pick<PlanCandidate, 'plan' | 'origin'>[]): void {
    if (this.pack) this.#change(comparingPlans(this.pack.manifest, chosen, this.plans));
  }

  /** What is asked on the Plan page: kept like plans. */
  ask(question: TypedQuestion): void {
    this.question = question;
    void this.#keep();
  }

  duplicate(planId: string): void {
    const source = this.plans.find((plan) => plan.id === planId);
    const copy = source && this.pack && duplicatePlan(this.pack.manifest, this.plans, source, this.continuing);
    if (copy)
      this.#change(
        [...this.plans, copy].sort((a, b) => (a.id === usualCareId ? -1 : b.id === usualCareId ? 1 : a.id.localeCompare(b.id))),
      );
  }

  rename(planId: string, name: string): void {
    const trimmed = name.trim();
    if (trimmed) this.#change(this.plans.map((plan) => (plan.id === planId ? { ...plan, name: trimmed } : plan)));
  }

  /** Back to the plan of the shown result. */
  revert(planId: string): void {
    const ran = this.ranPlans.find((plan) => plan.id === planId);
    if (ran) this.#change(this.plans.map((plan) => (plan.id === planId ? ran : plan)));
  }

  removePlan(planId: string): void {
    if (planId !== usualCareId) this.#change(this.plans.filter((plan) => plan.id !== planId));
  }

  setHidden(planId: string, isHidden: boolean): void {
    const next = new Set(this.hidden);
    if (isHidden) next.add(planId);
    else next.delete(planId);
    this.hidden = next;
  }

  undo(): void {
    const last = this.#past.at(-1);
    if (!last) return;
    this.#past = this.#past.slice(0, -1);
    this.plans = last;
    void this.#keep();
  }

  #change(plans: readonly Plan[]): void {
    this.#past = [...this.#past.slice(-49), this.plans];
    this.plans = plans;
    void this.#keep();
  }

  /** How the result is read, or how the next one is made; kept like plans. */
  set(changed: Partial<Pick<Bench, 'outcome' | 'readDay' | 'seed' | 'rollouts'>>): void {
    Object.assign(this, changed);
    void this.#keep();
  }

  newSeed(): void {
    this.set({ seed: this.#parts.randomSeed() });
  }

  /** First a thousand rollouts, then as many as chosen with the same seed. Stopping keeps what is there. */
  async run(): Promise<void> {
    const { record, pack } = this;
    if (!record || !pack) return;
    this.stop();
    const stop = (this.#stop = new AbortController());
    const corrections = (this.corrections ??= (await this.#parts.corrections?.(pack)) ?? []);
    if (stop.signal.aborted) return;
    const basis = this.#basisOf(record, pack);
    const now = this.#minute();
    const held = consentFault(record, now.slice(0, 10));
    this.failure = held ? failureOf(held, '') : null;
    if (held) return;
    this.#parts.audit({ action: 'run', patientId: record.id, packId: pack.manifest.id, detail: `forecast, pack ${pack.digest}` });
    try {
      for (const rollouts of this.rollouts > firstRollouts ? [firstRollouts, this.rollouts] : [this.rollouts]) {
        this.phase = rollouts === this.rollouts && this.rollouts > firstRollouts ? 'rest' : 'first';
        this.fraction = 0;
        const forecast = await this.#parts.client.call(
          'forecast',
          {
            packId: pack.manifest.id,
            record,
            plans: this.plans,
            today: now.slice(0, 10),
            now,
            rollouts,
            seed: this.seed,
            corrections,
          },
          { signal: stop.signal, onProgress: (fraction) => (this.fraction = fraction) },
        );
        if (stop.signal.aborted) return;
        this.forecast = forecast;
        this.now = now;
        this.#basis = basis;
        this.madeAt = this.#parts.now();
        this.isPreliminary = rollouts < this.rollouts;
        // Outside the population or out of range: more rollouts change nothing.
        if (forecast.status !== 'completed') this.isPreliminary = false;
        if (forecast.status !== 'completed') break;
      }
      await this.#keep();
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'AbortError') this.failure = failureOf(error, runFailed);
    } finally {
      if (this.#stop === stop) {
        this.#stop = null;
        this.phase = 'idle';
      }
    }
  }

  stop(): void {
    this.#stop?.abort();
    this.#stop = null;
    this.phase = 'idle';
  }

  /**
   * From when whatever stands beside the forecast counts: its own moment while it is of the same record and of this hour or day, so that
   * they say the same and one fit serves them all; else now.
   */
  moment(): IsoMinute {
    const isCurrent = this.forecast !== null && !this.stale.includes('today') && !this.stale.includes('record');
    return isCurrent && !this.opened ? this.now : this.#minute();
  }

  /** An opened run goes on counting from its own moment. */
  #minute(): IsoMinute {
    return this.opened ? this.opened.now : this.#parts.minute();
  }

  #basisOf(record: PatientRecord, pack: PackInfo): Basis {
    const { covariates, observations, treatments, events, entryDate, doses } = record;
    const minute = this.#minute();
    return {
      record: JSON.stringify([entryDate, covariates, observations, treatments, events, ...(doses ? [doses] : [])]),
      plans: JSON.stringify(this.plans),
      pack: pack.digest,
      // Where hours count, a result is of its hour; elsewhere of its day.
      today: minute.slice(0, countsHours(pack.manifest) ? 13 : 10),
      run: [this.seed, this.rollouts, ...this.#correctionIds()].join('/'),
    };
  }

  /** Those of the shown result while nobody asked what the next one would be made with. */
  #correctionIds(): readonly string[] {
    return (this.corrections ?? this.forecast?.corrections ?? []).map(({ id }) => id);
  }

  #keeping: Promise<void> = Promise.resolve();

  /** Once everything that was set up is on the disk, or could not be written. */
  settled(): Promise<void> {
    return this.#keeping;
  }

  /** One writing after the other, the latest state each time. */
  #keep(): Promise<void> {
    this.#keeping = this.#keeping.then(() => this.#write());
    return this.#keeping;
  }

  async #write(): Promise<void> {
    const { record, pack, forecast, madeAt } = this;
    if (!record || !pack || this.opened) return;
    const bench: Bench = {
      plans: this.plans.map(({ regimens, blocks, ...plan }) => ({
        ...plan,
        blocks: [...blocks],
        ...(regimens ? { regimens: [...regimens] } : {}),
      })),
      seed: this.seed,
      rollouts: this.rollouts,
      outcome: this.outcome,
      readDay: this.readDay,
      ...(this.question ? { question: this.question } : {}),
      result: forecast && madeAt !== null && this.#basis ? { basis: this.#basis, madeAt, now: this.now, forecast } : null,
    };
    this.#workspace = {
      format: 1,
      packId: pack.manifest.id,
      benches: { ...this.#workspace?.benches, [pack.manifest.id]: bench },
    };
    try {
      this.#updatedAt = await this.#parts.workspaces.put(record.id, this.#workspace, this.#updatedAt);
      this.keepFailure = null;
    } catch (error) {
      this.keepFailure = failureOf(error, notKept);
    }
  }
}

/** As `#basisOf` writes it. */
type BasisRecord = readonly [
  PatientRecord['entryDate'],
  PatientRecord['covariates'],
  PatientRecord['observations'],
  PatientRecord['treatments'],
  PatientRecord['events'],
  PatientRecord['doses'],
];

const runFailed =
  'The run failed for a reason of the program’s own. Nothing you entered is lost; run it again, or choose another engine.';
const notKept = 'The plans could not be stored, for a reason of the program’s own. They are still on this page.';
