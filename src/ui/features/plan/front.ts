/** From candidates to what the picture takes. */
import type { Measure, MeasureValue, PlanCandidate } from '#domain/planning.ts';
import type { PackManifest } from '#app/manifest.ts';
import type { TypedQuestion } from '#app/plan-question.ts';
import type { letteredPlans } from '#app/plans.ts';
import type { PlanIdentity } from '#ui/charts/chart-types.ts';
import type { FrontAxis, FrontPoint } from '#ui/charts/front-geometry.ts';
import { identityOf } from '#ui/features/forecast/picture.ts';
import { axisOf, measureText } from './plan-words.ts';

/** A figure of the answer that an axis or a column may show: a goal or a limit. */
export interface Figure {
  readonly id: string;
  readonly label: string;
  readonly measure: Measure;
  readonly wish: 'more' | 'less';
  readonly unit: string;
  readonly of: (candidate: PlanCandidate) => MeasureValue;
}

/** Goals, then limits that are no goals as well. */
export function figuresOf(question: TypedQuestion, units: readonly string[], manifest: PackManifest): readonly Figure[] {
  const goals = question.goals.map(({ measure, wish }, index): Figure => ({
    id: `goal-${index}`,
    label: measureText(measure, manifest),
    measure,
    wish,
    unit: units[index] ?? '1',
    of: (candidate) => candidate.goals[index]!,
  }));
  const limits = question.limits.map(({ measure }, index): Figure => ({
    id: `limit-${index}`,
    label: measureText(measure, manifest),
    measure,
    wish: 'less',
    unit: units[question.goals.length + index] ?? '1',
    of: (candidate) => candidate.limits[index]!,
  }));
  const isGoal = ({ measure }: Figure) => goals.some((goal) => JSON.stringify(goal.measure) === JSON.stringify(measure));
  return [...goals, ...limits.filter((limit) => !isGoal(limit))];
}

export const figureAxis = ({ measure, wish, unit }: Figure, manifest: PackManifest): FrontAxis =>
  axisOf(measure, wish, unit, manifest);

/** Hue and letter of those that have one: usual care, plans of the page, and what is ticked. */
export function identitiesOf(
  candidates: readonly PlanCandidate[],
  lettered: ReturnType<typeof letteredPlans<PlanCandidate>>,
): ReadonlyMap<string, PlanIdentity> {
  const ticked = lettered.map(({ chosen, plan }) => [chosen.id, identityOf(plan)] as const);
  const taken = new Set(ticked.map(([, { letter }]) => letter));
  const marked = candidates
    .filter(({ origin }) => origin !== 'found')
    .map(({ id, plan }) => [id, identityOf(plan)] as const)
    // Where letters run out, one of a plan of the page that is not ticked is given away.
    .filter(([, { letter }]) => !taken.has(letter));
  return new Map([...marked, ...ticked]);
}

/** From the back to the top: others, those outside, those on the front, and the marked ones. */
export function frontPoints(
  candidates: readonly PlanCandidate[],
  [x, y]: readonly [Figure, Figure],
  identities: ReadonlyMap<string, PlanIdentity>,
  ticked: readonly string[],
): readonly FrontPoint[] {
  return candidates
    .map((one): FrontPoint => ({
      id: one.id,
      name: one.name,
      x: x.of(one),
      y: y.of(one),
      plan: identities.get(one.id),
      isTicked: ticked.includes(one.id),
      isOnFront: one.isOnFront,
      isBreaking: !one.keepsLimits,
      isOutside: one.support.reasons.length > 0,
    }))
    .toSorted((a, b) => heightOf(a) - heightOf(b));
}

function heightOf({ plan, isOnFront, isBreaking, isOutside }: FrontPoint): number {
  if (plan) return 3;
  if (isOnFront && !isBreaking) return 2;
  return isOutside ? 1 : 0;
}
