/** From doses, covariates and settings in model time to the segments that every engine runs. One timeline serves all draws. */
import { AppError, invariant } from '#domain/errors.ts';
import { evaluate } from '#packs/equations/evaluate.ts';
import type { CompiledInput, Expr, Program } from '#packs/equations/program.ts';
import type { Segment, SteadyState, Timeline } from './simulation.ts';

/** Instants nearer than this in model time are one instant: far below what a clock shows, far above rounding. */
export const timeTick = 1e-6;

/** Everything in model time and in the inputs' units; lists in any order. */
export interface TimelineInput {
  /** Nothing is earlier. */
  readonly start: number;
  /** What would begin at or after this is left out; the last segment runs on for ever. */
  readonly end: number;
  readonly doses: readonly TimelineDose[];
  /** Each row [covariates] holds from its time to the next; the earliest also holds before its time. */
  readonly covariates: readonly { readonly time: number; readonly row: Float64Array }[];
  /** `off` before the first one. */
  readonly controls: readonly { readonly control: number; readonly from: number; readonly value: number }[];
  readonly setStates: readonly { readonly time: number; readonly state: number; readonly value: number }[];
  /** When a new occasion begins; the time before the first of them is occasion 0. */
  readonly occasions: readonly number[];
  readonly steadyState: SteadyState | null;
}

export interface TimelineDose {
  /** Index of the program's input. */
  readonly input: number;
  readonly time: number;
  readonly amount: number;
  /** 0 where the record gives none. */
  readonly duration: number;
}

/** A constant rate through one input, or (`to` null) an amount at once. */
interface Delivery {
  readonly input: number;
  readonly from: number;
  readonly to: number | null;
  /** Amount per time, or amount. */
  readonly value: number;
  /** When it was given, before its lag. */
  readonly given: number;
}

/**
 * The timeline of a program. A dose arrives after its lag (from the covariates at the time it was given), at once, over its
 * duration, or over the input's `deliveredOver`; through an input with `maximumRate` it queues. Amounts at one instant and rates
 * that overlap add up.
 *
 * For the `map` stepper nothing happens between steps: whatever falls into a step, counted from `start`, happens at its beginning.
 *
 * @throws AppError `dose_invalid` where two doses reach one instant whose bioavailability depends on when each was given.
 */
export function buildTimeline(program: Program, input: TimelineInput): Timeline {
  const { start, end } = input;
  invariant(input.covariates.length > 0 || program.covariates.length === 0, 'a timeline has a covariate row');
  const snap = snapping(program, start);
  const rows = [...input.covariates].sort((a, b) => a.time - b.time);
  const covariateRows = rows.length > 0 ? rows.map(({ row }) => row) : [new Float64Array(0)];
  const rowAt = (time: number): number => Math.max(0, lastAtOrBefore(rows, time, snap));
  const controls = [...input.controls].sort((a, b) => a.from - b.from);
  const occasions = [...input.occasions].sort((a, b) => a - b);
  const deliveries = deliver(program, input, (time) => covariateRows[rowAt(time)]).map((delivery) => ({
    ...delivery,
    from: snap(delivery.from),
    to: delivery.to === null ? null : snap(delivery.to),
  }));

  const instants = new Instants(start, end);
  for (const { time } of rows) instants.add(snap(time));
  for (const { from } of controls) instants.add(snap(from));
  for (const { time } of input.setStates) instants.add(snap(time));
  for (const time of occasions) instants.add(snap(time));
  for (const { from, to } of deliveries) {
    instants.add(from);
    if (to !== null) instants.add(to);
  }
  for (const cut of segmentCuts(program, deliveries, end)) instants.add(cut);

  const arrivals = groupByTick(deliveries, ({ from }) => from);
  const sets = groupByTick(input.setStates, ({ time }) => snap(time));
  let running: Delivery[] = [];
  const segments = instants.sorted().map((time): Segment => {
    const arriving = arrivals.get(tickOf(time)) ?? [];
    running = [...running.filter(({ to }) => tickOf(to!) > tickOf(time)), ...arriving.filter(({ to }) => to !== null)];
    const doses = new Float64Array(program.inputs.length);
    const rates = new Float64Array(program.inputs.length);
    for (const { to, input: index, value } of arriving) if (to === null) doses[index] += value;
    for (const { input: index, value } of running) rates[index] += value;
    const values = Float64Array.from(program.controls, ({ off }) => off);
    for (const { control, from, value } of controls) if (tickOf(snap(from)) <= tickOf(time)) values[control] = value;
    return {
      start: time,
      covariateRow: rowAt(time),
      doses,
      rates,
      doseTime: doseTimeOf(program, time, arriving, running),
      controls: values,
      occasion: occasions.filter((boundary) => tickOf(snap(boundary)) <= tickOf(time)).length,
      setStates: (sets.get(tickOf(time)) ?? []).map(({ state, value }) => ({ state, value })),
    };
  });
  return { segments, covariateRows, steadyState: input.steadyState };
}

function tickOf(time: number): number {
  return Math.round(time / timeTick);
}

/** For the `map` stepper: the beginning of the step that a time falls into. */
export function snapping({ stepper }: Program, start: number): (time: number) => number {
  if (stepper.kind !== 'map') return (time) => time;
  const { step } = stepper;
  return (time) => start + Math.floor((time - start) / step + timeTick) * step;
}

/** Distinct instants from `start` to before `end`, each the first value that was added for it. */
class Instants {
  readonly #times = new Map<number, number>();
  readonly #first: number;
  readonly #last: number;

  constructor(start: number, end: number) {
    this.#first = tickOf(start);
    this.#last = tickOf(end);
    this.#times.set(this.#first, start);
  }

  add(time: number): void {
    const tick = tickOf(time);
    if (tick > this.#first && tick < this.#last && !this.#times.has(tick)) this.#times.set(tick, time);
  }

  sorted(): number[] {
    return [...this.#times.values()].sort((a, b) => a - b);
  }
}

function lastAtOrBefore(rows: readonly { readonly time: number }[], time: number, snap: (time: number) => number): number {
  return rows.findLastIndex((row) => tickOf(snap(row.time)) <= tickOf(time));
}

function groupByTick<T>(items: readonly T[], timeOf: (item: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const tick = tickOf(timeOf(item));
    const group = groups.get(tick);
    if (group) group.push(item);
    else groups.set(tick, [item]);
  }
  return groups;
}

/** What each dose comes to, in order of arrival. */
function deliver(program: Program, { start, end, doses }: TimelineInput, rowAt: (time: number) => Float64Array): Delivery[] {
  const queues = program.inputs.map((): Delivery[] => []);
  const deliveries: Delivery[] = [];
  for (const dose of doses) {
    invariant(tickOf(dose.time) >= tickOf(start), 'a timeline starts no later than its first dose');
    invariant(Number.isFinite(dose.amount) && dose.amount >= 0 && dose.duration >= 0, 'doses are checked before they come here');
    const { lag, deliveredOver, maximumRate } = program.inputs[dose.input];
    const from = dose.time + lagOf(lag, rowAt(dose.time));
    const duration = dose.duration > 0 ? dose.duration : (deliveredOver ?? 0);
    const common = { input: dose.input, from, given: dose.time };
    if (maximumRate !== null) queues[dose.input].push({ ...common, to: null, value: dose.amount });
    else if (duration > 0) deliveries.push({ ...common, to: from + duration, value: dose.amount / duration });
    else deliveries.push({ ...common, to: null, value: dose.amount });
  }
  queues.forEach((announced, index) => deliveries.push(...takeIn(program.inputs[index], announced, start, end)));
  return deliveries.sort((a, b) => a.from - b.from);
}

function lagOf(lag: Expr, row: Float64Array): number {
  return evaluate(lag, (from, index) => {
    invariant(from === 'covariate', 'a lag reads covariates alone');
    return row[index];
  });
}

/**
 * Announced amounts of an input with a maximum rate. With a segment length, time is cut into cells of it, counted from `start`: what
 * is announced in a cell joins the queue at the cell's beginning, and a cell takes in as much as the rate allows, the last one the
 * rest, evenly over the cell (as the reference implementation of UVA/Padova eats, minute by minute). Without one, the queue drains at
 * the maximum rate until it is empty.
 */
function takeIn(input: CompiledInput, announced: readonly Delivery[], start: number, end: number): Delivery[] {
  const queue = [...announced].sort((a, b) => a.from - b.from);
  const cell = input.segmentLength;
  const maximumRate = input.maximumRate!;
  const taken: Delivery[] = [];
  if (cell === null) {
    let free = start;
    for (const { from, value, ...rest } of queue) {
      const begins = Math.max(free, from);
      free = begins + value / maximumRate;
      if (free > begins) taken.push({ ...rest, from: begins, to: free, value: maximumRate });
    }
    return taken;
  }
  const cellOf = (time: number): number => Math.floor((time - start) / cell + timeTick);
  const lastCell = cellOf(end);
  let next = 0;
  let waiting = 0;
  let k = queue.length > 0 ? cellOf(queue[0].from) : 0;
  while (k <= lastCell && (waiting > 0 || next < queue.length)) {
    if (waiting === 0) k = Math.max(k, cellOf(queue[next].from));
    while (next < queue.length && cellOf(queue[next].from) <= k) waiting += queue[next++].value;
    // Not `waiting -= …` down to zero: the remainder of a whole number of cells would be rounding that is eaten for a minute.
    const eaten = waiting <= maximumRate * cell * (1 + 1e-12) ? waiting : maximumRate * cell;
    if (eaten > 0) {
      const { input: index, given } = queue[next - 1];
      taken.push({ input: index, given, from: start + k * cell, to: start + (k + 1) * cell, value: eaten / cell });
    }
    waiting = eaten === waiting ? 0 : waiting - eaten;
    k++;
  }
  return taken;
}

/** While a rate runs through an input with a segment length, a cut after each length; cells of a queue are such segments already. */
function segmentCuts(program: Program, deliveries: readonly Delivery[], end: number): number[] {
  const cuts: number[] = [];
  for (const { input, from, to } of deliveries) {
    const { segmentLength, maximumRate } = program.inputs[input];
    if (to === null || segmentLength === null || maximumRate !== null) continue;
    for (let k = 1; from + k * segmentLength < Math.min(to, end); k++) cuts.push(from + k * segmentLength);
  }
  return cuts;
}

/** When what arrives was given; of what runs on if nothing arrives; the segment's own start if nothing does. */
function doseTimeOf(program: Program, time: number, arriving: readonly Delivery[], running: readonly Delivery[]): number {
  const present = [...arriving, ...running];
  const sensitive = present.filter(({ input }) => readsDoseTime(program.inputs[input].bioavailability));
  const [first, ...others] = sensitive.length > 0 ? sensitive : present;
  if (!first) return time;
  if (sensitive.length > 0 && others.some(({ given }) => tickOf(given) !== tickOf(first.given))) {
    throw new AppError(
      'dose_invalid',
      `Two doses through '${program.inputs[first.input].symbol}' that were given at different times reach the body at the same time, ` +
        'and how much of each arrives depends on when it was given. Move one of them by a minute.',
    );
  }
  return first.given;
}

function readsDoseTime(expr: Expr): boolean {
  if (expr.op === 'number') return false;
  if (expr.op === 'read') return expr.from === 'doseTime';
  return expr.args.some(readsDoseTime);
}
