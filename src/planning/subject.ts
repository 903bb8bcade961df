/** A person under a pack of either kind, as the search asks about them. */
import type { PlanQuestion } from '#domain/planning.ts';
import type { FitReport } from '#domain/forecast.ts';
import type { RunHooks } from '#engine/engine.ts';
import type { Simulator } from '#engine/simulation.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import { checkEquationsPlan } from '#twin/equations/plans.ts';
import type { FittedPerson } from '#twin/equations/fitted-person.ts';
import { bodySize, type Person } from '#twin/equations/person.ts';
import { reportEquationsFit } from '#twin/equations/report.ts';
import { reportFit, type Placing } from '#twin/fit-report.ts';
import { checkPlan } from '#twin/plan-check.ts';
import { equationsEvaluator } from './evaluate-equations.ts';
import { learnedEvaluator, type LearnedSubject } from './evaluate-learned.ts';
import type { PlanSubject } from './plan-search.ts';
import { equationsSupport, learnedSupport } from './support.ts';

export function learnedPlanSubject(subject: LearnedSubject): PlanSubject {
  const { pack, history, twin, placing } = subject;
  const { manifest } = pack;
  return {
    manifest,
    continuing: [],
    bodySize: { weightKg: null, surfaceM2: null },
    withheld: reasonOf(reportFit(manifest, history, twin, placing)),
    check: (plan) => checkPlan(manifest, plan),
    support: (plan, horizonDays) => learnedSupport(manifest, history, plan, horizonDays),
    evaluator: async (question, seed) =>
      learnedEvaluator(subject, measuresOf(question), { horizonDays: question.horizonDays, seed }),
  };
}

export interface FittedSubject {
  readonly manifest: EquationsManifest;
  readonly simulator: Simulator;
  readonly fitted: FittedPerson;
  /** As in `LearnedSubject`. */
  readonly placing?: Placing<Person>;
  /** The person fitted anew: another seed draws another posterior sample. */
  readonly refit: (seed: number, hooks: RunHooks) => Promise<FittedPerson>;
}

export function equationsPlanSubject({ manifest, simulator, fitted, placing, refit }: FittedSubject, seed: number): PlanSubject {
  const { person } = fitted;
  return {
    manifest,
    continuing: person.continuing,
    bodySize: bodySize(person),
    withheld: reasonOf(reportEquationsFit(manifest, fitted, placing)),
    check: (plan) => checkEquationsPlan(manifest, plan),
    support: (plan) => equationsSupport(manifest, person, plan),
    evaluator: async (question, own, hooks) => {
      const sample = own === seed ? fitted : await refit(own, hooks);
      const { horizonDays, changes = [] } = question;
      return equationsEvaluator({ manifest, fitted: sample, simulator, changes }, measuresOf(question), {
        horizonDays,
        seed: own,
      });
    },
  };
}

function measuresOf({ goals, limits }: PlanQuestion): PlanQuestion['goals'][number]['measure'][] {
  return [...goals, ...limits].map(({ measure }) => measure);
}

function reasonOf({ standing, reasons }: FitReport): string | null {
  return standing === 'outside' ? reasons.join(' ') : null;
}
