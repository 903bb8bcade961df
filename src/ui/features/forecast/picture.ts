/** From a forecast in days to what the charts take: one time axis in the pack's own unit, today at 0. */
import { dotQuantile, type Forecast, type ForecastDifference, type MarkerForecast, type PlanForecast } from '#domain/forecast.ts';
import type { Plan, PlanBlock, Regimen } from '#domain/plan.ts';
import { hoursBetween } from '#domain/doses.ts';
import type { PatientRecord } from '#domain/record.ts';
import type { DrawnFuture } from '#domain/truth.ts';
import type { Intervention, MarkerDescription, PackManifest, Target } from '#app/manifest.ts';
import { observedValues } from '#app/observed.ts';
import { horizonDays, leverBlocks, letterOf, usualCareId } from '#app/plans.ts';
import {
  anyEvent,
  differencesAt,
  incidenceAt,
  incidenceRange,
  likelyValues,
  readingOf,
  signShares,
  targetRead,
  timeIndex,
} from '#app/reading.ts';
import type { Reading } from '#app/reading.ts';
import { regimenText, shortRegimenText } from '#app/regimens.ts';
import { unitText } from '#app/units.ts';
import type {
  AskedThreshold,
  EventKind,
  Lane,
  LaneBlock,
  LaneIntervention,
  Observation,
  PastFan,
  PlanColour,
  PlanCounts,
  PlanEvents,
  PlanFan,
  PlanIdentity,
  PlanOutcomes,
  PlanSigns,
  Span,
  TargetRange,
  TargetRow,
  TruthLine,
} from '#ui/charts/chart-types.ts';
import { formatDuration, formatMoment, formatRange, formatValue, outcomeSentence } from '#ui/charts/chart-words.ts';

const daysPer = { years: 365.25, weeks: 7, days: 1, hours: 1 / 24, minutes: 1 / 1440 } as const;
type TimeUnit = keyof typeof daysPer;

export const toTime = (days: number, unit: TimeUnit): number => days / daysPer[unit];

/** Whole days where a pack counts in days or longer; of hours and minutes, the days without the crumbs of binary fractions. */
function toDays(time: number, unit: TimeUnit): number {
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
export function pageSpan(record: PatientRecord, manifest: PackManifest, now: string, horizonDays: number): Span {
  const { timeUnit } = manifest.grid;
  const days = [...manifest.markers, ...manifest.signs].flatMap(({ id }) =>
    observedValues(record, manifest, id, now).map((one) => one.day),
  );
  const doses = (record.doses ?? []).map((course) => hoursBetween(now, course.start) / 24);
  const first = Math.min(0, ...days, ...doses);
  const horizon = toTime(horizonDays, timeUnit);
  return [-Math.min(toTime(-first, timeUnit) * 1.03, horizon * 0.6), horizon];
}

export function observedOf(
  record: PatientRecord,
  manifest: PackManifest,
  marker: MarkerDescription,
  now: string,
  span: Span,
): Observation[] {
  return observedValues(record, manifest, marker.id, now)
    .map((one) => ({
      time: toTime(one.day, manifest.grid.timeUnit),
      value: one.value,
      source: one.source,
      ...(one.limit ? { censored: one.limit } : {}),
    }))
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

/** The twin's own course before now, as far as the page's axis reaches back. */
export function pastOf(forecast: Forecast, marker: MarkerDescription, manifest: PackManifest): PastFan | undefined {
  const own = forecast.past?.markers[marker.id];
  return (
    own && {
      times: forecast.past!.timesDays.map((day) => toTime(day, manifest.grid.timeUnit)),
      bands: own.bands,
      median: own.median,
    }
  );
}

/**
 * Targets that can be drawn on a marker's own axis: those about a single value of the read-out that the marker shows. An area under
 * the curve, or a share of time, has another unit.
 */
export function targetRanges(manifest: PackManifest, marker: MarkerDescription): TargetRange[] {
  if (manifest.kind !== 'equations') return [];
  const readouts = manifest.models.flatMap((model) =>
    model.observations.filter((one) => one.marker === marker.id).map((one) => one.readout),
  );
  return manifest.targets
    .filter(({ measure }) => readouts.includes(measure.readout) && measure.statistic !== 'increase')
    .map((target): TargetRange => {
      const { statistic, between } = target.measure;
      const { label, intent } = target;
      return { label, intent, ...(statistic === 'share-within' ? between : { low: target.low, high: target.high }) };
    })
    .filter(({ low, high }) => low !== undefined || high !== undefined);
}

export function targetRows(shown: readonly PlanForecast[], target: Target): TargetRow[] {
  return shown.flatMap(({ plan, targets }) => {
    const own = targets?.[target.id];
    const identity = identityOf(plan);
    return own ? [{ ...own, id: plan.id, name: identity.name, plan: identity }] : [];
  });
}

/** Before a count: "reached in 62 of 100"; what is to be avoided is so "in 31 of 100". */
export const targetVerb = ({ intent }: Target): string => (intent === 'reach' ? 'reached in' : 'in');

/** "AUC24 400 to 600 is reached in 62 of 100 draws under usual care, 71 under plan A." */
function targetSentence(target: Target, shown: readonly PlanForecast[]): string {
  const parts = targetRows(shown, target).map(({ name, probability }, index) => {
    const count = Math.round(100 * probability);
    return index === 0 ? `${count} of 100 draws under ${name}` : `${count} under ${name}`;
  });
  if (parts.length === 0) return '';
  return `${target.label}${target.intent === 'reach' ? ' is reached in' : ': in'} ${parts.join(', ')}.`;
}

/** "Bilirubin in 3 years: half of simulated courses within 2.1–4.4 mg/dL under usual care, …" */
function markerSentence(forecast: Forecast, shown: readonly PlanForecast[], manifest: PackManifest, day: number): string {
  const [marker] = manifest.markers;
  const index = timeIndex(forecast, day);
  const { timeUnit } = manifest.grid;
  const parts = shown.flatMap(({ plan, markers }) => {
    const half = marker && markers[marker.id]?.bands.find(({ level }) => level === 0.5);
    return half ? [`${formatRange(half.low[index]!, half.high[index]!)} under ${identityOf(plan).name}`] : [];
  });
  if (!marker || parts.length === 0) return forecast.message;
  const when = formatMoment(toTime(forecast.timesDays[index]!, timeUnit), 0, timeUnit);
  return `${marker.label} ${when}, in ${unitText(marker.unit) || 'points'}: half of simulated courses lie within ${parts.join(', ')}.`;
}

export function eventKinds(manifest: PackManifest): EventKind[] {
  return manifest.events.map(({ id, label, verb }) => ({ id, label, verb, verbOne: singularVerb(verb) }));
}

/** "die" → "dies", "have a transplant" → "has a transplant": the first word of an English verb phrase. */
function singularVerb(verb: string): string {
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
    curves: Object.entries(plan.events).map(([event, { incidence, low, high }]) => ({ event, incidence, low, high })),
  };
}

/** What the interval of a chance allows for, as charts say it. */
export function chanceInterval(manifest: PackManifest): string {
  return manifest.kind === 'learned'
    ? `for doubt about the model, whose ${manifest.network.M} versions differ`
    : 'from the number of simulated courses alone';
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

/** Where charts are hatched, on the page's time axis: a whole chart, so only where no shown plan is inside; one among others is said in words. */
export function supportEnds(shown: readonly PlanForecast[]): number | undefined {
  return shown.every(({ outsideSupport }) => outsideSupport.length > 0) ? 0 : undefined;
}

/** The page's first sentence: what was asked, and which of the shown plans the pack has no evidence for. */
export function answer(
  forecast: Forecast,
  shown: readonly PlanForecast[],
  manifest: PackManifest,
  outcome: string,
  day: number,
): string {
  const outside = shown.filter(({ outsideSupport }) => outsideSupport.length > 0).map(({ plan }) => plan.name);
  const sentence = outcomeAnswer(forecast, shown, manifest, outcome, day);
  if (outside.length === 0) return sentence;
  const names = new Intl.ListFormat('en-GB').format(outside);
  return `${sentence} ${names} ${outside.length === 1 ? 'lies' : 'lie'} outside the pack’s evidence.`;
}

function outcomeAnswer(
  forecast: Forecast,
  shown: readonly PlanForecast[],
  manifest: PackManifest,
  outcome: string,
  day: number,
): string {
  const target = targetRead(manifest, outcome);
  if (target && manifest.kind === 'equations') {
    // What is to be reached never stands without what is to be avoided.
    const other = target.intent === 'reach' ? manifest.targets.find(({ intent }) => intent === 'avoid') : undefined;
    return [target, other]
      .map((one) => one && targetSentence(one, shown))
      .filter(Boolean)
      .join(' ');
  }
  if (manifest.events.length === 0) return markerSentence(forecast, shown, manifest, day);
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
      const difference = forecast.differences.find((one) => one.planId === plan.plan.id);
      const dots = difference ? differencesAt(difference, outcome, index) : [];
      const { name } = identityOf(plan.plan);
      const spread = incidenceRange(plan, outcome, index);
      const range = spread && { low: of * spread.low, high: of * spread.high };
      if (dots.length === 0) return { name, count, ...(range ? { range } : {}) };
      // From the counts as they are shown, so that the sentence adds up.
      return {
        name,
        count,
        ...(range ? { range } : {}),
        difference: { estimate: count - countUsual, low: of * dotQuantile(dots, 0.05), high: of * dotQuantile(dots, 0.95) },
      };
    }),
  });
}

/** Differences of one outcome in people of 100, for the dots. */
export function differenceDots(difference: ForecastDifference, outcome: string, index: number): number[] {
  return differencesAt(difference, outcome, index).map((share) => 100 * share);
}

/** So many dots a plan: few enough to count. */
const likelyDots = 20;

export function outcomesOf(shown: readonly PlanForecast[], marker: MarkerDescription, index: number): PlanOutcomes[] {
  return shown.flatMap((plan) => {
    const own = plan.markers[marker.id];
    const values = own ? likelyValues(own, index, likelyDots) : [];
    return values.length > 0 ? [{ ...identityOf(plan.plan), values }] : [];
  });
}

/** A line's label says its number, or gets it: "above 6 mg/dL", "above 1,150 cm³ (a sphere of 13 cm)". */
export function askedThresholds(marker: MarkerDescription): AskedThreshold[] {
  return (marker.thresholds ?? []).map(({ value, label, direction }) => ({
    value,
    direction,
    label: /(above|below)\b.*\d/.test(label)
      ? label
      : `${direction} ${formatValue(value, { unit: unitText(marker.unit) })} (${label})`,
  }));
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

export interface LaneSource {
  readonly ran: readonly Plan[];
  readonly hidden: ReadonlySet<string>;
  /** Doses of the record that go on: part of every plan that does not stop them. */
  readonly continuing: readonly Regimen[];
}

export function lanesOf(plans: readonly Plan[], { ran, hidden, continuing }: LaneSource, manifest: PackManifest): Lane[] {
  const { timeUnit } = manifest.grid;
  return plans.map((plan) => {
    const before = ran.find((one) => one.id === plan.id);
    const goingOn = plan.stopsCurrentDoses ? [] : continuing;
    return {
      id: plan.id,
      plan: identityOf(plan),
      locked: plan.id === usualCareId,
      hidden: hidden.has(plan.id),
      changed: before !== undefined && JSON.stringify(before) !== JSON.stringify(plan),
      blocks: [
        ...leverBlocks(manifest, plan).map((block, index) => ({
          id: `${block.intervention}-${index}`,
          intervention: block.intervention,
          start: toTime(block.startDay, timeUnit),
          stop: toTime(block.stopDay, timeUnit),
        })),
        ...(plan.regimens ?? []).map((regimen, index) => regimenBlock(regimen, regimenBlockId(index), manifest)),
        ...goingOn.map((regimen, index) => ({ ...regimenBlock(regimen, `current-${index}`, manifest), locked: true })),
      ],
    };
  });
}

export const regimenBlockId = (index: number): string => `regimen-${index}`;

/** Which of the plan's regimens a block draws; null for blocks that are switched on and off, and for doses of the record. */
export function regimenIndex(blockId: string): number | null {
  const match = /^regimen-(\d+)$/.exec(blockId);
  return match ? Number(match[1]) : null;
}

/** Doses beyond so many are drawn as a block without marks. */
const mostMarks = 400;

function regimenBlock(regimen: Regimen, id: string, manifest: PackManifest): LaneBlock {
  const { timeUnit } = manifest.grid;
  const horizonHours = horizonDays(manifest) * 24;
  const { startHour, everyHours, count, durationHours } = regimen;
  const stopHour =
    everyHours === null
      ? // A single dose has hardly a length of its own, and must still be seen and grasped.
        startHour + Math.max(durationHours ?? 0, horizonHours / 30)
      : Math.min(horizonHours, count === null ? horizonHours : startHour + count * everyHours);
  const doses = everyHours === null ? 1 : Math.min(Math.ceil((stopHour - startHour) / everyHours - 1e-9), mostMarks);
  const time = (hours: number) => toTime(hours / 24, timeUnit);
  return {
    id,
    intervention: regimen.intervention,
    start: time(startHour),
    stop: time(Math.min(Math.max(stopHour, startHour + horizonHours / 200), horizonHours)),
    text: shortRegimenText(regimen, manifest),
    marks: Array.from({ length: doses }, (_, dose) => time(startHour + dose * (everyHours ?? 0))),
  };
}

/** What a plan gives once its lane was changed: blocks as they lie, regimens begun and ended where their block does. */
export function planFromLane(
  plan: Plan,
  blocks: readonly LaneBlock[],
  manifest: PackManifest,
): { readonly blocks: readonly PlanBlock[]; readonly regimens?: readonly Regimen[] } {
  const { timeUnit } = manifest.grid;
  // A horizon need not be a whole number of days: rounding must not push a block's end past it.
  const day = (time: number) => Math.min(toDays(time, timeUnit), horizonDays(manifest));
  const switched = blocks
    .filter((block) => !block.locked && regimenIndex(block.id) === null)
    .map((block) => ({ intervention: block.intervention, startDay: day(block.start), stopDay: day(block.stop) }));
  if (!plan.regimens) return { blocks: switched };
  const hours = (time: number) => Math.round(toDays(time, timeUnit) * 24 * 60) / 60;
  const regimens = plan.regimens.flatMap((regimen, index): Regimen[] => {
    const block = blocks.find((one) => one.id === regimenBlockId(index));
    if (!block) return [];
    const before = regimenBlock(regimen, block.id, manifest);
    if (block.start === before.start && block.stop === before.stop) return [regimen];
    const moved = { ...regimen, startHour: hours(block.start) };
    const isLength = Math.abs(block.stop - block.start - (before.stop - before.start)) > 1e-6;
    if (regimen.everyHours === null || !isLength) return [moved];
    const isOpen = block.stop >= toTime(horizonDays(manifest), timeUnit) - 1e-6;
    return [{ ...moved, count: isOpen ? null : Math.max(1, Math.round(hours(block.stop - block.start) / regimen.everyHours)) }];
  });
  return { blocks: switched, regimens };
}

/** One line a plan of doses, for the words under the lanes. */
export function doseLines(plans: readonly Plan[], continuing: readonly Regimen[], manifest: PackManifest): string[] {
  return plans.flatMap((plan) => {
    const regimens = [...(plan.regimens ?? []), ...(plan.stopsCurrentDoses ? [] : continuing)];
    const { name } = identityOf(plan);
    return regimens.length === 0 ? [] : [`${name}: ${regimens.map((one) => regimenText(one, manifest)).join('; ')}`];
  });
}

export function laneInterventions(offered: readonly Intervention[]): LaneIntervention[] {
  return offered.map(({ id, label, shortLabel }) => ({ id, label, short: shortLabel }));
}

/** "In how many of 100 people like this does it happen within 5 years: death?" */
export function guessQuestion(manifest: PackManifest, outcome: string, forecast: Forecast, day: number): string {
  const target = targetRead(manifest, outcome);
  if (target) return `In how many of 100 simulated courses comes: ${target.label}?`;
  const duration = readDuration(forecast, manifest, day);
  if (manifest.events.length > 0)
    return `Of 100 people like this, how many ${outcomeWords(manifest, outcome).verb} within ${duration}?`;
  return `Where does the middle of ${manifest.markers[0]?.label ?? 'the marker'} lie after ${duration}?`;
}

export const guessUnit = (reading: Reading): string => (reading.kind === 'chance' ? 'of 100' : unitText(reading.unit));

/** A line a guess: the guess, then the model's interval, then its middle. */
export function guessSentences(
  forecast: Forecast,
  guesses: Readonly<Record<string, number>>,
  manifest: PackManifest,
  outcome: string,
  day: number,
): string[] {
  return forecast.plans.flatMap((one) => {
    const guess = guesses[one.plan.id];
    const reading = readingOf(forecast, one, manifest, outcome, day);
    if (guess === undefined || !reading) return [];
    const { name } = identityOf(one.plan);
    if (reading.kind === 'chance') {
      const [low, high, middle] = [reading.low, reading.high, reading.value].map((share) => Math.round(100 * share));
      return [
        `Under ${name} you said ${formatValue(guess)} of 100; the model says ${from(low!, high!)} of 100, middle ${middle}.`,
      ];
    }
    const unit = unitText(reading.unit);
    return [
      `Under ${name} you said ${formatValue(guess)} ${unit}; 9 in 10 simulated courses lie within ${formatRange(reading.low, reading.high, { unit })}, the middle at ${formatValue(reading.value, { halfWidth: (reading.high - reading.low) / 2 })}.`,
    ];
  });
}

const from = (low: number, high: number) => (low === high ? String(low) : `${low} to ${high}`);

/** How far the reading time is, as a person counts. */
export function readDuration(forecast: Forecast, manifest: PackManifest, day: number): string {
  const { timeUnit } = manifest.grid;
  const time = toTime(forecast.timesDays[timeIndex(forecast, day)]!, timeUnit);
  return formatDuration(Math.round(time * 10) / 10, timeUnit);
}

/** What was drawn for a made-up person. Days count from the drawing; `shiftDays` is how long ago that was. */
export function truthSentence(truth: DrawnFuture, manifest: PackManifest, shiftDays: number): string {
  const { timeUnit } = manifest.grid;
  const opening = 'This person was drawn, and so is what comes of them under usual care';
  const event = truth.event && manifest.events.find(({ id }) => id === truth.event!.id);
  if (!truth.event || !event)
    return `${opening}: none of the pack’s events within its horizon. The dash-dotted line is their course.`;
  const when = formatMoment(toTime(truth.event.day - shiftDays, timeUnit), 0, timeUnit);
  return `${opening}: ${event.label[0]!.toLowerCase()}${event.label.slice(1)} ${when}. The dash-dotted line is their course.`;
}

/** On the page's axis. */
export function truthLine(truth: DrawnFuture, marker: string, timeUnit: TimeUnit, shiftDays: number): TruthLine {
  return {
    times: truth.timesDays.map((day) => toTime(day - shiftDays, timeUnit)),
    values: (truth.markers[marker] ?? []).map((value) => value ?? Number.NaN),
  };
}
