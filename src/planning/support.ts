/** How far a plan lies from what the pack's people had, as a number with its reasons. */
import type { Plan } from '#domain/plan.ts';
import type { PlanSupport } from '#domain/planning.ts';
import type { EquationsManifest, LearnedManifest } from '#packs/manifest.ts';
import type { Person } from '#twin/equations/person.ts';
import { regimenDepartures } from '#twin/equations/plans.ts';
import type { History } from '#twin/history.ts';
import { departures, type Departure } from '#twin/plan-check.ts';

/** Timing, arms and what the person has had before. */
export function learnedSupport(manifest: LearnedManifest, history: History, plan: Plan, horizonDays: number): PlanSupport {
  return supportOf(departures(manifest, plan, history, horizonDays));
}

/** Doses, intervals and rates of infusion, those of the record that go on included. */
export function equationsSupport(manifest: EquationsManifest, person: Person, plan: Plan): PlanSupport {
  return supportOf(regimenDepartures(manifest, person, plan));
}

/** More than this share of diverged futures, and what is left is no longer the whole story. */
const toleratedDivergence = 0.01;

/** The same plan once it is known how many of its futures left the model's range. */
export function withDivergence({ distance, reasons }: PlanSupport, divergedShare: number): PlanSupport {
  if (divergedShare <= toleratedDivergence) return { distance, reasons };
  const percent = (100 * divergedShare).toFixed(1);
  return {
    distance: Math.max(distance, divergedShare),
    reasons: [
      ...reasons,
      `${percent} % of the simulated futures left the range that the model can describe and are not counted.`,
    ],
  };
}

function supportOf(found: readonly Departure[]): PlanSupport {
  return { distance: Math.max(0, ...found.map(({ distance }) => distance)), reasons: found.map(({ reason }) => reason) };
}
