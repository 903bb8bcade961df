/** One fault, what must hold under it, and how often it is tried: few times in `npm test`, many in `npm run torture`. */
export interface TortureCase {
  readonly name: string;
  /** The line of the table that a person reads. */
  readonly must: string;
  /** `times` per form. */
  readonly times: { readonly short: number; readonly long: number };
  /** Seconds that the short form may take. */
  readonly limitSeconds: number;
  run(place: TorturePlace): Promise<TortureOutcome>;
}

export interface TorturePlace {
  /** The built app, with its headers. */
  readonly appUrl: string;
  /** The page that drives vault, engine and import directly, built from the same sources. */
  readonly driverUrl: string;
  readonly times: number;
  /** For every random choice; printed when a case fails. */
  readonly seed: number;
  progress(done: number, of: number, words?: string): void;
}

export interface TortureOutcome {
  readonly tried: number;
  /** Sentences, one a failure; empty when all held. */
  readonly failures: readonly string[];
  /** Measured figures with units in their names. */
  readonly figures: Readonly<Record<string, number | string>>;
}

/** Uniform in [0, 1) from a seed: Mulberry32, enough for choosing when to pull the plug. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
