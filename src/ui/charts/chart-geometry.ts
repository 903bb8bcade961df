import { area, bisector, extent, line, scaleLinear, scaleLog } from 'd3';
import type { ScaleContinuousNumeric } from 'd3';
import type { Band, PlanColour, Span, TimeUnit } from './chart-types.ts';

/** Scales, paths and positions. Pure: numbers in, numbers and path text out. */

/** The same left and right margins in every chart with a time axis, so that stacked charts share one. */
export const margins = { left: 52, right: 28 } as const;

/** Dash patterns by plan: the letter and the dash still tell plans apart in grey. */
export const planDash: Record<PlanColour, string | undefined> = {
  usual: undefined,
  a: undefined,
  b: '7 4',
  c: '1.5 4.5',
  d: '9 3 2 3',
};

export type Scale = (value: number) => number;

export function timeScale(domain: Span, width: number): ScaleContinuousNumeric<number, number> {
  return scaleLinear()
    .domain([...domain])
    .range([margins.left, Math.max(margins.left + 1, width - margins.right)]);
}

/** Bottom-up scale over `domain`, widened to round numbers. A log scale is refused (linear instead) when the domain touches zero. */
export function valueScale(
  domain: Span,
  kind: 'linear' | 'log',
  top: number,
  bottom: number,
): ScaleContinuousNumeric<number, number> {
  const range: [number, number] = [bottom, top];
  if (kind === 'log' && domain[0] > 0) {
    // A little air at both ends, so that no mark is cut by the frame.
    return scaleLog()
      .domain([domain[0] / 1.2, domain[1] * 1.2])
      .range(range);
  }
  const [low, high] = domain[0] === domain[1] ? [domain[0] - 1, domain[1] + 1] : domain;
  return scaleLinear().domain([low, high]).nice(4).range(range);
}

/** Widened to round numbers at both ends. */
export function niceSpan(span: Span): Span {
  const [low, high] = scaleLinear()
    .domain([...span])
    .nice(4)
    .domain() as [number, number];
  return [low, high];
}

/** About one label per 44 px of height, never fewer than two. */
export function valueTicks(scale: ScaleContinuousNumeric<number, number>, height: number): number[] {
  const wanted = Math.max(2, Math.round(height / 44));
  const ticks = scale.ticks(wanted);
  if (ticks.length <= wanted * 2) return ticks;
  // scaleLog ignores the count within a decade: keep 1, 2 and 5 of each, then only the powers.
  const leading = (value: number) => Math.round(value / 10 ** Math.floor(Math.log10(value)));
  const few = ticks.filter((value) => [1, 2, 5].includes(leading(value)));
  return few.length <= wanted * 2 ? few : ticks.filter((value) => leading(value) === 1);
}

const steps: Record<TimeUnit, readonly number[]> = {
  minutes: [1, 2, 5, 10, 15, 30, 60, 120, 240],
  hours: [1, 2, 3, 6, 12, 24, 48, 72, 168],
  days: [1, 2, 7, 14, 28, 56, 91, 182, 364, 728],
  weeks: [1, 2, 4, 8, 13, 26, 52, 104, 260],
  months: [1, 2, 3, 6, 12, 24, 60, 120],
  years: [0.25, 0.5, 1, 2, 5, 10, 20],
};

/** Round distances from today, so that "today" is always a tick and the others read as "+1, +2". */
export function timeTicks(domain: Span, today: number, unit: TimeUnit, width: number): number[] {
  const room = Math.min(10, Math.max(2, Math.floor(width / 56)));
  const length = domain[1] - domain[0];
  const step =
    steps[unit].find((one) => length / one <= room) ??
    steps[unit][steps[unit].length - 1] * Math.ceil(length / (steps[unit][steps[unit].length - 1] * room));
  const ticks: number[] = [];
  for (let k = Math.ceil((domain[0] - today) / step - 1e-9); today + k * step <= domain[1] + 1e-9; k++)
    ticks.push(today + k * step);
  return ticks;
}

const indices = (length: number) => Array.from({ length }, (_, index) => index);
const places = (value: number) => Math.round(value * 100) / 100;

export function linePath(times: ArrayLike<number>, values: ArrayLike<number>, x: Scale, y: Scale): string {
  return (
    line<number>()
      .defined((i) => Number.isFinite(values[i]) && Number.isFinite(y(values[i])))
      .x((i) => places(x(times[i])))
      .y((i) => places(y(values[i])))(indices(Math.min(times.length, values.length))) ?? ''
  );
}

export function bandPath(times: ArrayLike<number>, low: ArrayLike<number>, high: ArrayLike<number>, x: Scale, y: Scale): string {
  return (
    area<number>()
      .defined(
        (i) => Number.isFinite(low[i]) && Number.isFinite(high[i]) && Number.isFinite(y(low[i])) && Number.isFinite(y(high[i])),
      )
      .x((i) => places(x(times[i])))
      .y0((i) => places(y(low[i])))
      .y1((i) => places(y(high[i])))(indices(Math.min(times.length, low.length, high.length))) ?? ''
  );
}

export const widestFirst = (bands: readonly Band[]): Band[] => [...bands].sort((one, other) => other.level - one.level);

/**
 * Soft edges without a blur: between a band and the next inner one (or its middle) lie `steps` thin copies, so that ink grows inwards
 * and nobody reads the outermost pixel as a wall. They interpolate edges, so they say nothing about levels; the named levels keep the larger step.
 */
export function softSteps(
  bands: readonly Band[],
  median: ArrayLike<number>,
  steps = 3,
): { low: number[]; high: number[]; named: number | null }[] {
  const sorted = widestFirst(bands);
  const drawn: { low: number[]; high: number[]; named: number | null }[] = [];
  sorted.forEach((band, index) => {
    const inner = sorted[index + 1];
    // The innermost band fades over the outer third only: its middle is the median's neighbourhood, not a further level.
    const reach = inner ? 1 : 0.35;
    for (let step = 0; step < steps; step++) {
      const share = (step / steps) * reach;
      const mix = (from: ArrayLike<number>, to: ArrayLike<number>) =>
        indices(from.length).map((i) => from[i] + (to[i] - from[i]) * share);
      drawn.push({
        low: mix(band.low, inner ? inner.low : median),
        high: mix(band.high, inner ? inner.high : median),
        named: step === 0 ? band.level : null,
      });
    }
  });
  return drawn;
}

/** Lowest and highest at each time over several series: the ensemble's spread. */
export function spreadOf(series: readonly ArrayLike<number>[]): { low: number[]; high: number[] } | null {
  if (series.length < 2) return null;
  const length = Math.min(...series.map((one) => one.length));
  const low: number[] = [];
  const high: number[] = [];
  for (let i = 0; i < length; i++) {
    const [least, most] = extent(series, (one) => one[i]);
    low.push(least ?? Number.NaN);
    high.push(most ?? Number.NaN);
  }
  return { low, high };
}

/** Lowest and highest finite number over all series; null when there is none. */
export function rangeOf(series: Iterable<ArrayLike<number>>): Span | null {
  let low = Infinity;
  let high = -Infinity;
  for (const one of series) {
    for (let i = 0; i < one.length; i++) {
      if (!Number.isFinite(one[i])) continue;
      if (one[i] < low) low = one[i];
      if (one[i] > high) high = one[i];
    }
  }
  return low <= high ? [low, high] : null;
}

/** Linear between neighbours; NaN outside the times, never an extrapolation. */
export function valueAt(times: ArrayLike<number>, values: ArrayLike<number>, time: number): number {
  const last = times.length - 1;
  if (last < 0 || time < times[0] - 1e-9 || time > times[last] + 1e-9) return Number.NaN;
  let high = 1;
  while (high < last && times[high] < time) high++;
  if (last === 0) return values[0];
  const low = high - 1;
  const share = (time - times[low]) / (times[high] - times[low] || 1);
  return values[low] + (values[high] - values[low]) * Math.min(1, Math.max(0, share));
}

const nearest = bisector((time: number) => time).center;

/** The nearest of `times` (sorted), or null when there are none. */
export function nearestTime(times: readonly number[], time: number): number | null {
  return times.length === 0 ? null : times[nearest(times, time)];
}

/** Sorted, without near duplicates: the stops a reader steps through with the arrow keys. */
export function readingStops(observed: readonly { time: number }[], series: readonly { times: ArrayLike<number> }[]): number[] {
  const all = [...observed.map((one) => one.time), ...series.flatMap((one) => Array.from(one.times))].sort((a, b) => a - b);
  return all.filter((time, index) => index === 0 || time - all[index - 1] > 1e-9);
}

/** Moves labels apart, keeping their order and staying within the bounds where there is room. */
export function spreadLabels(positions: readonly number[], gap: number, top: number, bottom: number): number[] {
  const order = positions.map((y, index) => ({ y, index })).sort((a, b) => a.y - b.y);
  let floor = top;
  for (const one of order) {
    one.y = Math.max(one.y, floor);
    floor = one.y + gap;
  }
  let ceiling = bottom;
  for (const one of [...order].reverse()) {
    one.y = Math.min(one.y, ceiling);
    ceiling = one.y - gap;
  }
  const out: number[] = new Array<number>(positions.length);
  for (const one of order) out[one.index] = one.y;
  return out;
}

/** The first of `candidates` (heights of a label's middle) with the fewest marks under a label that spans `from`..`to`. */
export function calmest(
  candidates: readonly number[],
  marks: readonly { x: number; y: number }[],
  from: number,
  to: number,
  reach = 10,
): number {
  const covered = (y: number) =>
    marks.filter((mark) => mark.x >= from - 4 && mark.x <= to + 4 && Math.abs(mark.y - y) < reach).length;
  return candidates.reduce((best, y) => (covered(y) < covered(best) ? y : best));
}
