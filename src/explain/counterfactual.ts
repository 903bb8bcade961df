/**
 * The smallest change of what can be changed that takes a figure past a limit, inside what the pack's people had. Levers of a plan have
 * evidence and come first. Laboratory values and habits can be changed too, but what the pack knows of them is an association: in
 * people in whom they were different, the figure was different. Age, sex, genes and other facts are never changed.
 */
import type { CounterfactualAnswer, CounterfactualQuestion } from '#domain/explanation.ts';
import type { PlanBlock, Regimen } from '#domain/plan.ts';
import type { CovariateValue, PatientRecord } from '#domain/record.ts';
import { fromState, toCanonical, toState } from '#packs/conditioning.ts';
import { middleRegimen } from '#planning/listed-doses.ts';
import { leverInterventions } from '#packs/manifest-views.ts';
import type { Covariate, DoseGrid, Intervention, MarkerDescription, PackManifest, Transform } from '#packs/manifest.ts';
import { readHistory } from '#twin/history.ts';
import { outsideSupport } from '#twin/plan-check.ts';
import type { ResolvedPlan, Subject } from './elements.ts';
import { asPlan } from './elements.ts';
import { figureOf } from './game.ts';
import { covariateKind, isRead } from './groups.ts';
import { inUnit, isWide, valueInWords } from './reference.ts';
import { smallestChanges, type Axis, type Change } from './smallest-change.ts';

/** One way to change a person or a plan, by a share of the way to its end. */
export interface ChangeAxis extends Axis {
  readonly label: string;
  readonly from: string;
  readonly to: (share: number) => string;
  readonly claim: string;
  readonly record?: (record: PatientRecord, share: number) => PatientRecord;
  readonly plan?: (plan: ResolvedPlan, share: number) => ResolvedPlan;
}

const answersWanted = 4;
const answersShown = 6;
const mostEvaluations = 240;

/** `evaluate` gives the figure at the question's day for a changed record and plan, always with the same draws. */
export async function counterfactual(
  subject: Subject,
  { explained, wanted, changeable }: CounterfactualQuestion,
  unit: string,
  evaluate: (record: PatientRecord, plan: ResolvedPlan) => Promise<number>,
): Promise<CounterfactualAnswer> {
  const figure = figureOf(explained);
  const own = figure.kind === 'marker' ? figure.marker : null;
  const axes = changeAxes(subject, own).filter(({ input }) => changeable.length === 0 || changeable.includes(input));
  const sign = wanted.direction === 'below' ? 1 : -1;
  const distance = (value: number) => (Number.isNaN(value) ? Infinity : sign * (value - wanted.value));
  const now = await evaluate(subject.record, subject.plan);
  const answer = (answers: CounterfactualAnswer['answers'], message: string): CounterfactualAnswer => ({
    now,
    unit,
    answers,
    message,
  });
  const past = `${wanted.direction} ${inUnit(wanted.value, unit)}`;
  if (distance(now) <= 0) return answer([], `It is ${past} already.`);
  if (axes.length === 0) return answer([], 'This pack reads nothing of this person that could be changed.');
  const found = await smallestChanges(axes, (change) => evaluate(...changed(subject, axes, change)), distance, {
    wanted: answersWanted,
    mostEvaluations,
  });
  if (found.length === 0) {
    return answer([], `No change of up to three inputs, inside what the pack’s people had, takes it ${past}.`);
  }
  return answer(
    found.slice(0, answersShown).map(({ change, size, reached }) => ({
      changes: change.map(({ axis, share }) => {
        const { input, label, from, to } = axes[axis]!;
        return { id: input, label, from, to: to(share) };
      }),
      size,
      reached,
      claim: [...new Set(change.map(({ axis }) => axes[axis]!.claim))].join(' '),
    })),
    'Simulated under the model’s assumptions, with the same draws for every change. Fewer changes come first, and plans before associations.',
  );
}

function changed(subject: Subject, axes: readonly ChangeAxis[], change: Change): [PatientRecord, ResolvedPlan] {
  let { record, plan } = subject;
  for (const { axis, share } of change) {
    const { record: inRecord, plan: inPlan } = axes[axis]!;
    if (inRecord) record = inRecord(record, share);
    if (inPlan) plan = inPlan(plan, share);
  }
  return [record, plan];
}

/** What of this person or plan can be changed; ids are those of `changeable`. Without the marker that is asked about. */
export function changeAxes(subject: Subject, markerAskedAbout: string | null): ChangeAxis[] {
  return [...leverAxes(subject), ...doseAxes(subject), ...covariateAxes(subject), ...markerAxes(subject, markerAskedAbout)];
}

function evidenceClaim({ whatIfClass, label, evidence }: Intervention): string {
  const kinds: Partial<Record<Intervention['whatIfClass'], string>> = {
    R: 'from a randomised comparison',
    X: 'from a cited trial, laid over natural history',
    M: 'by the model’s mechanism',
    S: 'learned in a simulator where all that decided treatment is known',
  };
  return `${label}: a plan’s effect, ${kinds[whatIfClass] ?? 'as the pack describes it'}. ${evidence.statement}`;
}

/** Interventions that are on or off: given to the horizon, or not given. Only what the evidence covers. */
function leverAxes(subject: Subject): ChangeAxis[] {
  const { manifest, plan, horizonDays } = subject;
  const dosed = new Set(inputsOf(manifest).map(({ intervention }) => intervention));
  return leverInterventions(manifest)
    .filter(({ id }) => !dosed.has(id))
    .flatMap((lever): ChangeAxis[] => {
      const { id, label, exclusiveGroup } = lever;
      const isGiven = plan.blocks.some((block) => block.intervention === id && block.startDay < horizonDays);
      const isRival = ({ intervention }: PlanBlock) =>
        intervention === id ||
        (exclusiveGroup !== null &&
          manifest.interventions.find((one) => one.id === intervention)?.exclusiveGroup === exclusiveGroup);
      const apply = (own: ResolvedPlan): ResolvedPlan => ({
        ...own,
        blocks: isGiven
          ? own.blocks.filter(({ intervention }) => intervention !== id)
          : [...own.blocks.filter((block) => !isRival(block)), { intervention: id, startDay: 0, stopDay: horizonDays }],
      });
      if (isOutside(subject, apply(plan))) return [];
      const words = ['not given', 'given from today to the horizon'] as const;
      return [
        {
          input: `lever-${id}`,
          isStep: true,
          sizeAt: () => 1,
          rank: 0,
          label,
          from: words[isGiven ? 1 : 0],
          to: () => words[isGiven ? 0 : 1],
          claim: evidenceClaim(lever),
          plan: apply,
        },
      ];
    });
}

function isOutside({ manifest, record, today, horizonDays }: Subject, plan: ResolvedPlan): boolean {
  if (manifest.kind !== 'learned') return false;
  return outsideSupport(manifest, asPlan('changed', plan), readHistory(manifest, record, today), horizonDays).length > 0;
}

function inputsOf(manifest: PackManifest) {
  return manifest.kind === 'equations' ? manifest.models.flatMap(({ inputs = [] }) => inputs) : [];
}

/** Smaller and larger amounts up to the largest that the pack is meant for, and its other intervals. */
function doseAxes(subject: Subject): ChangeAxis[] {
  const { manifest, plan } = subject;
  if (manifest.kind !== 'equations') return [];
  return manifest.doseGrids.flatMap((grid): ChangeAxis[] => {
    const lever = leverInterventions(manifest).find(({ id }) => id === grid.intervention);
    const unit = inputsOf(manifest).find(({ intervention }) => intervention === grid.intervention)?.unit;
    if (!lever || unit === undefined) return [];
    const own = plan.regimens.filter(({ intervention }) => intervention === grid.intervention);
    const regimens = own.length > 0 ? own : [{ ...middleRegimen(grid, 1), amount: 0 }];
    return [...amountAxes(grid, lever, unit, own, regimens), ...intervalAxes(grid, lever, own)];
  });
}

function amountAxes(
  grid: DoseGrid,
  lever: Intervention,
  unit: string,
  own: readonly Regimen[],
  regimens: readonly Regimen[],
): ChangeAxis[] {
  const { intervention, maximumDose, roundTo } = grid;
  const largest = Math.max(...regimens.map(({ amount }) => amount));
  return [0, maximumDose].flatMap((end): ChangeAxis[] => {
    if (end === largest || (end > 0 && largest > end)) return [];
    // Away from the amount as it is, so that a rounded dose is no smaller a change than the one asked about.
    const round = (amount: number) =>
      Math.min(maximumDose, roundTo * (end > largest ? Math.ceil(amount / roundTo - 1e-9) : Math.floor(amount / roundTo + 1e-9)));
    const at = (share: number) => round(largest + share * (end - largest));
    const every = regimens.length === 1 && regimens[0]!.everyHours !== null ? ` every ${regimens[0]!.everyHours} h` : '';
    return [
      {
        input: `dose-${intervention}`,
        isStep: false,
        sizeAt: (share) => Math.abs(at(share) - largest) / maximumDose,
        rank: 0,
        label: `${lever.label}, amount`,
        from: own.length === 0 ? 'not given' : `${inUnit(largest, unit)}${every}`,
        to: (share) => (at(share) === 0 ? 'not given' : `${inUnit(at(share), unit)}${every}`),
        claim: evidenceClaim(lever),
        plan: (plan, share) => ({
          ...plan,
          regimens: [
            ...plan.regimens.filter((regimen) => regimen.intervention !== intervention),
            ...(plan.regimens.some((regimen) => regimen.intervention === intervention)
              ? plan.regimens.filter((regimen) => regimen.intervention === intervention)
              : regimens
            ).map((regimen) => ({
              ...regimen,
              amount: largest === 0 ? at(share) : round((regimen.amount * at(share)) / largest),
            })),
          ],
        }),
      },
    ];
  });
}

function intervalAxes({ intervention, intervalHours }: DoseGrid, lever: Intervention, own: readonly Regimen[]): ChangeAxis[] {
  const [regimen] = own;
  if (own.length !== 1 || regimen!.everyHours === null) return [];
  const now = regimen!.everyHours;
  const [shortest, longest] = [Math.min(...intervalHours), Math.max(...intervalHours)];
  return intervalHours
    .filter((hours) => hours !== now)
    .map((hours) => ({
      input: `interval-${intervention}`,
      isStep: true,
      sizeAt: () => Math.abs(hours - now) / (longest - shortest),
      rank: 0,
      label: `${lever.label}, interval`,
      from: `every ${now} h`,
      to: () => `every ${hours} h`,
      claim: evidenceClaim(lever),
      plan: (plan) => ({
        ...plan,
        regimens: plan.regimens.map((one) => (one.intervention === intervention ? { ...one, everyHours: hours } : one)),
      }),
    }));
}

const association = (label: string): string =>
  `${label}: an association only. People in whom it was so fared so; that changing it would do the same is not known.`;

function covariateAxes({ manifest, record }: Subject): ChangeAxis[] {
  return manifest.covariates.flatMap((covariate): ChangeAxis[] => {
    const kind = covariateKind(covariate);
    if ((kind !== 'labs' && kind !== 'lifestyle') || !isRead(manifest, covariate.id) || isPast(covariate)) return [];
    const { id, label } = covariate;
    const last = latestOf(record, id);
    const entered = Object.hasOwn(record.covariates, id) ? record.covariates[id]! : null;
    const common = { input: `covariate-${id}`, rank: 1, label, claim: association(label) };
    if (covariate.kind === 'category') {
      return entered === null ? [] : categoryAxes(covariate, entered, common);
    }
    const value = last ? toCanonical(covariate, last.value, last.unit) : typeof entered === 'number' ? entered : null;
    if (value === null) return [];
    return numberAxes(covariate, value, isWide(covariate.seen) ? { kind: 'log', mean: 0, sd: 1 } : identity, common, (own, to) =>
      last ? withLatest(own, id, to, covariate.unit) : { ...own, covariates: { ...own.covariates, [id]: to } },
    );
  });
}

/** What was before the treatment began stays as it was. */
function isPast({ id, label }: Covariate): boolean {
  return /baseline|before|at entry/i.test(`${id} ${label}`);
}

type Common = Pick<ChangeAxis, 'input' | 'rank' | 'label' | 'claim'>;
const identity: Transform = { kind: 'identity', mean: 0, sd: 1 };

function categoryAxes(covariate: Extract<Covariate, { kind: 'category' }>, value: CovariateValue, common: Common): ChangeAxis[] {
  return covariate.categories
    .filter((category) => category.value !== value)
    .map((category) => ({
      ...common,
      isStep: true,
      sizeAt: () => 1,
      from: valueInWords(covariate, value),
      to: () => category.label,
      record: (record) => ({ ...record, covariates: { ...record.covariates, [covariate.id]: category.value } }),
    }));
}

/** The latest value of each marker that the pack reads; the forecast of a marker by its own value would say nothing. */
function markerAxes({ manifest, record }: Subject, askedAbout: string | null): ChangeAxis[] {
  if (manifest.kind !== 'learned') return [];
  return manifest.markers.flatMap((marker): ChangeAxis[] => {
    const last = latestOf(record, marker.id);
    if (!last || marker.id === askedAbout) return [];
    const value = toCanonical(marker, last.value, last.unit);
    const common = {
      input: `marker-${marker.id}`,
      rank: 1,
      label: `${marker.label}, latest value`,
      claim: association(marker.label),
    };
    return numberAxes(marker, value, marker.transform, common, (own, to) => withLatest(own, marker.id, to, marker.unit));
  });
}

/** Towards both ends of what was seen, on the scale on which the quantity scatters evenly. */
function numberAxes(
  quantity: Pick<MarkerDescription, 'seen' | 'unit' | 'plausible'>,
  value: number,
  transform: Transform,
  common: Common,
  apply: (record: PatientRecord, to: number) => PatientRecord,
): ChangeAxis[] {
  const scale = (of: number) => toState({ transform, plausible: quantity.plausible }, of);
  const [now, low, high] = [value, ...quantity.seen].map(scale) as [number, number, number];
  return [low, high].flatMap((end): ChangeAxis[] => {
    const isInward = end === low ? now > low : now < high;
    if (!isInward) return [];
    const at = (share: number) => Number(fromState({ transform }, now + share * (end - now)).toPrecision(4));
    return [
      {
        ...common,
        isStep: false,
        sizeAt: (share) => (share * Math.abs(end - now)) / (high - low),
        from: inUnit(value, quantity.unit),
        to: (share) => inUnit(at(share), quantity.unit),
        record: (record, share) => apply(record, at(share)),
      },
    ];
  });
}

function latestOf(record: PatientRecord, code: string) {
  return record.observations
    .filter((one) => one.code === code && !one.isBelowLimit && !one.isAboveLimit)
    .toSorted((a, b) => `${a.date}T${a.time ?? ''}`.localeCompare(`${b.date}T${b.time ?? ''}`))
    .at(-1);
}

function withLatest(record: PatientRecord, code: string, value: number, unit: string): PatientRecord {
  const last = latestOf(record, code);
  return { ...record, observations: record.observations.map((one) => (one === last ? { ...one, value, unit } : one)) };
}
