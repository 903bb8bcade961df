/** What came after a forecast was frozen, held against what it said. */
import { hoursBetween } from '#domain/doses.ts';
import type { MarkerForecast, PlanForecast } from '#domain/forecast.ts';
import { daysBetween, type PatientRecord } from '#domain/record.ts';
import type { ForecastOutcome, FrozenForecast } from '#domain/trust.ts';
import { intervalScore } from '#numerics/probabilistic.ts';
import { normalCdf, normalQuantile } from '#numerics/special-functions.ts';
import type { PackManifest } from '#packs/manifest.ts';
import { inputsOf, type NumberInput } from './inputs.ts';

/** Events are asked after at these shares of the horizon. */
const eventShares = [0.25, 0.5, 1] as const;

/**
 * Of the plan that the forecast was frozen for: values dated after it and within its horizon, and events by a quarter, half and the
 * whole of the horizon as far as the record reaches. A value known only to lie beyond a limit is left out. A person without an event
 * counts as followed to the last thing that the record says of them.
 */
export function outcomesOf(frozen: FrozenForecast, record: PatientRecord, manifest: PackManifest): ForecastOutcome[] {
  const plan = frozen.forecast.plans.find((one) => one.plan.id === frozen.planId);
  if (!plan) return [];
  return [...markerOutcomes(frozen, plan, record, manifest), ...eventOutcomes(frozen, plan, record, manifest)];
}

type Base = Pick<ForecastOutcome, 'frozenId' | 'packId' | 'packDigest'>;

function baseOf({ id, forecast }: FrozenForecast): Base {
  return { frozenId: id, packId: forecast.pack.id, packDigest: forecast.pack.digest };
}

function markerOutcomes(
  frozen: FrozenForecast,
  plan: PlanForecast,
  record: PatientRecord,
  manifest: PackManifest,
): ForecastOutcome[] {
  const { timesDays } = frozen.forecast;
  const horizon = timesDays.at(-1)!;
  const inputs = new Map(inputsOf(manifest).map((input) => [input.id, input]));
  const outcomes: ForecastOutcome[] = [];
  for (const { code, date, time, value, unit, isBelowLimit, isAboveLimit } of record.observations) {
    const marker = plan.markers[code];
    const input = inputs.get(code);
    if (!marker || input?.kind !== 'number' || isBelowLimit || isAboveLimit) continue;
    const days = hoursBetween(frozen.now, `${date}T${time ?? frozen.now.slice(11)}`) / 24;
    const canonical = input.toCanonical(value, unit);
    if (!(days > 0) || days > horizon || canonical === null) continue;
    const points = pointsAt(marker, input, timesDays, days);
    if (!points) continue;
    const x = input.toCoordinate(canonical);
    const covered = Object.fromEntries(points.bands.map(({ level, low, high }) => [String(level), x >= low && x <= high]));
    const rank = rankOf(points.quantiles, x);
    const scores = points.bands.map(({ level, low, high }) => intervalScore(x, low, high, level));
    const score = scores.reduce((sum, one) => sum + one, 0) / scores.length;
    outcomes.push({
      ...baseOf(frozen),
      date,
      horizonDays: days,
      of: { kind: 'marker', marker: code, x, rank, covered, score },
    });
  }
  return outcomes;
}

interface PointsAt {
  /** Probability and coordinate, ascending. */
  readonly quantiles: readonly (readonly [p: number, x: number])[];
  readonly bands: readonly { readonly level: number; readonly low: number; readonly high: number }[];
}

/** A forecast's quantiles between two of its grid times, in coordinates. Null where nobody is left to measure. */
function pointsAt(
  marker: Pick<MarkerForecast, 'bands' | 'median'>,
  input: Pick<NumberInput, 'toCoordinate'>,
  timesDays: readonly number[],
  days: number,
): PointsAt | null {
  const after = Math.max(
    1,
    timesDays.findIndex((time) => time >= days),
  );
  const share = (days - timesDays[after - 1]!) / (timesDays[after]! - timesDays[after - 1]!);
  // Where nobody was left to measure, a stored forecast has null.
  const at = (line: readonly number[]) => {
    const [a, b] = [line[after - 1]!, line[after]!].map((value) =>
      Number.isFinite(value) ? input.toCoordinate(value) : Number.NaN,
    );
    return a! + share * (b! - a!);
  };
  const bands = marker.bands.map(({ level, low, high }) => ({ level, low: at(low), high: at(high) }));
  const quantiles = [
    ...bands.flatMap(({ level, low, high }) => [[(1 - level) / 2, low] as const, [(1 + level) / 2, high] as const]),
    [0.5, at(marker.median)] as const,
  ].sort(([a], [b]) => a - b);
  return quantiles.every(([, x]) => Number.isFinite(x)) ? { quantiles, bands } : null;
}

/** Between quantiles, and beyond the outer ones, as if the forecast were normal there. */
function rankOf(quantiles: PointsAt['quantiles'], x: number): number {
  const last = quantiles.length - 1;
  const above = quantiles.findIndex(([, q]) => q >= x);
  const i = above < 0 ? last : Math.max(1, above);
  const [[p0, q0], [p1, q1]] = [quantiles[i - 1]!, quantiles[i]!];
  const [z0, z1] = [normalQuantile(p0), normalQuantile(p1)];
  const slope = (z1 - z0) / Math.max(q1 - q0, 1e-9);
  return normalCdf(z0 + slope * (x - q0));
}

function eventOutcomes(
  frozen: FrozenForecast,
  plan: PlanForecast,
  record: PatientRecord,
  manifest: PackManifest,
): ForecastOutcome[] {
  const { timesDays } = frozen.forecast;
  const today = frozen.now.slice(0, 10);
  const horizon = timesDays.at(-1)!;
  const happened = record.events
    .map(({ event, date }) => ({ event, date, days: daysBetween(today, date) }))
    .filter(({ event, days }) => days > 0 && manifest.events.some(({ id }) => id === event))
    .sort((a, b) => a.days - b.days);
  const first = happened[0];
  const seen = lastSeen(record);
  const followed = seen === null ? 0 : daysBetween(today, seen);
  return eventShares.flatMap((share) => {
    const days = share * horizon;
    if (first === undefined && followed < days) return [];
    return manifest.events.flatMap(({ id }): ForecastOutcome[] => {
      const incidence = plan.events[id]?.incidence;
      if (!incidence) return [];
      const isFirst = first !== undefined && first.event === id && first.days <= days;
      return [
        {
          ...baseOf(frozen),
          date: isFirst ? first.date : seen!,
          horizonDays: days,
          of: { kind: 'event', event: id, forecast: interpolated(timesDays, incidence, days), happened: isFirst },
        },
      ];
    });
  });
}

function lastSeen({ observations, doses = [], events }: PatientRecord): string | null {
  const dates = [
    ...observations.map(({ date }) => date),
    ...doses.map(({ start }) => start.slice(0, 10)),
    ...events.map(({ date }) => date),
  ];
  return dates.length === 0 ? null : dates.reduce((a, b) => (a > b ? a : b));
}

/** Linear between grid times. */
function interpolated(timesDays: readonly number[], values: readonly number[], days: number): number {
  const after = timesDays.findIndex((time) => time >= days);
  if (after <= 0) return values[after < 0 ? values.length - 1 : 0]!;
  const share = (days - timesDays[after - 1]!) / (timesDays[after]! - timesDays[after - 1]!);
  return values[after - 1]! + share * (values[after]! - values[after - 1]!);
}
