/** What is asked on the Plan page, as it stands there: in the person's own terms, kept with the patient. */
import * as v from 'valibot';
import type { CovariateChange } from '#domain/dosing.ts';
import type { Plan } from '#domain/plan.ts';
import type { Burden, ChanceLimit, Goal, Measure, PlanQuestion, SearchSpace } from '#domain/planning.ts';
import { gridsOf, offeredSpaces } from '#planning/spaces.ts';
import type { EquationsManifest, LearnedManifest, PackManifest } from '#packs/manifest.ts';
import { isOffered, offeredMeasures, withinHorizon } from './measures.ts';
import { horizonDays, offeredInterventions } from './plans.ts';

export const exclusionReasons = ['allergy', 'refused', 'other'] as const;
export type ExclusionReason = (typeof exclusionReasons)[number];

export interface Exclusion {
  readonly intervention: string;
  readonly because: ExclusionReason;
}

export interface TypedQuestion {
  readonly goals: readonly Goal[];
  readonly limits: readonly ChanceLimit[];
  readonly excluded: readonly Exclusion[];
  /** By intervention, in its unit; no limit for those that are absent. */
  readonly maximumPerDay: Readonly<Record<string, number>>;
  readonly space: SearchSpace;
  readonly insistsOutside: boolean;
  readonly horizonDays: number;
  /** Of the last round. */
  readonly rollouts: number;
  /** In canonical units, by covariate: "what if renal function changes". */
  readonly changes: Readonly<Record<string, number>>;
  /** Days from now on which the changes begin. */
  readonly changesFromDay: number;
}

/** So many futures come first, whatever is chosen: a front to look at within seconds, where each is solved step by step as well. */
export function firstSearchRollouts(
  manifest: Pick<LearnedManifest, 'kind'> | Pick<EquationsManifest, 'kind' | 'models'>,
): number {
  const isSolved = manifest.kind === 'equations' && manifest.models.some(({ stepper }) => !quickSteppers.includes(stepper.kind));
  return isSolved ? 160 : 320;
}

/** A future of these takes microseconds on the processor, of the others up to a millisecond. */
const quickSteppers: readonly string[] = ['closed-form', 'map'];
export const searchRolloutChoices = [1000, 4000, 10_000] as const;

/**
 * Something to begin with: a benefit, a harm and a burden of the pack, of equal weight and chosen so that they pull apart. Null where
 * nothing can be chosen.
 */
export function firstQuestion(manifest: PackManifest): TypedQuestion | null {
  const [space] = offeredSpaces(manifest);
  if (!space || offeredInterventions(manifest).length === 0) return null;
  const days = horizonDays(manifest);
  const offered = offeredMeasures(manifest, days);
  const first = (isOne: (one: (typeof offered)[number]) => boolean) => offered.find(isOne);
  const amount = first(({ measure }) => measure.kind === 'burden' && measure.of === 'amount');
  const grid = gridsOf(manifest).find(({ intervention }) => space.kind === 'listed' && intervention === space.intervention);
  const isUnmodelled = grid?.benefit === 'not-modelled';
  const benefit = isUnmodelled
    ? amount && { ...amount, wish: 'more' as const }
    : (first(({ group, wish }) => group === 'Targets' && wish === 'more') ??
      first(({ measure }) => measure.kind === 'event-free-days') ??
      first(({ measure }) => measure.kind === 'marker-time'));
  const harm =
    offered.find(({ measure }) => measure.kind === 'target' && isOfTooMuch(manifest, measure.target, benefit?.measure)) ??
    first(({ group, wish }) => group === 'Targets' && wish === 'less') ??
    first(({ measure }) => measure.kind === 'marker-ever-outside');
  // Where all listed plans have as many doses, fewer of them is no wish.
  const isOneRhythm = grid?.intervalHours.length === 1 && !isUnmodelled;
  const burden = (isOneRhythm ? amount : undefined) ?? first(({ group }) => group === 'Burden');
  return {
    goals: [benefit, harm, burden].flatMap((one) => (one ? [{ measure: one.measure, wish: one.wish, weight: 5 }] : [])),
    // How much of what is to be avoided may be borne is for a person to say.
    limits: [],
    excluded: [],
    maximumPerDay: {},
    space,
    insistsOutside: false,
    horizonDays: days,
    rollouts: 4000,
    changes: {},
    changesFromDay: 0,
  };
}

/**
 * Whether a target warns of too much of what another one wants of the same read-out, no earlier: too little of it is what missing that
 * one says already.
 */
function isOfTooMuch(manifest: PackManifest, warning: string, wanted: Measure | undefined): boolean {
  if (manifest.kind !== 'equations' || wanted?.kind !== 'target') return false;
  const find = (id: string) => manifest.targets.find((target) => target.id === id)!;
  const [own, other] = [find(warning), find(wanted.target)];
  return (
    own.intent === 'avoid' &&
    own.low !== undefined &&
    other.high !== undefined &&
    own.measure.readout === other.measure.readout &&
    !(
      own.measure.window.kind === 'days' &&
      other.measure.window.kind === 'days' &&
      own.measure.window.to <= other.measure.window.from
    )
  );
}

/** A kept question under the pack as it is now: what this version does not offer is left out. */
export function fittingQuestion(manifest: PackManifest, kept: TypedQuestion): TypedQuestion | null {
  const first = firstQuestion(manifest);
  if (!first) return null;
  const days = Math.min(kept.horizonDays, horizonDays(manifest));
  const offered = new Set(offeredInterventions(manifest).map(({ id }) => id));
  const varying = new Set(manifest.covariates.flatMap((one) => (one.kind === 'number' && one.varies ? [one.id] : [])));
  const fitting = <T extends { readonly measure: Measure }>(those: readonly T[]) =>
    those
      .filter(({ measure }) => isOffered(manifest, measure))
      .map((one) => ({ ...one, measure: withinHorizon(one.measure, days) }));
  const only = (record: Readonly<Record<string, number>>, ids: ReadonlySet<string>) =>
    Object.fromEntries(Object.entries(record).filter(([id]) => ids.has(id)));
  return {
    ...kept,
    goals: fitting(kept.goals),
    limits: fitting(kept.limits),
    excluded: kept.excluded.filter(({ intervention }) => offered.has(intervention)),
    maximumPerDay: only(kept.maximumPerDay, offered),
    changes: only(kept.changes, varying),
    space: offeredSpaces(manifest).some(({ kind }) => kind === kept.space.kind) ? kept.space : first.space,
    horizonDays: days,
  };
}

/** The first sentence that speaks against the question, or null. */
export function questionFault(manifest: PackManifest, { goals, limits, excluded, space }: TypedQuestion): string | null {
  if (goals.length === 0) return 'Say at least one thing that is wanted.';
  if ([...goals, ...limits].some(({ measure }) => isOpen(measure))) {
    return 'A range of a marker needs a lower or an upper number, the lower one below the upper.';
  }
  const given = space.kind === 'on-off' ? space.interventions : [];
  const out = new Set(excluded.map(({ intervention }) => intervention));
  if (space.kind === 'amounts' && out.has(space.intervention))
    return 'What is searched is excluded. Search another, or take it back.';
  if (given.length > 0 && given.every((id) => out.has(id))) return 'Everything that is searched is excluded. Take one back.';
  if (offeredInterventions(manifest).every(({ id }) => out.has(id)))
    return 'Everything the pack offers is excluded. Take one back.';
  return null;
}

function isOpen(measure: Measure): boolean {
  if (measure.kind !== 'marker-at' && measure.kind !== 'marker-time' && measure.kind !== 'marker-ever-outside') return false;
  const { low, high } = measure;
  return (low === null && high === null) || (low !== null && high !== null && low >= high);
}

/** As it crosses to the worker. */
export function askedQuestion(
  typed: TypedQuestion,
  { own, rollouts, seed }: { readonly own: readonly Plan[]; readonly rollouts: number; readonly seed: number },
): PlanQuestion {
  const { excluded, changes, changesFromDay, ...rest } = typed;
  const changing = Object.entries(changes).map(([covariate, value]): CovariateChange => ({
    covariate,
    value,
    fromDay: changesFromDay,
  }));
  return {
    ...rest,
    excluded: excluded.map(({ intervention }) => intervention),
    ...(changing.length > 0 ? { changes: changing } : {}),
    own,
    rollouts,
    seed,
  };
}

const number = v.number();
const range = { marker: v.string(), low: v.nullable(number), high: v.nullable(number) };
const measureSchema = v.variant('kind', [
  v.object({ kind: v.literal('event-free-days') }),
  v.object({ kind: v.literal('event'), event: v.nullable(v.string()), byDay: number }),
  v.object({ kind: v.literal('marker-at'), ...range, day: number }),
  v.object({ kind: v.literal('marker-time'), ...range, fromDay: number, toDay: number }),
  v.object({ kind: v.literal('marker-ever-outside'), ...range, fromDay: number, toDay: number }),
  v.object({ kind: v.literal('target'), target: v.string() }),
  v.object({
    kind: v.literal('burden'),
    of: v.picklist(['doses', 'injections', 'infusion-hours', 'days-on-treatment', 'visits', 'amount'] satisfies Burden[]),
  }),
]);

/** Through this a kept question is read. */
export const questionSchema = v.object({
  goals: v.array(v.object({ measure: measureSchema, wish: v.picklist(['more', 'less']), weight: number })),
  limits: v.array(v.object({ measure: measureSchema, atMost: number })),
  excluded: v.array(v.object({ intervention: v.string(), because: v.picklist(exclusionReasons) })),
  maximumPerDay: v.record(v.string(), number),
  space: v.variant('kind', [
    v.object({ kind: v.literal('listed'), intervention: v.nullable(v.string()), withLoadingDose: v.boolean() }),
    v.object({ kind: v.literal('on-off'), interventions: v.array(v.string()), periodDays: number }),
    v.object({ kind: v.literal('amounts'), intervention: v.string(), periodDays: number }),
  ]),
  insistsOutside: v.boolean(),
  horizonDays: number,
  rollouts: number,
  changes: v.record(v.string(), number),
  changesFromDay: number,
}) satisfies v.GenericSchema<unknown, TypedQuestion>;
