/** What both kinds of packs make of the futures of an arm. */
import { AppError } from '#domain/errors.ts';
import type { PlanSupport } from '#domain/planning.ts';

const fewestFutures = 2;
/** Usual care alone says nothing. */
export const fewestArms = 2;

export const stoppedMessage = 'Not finished: the plans and policies that were simulated so far are shown.';

export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** Throws `request_invalid` unless it is a whole number of at least two. */
export function requireFutures(futures: number): void {
  if (Number.isInteger(futures) && futures >= fewestFutures) return;
  throw new AppError(
    'request_invalid',
    `Futures: found ${futures}, expected a whole number of at least ${fewestFutures}. Ask for more.`,
  );
}

/** Of everything that a policy may lead to. */
export function farthest(supports: readonly PlanSupport[]): PlanSupport {
  return {
    distance: Math.max(0, ...supports.map(({ distance }) => distance)),
    reasons: [...new Set(supports.flatMap(({ reasons }) => reasons))],
  };
}

/** Groups are runs of futures, one after the other. */
export function groupMeans(figures: Float64Array, groups: number): Float64Array {
  const edge = (group: number) => Math.floor((group * figures.length) / groups);
  return Float64Array.from({ length: groups }, (_, group) => {
    let sum = 0;
    let count = 0;
    for (let i = edge(group); i < edge(group + 1); i++) {
      const value = figures[i]!;
      if (Number.isNaN(value)) continue;
      sum += value;
      count++;
    }
    return count === 0 ? Number.NaN : sum / count;
  });
}
