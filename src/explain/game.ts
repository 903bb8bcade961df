/** Figures over time for any choice of given groups: what Shapley values are computed from. */
import type { Explained } from '#domain/explanation.ts';
import type { RunHooks } from '#engine/engine.ts';
import type { Element } from './elements.ts';
import type { GroupOfElements } from './groups.ts';

export interface Game {
  readonly groups: readonly GroupOfElements[];
  readonly timesDays: readonly number[];
  readonly unit: string;
  /**
   * [coalition] of [time], in the order of `coalitions`. Every coalition of one seed sees the same draws, so that what differs between
   * two of them is the groups and not chance. NaN where the figure does not exist, as the median of nobody.
   */
  values(coalitions: readonly number[], seed: number, hooks: RunHooks): Promise<Float64Array[]>;
}

/** What is left out in a coalition. */
export function absentIn(groups: readonly GroupOfElements[], coalition: number): Element[] {
  return groups.flatMap(({ elements }, g) => (coalition & (1 << g) ? [] : elements));
}

/** The figure itself, without the comparison. */
export function figureOf(explained: Explained): Exclude<Explained, { readonly kind: 'difference' }> {
  return explained.kind === 'difference' ? explained.of : explained;
}

/** Coalitions by what they share: `mask` names the groups whose presence matters for the part of the work that is shared. */
export function sharing(coalitions: readonly number[], mask: number): Map<number, number[]> {
  const shared = new Map<number, number[]>();
  for (const coalition of coalitions) {
    const key = coalition & mask;
    const own = shared.get(key);
    if (own) own.push(coalition);
    else shared.set(key, [coalition]);
  }
  return shared;
}

/** Bits of the groups that hold an element of these kinds. */
export function maskOf(groups: readonly GroupOfElements[], kinds: readonly Element['of'][]): number {
  return groups.reduce(
    (mask, { elements }, g) => (elements.some((element) => kinds.includes(element.of)) ? mask | (1 << g) : mask),
    0,
  );
}
