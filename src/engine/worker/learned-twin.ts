/** The last fitted people of learned packs: the questions of one page are about one twin. */
import type { FitReport } from '#domain/forecast.ts';
import type { IsoDate, PatientRecord } from '#domain/record.ts';
import { seedFrom } from '#numerics/random.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { reportFit } from '#twin/fit-report.ts';
import { fitTwin, type Twin } from '#twin/fit.ts';
import { readHistory, type History } from '#twin/history.ts';
import { currentBench } from './bench.ts';

export interface LearnedFit {
  readonly history: History;
  readonly twin: Twin;
  readonly fit: FitReport;
}

/** A twin holds a few MB. */
const mostKept = 2;
const kept: { readonly key: string; readonly fit: Promise<LearnedFit> }[] = [];

/** Throws `AppError` for what a person must mend in the record. */
export function learnedFitOf(pack: LearnedPack, record: PatientRecord, today: IsoDate, seed: number): Promise<LearnedFit> {
  const key = JSON.stringify([pack.digest, record, today, seed]);
  const known = kept.find((one) => one.key === key);
  if (known) return known.fit;
  const one = { key, fit: fitNow(pack, record, today, seed) };
  kept.unshift(one);
  kept.splice(mostKept);
  one.fit.catch(() => {
    if (kept.includes(one)) kept.splice(kept.indexOf(one), 1);
  });
  return one.fit;
}

async function fitNow(pack: LearnedPack, record: PatientRecord, today: IsoDate, seed: number): Promise<LearnedFit> {
  const { stepper, encode } = await currentBench();
  const history = readHistory(pack.manifest, record, today);
  const twin = fitTwin({ pack, history, stepper, posterior: await encode(pack, history), seed: seedFrom(seed) });
  return { history, twin, fit: reportFit(pack.manifest, history, twin) };
}
