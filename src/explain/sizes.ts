/** How much a coalition may cost. */
import type { EquationsPack } from '#packs/pack.ts';
import type { EquationsGameOptions } from './equations-game.ts';

/** Futures of a coalition under a learned pack. */
export const coalitionFutures = 100;

/**
 * A closed form takes microseconds a virtual patient, a differential equation a third of a millisecond: it gets fewer groups, so that
 * every coalition can still be asked in minutes.
 */
export function coalitionSize(
  { programs }: EquationsPack,
  effort: 'first' | 'every',
): EquationsGameOptions & { mostGroups: number } {
  const isCheap = programs.every(({ priorWeight, stepper }) => priorWeight === 0 || stepper.kind === 'closed-form');
  if (isCheap) return { mostGroups: 12, lanes: effort === 'every' ? 256 : 128 };
  return { mostGroups: 9, lanes: effort === 'every' ? 96 : 48 };
}
