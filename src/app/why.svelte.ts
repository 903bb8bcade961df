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
import type { IsoMinute, PatientRecord } from '#domain/record.ts';
import type { EngineClient } from '#engine/client.ts';
import type { WhyOrder } from '#engine/protocol.ts';
import type { PackManifest } from '#packs/manifest.ts';
import type { Audit } from './audit.svelte.ts';
import { consentFault } from './consent.ts';
import { countsHours } from './dosed.ts';
import { failureOf } from './failure.ts';
import type { Failure } from './failure.ts';
import type { ForecastState } from './forecast.svelte.ts';
import { horizonDays, usualCareId } from './plans.ts';
import { anyEvent } from './reading.ts';

export interface WhyParts {
  readonly client: EngineClient;
  /** Whose patient, pack, plans and moment these are. */
  readonly forecast: ForecastState;
  readonly audit: Audit;
  /** On the person's own clock. */
  readonly minute: () => IsoMinute;
}

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
}

export const whyRolloutChoices = [250, 500, 1000, 4000] as const;
export const neighbourCounts = { shown: 8, drawn: 400 } as const;

/** A value that begins anew whenever `key` changes, and may be assigned meanwhile. */
const anew = <T>(_key: string, value: T): T => value;

export class WhyState {
  readonly #parts: WhyParts;
  readonly #key: string = $derived.by(() => {
    const { record, pack } = this.#parts.forecast;
    return `${record?.id ?? ''} ${pack?.manifest.id ?? ''}`;
  });
  subject: Subject | null = $derived(anew(this.#key, this.#firstSubject()));
  wish: TypedWish = $derived(anew(this.#key, { direction: 'below', value: null }));
  rollouts = $state<number>(500);
  /** Days from today at which contributions are read. */
  readDay: number = $derived.by(() => anew(this.#key, this.#parts.forecast.readDay));
  /** Id of the group whose details are shown. */
  group: string | null = $derived<string | null>(anew(this.#key, null));
  /** Of the people drawn as neighbours. */
  neighbourMarker: string = $derived.by(() => anew(this.#key, this.#parts.forecast.pack?.manifest.markers[0]?.id ?? ''));

  attribution = $derived<Kept<Attribution> | null>(anew(this.#key, null));
  /** The first orders are shown, and every coalition is still to come or was stopped. */
  isPreliminary = $derived<boolean>(anew(this.#key, false));
  gradients = $derived<Kept<GradientAttribution> | null>(anew(this.#key, null));
  sensitivity = $derived<Kept<Sensitivity> | null>(anew(this.#key, null));
  counterfactual = $derived<Kept<CounterfactualAnswer> | null>(anew(this.#key, null));
  neighbours = $derived<Kept<NeighbourAnswer> | null>(anew(this.#key, null));

  running = $state<WhyWork | null>(null);
  fraction = $state(0);
  failure = $derived<{ readonly work: WhyWork; readonly failure: Failure } | null>(anew(this.#key, null));
  #stop: AbortController | null = null;

  /** The plan that is explained; usual care where it was taken away meanwhile. */
  readonly plan: Plan | null = $derived.by(() => {
    const { plans } = this.#parts.forecast;
    return plans.find(({ id }) => id === this.subject?.planId) ?? plans[0] ?? null;
  });

  constructor(parts: WhyParts) {
    this.#parts = parts;
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
    await this.#work('attribution', 'attribution', async (order, hooks, keep) => {
      for (const effort of ['first', 'every'] as const) {
        const answer = await this.#parts.client.call('attribution', { ...order(), effort }, hooks);
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
    await this.#work('gradients', 'gradients', async (order, hooks, keep) => {
      this.gradients = keep(await this.#parts.client.call('gradients', order(), hooks));
    });
  }

  /** Equations: which unknowns matter most. */
  async vary(): Promise<void> {
    await this.#work('sensitivity', 'sensitivities', async (order, hooks, keep) => {
      this.sensitivity = keep(await this.#parts.client.call('sensitivity', order(), hooks));
    });
  }

  async askForChange(): Promise<void> {
    const { value, direction } = this.wish;
    if (value === null || this.wishFault) return;
    await this.#work('counterfactual', 'smallest change', async (order, hooks, keep) => {
      const { question, ...rest } = order();
      const { explained, plan, rollouts, seed } = question;
      this.counterfactual = keep(
        await this.#parts.client.call(
          'counterfactual',
          {
            ...rest,
            question: { explained, plan, day: this.readDay, wanted: { direction, value }, changeable: [], rollouts, seed },
          },
          hooks,
        ),
      );
    });
  }

  async findNeighbours(): Promise<void> {
    await this.#work('neighbours', 'synthetic neighbours', async (order, hooks, keep) => {
      const { question, ...rest } = order();
      const { plan, horizonDays: horizon, seed } = question;
      const { shown: count, drawn } = neighbourCounts;
      this.neighbours = keep(
        await this.#parts.client.call(
          'neighbours',
          { ...rest, question: { plan, horizonDays: horizon, count, drawn, seed } },
          hooks,
        ),
      );
    });
  }

  stop(): void {
    this.#stop?.abort();
    this.#stop = null;
    this.running = null;
  }

  /** The moment of the shown forecast where there is one that is up to date, so that both say the same. */
  #moment(): IsoMinute {
    const { forecast, stale, now, opened } = this.#parts.forecast;
    if (opened) return opened.now;
    return forecast && !stale.includes('today') ? now : this.#parts.minute();
  }

  #basis(): Basis | null {
    const { record, pack, seed } = this.#parts.forecast;
    if (!record || !pack || !this.subject) return null;
    const { covariates, observations, treatments, events, entryDate, doses } = record;
    return {
      record: JSON.stringify([entryDate, covariates, observations, treatments, events, doses ?? null]),
      plan: JSON.stringify(this.plan),
      pack: pack.digest,
      today: this.#moment().slice(0, countsHours(pack.manifest) ? 13 : 10),
      run: `${seed}/${this.rollouts}`,
      subject: JSON.stringify([this.subject.figure, this.subject.isDifference]),
      wish: JSON.stringify([this.wish, this.readDay]),
    };
  }

  async #work(
    kind: WhyWork,
    words: string,
    work: (
      order: () => WhyOrder<WhyQuestion>,
      hooks: { readonly signal: AbortSignal; readonly onProgress: (fraction: number) => void },
      keep: <T>(answer: T) => Kept<T>,
    ) => Promise<void>,
  ): Promise<void> {
    const { record, pack } = this.#parts.forecast;
    const { subject } = this;
    const basis = this.#basis();
    if (!record || !pack || !subject || !basis) return;
    this.stop();
    const now = this.#moment();
    const held = consentFault(record, now.slice(0, 10));
    this.failure = held && { work: kind, failure: failureOf(held, '') };
    if (held) return;
    const stop = (this.#stop = new AbortController());
    this.running = kind;
    this.fraction = 0;
    this.#parts.audit({
      action: 'run',
      patientId: record.id,
      packId: pack.manifest.id,
      detail: `why: ${words}, pack ${pack.digest}`,
    });
    const order = () => this.#order(record, pack.manifest, subject, now);
    try {
      await work(order, { signal: stop.signal, onProgress: (fraction) => (this.fraction = fraction) }, (answer) => ({
        answer,
        basis: basisOf(basis, kind),
        subject,
      }));
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'AbortError')
        this.failure = { work: kind, failure: failureOf(error, whyFailed) };
    } finally {
      if (this.#stop === stop) this.stop();
    }
  }

  #order(
    record: PatientRecord,
    manifest: PackManifest,
    { figure, isDifference }: Subject,
    now: IsoMinute,
  ): WhyOrder<WhyQuestion> {
    const plan = this.plan && this.plan.id !== usualCareId ? this.plan : null;
    return {
      packId: manifest.id,
      record,
      today: now.slice(0, 10),
      now,
      question: {
        explained: isDifference && plan ? { kind: 'difference', of: figure } : figure,
        plan,
        horizonDays: horizonDays(manifest),
        rollouts: this.rollouts,
        seed: this.#parts.forecast.seed,
      },
    };
  }
}

/** An answer grows old only by what it was made from: neighbours by no outcome, and the question of the smallest change alone by the wish. */
function basisOf(basis: Basis, kind: WhyWork): Basis {
  const { wish, subject, ...always } = basis;
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

const whyFailed =
  'That could not be computed, for a reason of the program’s own. Nothing you entered is lost; ask again, or choose another engine.';
