/** Whether the models of an ensemble, or those that are averaged, are so far apart that their mean misleads. */
import type { Forecast, PlanForecast } from '#domain/forecast.ts';
import type { PackManifest } from '#packs/manifest.ts';
import { anyEvent, timeIndex } from './reading.ts';
import { unitText } from './units.ts';

/**
 * Models disagree about a chance where they lie at least so far apart, and about a marker where their middles span at least so much of
 * the band that holds 8 in 10 courses. Below, the mean tells the same story as each of them.
 */
const disagreementLimits = { chance: 0.4, shareOfBand: 1 } as const;
/** An averaged model that carries less than this decides nothing, and its own course is no second opinion. */
const leastWeight = 0.1;

export interface Disagreement {
  readonly planId: string;
  readonly of: { readonly kind: 'event'; readonly event: string | null } | { readonly kind: 'marker'; readonly marker: string };
  /** Lowest and highest among the models: a chance 0 … 1, or in the marker's unit. */
  readonly low: number;
  readonly high: number;
  readonly models: number;
}

/** Of the outcome that is read, and of every marker, at one day; empty where there is one model. */
export function disagreements(
  forecast: Forecast,
  manifest: Pick<PackManifest, 'events' | 'markers'>,
  outcome: string,
  day: number,
): readonly Disagreement[] {
  const index = timeIndex(forecast, day);
  const kept = heard(forecast);
  if (kept.length < 2) return [];
  return forecast.plans.flatMap((plan) => [
    ...eventDisagreement(plan, manifest, outcome, index, kept),
    ...manifest.markers.flatMap(({ id }) => markerDisagreement(plan, id, index, kept)),
  ]);
}

/** Places of the models that count. */
function heard({ fit, run }: Forecast): readonly number[] {
  const models = fit.equations?.models;
  if (models) return models.flatMap(({ weight }, place) => (weight >= leastWeight ? [place] : []));
  return Array.from({ length: run.members }, (_, place) => place);
}

function eventDisagreement(
  plan: PlanForecast,
  manifest: Pick<PackManifest, 'events'>,
  outcome: string,
  index: number,
  kept: readonly number[],
): readonly Disagreement[] {
  const events = manifest.events.filter(({ id }) => outcome === anyEvent || id === outcome);
  if (events.length === 0) return [];
  // The first event is one of them: chances of a model add up.
  const chances = kept.map((place) =>
    events.reduce((sum, { id }) => sum + (plan.events[id]?.members[place]?.[index] ?? Number.NaN), 0),
  );
  const found = spanOf(chances);
  if (!found || found[1] - found[0] < disagreementLimits.chance) return [];
  const event = outcome === anyEvent ? null : outcome;
  return [{ planId: plan.plan.id, of: { kind: 'event', event }, low: found[0], high: found[1], models: kept.length }];
}

function markerDisagreement(plan: PlanForecast, marker: string, index: number, kept: readonly number[]): readonly Disagreement[] {
  const own = plan.markers[marker];
  const band = own?.bands.find(({ level }) => level === 0.8);
  const found = own && spanOf(kept.map((place) => own.memberMedians[place]?.[index] ?? Number.NaN));
  if (!band || !found) return [];
  const width = band.high[index]! - band.low[index]!;
  if (!(width > 0) || (found[1] - found[0]) / width < disagreementLimits.shareOfBand) return [];
  return [{ planId: plan.plan.id, of: { kind: 'marker', marker }, low: found[0], high: found[1], models: kept.length }];
}

function spanOf(values: readonly number[]): readonly [number, number] | null {
  const known = values.filter(Number.isFinite);
  return known.length < 2 ? null : [Math.min(...known), Math.max(...known)];
}

/** "Under plan A, one of its 5 models lets 11 of 100 people like this die within 10 years, another 89." `duration` is said as a person counts. */
export function disagreementSentence(
  { of, low, high, models }: Disagreement,
  planName: string,
  manifest: Pick<PackManifest, 'events' | 'markers'>,
  duration: string,
): string {
  if (of.kind === 'event') {
    const verbs = manifest.events.filter(({ id }) => of.event === null || of.event === id).map(({ verb }) => verb);
    const [least, most] = [low, high].map((share) => Math.round(100 * share));
    return `Under ${planName}, one of its ${models} models lets ${least} of 100 people like this ${verbs.join(' or ')} within ${duration}, another ${most}.`;
  }
  const marker = manifest.markers.find(({ id }) => id === of.marker);
  const number = (value: number) => Number(value.toPrecision(2)).toLocaleString('en-GB');
  const unit = marker ? ` ${unitText(marker.unit)}` : '';
  return `Under ${planName}, its ${models} models put the middle of ${marker?.label ?? of.marker} after ${duration} anywhere from ${number(low)} to ${number(high)}${unit}.`;
}
