/**
 * Integrated gradients through a learned pack: what each covariate, each dated measurement and each part of a plan contributes to the
 * mean path (mean-path.ts), from a person of whom nothing is known and who is given nothing, to this one.
 */
import type { Explained, GradientAttribution } from '#domain/explanation.ts';
import { addDays, daysBetween, type CovariateValue } from '#domain/record.ts';
import type { RunHooks } from '#engine/engine.ts';
import { covariateInputs, fromState } from '#packs/conditioning.ts';
import { covariateInputCount } from '#packs/manifest-views.ts';
import type { LearnedManifest, Transform } from '#packs/manifest.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { readHistory, type History } from '#twin/history.ts';
import type { ActiveSpan } from '#twin/step-inputs.ts';
import { recordWithout, type ResolvedPlan, type Subject } from './elements.ts';
import { figureOf } from './game.ts';
import { integrateGradients } from './integrated-gradients.ts';
import { notForecast, wholeSteps } from './learned-game.ts';
import { meanPath, type PathProblem, type SeenValue, type StepTerms, type Term } from './mean-path.ts';
import { inUnit, valueInWords } from './reference.ts';

/** Where a contribution comes from. */
interface PathInput {
  readonly id: string;
  readonly label: string;
  readonly day: number | null;
  readonly value: string;
}

export interface LearnedPath {
  readonly inputs: readonly PathInput[];
  readonly problem: PathProblem;
  readonly timesDays: readonly number[];
  readonly unit: string;
}

const wantedGap = 0.01;
const firstSteps = 12;
const mostSteps = 12 * 3 ** 4;

export async function gradientAttribution(
  pack: LearnedPack,
  subject: Subject,
  explained: Explained,
  /** Lets messages in; called between the points of the path. */
  pause: () => Promise<void>,
  hooks: RunHooks = {},
): Promise<GradientAttribution> {
  const { inputs, problem, timesDays, unit } = learnedPath(pack, subject, explained);
  const ones = new Float64Array(inputs.length).fill(1);
  const found = await integrateGradients(
    (amounts) => meanPath(problem, amounts),
    ones,
    new Float64Array(inputs.length),
    { firstSteps, gap: wantedGap, mostSteps },
    async (done, of) => {
      hooks.onProgress?.(done / of);
      await pause();
      hooks.signal?.throwIfAborted();
    },
  );
  const T = timesDays.length;
  return {
    timesDays,
    unit,
    base: [...found.base],
    full: [...found.full],
    inputs: inputs.map((input, i) => ({ ...input, contributions: [...found.contributions.subarray(i * T, (i + 1) * T)] })),
    completenessGap: found.completenessGap,
    steps: found.steps,
  };
}

/** What is known as amounts, and the path that they make. */
export function learnedPath(pack: LearnedPack, subject: Subject, explained: Explained): LearnedPath {
  const { manifest, network, encoder } = pack;
  const { record, today } = subject;
  const history = readHistory(manifest, record, today);
  const inputs: PathInput[] = [];
  const add = (input: PathInput) => inputs.push(input) - 1;

  const covariateAmounts = new Map(
    manifest.covariates.flatMap((covariate): [string, number][] => {
      const value = Object.hasOwn(record.covariates, covariate.id) ? record.covariates[covariate.id]! : null;
      if (value === null) return [];
      const { id, label } = covariate;
      return [[id, add({ id: `covariate-${id}`, label, day: null, value: valueInWords(covariate, value) })]];
    }),
  );
  const seen = seenValues(manifest, history, today, add);
  const base = personTerms(subject, manifest, history, covariateAmounts, seen, add);
  const conditioned = conditioner(subject, manifest, base, covariateAmounts);
  const treatmentAmounts = history.treatments.map(({ intervention, startDay }, place) =>
    add({
      id: `treatment-${place}`,
      label: `${labelOf(manifest, intervention)} so far`,
      day: Math.round(startDay - history.todayDays),
      value: 'given',
    }),
  );
  const past = Array.from({ length: Math.max(1, history.steps) }, (_, step) =>
    conditioned((intervention) => {
      const place = history.treatments.findIndex((span) => span.intervention === intervention && covers(manifest, span, step));
      return place < 0 ? null : { constant: 0, slope: 1, amount: treatmentAmounts[place]! };
    }),
  );
  const steps = wholeSteps(manifest, subject.horizonDays);
  const { future, less } = futureTerms(subject, manifest, steps, conditioned, add, explained.kind === 'difference');
  const { figure, unit } = figureIn(manifest, explained);
  return {
    inputs,
    timesDays: Array.from({ length: steps + 1 }, (_, t) => t * manifest.grid.stepDays),
    unit,
    problem: { network, encoder, past, steps: history.steps, seen, future, less, figure },
  };
}

type Add = (input: PathInput) => number;
type Factor = Pick<Term, 'constant' | 'slope' | 'amount'>;

/** Every measurement that the twin reads, by grid time. */
function seenValues(manifest: LearnedManifest, history: History, today: string, add: Add): (SeenValue | null)[][] {
  const S = manifest.network.S;
  const { markers, signs } = manifest;
  return Array.from({ length: history.steps + 1 }, (_, t) =>
    Array.from({ length: S }, (_, j): SeenValue | null => {
      if (history.mask[t * S + j] !== 1) return null;
      const value = history.values[t * S + j]!;
      const day = Math.round(t * manifest.grid.stepDays - history.todayDays);
      const marker = markers[j];
      const sign = signs[j - markers.length];
      const { id, label } = marker ?? sign!;
      const amount = add({
        id: `seen-${id}-${addDays(today, day)}`,
        label,
        day,
        value: marker ? inUnit(fromState(marker, value), marker.unit) : sign!.levels[value]!.label,
      });
      if (marker) return { amount, state: value, encoded: value };
      return { amount, state: middleOf(sign!.cuts, value), encoded: value - sign!.cuts.length / 2 };
    }),
  );
}

/** Half of a level's outer ones lies beyond this distance from the cut: the logistic's own scale. */
const outerReach = 1.1;

function middleOf(cuts: readonly number[], level: number): number {
  if (level === 0) return cuts[0]! - outerReach;
  if (level === cuts.length) return cuts.at(-1)! + outerReach;
  return (cuts[level - 1]! + cuts[level]!) / 2;
}

const one = { otherConstant: 1, otherSlope: 0, otherAmount: -1 } as const;
const fixed = (value: number): Term => ({ constant: value, slope: 0, amount: -1, ...one });

/** The conditioning inputs that describe the person: [C]. */
function personTerms(
  subject: Subject,
  manifest: LearnedManifest,
  history: History,
  covariateAmounts: ReadonlyMap<string, number>,
  seen: readonly (readonly (SeenValue | null)[])[],
  add: Add,
): Term[] {
  const reference = covariateInputs(manifest, referenceCovariates(subject, covariateAmounts), {}).values;
  const isFromEntry = daysBetween(subject.record.entryDate, subject.today) <= history.todayDays + manifest.grid.stepDays / 2;
  return manifest.conditioning.slice(0, covariateInputCount(manifest)).map((input, j): Term => {
    const own = history.covariates[j]!;
    if (own === reference[j]) return fixed(own);
    const amount =
      input.from === 'covariate'
        ? covariateAmounts.get(input.id)!
        : ((isFromEntry ? seen[0]![manifest.markers.findIndex(({ id }) => id === input.id)]?.amount : undefined) ??
          addEntryMarker(manifest, input.id, own, add));
    return { constant: reference[j]!, slope: own - reference[j]!, amount, ...one };
  });
}

/** A value at entry that the pack adjusts for and whose day the twin no longer reads. */
function addEntryMarker(manifest: LearnedManifest, id: string, state: number, add: Add): number {
  const marker = manifest.markers.find((candidate) => candidate.id === id)!;
  return add({
    id: `entry-${id}`,
    label: `${marker.label} at entry`,
    day: null,
    value: inUnit(fromState(marker, state), marker.unit),
  });
}

function referenceCovariates(subject: Subject, amounts: ReadonlyMap<string, number>): Readonly<Record<string, CovariateValue>> {
  return recordWithout(
    subject,
    [...amounts.keys()].map((id) => ({ of: 'covariate', id })),
  ).covariates;
}

type Conditioner = (active: (intervention: string) => Factor | null) => StepTerms;

/** The conditioning of a step, from how much of each intervention is active in it. */
function conditioner(
  subject: Subject,
  manifest: LearnedManifest,
  person: readonly Term[],
  covariateAmounts: ReadonlyMap<string, number>,
): Conditioner {
  const { covariates } = subject.record;
  const reference = referenceCovariates(subject, covariateAmounts);
  const holds = (input: LearnedManifest['conditioning'][number]): Pick<Term, 'otherConstant' | 'otherSlope' | 'otherAmount'> => {
    if (!(input.from === 'intervention' && 'when' in input)) return one;
    const { covariate, equals } = input.when;
    const [own, other] = [covariates[covariate] === equals ? 1 : 0, reference[covariate] === equals ? 1 : 0];
    if (own === other) return { otherConstant: own, otherSlope: 0, otherAmount: -1 };
    return { otherConstant: other, otherSlope: own - other, otherAmount: covariateAmounts.get(covariate)! };
  };
  const conditions = manifest.conditioning.map(holds);
  return (active) => ({
    v: manifest.conditioning.map((input, j): Term => {
      if (input.from !== 'intervention') return person[j]!;
      const factor = active(input.id);
      return factor ? { ...factor, ...conditions[j]! } : fixed(0);
    }),
    shift: manifest.events.map((event) =>
      manifest.interventions.flatMap(({ id, citedEffect }): Term[] => {
        const factor = citedEffect?.events.includes(event.id) ? active(id) : null;
        return factor ? [scaled(factor, citedEffect!.logHazardRatio)] : [];
      }),
    ),
  });
}

function scaled({ constant, slope, amount }: Factor, size: number): Term {
  return { constant: constant * size, slope: slope * size, amount, ...one };
}

function futureTerms(
  subject: Subject,
  manifest: LearnedManifest,
  steps: number,
  conditioned: Conditioner,
  add: Add,
  isDifference: boolean,
): { readonly future: StepTerms[]; readonly less: StepTerms[] | null } {
  const { plan, planReference } = subject;
  const isGiven = (from: ResolvedPlan, intervention: string, step: number) =>
    from.blocks.some((block) => block.intervention === intervention && covers(manifest, block, step)) ? 1 : 0;
  const amounts = new Map(
    manifest.interventions.flatMap(({ id, label }): [string, number][] => {
      const blocks = plan.blocks.filter(({ intervention }) => intervention === id);
      const differs = Array.from({ length: steps }, (_, step) => step).some(
        (step) => isGiven(plan, id, step) !== isGiven(planReference, id, step),
      );
      if (!differs) return [];
      const day = blocks.length === 0 ? 0 : Math.min(...blocks.map(({ startDay }) => startDay));
      const value = blocks.length === 0 ? 'not given, as in usual care it is' : 'given';
      return [[id, add({ id: `plan-${id}`, label: `Plan: ${label}`, day, value })]];
    }),
  );
  const terms = (of: ResolvedPlan | null) =>
    Array.from({ length: steps }, (_, step) =>
      conditioned((intervention) => {
        const usual = isGiven(planReference, intervention, step);
        const amount = amounts.get(intervention);
        if (!of || amount === undefined) return usual === 0 ? null : { constant: usual, slope: 0, amount: -1 };
        return { constant: usual, slope: isGiven(of, intervention, step) - usual, amount };
      }),
    );
  return { future: terms(plan), less: isDifference ? terms(null) : null };
}

/** As in the twin: a span is active in a step if it covers its midpoint. */
function covers({ grid }: LearnedManifest, { startDay, stopDay }: Omit<ActiveSpan, 'intervention'>, step: number): boolean {
  const midpoint = (step + 0.5) * grid.stepDays;
  return startDay <= midpoint && midpoint < stopDay;
}

function figureIn(
  manifest: LearnedManifest,
  explained: Explained,
): { readonly figure: PathProblem['figure']; readonly unit: string } {
  const asked = figureOf(explained);
  if (asked.kind === 'marker') {
    const index = manifest.markers.findIndex(({ id }) => id === asked.marker);
    if (index < 0) throw notForecast(manifest.title, asked.marker);
    const marker = manifest.markers[index]!;
    return {
      unit: marker.unit,
      figure: {
        kind: 'state',
        index,
        show: (state) => fromState(marker, state),
        slope: (state) => slopeOf(marker.transform, state),
      },
    };
  }
  const causes = manifest.events.flatMap(({ id }, k) => (asked.event === null || asked.event === id ? [k] : []));
  if (causes.length === 0) throw notForecast(manifest.title, asked.event ?? 'an event');
  return { unit: '1', figure: { kind: 'incidence', causes } };
}

/** Derivative of `fromState`. */
function slopeOf({ kind, mean, sd }: Transform, state: number): number {
  const inner = mean + sd * state;
  if (kind === 'log') return sd * Math.exp(inner);
  return kind === 'sqrt' ? 2 * sd * Math.max(0, inner) : sd;
}

function labelOf(manifest: LearnedManifest, intervention: string): string {
  return manifest.interventions.find(({ id }) => id === intervention)?.label ?? intervention;
}
