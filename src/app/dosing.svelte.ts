/** The state of the Plan page: what a dose is to reach and to avoid, the candidates that came back, where next to measure. Knows no page. */
import { AppError } from '#domain/errors.ts';
import type { DoseAnswer, DoseCandidate, SamplingAnswer } from '#domain/dosing.ts';
import type { IsoMinute } from '#domain/record.ts';
import type { EngineClient } from '#engine/client.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import type { Audit } from './audit.svelte.ts';
import { consentFault } from './consent.ts';
import type { ForecastState } from './forecast.svelte.ts';
import { horizonDays } from './plans.ts';

export interface DosingParts {
  readonly client: EngineClient;
  /** Whose patient, pack and plans these are. */
  readonly forecast: ForecastState;
  readonly audit: Audit;
  /** On the person's own clock. */
  readonly minute: () => IsoMinute;
}

/** As it stands on the page; what is empty there is null. */
export interface TypedQuestion {
  readonly intervention: string;
  readonly reach: readonly string[];
  /** Share of draws, by target; no limit for targets that are absent. */
  readonly atMost: Readonly<Record<string, number>>;
  readonly withLoadingDose: boolean;
  readonly maximumPerDay: number | null;
  /** In canonical units, by covariate. */
  readonly changes: Readonly<Record<string, number>>;
  /** Days from now on which the changes begin. */
  readonly changesFromDay: number;
  readonly horizonDays: number;
}

export interface TypedSampling {
  readonly marker: string;
  readonly target: string;
}

/** More are not told apart side by side, and the forecast page has as many letters beside usual care. */
export const mostCompared = 3;

type Work = 'doses' | 'sampling';

/** A value that begins anew whenever `key` changes, and may be assigned meanwhile. */
const anew = <T>(_key: string, value: T): T => value;

export class DosingState {
  readonly #parts: DosingParts;
  /** The pack's manifest if there is something to dose in it. */
  readonly manifest: EquationsManifest | null = $derived.by(() => {
    const manifest = this.#parts.forecast.pack?.manifest;
    return manifest?.kind === 'equations' && manifest.doseGrids.length > 0 ? manifest : null;
  });
  readonly #key: string = $derived.by(() => `${this.#parts.forecast.record?.id ?? ''} ${this.manifest?.id ?? ''}`);
  question: TypedQuestion | null = $derived(anew(this.#key, this.manifest && firstQuestion(this.manifest)));
  sampling: TypedSampling | null = $derived(anew(this.#key, this.manifest && firstSampling(this.manifest)));

  answer = $derived<DoseAnswer | null>(anew(this.#key, null));
  /** Ids of candidates to compare, in the order of ticking; nobody but a person ticks. */
  ticked = $derived<readonly string[]>(anew(this.#key, []));
  onlyKeepingLimits = $state(false);
  samplingAnswer = $derived<SamplingAnswer | null>(anew(this.#key, null));
  failure = $derived<string | null>(anew(this.#key, null));
  running = $state<Work | null>(null);
  fraction = $state(0);

  #answered = $derived<string | null>(anew(this.#key, null));
  readonly #asked: string = $derived.by(() => JSON.stringify([this.question, this.#parts.forecast.record?.updatedAt]));
  /** The question or the record changed since the answer. */
  readonly isStale = $derived(this.answer !== null && this.#answered !== this.#asked);
  readonly shown: readonly DoseCandidate[] = $derived(
    (this.answer?.candidates ?? []).filter((one) => !this.onlyKeepingLimits || one.keepsLimits),
  );
  readonly compared: readonly DoseCandidate[] = $derived(
    this.ticked.flatMap((id) => this.answer?.candidates.filter((one) => one.id === id) ?? []),
  );
  #stop: AbortController | null = null;

  constructor(parts: DosingParts) {
    this.#parts = parts;
  }

  set(changed: Partial<TypedQuestion>): void {
    if (this.question) this.question = { ...this.question, ...changed };
  }

  /** Null takes the limit away. */
  setLimit(target: string, atMost: number | null): void {
    if (!this.question) return;
    const { [target]: _, ...others } = this.question.atMost;
    this.set({ atMost: atMost === null ? others : { ...others, [target]: atMost } });
  }

  setReach(target: string, isWanted: boolean): void {
    const others = this.question?.reach.filter((id) => id !== target) ?? [];
    this.set({ reach: isWanted ? [...others, target] : others });
  }

  /** Null leaves the covariate as it is in the record. */
  setChange(covariate: string, value: number | null): void {
    if (!this.question) return;
    const { [covariate]: _, ...others } = this.question.changes;
    this.set({ changes: value === null ? others : { ...others, [covariate]: value } });
  }

  tick(id: string, isTicked: boolean): void {
    const others = this.ticked.filter((one) => one !== id);
    if (!isTicked) this.ticked = others;
    else if (others.length < mostCompared) this.ticked = [...others, id];
  }

  /** What keeps the search from being run; null when nothing does. */
  readonly fault: string | null = $derived.by(() => {
    if (!this.question) return null;
    if (this.question.reach.length === 0) return 'Choose at least one target that is to be reached.';
    return null;
  });

  async search(): Promise<void> {
    const { question, fault } = this;
    if (!question || fault) return;
    const { atMost, changes, changesFromDay, ...plain } = question;
    const asked = this.#asked;
    await this.#work('doses', async (base, hooks) => {
      const answer = await this.#parts.client.call(
        'doseSearch',
        {
          ...base,
          question: {
            ...plain,
            avoid: Object.entries(atMost).map(([target, share]) => ({ target, atMost: share })),
            covariateChanges: Object.entries(changes).map(([covariate, value]) => ({
              covariate,
              value,
              fromDay: changesFromDay,
            })),
            seed: this.#parts.forecast.seed,
          },
        },
        hooks,
      );
      this.answer = answer;
      this.#answered = asked;
      this.ticked = [];
    });
  }

  async findTimes(): Promise<void> {
    const { manifest, question, sampling } = this;
    if (!manifest || !question || !sampling) return;
    await this.#work('sampling', async (base, hooks) => {
      this.samplingAnswer = await this.#parts.client.call(
        'samplingTimes',
        {
          ...base,
          question: {
            ...sampling,
            candidateHours: samplingHours(manifest, question.horizonDays),
            horizonDays: question.horizonDays,
            seed: this.#parts.forecast.seed,
          },
        },
        hooks,
      );
    });
  }

  /** The ticked candidates become plans beside usual care. True when there is something to look at. */
  compare(): boolean {
    if (this.compared.length === 0) return false;
    this.#parts.forecast.compare(this.compared.map(({ regimens }) => regimens));
    return true;
  }

  stop(): void {
    this.#stop?.abort();
    this.#stop = null;
    this.running = null;
  }

  async #work(
    kind: Work,
    work: (
      base: { packId: string; record: NonNullable<ForecastState['record']>; now: IsoMinute },
      hooks: { signal: AbortSignal; onProgress: (fraction: number) => void },
    ) => Promise<void>,
  ): Promise<void> {
    const { record, pack } = this.#parts.forecast;
    if (!record || !pack) return;
    this.stop();
    const held = consentFault(record, this.#parts.minute().slice(0, 10));
    this.failure = held?.message ?? null;
    if (held) return;
    const stop = (this.#stop = new AbortController());
    this.running = kind;
    this.fraction = 0;
    this.#parts.audit({
      action: 'run',
      patientId: record.id,
      packId: pack.manifest.id,
      detail: `${kind === 'doses' ? 'dose search' : 'next sample'}, pack ${pack.digest}`,
    });
    try {
      await work(
        { packId: pack.manifest.id, record, now: this.#parts.minute() },
        { signal: stop.signal, onProgress: (fraction) => (this.fraction = fraction) },
      );
    } catch (error) {
      if (error instanceof AppError) this.failure = error.message;
      else if (!(error instanceof Error) || error.name !== 'AbortError') {
        this.failure =
          'The search failed for a reason of the program’s own. Nothing you entered is lost; search again, or choose another engine.';
      }
    } finally {
      if (this.#stop === stop) this.stop();
    }
  }
}

function firstQuestion(manifest: EquationsManifest): TypedQuestion {
  const wanted = manifest.targets.find(({ intent }) => intent === 'reach');
  return {
    intervention: manifest.doseGrids[0]!.intervention,
    reach: wanted ? [wanted.id] : [],
    // How much of what is to be avoided may be borne is for a person to say.
    atMost: {},
    withLoadingDose: false,
    maximumPerDay: null,
    changes: {},
    changesFromDay: 0,
    horizonDays: horizonDays(manifest),
  };
}

function firstSampling(manifest: EquationsManifest): TypedSampling | null {
  const [marker] = manifest.markers;
  const [target] = manifest.targets;
  return marker && target ? { marker: marker.id, target: target.id } : null;
}

/** A dozen times, closer together at first: levels change fastest after a dose. */
export function samplingHours({ grid }: Pick<EquationsManifest, 'grid'>, days: number): number[] {
  const most = days * 24;
  const round = [0.5, 1, 2, 4, 6, 8, 10, 12, 18, 24, 36, 48].filter((hours) => hours <= most);
  if (grid.timeUnit === 'hours' && round.length >= 6) return round;
  return Array.from({ length: 12 }, (_, index) => Math.round(((index + 1) / 12) * most * 600) / 600);
}
