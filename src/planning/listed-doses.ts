/** What of a pack's listed doses can be given, and what to begin with where nothing is given yet. */
import type { Regimen } from '#domain/plan.ts';
import type { DoseGrid } from '#packs/manifest.ts';
import type { bodySize } from '#twin/equations/person.ts';

export type BodySize = ReturnType<typeof bodySize>;

/** What a listed amount is multiplied with; null where the person's weight or body surface is not known. */
export function sizeFor(per: DoseGrid['per'], { weightKg, surfaceM2 }: BodySize): number | null {
  return { dose: 1, kg: weightKg, m2: surfaceM2 }[per];
}

/** The nearest whole number of steps: one at least, and none that comes to more than `most`. */
export function givable({ roundTo, maximumDose }: DoseGrid, amount: number, most = maximumDose): number {
  const rounded = Math.max(1, Math.min(Math.floor(most / roundTo + 1e-9), Math.round(amount / roundTo))) * roundTo;
  // 3 × 0.1 is not 0.3 in binary.
  return Number(rounded.toPrecision(12));
}

/** The middle of all that is listed: something to begin with, which says nothing of merit. */
export function middleRegimen(grid: DoseGrid, size: number): Regimen {
  return {
    intervention: grid.intervention,
    amount: givable(grid, middle(grid.amounts)! * size),
    route: grid.route,
    durationHours: middle(grid.durationHours) ?? null,
    startHour: grid.startHours[0]!,
    everyHours: middle(grid.intervalHours)!,
    count: null,
  };
}

function middle(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
}
