/** From a forecast in days to what the charts take: one time axis in the pack's own unit, today at 0. */
import type { Forecast, ForecastDifference, MarkerForecast, PlanForecast } from '#domain/forecast.ts';
import type { Plan } from '#domain/plan.ts';
import type { PatientRecord } from '#domain/record.ts';
import type { Intervention, MarkerDescription, PackManifest } from '#app/manifest.ts';
import { observedValues } from '#app/observed.ts';
import { horizonDays, leverBlocks, letterOf, usualCareId } from '#app/plans.ts';
import { anyEvent, differencesAt, incidenceAt, quantileOf, shareBeyond, signShares, timeIndex } from '#app/reading.ts';
import { unitText } from '#app/units.ts';
import type {
  EventKind,
  Lane,
  LaneBlock,
  LaneIntervention,
  Observation,
  PlanColour,
  PlanCounts,
  PlanEvents,
  PlanFan,
  PlanIdentity,
  PlanSigns,
  Span,
} from '#ui/charts/chart-types.ts';
import { formatDuration, outcomeSentence } from '#ui/charts/chart-words.ts';

const daysPer = { years: 365.25, weeks: 7, days: 1, hours: 1 / 24, minutes: 1 / 1440 } as const;
type TimeUnit = keyof typeof daysPer;

export const toTime = (days: number, unit: TimeUnit): number => days / daysPer[unit];

/** Whole days where a pack counts in days or longer; of hours and minutes, the days without the crumbs of binary fractions. */
export function toDays(time: number, unit: TimeUnit): number {
  const days = time * daysPer[unit];
  return daysPer[unit] >= 1 ? Math.round(days) : Math.round(days * 1e6) / 1e6;
}

const colours: Readonly<Record<string, PlanColour>> = { U: 'usual', A: 'a', B: 'b', C: 'c', D: 'd' };

export function identityOf(plan: Plan): PlanIdentity {
  const letter = letterOf(plan);
  // As in a sentence; a name that a person gave keeps its capitals.
  const name = plan.id === usualCareId ? 'usual care' : plan.name.replace(/^Plan (?=[A-D]$)/, 'plan ');
  return { colour: colours[letter] ?? 'd', letter, name };
}

/** Left of today as much history as there is, but never more than three fifths of what lies right of it. */
export function pageSpan(record: PatientRecord, manifest: PackManifest, today: string, horizonDays: number): Span {
  const { timeUnit } = manifest.grid;
  const days = [...manifest.markers, ...manifest.signs].flatMap(({ id }) =>
    observedValues(record, manifest, id, today).map((one) => one.day),
  );
  const first = Math.min(0, ...days);
  const horizon = toTime(horizonDays, timeUnit);
  return [-Math.min(toTime(-first, timeUnit) * 1.03, horizon * 0.6), horizon];
}

export function observedOf(
  record: PatientRecord,
  manifest: PackManifest,
  marker: MarkerDescription,
  today: string,
  span: Span,
): Observation[] {
  return observedValues(record, manifest, marker.id, today)
    .map((one) => ({ time: toTime(one.day, manifest.grid.timeUnit), value: one.value, source: one.source }))
    .filter((one) => one.time >= span[0] - 1e-9);
}

/** A learned pack says by its transform how a marker spreads; of levels and effects the eye wants the linear scale. */
export function isLogarithmic(manifest: PackManifest, markerId: string): boolean {
  return manifest.kind === 'learned' && manifest.markers.find(({ id }) => id === markerId)?.transform.kind === 'log';
}

export function fanOf(plan: Plan, marker: MarkerForecast, times: readonly number[]): PlanFan {
  return {
    ...identityOf(plan),
    times,
    bands: marker.bands,
    median: marker.median,
    memberMedians: marker.memberMedians,
    courses: marker.courses.map((course) => course.map((value) => value ?? Number.NaN)),
  };
}

export function eventKinds(manifest: PackManifest): EventKind[] {
  return manifest.events.map(({ id, label, verb }) => ({ id, label, verb, verbOne: singularVerb(verb) }));
}

/** "die" → "dies", "have a transplant" → "has a transplant": the first word of an English verb phrase. */
export function singularVerb(verb: string): string {
  const [first = '', ...rest] = verb.split(' ');
  const one =
    first === 'have'
      ? 'has'
      : first === 'are'
        ? 'is'
        : /(s|sh|ch|x|o)$/.test(first)
          ? `${first}es`
          : /[^aeiou]y$/.test(first)
            ? `${first.slice(0, -1)}ies`
            : `${first}s`;
  return [one, ...rest].join(' ');
}

export function eventsOf(plan: PlanForecast, times: readonly number[]): PlanEvents {
  return {
    ...identityOf(plan.plan),
    times,
    curves: Object.entries(plan.events).map(([event, { incidence, low, high, members }]) => ({
      event,
      incidence,
      low,
      high,
      members,
    })),
  };
}

export function signsOf(plan: PlanForecast, times: readonly number[]): PlanSigns {
  return {
    ...identityOf(plan.plan),
    times,
    curves: Object.entries(plan.signs).map(([sign, levels]) => ({ sign, probability: signShares(levels) })),
  };
}

/** People of `of` by event at a time. Rare events get a thousand people, so that they do not all round to none. */
export function countsOf(
  plans: readonly PlanForecast[],
  manifest: PackManifest,
  index: number,
): { of: 100 | 1000; plans: PlanCounts[] } {
  const highest = Math.max(...plans.flatMap((plan) => manifest.events.map((event) => incidenceAt(plan, event.id, index))));
  const of = highest < 0.015 ? 1000 : 100;
  return {
    of,
    plans: plans.map((plan) => ({
      ...identityOf(plan.plan),
      counts: Object.fromEntries(manifest.events.map((event) => [event.id, of * incidenceAt(plan, event.id, index)])),
    })),
  };
}

export interface OutcomeWords {
  readonly label: string;
  readonly verb: string;
  readonly verbOne: string;
}

export function outcomeWords(manifest: PackManifest, outcome: string): OutcomeWords {
  const events = outcome === anyEvent ? manifest.events : manifest.events.filter((event) => event.id === outcome);
  return {
    label: events.map((event) => event.label).join(' or '),
    verb: events.map((event) => event.verb).join(' or '),
    verbOne: events.map((event) => singularVerb(event.verb)).join(' or '),
  };
}

/** The page's first sentence. */
export function answer(
  forecast: Forecast,
  shown: readonly PlanForecast[],
  manifest: PackManifest,
  outcome: string,
  day: number,
): string {
  const index = timeIndex(forecast, day);
  const { verb, verbOne } = outcomeWords(manifest, outcome);
  const usual = shown.find((plan) => plan.plan.id === usualCareId) ?? shown[0]!;
  const highest = Math.max(...shown.map((plan) => incidenceAt(plan, outcome, index)));
  const of = highest < 0.015 ? 1000 : 100;
  const countUsual = Math.round(of * incidenceAt(usual, outcome, index));
  return outcomeSentence({
    horizon: Math.round(toTime(forecast.timesDays[index]!, manifest.grid.timeUnit) * 10) / 10,
    timeUnit: manifest.grid.timeUnit,
    of,
    verb,
    verbOne,
    arms: [usual, ...shown.filter((plan) => plan !== usual)].map((plan) => {
      const count = Math.round(of * incidenceAt(plan, outcome, index));
      const groups = forecast.differences.find((one) => one.planId === plan.plan.id);
      const sorted = groups ? differencesAt(groups, outcome, index) : [];
      const { name } = identityOf(plan.plan);
      if (sorted.length === 0) return { name, count };
      // From the counts as they are shown, so that the sentence adds up.
      return {
        name,
        count,
        difference: { estimate: count - countUsual, low: of * quantileOf(sorted, 0.05), high: of * quantileOf(sorted, 0.95) },
      };
    }),
  });
}

/** Differences of one outcome in people of 100, for the dots. */
export function differenceDots(difference: ForecastDifference, outcome: string, index: number): number[] {
  return differencesAt(difference, outcome, index).map((share) => 100 * share);
}

/** "Above 6 mg/dL in 3 years: about 37 of 100 under usual care, 29 under plan A, of those without an event." */
export function thresholdSentences(marker: MarkerDescription, shown: readonly PlanForecast[], index: number, when: string): string[] {
  return (marker.thresholds ?? []).flatMap((threshold) => {
    const parts = shown.flatMap((plan) => {
      const own = plan.markers[marker.id];
      const share = own && shareBeyond(own, index, threshold);
      if (!share) return [];
      const [low, high] = share;
      const count =
        high - low < 0.01
          ? `about ${Math.round(100 * low)}`
          : low === 0
            ? `fewer than ${Math.round(100 * high)}`
            : `more than ${Math.round(100 * low)}`;
      return [`${count} under ${identityOf(plan.plan).name}`];
    });
    if (parts.length === 0) return [];
    const side = threshold.direction === 'above' ? 'Above' : 'Below';
    return [
      `${side} ${threshold.value} ${unitText(marker.unit)} (${threshold.label}) ${when}, of 100 without an event: ${parts.join(', ')}.`,
    ];
  });
}

const roundTimes: Readonly<Record<TimeUnit, readonly number[]>> = {
  years: [0.5, 1, 2, 3, 5, 7, 10, 15],
  weeks: [4, 12, 24, 48, 72, 96, 120, 144],
  days: [1, 2, 3, 7, 14, 21, 28, 56, 84, 168],
  hours: [6, 12, 24, 48, 72, 96, 168],
  minutes: [5, 15, 30, 60, 120, 240],
};

/** Round horizons to read at, the whole one last. */
export function readDays(manifest: PackManifest, horizon: number): { day: number; label: string }[] {
  const { timeUnit } = manifest.grid;
  const whole = toTime(horizon, timeUnit);
  const days = roundTimes[timeUnit].filter((time) => time < whole - 1e-6).map((time) => toDays(time, timeUnit));
  return [...days, horizon].map((day) => ({ day, label: formatDuration(toTime(day, timeUnit), timeUnit) }));
}

export function lanesOf(
  plans: readonly Plan[],
  ran: readonly Plan[],
  hidden: ReadonlySet<string>,
  manifest: PackManifest,
): Lane[] {
  const { timeUnit } = manifest.grid;
  return plans.map((plan) => {
    const before = ran.find((one) => one.id === plan.id);
    return {
      id: plan.id,
      plan: identityOf(plan),
      locked: plan.id === usualCareId,
      hidden: hidden.has(plan.id),
      changed: before !== undefined && JSON.stringify(before) !== JSON.stringify(plan),
      blocks: leverBlocks(manifest, plan).map((block, index) => ({
        id: `${block.intervention}-${index}`,
        intervention: block.intervention,
        start: toTime(block.startDay, timeUnit),
        stop: toTime(block.stopDay, timeUnit),
      })),
    };
  });
}

export function blocksFromLane(blocks: readonly LaneBlock[], manifest: PackManifest) {
  const { timeUnit } = manifest.grid;
  // A horizon need not be a whole number of days: rounding must not push a block's end past it.
  const day = (time: number) => Math.min(toDays(time, timeUnit), horizonDays(manifest));
  return blocks.map((block) => ({ intervention: block.intervention, startDay: day(block.start), stopDay: day(block.stop) }));
}

export function laneInterventions(offered: readonly Intervention[]): LaneIntervention[] {
  return offered.map(({ id, label, shortLabel }) => ({ id, label, short: shortLabel }));
}
