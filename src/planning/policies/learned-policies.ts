/**
 * Policies under a learned pack. Noise is counted by future and step, so a future that leaves one plan for another on a day is, until that
 * day, the very future of the first plan; from then on it is that of the plan "first one, then the other". A policy is therefore rolled
 * out as one fixed plan for each day on which it may switch, and each future takes the one that its own measured values lead to.
 */
import { AppError } from '#domain/errors.ts';
import type { Measure, Policy, PolicyAnswer, PolicyArm, PolicyQuestion } from '#domain/planning.ts';
import type { Plan } from '#domain/plan.ts';
import { drivePlan } from '#engine/drive.ts';
import type { FutureColumns, FutureEngine, PartialHooks, RunHooks } from '#engine/engine.ts';
import { roundUpRollouts } from '#engine/request.ts';
import { seedFrom } from '#numerics/random.ts';
import { toState } from '#packs/conditioning.ts';
import type { LearnedManifest } from '#packs/manifest.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { reportFit, type Placing } from '#twin/fit-report.ts';
import { drawStarts, type Twin } from '#twin/fit.ts';
import type { History } from '#twin/history.ts';
import { checkPlan, usualCareId, usualCarePlan } from '#twin/plan-check.ts';
import { stepInputs } from '#twin/step-inputs.ts';
import { burdenOf } from '../doses-given.ts';
import { checkMeasure, measureValues, unitOf } from '../evaluate.ts';
import { learnedSupport } from '../support.ts';
import { farthest, fewestArms, groupMeans, isAbort, requireFutures, stoppedMessage } from './arms.ts';
import { policyCourses } from './learned-support.ts';

export interface LearnedPolicyDeps {
  readonly pack: LearnedPack;
  readonly history: History;
  readonly twin: Twin;
  readonly engine: FutureEngine;
  /** The forecast's: of who is withheld there no policy is simulated. */
  readonly placing?: Placing<History>;
  /** Milliseconds; without it the answer took 0. */
  readonly now?: () => number;
}

/** A group is one draw of what is not known of the world: a member of the ensemble and one draw of each cited effect. */
const groupsPerMember = 8;

/** Futures of a person, the same ones under whatever plan they are asked for. */
export interface LearnedFutures {
  readonly futures: number;
  readonly groups: number;
  readonly steps: number;
  readonly horizonDays: number;
  readonly rollOut: (plan: Plan, hooks: RunHooks) => Promise<FutureColumns>;
}

/** About so many futures: rounded up to whole groups. The horizon is rounded up to whole steps of the grid. */
export function learnedFutures(
  { pack, history, twin, engine }: Omit<LearnedPolicyDeps, 'now' | 'placing'>,
  { futures: wanted, horizonDays, seed }: Pick<PolicyQuestion, 'futures' | 'horizonDays' | 'seed'>,
): LearnedFutures {
  const { manifest, network } = pack;
  const { stepDays, horizonSteps } = manifest.grid;
  const steps = Math.ceil(horizonDays / stepDays - 1e-9);
  if (!(steps >= 1 && steps <= horizonSteps)) {
    const most = Math.floor(horizonSteps * stepDays);
    throw new AppError(
      'request_invalid',
      `Horizon: found ${horizonDays} days, expected 1 to ${most}. Choose a horizon in this range.`,
    );
  }
  const words = seedFrom(seed);
  const { M } = network.shape;
  const futures = roundUpRollouts(wanted, M, groupsPerMember);
  const starts = drawStarts(twin, futures, groupsPerMember, words);
  return {
    futures,
    groups: M * groupsPerMember,
    steps,
    horizonDays,
    rollOut: async ({ blocks }, hooks) => {
      const drive = drivePlan(network, stepInputs(manifest, history.person, blocks, steps));
      const request = { network, ...starts, plans: [drive], steps, seed: words, levels: [], courses: 0 };
      const [columns] = await engine.futures(request, hooks);
      return columns!;
    },
  };
}

/** Throws, answers and stops as `equationsPolicies` does. */
export async function learnedPolicies(
  question: PolicyQuestion,
  deps: LearnedPolicyDeps,
  hooks: PartialHooks<PolicyAnswer> = {},
): Promise<PolicyAnswer> {
  const { pack, history, twin, now = () => 0 } = deps;
  const { manifest } = pack;
  const started = now();
  const { horizonDays, policies, goals, limits } = question;
  const fixed = question.fixed.filter(({ id }) => id !== usualCareId);
  const measures = [...goals, ...limits].map(({ measure }) => measure);
  measures.forEach((measure) => checkMeasure(manifest, measure, horizonDays));
  [...fixed, ...policies.map(({ start }) => start)].forEach((plan) => checkPlan(manifest, plan));
  policies.forEach((policy) => checkLearnedPolicy(manifest, policy));
  requireFutures(question.futures);
  const futures = learnedFutures(deps, question);
  const finish = (status: PolicyAnswer['status'], message: string, arms: readonly PolicyArm[], count: number): PolicyAnswer => ({
    status,
    message,
    arms,
    units: measures.map((measure) => unitOf(measure, '1')),
    futures: count,
    elapsedMs: now() - started,
    seed: question.seed,
  });
  const fit = reportFit(manifest, history, twin, deps.placing);
  if (fit.standing === 'outside') return finish('outside-support', `No policy is simulated. ${fit.reasons.join(' ')}`, [], 0);

  const plans = [usualCarePlan(manifest, horizonDays), ...fixed];
  const courses = policies.map((policy) => policyCourses(policy, horizonDays));
  const total = plans.length + courses.reduce((sum, own) => sum + own.length, 0);
  let done = 0;
  const rollOut = async (plan: Plan) => {
    hooks.signal?.throwIfAborted();
    const from = done++;
    return futures.rollOut(plan, {
      ...(hooks.signal ? { signal: hooks.signal } : {}),
      onProgress: (fraction) => hooks.onProgress?.((from + fraction) / total),
    });
  };
  const figuresOf = (columns: FutureColumns, plan: Plan) => futureFigures(measures, manifest, columns, plan, futures);
  const grouped = (figures: readonly Float64Array[]) => figures.map((own) => groupMeans(own, futures.groups));
  const support = (plan: Plan) => learnedSupport(manifest, history, plan, horizonDays);
  const arms: PolicyArm[] = [];
  const stopped = () => finish('stopped', stoppedMessage, [...arms], futures.futures);
  const add = (arm: PolicyArm) => {
    if (arms.push(arm) >= fewestArms) hooks.onPartial?.(stopped());
  };
  let care: readonly Float64Array[] = [];
  const valuesOf = (own: readonly Float64Array[]) => measureValues(question, manifest, own, care);
  try {
    for (const [p, plan] of plans.entries()) {
      const own = grouped(figuresOf(await rollOut(plan), plan));
      if (p === 0) care = own;
      add({
        id: plan.id,
        name: plan.name,
        kind: p === 0 ? 'usual-care' : 'fixed',
        ...valuesOf(own),
        changedShare: [],
        dose: [],
        meanMeasurements: 0,
        refits: null,
        support: support(plan),
      });
    }
    for (const [p, policy] of policies.entries()) {
      const { changedShare, measurements, figures } = await followLearned(
        policy,
        courses[p]!,
        manifest,
        futures,
        rollOut,
        figuresOf,
      );
      add({
        id: policy.id,
        name: policy.name,
        kind: 'policy',
        ...valuesOf(grouped(figures)),
        changedShare,
        dose: [],
        meanMeasurements: measurements / futures.futures,
        refits: null,
        support: farthest(courses[p]!.map(support)),
      });
    }
  } catch (error) {
    if (arms.length < fewestArms || !isAbort(error)) throw error;
    return stopped();
  }
  const message = `${futures.futures} futures of this person were simulated under each plan and each policy, under the model’s assumptions.`;
  const read = fit.standing === 'partly' ? ' This person is partly outside what the pack saw: read with care.' : '';
  return finish('completed', message + read, arms, futures.futures);
}

/** Throws `request_invalid` for a policy that makes no sense under this pack. */
function checkLearnedPolicy(manifest: LearnedManifest, { name, decisionDays, measures, rule }: Policy): void {
  const refuse = (what: string) =>
    new AppError('request_invalid', `Policy '${name}': ${what} Correct it, or leave the policy out.`);
  if (rule.kind !== 'switch-when') throw refuse('this pack has no doses, so a rule can only switch from one plan to another.');
  if (!decisionDays.every((day, d) => day >= 0 && (d === 0 || day > decisionDays[d - 1]!)))
    throw refuse('the days of its decisions are not ascending from today on.');
  const known = manifest.markers.map(({ id }) => id);
  const unknown = [rule.marker, ...measures].find((id) => !known.includes(id));
  if (unknown !== undefined) throw refuse(`it measures '${unknown}', and the pack knows ${known.join(', ')}.`);
  if (!measures.includes(rule.marker)) throw refuse(`its rule looks at '${rule.marker}', which it does not measure.`);
  checkPlan(manifest, rule.to);
}

interface Followed {
  readonly changedShare: readonly number[];
  readonly measurements: number;
  readonly figures: readonly Float64Array[];
}

/** The first course is that without a switch; course d + 1 switches on decision day d. */
async function followLearned(
  { decisionDays, measures, rule }: Policy,
  courses: readonly Plan[],
  manifest: LearnedManifest,
  { futures, horizonDays }: LearnedFutures,
  rollOut: (plan: Plan) => Promise<FutureColumns>,
  figuresOf: (columns: FutureColumns, plan: Plan) => readonly Float64Array[],
): Promise<Followed> {
  if (rule.kind !== 'switch-when') throw new Error('Broken promise: policies of learned packs switch, checked with the question');
  const { S } = manifest.network;
  const index = manifest.markers.findIndex(({ id }) => id === rule.marker);
  const limit = toState(manifest.markers[index]!, rule.value);
  const start = await rollOut(courses[0]!);
  const switchedAt = new Int32Array(futures).fill(-1);
  const changedShare: number[] = [];
  let measurements = 0;
  const days = decisionDays.filter((day) => day < horizonDays);
  days.forEach((day, d) => {
    const step = decisionStep(day, manifest.grid.stepDays);
    let changed = 0;
    for (let i = 0; i < futures; i++) {
      if (switchedAt[i]! >= 0 || start.eventStep[i]! < step) continue;
      measurements += measures.length;
      const value = start.values[(step * S + index) * futures + i]!;
      if (!(rule.direction === 'above' ? value > limit : value < limit)) continue;
      switchedAt[i] = d;
      changed++;
    }
    changedShare.push(changed / futures);
  });
  const figures = figuresOf(start, courses[0]!).map((own) => own.slice());
  for (const [d] of days.entries()) {
    // What nobody follows need not be simulated.
    if (changedShare[d] === 0) continue;
    const plan = courses[d + 1]!;
    const own = figuresOf(await rollOut(plan), plan);
    figures.forEach((into, m) => switchedAt.forEach((at, i) => at === d && (into[i] = own[m]![i]!)));
  }
  return { changedShare, measurements, figures };
}

/** The grid time at which is measured: the beginning of the first step that a change on that day reaches, by the rule of midpoints. */
export function decisionStep(day: number, stepDays: number): number {
  return Math.max(0, Math.ceil(day / stepDays - 0.5 - 1e-9));
}

/** [measure] of [futures]; NaN for a future that left the model's range, or says nothing. Events by each path's own hazards. */
export function futureFigures(
  measures: readonly Measure[],
  manifest: LearnedManifest,
  columns: FutureColumns,
  plan: Plan,
  { futures, steps, horizonDays }: LearnedFutures,
): readonly Float64Array[] {
  const { stepDays } = manifest.grid;
  const each = (figure: (i: number) => number) =>
    Float64Array.from({ length: futures }, (_, i) => (columns.eventStep[i]! < 0 ? Number.NaN : figure(i)));
  return measures.map((measure) => {
    switch (measure.kind) {
      case 'event-free-days':
        return each((i) => columns.eventFreeSteps[i]! * stepDays);
      case 'event':
        return each(incidenceBy(measure));
      case 'burden': {
        const burden = burdenOf(measure.of, { regimens: [], blocks: plan.blocks }, horizonDays);
        return each(() => burden);
      }
      case 'target':
        throw new Error('Broken promise: a learned pack has no targets, checked with the question');
      default:
        return each(markerFigure(measure));
    }
  });

  /** Between two grid times the incidence rises evenly. */
  function incidenceBy({ event, byDay }: Extract<Measure, { kind: 'event' }>): (i: number) => number {
    const K = manifest.events.length;
    const causes = manifest.events.flatMap(({ id }, k) => (event === null || id === event ? [k] : []));
    const position = Math.min(steps, byDay / stepDays);
    const below = Math.floor(position);
    const above = Math.min(steps, below + 1);
    const at = (step: number, i: number) => causes.reduce((sum, k) => sum + columns.incidence[(step * K + k) * futures + i]!, 0);
    return (i) => at(below, i) + (position - below) * (at(above, i) - at(below, i));
  }

  /** The grid times inside the days, or the nearest one; a course counts until its event. */
  function markerFigure(measure: Extract<Measure, { marker: string }>): (i: number) => number {
    const { S } = manifest.network;
    const index = manifest.markers.findIndex(({ id }) => id === measure.marker);
    const marker = manifest.markers[index]!;
    const low = measure.low === null ? -Infinity : toState(marker, measure.low);
    const high = measure.high === null ? Infinity : toState(marker, measure.high);
    const [first, last] = stepsOf(measure);
    return (i) => {
      const until = Math.min(last, columns.eventStep[i]!);
      let inside = 0;
      let seen = 0;
      for (let step = first; step <= until; step++) {
        const value = columns.values[(step * S + index) * futures + i]!;
        seen++;
        if (value >= low && value <= high) inside++;
      }
      if (measure.kind === 'marker-at') return seen === 0 ? Number.NaN : inside;
      return measure.kind === 'marker-ever-outside' ? Number(inside < seen) : inside / (last - first + 1);
    };
  }

  function stepsOf(measure: Extract<Measure, { marker: string }>): readonly [first: number, last: number] {
    const nearest = (day: number) => Math.min(steps, Math.round(day / stepDays));
    if (measure.kind === 'marker-at') return [nearest(measure.day), nearest(measure.day)];
    const [first, last] = [Math.ceil(measure.fromDay / stepDays - 1e-9), Math.floor(measure.toDay / stepDays + 1e-9)];
    return first <= last ? [first, Math.min(steps, last)] : [nearest(measure.fromDay), nearest(measure.fromDay)];
  }
}
