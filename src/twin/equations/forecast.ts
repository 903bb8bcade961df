/** Record and plans to a forecast under an `equations` pack: fit the twin, run every plan on the same posterior draws, summarise. */
import { hoursPerDay } from '#domain/doses.ts';
import { AppError } from '#domain/errors.ts';
import type {
  Band,
  EventForecast,
  Estimate,
  FitReport,
  Forecast,
  ForecastDifference,
  ForecastStatus,
  MarkerForecast,
  PastCourse,
  PlanForecast,
  TargetForecast,
} from '#domain/forecast.ts';
import { bandLevels } from '#domain/forecast.ts';
import type { Plan } from '#domain/plan.ts';
import type { RunHooks } from '#engine/engine.ts';
import type { Simulation, Simulator } from '#engine/simulation.ts';
import { measureDays, measureLanes, summariseTarget } from '#engine/target-measure.ts';
import { quantileOfSorted } from '#numerics/quantiles.ts';
import { RadixSorter } from '#numerics/radix-sort.ts';
import { seedFrom } from '#numerics/random.ts';
import type { Program } from '#packs/equations/program.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import type { EquationsPack } from '#packs/pack.ts';
import type { Placing } from '../fit-report.ts';
import { batchDifferenceDots } from '../member-estimate.ts';
import { outcomeOf } from '../outcome.ts';
import { usualCarePlan } from '../plan-check.ts';
import { courseOf, planRegimens, timelineOf } from './course.ts';
import type { FittedModel } from './fit-problem.ts';
import type { FittedPerson } from './fitted-person.ts';
import type { Person } from './person.ts';
import { checkEquationsPlan, outsideRegimens } from './plans.ts';
import { reportEquationsFit } from './report.ts';

export interface EquationsForecastRequest {
  readonly pack: EquationsPack;
  /** Fitted with as many lanes as futures are wanted. */
  readonly fitted: FittedPerson;
  /** What-ifs. Usual care is made from the record and the manifest and always comes first. */
  readonly plans: readonly Plan[];
  /** The pack's longest unless told otherwise. */
  readonly horizonDays?: number;
  readonly seed: number;
}

export interface EquationsForecastDeps {
  readonly simulator: Simulator;
  readonly placing?: Placing<Person>;
  /** Milliseconds, only to say how long it took. Without it it took 0. */
  readonly now?: () => number;
}

const courses = 20;
/** Draws in so many batches tell how far chance moves a difference of event shares. */
const batches = 20;
const pastPoints = 120;
const toleratedDivergence = 0.01;
const normalCritical90 = 1.6448536269514722;

/** Errors that a person can mend are thrown as `AppError`; outcomes of the run are statuses. The same request gives the same forecast. */
export async function forecastEquations(
  request: EquationsForecastRequest,
  { simulator, placing, now = () => 0 }: EquationsForecastDeps,
  hooks: RunHooks = {},
): Promise<Forecast> {
  const { pack, fitted } = request;
  const { manifest } = pack;
  const { person, twin } = fitted;
  const started = now();
  request.plans.forEach((plan) => checkEquationsPlan(manifest, plan));
  const horizonDays = horizonOf(manifest, request.horizonDays);
  const plans = [usualCarePlan(manifest, horizonDays), ...request.plans];
  if (new Set(plans.map(({ id }) => id)).size < plans.length)
    throw new AppError('plan_invalid', 'Two plans have the same id. Rename one.');
  const fit = reportEquationsFit(manifest, fitted, placing);
  const draws = twin.models.reduce((sum, { lanes }) => sum + lanes.lanes, 0);
  const { stepDays } = manifest.grid;
  const steps = Math.ceil(horizonDays / stepDays - 1e-9);
  const timesDays = Array.from({ length: steps + 1 }, (_, t) => t * stepDays);

  const base = {
    pack: { id: manifest.id, version: manifest.version, digest: pack.digest, title: manifest.title },
    today: person.now.slice(0, 10),
    timesDays,
    fit,
  };
  const finish = (status: ForecastStatus, message: string, answer: Answer = nothing): Forecast => ({
    status,
    message,
    ...base,
    ...answer,
    run: {
      engine: simulator.kind,
      engineDescription: simulator.description,
      seed: request.seed,
      rollouts: draws,
      members: twin.models.length,
      elapsedMs: { fit: fitted.elapsedMs, rollOut: now() - started },
    },
  });
  if (fit.standing === 'outside') return finish('outside-support', `The forecast is withheld. ${fit.reasons.join(' ')}`);

  try {
    const pastDays = pastTimes(person.doses[0]?.hours, person.levels[0]?.hours);
    const wanted = wantedMeasures(
      manifest,
      plans.map((plan) => planRegimens(person, plan)),
      horizonDays,
    );
    const days = [...new Set([...pastDays, ...timesDays, ...wanted.flat().flatMap((one) => one?.days ?? [])])].sort(
      (a, b) => a - b,
    );
    const runs: Run[] = [];
    for (const [m, model] of twin.models.entries()) {
      hooks.signal?.throwIfAborted();
      if (model.lanes.lanes === 0) continue;
      const readouts = shownReadouts(model.program, manifest);
      const simulation = await simulateModel(request, plans, model, readouts, days, horizonDays, simulator, hooks);
      runs.push({ model, readouts, simulation });
      hooks.onProgress?.((m + 1) / twin.models.length);
    }
    const view: View = { manifest, person, plans, runs, days, timesDays, draws, horizonDays };
    const answer = translate(view, wanted);
    const marked = {
      ...answer,
      plans: answer.plans.map((own, p) => ({ ...own, outsideSupport: outsideRegimens(manifest, person, plans[p]!) })),
      ...(pastDays.length > 1 ? { past: pastCourse(view, pastDays) } : {}),
    };
    const share = Math.max(...plans.map((_, p) => sum(runs.map(({ simulation }) => sum(simulation.diverged[p]!))))) / draws;
    if (share > toleratedDivergence) return finish('diverged', divergedMessage(share), marked);
    return finish('completed', completedMessage(draws, plans.length, fit, share), marked);
  } catch (error) {
    return finish(...outcomeOf(error));
  }
}

type Answer = Pick<Forecast, 'plans' | 'differences'> & { readonly past?: PastCourse };
const nothing: Answer = { plans: [], differences: [] };

function completedMessage(draws: number, plans: number, fit: FitReport, divergedShare: number): string {
  const futures = `${draws} virtual copies of this person were simulated ${plans === 1 ? 'under usual care' : 'under each plan'}.`;
  const left = divergedShare > 0 ? ` ${percent(divergedShare)} of them left the model’s range and are not counted.` : '';
  return fit.standing === 'partly'
    ? `${futures}${left} This person is partly outside what the pack saw: read with care.`
    : futures + left;
}

function divergedMessage(share: number): string {
  return `${percent(share)} of the simulated courses left the range that the model can describe and are not in the picture: do not rely on it.`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}

function horizonOf({ grid }: EquationsManifest, horizonDays = grid.horizonSteps * grid.stepDays): number {
  const most = grid.horizonSteps * grid.stepDays;
  if (horizonDays > 0 && horizonDays <= most * (1 + 1e-9)) return horizonDays;
  throw new AppError(
    'request_invalid',
    `Horizon: found ${horizonDays} days, expected more than 0 and at most ${most}. Choose a horizon in this range.`,
  );
}

/** From the first dose or level to now, so that the picture shows how the twin explains what was measured. */
function pastTimes(...firstHours: readonly (number | undefined)[]): number[] {
  const first = Math.min(0, ...firstHours.filter((hours) => hours !== undefined));
  if (first === 0) return [];
  return Array.from({ length: pastPoints }, (_, i) => (first / hoursPerDay) * (1 - i / (pastPoints - 1)));
}

interface Run {
  readonly model: FittedModel;
  /** Of the program, in the order in which they were simulated. */
  readonly readouts: readonly number[];
  readonly simulation: Simulation;
}

interface View {
  readonly person: Person;
  readonly manifest: EquationsManifest;
  readonly plans: readonly Plan[];
  readonly runs: readonly Run[];
  /** Of every simulation, ascending, from now. */
  readonly days: readonly number[];
  readonly timesDays: readonly number[];
  readonly draws: number;
  readonly horizonDays: number;
}

async function simulateModel(
  { fitted, seed }: EquationsForecastRequest,
  plans: readonly Plan[],
  { program, lanes }: FittedModel,
  readouts: readonly number[],
  days: readonly number[],
  horizonDays: number,
  simulator: Simulator,
  hooks: RunHooks,
): Promise<Simulation> {
  const { toModelTime, initialStates } = courseOf(program, fitted.person);
  return simulator.simulate(
    {
      program,
      ...lanes,
      ...(initialStates ? { initialStates } : {}),
      timelines: plans.map((plan) => timelineOf(program, fitted.person, { plan, horizonDays, changes: [] })),
      times: Float64Array.from(days, toModelTime),
      readouts,
      seed: seedFrom(seed),
    },
    hooks.signal ? { signal: hooks.signal } : {},
  );
}

/** The read-outs that a page shows, ascending: those of markers and of targets. A model may have many more, and each costs memory. */
function shownReadouts(program: Program, { targets }: EquationsManifest): number[] {
  const shown = new Set([
    ...program.observations.map(({ readout }) => readout),
    ...targets.map(({ measure }) => program.readouts.findIndex(({ symbol }) => symbol === measure.readout)),
  ]);
  return [...shown].sort((a, b) => a - b);
}

/** Days at which each target of each plan is measured; null where it makes no sense. [plan][target]. */
type Wanted = readonly (readonly ({ readonly days: readonly number[] } | null)[])[];

function wantedMeasures(
  { targets }: EquationsManifest,
  regimens: readonly ReturnType<typeof planRegimens>[],
  horizonDays: number,
): Wanted {
  return regimens.map((own) =>
    targets.map((target) => {
      const days = measureDays(target, own, horizonDays);
      return days ? { days } : null;
    }),
  );
}

function translate(view: View, wanted: Wanted): Answer {
  const { manifest, plans } = view;
  const values = plans.map((_, p) => manifest.markers.map((marker) => markerValues(view, p, marker.id)));
  const happened = plans.map((_, p) => manifest.events.map((event) => eventDays(view, p, event.id)));
  const first = happened.map((events) => firstOf(events, view.draws));
  const any = first.map((days) => eventForecast(view, days));
  return {
    plans: plans.map((plan, p) => ({
      plan,
      markers: Object.fromEntries(
        manifest.markers.map((marker, i) => [marker.id, markerForecast(view, marker.unit, values[p]![i]!)]),
      ),
      signs: {},
      events: Object.fromEntries(manifest.events.map(({ id }, k) => [id, eventForecast(view, happened[p]![k]!)])),
      eventFree: any[p]!.incidence.map((share) => 1 - share),
      anyEvent: { low: any[p]!.low, high: any[p]!.high },
      eventFreeDays: eventFreeDays(first[p]!, view.horizonDays),
      outsideSupport: [],
      targets: targetForecasts(view, p, wanted[p]!),
    })) satisfies PlanForecast[],
    differences: plans.slice(1).map(({ id }, d): ForecastDifference => ({
      planId: id,
      markers: Object.fromEntries(
        manifest.markers.map((marker, i) => [marker.id, differenceOf(view, marker.unit, values[d + 1]![i]!, values[0]![i]!)]),
      ),
      events: Object.fromEntries(
        manifest.events.map((event, k) => [event.id, shareDifferences(view, happened[d + 1]![k]!, happened[0]![k]!)]),
      ),
      anyEvent: shareDifferences(view, first[d + 1]!, first[0]!),
      eventFreeDays: daysDifference(view, first[d + 1]!, first[0]!),
    })),
  };
}

/** [days][draws] of a marker under a plan, in the marker's unit, models one after the other. */
function markerValues({ runs, days, draws }: View, plan: number, marker: string): Float32Array[] {
  const columns = days.map(() => new Float32Array(draws));
  let offset = 0;
  for (const { model, readouts, simulation } of runs) {
    const { lanes } = model.lanes;
    const shown = model.program.observations.find((observation) => observation.marker === marker)!;
    const source = simulation.values[plan]!;
    const readout = readouts.indexOf(shown.readout);
    columns.forEach((column, t) => {
      const from = (readout * days.length + t) * lanes;
      for (let lane = 0; lane < lanes; lane++) column[offset + lane] = source[from + lane]! * shown.factor;
    });
    offset += lanes;
  }
  return columns;
}

function markerForecast(view: View, unit: string, columns: readonly Float32Array[]): MarkerForecast {
  const own = view.timesDays.map((time) => columns[view.days.indexOf(time)]!);
  const sizes = view.runs.map(({ model }) => model.lanes.lanes);
  const starts = sizes.map((_, m) => sum(sizes.slice(0, m)));
  return {
    unit,
    ...bandsOf(own),
    memberMedians: sizes.map((size, m) => {
      const sorter = new RadixSorter(size);
      return own.map((column) => {
        const ascending = ordered(column.subarray(starts[m], starts[m]! + size), sorter);
        return ascending.length === 0 ? Number.NaN : quantileOfSorted(ascending, 0.5);
      });
    }),
    // Spread over the draws, so that every model that has weight shows.
    courses: Array.from({ length: Math.min(courses, view.draws) }, (_, c) => {
      const lane = Math.floor(((c + 0.5) * view.draws) / courses);
      return own.map((column) => (Number.isNaN(column[lane]!) ? null : column[lane]!));
    }),
  };
}

function bandsOf(columns: readonly Float32Array[]): { readonly bands: readonly Band[]; readonly median: readonly number[] } {
  const sorter = new RadixSorter(columns[0]?.length ?? 0);
  const levels = [0.5, ...bandLevels.flatMap((level) => [(1 - level) / 2, (1 + level) / 2])];
  const found = columns.map((column) => {
    const ascending = ordered(column, sorter);
    return levels.map((level) => (ascending.length === 0 ? Number.NaN : quantileOfSorted(ascending, level)));
  });
  return {
    bands: bandLevels.map((level, b) => ({
      level,
      low: found.map((own) => own[1 + 2 * b]!),
      high: found.map((own) => own[2 + 2 * b]!),
    })),
    median: found.map((own) => own[0]!),
  };
}

/** Ascending, without what is no number. */
function ordered(column: Float32Array, sorter: RadixSorter): Float32Array {
  const known = new Float32Array(column.length);
  let count = 0;
  // A number equals itself. `filter` with a callback takes longer than the sort.
  for (let i = 0; i < column.length; i++) if (column[i] === column[i]) known[count++] = column[i]!;
  const ascending = known.subarray(0, count);
  sorter.sort(ascending);
  return ascending;
}

function differenceOf(view: View, unit: string, plan: readonly Float32Array[], usual: readonly Float32Array[]): MarkerForecast {
  const columns = view.timesDays.map((time) => {
    const t = view.days.indexOf(time);
    const [own, held] = [plan[t]!, usual[t]!];
    const difference = new Float32Array(own.length);
    for (let lane = 0; lane < own.length; lane++) difference[lane] = own[lane]! - held[lane]!;
    return difference;
  });
  return { unit, ...bandsOf(columns), memberMedians: [], courses: [] };
}

/** [draws] days from now until the event; Infinity if it does not come, NaN if it came before now. */
function eventDays({ person, runs, draws, days }: View, plan: number, id: string): Float64Array {
  const found = new Float64Array(draws).fill(Infinity);
  let offset = 0;
  for (const { model, simulation } of runs) {
    const { lanes } = model.lanes;
    const { now } = courseOf(model.program, person);
    const event = model.program.events.findIndex((one) => one.id === id);
    for (let lane = 0; event >= 0 && lane < lanes; lane++) {
      const time = simulation.eventTimes[plan]![event * lanes + lane]!;
      if (!Number.isNaN(time)) found[offset + lane] = (time - now) * model.program.daysPerTime;
    }
    offset += lanes;
  }
  return found.map((value) => (value <= days.at(-1)! ? value : Infinity));
}

function firstOf(events: readonly Float64Array[], draws: number): Float64Array {
  return Float64Array.from({ length: draws }, (_, lane) => Math.min(Infinity, ...events.map((days) => days[lane]!)));
}

function shareBy(days: Float64Array, time: number): number {
  let by = 0;
  for (const day of days) if (day <= time) by++;
  return by / days.length;
}

function eventForecast({ timesDays, runs }: View, days: Float64Array): EventForecast {
  const incidence = timesDays.map((time) => shareBy(days, time));
  const half = incidence.map((p) => normalCritical90 * Math.sqrt((p * (1 - p)) / days.length));
  const sizes = runs.map(({ model }) => model.lanes.lanes);
  return {
    incidence,
    members: sizes.map((size, m) => {
      const own = days.subarray(sum(sizes.slice(0, m)), sum(sizes.slice(0, m)) + size);
      return timesDays.map((time) => shareBy(own, time));
    }),
    low: incidence.map((p, t) => Math.max(0, p - half[t]!)),
    high: incidence.map((p, t) => Math.min(1, p + half[t]!)),
  };
}

function eventFreeDays(first: Float64Array, horizonDays: number): Estimate {
  const free = first.map((day) => Math.min(day, horizonDays)).sort();
  return { value: sum(free) / free.length, low: quantileOfSorted(free, 0.05), high: quantileOfSorted(free, 0.95) };
}

/** Of shares of people with the event so far: [time][dot]. */
function shareDifferences({ timesDays }: View, plan: Float64Array, usual: Float64Array): number[][] {
  const [ofPlan, ofUsual] = [inBatches(plan), inBatches(usual)];
  return timesDays.map((time) => {
    const shares = (all: readonly Float64Array[]) => all.map((days) => shareBy(days, time));
    return batchDifferenceDots(shares(ofPlan), shares(ofUsual), 1);
  });
}

function daysDifference({ horizonDays }: View, plan: Float64Array, usual: Float64Array): number[] {
  const means = (all: Float64Array) =>
    inBatches(all).map((days) => sum(days.map((day) => Math.min(day, horizonDays))) / days.length);
  return batchDifferenceDots(means(plan), means(usual), horizonDays);
}

/** Every twentieth draw: draws of one model stand beside each other. */
function inBatches(draws: Float64Array): Float64Array[] {
  return Array.from({ length: Math.min(batches, draws.length) }, (_, b) =>
    Float64Array.from({ length: Math.ceil((draws.length - b) / batches) }, (_, i) => draws[b + i * batches]!),
  );
}

function targetForecasts(view: View, plan: number, wanted: Wanted[number]): Record<string, TargetForecast> {
  const answer: Record<string, TargetForecast> = {};
  view.manifest.targets.forEach((target, i) => {
    const days = wanted[i]?.days;
    if (!days) return;
    const rows = days.map((day) => view.days.indexOf(day));
    const measures = view.runs.map(({ model, readouts, simulation }) => {
      const { lanes } = model.lanes;
      const measured = model.program.readouts.findIndex(({ symbol }) => symbol === target.measure.readout);
      const readout = readouts.indexOf(measured);
      const at = (index: number, lane: number) =>
        simulation.values[plan]![(readout * view.days.length + rows[index]!) * lanes + lane]!;
      return measureLanes(target, days, at, lanes);
    });
    const summary = summariseTarget(target, Float64Array.from(measures.flatMap((own) => [...own])));
    if (summary) answer[target.id] = summary;
  });
  return answer;
}

function pastCourse(view: View, pastDays: readonly number[]): PastCourse {
  const { manifest } = view;
  return {
    timesDays: pastDays,
    markers: Object.fromEntries(
      manifest.markers.map((marker) => {
        const columns = markerValues(view, 0, marker.id);
        return [marker.id, { unit: marker.unit, ...bandsOf(pastDays.map((day) => columns[view.days.indexOf(day)]!)) }];
      }),
    ),
  };
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}
