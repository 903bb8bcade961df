/** What each future came to by the measures of a question. */
import type { Measure } from '#domain/planning.ts';
import type { RunHooks } from '#engine/engine.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import { burdenOf } from '../doses-given.ts';
import { markerLook, targetLook, type Look } from '../evaluate-equations.ts';
import { followPlans, type CourseDeps, type Courses } from './courses.ts';
import type { DosePlan } from './dose-rules.ts';
import type { DrawSet } from './draws.ts';

/** Numbers of one simulation. */
const mostNumbers = 2 ** 23;

/**
 * [measure] of [futures]: what each future came to under its own plan; NaN where it says nothing. `planOf` numbers the plans. Futures of
 * one plan are followed together.
 */
export async function figuresOfFutures(
  measures: readonly Measure[],
  manifest: EquationsManifest,
  truths: DrawSet,
  plans: readonly DosePlan[],
  planOf: Uint32Array,
  deps: CourseDeps,
  hooks: RunHooks,
): Promise<readonly Float64Array[]> {
  const figures = measures.map(() => new Float64Array(truths.size).fill(Number.NaN));
  const needsCourses = measures.some(({ kind }) => kind !== 'burden');
  for (const [p, plan] of plans.entries()) {
    hooks.signal?.throwIfAborted();
    const futures = Uint32Array.from(planOf.keys()).filter((future) => planOf[future] === p);
    if (futures.length === 0) continue;
    const looks = measures.map((measure) => lookAt(measure, manifest, plan, deps.horizonDays));
    if (needsCourses) {
      const days = [...new Set([0, deps.horizonDays, ...looks.flatMap((look) => look?.days ?? [])])].sort((a, b) => a - b);
      const rowOf = new Map(days.map((day, d) => [day, d]));
      const readouts = [...new Set(measures.flatMap((measure) => readoutOf(measure, manifest)))];
      const markers = [...new Set(measures.flatMap((measure) => ('marker' in measure ? [measure.marker] : [])))];
      const most = Math.max(1, Math.floor(mostNumbers / (days.length * Math.max(1, readouts.length + markers.length))));
      for (let from = 0; from < futures.length; from += most) {
        const some = futures.subarray(from, from + most);
        const [course] = await followPlans(truths, some, [plan], { days, readouts, markers }, deps, hooks);
        measures.forEach((measure, m) => {
          const own = figuresOfCourse(measure, manifest, course!, looks[m]!, rowOf, deps.horizonDays);
          some.forEach((future, i) => (figures[m]![future] = course!.hasDiverged(i) ? Number.NaN : own[i]!));
        });
      }
    }
    measures.forEach((measure, m) => {
      if (measure.kind !== 'burden') return;
      const burden = burdenOf(measure.of, plan, deps.horizonDays);
      futures.forEach((future) => (figures[m]![future] = burden));
    });
    hooks.onProgress?.((p + 1) / plans.length);
  }
  return figures;
}

function lookAt(measure: Measure, manifest: EquationsManifest, plan: DosePlan, horizonDays: number): Look | null {
  switch (measure.kind) {
    case 'event-free-days':
    case 'event':
    case 'burden':
      return null;
    case 'target':
      return targetLook(
        manifest.targets.find(({ id }) => id === measure.target)!,
        plan.regimens,
        horizonDays,
      );
    default:
      return markerLook(measure, manifest.grid.stepDays);
  }
}

function readoutOf(measure: Measure, { targets }: EquationsManifest): string[] {
  return measure.kind === 'target' ? [targets.find(({ id }) => id === measure.target)!.measure.readout] : [];
}

function figuresOfCourse(
  measure: Measure,
  manifest: EquationsManifest,
  course: Courses,
  look: Look | null,
  rowOf: ReadonlyMap<number, number>,
  horizonDays: number,
): Float64Array {
  const figures = new Float64Array(course.size).fill(Number.NaN);
  if (measure.kind === 'event' || measure.kind === 'event-free-days') {
    const asked = measure.kind === 'event' && measure.event !== null ? [measure.event] : manifest.events.map(({ id }) => id);
    return figures.map((_, i) => {
      const first = Math.min(Infinity, ...asked.map((id) => course.eventDay(id, i)));
      if (measure.kind === 'event') return first <= measure.byDay ? 1 : 0;
      return Math.max(0, Math.min(first, horizonDays));
    });
  }
  // A plan without a dosing interval reaches no target of one, nor what it warns of: as for fixed plans.
  if (!look) return figures.fill(0);
  const rows = look.days.map((day) => rowOf.get(day)!);
  const [readout] = readoutOf(measure, manifest);
  if (readout !== undefined) look.lanes((k, lane) => course.readout(readout, rows[k]!, lane), figures);
  else if ('marker' in measure) look.lanes((k, lane) => course.marker(measure.marker, rows[k]!, lane), figures);
  return figures;
}
