/** The words of the Trust page. */
import type { RecalibrationFigure, RecalibrationKind, Standing } from '#domain/trust.ts';
import type { FrozenRow } from '#app/trust.svelte.ts';
import { formatPercent, formatPercentRange, formatRange, formatSigned, formatValue } from '#ui/charts/chart-words.ts';

export const verdictWords: Readonly<Record<Standing['verdict'], string>> = {
  inside: 'Nothing known of this person sets them apart from the pack’s people.',
  partly: 'This person lies partly outside what the pack’s people were like: the forecast is marked, and to be read with care.',
  outside: 'This person lies outside what the pack’s people were like: the forecast is withheld.',
};

export const kindWords: Readonly<Record<RecalibrationKind, { readonly title: string; readonly what: string }>> = {
  intervals: {
    title: 'Widths of the bands',
    what: 'Makes the bands of each marker wider or narrower about their middle, as far as local values lay outside or inside them.',
  },
  'event-odds': {
    title: 'Odds of events',
    what: 'Moves the chance of an event up or down where local patients had it more or less often than was forecast.',
  },
  head: {
    title: 'The network’s output',
    what: 'Tunes the last numbers of the network: how each marker drifts and spreads in a step, and how likely events are. It runs on this device, on its GPU where there is one.',
  },
};

export function scoreSentence({ pValue, reference, label }: Standing['scores'][number]): string {
  if (reference === 0) {
    const of =
      pValue >= 0.01
        ? `${Math.max(1, Math.round(100 * pValue))} of 100`
        : pValue >= 0.0001
          ? 'fewer than 1 of 100'
          : 'fewer than 1 of 10,000';
    return `${label}: under the model, ${of} such courses would be at least as surprising.`;
  }
  const share = Math.round(100 * pValue);
  const of = share >= 1 ? `${share} of 100` : 'fewer than 1 of 100';
  return `${of} of the pack’s people lie at least as far out.`;
}

export function frozenSentence(rows: readonly FrozenRow[]): string {
  const outcomes = rows.flatMap((row) => row.outcomes);
  const values = outcomes.flatMap(({ of }) => (of.kind === 'marker' ? [of] : []));
  if (rows.length === 0) return 'None was put away yet. Freeze one on the Forecast page, and see later whether it came true.';
  const frozen = rows.length === 1 ? '1 forecast was frozen' : `${rows.length} forecasts were frozen`;
  if (values.length === 0) return `${frozen}; nothing that they speak of has come yet.`;
  const inside = values.filter(({ covered }) => covered['0.9']).length;
  const noun = values.length === 1 ? 'value has' : 'values have';
  return `${frozen}; ${values.length} ${noun} come since, ${inside} of them inside the range that was to hold 9 in 10.`;
}

/** Where a value lay in its forecast. */
export function rankWords(rank: number): string {
  if (rank < 0.05) return 'below the 90 % range';
  if (rank > 0.95) return 'above the 90 % range';
  if (rank < 0.25) return 'in the lower part';
  if (rank > 0.75) return 'in the upper part';
  return 'in the middle half';
}

export function figureText({ value, low, high, wanted }: RecalibrationFigure): string {
  if (wanted === 0) return `${formatSigned(value)} (${formatSigned(low)} to ${formatSigned(high)})`;
  if (wanted !== null) return formatPercentRange(value, low, high);
  return `${formatValue(value)} (${formatRange(low, high)})`;
}

export function wantedText({ wanted }: RecalibrationFigure): string {
  return wanted === null ? '–' : wanted === 0 ? '0' : formatPercent(wanted);
}
