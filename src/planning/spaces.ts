/** What can be searched in a pack, from its manifest alone, so that the page needs no medicine of its own. */
import { hoursPerDay } from '#domain/doses.ts';
import type { SearchSpace } from '#domain/planning.ts';
import { leverInterventions } from '#packs/manifest-views.ts';
import type { DoseGrid, Intervention, PackManifest } from '#packs/manifest.ts';

/** So many decisions can be searched well; longer periods are offered where a horizon holds more. */
const mostDecisions = 40;
const mostAmounts = 12;

/**
 * The spaces that a pack offers, each with what a page begins with; none where there is nothing to choose. Listed doses come first,
 * then levers that are on or off, then what is continuous. Which interventions are searched, and in what periods, a person may change.
 */
export function offeredSpaces(manifest: PackManifest): readonly SearchSpace[] {
  const grids = gridsOf(manifest);
  const switched = switchedInterventions(manifest);
  const free = switched.filter(({ timing }) => timing === 'any').map(({ id }) => id);
  return [
    ...grids.map(({ intervention }): SearchSpace => ({ kind: 'listed', intervention, withLoadingDose: false })),
    ...(switched.length > 0 ? [{ kind: 'listed', intervention: null, withLoadingDose: false } as const] : []),
    ...(free.length > 0 ? [{ kind: 'on-off', interventions: free, periodDays: firstPeriod(manifest) } as const] : []),
    ...grids.map(({ intervention, ...grid }): SearchSpace => ({
      kind: 'amounts',
      intervention,
      periodDays: firstAmountPeriod(grid, horizonOf(manifest)),
    })),
  ];
}

/** Levers that are switched on and off and not given in doses. */
export function switchedInterventions(manifest: PackManifest): readonly Intervention[] {
  const levers = leverInterventions(manifest);
  if (manifest.kind === 'learned') return levers;
  const controlled = new Set(manifest.models.flatMap(({ controls = [] }) => controls.map(({ intervention }) => intervention)));
  return levers.filter(({ id }) => controlled.has(id));
}

export function gridsOf(manifest: PackManifest): readonly DoseGrid[] {
  return manifest.kind === 'equations' ? manifest.doseGrids : [];
}

/** The longest forecast of a pack, in days. */
export function horizonOf({ grid }: Pick<PackManifest, 'grid'>): number {
  return grid.horizonSteps * grid.stepDays;
}

/**
 * Hours between doses of a plan with an amount for each period: the longest listed interval that the period holds whole, so that a
 * period has as few doses as the pack knows; the shortest of all where it holds none.
 */
export function rhythmOf({ intervalHours }: Pick<DoseGrid, 'intervalHours'>, periodDays: number): number {
  const ascending = intervalHours.toSorted((a, b) => a - b);
  return ascending.findLast((hours) => isWhole((periodDays * hoursPerDay) / hours)) ?? ascending[0]!;
}

const isWhole = (value: number) => value > 0.5 && Math.abs(value - Math.round(value)) < 1e-6;

/** Whole grid steps, doubled until the horizon holds few enough of them. */
function firstPeriod({ grid }: Pick<PackManifest, 'grid'>): number {
  let steps = 1;
  while (grid.horizonSteps / steps > mostDecisions) steps *= 2;
  return steps * grid.stepDays;
}

/** Whole dosing intervals, doubled until the horizon holds few enough of them. */
function firstAmountPeriod(grid: Pick<DoseGrid, 'intervalHours'>, horizonDays: number): number {
  const intervals = grid.intervalHours.toSorted((a, b) => a - b);
  const longest = intervals.findLast((hours) => hours <= horizonDays * hoursPerDay) ?? intervals[0]!;
  let period = longest / hoursPerDay;
  while (horizonDays / period > mostAmounts) period *= 2;
  return period;
}
