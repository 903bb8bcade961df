/**
 * What stands between a person and a result: their own guess, where it is asked for, and a result that the model has little ground for.
 * Each is opened deliberately. Knows no page.
 */
import type { DrawnFuture } from '#domain/truth.ts';
import type { EngineClient } from '#engine/client.ts';
import { disagreements } from './disagreement.ts';
import type { Disagreement } from './disagreement.ts';
import { failureOf } from './failure.ts';
import type { ForecastState } from './forecast.svelte.ts';
import { anew } from './guarded-work.svelte.ts';
import { usualCareId } from './plans.ts';
import { readingOf } from './reading.ts';
import type { Settings } from './settings.svelte.ts';

export interface RevealParts {
  readonly client: EngineClient;
  readonly forecast: ForecastState;
  readonly settings: Settings;
}

export type Cover = 'guess' | 'outside' | 'disagreement';

export class RevealState {
  readonly #parts: RevealParts;
  readonly #person: string = $derived.by(() => {
    const { record, pack } = this.#parts.forecast;
    return `${record?.id ?? ''} ${pack?.manifest.id ?? ''}`;
  });
  readonly #grounds: string = $derived.by(() => `${this.#person} ${this.outside.join(' ')}`);
  /** What a person was told and opened all the same, until the reasons are others. */
  #opened = $derived.by<ReadonlySet<Cover>>(() => anew(this.#grounds, new Set<Cover>()));
  /** People of 100, or a value in the marker's unit, by plan. */
  guesses = $derived.by<Readonly<Record<string, number>>>(() => anew(this.#person, {}));
  #hasGuessed = $derived.by<boolean>(() => anew(this.#person, false));
  /** What comes of a made-up person, once it was asked for. */
  truth = $derived.by<DrawnFuture | null>(() => anew(this.#person, null));
  truthFailure = $derived.by<string | null>(() => anew(this.#person, null));

  /** Why the person, or a shown plan, lies outside what the model has seen. */
  readonly outside: readonly string[] = $derived.by(() => {
    const { forecast, hidden } = this.#parts.forecast;
    if (forecast?.status !== 'completed') return [];
    return [
      ...(forecast.fit.standing === 'fits' ? [] : forecast.fit.reasons),
      ...forecast.plans
        .filter(({ plan }) => !hidden.has(plan.id))
        .flatMap(({ plan, outsideSupport }) => outsideSupport.map((why) => `${plan.name}: ${why}`)),
    ];
  });
  /** Where the models behind the forecast tell different stories. */
  readonly disagreements: readonly Disagreement[] = $derived.by(() => {
    const { forecast, pack, outcome, readDay } = this.#parts.forecast;
    return forecast?.status === 'completed' && pack ? disagreements(forecast, pack.manifest, outcome, readDay) : [];
  });
  /** What still covers the result, in the order in which it is asked about. */
  readonly covers: readonly Cover[] = $derived.by(() => {
    const { forecast, pack, outcome, readDay } = this.#parts.forecast;
    if (!forecast || !pack || forecast.status !== 'completed') return [];
    const isGuessable = forecast.plans.some((plan) => readingOf(forecast, plan, pack.manifest, outcome, readDay) !== null);
    const all: readonly Cover[] = [
      ...(this.#parts.settings.asksGuess && isGuessable && !this.#hasGuessed ? ['guess' as const] : []),
      ...(this.outside.length > 0 && !this.#opened.has('outside') ? ['outside' as const] : []),
      ...(this.disagreements.length > 0 && !this.#opened.has('disagreement') ? ['disagreement' as const] : []),
    ];
    return all;
  });
  readonly isCovered: boolean = $derived(this.covers.length > 0);
  /** The person was drawn from the pack of the page, and their future can be drawn as well. */
  readonly hasTruth: boolean = $derived.by(() => {
    const { record, pack } = this.#parts.forecast;
    return record?.drawn !== undefined && record.drawn.packId === pack?.manifest.id;
  });

  constructor(parts: RevealParts) {
    this.#parts = parts;
  }

  /** The guess for usual care is the least that is asked. */
  reveal(guesses: Readonly<Record<string, number>>): void {
    if (guesses[usualCareId] === undefined) return;
    this.guesses = guesses;
    this.#hasGuessed = true;
  }

  /** All that is named was read, and the result is wanted all the same. */
  open(): void {
    this.#opened = new Set([...this.#opened, ...this.covers]);
  }

  async showTruth(): Promise<void> {
    const { record } = this.#parts.forecast;
    if (!record?.drawn || !this.hasTruth) return;
    this.truthFailure = null;
    try {
      const truth = await this.#parts.client.call('drawnFuture', { drawn: record.drawn });
      if (this.#parts.forecast.record?.id === record.id) this.truth = truth;
    } catch (error) {
      this.truthFailure = failureOf(error, 'The drawn course could not be computed, for a reason of the program’s own.').message;
    }
  }

  hideTruth(): void {
    this.truth = null;
  }
}
