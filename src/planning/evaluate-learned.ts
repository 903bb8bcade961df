/** Plans under a learned pack: futures of the twin on one set of starts and one noise, their figures by the engine's groups. */
import type { Measure } from '#domain/planning.ts';
import type { Plan } from '#domain/plan.ts';
import { drivePlan } from '#engine/drive.ts';
import type { Engine, PlanSummary, RolloutRequest, RunHooks } from '#engine/engine.ts';
import { roundUpRollouts } from '#engine/request.ts';
import { seedFrom } from '#numerics/random.ts';
import { toState } from '#packs/conditioning.ts';
import { leverInterventions } from '#packs/manifest-views.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { drawStarts, type Twin } from '#twin/fit.ts';
import type { Placing } from '#twin/fit-report.ts';
import type { History } from '#twin/history.ts';
import { stepInputs } from '#twin/step-inputs.ts';
import { burdenOf } from './doses-given.ts';
import type { PlanEvaluator, PlanFigures } from './evaluate.ts';

export interface LearnedSubject {
  readonly pack: LearnedPack;
  readonly history: History;
  readonly twin: Twin;
  readonly engine: Engine;
  /** The forecast's: who is withheld there is not searched for either. */
  readonly placing?: Placing<History>;
}

/** The kernels run eight futures together, so the smallest look at a plan, one future a group, fills them. */
const groupsPerMember = 8;
/** Columns of one batch of plans stay below this. */
const batchBytes = 64 * 2 ** 20;
const mostPlansPerBatch = 16;

export function learnedEvaluator(
  { pack, history, twin, engine }: LearnedSubject,
  measures: readonly Measure[],
  { horizonDays, seed }: { readonly horizonDays: number; readonly seed: number },
): PlanEvaluator {
  const { manifest, network } = pack;
  const { stepDays } = manifest.grid;
  const { S, M } = network.shape;
  const steps = Math.ceil(horizonDays / stepDays - 1e-9);
  const words = seedFrom(seed);
  const needsFutures = measures.some(({ kind }) => kind !== 'burden');
  const needsPaths = measures.some(({ kind }) => kind.startsWith('marker'));
  const levers = new Set(leverInterventions(manifest).map(({ id }) => id));
  let drawn: ReturnType<typeof drawStarts> | null = null;

  async function summaries(plans: readonly Plan[], rollouts: number, hooks: RunHooks): Promise<readonly PlanSummary[]> {
    if (drawn?.rollouts !== rollouts) drawn = drawStarts(twin, rollouts, groupsPerMember, words);
    const request: RolloutRequest = {
      network,
      ...drawn,
      plans: plans.map(({ blocks }) => drivePlan(network, stepInputs(manifest, history.person, blocks, steps))),
      steps,
      seed: words,
      levels: [],
      courses: needsPaths ? rollouts : 0,
    };
    return (await engine.rollOut(request, hooks)).plans;
  }

  function figures(plan: Plan, summary: PlanSummary | null, rollouts: number): PlanFigures {
    const groups = M * groupsPerMember;
    const over = (figure: (group: number) => number) => Float64Array.from({ length: groups }, (_, group) => figure(group));
    return {
      groups: measures.map((measure) => {
        if (measure.kind === 'burden') {
          const blocks = plan.blocks.filter(({ intervention }) => levers.has(intervention));
          return new Float64Array(groups).fill(burdenOf(measure.of, { regimens: [], blocks }, horizonDays));
        }
        return over(groupFigure(measure, summary!, rollouts));
      }),
      rollouts,
      divergedShare: summary ? summary.diverged / rollouts : 0,
    };
  }

  function groupFigure(
    measure: Exclude<Measure, { kind: 'burden' }>,
    summary: PlanSummary,
    rollouts: number,
  ): (group: number) => number {
    switch (measure.kind) {
      case 'event-free-days':
        return (group) => summary.eventFreeSteps[group]! * stepDays;
      case 'event':
        return incidenceBy(measure, summary);
      case 'target':
        throw new Error('Broken promise: a learned pack has no targets, checked with the question');
      default:
        return pathFigure(measure, summary, rollouts);
    }
  }

  /** Between two grid times the incidence rises evenly. */
  function incidenceBy(
    { event, byDay }: Extract<Measure, { kind: 'event' }>,
    { incidence }: PlanSummary,
  ): (group: number) => number {
    const causes = manifest.events.flatMap(({ id }, k) => (event === null || id === event ? [k] : []));
    const K = manifest.events.length;
    const position = Math.min(steps, byDay / stepDays);
    const below = Math.floor(position);
    const above = Math.min(steps, below + 1);
    const at = (group: number, step: number) =>
      causes.reduce((sum, k) => sum + incidence[(group * (steps + 1) + step) * K + k]!, 0);
    return (group) => at(group, below) + (position - below) * (at(group, above) - at(group, below));
  }

  /** What is counted of each future's own course. Futures come member by member in turn; a group is a run within its member. */
  function pathFigure(
    measure: Extract<Measure, { marker: string }>,
    { courses }: PlanSummary,
    rollouts: number,
  ): (group: number) => number {
    const index = manifest.markers.findIndex(({ id }) => id === measure.marker);
    const marker = manifest.markers[index]!;
    const low = measure.low === null ? -Infinity : toState(marker, measure.low);
    const high = measure.high === null ? Infinity : toState(marker, measure.high);
    const [first, last] = stepsOf(measure);
    const width = (steps + 1) * S;
    const size = rollouts / (M * groupsPerMember);
    return (group) => {
      const member = Math.floor(group / groupsPerMember);
      const start = (group % groupsPerMember) * size;
      let sum = 0;
      let count = 0;
      for (let i = start; i < start + size; i++) {
        const course = (i * M + member) * width + index;
        // Who diverged is nowhere to be seen, not even today.
        if (Number.isNaN(courses[course]!)) continue;
        let inside = 0;
        let seen = 0;
        for (let step = first; step <= last; step++) {
          const value = courses[course + step * S]!;
          if (Number.isNaN(value)) break;
          seen++;
          if (value >= low && value <= high) inside++;
        }
        if (measure.kind === 'marker-at' && seen === 0) continue;
        count++;
        if (measure.kind === 'marker-ever-outside') sum += inside < seen ? 1 : 0;
        else sum += inside / (last - first + 1);
      }
      return count === 0 ? Number.NaN : sum / count;
    };
  }

  /** The grid times of a measure: those inside its days, or the nearest one. */
  function stepsOf(measure: Extract<Measure, { marker: string }>): readonly [first: number, last: number] {
    const nearest = (day: number) => Math.min(steps, Math.round(day / stepDays));
    if (measure.kind === 'marker-at') return [nearest(measure.day), nearest(measure.day)];
    const [first, last] = [Math.ceil(measure.fromDay / stepDays - 1e-9), Math.floor(measure.toDay / stepDays + 1e-9)];
    return first <= last ? [first, Math.min(steps, last)] : [nearest(measure.fromDay), nearest(measure.fromDay)];
  }

  return {
    async evaluate(plans, wanted, hooks = {}) {
      const rollouts = roundUpRollouts(wanted, M, groupsPerMember);
      if (!needsFutures) return plans.map((plan) => figures(plan, null, rollouts));
      const perBatch = Math.min(mostPlansPerBatch, Math.max(1, Math.floor(batchBytes / (rollouts * (steps + 1) * S * 4))));
      const found: PlanFigures[] = [];
      for (let at = 0; at < plans.length; at += perBatch) {
        hooks.signal?.throwIfAborted();
        const batch = plans.slice(at, at + perBatch);
        const own = await summaries(batch, rollouts, {
          ...(hooks.signal ? { signal: hooks.signal } : {}),
          onProgress: (fraction) => hooks.onProgress?.((at + fraction * batch.length) / plans.length),
        });
        found.push(...batch.map((plan, i) => figures(plan, own[i]!, rollouts)));
      }
      return found;
    },
  };
}
