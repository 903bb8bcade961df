/** How much a coalition may cost. */
import type { EquationsPack } from '#packs/pack.ts';
import type { EquationsGameOptions } from './equations-game.ts';
import type { LearnedGameOptions } from './learned-game.ts';

/**
 * A first answer asks few coalitions and has nothing to average chance over: each gets more. Particles of each member, and futures; a
 * coalition takes about 25 ms on the processor for a first answer, 10 ms when every one is asked.
 */
export function learnedSize(effort: 'first' | 'every'): Pick<LearnedGameOptions, 'particlesPerMember' | 'rollouts'> {
  return effort === 'first' ? { particlesPerMember: 128, rollouts: 500 } : { particlesPerMember: 64, rollouts: 200 };
}

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
