/** Plans under a pack of equations: the same posterior draws under every plan, their figures by batches of draws. */
import type { CovariateChange } from '#domain/dosing.ts';
import type { Measure } from '#domain/planning.ts';
import type { Plan, Regimen } from '#domain/plan.ts';
import type { RunHooks } from '#engine/engine.ts';
import type { Simulation, Simulator } from '#engine/simulation.ts';
import { isReached, measureDays, measureLanes } from '#engine/target-measure.ts';
import { seedFrom } from '#numerics/random.ts';
import type { Program } from '#packs/equations/program.ts';
import type { EquationsManifest, Target } from '#packs/manifest.ts';
import { courseOf, planRegimens, timelineOf } from '#twin/equations/course.ts';
import type { FittedModel } from '#twin/equations/fit-problem.ts';
import { withDraws, type FittedPerson } from '#twin/equations/fitted-person.ts';
import { burdenOf } from './doses-given.ts';
import type { PlanEvaluator, PlanFigures } from './evaluate.ts';

export interface EquationsSubject {
  readonly manifest: EquationsManifest;
  readonly fitted: FittedPerson;
  readonly simulator: Simulator;
  readonly changes: readonly CovariateChange[];
}

/** Draws in so many runs; fewer where there are fewer draws. */
const mostGroups = 20;
/** Numbers that one batch of plans reports: 64 MB in f32. */
const batchNumbers = 2 ** 24;
const mostPlansPerBatch = 16;
/** Times at which a marker's course is looked at in a window, at most. */
const mostPoints = 97;

export function equationsEvaluator(
  { manifest, fitted, simulator, changes }: EquationsSubject,
  measures: readonly Measure[],
  { horizonDays, seed }: { readonly horizonDays: number; readonly seed: number },
): PlanEvaluator {
  const { person } = fitted;
  const needsDraws = measures.some(({ kind }) => kind !== 'burden');
  const needsEvents = measures.some(({ kind }) => kind === 'event' || kind === 'event-free-days');
  let thinned: FittedPerson | null = null;
  let thinnedTo = 0;

  async function simulate(
    plans: readonly Plan[],
    models: readonly FittedModel[],
    hooks: RunHooks,
  ): Promise<readonly PlanFigures[]> {
    const looks = plans.map((plan) => measures.map((measure) => lookAt(measure, plan)));
    // An event is found between the first and the last reported time; where nothing is read at all, now is reported.
    const edges = needsEvents ? [0, horizonDays] : [0];
    const days = [...new Set([...edges, ...looks.flat().flatMap((look) => look?.days ?? [])])].sort((a, b) => a - b);
    const rowOf = new Map(days.map((day, row) => [day, row]));
    const total = models.reduce((sum, { lanes }) => sum + lanes.lanes, 0);
    const values = plans.map(() => measures.map(() => new Float64Array(total).fill(Number.NaN)));
    const diverged = plans.map(() => 0);
    let offset = 0;
    for (const { program, lanes } of models) {
      const { toModelTime, now, initialStates } = courseOf(program, person);
      const read = new Set(measures.flatMap((measure) => readoutOf(program, measure)?.index ?? []));
      const readouts = read.size > 0 ? [...read] : [0];
      const simulation = await simulator.simulate(
        {
          program,
          ...lanes,
          ...(initialStates ? { initialStates } : {}),
          timelines: plans.map((plan) => timelineOf(program, person, { plan, horizonDays, changes })),
          times: Float64Array.from(days, toModelTime),
          readouts,
          seed: seedFrom(seed),
        },
        hooks.signal ? { signal: hooks.signal } : {},
      );
      plans.forEach((_, p) => {
        const own = simulation.values[p]!;
        measures.forEach((measure, m) => {
          const into = values[p]![m]!.subarray(offset, offset + lanes.lanes);
          const look = looks[p]![m];
          const readout = readoutOf(program, measure);
          if (measure.kind === 'event' || measure.kind === 'event-free-days') {
            eventLanes(measure, program, now, { simulation, plan: p }, into);
          } else if (measure.kind === 'target' && !look) {
            // A plan without a dosing interval reaches no target of one, nor what it warns of.
            into.fill(0);
          } else if (look && readout) {
            const column = readouts.indexOf(readout.index) * days.length;
            const rows = look.days.map((day) => (column + rowOf.get(day)!) * lanes.lanes);
            look.lanes((i, lane) => own[rows[i]! + lane]! * readout.factor, into);
          }
        });
        const left = simulation.diverged[p]!;
        for (let lane = 0; lane < lanes.lanes; lane++) {
          if (left[lane] === 0) continue;
          diverged[p]!++;
          for (const column of values[p]!) column[offset + lane] = Number.NaN;
        }
      });
      offset += lanes.lanes;
    }
    return plans.map((plan, p) => ({
      groups: measures.map((measure, m) => groupsOf(measure, plan, values[p]![m]!)),
      rollouts: total,
      divergedShare: diverged[p]! / total,
    }));
  }

  function groupsOf(measure: Measure, plan: Plan, lanes: Float64Array): Float64Array {
    const groups = Math.min(mostGroups, lanes.length);
    if (measure.kind === 'burden') return new Float64Array(groups).fill(burden(measure, plan));
    return Float64Array.from({ length: groups }, (_, group) => {
      let sum = 0;
      let count = 0;
      // Draws of one model stand beside each other.
      for (let lane = group; lane < lanes.length; lane += groups) {
        const value = lanes[lane]!;
        if (Number.isNaN(value)) continue;
        sum += value;
        count++;
      }
      return count === 0 ? Number.NaN : sum / count;
    });
  }

  function burden({ of }: Extract<Measure, { kind: 'burden' }>, plan: Plan): number {
    return burdenOf(of, { regimens: planRegimens(person, plan), blocks: plan.blocks }, horizonDays);
  }

  /** Where and how a measure reads its read-out under a plan; null where it reads none or makes no sense. */
  function lookAt(measure: Measure, plan: Plan): Look | null {
    switch (measure.kind) {
      case 'event-free-days':
      case 'event':
      case 'burden':
        return null;
      case 'target':
        return targetLook(targetOf(manifest, measure.target), planRegimens(person, plan), horizonDays);
      default:
        return markerLook(measure, manifest.grid.stepDays);
    }
  }

  function readoutOf(program: Program, measure: Measure): { readonly index: number; readonly factor: number } | null {
    if (measure.kind === 'target') {
      const { readout } = targetOf(manifest, measure.target).measure;
      return { index: program.readouts.findIndex(({ symbol }) => symbol === readout), factor: 1 };
    }
    if (!('marker' in measure)) return null;
    const { readout, factor } = program.observations.find(({ marker }) => marker === measure.marker)!;
    return { index: readout, factor };
  }

  /** Whether the event came (0 or 1), or days until the first of any, by lane. */
  function eventLanes(
    measure: Extract<Measure, { kind: 'event' | 'event-free-days' }>,
    program: Program,
    now: number,
    { simulation, plan }: { readonly simulation: Simulation; readonly plan: number },
    into: Float64Array,
  ): void {
    const asked = measure.kind === 'event' ? measure.event : null;
    const rows = program.events.flatMap(({ id }, row) => (asked === null || id === asked ? [row] : []));
    const times = simulation.eventTimes[plan]!;
    for (let lane = 0; lane < into.length; lane++) {
      let first = Infinity;
      for (const row of rows) {
        const time = times[row * into.length + lane]!;
        if (!Number.isNaN(time)) first = Math.min(first, (time - now) * program.daysPerTime);
      }
      if (measure.kind === 'event') into[lane] = first <= measure.byDay ? 1 : 0;
      else into[lane] = Math.max(0, Math.min(first, horizonDays));
    }
  }

  return {
    async evaluate(plans, wanted, hooks = {}) {
      if (thinnedTo !== wanted) {
        thinned = withDraws(fitted, wanted);
        thinnedTo = wanted;
      }
      const models = thinned!.twin.models.filter(({ lanes }) => lanes.lanes > 0);
      const draws = models.reduce((sum, { lanes }) => sum + lanes.lanes, 0);
      if (!needsDraws) {
        return plans.map((plan) => ({
          groups: measures.map((measure) => groupsOf(measure, plan, new Float64Array(draws))),
          rollouts: draws,
          divergedShare: 0,
        }));
      }
      // Plans of one rhythm are looked at at the same times, so that they share a simulation without paying for each other's.
      const order = plans.map((_, index) => index).sort((a, b) => compareText(rhythmOf(plans[a]!), rhythmOf(plans[b]!)) || a - b);
      const perBatch = Math.min(
        mostPlansPerBatch,
        Math.max(1, Math.floor(batchNumbers / (draws * mostPoints * measures.length))),
      );
      const found = new Array<PlanFigures>(plans.length);
      for (let at = 0; at < order.length;) {
        hooks.signal?.throwIfAborted();
        const rhythm = rhythmOf(plans[order[at]!]!);
        const batch = order.slice(at, at + perBatch).filter((index) => rhythmOf(plans[index]!) === rhythm);
        const own = await simulate(
          batch.map((index) => plans[index]!),
          models,
          hooks,
        );
        batch.forEach((index, i) => (found[index] = own[i]!));
        at += batch.length;
        hooks.onProgress?.(at / order.length);
      }
      return found;
    },
  };

  function rhythmOf(plan: Plan): string {
    const repeated = planRegimens(person, plan).find(({ everyHours }) => everyHours !== null);
    return repeated ? `${repeated.startHour}/${repeated.everyHours}/${repeated.count}` : '';
  }
}

/** At which days, ascending, and what is made of the values there, lane by lane. */
export interface Look {
  readonly days: readonly number[];
  readonly lanes: (at: (index: number, lane: number) => number, into: Float64Array) => void;
}

export function targetLook(target: Target, regimens: readonly Regimen[], horizonDays: number): Look | null {
  const days = measureDays(target, regimens, horizonDays);
  if (!days) return null;
  return {
    days,
    lanes: (at, into) => {
      const measured = measureLanes(target, days, at, into.length);
      measured.forEach((value, lane) => (into[lane] = Number.isNaN(value) ? Number.NaN : isReached(target, value) ? 1 : 0));
    },
  };
}

/** A course that ended is no number from then on: what is not there lies neither inside nor outside. */
export function markerLook(measure: Extract<Measure, { marker: string }>, stepDays: number): Look {
  const { low, high, kind } = measure;
  const isInside = (value: number) => value >= (low ?? -Infinity) && value <= (high ?? Infinity);
  const days = kind === 'marker-at' ? [measure.day] : windowDays(measure.fromDay, measure.toDay, stepDays);
  return {
    days,
    lanes: (at, into) => {
      for (let lane = 0; lane < into.length; lane++) {
        let inside = 0;
        let outside = 0;
        for (let i = 0; i < days.length; i++) {
          const value = at(i, lane);
          if (Number.isNaN(value)) continue;
          if (isInside(value)) inside++;
          else outside++;
        }
        if (kind === 'marker-ever-outside') into[lane] = outside > 0 ? 1 : 0;
        else if (kind === 'marker-time') into[lane] = inside / days.length;
        else into[lane] = inside + outside === 0 ? Number.NaN : inside;
      }
    },
  };
}

function windowDays(from: number, to: number, stepDays: number): number[] {
  const points = Math.min(mostPoints, Math.max(2, Math.round((to - from) / stepDays) + 1));
  return to > from ? Array.from({ length: points }, (_, i) => from + ((to - from) * i) / (points - 1)) : [from];
}

function targetOf({ targets }: EquationsManifest, id: string): Target {
  return targets.find((target) => target.id === id)!;
}

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
