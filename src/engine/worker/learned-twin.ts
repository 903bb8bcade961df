/** The last fitted people of learned packs: the questions of one page are about one twin. */
import type { IsoDate, PatientRecord } from '#domain/record.ts';
import type { NamedCorrection } from '#domain/trust.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { fitHistory, type FittedHistory } from '#twin/fitted-history.ts';
import { currentBench } from './bench.ts';

/** A twin holds a few MB. */
const mostKept = 2;
const kept: { readonly key: string; readonly fit: Promise<FittedHistory> }[] = [];

/**
 * Throws `AppError` for what a person must mend in the record. `heads` are the corrections that are in the pack's network already and make
 * it another than its digest says; none by default.
 */
export function learnedFitOf(
  pack: LearnedPack,
  record: PatientRecord,
  today: IsoDate,
  seed: number,
  heads: readonly NamedCorrection[] = [],
): Promise<FittedHistory> {
  const key = JSON.stringify([pack.digest, record, today, seed, heads]);
  const known = kept.find((one) => one.key === key);
  if (known) return known.fit;
  const fit = currentBench().then(({ stepper, encode }) =>
    fitHistory({ pack, record, today, seed }, { stepper, encode, now: () => performance.now() }),
  );
  const one = { key, fit };
  kept.unshift(one);
  kept.splice(mostKept);
  fit.catch(() => {
    if (kept.includes(one)) kept.splice(kept.indexOf(one), 1);
  });
  return fit;
}
