/** What a decision makes of the doses to come: by a table, by another plan, or one of the pack's listed doses. */
import { hoursPerDay } from '#domain/doses.ts';
import { AppError } from '#domain/errors.ts';
import type { Plan, Regimen } from '#domain/plan.ts';
import type { Policy, PolicyRule } from '#domain/planning.ts';
import type { DoseGrid, EquationsManifest } from '#packs/manifest.ts';
import { enumerate, type Receiver } from '../candidates.ts';
import { composeBlocks, cutAt, goOnFrom } from './compose.ts';

const hoursPerWeek = 168;

type Titration = Extract<PolicyRule, { kind: 'titrate' }>;

/** A plan with all doses from now on written out: `stopsCurrentDoses` is set. */
export interface DosePlan extends Plan {
  readonly regimens: readonly Regimen[];
  /** A rule that switches does so once. */
  readonly hasSwitched?: true;
}

/** Throws `request_invalid` for a policy that makes no sense under this pack. */
export function checkPolicy(manifest: EquationsManifest, { name, decisionDays, measures, rule }: Policy): void {
  const refuse = (what: string) =>
    new AppError('request_invalid', `Policy '${name}': ${what} Correct it, or leave the policy out.`);
  if (!decisionDays.every((day, d) => day >= 0 && (d === 0 || day > decisionDays[d - 1]!)))
    throw refuse('the days of its decisions are not ascending from today on.');
  const known = manifest.markers.map(({ id }) => id);
  const unknown = measures.find((id) => !known.includes(id));
  if (unknown !== undefined) throw refuse(`it measures '${unknown}', and the pack knows ${known.join(', ')}.`);
  if (rule.kind === 'refit-and-dose') {
    if (!manifest.doseGrids.some(({ intervention }) => intervention === rule.intervention))
      throw refuse(`the pack lists no doses of '${rule.intervention}'.`);
    const targets = [...(rule.reach === null ? [] : [rule.reach]), ...rule.avoid.map(({ target }) => target)];
    const missing = targets.find((id) => !manifest.targets.some((target) => target.id === id));
    if (missing !== undefined) throw refuse(`the pack has no target '${missing}'.`);
    if (targets.length === 0) throw refuse('it names no target, so every dose is as good as any other.');
    return;
  }
  if (!measures.includes(rule.marker)) throw refuse(`its rule looks at '${rule.marker}', which it does not measure.`);
  if (rule.kind === 'switch-when') return;
  const { steps } = rule;
  const isAscending = steps.every(
    ({ below }, s) =>
      (below === null) === (s === steps.length - 1) && (s === 0 || below === null || below > steps[s - 1]!.below!),
  );
  if (steps.length === 0 || !isAscending) throw refuse('the steps of its table do not ascend to a last one without a limit.');
  if (!steps.every(({ factor, waitDays = 0 }) => factor >= 0 && waitDays >= 0))
    throw refuse('a step of its table has a factor or a delay below 0.');
}

/** What is done by the table after a value on `day`: the same plan where nothing changes. */
export function titrate(manifest: EquationsManifest, rule: Titration, plan: DosePlan, day: number, value: number): DosePlan {
  const { factor, waitDays = 0 } = rule.steps.find(({ below }) => below === null || value < below)!;
  if (factor === 1 && waitDays === 0) return plan;
  const grid = manifest.doseGrids.find(({ intervention }) => intervention === rule.intervention);
  const regimens = plan.regimens.flatMap((regimen) => {
    if (regimen.intervention !== rule.intervention) return [regimen];
    const coming = goOnFrom(regimen, day);
    return [
      ...cutAt(regimen, day),
      ...coming.map((next) => ({
        ...next,
        amount: givable(next.amount * factor, next, grid),
        startHour: next.startHour + waitDays * hoursPerDay,
      })),
    ];
  });
  return { ...plan, regimens };
}

/**
 * What can be given. Of tablets a week's total is what can be made of the listed steps, by taking one more on some days; everything
 * else is given in whole steps. A drug without listed doses is given as it is computed.
 */
function givable(amount: number, { route, everyHours }: Regimen, grid: DoseGrid | undefined): number {
  if (!grid) return amount;
  const inWeek = route === 'oral' && everyHours !== null ? Math.max(1, Math.floor(hoursPerWeek / everyHours)) : 1;
  const step = grid.roundTo / inWeek;
  return Math.min(grid.maximumDose, Math.round(amount / step) * step);
}

/** The other plan from `day` on. Both plans have their doses written out. */
export function followFrom(plan: DosePlan, day: number, then: DosePlan): DosePlan {
  return {
    ...plan,
    blocks: composeBlocks(plan, day, then),
    regimens: [
      ...plan.regimens.flatMap((regimen) => cutAt(regimen, day)),
      ...then.regimens.flatMap((regimen) => goOnFrom(regimen, day)),
    ],
  };
}

export interface DoseOption {
  readonly plan: DosePlan;
  /** Mean amount a day from the first dose that it changes, single doses counted as one day's. */
  readonly amountPerDay: number;
  /** Numbers of the options next to it: one amount less and more in its rhythm, and in each other rhythm the nearest amount a day. */
  readonly neighbours: readonly number[];
}

export interface DoseOptions {
  /** The first is to go on as before. */
  readonly options: readonly DoseOption[];
  /** Numbers of every third listed dose of the present rhythm, for a look around. */
  readonly spread: readonly number[];
  /** Day of the first dose that a choice changes: windows of targets count from it. */
  readonly effectDay: number;
}

/**
 * What may be chosen on `day`: to go on, and the listed doses in the listed rhythms from the next dose that is due. Infusions keep their
 * length where it is listed. Null where no dose is due within the horizon.
 */
export function doseOptions(
  grid: DoseGrid,
  plan: DosePlan,
  day: number,
  horizonDays: number,
  bodySize: Receiver['bodySize'],
): DoseOptions | null {
  const own = plan.regimens.filter(({ intervention }) => intervention === grid.intervention);
  const coming = own.flatMap((regimen) => goOnFrom(regimen, day));
  const repeating = coming.filter(({ everyHours }) => everyHours !== null);
  const isCorrection = grid.intervalHours.every((hours) => hours >= horizonDays * hoursPerDay);
  const startHour =
    isCorrection || repeating.length === 0 ? day * hoursPerDay : Math.min(...repeating.map((one) => one.startHour));
  if (startHour >= horizonDays * hoursPerDay) return null;
  const running = repeating.at(-1) ?? null;
  const duration = grid.durationHours.find((hours) => hours === running?.durationHours) ?? grid.durationHours[0] ?? null;
  const listed = enumerate(grid, { withLoadingDose: false, insistsOutside: false, horizonDays: Infinity }, bodySize)
    .map(([regimen]) => regimen!)
    .filter((regimen) => regimen.durationHours === duration && regimen.startHour === grid.startHours[0]);
  const others = plan.regimens.filter(({ intervention }) => intervention !== grid.intervention);
  const kept = isCorrection ? own : own.flatMap((regimen) => cutAt(regimen, day));
  const isRunning = ({ amount, everyHours }: Regimen) =>
    repeating.length === 1 && amount === repeating[0]!.amount && everyHours === repeating[0]!.everyHours;
  const given = listed
    .filter((regimen) => isCorrection || !isRunning(regimen))
    .map((regimen): Regimen =>
      isCorrection ? { ...regimen, startHour, everyHours: null, count: 1 } : { ...regimen, startHour },
    );
  const rhythm = isCorrection ? null : (running?.everyHours ?? null);
  const ladder: readonly Rung[] = [
    { plan, rhythm, amountPerDay: isCorrection ? 0 : repeating.reduce((sum, one) => sum + perDay(one), 0) },
    ...given.map((regimen) => ({
      plan: { ...plan, regimens: [...others, ...kept, regimen] },
      rhythm: regimen.everyHours,
      amountPerDay: perDay(regimen),
    })),
  ];
  const options = ladder.map(({ plan: own, amountPerDay }, o) => ({
    plan: own,
    amountPerDay,
    neighbours: neighboursOf(ladder, o),
  }));
  const listedNow = byAmountOf(ladder).filter((o) => o > 0 && (rhythm === null || ladder[o]!.rhythm === rhythm));
  return { options, spread: listedNow.filter((_, i) => i % 3 === 1), effectDay: startHour / hoursPerDay };
}

interface Rung {
  readonly plan: DosePlan;
  readonly rhythm: number | null;
  readonly amountPerDay: number;
}

function byAmountOf(ladder: readonly Rung[]): number[] {
  return [...ladder.keys()].sort((a, b) => ladder[a]!.amountPerDay - ladder[b]!.amountPerDay || a - b);
}

function neighboursOf(ladder: readonly Rung[], o: number): number[] {
  const { rhythm, amountPerDay } = ladder[o]!;
  const byAmount = byAmountOf(ladder);
  const own = byAmount.filter((other) => ladder[other]!.rhythm === rhythm);
  const at = own.indexOf(o);
  const others = [...new Set(ladder.map((rung) => rung.rhythm))].filter((other) => other !== rhythm);
  const away = (other: number) => Math.abs(ladder[other]!.amountPerDay - amountPerDay);
  const nearest = others.map((other) =>
    byAmount.filter((one) => ladder[one]!.rhythm === other).reduce((best, one) => (away(one) < away(best) ? one : best)),
  );
  return [own[at - 1], own[at + 1], ...nearest].filter((one) => one !== undefined);
}

/** Amount a day of one intervention from `day` on. Doses that are not repeated count as a day's. */
export function amountPerDayFrom(plan: DosePlan, intervention: string, day: number): number {
  return plan.regimens
    .filter((regimen) => regimen.intervention === intervention)
    .flatMap((regimen) => goOnFrom(regimen, day))
    .reduce((sum, regimen) => sum + perDay(regimen), 0);
}

function perDay({ amount, everyHours }: Regimen): number {
  return everyHours === null ? amount : (amount * hoursPerDay) / everyHours;
}
