/** Lays corrections that a person switched on over a forecast. What was forecast stays the network's or the equations' own. */
import type {
  AppliedCorrection,
  EventForecast,
  Forecast,
  ForecastDifference,
  MarkerForecast,
  PlanForecast,
} from '#domain/forecast.ts';
import type { Correction, NamedCorrection } from '#domain/trust.ts';
import { logistic, logit } from '#numerics/logistic-regression.ts';
import type { Network } from '#packs/network.ts';
import type { LearnedManifest, PackManifest } from '#packs/manifest.ts';
import { shiftOf } from './conformal.ts';
import { inputsOf, type NumberInput } from './inputs.ts';

/** In the order given. Corrections of kind `head` were in the network already when the forecast was made and are only named here. */
export function corrected(forecast: Forecast, manifest: PackManifest, corrections: readonly NamedCorrection[]): Forecast {
  if (corrections.length === 0) return forecast;
  const changed = corrections.reduce((current, { correction }) => apply(current, manifest, correction), forecast);
  const named = corrections.map(({ id, words, correction: { kind } }): AppliedCorrection => ({ kind, id, words }));
  return { ...changed, corrections: named };
}

function apply(forecast: Forecast, manifest: PackManifest, correction: Correction): Forecast {
  switch (correction.kind) {
    case 'head':
      return forecast;
    case 'intervals': {
      const { factors } = correction;
      return withMarkers(forecast, manifest, (id) => {
        const factor = factors[id];
        return factor === undefined ? null : (median, end) => median + factor * (end - median);
      });
    }
    case 'conformal': {
      const { markers } = correction.table;
      return withMarkers(forecast, manifest, (id) => {
        const rows = markers[id];
        if (!rows || rows.length === 0) return null;
        return (median, end, level, days) => {
          const shift = shiftOf(rows, days, level);
          // A band that should be narrower than nothing is the median.
          return end > median ? Math.max(median, end + shift) : end < median ? Math.min(median, end - shift) : end;
        };
      });
    }
    case 'event-odds':
      return withEvents(forecast, correction.events);
    default:
      return correction satisfies never;
  }
}

/** A new end of a band from the median and the old end, in coordinates. */
type MoveEnd = (median: number, end: number, level: number, days: number) => number;

/** Differences between plans keep their own bands: both plans are corrected alike. */
function withMarkers(forecast: Forecast, manifest: PackManifest, moveOf: (marker: string) => MoveEnd | null): Forecast {
  const inputs = new Map(inputsOf(manifest).map((input) => [input.id, input]));
  const markers = (of: PlanForecast['markers']) =>
    Object.fromEntries(
      Object.entries(of).map(([id, marker]) => {
        const [input, move] = [inputs.get(id), moveOf(id)];
        return [id, input?.kind === 'number' && move ? movedBands(marker, input, forecast.timesDays, move) : marker];
      }),
    );
  return { ...forecast, plans: forecast.plans.map((plan) => ({ ...plan, markers: markers(plan.markers) })) };
}

function movedBands(marker: MarkerForecast, input: NumberInput, timesDays: readonly number[], move: MoveEnd): MarkerForecast {
  const line = (ends: readonly number[], level: number) =>
    ends.map((end, t) => {
      const [m, e] = [input.toCoordinate(marker.median[t]!), input.toCoordinate(end)];
      // Nobody is left to measure, or the value is beyond what the scale can carry.
      return Number.isFinite(m) && Number.isFinite(e) ? input.fromCoordinate(move(m, e, level, timesDays[t]!)) : end;
    });
  return {
    ...marker,
    bands: marker.bands.map(({ level, low, high }) => ({ level, low: line(low, level), high: line(high, level) })),
  };
}

type Odds = Readonly<Record<string, { readonly intercept: number; readonly slope: number }>>;

/** Nothing has happened at time 0, whatever the odds; elsewhere a forecast of 0 or 1 has no odds and stays. */
function recalibrated(p: number, { intercept, slope }: Odds[string]): number {
  return p > 0 && p < 1 ? logistic(intercept + slope * logit(p)) : p;
}

function withEvents(forecast: Forecast, odds: Odds): Forecast {
  const { timesDays } = forecast;
  const plans = forecast.plans.map((plan): PlanForecast => {
    const events = Object.fromEntries(
      Object.entries(plan.events).map(([id, event]) => [id, odds[id] ? withOdds(event, odds[id]) : event]),
    );
    const eventFree = plan.eventFree.map((_, t) =>
      Math.max(0, 1 - Object.values(events).reduce((sum, { incidence }) => sum + incidence[t]!, 0)),
    );
    const by = area(timesDays, eventFree) - area(timesDays, plan.eventFree);
    const { value, low, high } = plan.eventFreeDays;
    const days = { value: value + by, low: Math.max(0, low + by), high: Math.min(timesDays.at(-1)!, high + by) };
    const ends = (line: readonly number[]) =>
      line.map((end, t) => Math.min(1, end * ratio(1 - eventFree[t]!, 1 - plan.eventFree[t]!)));
    return {
      ...plan,
      events,
      eventFree,
      ...(plan.anyEvent ? { anyEvent: { low: ends(plan.anyEvent.low), high: ends(plan.anyEvent.high) } } : {}),
      eventFreeDays: days,
    };
  });
  const [before, after] = [forecast.plans[0], plans[0]];
  if (!before || !after) return forecast;
  return { ...forecast, plans, differences: forecast.differences.map((one) => differenceWith(one, before, after, odds)) };
}

function withOdds(event: EventForecast, own: Odds[string]): EventForecast {
  const line = (values: readonly number[]) => values.map((p) => recalibrated(p, own));
  return { incidence: line(event.incidence), members: event.members.map(line), low: line(event.low), high: line(event.high) };
}

/** A difference is laid on the mean incidence of usual care, and both ends are recalibrated. */
function differenceWith(
  difference: ForecastDifference,
  before: PlanForecast,
  after: PlanForecast,
  odds: Odds,
): ForecastDifference {
  const events = Object.fromEntries(
    Object.entries(difference.events).map(([id, byTime]) => {
      const own = odds[id];
      const usual = before.events[id]!.incidence;
      if (!own) return [id, byTime];
      const at = (p: number) => recalibrated(Math.min(1, Math.max(0, p)), own);
      return [id, byTime.map((dots, t) => dots.map((d) => at(usual[t]! + d) - at(usual[t]!)))];
    }),
  );
  // All events together, and the days without one, follow in proportion to usual care's own change.
  const anyEvent = difference.anyEvent.map((dots, t) => {
    const by = ratio(1 - after.eventFree[t]!, 1 - before.eventFree[t]!);
    return dots.map((d) => d * by);
  });
  const horizon = difference.eventFreeDays.length;
  const by = horizon === 0 ? 1 : ratio(lost(after), lost(before));
  return { ...difference, events, anyEvent, eventFreeDays: difference.eventFreeDays.map((days) => days * by) };
}

const ratio = (now: number, then: number) => (then > 0 ? now / then : 1);

/** Mean share with an event over the grid. */
function lost({ eventFree }: PlanForecast): number {
  return eventFree.reduce((sum, share) => sum + 1 - share, 0) / eventFree.length;
}

/** Trapezoids. */
function area(times: readonly number[], values: readonly number[]): number {
  let total = 0;
  for (let t = 1; t < times.length; t++) total += ((values[t]! + values[t - 1]!) / 2) * (times[t]! - times[t - 1]!);
  return total;
}

type Head = Extract<Correction, { readonly kind: 'head' }>;

/** The network with a correction added to its output biases: the same in every member. */
export function withHead(network: Network, manifest: Pick<LearnedManifest, 'markers' | 'signs' | 'events'>, head: Head): Network {
  const states = [...manifest.markers, ...manifest.signs].map(({ id }) => id);
  const causes = manifest.events.map(({ id }) => id);
  const added = (bias: Float32Array, ids: readonly string[], by: Readonly<Record<string, number>>) =>
    bias.map((value, i) => value + (by[ids[i]!] ?? 0));
  return {
    ...network,
    members: network.members.map((member) => ({
      ...member,
      driftBias: added(member.driftBias, states, head.drift),
      scaleBias: added(member.scaleBias, states, head.logScale),
      hazardBias: added(member.hazardBias, causes, head.logHazard),
    })),
  };
}
