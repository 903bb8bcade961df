/** Doses cut into a few spans of time that a person has words for: each dose, days, weeks. */
export interface TimeBin {
  /** Hours from now, `to` exclusive. */
  readonly from: number;
  readonly to: number;
  /** "dose 2", "week 3", "hours 6 to 12". */
  readonly label: string;
}

const lengths: readonly { readonly hours: number; readonly unit: string | null }[] = [
  { hours: 1 / 60, unit: 'minute' },
  { hours: 1 / 12, unit: null },
  { hours: 0.25, unit: null },
  { hours: 1, unit: 'hour' },
  { hours: 6, unit: null },
  { hours: 12, unit: null },
  { hours: 24, unit: 'day' },
  { hours: 2 * 24, unit: null },
  { hours: 7 * 24, unit: 'week' },
  { hours: 14 * 24, unit: null },
  { hours: 28 * 24, unit: null },
  { hours: 91 * 24, unit: null },
  { hours: 365.25 * 24, unit: 'year' },
];

// An hour written as a fraction of a day comes back with rounding.
const tick = 1e-6;

/** The finest spans, counted from `origin`, of which at most `most` hold one of these hours; one span for all if none does. */
export function timeBins(hours: readonly number[], origin: number, most: number): TimeBin[] {
  const instants = [...new Set(hours)].sort((a, b) => a - b);
  if (instants.length === 0) return [];
  if (instants.length <= most) {
    return instants.map((at, i) => ({
      from: at - tick,
      to: (instants[i + 1] ?? Infinity) - tick,
      label: instants.length === 1 ? 'the dose' : `dose ${i + 1}`,
    }));
  }
  for (const { hours: length, unit } of lengths) {
    const numbers = [...new Set(instants.map((at) => Math.floor((at - origin) / length + tick)))];
    if (numbers.length > most) continue;
    return numbers.map((number) => ({
      from: origin + number * length - tick,
      to: origin + (number + 1) * length - tick,
      label: unit ? `${unit} ${number + 1}` : span(number * length, (number + 1) * length),
    }));
  }
  return [{ from: -Infinity, to: Infinity, label: 'all doses' }];
}

/** Days are counted as a person counts them: the first is day 1. */
function span(from: number, to: number): string {
  if (to - from >= 24) return `days ${Math.round(from / 24) + 1} to ${Math.round(to / 24)}`;
  if (to - from >= 1) return `hours ${Math.round(from)} to ${Math.round(to)}`;
  return `minutes ${Math.round(from * 60)} to ${Math.round(to * 60)}`;
}
