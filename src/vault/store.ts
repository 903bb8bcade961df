/** Rows without knowing what they hold: the main store's contract, kept by Dexie and, where nothing can be stored, by memory. */
import type { StoreName } from './tables.ts';

export interface Row {
  readonly id: string;
  /** The number of the commit that wrote it: the greater one is the later one. */
  readonly counter: number;
  readonly sealed: Uint8Array<ArrayBuffer>;
}

/** A row written, or (`isGone`) removed; `sealed` then proves the removal. */
export interface Change extends Row {
  readonly store: StoreName;
  readonly isGone: boolean;
}

export type Place = readonly [store: StoreName, id: string];

export type Contents = ReadonlyMap<StoreName, readonly Row[]>;

export interface MainStore {
  all(store: StoreName): Promise<readonly Row[]>;
  get(store: StoreName, id: string): Promise<Row | undefined>;
  /** In the order of `places`, all as they were at one moment. */
  getMany(places: readonly Place[]): Promise<readonly (Row | undefined)[]>;
  count(store: StoreName): Promise<number>;
  /** All rows of all stores, as they were at one moment. */
  everything(): Promise<Contents>;
  /**
   * Writes all of it in one strict transaction, if the vault's commit number is still `previous`; false, and nothing is written,
   * otherwise. A removal leaves a row in `gone`. Rejects as the browser does.
   */
  commit(previous: number, changes: readonly Change[]): Promise<boolean>;
  /** Forgets removals up to a commit: no copy holds what was removed. */
  prune(upTo: number): Promise<void>;
  close(): void;
}

/** Of the stored format: tables, and what stands in them. */
export const storeVersion = 3;

/** The row of `meta` that every commit writes. Its counter is the commit number. */
export const commitId = 'commit';

export function goneId(store: StoreName, id: string): string {
  return `${store}/${id}`;
}

/** Contents as the changes that make them. */
export function* changesOf(contents: Contents): Generator<Change> {
  for (const [store, rows] of contents) {
    for (const row of rows) yield store === 'gone' ? goneChange(row) : { ...row, store, isGone: false };
  }
}

function goneChange({ id, counter, sealed }: Row): Change {
  const slash = id.indexOf('/');
  return { store: id.slice(0, slash) as StoreName, id: id.slice(slash + 1), counter, sealed, isGone: true };
}

/** `replaced`: by a newer version of the app or by another vault. `closed`: by the browser, which lost the store or lost patience. */
export type Loss = 'replaced' | 'closed';

/** The stores of one device, by generation: a rebuilt vault is written beside the old one, which goes last. */
export interface StoreHouse {
  /** What is there, whatever its state, in ascending order. Rejects where the browser cannot say. */
  generations(): Promise<readonly number[]>;
  /** Of the stored format. Null where no store of that generation is there; nothing is created or changed. */
  inspect(generation: number): Promise<{ readonly version: number } | null>;
  /** Opens, or makes, the store of a generation. `onLost` is called once, when it was closed from outside. */
  open(generation: number, onLost: (how: Loss) => void): Promise<MainStore>;
  delete(generation: number): Promise<void>;
}
