/** Draws of a person followed through plans, each draw through its own: what a policy's futures are simulated by. */
import type { CovariateChange } from '#domain/dosing.ts';
import type { Plan } from '#domain/plan.ts';
import type { RunHooks } from '#engine/engine.ts';
import { pickLanes } from '#engine/lanes.ts';
import type { Simulator } from '#engine/simulation.ts';
import type { Seed } from '#numerics/random.ts';
import type { Program } from '#packs/equations/program.ts';
import { courseOf, timelineOf } from '#twin/equations/course.ts';
import type { Person } from '#twin/equations/person.ts';
import type { DrawSet } from './draws.ts';

export interface CourseDeps {
  readonly person: Person;
  readonly simulator: Simulator;
  readonly changes: readonly CovariateChange[];
  readonly horizonDays: number;
  readonly seed: Seed;
}

/** What is read of every draw: a read-out by its symbol, or a marker in its unit, on days from now. */
export interface Wanted {
  readonly days: readonly number[];
  readonly readouts: readonly string[];
  readonly markers: readonly string[];
}

export interface Courses {
  /** Of the draws asked for, in their order. */
  readonly size: number;
  /** NaN after a terminal event and where a draw diverged. `d` counts the days, `i` the draws. */
  readonly readout: (symbol: string, d: number, i: number) => number;
  readonly marker: (id: string, d: number, i: number) => number;
  /** Days from now until an event, in the order of the pack's programs; Infinity if it does not come. */
  readonly eventDay: (event: string, i: number) => number;
  readonly hasDiverged: (i: number) => boolean;
}

/** `draws` (numbers in the set, ascending) under several plans: one answer a plan. All plans see the same noise. */
export async function followPlans(
  set: DrawSet,
  draws: Uint32Array,
  plans: readonly Plan[],
  wanted: Wanted,
  deps: CourseDeps,
  hooks: RunHooks = {},
): Promise<readonly Courses[]> {
  const { person, simulator, changes, horizonDays, seed } = deps;
  const quiet = hooks.signal ? { signal: hooks.signal } : {};
  const days = wanted.days;
  const cells = wanted.readouts.length + wanted.markers.length;
  const size = draws.length;
  const values = plans.map(() => new Float64Array(cells * days.length * size).fill(Number.NaN));
  const diverged = plans.map(() => new Uint8Array(size));
  const events = plans.map(() => new Map<string, Float64Array>());
  for (const { program, lanes, first } of set.models) {
    const from = lowerBound(draws, first);
    const to = lowerBound(draws, first + lanes.lanes);
    if (from === to) continue;
    hooks.signal?.throwIfAborted();
    // The noise of a draw is counted by its place in the request, so that of a program with noise all are followed.
    const isWhole = program.noises.length > 0;
    const numbers = draws.slice(from, to).map((draw) => draw - first);
    const own = isWhole ? lanes : pickLanes(lanes, numbers);
    const columns = columnsOf(program, wanted);
    const readouts = [...new Set(columns.map(({ readout }) => readout))];
    const { toModelTime, initialStates, now } = courseOf(program, person);
    const simulation = await simulator.simulate(
      {
        program,
        ...own,
        ...(initialStates ? { initialStates } : {}),
        timelines: plans.map((plan) => timelineOf(program, person, { plan, changes, horizonDays })),
        times: Float64Array.from(days, toModelTime),
        readouts,
        seed,
      },
      quiet,
    );
    plans.forEach((_, p) => {
      const source = simulation.values[p]!;
      columns.forEach(({ readout, factor }, c) => {
        const row = readouts.indexOf(readout) * days.length;
        for (let d = 0; d < days.length; d++) {
          const at = (row + d) * own.lanes;
          const into = (c * days.length + d) * size + from;
          for (let i = 0; i < numbers.length; i++) values[p]![into + i] = factor * source[at + (isWhole ? numbers[i]! : i)]!;
        }
      });
      for (let i = 0; i < numbers.length; i++) {
        diverged[p]![from + i] = simulation.diverged[p]![isWhole ? numbers[i]! : i]!;
      }
      program.events.forEach(({ id }, e) => {
        const column = events[p]!.get(id) ?? new Float64Array(size).fill(Infinity);
        events[p]!.set(id, column);
        for (let i = 0; i < numbers.length; i++) {
          const time = simulation.eventTimes[p]![e * own.lanes + (isWhole ? numbers[i]! : i)]!;
          if (!Number.isNaN(time)) column[from + i] = (time - now) * program.daysPerTime;
        }
      });
    });
  }
  return plans.map((_, p): Courses => {
    const at = (c: number, d: number, i: number) => values[p]![(c * days.length + d) * size + i]!;
    return {
      size,
      readout: (symbol, d, i) => at(wanted.readouts.indexOf(symbol), d, i),
      marker: (id, d, i) => at(wanted.readouts.length + wanted.markers.indexOf(id), d, i),
      eventDay: (event, i) => events[p]!.get(event)?.[i] ?? Infinity,
      hasDiverged: (i) => diverged[p]![i] === 1,
    };
  });
}

export function everyDraw({ size }: DrawSet): Uint32Array {
  return Uint32Array.from({ length: size }, (_, draw) => draw);
}

function columnsOf(program: Program, { readouts, markers }: Wanted): readonly { readout: number; factor: number }[] {
  return [
    ...readouts.map((symbol) => ({ readout: program.readouts.findIndex((one) => one.symbol === symbol), factor: 1 })),
    ...markers.map((marker) => program.observations.find((one) => one.marker === marker)!),
  ];
}

function lowerBound(ascending: Uint32Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
