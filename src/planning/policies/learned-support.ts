/** What of a policy lies inside the evidence of a learned pack. */
import type { Plan } from '#domain/plan.ts';
import type { Policy } from '#domain/planning.ts';
import type { LearnedManifest } from '#packs/manifest.ts';
import type { History } from '#twin/history.ts';
import { outsideSupport } from '#twin/plan-check.ts';
import { composeBlocks } from './compose.ts';

/**
 * Every course that the policy may lead to is asked as a plan of its own: the start without a switch, and the switch on each decision
 * day. A rule that looks at what is measured on the day of entry and then follows one randomised arm is inside what was randomised;
 * one that switches later is outside where the pack's arms are from entry on.
 */
export function policyOutsideSupport(manifest: LearnedManifest, policy: Policy, history: History, horizonDays: number): string[] {
  const reasons = policyCourses(policy, horizonDays).flatMap((plan) => outsideSupport(manifest, plan, history, horizonDays));
  return [...new Set(reasons)];
}

/** The plan without a switch, then with the switch on each decision day within the horizon. */
export function policyCourses({ start, decisionDays, rule, name }: Policy, horizonDays: number): readonly Plan[] {
  const whole = { ...start, name };
  if (rule.kind !== 'switch-when') return [whole];
  return [
    whole,
    ...decisionDays
      .filter((day) => day < horizonDays)
      .map((day, d): Plan => ({ id: `${start.id}-${d + 1}`, name, blocks: composeBlocks(start, day, rule.to) })),
  ];
}
