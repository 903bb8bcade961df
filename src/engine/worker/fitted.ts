/** The last fitted people of equations packs: the questions of one page are about one fit. */
import type { IsoMinute, PatientRecord } from '#domain/record.ts';
import type { EquationsPack } from '#packs/pack.ts';
import { fitPerson, type FittedPerson } from '#twin/equations/fitted-person.ts';
import { currentBench } from './bench.ts';
import type { Hooks } from './hooks.ts';

/** So many posterior draws are kept of the last fitted person; whoever needs fewer takes an even share of them. */
export const fittedDraws = 10_000;
/** The fit of the page, and the one anew on which what a search found is scored again. */
const mostKept = 2;
const kept: Fit[] = [];

interface Fit {
  readonly key: string;
  readonly fitted: Promise<FittedPerson>;
  readonly signal: AbortSignal;
  isDone: boolean;
}

/** The forecast, the search of plans and the sampling times of one page are about one fit. */
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
  const known = kept.find((one) => one.key === key);
  // A fit that somebody stopped before it was done is nobody else's.
  if (known && (known.isDone || !known.signal.aborted)) return known.fitted;
  const fitted = currentBench().then(({ engine }) =>
    fitPerson({ pack, record, now, lanes, seed }, { simulator: engine, now: () => performance.now() }, hooks),
  );
  const one: Fit = { key, fitted, signal: hooks.signal, isDone: false };
  if (known) forget(known);
  kept.unshift(one);
  kept.splice(mostKept);
  fitted.then(
    () => (one.isDone = true),
    () => forget(one),
  );
  return fitted;
}

function forget(one: Fit): void {
  if (kept.includes(one)) kept.splice(kept.indexOf(one), 1);
}
