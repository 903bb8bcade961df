/**
 * The state of the Trust page: where this person stands, forecasts put away and what came since, what local outcomes say of a pack, and
 * corrections that a person may switch on. Knows no page.
 */
import { AppError } from '#domain/errors.ts';
import type { Forecast } from '#domain/forecast.ts';
import type {
  AnomalyAnswer,
  ConformalTable,
  ForecastOutcome,
  FrozenForecast,
  FrozenShelf,
  NamedCorrection,
  Recalibration,
  RecalibrationAnswer,
  RecalibrationKind,
  Standing,
} from '#domain/trust.ts';
import type { PackInfo } from '#engine/protocol.ts';
import { sha256 } from '#packs/digests.ts';
import { eventBounds, lowerBoundDays } from '#trust/conformal.ts';
import { logOf, type LocalLog } from '#trust/local-log.ts';
import { outcomesOf } from '#trust/outcomes.ts';
import { shortfall, type LocalCase } from '#trust/recalibrate.ts';
import type { Shelf } from '#vault/vault.ts';
import { noCorrections, type CorrectionShelf } from './frozen.ts';
import { anew, GuardedWork } from './guarded-work.svelte.ts';
import type { WorkParts } from './guarded-work.svelte.ts';
import type { Patients } from './patients.svelte.ts';

export interface TrustParts extends WorkParts {
  readonly patients: Patients;
  readonly frozen: Shelf<FrozenShelf>;
  readonly corrections: Shelf<CorrectionShelf>;
  /** Milliseconds. */
  readonly now: () => number;
  readonly newId: () => string;
}

export type TrustWork = 'standing' | 'anomalies' | RecalibrationKind;

const recalibrationKinds = ['intervals', 'event-odds', 'head'] as const satisfies readonly RecalibrationKind[];

/** One forecast put away, and what came. */
export interface FrozenRow {
  readonly frozen: FrozenForecast;
  /** False where its bytes are not those that were frozen. */
  readonly isIntact: boolean;
  readonly outcomes: readonly ForecastOutcome[];
}

interface StandingKept {
  readonly standing: Standing;
  /** Record and day that it was made from. */
  readonly basis: string;
}

export class TrustState {
  readonly #parts: TrustParts;
  readonly work: GuardedWork<TrustWork>;
  readonly #key: string = $derived.by(() => this.work.key);
  #standing = $derived.by<StandingKept | null>(() => anew(this.#key, null));
  anomalies = $derived.by<AnomalyAnswer | null>(() => anew(this.#packId, null));
  /** What came of the last tries, by kind. */
  answers = $derived.by<Readonly<Partial<Record<RecalibrationKind, RecalibrationAnswer>>>>(() => anew(this.#packId, {}));
  /** Frozen forecasts by patient; null until they are read. */
  frozen = $state.raw<ReadonlyMap<string, FrozenShelf> | null>(null);
  intact = $state.raw<ReadonlyMap<string, boolean>>(new Map());
  /** Of the pack that is open; null until they are read. */
  shelf = $state.raw<CorrectionShelf | null>(null);
  conformal = $state.raw<ConformalTable | null>(null);
  failure = $state.raw<string | null>(null);
  readonly #packId: string = $derived.by(() => this.#parts.forecast.pack?.manifest.id ?? '');

  constructor(parts: TrustParts) {
    this.#parts = parts;
    this.work = new GuardedWork(parts);
    parts.frozen.onElsewhere(() => void this.loadFrozen());
  }

  readonly standing: Standing | null = $derived.by(() => this.#standing?.standing ?? null);
  readonly isStandingStale: boolean = $derived.by(() => this.#standing !== null && this.#standing.basis !== this.#basis());

  #basis(): string {
    const { record, pack, now } = this.#parts.forecast;
    if (!record || !pack) return '';
    const { covariates, observations, treatments, doses, events } = record;
    return JSON.stringify([pack.digest, now.slice(0, 10), covariates, observations, treatments, doses, events]);
  }

  /** Where the person stands; not asked again while nothing changed. */
  async place(): Promise<void> {
    if (this.#standing && !this.isStandingStale) return;
    const { seed } = this.#parts.forecast;
    const basis = this.#basis();
    await this.work.run('standing', 'place among the pack’s people', async (base, hooks) => {
      const standing = await this.#parts.client.call('standing', { ...base, seed }, hooks);
      if (!hooks.signal.aborted) this.#standing = { standing, basis };
    });
  }

  /** Asks which of the local records look wrong under the pack that is open. */
  async findAnomalies(): Promise<void> {
    const records = this.#parts.patients.all;
    await this.work.run('anomalies', `${records.length} local records looked through`, async ({ packId, today }, hooks) => {
      const found = await this.#parts.client.call('anomalies', { packId, records, today }, hooks);
      if (!hooks.signal.aborted) this.anomalies = found;
    });
  }

  /** Frozen forecasts of everybody, and the corrections of the open pack. */
  async load(): Promise<void> {
    await Promise.all([this.loadFrozen(), this.loadCorrections()]);
  }

  async loadFrozen(): Promise<void> {
    await this.#attempt(async () => {
      const { kept } = await this.#parts.frozen.all();
      const found = new Map(kept.map(({ id, value }) => [id, value]));
      const checked = await Promise.all(
        kept.flatMap(({ value }) =>
          value.forecasts.map(async (one) => [one.id, (await digestOf(one.forecast)) === one.sha256] as const),
        ),
      );
      this.frozen = found;
      this.intact = new Map(checked);
    });
  }

  async loadCorrections(): Promise<void> {
    const { pack } = this.#parts.forecast;
    this.shelf = this.conformal = null;
    if (!pack) return;
    await this.#attempt(async () => {
      const [kept, table] = await Promise.all([
        this.#parts.corrections.get(pack.manifest.id),
        this.#parts.client.call('conformalTable', { packId: pack.manifest.id }),
      ]);
      if (this.#parts.forecast.pack !== pack) return;
      this.shelf = kept?.value ?? noCorrections;
      this.conformal = table;
    });
  }

  /** Puts the shown forecast away. It counts for one plan: what is really given. */
  async freeze(planId: string): Promise<FrozenForecast | null> {
    const { record, forecast, pack, opened, now, isPreliminary } = this.#parts.forecast;
    if (!record || !forecast || !pack || opened || isPreliminary || forecast.status !== 'completed') return null;
    return this.#attempt(async () => {
      const frozen: FrozenForecast = {
        format: 1,
        id: this.#parts.newId(),
        patientId: record.id,
        frozenAt: this.#parts.now(),
        now,
        sha256: await digestOf(forecast),
        record: { entryDate: record.entryDate, covariates: record.covariates, isSynthetic: record.isSynthetic },
        planId,
        forecast,
      };
      await this.#change(record.id, (forecasts) => [...forecasts, frozen]);
      this.#parts.audit({ action: 'forecast.freeze', patientId: record.id, packId: pack.manifest.id, detail: frozen.sha256 });
      return frozen;
    });
  }

  async discard(frozen: FrozenForecast): Promise<void> {
    await this.#attempt(async () => {
      await this.#change(frozen.patientId, (forecasts) => forecasts.filter(({ id }) => id !== frozen.id));
      const { patientId, forecast, sha256: detail } = frozen;
      this.#parts.audit({ action: 'forecast.discard', patientId, packId: forecast.pack.id, detail });
    });
  }

  async #change(patientId: string, change: (forecasts: readonly FrozenForecast[]) => readonly FrozenForecast[]): Promise<void> {
    const kept = await this.#parts.frozen.get(patientId);
    await this.#parts.frozen.put(
      patientId,
      { format: 1, forecasts: change(kept?.value.forecasts ?? []) },
      kept?.updatedAt ?? null,
    );
    await this.loadFrozen();
  }

  /** Of the person on the page under the open pack, latest first. */
  readonly rows: readonly FrozenRow[] = $derived.by(() => {
    const { record, pack } = this.#parts.forecast;
    if (!record || !pack) return [];
    const own = this.frozen?.get(record.id)?.forecasts ?? [];
    return own
      .filter(({ forecast }) => forecast.pack.id === pack.manifest.id)
      .map((frozen) => ({
        frozen,
        isIntact: this.intact.get(frozen.id) ?? false,
        outcomes: outcomesOf(frozen, record, pack.manifest),
      }))
      .sort((a, b) => b.frozen.frozenAt - a.frozen.frozenAt);
  });

  /**
   * Whole forecasts of local patients under this very pack, made without corrections: the only ones that say something of the pack
   * itself. Records are those of the list as they are now.
   */
  readonly cases: readonly LocalCase[] = $derived.by(() => {
    const { pack } = this.#parts.forecast;
    if (!pack) return [];
    return [...(this.frozen ?? [])].flatMap(([patientId, { forecasts }]) => {
      const record = this.#parts.patients.find(patientId);
      if (!record) return [];
      return forecasts
        .filter((frozen) => frozen.forecast.pack.digest === pack.digest && !frozen.forecast.corrections?.length)
        .filter((frozen) => this.intact.get(frozen.id))
        .map((frozen) => ({ frozen, record }));
    });
  });

  readonly log: LocalLog | null = $derived.by(() => {
    const manifest = this.#parts.forecast.pack?.manifest;
    if (!manifest || this.cases.length === 0) return null;
    return logOf(
      this.cases.flatMap(({ frozen, record }) =>
        outcomesOf(frozen, record, manifest).map((outcome) => ({ patientId: record.id, outcome })),
      ),
    );
  });

  /** Lower bounds of the time to any event under usual care, where they are switched on: so many in 100 outlive so many days. */
  readonly eventBounds: readonly { readonly level: number; readonly days: number }[] = $derived.by(() => {
    const { forecast } = this.#parts.forecast;
    const usual = forecast?.plans[0];
    const isLaid = forecast?.corrections?.some(({ kind }) => kind === 'conformal');
    if (!usual || !isLaid || !this.conformal) return [];
    return eventBounds(this.conformal).map(({ level, incidence }) => ({
      level,
      days: lowerBoundDays(forecast, usual.eventFree, incidence),
    }));
  });

  /** Kinds that the open pack knows. */
  readonly kinds: readonly RecalibrationKind[] = $derived.by(() => {
    const manifest = this.#parts.forecast.pack?.manifest;
    return recalibrationKinds.filter(
      (kind) =>
        manifest && (kind !== 'head' || manifest.kind === 'learned') && (kind !== 'event-odds' || manifest.events.length > 0),
    );
  });

  /** Why a correction cannot be learned yet; null where it can. */
  shortfallOf(kind: RecalibrationKind): string | null {
    const manifest = this.#parts.forecast.pack?.manifest;
    return manifest ? shortfall(kind, this.cases, manifest) : null;
  }

  /** Learns and judges a correction. One that is better is kept, switched off. */
  async recalibrate(kind: RecalibrationKind): Promise<void> {
    const { cases } = this;
    const { seed } = this.#parts.forecast;
    await this.work.run(kind, `correction of ${kind} from ${cases.length} frozen forecasts`, async ({ packId }, hooks) => {
      const order = { packId, kind, cases, id: this.#parts.newId(), madeAt: this.#parts.now(), seed };
      const answer = await this.#parts.client.call('recalibrate', order, hooks);
      if (hooks.signal.aborted) return;
      this.answers = { ...this.answers, [kind]: answer };
      if (answer.status !== 'better') return;
      const { made } = this.shelf ?? noCorrections;
      // Of a kind there is one: two would correct the same thing twice.
      const others = made.filter(({ correction }) => correction.kind !== kind);
      await this.#keep({ made: [...others, answer.recalibration] });
    });
  }

  /** Switches a learned correction on or off; the next run uses it or not. */
  async setOn(id: string, isOn: boolean): Promise<void> {
    const { made } = this.shelf ?? noCorrections;
    await this.#attempt(() => this.#keep({ made: made.map((one) => (one.id === id ? { ...one, isOn } : one)) }));
  }

  async forget(id: string): Promise<void> {
    const { made } = this.shelf ?? noCorrections;
    await this.#attempt(() => this.#keep({ made: made.filter((one) => one.id !== id) }));
  }

  async setConformal(isConformalOn: boolean): Promise<void> {
    await this.#attempt(() => this.#keep({ isConformalOn }));
  }

  async #keep(changed: Partial<Pick<CorrectionShelf, 'made' | 'isConformalOn'>>): Promise<void> {
    const { pack } = this.#parts.forecast;
    if (!pack) return;
    const next: CorrectionShelf = { ...(this.shelf ?? noCorrections), ...changed };
    await this.#parts.corrections.put(pack.manifest.id, next, 'any');
    this.shelf = next;
    const on = next.made.filter(({ isOn }) => isOn).length + (next.isConformalOn ? 1 : 0);
    this.#parts.audit({ action: 'correction.change', packId: pack.manifest.id, detail: `${on} on` });
    this.#parts.forecast.corrections = await this.correctionsOf(pack);
  }

  /** What the next forecast of a pack is made with: corrections that are on and were learned for this very pack. */
  async correctionsOf(pack: PackInfo): Promise<readonly NamedCorrection[]> {
    const kept = await this.#parts.corrections.get(pack.manifest.id);
    if (!kept) return [];
    const { made, isConformalOn } = kept.value;
    const table = isConformalOn ? await this.#parts.client.call('conformalTable', { packId: pack.manifest.id }) : null;
    return [
      ...made.filter(({ isOn, packDigest }) => isOn && packDigest === pack.digest).map(asNamed),
      ...(table
        ? [
            {
              id: 'conformal',
              words: `Bands moved so that they hold what they promise among people like ${table.learnedFrom} (conformal correction, which assumes that this person could have been one of them).`,
              correction: { kind: 'conformal', table } as const,
            },
          ]
        : []),
    ];
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T | null> {
    this.failure = null;
    try {
      return await work();
    } catch (error) {
      this.failure =
        error instanceof AppError ? error.message : 'That did not work, for a reason of the program’s own. Nothing was changed.';
      return null;
    }
  }
}

const kindWords: Readonly<Record<RecalibrationKind, string>> = {
  intervals: 'Widths of the bands',
  'event-odds': 'Odds of events',
  head: 'The network’s output',
};

function asNamed({ id, correction, trainedOn, testedOn }: Recalibration): NamedCorrection {
  return {
    id,
    words: `${kindWords[correction.kind]} corrected from outcomes of ${trainedOn} local patients, and better on ${testedOn} others.`,
    correction,
  };
}

function digestOf(forecast: Forecast): Promise<string> {
  return sha256(new TextEncoder().encode(JSON.stringify(forecast)));
}
