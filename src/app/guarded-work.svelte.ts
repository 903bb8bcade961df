/** One long computation at a time for the patient and the pack of the Forecast page: guarded by consent, noted down, stoppable. */
import { AppError } from '#domain/errors.ts';
import type { IsoDate, IsoMinute, PatientRecord } from '#domain/record.ts';
import type { CallHooks, EngineClient } from '#engine/client.ts';
import type { Audit } from './audit.svelte.ts';
import { consentFault } from './consent.ts';
import type { ForecastState } from './forecast.svelte.ts';

export interface WorkParts {
  readonly client: EngineClient;
  /** Whose patient, pack and plans these are. */
  readonly forecast: ForecastState;
  readonly audit: Audit;
  /** On the person's own clock. */
  readonly minute: () => IsoMinute;
}

/** What every call about a person begins with. */
export interface PersonBase {
  readonly packId: string;
  readonly record: PatientRecord;
  readonly today: IsoDate;
  readonly now: IsoMinute;
}

export interface WorkHooks extends CallHooks {
  readonly signal: AbortSignal;
}

/** A value that begins anew whenever `key` changes, and may be assigned meanwhile. */
export const anew = <T>(_key: string, value: T): T => value;

export class GuardedWork<Kind extends string> {
  readonly #parts: WorkParts;
  /** Changes with the patient and with the pack. */
  readonly key: string = $derived.by(
    () => `${this.#parts.forecast.record?.id ?? ''} ${this.#parts.forecast.pack?.manifest.id ?? ''}`,
  );
  running = $state<Kind | null>(null);
  fraction = $state(0);
  failure = $derived.by<string | null>(() => anew(this.key, null));
  #stop: AbortController | null = null;

  constructor(parts: WorkParts) {
    this.#parts = parts;
  }

  /** Stops what runs, then does `work`. What it throws becomes `failure`; a stop is none. `noted` goes to the audit log. */
  async run(kind: Kind, noted: string, work: (base: PersonBase, hooks: WorkHooks) => Promise<void>): Promise<void> {
    const { record, pack } = this.#parts.forecast;
    if (!record || !pack) return;
    this.stop();
    const now = this.#parts.minute();
    const held = consentFault(record, now.slice(0, 10));
    this.failure = held?.message ?? null;
    if (held) return;
    const stop = (this.#stop = new AbortController());
    this.running = kind;
    this.fraction = 0;
    this.#parts.audit({
      action: 'run',
      patientId: record.id,
      packId: pack.manifest.id,
      detail: `${noted}, pack ${pack.digest}`,
    });
    try {
      await work(
        { packId: pack.manifest.id, record, today: now.slice(0, 10), now },
        { signal: stop.signal, onProgress: (fraction) => (this.fraction = fraction) },
      );
    } catch (error) {
      if (error instanceof AppError) this.failure = error.message;
      else if (!(error instanceof Error) || error.name !== 'AbortError') this.failure = workFailed;
    } finally {
      if (this.#stop === stop) this.stop();
    }
  }

  stop(): void {
    this.#stop?.abort();
    this.#stop = null;
    this.running = null;
  }
}

const workFailed =
  'The computation failed for a reason of the program’s own. Nothing you entered is lost; ask again, or choose another engine.';
