/** From a search space to plans that can be given. */
import { hoursPerDay } from '#domain/doses.ts';
import { AppError } from '#domain/errors.ts';
import type { Plan, PlanBlock, Regimen } from '#domain/plan.ts';
import type { PlanQuestion, SearchSpace } from '#domain/planning.ts';
import type { DoseGrid, EquationsManifest, Intervention, PackManifest } from '#packs/manifest.ts';
import { isWithin } from './doses-given.ts';
import { givable, sizeFor, type BodySize } from './listed-doses.ts';
import { blocksName, dosesName } from './naming.ts';
import { gridsOf, rhythmOf, switchedInterventions } from './spaces.ts';

/** What of a person decides which plans can be given. */
export interface Receiver {
  readonly manifest: PackManifest;
  /** Doses of the record that go on from now. */
  readonly continuing: readonly Regimen[];
  /** For doses per kg and per m². */
  readonly bodySize: BodySize;
}

type Question = Pick<PlanQuestion, 'excluded' | 'maximumPerDay' | 'insistsOutside' | 'horizonDays'>;
type Space<Kind extends SearchSpace['kind']> = Extract<SearchSpace, { readonly kind: Kind }>;

/** Who insists is offered amounts up to so many times the largest as well. */
const insistedFactors = [1.25, 1.5, 2] as const;
/** More combinations of levers and timings than this are thinned by coarser times. */
const mostTimings = 400;

/** Every plan of a list that is neither excluded nor above a maximum, each once, in the order of the list. */
export function listedPlans(space: Space<'listed'>, question: Question, receiver: Receiver): readonly Plan[] {
  const { manifest } = receiver;
  if (space.intervention === null) return timedPlans(question, receiver);
  const grid = gridFor(manifest, space.intervention);
  return enumerate(grid, { ...question, withLoadingDose: space.withLoadingDose }, receiver.bodySize).flatMap((regimens) =>
    allowed(dosedPlan(manifest as EquationsManifest, regimens, question, receiver), question),
  );
}

/** Every regimen of the grid, each once: amounts rounded to what can be given. */
export function enumerate(
  grid: DoseGrid,
  {
    withLoadingDose,
    insistsOutside,
    horizonDays,
  }: { readonly withLoadingDose: boolean; readonly insistsOutside: boolean; readonly horizonDays: number },
  bodySize: Receiver['bodySize'],
): (readonly Regimen[])[] {
  const size = requireSize(grid.per, bodySize);
  const loadingSize = withLoadingDose ? requireSize(grid.loadingPer ?? grid.per, bodySize) : 1;
  const largest = Math.max(...grid.amounts);
  const beyond = insistsOutside ? insistedFactors.map((factor) => factor * largest) : [];
  const most = largestDose(grid, insistsOutside);
  const durations = grid.durationHours.length > 0 ? grid.durationHours : [null];
  const found = new Map<string, readonly Regimen[]>();
  for (const startHour of grid.startHours)
    for (const everyHours of grid.intervalHours)
      for (const perSize of [...grid.amounts, ...beyond])
        for (const durationHours of durations)
          for (const loading of withLoadingDose ? grid.loadingAmounts : [0]) {
            if (durationHours !== null && durationHours > everyHours) continue;
            if (startHour > horizonDays * hoursPerDay) continue;
            const base = { intervention: grid.intervention, route: grid.route, durationHours };
            const course = {
              ...base,
              amount: givable(grid, perSize * size, most),
              startHour: startHour + (loading > 0 ? everyHours : 0),
              everyHours,
              count: null,
            };
            const infusion = durationHours === null ? null : (grid.loadingDurationHours ?? durationHours);
            const first = {
              ...base,
              amount: givable(grid, loading * loadingSize, most),
              durationHours: infusion,
              startHour,
              everyHours: null,
              count: 1,
            };
            const regimens: readonly Regimen[] = loading > 0 ? [first, course] : [course];
            found.set(JSON.stringify(regimens), regimens);
          }
  return [...found.values()];
}

/** Doses of one intervention in the place of what is given of it now; other courses of the record go on unless they are excluded. */
function dosedPlan(
  manifest: EquationsManifest,
  regimens: readonly Regimen[],
  { excluded, horizonDays }: Pick<Question, 'excluded' | 'horizonDays'>,
  { continuing }: Pick<Receiver, 'continuing'>,
): Plan {
  const searched = regimens[0]!.intervention;
  const others = continuing.filter(({ intervention }) => intervention !== searched && !excluded.includes(intervention));
  return {
    id: 'found',
    name: dosesName(manifest, inTime(regimens), horizonDays),
    blocks: [],
    regimens: [...regimens, ...others],
    stopsCurrentDoses: true,
  };
}

const inTime = (regimens: readonly Regimen[]) => regimens.toSorted((a, b) => a.startHour - b.startHour);

function allowed(plan: Plan, { excluded, maximumPerDay, horizonDays }: Question): readonly Plan[] {
  return isWithin(plan, excluded, maximumPerDay, horizonDays) ? [plan] : [];
}

function gridFor(manifest: PackManifest, intervention: string): DoseGrid {
  const grids = gridsOf(manifest);
  const grid = grids.find((candidate) => candidate.intervention === intervention);
  if (grid) return grid;
  const offered = grids.map((candidate) => candidate.intervention).join(', ') || 'none';
  throw new AppError(
    'plan_outside_pack',
    `${manifest.title} has no doses to search for '${intervention}'. It has some for: ${offered}.`,
  );
}

function requireSize(per: DoseGrid['per'], bodySize: BodySize): number {
  const size = sizeFor(per, bodySize);
  if (size !== null) return size;
  const what = per === 'kg' ? 'weight' : 'height and weight, or the body surface area';
  throw new AppError('covariate_missing', `Doses of this pack are per ${per === 'm2' ? 'm²' : 'kg'}. Enter the ${what}.`);
}

const largestDose = ({ maximumDose }: DoseGrid, insistsOutside: boolean) =>
  insistsOutside ? insistedFactors.at(-1)! * maximumDose : maximumDose;

/** Each lever never, or over one stretch between a few times; those whose evidence covers a whole course only, over all of it. */
function timedPlans(question: Question, { manifest, continuing }: Receiver): readonly Plan[] {
  const { excluded, insistsOutside, horizonDays } = question;
  const levers = switchedInterventions(manifest).filter(({ id }) => !excluded.includes(id));
  const isFree = ({ timing }: Intervention) => insistsOutside || timing === 'any';
  const optionsWith = (parts: number) =>
    levers.map((lever) => [
      null,
      ...(isFree(lever) ? stretches(manifest, horizonDays, parts) : stretches(manifest, horizonDays, 1)),
    ]);
  const parts =
    [4, 3, 2].find((one) => optionsWith(one).reduce((product, { length }) => product * length, 1) <= mostTimings) ?? 1;
  const choices = optionsWith(parts).reduce<readonly (readonly PlanBlock[])[]>(
    (plans, options, l) =>
      plans.flatMap((blocks) => options.map((span) => (span ? [...blocks, { intervention: levers[l]!.id, ...span }] : blocks))),
    [[]],
  );
  return choices
    .filter((blocks) => isCompatible(levers, blocks))
    .flatMap((blocks) => allowed(switchedPlan(manifest, blocks, question, continuing), question));
}

function switchedPlan(
  manifest: PackManifest,
  blocks: readonly PlanBlock[],
  { excluded, horizonDays }: Pick<Question, 'excluded' | 'horizonDays'>,
  continuing: readonly Regimen[],
): Plan {
  const regimens = continuing.filter(({ intervention }) => !excluded.includes(intervention));
  return {
    id: 'found',
    name: blocksName(manifest, { blocks }, horizonDays),
    blocks,
    ...(continuing.length > 0 ? { regimens, stopsCurrentDoses: true } : {}),
  };
}

/** From each part of the horizon to each later one, on whole grid steps. */
function stretches({ grid }: PackManifest, horizonDays: number, parts: number): { startDay: number; stopDay: number }[] {
  const at = (part: number) =>
    part === parts ? horizonDays : Math.round((part * horizonDays) / parts / grid.stepDays) * grid.stepDays;
  const found: { startDay: number; stopDay: number }[] = [];
  for (let from = 0; from < parts; from++) {
    for (let to = parts; to > from; to--) if (at(to) > at(from)) found.push({ startDay: at(from), stopDay: at(to) });
  }
  return found;
}

function isCompatible(levers: readonly Intervention[], blocks: readonly PlanBlock[]): boolean {
  const groupOf = (id: string) => levers.find((lever) => lever.id === id)!.exclusiveGroup;
  return blocks.every((a, i) =>
    blocks.slice(0, i).every((b) => {
      const group = groupOf(a.intervention);
      return group === null || group !== groupOf(b.intervention) || a.startDay >= b.stopDay || b.startDay >= a.stopDay;
    }),
  );
}

/** A space of sequences, one of a few options in each period. */
export interface OnOffPlans {
  readonly decisions: number;
  readonly options: number;
  /** The plan that a sequence of options stands for. */
  readonly plan: (choices: Uint8Array) => Plan;
}

/** Options are the sets of levers that may be on together; the first is none of them. Null where everything is excluded. */
export function onOffPlans(space: Space<'on-off'>, question: Question, { manifest, continuing }: Receiver): OnOffPlans | null {
  const { excluded, horizonDays } = question;
  const { interventions, periodDays } = space;
  requirePeriod(periodDays, horizonDays);
  const switched = switchedInterventions(manifest);
  for (const id of interventions) {
    if (switched.some((lever) => lever.id === id)) continue;
    const ids = switched.map((lever) => lever.id).join(', ') || 'none';
    throw new AppError('plan_outside_pack', `${manifest.title} has nothing to switch called '${id}'. It has: ${ids}.`);
  }
  const levers = switched.filter(({ id }) => interventions.includes(id) && !excluded.includes(id));
  if (levers.length === 0) return null;
  const decisions = Math.ceil(horizonDays / periodDays - 1e-9);
  const blocksOf = (on: readonly string[], from: number, to: number) =>
    on.map((intervention) => ({ intervention, startDay: from * periodDays, stopDay: Math.min(horizonDays, to * periodDays) }));
  const sets = Array.from({ length: 2 ** levers.length }, (_, bits) =>
    levers.flatMap(({ id }, l) => (bits & (1 << l) ? [id] : [])),
  );
  const options = sets.filter((on) => isCompatible(levers, blocksOf(on, 0, 1)));
  return {
    decisions,
    options: options.length,
    plan: (choices) => {
      const blocks = levers.flatMap(({ id }) => {
        const own: PlanBlock[] = [];
        for (let from = 0; from < decisions;) {
          let to = from;
          while (to < decisions && options[choices[to]!]!.includes(id)) to++;
          if (to > from) own.push(...blocksOf([id], from, to));
          from = to + 1;
        }
        return own;
      });
      return switchedPlan(manifest, blocks, question, continuing);
    },
  };
}

/** A space of amounts, one a period. */
export interface AmountPlans {
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly roundTo: number;
  /** Amounts rounded to what can be given, and the plan they make. */
  readonly plan: (amounts: ArrayLike<number>) => Plan;
}

/** Null where the drug is excluded, or its maximum a day lies below the smallest amount that can be given. */
export function amountPlans(space: Space<'amounts'>, question: Question, receiver: Receiver): AmountPlans | null {
  const { excluded, maximumPerDay, insistsOutside, horizonDays } = question;
  const { intervention, periodDays } = space;
  requirePeriod(periodDays, horizonDays);
  const grid = gridFor(receiver.manifest, intervention);
  if (excluded.includes(intervention)) return null;
  const size = requireSize(grid.per, receiver.bodySize);
  const everyHours = rhythmOf(grid, periodDays);
  const dosesInADay = Math.max(1, Math.ceil(hoursPerDay / everyHours - 1e-9));
  const cap = (maximumPerDay[intervention] ?? Infinity) / dosesInADay;
  const widest = Math.max(...grid.amounts) * size * (insistsOutside ? insistedFactors.at(-1)! : 1);
  const high = Math.min(widest, largestDose(grid, insistsOutside), cap);
  const low = Math.max(grid.roundTo, Math.min(...grid.amounts) * size);
  if (!(Math.floor(high / grid.roundTo + 1e-9) * grid.roundTo >= Math.min(low, grid.roundTo))) return null;
  const periodHours = periodDays * hoursPerDay;
  const starts = Array.from(
    { length: Math.ceil(horizonDays / periodDays - 1e-9) },
    (_, k) => grid.startHours[0]! + k * periodHours,
  );
  const durationHours = grid.durationHours[Math.floor((grid.durationHours.length - 1) / 2)] ?? null;
  const floor = Math.min(low, high);
  return {
    low: starts.map(() => (high > floor ? floor : high - grid.roundTo)),
    high: starts.map(() => high),
    roundTo: grid.roundTo,
    plan: (amounts) => {
      const regimens = starts.map((startHour, k): Regimen => ({
        intervention,
        route: grid.route,
        durationHours,
        amount: givable(grid, amounts[k]!, high),
        startHour,
        everyHours,
        count: k === starts.length - 1 ? null : Math.max(1, Math.round(periodHours / everyHours)),
      }));
      // The last period first: a target of "the last dosing interval" looks at the first regimen that repeats.
      return dosedPlan(receiver.manifest as EquationsManifest, regimens.reverse(), question, receiver);
    },
  };
}

function requirePeriod(periodDays: number, horizonDays: number): void {
  if (periodDays > 0 && horizonDays / periodDays <= mostPeriods) return;
  throw new AppError(
    'request_invalid',
    `Length of a period: found ${periodDays} days, expected more than 0 and no more than ${mostPeriods} periods within the horizon. Choose longer periods.`,
  );
}

const mostPeriods = 200;
