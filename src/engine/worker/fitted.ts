/** The last fitted person of an equations pack: the questions of one page are about one fit. */
import type { IsoMinute, PatientRecord } from '#domain/record.ts';
import type { EquationsPack } from '#packs/pack.ts';
import { fitPerson, type FittedPerson } from '#twin/equations/fitted-person.ts';
import { currentBench } from './bench.ts';
import type { Hooks } from './hooks.ts';

/** So many posterior draws are kept of the last fitted person; whoever needs fewer takes an even share of them. */
export const fittedDraws = 10_000;
let lastFit: { readonly key: string; readonly fitted: Promise<FittedPerson>; readonly signal: AbortSignal } | null = null;

/** The forecast, the dose search and the sampling times of one page are about one fit. */
export function fittedOf(
  pack: EquationsPack,
  record: PatientRecord,
  now: IsoMinute,
  seed: number,
  wanted: number,
  hooks: Hooks,
): Promise<FittedPerson> {
  const lanes = Math.max(wanted, fittedDraws);
  const key = JSON.stringify([pack.digest, record, now, seed, lanes]);
  // A fit that somebody stopped is nobody else's.
  if (lastFit?.key !== key || lastFit.signal.aborted) {
    const fitted = currentBench().then(({ engine }) =>
      fitPerson({ pack, record, now, lanes, seed }, { simulator: engine, now: () => performance.now() }, hooks),
    );
    lastFit = { key, fitted, signal: hooks.signal };
    fitted.catch(() => {
      if (lastFit?.fitted === fitted) lastFit = null;
    });
  }
  return lastFit.fitted;
}
