/** What can be taken away from a person or a plan, and how a record and a plan look without it. */
import type { Plan, PlanBlock, Regimen } from '#domain/plan.ts';
import type { IsoDate, IsoMinute, PatientRecord } from '#domain/record.ts';
import type { PackManifest } from '#packs/manifest.ts';
import type { PersonDose } from '#twin/equations/person.ts';
import { covariateReference } from './reference.ts';

export type Element =
  | { readonly of: 'covariate'; readonly id: string }
  /** By their places in the record. */
  | { readonly of: 'observations'; readonly places: readonly number[] }
  | { readonly of: 'treatments'; readonly places: readonly number[] }
  /** Doses up to now, from … to (exclusive) in hours from now. */
  | { readonly of: 'past-doses'; readonly intervention: string; readonly from: number; readonly to: number }
  | { readonly of: 'blocks'; readonly interventions: readonly string[] }
  | { readonly of: 'planned-doses'; readonly intervention: string; readonly from: number; readonly to: number };

/** Who is asked about, and under what. */
export interface Subject {
  readonly manifest: PackManifest;
  readonly record: PatientRecord;
  readonly today: IsoDate;
  readonly now: IsoMinute;
  readonly horizonDays: number;
  readonly plan: ResolvedPlan;
  /** What stands in the place of a plan's elements: nothing, or usual care where the difference to it is explained. */
  readonly planReference: ResolvedPlan;
}

/** All that is given from now on: what a plan brings and, where it does not stop them, the courses that go on. */
export interface ResolvedPlan {
  readonly blocks: readonly PlanBlock[];
  readonly regimens: readonly Regimen[];
}

export const nothingGiven: ResolvedPlan = { blocks: [], regimens: [] };

export function resolvePlan(plan: Plan, continuing: readonly Regimen[]): ResolvedPlan {
  return { blocks: plan.blocks, regimens: [...(plan.regimens ?? []), ...(plan.stopsCurrentDoses ? [] : continuing)] };
}

export function asPlan(id: string, { blocks, regimens }: ResolvedPlan): Plan {
  return { id, name: id, blocks, regimens, stopsCurrentDoses: true };
}

/** The record without these elements; what must be known is as typical of the pack's people. */
export function recordWithout({ manifest, record }: Subject, absent: readonly Element[]): PatientRecord {
  const covariates = { ...record.covariates };
  const gone = new Set(absent.flatMap((one) => (one.of === 'observations' ? one.places : [])));
  const stopped = new Set(absent.flatMap((one) => (one.of === 'treatments' ? one.places : [])));
  const hidden = new Set<string>();
  for (const element of absent) {
    if (element.of !== 'covariate') continue;
    const covariate = manifest.covariates.find(({ id }) => id === element.id)!;
    const { value } = covariateReference(manifest, covariate);
    if (value === null) delete covariates[element.id];
    else covariates[element.id] = value;
    // Where a covariate is measured again and again, its course goes with it.
    hidden.add(element.id);
  }
  return {
    ...record,
    covariates,
    observations: record.observations.filter(({ code }, place) => !gone.has(place) && !hidden.has(code)),
    treatments: record.treatments.filter((_, place) => !stopped.has(place)),
  };
}

/** The plan without these elements: in their place stands what the reference gives then. */
export function planWithout({ plan, planReference, horizonDays }: Subject, absent: readonly Element[]): ResolvedPlan {
  const isOut = (intervention: string) => absent.some((one) => one.of === 'blocks' && one.interventions.includes(intervention));
  const isOutAt = (intervention: string, hour: number) =>
    absent.some((one) => one.of === 'planned-doses' && one.intervention === intervention && hour >= one.from && hour < one.to);
  return {
    blocks: [
      ...plan.blocks.filter(({ intervention }) => !isOut(intervention)),
      ...planReference.blocks.filter(({ intervention }) => isOut(intervention)),
    ],
    regimens: [
      ...plan.regimens.flatMap((regimen) => piecesOf(regimen, horizonDays, (hour) => !isOutAt(regimen.intervention, hour))),
      ...planReference.regimens.flatMap((regimen) =>
        piecesOf(regimen, horizonDays, (hour) => isOutAt(regimen.intervention, hour)),
      ),
    ],
  };
}

/**
 * Doses that were given, less those that are taken away: these stay with an amount of 0, so that the person's time begins where it
 * did.
 */
export function dosesWithout(doses: readonly PersonDose[], absent: readonly Element[]): PersonDose[] {
  return doses.map((dose) => {
    const isOut = absent.some(
      (one) => one.of === 'past-doses' && one.intervention === dose.intervention && dose.hours >= one.from && dose.hours < one.to,
    );
    return isOut ? { ...dose, amount: 0 } : dose;
  });
}

/** Hours from now at which a regimen gives a dose within the horizon. */
export function doseHours({ startHour, everyHours, count }: Regimen, horizonDays: number): number[] {
  const horizon = horizonDays * 24;
  if (everyHours === null) return startHour < horizon ? [startHour] : [];
  const most = Math.max(0, Math.ceil((horizon - startHour) / everyHours - 1e-9));
  return Array.from({ length: Math.min(count ?? Infinity, most) }, (_, k) => startHour + k * everyHours);
}

/** A regimen's doses for which `keeps` holds, as regimens of the runs of neighbouring ones. */
function piecesOf(regimen: Regimen, horizonDays: number, keeps: (hour: number) => boolean): Regimen[] {
  const pieces: Regimen[] = [];
  let run: number[] = [];
  const close = () => {
    if (run.length > 0) pieces.push({ ...regimen, startHour: run[0]!, count: run.length });
    run = [];
  };
  for (const hour of doseHours(regimen, horizonDays)) {
    if (keeps(hour)) run.push(hour);
    else close();
  }
  close();
  return pieces;
}
