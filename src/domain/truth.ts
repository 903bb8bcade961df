/** What comes of a made-up person: known because they were drawn. */

/** One course under usual care from the day of the drawing on: what comes true of this person, and of nobody else. */
export interface DrawnFuture {
  /** Days from the day of the drawing. */
  readonly timesDays: readonly number[];
  /** [time] by marker, without the error of a measurement; null after a terminal event. */
  readonly markers: Readonly<Record<string, readonly (number | null)[]>>;
  /** The first that happens within the horizon. */
  readonly event: { readonly id: string; readonly day: number } | null;
}
