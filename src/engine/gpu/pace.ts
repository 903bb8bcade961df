/** Long enough to hide the wait between chunks, short enough that a page on the same GPU still paints. */
const targetChunkMs = 40;

/** How fast the device turned out to be at one kind of work, kept between runs so that only the first starts with small chunks. */
export class Pace {
  #unitsPerMs: number;

  /** `unitsPerMs` is the first guess; a low one costs a few short chunks, as each may be four times the last. */
  constructor(unitsPerMs: number) {
    this.#unitsPerMs = unitsPerMs;
  }

  /** How many pieces of so many units make a good chunk. */
  chunk(unitsPerPiece: number): number {
    return Math.max(1, Math.floor((this.#unitsPerMs * targetChunkMs) / unitsPerPiece));
  }

  learn(units: number, elapsedMs: number): void {
    const seen = units / Math.max(elapsedMs, 0.1);
    this.#unitsPerMs = Math.min(Math.max(seen, this.#unitsPerMs / 4), this.#unitsPerMs * 4);
  }
}

// Both as measured with the software adapter on one core.
export const rolloutPace = (): Pace => new Pace(1e6);
export const selectionPace = (): Pace => new Pace(2e3);
