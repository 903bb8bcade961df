import { AppError } from '#domain/errors.ts';
import type {
  EventForecast,
  FitReport,
  Forecast,
  ForecastDifference,
  ForecastStatus,
  MarkerForecast,
  PlanForecast,
} from '#domain/forecast.ts';
import { bandLevels } from '#domain/forecast.ts';
import type { Plan } from '#domain/plan.ts';
import { drivePlan } from '#engine/drive.ts';
import type { Engine, PlanSummary, RolloutSummary, RunHooks } from '#engine/engine.ts';
import { roundUpRollouts } from '#engine/request.ts';
import { seedFrom } from '#numerics/random.ts';
import { fromState } from '#packs/conditioning.ts';
import type { LearnedManifest, Marker } from '#packs/manifest.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { reportFit, type Placing } from './fit-report.ts';
import { drawStarts, type Twin } from './fit.ts';
import { fitHistory, type FitHistoryDeps, type FitHistoryRequest, type FittedHistory } from './fitted-history.ts';
import type { History } from './history.ts';
import { differenceDots, overMembers } from './member-estimate.ts';
import { outcomeOf } from './outcome.ts';
import { checkPlan, outsideSupport, usualCarePlan } from './plan-check.ts';
import { stepInputs } from './step-inputs.ts';

export interface ForecastRequest extends FitHistoryRequest {
  /** What-ifs. Usual care is made from the manifest and always comes first. */
  readonly plans: readonly Plan[];
  /** The pack's longest unless told otherwise; rounded up to whole grid steps. */
  readonly horizonDays?: number;
  /** 10,000 unless told otherwise; rounded up to a multiple of members × groups. */
  readonly rollouts?: number;
}

export interface ForecastDeps extends FitHistoryDeps {
  readonly engine: Engine;
  readonly placing?: Placing<History>;
}

const groupsPerMember = 10;
const courses = 20;
/** The ends of the bands, and the median. */
const levels = [...new Set([0.5, ...bandLevels.flatMap((level) => [(1 - level) / 2, (1 + level) / 2])])]
  .map((level) => Number(level.toFixed(6)))
  .sort((a, b) => a - b);
/** More than this share of futures beyond the model's range, and the summaries of the rest are no longer the whole story. */
const toleratedDivergence = 0.01;

/**
 * Patient record and plans to a forecast. Errors that a person can mend are thrown as `AppError`; outcomes of the run itself are
 * statuses. The same request on the same engine and device gives the same forecast but for the elapsed times.
 */
export async function forecast(request: ForecastRequest, deps: ForecastDeps, hooks: RunHooks = {}): Promise<Forecast> {
  return forecastFitted(request, await fitHistory(request, deps), deps, hooks);
}

/** The same of a person who was fitted already, under the same pack and seed. */
export async function forecastFitted(
  request: Omit<ForecastRequest, 'record' | 'particlesPerMember'>,
  { history, twin, elapsedMs }: FittedHistory,
  deps: Pick<ForecastDeps, 'engine' | 'placing' | 'now'>,
  hooks: RunHooks = {},
): Promise<Forecast> {
  const { pack, today } = request;
  const { manifest, network } = pack;
  const { now = () => 0 } = deps;
  const started = now();
  const steps = horizonSteps(manifest, request.horizonDays);
  const horizonDays = steps * manifest.grid.stepDays;
  request.plans.forEach((plan) => checkPlan(manifest, plan));
  const plans = [usualCarePlan(manifest, horizonDays), ...request.plans];
  if (new Set(plans.map(({ id }) => id)).size < plans.length)
    throw new AppError('plan_invalid', 'Two plans have the same id. Rename one.');
  const rollouts = roundUpRollouts(request.rollouts ?? 10_000, network.shape.M, groupsPerMember);

  const fit = reportFit(manifest, history, twin, deps.placing);
  const base: Base = {
    pack: { id: manifest.id, version: manifest.version, digest: pack.digest, title: manifest.title },
    today,
    timesDays: Array.from({ length: steps + 1 }, (_, t) => t * manifest.grid.stepDays),
    fit,
  };
  const finish = (status: ForecastStatus, message: string, answer: Answer = nothing): Forecast => ({
    status,
    message,
    ...base,
    ...answer,
    run: {
      engine: deps.engine.kind,
      engineDescription: deps.engine.description,
      seed: request.seed,
      rollouts,
      members: network.shape.M,
      elapsedMs: { fit: elapsedMs, rollOut: now() - started },
    },
  });
  if (fit.standing === 'outside') return finish('outside-support', `The forecast is withheld. ${fit.reasons.join(' ')}`);

  try {
    hooks.signal?.throwIfAborted();
    const summary = await rollOut(pack, twin, history, plans, { steps, rollouts, seed: request.seed }, deps.engine, hooks);
    const answer = translate(manifest, plans, summary, base.timesDays);
    const marked = {
      ...answer,
      plans: answer.plans.map((own) => ({ ...own, outsideSupport: outsideSupport(manifest, own.plan, history, horizonDays) })),
    };
    const share = Math.max(...summary.plans.map(({ diverged }) => diverged)) / rollouts;
    if (share > toleratedDivergence) return finish('diverged', divergedMessage(share), marked);
    return finish('completed', completedMessage(rollouts, plans.length, fit), marked);
  } catch (error) {
    return finish(...outcomeOf(error));
  }
}

type Base = Pick<Forecast, 'pack' | 'today' | 'timesDays' | 'fit'>;
type Answer = Pick<Forecast, 'plans' | 'differences'>;
const nothing: Answer = { plans: [], differences: [] };

function completedMessage(rollouts: number, plans: number, fit: FitReport): string {
  const futures = `${rollouts} futures were simulated ${plans === 1 ? 'under usual care' : 'under each plan'}.`;
  return fit.standing === 'partly' ? `${futures} This person is partly outside what the pack saw: read with care.` : futures;
}

function divergedMessage(share: number): string {
  const percent = (100 * share).toFixed(share < 0.1 ? 1 : 0);
  return `${percent} % of the simulated futures left the range that the model can describe and are not in the picture: do not rely on it.`;
}

function horizonSteps({ grid }: LearnedManifest, horizonDays = grid.horizonSteps * grid.stepDays): number {
  const steps = Math.ceil(horizonDays / grid.stepDays - 1e-9);
  if (steps >= 1 && steps <= grid.horizonSteps) return steps;
  const most = Math.floor(grid.horizonSteps * grid.stepDays);
  throw new AppError(
    'request_invalid',
    `Horizon: found ${horizonDays} days, expected 1 to ${most}. Choose a horizon in this range.`,
  );
}

interface RunSize {
  readonly steps: number;
  readonly rollouts: number;
  readonly seed: number;
}

function rollOut(
  pack: LearnedPack,
  twin: Twin,
  history: History,
  plans: readonly Plan[],
  { steps, rollouts, seed }: RunSize,
  engine: Engine,
  hooks: RunHooks,
): Promise<RolloutSummary> {
  const { manifest, network } = pack;
  const words = seedFrom(seed);
  const drives = plans.map(({ blocks }) => drivePlan(network, stepInputs(manifest, history.person, blocks, steps)));
  const starts = drawStarts(twin, rollouts, groupsPerMember, words);
  return engine.rollOut({ network, plans: drives, steps, seed: words, levels, courses, ...starts }, hooks);
}

/** From the network's standardised units to those of the page. */
function translate(
  manifest: LearnedManifest,
  plans: readonly Plan[],
  summary: RolloutSummary,
  timesDays: readonly number[],
): Answer {
  const sizes: Sizes = { ...manifest.network, T: timesDays.length };
  const { M } = sizes;
  const horizonDays = timesDays.at(-1)!;
  const groups = summary.plans.map((plan) => groupFigures(plan, sizes, manifest.grid.stepDays));
  const [usual] = groups;
  const ofChance = (plan: GroupsByTime, care: GroupsByTime) => plan.map((own, t) => differenceDots(own, care[t]!, M, 1));
  return {
    plans: plans.map((plan, p) => planForecast(manifest, plan, summary.plans[p]!, groups[p]!, sizes, horizonDays)),
    differences: plans.slice(1).map(({ id }, d): ForecastDifference => {
      const own = groups[d + 1]!;
      return {
        planId: id,
        markers: eachMarker(manifest, (marker, i) =>
          differenceOfMarker(marker, i, sizes, summary.differences[d]!.quantiles, summary.plans[0]!.quantiles),
        ),
        events: Object.fromEntries(
          manifest.events.map((event, k) => [event.id, ofChance(own.incidence[k]!, usual!.incidence[k]!)]),
        ),
        anyEvent: ofChance(own.any, usual!.any),
        eventFreeDays: differenceDots(own.eventFreeDays, usual!.eventFreeDays, M, horizonDays),
      };
    }),
  };
}

interface Sizes {
  readonly S: number;
  readonly K: number;
  readonly M: number;
  /** Grid times. */
  readonly T: number;
}

/** [time][group], members one after the other. */
type GroupsByTime = readonly (readonly number[])[];

/** One plan's figures by group: NaN where every future of a group diverged. */
interface GroupFigures {
  /** By cause. */
  readonly incidence: readonly GroupsByTime[];
  /** All causes together. */
  readonly any: GroupsByTime;
  readonly eventFreeDays: readonly number[];
}

function groupFigures(plan: PlanSummary, { K, T }: Sizes, stepDays: number): GroupFigures {
  const groups = plan.eventFreeSteps.length;
  const incidence = indices(K).map((k) =>
    indices(T).map((t) => indices(groups).map((g) => plan.incidence[(g * T + t) * K + k]!)),
  );
  return {
    incidence,
    any: indices(T).map((t) => indices(groups).map((g) => total(incidence.map((ofCause) => ofCause[t]![g]!)))),
    eventFreeDays: Array.from(plan.eventFreeSteps, (inSteps) => inSteps * stepDays),
  };
}

function planForecast(
  manifest: LearnedManifest,
  plan: Plan,
  summary: PlanSummary,
  groups: GroupFigures,
  sizes: Sizes,
  horizonDays: number,
): PlanForecast {
  const { incidence, low, high } = eventForecast(groups.any, sizes.M);
  return {
    plan,
    markers: eachMarker(manifest, (marker, i) => markerForecast(marker, i, summary, sizes)),
    signs: Object.fromEntries(
      manifest.signs.map(({ id, levels: { length } }, j) => [
        id,
        levelShares(summary, manifest.markers.length + j, length, sizes),
      ]),
    ),
    events: Object.fromEntries(manifest.events.map(({ id }, k) => [id, eventForecast(groups.incidence[k]!, sizes.M)])),
    // From the paths' own hazards, as the incidences are, so that on every page the parts add up to one.
    eventFree: incidence.map((share) => 1 - share),
    anyEvent: { low, high },
    eventFreeDays: overMembers(groups.eventFreeDays, sizes.M, horizonDays),
    outsideSupport: [],
  };
}

function markerForecast(marker: Marker, i: number, summary: PlanSummary, { S, M, T }: Sizes): MarkerForecast {
  const show = (state: number) => fromState(marker, state);
  const atLevel = (level: number) =>
    indices(T).map((t) => show(summary.quantiles[(t * S + i) * levels.length + levels.indexOf(level)]!));
  return {
    unit: marker.unit,
    // Every transform ascends, so the quantile of the page's values is the page's value of the quantile.
    bands: bandsOf(atLevel),
    median: atLevel(0.5),
    memberMedians: indices(M).map((m) => indices(T).map((t) => show(summary.memberMedians[(t * S + i) * M + m]!))),
    courses: indices(summary.courses.length / (T * S)).map((c) =>
      indices(T).map((t) => {
        const state = summary.courses[(c * T + t) * S + i]!;
        return Number.isNaN(state) ? null : show(state);
      }),
    ),
  };
}

/**
 * Quantiles of paired differences, on the page. An identity transform scales them. On a log scale a difference is a ratio, given
 * as percentage change. On a square-root scale a difference has no meaning of its own: it is shown as what it makes for a person
 * at the median of usual care at that time, (r + d)² − r². That is exact for that person and keeps zero at zero; for people far
 * from the median it is an approximation. Members and single courses are not paired by the engine and stay empty.
 */
function differenceOfMarker(
  marker: Marker,
  i: number,
  { S, T }: Sizes,
  paired: Float32Array,
  usualCare: Float32Array,
): MarkerForecast {
  const { kind, mean: centre, sd } = marker.transform;
  const at = (t: number, level: number) => (t * S + i) * levels.length + levels.indexOf(level);
  const show = (t: number, difference: number) => {
    if (kind === 'identity') return difference * sd;
    if (kind === 'log') return Math.expm1(difference * sd) * 100;
    const root = Math.max(0, centre + sd * usualCare[at(t, 0.5)]!);
    return Math.max(0, root + sd * difference) ** 2 - root ** 2;
  };
  const atLevel = (level: number) => indices(T).map((t) => show(t, paired[at(t, level)]!));
  return {
    unit: kind === 'log' ? '%' : marker.unit,
    bands: bandsOf(atLevel),
    median: atLevel(0.5),
    memberMedians: [],
    courses: [],
  };
}

function bandsOf(atLevel: (level: number) => number[]): MarkerForecast['bands'] {
  return bandLevels.map((level) => ({
    level,
    low: atLevel(Number(((1 - level) / 2).toFixed(6))),
    high: atLevel(Number(((1 + level) / 2).toFixed(6))),
  }));
}

function levelShares(summary: PlanSummary, i: number, count: number, { S, T }: Sizes): number[][] {
  return indices(T).map((t) => {
    const counts = indices(count).map((level) => summary.levelCounts[(t * S + i) * 4 + level]!);
    const alive = total(counts);
    return counts.map((number) => (alive === 0 ? NaN : number / alive));
  });
}

function eventForecast(incidence: GroupsByTime, M: number): EventForecast {
  const perMember = incidence[0]!.length / M;
  const intervals = incidence.map((ofTime) => overMembers(ofTime, M, 1));
  return {
    incidence: intervals.map(({ value }) => value),
    members: indices(M).map((m) => incidence.map((ofTime) => mean(ofTime.slice(m * perMember, (m + 1) * perMember)))),
    low: intervals.map(({ low }) => low),
    high: intervals.map(({ high }) => high),
  };
}

function eachMarker(
  manifest: LearnedManifest,
  make: (marker: Marker, i: number) => MarkerForecast,
): Record<string, MarkerForecast> {
  return Object.fromEntries(manifest.markers.map((marker, i) => [marker.id, make(marker, i)]));
}

function indices(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

function finite(values: readonly number[]): number[] {
  return values.filter((value) => !Number.isNaN(value));
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function mean(values: readonly number[]): number {
  const known = finite(values);
  return total(known) / known.length;
}
