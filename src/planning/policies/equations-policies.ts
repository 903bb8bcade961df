/**
 * Policies under a pack of equations. A future is one posterior draw of the person, taken for the truth: it is followed under what is
 * given, measured with the pack's own error on the days of the policy, and what is given next follows from what was measured. All arms
 * meet the same truths and the same errors of measurement.
 */
import type { Plan } from '#domain/plan.ts';
import type { Policy, PolicyAnswer, PolicyArm, PolicyQuestion } from '#domain/planning.ts';
import type { PartialHooks, RunHooks } from '#engine/engine.ts';
import type { Simulator } from '#engine/simulation.ts';
import { seedFrom } from '#numerics/random.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import { planRegimens } from '#twin/equations/course.ts';
import type { FittedPerson } from '#twin/equations/fitted-person.ts';
import type { Person } from '#twin/equations/person.ts';
import { checkEquationsPlan } from '#twin/equations/plans.ts';
import { reportEquationsFit } from '#twin/equations/report.ts';
import type { Placing } from '#twin/fit-report.ts';
import { usualCareId, usualCarePlan } from '#twin/plan-check.ts';
import { checkMeasure, measureValues, unitOf } from '../evaluate.ts';
import { equationsSupport } from '../support.ts';
import { farthest, fewestArms, groupMeans, isAbort, requireFutures, stoppedMessage } from './arms.ts';
import type { CourseDeps } from './courses.ts';
import { checkPolicy, type DosePlan } from './dose-rules.ts';
import { splitDraws } from './draws.ts';
import { figuresOfFutures } from './figures.ts';
import { followPolicy } from './follow.ts';

export interface EquationsPolicyDeps {
  readonly manifest: EquationsManifest;
  /** With more draws than there are futures: futures and the clinician's draws share none. */
  readonly fitted: FittedPerson;
  readonly simulator: Simulator;
  /** As in `LearnedPolicyDeps`. */
  readonly placing?: Placing<Person>;
  /** Milliseconds; without it the answer took 0. */
  readonly now?: () => number;
}

/** The clinician's draws of today. */
export const knownDraws = 1000;
/** Futures, in runs one after the other, give an arm's figure its interval, as draws do a plan's. */
const mostGroups = 20;

/**
 * Throws `AppError` for what a person can mend in the question. The same question gives the same answer but for its time. Stopped, it answers
 * with the arms that were finished, if there is one beside usual care; else it rejects with an AbortError.
 */
export async function equationsPolicies(
  question: PolicyQuestion,
  { manifest, fitted, simulator, placing, now = () => 0 }: EquationsPolicyDeps,
  hooks: PartialHooks<PolicyAnswer> = {},
): Promise<PolicyAnswer> {
  const started = now();
  const { horizonDays, policies, goals, limits } = question;
  const fixed = question.fixed.filter(({ id }) => id !== usualCareId);
  const measures = [...goals, ...limits].map(({ measure }) => measure);
  measures.forEach((measure) => checkMeasure(manifest, measure, horizonDays));
  policies.forEach((policy) => {
    checkPolicy(manifest, policy);
    checkEquationsPlan(manifest, policy.start);
    if (policy.rule.kind === 'switch-when') checkEquationsPlan(manifest, policy.rule.to);
  });
  fixed.forEach((plan) => checkEquationsPlan(manifest, plan));
  requireFutures(question.futures);
  const { person } = fitted;
  const units = measures.map((measure) => unitOf(measure, amountUnit(manifest)));
  const finish = (
    status: PolicyAnswer['status'],
    message: string,
    arms: readonly PolicyArm[],
    futures: number,
  ): PolicyAnswer => ({
    status,
    message,
    arms,
    units,
    futures,
    elapsedMs: now() - started,
    seed: question.seed,
  });
  const fit = reportEquationsFit(manifest, fitted, placing);
  if (fit.standing === 'outside') return finish('outside-support', `No policy is simulated. ${fit.reasons.join(' ')}`, [], 0);

  const seed = seedFrom(question.seed);
  const split = splitDraws(fitted.twin, question.futures, knownDraws, seed);
  const deps: CourseDeps = { person, simulator, changes: question.changes ?? [], horizonDays, seed };
  const written = (plan: Plan) => writeOut(fitted, plan);
  const switchesTo = ({ rule }: Policy) => (rule.kind === 'switch-when' ? written(rule.to) : null);
  const usual = written(usualCarePlan(manifest, horizonDays));
  const arms: PolicyArm[] = [];
  const total = 1 + fixed.length + 4 * policies.length;
  const part = (from: number, to: number): RunHooks => ({
    ...(hooks.signal ? { signal: hooks.signal } : {}),
    onProgress: (fraction) => hooks.onProgress?.((from + fraction * (to - from)) / total),
  });
  const figures = (plans: readonly DosePlan[], planOf: Uint32Array, own: RunHooks) =>
    figuresOfFutures(measures, manifest, split.truths, plans, planOf, deps, own);

  const stopped = () => finish('stopped', stoppedMessage, [...arms], split.truths.size);
  const add = (arm: PolicyArm) => {
    if (arms.push(arm) >= fewestArms) hooks.onPartial?.(stopped());
  };
  let care: readonly Float64Array[] = [];
  const grouped = (own: readonly Float64Array[]) => own.map((column) => groupMeans(column, Math.min(mostGroups, column.length)));
  const valuesOf = (own: readonly Float64Array[]) => measureValues(question, manifest, grouped(own), grouped(care));
  try {
    for (const [p, plan] of [usual, ...fixed.map(written)].entries()) {
      const own = await figures([plan], new Uint32Array(split.truths.size), part(p, p + 1));
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
        support: equationsSupport(manifest, person, plan),
      });
    }
    for (const [p, policy] of policies.entries()) {
      const from = 1 + fixed.length + 4 * p;
      const course = await followPolicy(
        { policy, start: written(policy.start), switchesTo: switchesTo(policy) },
        { manifest, fitted, split },
        deps,
        part(from, from + 3),
      );
      const own = await figures(course.plans, course.planOf, part(from + 3, from + 4));
      add({
        id: policy.id,
        name: policy.name,
        kind: 'policy',
        ...valuesOf(own),
        changedShare: course.changedShare,
        dose: course.dose,
        meanMeasurements: course.measurements / split.truths.size,
        refits: course.refits,
        support: farthest(course.plans.map((plan) => equationsSupport(manifest, person, plan))),
      });
    }
  } catch (error) {
    if (arms.length < fewestArms || !isAbort(error)) throw error;
    return stopped();
  }
  const message = `${split.truths.size} virtual copies of this person were followed under each plan and each policy, simulated under the model’s assumptions.`;
  const read = fit.standing === 'partly' ? ' This person is partly outside what the pack saw: read with care.' : '';
  return finish('completed', message + read, arms, split.truths.size);
}

/** Unit of the one intervention with listed doses; '1' where there is none or several. */
export function amountUnit({ models, doseGrids }: EquationsManifest): string {
  const dosed = new Set(doseGrids.map(({ intervention }) => intervention));
  const units = models.flatMap(({ inputs = [] }) =>
    inputs.filter(({ intervention }) => dosed.has(intervention)).map(({ unit }) => unit),
  );
  const [unit, ...others] = [...new Set(units)];
  return unit !== undefined && others.length === 0 ? unit : '1';
}

/** The same plan with the doses of the record that go on written out, so that a decision can change them. */
export function writeOut({ person }: Pick<FittedPerson, 'person'>, plan: Plan): DosePlan {
  return { ...plan, regimens: planRegimens(person, plan), stopsCurrentDoses: true };
}
