/** From several copies of a vault, whole or not, the latest state of every row that can be proved. */
import type { VaultKeys } from './keys.ts';
import { headerId } from './open-vault.ts';
import { makeRowSealer } from './row-sealer.ts';
import { commitId } from './store.ts';
import type { Change } from './store.ts';
import { isOfPatient } from './tables.ts';

/** Rows opened at a time. */
const atOnce = 200;

interface Salvage {
  /** One a row; header and commit note are not among them. */
  readonly changes: readonly Change[];
  /** Rows of which no copy opened. The latest is kept as it is. */
  readonly unreadable: number;
}

export async function salvage(keys: VaultKeys, found: readonly Change[]): Promise<Salvage> {
  const rows = makeRowSealer(keys);
  const byPlace = new Map<string, Change[]>();
  for (const change of found) {
    if (change.store === 'meta' && (change.id === headerId || change.id === commitId)) continue;
    const place = `${change.store}/${change.id}`;
    const known = byPlace.get(place);
    if (known) known.push(change);
    else byPlace.set(place, [change]);
  }
  for (const candidates of byPlace.values()) candidates.sort((a, b) => b.counter - a.counter);

  const patientKeys = new Map<string, CryptoKey>();
  const kept = new Map<string, Change>();
  let unreadable = 0;

  async function isProved(change: Change): Promise<boolean> {
    const { store, id, counter, sealed, isGone } = change;
    try {
      if (isGone) return isSame(await rows.proveGone(store, id, counter), sealed);
      if (store === 'keys') patientKeys.set(id, await keys.openPatientKey(id, sealed));
      else await rows.open(store, change, isOfPatient(store) ? patientKeys.get(id) : undefined);
      return true;
    } catch {
      return false;
    }
  }

  async function keep(place: string, candidates: readonly Change[]): Promise<void> {
    for (const candidate of candidates) {
      if (await isProved(candidate)) return void kept.set(place, candidate);
    }
    const latest = candidates.find(({ isGone }) => !isGone);
    // Whose key was shredded was erased: nobody will ever read it.
    if (!latest || (isOfPatient(latest.store) && kept.get(`keys/${latest.id}`)?.isGone)) return;
    unreadable++;
    kept.set(place, latest);
  }

  // A patient's rows open with the patient's key, so keys come first.
  const places = [...byPlace];
  const isKey = ([, candidates]: (typeof places)[number]) => candidates[0]!.store === 'keys';
  for (const part of [places.filter(isKey), places.filter((place) => !isKey(place))]) {
    for (let from = 0; from < part.length; from += atOnce) {
      await Promise.all(part.slice(from, from + atOnce).map(([place, candidates]) => keep(place, candidates)));
    }
  }
  return { changes: [...kept.values()], unreadable };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
