/** The state of the Why page: what is explained, what the model used for it, and whether that still belongs to what is on the page. Knows no page. */
import type {
  Attribution,
  CounterfactualAnswer,
  Explained,
  GradientAttribution,
  NeighbourAnswer,
  Sensitivity,
  WhyQuestion,
} from '#domain/explanation.ts';
import type { Plan } from '#domain/plan.ts';
import type { WhyOrder } from '#engine/protocol.ts';
import type { PackManifest } from '#packs/manifest.ts';
import { countsHours } from './dosed.ts';
import { anew, GuardedWork } from './guarded-work.svelte.ts';
import type { WorkHooks, WorkParts } from './guarded-work.svelte.ts';
import { horizonDays, usualCareId } from './plans.ts';
import { anyEvent } from './reading.ts';

/** What a difference is of, and what is explained of one plan. */
export type Figure = Exclude<Explained, { readonly kind: 'difference' }>;

/** As it stands on the page. */
export interface Subject {
  readonly figure: Figure;
  /** Of `ForecastState.plans`. */
  readonly planId: string;
  /** The plan less usual care, instead of the plan itself. */
  readonly isDifference: boolean;
}

/** "What is the smallest change …?", in the unit of the figure; a chance as 0 … 1. */
export interface TypedWish {
  readonly direction: 'below' | 'above';
  readonly value: number | null;
}

export type WhyWork = 'attribution' | 'gradients' | 'sensitivity' | 'counterfactual' | 'neighbours';
export type WhyPart = 'record' | 'plan' | 'pack' | 'today' | 'run' | 'subject' | 'wish';
type Basis = Readonly<Partial<Record<WhyPart, string>>>;

/** An answer with what it was made from. */
export interface Kept<T> {
  readonly answer: T;
  readonly basis: Basis;
  readonly subject: Subject;
  /** The plan as it was then. */
  readonly plan: Plan;
}

/** Futures behind each figure; many small questions take fewer, as the worker sees fit. */
const whyRollouts = 1000;
export const neighbourCounts = { shown: 8, drawn: 400 } as const;

export class WhyState {
  readonly #parts: WorkParts;
  readonly work: GuardedWork<WhyWork>;
  readonly #key: string = $derived.by(() => this.work.key);
  subject = $derived.by<Subject | null>(() => anew(this.#key, this.#firstSubject()));
  wish = $derived.by<TypedWish>(() => anew(this.#key, { direction: 'below', value: null }));
  /** Days from today at which contributions are read. */
  readDay: number = $derived.by(() => anew(this.#key, this.#parts.forecast.readDay));
  /** Id of the group whose details are shown. */
  group: string | null = $derived.by<string | null>(() => anew(this.#key, null));
  /** Of the people drawn as neighbours. */
  neighbourMarker: string = $derived.by(() => anew(this.#key, this.#parts.forecast.pack?.manifest.markers[0]?.id ?? ''));

  attribution = $derived.by<Kept<Attribution> | null>(() => anew(this.#key, null));
  /** The first orders are shown, and every coalition is still to come or was stopped. */
  isPreliminary = $derived.by<boolean>(() => anew(this.#key, false));
  gradients = $derived.by<Kept<GradientAttribution> | null>(() => anew(this.#key, null));
  sensitivity = $derived.by<Kept<Sensitivity> | null>(() => anew(this.#key, null));
  counterfactual = $derived.by<Kept<CounterfactualAnswer> | null>(() => anew(this.#key, null));
  neighbours = $derived.by<Kept<NeighbourAnswer> | null>(() => anew(this.#key, null));

  /** What was asked last: whose failure is shown. */
  asked = $derived.by<WhyWork | null>(() => anew(this.#key, null));

  /** The plan that is explained; usual care where it was taken away meanwhile. */
  readonly plan: Plan | null = $derived.by(() => {
    const { plans } = this.#parts.forecast;
    return plans.find(({ id }) => id === this.subject?.planId) ?? plans[0] ?? null;
  });

  /** Of the Forecast page: the same chance in every answer. */
  get seed(): number {
    return this.#parts.forecast.seed;
  }

  constructor(parts: WorkParts) {
    this.#parts = parts;
    this.work = new GuardedWork({ ...parts, minute: () => parts.forecast.moment() });
  }

  #firstSubject(): Subject | null {
    const { pack, outcome } = this.#parts.forecast;
    return pack && { figure: firstFigure(pack.manifest, outcome), planId: usualCareId, isDifference: false };
  }

  set(changed: Partial<Subject>): void {
    if (!this.subject) return;
    const next = { ...this.subject, ...changed };
    // Usual care does not differ from itself.
    this.subject = next.planId === usualCareId ? { ...next, isDifference: false } : next;
    if (changed.figure) this.wish = { direction: 'below', value: null };
  }

  /** What changed since an answer was made; empty when it is up to date. */
  stale(kept: Kept<unknown> | null): readonly WhyPart[] {
    const now = kept && this.#basis();
    if (!now) return [];
    return (Object.keys(kept.basis) as WhyPart[]).filter((part) => kept.basis[part] !== now[part]);
  }

  /** What keeps the counterfactual question from being asked; null when nothing does. */
  readonly wishFault: string | null = $derived.by(() => {
    if (this.wish.value === null) return 'Say which value is wanted.';
    if (this.subject?.figure.kind === 'event' && !this.subject.isDifference && (this.wish.value < 0 || this.wish.value > 1))
      return 'A chance lies between 0 and 100 of 100.';
    return null;
  });

  /** First a few orders of the groups, then every coalition. Stopping keeps what is there. */
  async explain(): Promise<void> {
    await this.#ask('attribution', 'attribution', async (order, hooks, keep) => {
      for (const effort of ['first', 'every'] as const) {
        const answer = await this.#parts.client.call('attribution', { ...order, effort }, hooks);
        if (hooks.signal.aborted) return;
        this.attribution = keep(answer);
        this.isPreliminary = effort === 'first' && answer.method === 'sampled-orders';
        if (!answer.groups.some(({ id }) => id === this.group)) this.group = null;
        if (!this.isPreliminary) return;
      }
    });
  }

  /** Learned packs: through the network, value by value. */
  async differentiate(): Promise<void> {
    await this.#ask('gradients', 'gradients', async (order, hooks, keep) => {
      this.gradients = keep(await this.#parts.client.call('gradients', order, hooks));
    });
  }

  /** Equations: which unknowns matter most. */
  async vary(): Promise<void> {
    await this.#ask('sensitivity', 'sensitivities', async (order, hooks, keep) => {
      this.sensitivity = keep(await this.#parts.client.call('sensitivity', order, hooks));
    });
  }

  async askForChange(): Promise<void> {
    const { value, direction } = this.wish;
    if (value === null || this.wishFault) return;
    await this.#ask('counterfactual', 'smallest change', async ({ question, ...person }, hooks, keep) => {
      const { explained, plan, rollouts, seed } = question;
      const wanted = { direction, value };
      const asked = { explained, plan, day: this.readDay, wanted, changeable: [], rollouts, seed };
      this.counterfactual = keep(await this.#parts.client.call('counterfactual', { ...person, question: asked }, hooks));
    });
  }

  async findNeighbours(): Promise<void> {
    await this.#ask('neighbours', 'synthetic neighbours', async ({ question, ...person }, hooks, keep) => {
      const { plan, horizonDays: horizon, seed } = question;
      const { shown: count, drawn } = neighbourCounts;
      const asked = { plan, horizonDays: horizon, count, drawn, seed };
      this.neighbours = keep(await this.#parts.client.call('neighbours', { ...person, question: asked }, hooks));
    });
  }

  stop(): void {
    this.work.stop();
  }

  #basis(): Basis | null {
    const { record, pack, seed } = this.#parts.forecast;
    if (!record || !pack || !this.subject) return null;
    const { covariates, observations, treatments, events, entryDate, doses } = record;
    return {
      record: JSON.stringify([entryDate, covariates, observations, treatments, events, doses ?? null]),
      plan: JSON.stringify(this.plan),
      pack: pack.digest,
      today: this.#parts.forecast.moment().slice(0, countsHours(pack.manifest) ? 13 : 10),
      run: String(seed),
      subject: JSON.stringify([this.subject.figure, this.subject.isDifference]),
      wish: JSON.stringify([this.wish, this.readDay]),
    };
  }

  async #ask(
    kind: WhyWork,
    words: string,
    ask: (order: WhyOrder<WhyQuestion>, hooks: WorkHooks, keep: <T>(answer: T) => Kept<T>) => Promise<void>,
  ): Promise<void> {
    const { subject, plan } = this;
    const [question, basis] = [this.#question(), this.#basis()];
    if (!subject || !plan || !question || !basis) return;
    this.asked = kind;
    await this.work.run(kind, `why: ${words}`, (person, hooks) =>
      ask({ ...person, question }, hooks, (answer) => ({ answer, basis: basisOf(basis, kind), subject, plan })),
    );
  }

  #question(): WhyQuestion | null {
    const { pack, seed } = this.#parts.forecast;
    if (!pack || !this.subject) return null;
    const { figure, isDifference } = this.subject;
    const plan = this.plan && this.plan.id !== usualCareId ? this.plan : null;
    return {
      explained: isDifference && plan ? { kind: 'difference', of: figure } : figure,
      plan,
      horizonDays: horizonDays(pack.manifest),
      rollouts: whyRollouts,
      seed,
    };
  }
}

/** An answer grows old only by what it was made from: neighbours by no outcome, and the question of the smallest change alone by the wish. */
function basisOf(basis: Basis, kind: WhyWork): Basis {
  const { wish: _, subject, ...always } = basis;
  if (kind === 'counterfactual') return basis;
  return kind === 'neighbours' || subject === undefined ? always : { ...always, subject };
}

/** What the Forecast page reads, if it is of a kind that can be explained; else the first marker, else the first event. */
export function firstFigure(manifest: PackManifest, outcome: string): Figure {
  const [marker] = manifest.markers;
  const isOne = manifest.events.some(({ id }) => id === outcome);
  if (isOne) return { kind: 'event', event: outcome };
  if (manifest.events.length > 0 && outcome === anyEvent) return { kind: 'event', event: null };
  if (marker) return { kind: 'marker', marker: marker.id };
  return { kind: 'event', event: manifest.events[0]?.id ?? null };
}
