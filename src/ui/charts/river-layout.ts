/** Contributions stacked around a base: what raises lies above it, what lowers below it, the largest nearest to it. Pure. */
import type { RiverGroup } from './chart-types.ts';

export interface RiverLayer {
  readonly id: string;
  readonly label: string;
  /** 1 for the largest; null for what is drawn together as the rest. */
  readonly number: number | null;
  /** [time] signed, as it was given. */
  readonly values: readonly number[];
  /** [time] the ends of the layer in the chart's own values. One of both pairs has no height at any time. */
  readonly above: { readonly low: readonly number[]; readonly high: readonly number[] };
  readonly below: { readonly low: readonly number[]; readonly high: readonly number[] };
}

export const mostLayers = 6;
export const restId = 'rest';

/** How much a group moves the figure, over all times: the order in which groups are named and stacked. */
const weightOf = ({ contributions }: RiverGroup) => Array.from(contributions).reduce((sum, one) => sum + Math.abs(one), 0);

export const ranked = (groups: readonly RiverGroup[]): RiverGroup[] => [...groups].sort((a, b) => weightOf(b) - weightOf(a));

/** The largest `most` groups each for itself, and the others together as one where there are several. */
export function riverLayers(base: ArrayLike<number>, groups: readonly RiverGroup[], most = mostLayers): RiverLayer[] {
  const order = ranked(groups);
  const own = order.length <= most + 1 ? order : order.slice(0, most);
  const others = order.slice(own.length);
  const times = base.length;
  const parts: { id: string; label: string; number: number | null; values: number[] }[] = own.map((group, index) => ({
    id: group.id,
    label: group.label,
    number: index < most ? index + 1 : null,
    values: Array.from({ length: times }, (_, t) => group.contributions[t] ?? 0),
  }));
  if (others.length > 0) {
    const values = Array.from({ length: times }, (_, t) => others.reduce((sum, one) => sum + (one.contributions[t] ?? 0), 0));
    parts.push({ id: restId, label: `the other ${others.length}`, number: null, values });
  }
  const [top, bottom] = [Array.from(base), Array.from(base)];
  return parts.map((part) => {
    const above = { low: [...top], high: top.map((value, t) => value + Math.max(0, part.values[t]!)) };
    const below = { low: bottom.map((value, t) => value + Math.min(0, part.values[t]!)), high: [...bottom] };
    for (let t = 0; t < times; t++) {
      top[t] = above.high[t]!;
      bottom[t] = below.low[t]!;
    }
    return { ...part, above, below };
  });
}

/** The layer at a height of the picture; null between base and nothing. */
export function layerAt(layers: readonly RiverLayer[], index: number, value: number): RiverLayer | null {
  return (
    layers.find(
      ({ above, below }) =>
        (value >= above.low[index]! && value < above.high[index]!) || (value > below.low[index]! && value <= below.high[index]!),
    ) ?? null
  );
}

/** Where a layer is thickest: there its number stands. */
export function thickestAt({ above, below }: RiverLayer): { readonly index: number; readonly value: number } {
  let best = { index: 0, value: Number.NaN, height: -1 };
  for (let t = 0; t < above.low.length; t++) {
    for (const { low, high } of [above, below]) {
      const height = high[t]! - low[t]!;
      if (height > best.height) best = { index: t, value: (low[t]! + high[t]!) / 2, height };
    }
  }
  return best;
}
