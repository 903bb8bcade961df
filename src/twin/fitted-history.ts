/** A record read under a learned pack and the twin fitted to it: where every question about one person begins. */
import type { IsoDate, PatientRecord } from '#domain/record.ts';
import type { Stepper } from '#engine/engine.ts';
import { seedFrom } from '#numerics/random.ts';
import type { LearnedPack } from '#packs/pack.ts';
import type { TraitDistribution } from './encoder-plain.ts';
import { fitTwin, type Twin } from './fit.ts';
import { readHistory, type History } from './history.ts';

export interface FittedHistory {
  readonly history: History;
  readonly twin: Twin;
  readonly elapsedMs: number;
}

export interface FitHistoryRequest {
  readonly pack: LearnedPack;
  readonly record: PatientRecord;
  readonly today: IsoDate;
  readonly seed: number;
  readonly particlesPerMember?: number;
}

export interface FitHistoryDeps {
  readonly stepper: Stepper;
  /** `encodeHistory` on tfjs, or `encodeHistoryPlain`. */
  readonly encode: (pack: LearnedPack, history: History) => Promise<readonly TraitDistribution[]> | readonly TraitDistribution[];
  /** Milliseconds, only to say how long it took. Without it it took 0. */
  readonly now?: () => number;
}

/** Throws `AppError` for what a person must mend in the record. */
export async function fitHistory(
  { pack, record, today, seed, particlesPerMember }: FitHistoryRequest,
  { stepper, encode, now = () => 0 }: FitHistoryDeps,
): Promise<FittedHistory> {
  const started = now();
  const history = readHistory(pack.manifest, record, today);
  const twin = fitTwin({
    pack,
    history,
    stepper,
    posterior: await encode(pack, history),
    seed: seedFrom(seed),
    ...(particlesPerMember === undefined ? {} : { particlesPerMember }),
  });
  return { history, twin, elapsedMs: now() - started };
}
