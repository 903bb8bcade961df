/** Numbers that the page says in sentences, read from a forecast at one time. Shares become people of a hundred only at the very end. */
import type { Estimate, Forecast, ForecastDifference, MarkerForecast, PlanForecast } from '#domain/forecast.ts';
import type { PackManifest, Target } from '#packs/manifest.ts';

/** The event id that stands for "whatever comes first". */
export const anyEvent = 'any';

const targetPrefix = 'target:';

/** The outcome that stands for reaching a target. */
export const targetOutcome = (targetId: string): string => targetPrefix + targetId;

/** The target that is meant by an outcome; null for events. */
export function targetRead(manifest: PackManifest, outcome: string): Target | null {
  if (manifest.kind !== 'equations' || !outcome.startsWith(targetPrefix)) return null;
  return manifest.targets.find(({ id }) => targetOutcome(id) === outcome) ?? null;
}

/** What is read at first: the only event, else the first target where there are no events, else whatever comes first. */
export function firstOutcome(manifest: PackManifest): string {
  const [event] = manifest.events;
  // Events of equations may be of different kinds, as death and recovery are: together they say nothing.
  if (event && (manifest.events.length === 1 || manifest.kind === 'equations')) return event.id;
  const target = manifest.kind === 'equations' ? manifest.targets[0] : undefined;
  return target ? targetOutcome(target.id) : anyEvent;
}

/** Index of the grid time nearest to a day from today. */
export function timeIndex({ timesDays }: Pick<Forecast, 'timesDays'>, day: number): number {
  let nearest = 0;
  timesDays.forEach((time, index) => {
    if (Math.abs(time - day) < Math.abs(timesDays[nearest]! - day)) nearest = index;
  });
  return nearest;
}

export function incidenceAt(plan: PlanForecast, outcome: string, index: number): number {
  return outcome === anyEvent ? 1 - plan.eventFree[index]! : (plan.events[outcome]?.incidence[index] ?? Number.NaN);
}

/** Equally likely differences of cumulative incidence, ascending. */
export function differencesAt(difference: ForecastDifference, outcome: string, index: number): readonly number[] {
  return (outcome === anyEvent ? difference.anyEvent[index] : difference.events[outcome]?.[index]) ?? [];
}

/** One of several equally likely outcomes. */
export interface LikelyValue {
  readonly value: number;
  /** Set beyond the widest band: the outcome lies at its edge or farther out, and `value` is that edge. */
  readonly beyond: 'low' | 'high' | null;
}

/**
 * `count` equally likely values of a marker among those alive without an event: the midpoints' quantiles, between the band edges by
 * straight lines. Beyond the widest band the summary knows no more than its edge. Empty where nobody is left.
 */
export function likelyValues(marker: MarkerForecast, index: number, count: number): readonly LikelyValue[] {
  const known = [
    ...marker.bands.flatMap((band) => [
      { level: (1 - band.level) / 2, value: band.low[index]! },
      { level: (1 + band.level) / 2, value: band.high[index]! },
    ]),
    { level: 0.5, value: marker.median[index]! },
  ].sort((a, b) => a.level - b.level);
  if (known.some(({ value }) => !Number.isFinite(value))) return [];
  return Array.from({ length: count }, (_, k): LikelyValue => {
    const level = (k + 0.5) / count;
    const after = known.findIndex((one) => one.level >= level - 1e-9);
    if (after < 0) return { value: known.at(-1)!.value, beyond: 'high' };
    const [a, b] = [known[after - 1], known[after]!];
    if (Math.abs(b.level - level) < 1e-9) return { value: b.value, beyond: null };
    if (!a) return { value: b.value, beyond: 'low' };
    return { value: a.value + ((level - a.level) / (b.level - a.level)) * (b.value - a.value), beyond: null };
  });
}

/** The probability of showing a sign at all, i.e. any level above the first, at each time. */
export function signShares(levels: readonly (readonly number[])[]): number[] {
  return levels.map((shares) => 1 - (shares[0] ?? Number.NaN));
}

/** A chance at one time with its 90 % interval. */
export function incidenceRange(plan: PlanForecast, outcome: string, index: number): Estimate | null {
  const value = incidenceAt(plan, outcome, index);
  if (!Number.isFinite(value)) return null;
  const one = outcome === anyEvent ? (plan.anyEvent ?? endsAddedUp(plan)) : plan.events[outcome];
  return one ? { value, low: one.low[index]!, high: one.high[index]! } : null;
}

/** For a forecast kept from before the interval of any event was made: as if the events were unsure together. */
function endsAddedUp({ events, eventFree }: PlanForecast): Required<PlanForecast>['anyEvent'] {
  const line = (ends: (event: PlanForecast['events'][string]) => readonly number[]) =>
    eventFree.map((_, t) =>
      Math.min(
        1,
        Object.values(events).reduce((sum, event) => sum + ends(event)[t]!, 0),
      ),
    );
  return { low: line(({ low }) => low), high: line(({ high }) => high) };
}

/** What is read of one plan: a chance, or the middle of the first marker with where 9 in 10 courses lie. */
export type Reading =
  | (Estimate & { readonly kind: 'chance' })
  | (Estimate & { readonly kind: 'value'; readonly marker: string; readonly unit: string });

export function readingOf(
  forecast: Forecast,
  plan: PlanForecast,
  manifest: PackManifest,
  outcome: string,
  day: number,
): Reading | null {
  const index = timeIndex(forecast, day);
  const target = targetRead(manifest, outcome);
  const reached = target && plan.targets?.[target.id];
  if (reached) return { kind: 'chance', value: reached.probability, low: reached.low, high: reached.high };
  if (manifest.events.length > 0) {
    const range = incidenceRange(plan, outcome, index);
    return range && { kind: 'chance', ...range };
  }
  const [marker] = manifest.markers;
  const own = marker && plan.markers[marker.id];
  const band = own?.bands.find(({ level }) => level === 0.9);
  if (!own || !band) return null;
  return {
    kind: 'value',
    value: own.median[index]!,
    low: band.low[index]!,
    high: band.high[index]!,
    marker: marker.id,
    unit: marker.unit,
  };
}
