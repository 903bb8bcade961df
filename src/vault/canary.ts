/**
 * What the page remembers of its vault outside the main store, so that an empty or older store is noticed: a browser that lost its
 * database hands out an empty one without a word. It lies in localStorage and in the second copy, and says nothing clinical.
 */
import * as v from 'valibot';
import { tableNames } from './tables.ts';
import type { Counts } from './tables.ts';

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const schema = v.object({
  vaultId: v.string(),
  /** Of the stored format. */
  version: whole,
  generation: whole,
  commit: whole,
  /** Tables that came later are missing in what was written before them. */
  counts: v.object(v.entriesFromList(tableNames, v.optional(whole, 0))),
  /** Entries of the audit log. */
  entries: whole,
  /** A write failed in a way after which browsers have been seen to lose the store when it is opened next. */
  isSuspect: v.boolean(),
});

export interface Canary {
  readonly vaultId: string;
  readonly version: number;
  readonly generation: number;
  readonly commit: number;
  readonly counts: Counts;
  readonly entries: number;
  readonly isSuspect: boolean;
}

/** Null for anything that is no canary. */
export function readCanary(text: string | null): Canary | null {
  if (text === null) return null;
  try {
    return v.parse(schema, JSON.parse(text));
  } catch {
    return null;
  }
}

/** The one to keep of two: the later, unless another vault took the place of the first. A suspicion stays. */
export function laterCanary(kept: Canary | null, next: Canary): Canary {
  if (!kept || kept.vaultId !== next.vaultId) return next;
  const isSuspect = kept.isSuspect || next.isSuspect;
  return { ...(isLater(kept, next) ? kept : next), isSuspect };
}

/** A rebuilt vault, of the next generation, is later whatever its commits. */
export function isLater(a: Pick<Canary, 'generation' | 'commit'>, b: Pick<Canary, 'generation' | 'commit'>): boolean {
  return a.generation > b.generation || (a.generation === b.generation && a.commit > b.commit);
}
