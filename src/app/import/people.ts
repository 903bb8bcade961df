/** The people of the files that were read, and who of them may be known already. */
import type { PatientRecord } from '#domain/record.ts';
import type { PatientSummary } from '#interop/protocol.ts';
import { valueKey, wordsOf } from './duplicates.ts';
import type { Known, Likeness } from './duplicates.ts';
import { likenessOf } from './duplicates.ts';
import type { RecordContext } from './to-record.ts';
import { placeObservation } from './to-record.ts';

/** What is done with a person of a file. Null: not decided yet. */
export type Choice =
  | { readonly kind: 'new' }
  | { readonly kind: 'record'; readonly id: string }
  | { readonly kind: 'person'; readonly id: string }
  | { readonly kind: 'out' };

export interface Person {
  /** Tells people of all groups apart. */
  readonly id: string;
  readonly group: number;
  readonly key: string;
  readonly file: string;
  readonly summary: PatientSummary;
  /** Who it may be: a record of the vault, or somebody further up in this import. */
  readonly like: { readonly kind: 'record' | 'person'; readonly id: string; readonly why: Likeness } | null;
}

/** As a file names the person; never put into an address, a title or a log. */
export function nameOf({ summary }: Pick<Person, 'summary'>): string {
  const { identity, key } = summary;
  return identity.name || identity.identifiers[0]?.value || key;
}

/** Finds who is like somebody without comparing everybody with everybody. */
export class LikenessIndex {
  readonly #known = new Map<string, Known>();
  readonly #by = new Map<string, string[]>();

  add(id: string, known: Known): void {
    this.#known.set(id, known);
    for (const key of keysOf(known)) {
      const there = this.#by.get(key);
      if (there) there.push(id);
      else this.#by.set(key, [id]);
    }
  }

  /** The surest likeness, of those the first that was added. */
  find(known: Known): { readonly id: string; readonly why: Likeness } | null {
    const candidates = new Set([...keysOf(known)].flatMap((key) => this.#by.get(key) ?? []));
    let best: { id: string; why: Likeness } | null = null;
    for (const id of candidates) {
      const why = likenessOf(known, this.#known.get(id)!);
      if (why !== null && (best === null || sureness(why) > sureness(best.why))) best = { id, why };
    }
    return best;
  }
}

const sureness = (why: Likeness) => ({ identifier: 2, 'name-and-birth': 1, values: 0 })[why];

function* keysOf({ identity, values }: Known): Iterable<string> {
  for (const { system, value } of identity?.identifiers ?? []) yield `identifier ${system} ${value}`;
  if (identity?.name && identity.birthDate) yield `name ${wordsOf(identity.name)} ${identity.birthDate}`;
  for (const value of values) yield `value ${value}`;
}

/** What is known of a person before all values are read: identity and the first values. */
export function knownOfSummary(summary: PatientSummary, context: RecordContext): Known {
  const values = summary.firstValues
    .map((one) => placeObservation(one, context).observation)
    .flatMap((one) => (one ? [valueKey(one)] : []));
  return { identity: summary.identity, values: new Set(values) };
}

export function knownOfRecord({ identity, observations }: PatientRecord): Known {
  return { identity, values: new Set(observations.map(valueKey)) };
}
