import type { Crossing, TimeUnit } from './chart-types.ts';

/** Every sentence a chart says, made from numbers alone. English; numbers follow `locale` (default: the browser's). */

const singular: Record<TimeUnit, string> = {
  minutes: 'minute',
  hours: 'hour',
  days: 'day',
  weeks: 'week',
  months: 'month',
  years: 'year',
};

/** What the line between observed and simulated is called: nobody says "today" of a minute. */
export function presentWord(unit: TimeUnit): 'now' | 'today' {
  return unit === 'minutes' || unit === 'hours' ? 'now' : 'today';
}

/** Digits after the point that the spread supports: the last one shown is worth a third of the half-width at most, a thirtieth at least. */
function digitsFor(halfWidth: number): number {
  if (!Number.isFinite(halfWidth) || halfWidth <= 0) return 1;
  return Math.min(6, Math.max(0, -Math.floor(Math.log10(halfWidth / 3))));
}

/** Rounds to the power of ten that the half-width of the interval supports: 43.27 within ±6 is 43, 1 834 within ±360 is 1 800. */
export function roundToDoubt(value: number, halfWidth: number): number {
  if (!Number.isFinite(value)) return value;
  if (!Number.isFinite(halfWidth) || halfWidth <= 0) return value;
  const step = 10 ** Math.floor(Math.log10(halfWidth / 3));
  // Divided by the inverse where the step is below one, so that 0.1 + 0.2 noise does not show.
  return step < 1 ? Math.round(value * Math.round(1 / step)) / Math.round(1 / step) : Math.round(value / step) * step;
}

/** Without a spread: three significant digits, and no digits after the point from 100 up. Never more than `most` after the point. */
export function formatValue(
  value: number,
  options: {
    halfWidth?: number | undefined;
    unit?: string | undefined;
    locale?: string | undefined;
    most?: number | undefined;
  } = {},
): string {
  const { halfWidth, unit, locale, most = 6 } = options;
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  const digits =
    halfWidth !== undefined
      ? // A spread of nothing supports every digit and deserves none.
        Math.min(digitsFor(halfWidth), size >= 1 ? 3 : 6)
      : size >= 100 || Number.isInteger(value)
        ? 0
        : size >= 10
          ? 1
          : size >= 1
            ? 2
            : 3;
  const rounded = halfWidth !== undefined ? roundToDoubt(value, halfWidth) : value;
  const shown = Math.min(digits, most);
  const text = new Intl.NumberFormat(locale, {
    maximumFractionDigits: shown,
    minimumFractionDigits: halfWidth !== undefined ? shown : 0,
  })
    .format(rounded === 0 ? 0 : rounded)
    .replace('-', '−');
  return unit ? `${text}${unit === '%' ? '\u00a0%' : `\u00a0${unit}`}` : text;
}

/** With its sign: "+3", "−1.5", "0". */
export function formatSigned(value: number, halfWidth?: number, locale?: string): string {
  const text = formatValue(value, { halfWidth, locale });
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** Both ends to the digits that the width supports; a low end above zero keeps one digit of its own rather than become 0. */
export function formatRange(
  low: number,
  high: number,
  options: { unit?: string; locale?: string; most?: number | undefined } = {},
): string {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return '–';
  const halfWidth = (high - low) / 2;
  const { locale, most } = options;
  const lowText =
    low > 0 && roundToDoubt(low, halfWidth) === 0
      ? formatValue(low, { halfWidth: 3 * 10 ** Math.floor(Math.log10(low)), locale, most })
      : formatValue(low, { halfWidth, locale, most });
  // An en dash between numbers, "to" where a minus sign would make it ambiguous.
  const joint = low < 0 || high < 0 ? ' to ' : '–';
  const text = `${lowText}${joint}${formatValue(high, { halfWidth, locale, most })}`;
  return options.unit ? `${text}\u00a0${options.unit}` : text;
}

/** Whole percents; one digit more below 1 and above 99, where a whole percent would hide everything. */
export function formatPercent(share: number, locale?: string): string {
  return `${percentDigits(share, locale)}\u00a0%`;
}

/** "21 % (17–27)". */
export function formatPercentRange(share: number, low: number, high: number, locale?: string): string {
  const [from, to] = [percentDigits(low, locale), percentDigits(high, locale)];
  return from === to ? formatPercent(share, locale) : `${formatPercent(share, locale)} (${from}–${to})`;
}

function percentDigits(share: number, locale: string | undefined): string {
  const percent = share * 100;
  if (!Number.isFinite(percent)) return '–';
  if (percent > 0 && percent < 0.05) return '<\u20090.1';
  const isEdge = (percent > 0 && percent < 0.95) || (percent > 99.05 && percent < 100);
  return new Intl.NumberFormat(locale, { maximumFractionDigits: isEdge ? 1 : 0 }).format(percent);
}

export function formatDuration(length: number, unit: TimeUnit, locale?: string): string {
  const rounded = Math.round(length * 10) / 10;
  return `${formatValue(rounded, { locale })} ${rounded === 1 ? singular[unit] : unit}`;
}

/** "today" or "now", "2.5 years ago", "in 3 years". */
export function formatMoment(time: number, today: number, unit: TimeUnit, locale?: string): string {
  const offset = Math.round((time - today) * 10) / 10;
  if (offset === 0) return presentWord(unit);
  return offset < 0 ? `${formatDuration(-offset, unit, locale)} ago` : `in ${formatDuration(offset, unit, locale)}`;
}

/** A signed count of people: −4 is "4 fewer", 0 is "no difference". */
function moreOrFewer(difference: number): string {
  const count = Math.round(difference);
  return count === 0 ? 'no difference' : `${Math.abs(count)} ${count < 0 ? 'fewer' : 'more'}`;
}

/** The interval of a difference in people, from its less hopeful end to the other: "from 1 more to 9 fewer", "from 2 to 9 fewer". */
export function differenceRange(low: number, high: number): string {
  const [least, most] = [Math.round(low), Math.round(high)];
  if (least === most) return moreOrFewer(least) === 'no difference' ? 'no difference either way' : `${moreOrFewer(least)}`;
  if (most < 0) return `from ${-most} to ${-least} fewer`;
  if (least > 0) return `from ${least} to ${most} more`;
  return `from ${moreOrFewer(most)} to ${moreOrFewer(least)}`;
}

export interface OutcomeArm {
  readonly name: string;
  /** People of `of`: the middle, and where it may lie; without a range the count alone. */
  readonly count: number;
  readonly range?: { readonly low: number; readonly high: number };
  /** This arm minus the first, in people of `of`; absent on the first arm. */
  readonly difference?: { readonly estimate: number; readonly low: number; readonly high: number };
}

/**
 * "Over 5 years, in 100 people like this: 17–31 (middle 23) die under usual care, 14–27 (middle 19) under plan A (from 1 more to 9 fewer,
 * middle 4 fewer)." Intervals come before points.
 */
export function outcomeSentence(outcome: {
  horizon: number;
  timeUnit: TimeUnit;
  of: number;
  verb: string;
  verbOne?: string;
  arms: readonly OutcomeArm[];
  locale?: string;
}): string {
  const { horizon, timeUnit, of, verb, verbOne = verb, arms, locale } = outcome;
  const number = (value: number) => formatValue(Math.round(value), { locale });
  const parts = arms.map((arm, index) => {
    const { count, range, difference } = arm;
    const isRange = range !== undefined && Math.round(range.low) < Math.round(range.high);
    const how = isRange ? `${number(range.low)}–${number(range.high)} (middle ${number(count)})` : number(count);
    const what = index === 0 ? ` ${!isRange && Math.round(count) === 1 ? verbOne : verb}` : '';
    const gap = difference
      ? ` (${differenceRange(difference.low, difference.high)}, middle ${moreOrFewer(difference.estimate)})`
      : '';
    return `${how}${what} under ${arm.name}${gap}`;
  });
  return `Over ${formatDuration(horizon, timeUnit, locale)}, in ${formatValue(of, { locale })} people like this: ${parts.join(', ')}.`;
}

/** "crossed in 37 of 100 (usual care), 29 (plan A)"; one plan needs no name, and the denominator is said once where it is shared. */
export function crossingWords(crossed: readonly Crossing[] | undefined, short = false): string {
  if (!crossed || crossed.length === 0) return '';
  const [first] = crossed;
  const shared = crossed.every((one) => one.of === first.of);
  if (crossed.length === 1) return `crossed in ${Math.round(first.count)} of ${first.of}`;
  const parts = crossed.map((one, index) => {
    const name = short ? one.plan.letter : one.plan.name;
    const of = index === 0 || !shared ? ` of ${one.of}` : '';
    return short ? `${name} ${Math.round(one.count)}${of}` : `${Math.round(one.count)}${of} under ${name}`;
  });
  return `crossed in ${parts.join(', ')}`;
}

/** "half", "8 in 10", "9 in 10": a band's level as a share of simulated courses. */
export function levelWords(level: number): string {
  if (Math.abs(level - 0.5) < 1e-9) return 'half';
  const tenths = level * 10;
  return Math.abs(tenths - Math.round(tenths)) < 1e-9 ? `${Math.round(tenths)} in 10` : `${Math.round(level * 100)} in 100`;
}

export interface FanEnd {
  readonly name: string;
  readonly median: number;
  readonly half?: readonly [number, number];
  readonly most?: { readonly level: number; readonly low: number; readonly high: number };
  readonly members?: readonly [number, number];
}

/** What a fan chart shows, for someone who does not see it. */
export function fanSummary(fan: {
  title: string;
  unit: string;
  timeUnit: TimeUnit;
  lastObserved?: { readonly time: number; readonly value: number };
  today: number;
  end: number;
  plans: readonly FanEnd[];
  supportEnds?: number | undefined;
  withheld?: string | undefined;
  locale?: string;
}): string {
  const { title, unit, timeUnit, today, end, locale } = fan;
  const sentences = [`${title} in ${unit}.`];
  if (fan.lastObserved) {
    sentences.push(
      `Last observed ${formatValue(fan.lastObserved.value, { locale })}, ${formatMoment(fan.lastObserved.time, today, timeUnit, locale)}.`,
    );
  } else sentences.push('Nothing was observed.');
  if (fan.withheld) sentences.push(`No forecast: ${fan.withheld}`);
  for (const plan of fan.plans) {
    const halfWidth = plan.half
      ? (plan.half[1] - plan.half[0]) / 2
      : plan.most
        ? (plan.most.high - plan.most.low) / 2
        : undefined;
    const parts: string[] = [];
    if (plan.half) parts.push(`half of simulated courses lie within ${formatRange(plan.half[0], plan.half[1])}`);
    if (plan.most) parts.push(`${levelWords(plan.most.level)} within ${formatRange(plan.most.low, plan.most.high)}`);
    parts.push(`the middle course is at ${formatValue(plan.median, { halfWidth, locale })}`);
    sentences.push(`Under ${plan.name}, ${formatMoment(end, today, timeUnit, locale)}, ${parts.join(', ')}.`);
    if (plan.members) {
      sentences.push(
        `The models of the ensemble put that middle anywhere within ${formatRange(plan.members[0], plan.members[1])}.`,
      );
    }
  }
  if (fan.supportEnds !== undefined) {
    sentences.push(
      `From ${formatDuration(fan.supportEnds - today, timeUnit, locale)} on, the model has seen too few patients like this.`,
    );
  }
  return sentences.join(' ');
}

/** "In 41 of 50 equally likely differences fewer die under plan A than under usual care, in 7 more; 2 are no different." */
export function dotSentence(
  counts: { below: number; above: number; zero: number },
  words: { below: string; above: string },
): string {
  const total = counts.below + counts.above + counts.zero;
  const zero = counts.zero > 0 ? `; ${counts.zero} ${counts.zero === 1 ? 'is' : 'are'} no different` : '';
  return `Of ${total} equally likely outcomes, ${counts.below} show ${words.below} and ${counts.above} show ${words.above}${zero}.`;
}

/** "Above 6 mg/dL in 3 years: 7 of 20 under usual care, 5 or 6 under plan A." */
export function beyondSentence(
  line: string,
  when: string,
  of: number,
  arms: readonly { readonly name: string; readonly count: readonly [least: number, most: number] }[],
): string {
  const parts = arms.map(
    ({ name, count: [least, most] }, index) =>
      `${least === most ? least : most - least === 1 ? `${least} or ${most}` : `${least} to ${most}`}${index === 0 ? ` of ${of}` : ''} under ${name}`,
  );
  return `${line[0]!.toUpperCase()}${line.slice(1)} ${when}: ${parts.join(', ')}.`;
}

/** "Under plan A, of 100 people: 19 die, 12 start dialysis, 69 have neither." */
export function countsSentence(arm: {
  name: string;
  of: number;
  events: readonly { verb: string; count: number }[];
  free: string;
}): string {
  const rest = arm.of - arm.events.reduce((sum, event) => sum + Math.round(event.count), 0);
  const parts = arm.events.map((event) => `${Math.round(event.count)} ${event.verb}`);
  return `Under ${arm.name}, of ${arm.of} people: ${[...parts, `${rest} ${arm.free}`].join(', ')}.`;
}

/** A line's name with its value, unless the name says a number already: "above 4", "upper limit 1.2". */
export function thresholdWords(label: string, value: number): string {
  return /\d/.test(label) ? label : `${label} ${formatValue(value)}`;
}
