/** Split-conformal corrections of a pack's ranges: learned from people it was not trained on, laid over a forecast on request. */
import type { Forecast } from '#domain/forecast.ts';
import type { ConformalMarker, ConformalTable } from '#domain/trust.ts';
import { quantileRegressionScores, weightedConformalQuantile } from '#numerics/conformal.ts';
import { censoringSurvival, stepBefore } from '#numerics/survival.ts';

/** A later value beside the bands that were forecast for it, all in coordinates. */
export interface BandCase {
  readonly person: string;
  readonly days: number;
  readonly y: number;
  readonly bands: readonly { readonly level: number; readonly low: number; readonly high: number }[];
}

/** A shift that rests on the one or two oddest of the people would be another one with the next people. */
const fewestBeyond = 3;

/**
 * Conformalised quantile regression (Romano, Patterson & Candès 2019) by horizon. A person counts once however many values they have:
 * values of one person are not exchangeable with each other, persons are. Horizons ascend; what comes later takes the last.
 */
export function learnShifts(cases: readonly BandCase[], horizonsDays: readonly number[]): ConformalMarker[] {
  return horizonsDays.flatMap((untilDays, h): ConformalMarker[] => {
    const after = h === 0 ? 0 : horizonsDays[h - 1]!;
    const own = cases.filter(({ days }) => days > after && (days <= untilDays || h === horizonsDays.length - 1));
    if (own.length === 0) return [];
    const counts = new Map<string, number>();
    for (const { person } of own) counts.set(person, (counts.get(person) ?? 0) + 1);
    const weights = own.map(({ person }) => 1 / counts.get(person)!);
    const shifts = own[0]!.bands.map(({ level }, b) => {
      const scores = quantileRegressionScores(
        own.map(({ y }) => y),
        own.map(({ bands }) => bands[b]!.low),
        own.map(({ bands }) => bands[b]!.high),
      );
      const shift = weightedConformalQuantile(scores, weights, 1, 1 - level);
      const isHeld = (counts.size + 1) * (1 - level) >= fewestBeyond;
      return { level, shift: isHeld && Number.isFinite(shift) ? shift : null };
    });
    return [{ untilDays, people: counts.size, shifts }];
  });
}

/** One person: when they were last seen, whether the event came then, and what had been forecast for that time. */
export interface EventCase {
  readonly days: number;
  readonly happened: boolean;
  /** Forecast incidence by `days`. */
  readonly incidence: number;
}

/**
 * The incidence whose time is a lower bound of the event's time that `level` of people outlive: the largest for which the weighted
 * share of people with an earlier event stays below 1 − level, with inverse probabilities of censoring as weights (Candès, Lei & Ren
 * 2023) and the test person's own weight taken as the largest. Null where even the smallest incidence cannot be promised.
 */
export function learnEventBound(cases: readonly EventCase[], horizonDays: number, level: number): number | null {
  const censoring = censoringSurvival(
    cases.map(({ days }) => days),
    cases.map(({ happened }) => (happened ? 1 : 0)),
  );
  const known = cases.flatMap(({ days, happened, incidence }) => {
    const isOver = days >= horizonDays;
    // Whoever was lost before tells nothing of what came; others stand for them.
    if (!isOver && !happened) return [];
    const weight = 1 / Math.max(stepBefore(censoring, Math.min(days, horizonDays), 1), 0.05);
    return [{ incidence: isOver ? Infinity : incidence, weight }];
  });
  if (known.length === 0) return null;
  const own = Math.max(...known.map(({ weight }) => weight));
  const allowed = (1 - level) * (known.reduce((sum, { weight }) => sum + weight, 0) + own);
  let mass = own;
  if (mass > allowed) return null;
  for (const { incidence, weight } of known.toSorted((a, b) => a.incidence - b.incidence)) {
    mass += weight;
    if (mass > allowed) return Math.min(1, incidence);
  }
  return 1;
}

/** Days by which usual care's chance of any event reaches an incidence; the horizon where it does not within it. */
export function lowerBoundDays(
  { timesDays }: Pick<Forecast, 'timesDays'>,
  eventFree: readonly number[],
  incidence: number,
): number {
  const t = eventFree.findIndex((share) => 1 - share >= incidence);
  if (t < 0) return timesDays.at(-1)!;
  if (t === 0) return 0;
  const [before, after] = [1 - eventFree[t - 1]!, 1 - eventFree[t]!];
  return timesDays[t - 1]! + ((incidence - before) / (after - before)) * (timesDays[t]! - timesDays[t - 1]!);
}

/** The band of a marker at a time, moved: as `corrected` does with a forecast. */
export function shiftOf(rows: readonly ConformalMarker[], days: number, level: number): number {
  const row = rows.find(({ untilDays }) => days <= untilDays) ?? rows.at(-1);
  return row?.shifts.find((one) => one.level === level)?.shift ?? 0;
}

/** "Nine in ten outlive the time by which …": the bounds of a pack, of all events together. */
export function eventBounds({ events }: ConformalTable): readonly { readonly level: number; readonly incidence: number }[] {
  return events.flatMap(({ event, level, incidence }) => (event === 'any' && incidence !== null ? [{ level, incidence }] : []));
}
