/** A person in a program's own time: what has been, and what a plan adds to it. */
import { hoursPerDay } from '#domain/doses.ts';
import { AppError } from '#domain/errors.ts';
import type { CovariateChange } from '#domain/dosing.ts';
import type { Plan, Regimen } from '#domain/plan.ts';
import type { Timeline } from '#engine/simulation.ts';
import { buildTimeline, type TimelineDose } from '#engine/timeline.ts';
import type { Program } from '#packs/equations/program.ts';
import type { ModelProblem } from './fit-problem.ts';
import type { Person } from './person.ts';

export interface ProgramCourse {
  /** Days from now → model time. */
  readonly toModelTime: (daysFromNow: number) => number;
  readonly now: number;
  /** Model time of the first thing known of the person. */
  readonly start: number;
  /** First observations of states that are observed exactly; null where the model has none. */
  readonly initialStates: Float64Array | null;
}

/** Throws `covariate_missing` where the model counts time from birth and the age is not known. */
export function courseOf(program: Program, person: Person): ProgramCourse {
  const first = Math.min(0, person.doses[0]?.hours ?? 0, person.levels[0]?.hours ?? 0);
  const zero = zeroHours(program, person, first);
  const hoursPerTime = program.daysPerTime * hoursPerDay;
  const toModelTime = (daysFromNow: number) => (daysFromNow * hoursPerDay - zero) / hoursPerTime;
  const begin = program.timeZero === 'entry' ? Math.min(first, zero) : first;
  return {
    toModelTime,
    now: toModelTime(0),
    start: toModelTime(begin / hoursPerDay),
    initialStates: exactStart(program, person),
  };
}

function zeroHours({ timeZero }: Program, { entryHours, birthHours }: Person, firstHours: number): number {
  if (timeZero === 'first-event') return firstHours;
  if (timeZero === 'entry') return entryHours;
  if (birthHours !== null) return birthHours;
  throw new AppError('covariate_missing', 'This pack counts time from birth. Enter the age at entry.');
}

function exactStart({ states }: Program, { levels }: Person): Float64Array | null {
  if (states.every(({ observedExactly }) => observedExactly === null)) return null;
  return Float64Array.from(states, ({ observedExactly }) => {
    return levels.find(({ marker }) => marker === observedExactly)?.value ?? Number.NaN;
  });
}

/** What is to come: a plan, and what is asked about covariates. */
export interface Future {
  readonly plan: Plan;
  readonly changes: readonly CovariateChange[];
  readonly horizonDays: number;
}

/** The doses of a plan from now on: its own, and the record's courses that go on unless the plan stops them. */
export function planRegimens(person: Person, plan: Plan): readonly Regimen[] {
  return [...(plan.regimens ?? []), ...(plan.stopsCurrentDoses ? [] : person.continuing)];
}

/** The past, and with `future` what follows it. */
export function timelineOf(program: Program, person: Person, future: Future | null): Timeline {
  const { toModelTime, now, start } = courseOf(program, person);
  const fromHours = (hours: number) => toModelTime(hours / hoursPerDay);
  const length = (hours: number) => hours / hoursPerDay / program.daysPerTime;
  const coming = future ? planRegimens(person, future.plan).flatMap((regimen) => dosesOf(regimen, future.horizonDays)) : [];
  const doses = [...person.doses, ...coming].flatMap(({ intervention, route, hours, amount, durationHours }): TimelineDose[] => {
    const input = program.inputs.findIndex((one) => one.intervention === intervention && one.routes.includes(route));
    return input < 0 ? [] : [{ input, time: fromHours(hours), amount, duration: length(durationHours) }];
  });
  return buildTimeline(program, {
    start,
    end: future ? toModelTime(future.horizonDays) : now,
    doses,
    covariates: covariateRows(program, person, future).map(({ hours, row }) => ({ time: fromHours(hours), row })),
    controls: controlChanges(program, person, future).map(({ hours, ...change }) => ({ ...change, from: fromHours(hours) })),
    setStates: exactStates(program, person).map(({ hours, ...set }) => ({ ...set, time: fromHours(hours) })),
    // One occasion for the past and one for what follows: a new occasion is what a plan brings.
    occasions: future ? [now] : [],
    steadyState: null,
  });
}

function dosesOf({ intervention, route, amount, durationHours, startHour, everyHours, count }: Regimen, horizonDays: number) {
  const horizonHours = horizonDays * hoursPerDay;
  const most = everyHours === null ? 1 : Math.ceil((horizonHours - startHour) / everyHours - 1e-9);
  return Array.from({ length: Math.max(0, Math.min(count ?? Infinity, most)) }, (_, k) => ({
    intervention,
    route,
    hours: startHour + k * (everyHours ?? 0),
    amount,
    durationHours: durationHours ?? 0,
  }));
}

/** A row for every instant at which a covariate of the program changes. NaN where it is not known: the lanes carry it. */
function covariateRows(program: Program, { covariates }: Person, future: Future | null) {
  const courses = program.covariates.map((id) => [
    ...(covariates.get(id) ?? []),
    ...(future?.changes ?? [])
      .filter(({ covariate }) => covariate === id)
      .map(({ fromDay, value }) => ({ hours: fromDay * hoursPerDay, value })),
  ]);
  const instants = [...new Set(courses.flatMap((course) => course.map(({ hours }) => hours)))].sort((a, b) => a - b);
  const rowAt = (hours: number) =>
    Float64Array.from(courses, (course) => {
      const value = course.findLast((one) => one.hours <= hours) ?? course[0];
      return value?.value ?? Number.NaN;
    });
  return (instants.length > 0 ? instants : [0]).map((hours) => ({ hours, row: rowAt(hours) }));
}

/** Up to now as the record says, from now on as the plan does. */
function controlChanges(program: Program, { treatments }: Person, future: Future | null) {
  return program.controls.flatMap(({ intervention, on, off }, control) => {
    const spans = [
      ...treatments
        .filter((one) => one.intervention === intervention && one.start < 0)
        .map((one) => ({ ...one, stop: Math.min(0, one.stop) })),
      ...(future?.plan.blocks ?? [])
        .filter((block) => block.intervention === intervention)
        .map(({ startDay, stopDay }) => ({ start: startDay * hoursPerDay, stop: stopDay * hoursPerDay })),
    ].sort((a, b) => a.start - b.start);
    return spans.flatMap(({ start, stop }, i) => {
      const goesOn = spans[i + 1] !== undefined && spans[i + 1]!.start <= stop;
      return [{ control, hours: start, value: on }, ...(goesOn ? [] : [{ control, hours: stop, value: off }])];
    });
  });
}

/** Every exact observation but the first of each state, which is where it starts. */
function exactStates({ states }: Program, { levels }: Person) {
  return states.flatMap(({ observedExactly }, state) =>
    levels
      .filter(({ marker }) => observedExactly !== null && marker === observedExactly)
      .slice(1)
      .map(({ hours, value }) => ({ state, hours, value })),
  );
}

/** What is to be fitted of one model. */
export function modelProblem(program: Program, person: Person, logPriorWeight: number): ModelProblem {
  const { toModelTime, initialStates } = courseOf(program, person);
  return {
    program,
    logPriorWeight,
    timeline: timelineOf(program, person, null),
    occasions: program.effects.some(({ perOccasion }) => perOccasion) ? 2 : 1,
    unknownCovariates: program.covariates.flatMap((id, covariate) => {
      const shares = person.unknown.get(id);
      return shares ? [{ covariate, shares }] : [];
    }),
    observations: person.levels.flatMap(({ marker, hours, value, isBelowLimit }) => {
      const of = program.observations.findIndex((one) => one.marker === marker);
      return of < 0 ? [] : [{ of, time: toModelTime(hours / hoursPerDay), value, isBelowLimit }];
    }),
    ...(initialStates ? { initialStates } : {}),
  };
}
