/** From a question of the page to who and what is asked about, checked. */
import { AppError } from '#domain/errors.ts';
import type { Explained } from '#domain/explanation.ts';
import type { Plan } from '#domain/plan.ts';
import type { IsoDate, IsoMinute, PatientRecord } from '#domain/record.ts';
import type { Pack } from '#packs/pack.ts';
import { readPerson } from '#twin/equations/person.ts';
import { checkEquationsPlan } from '#twin/equations/plans.ts';
import { checkPlan, usualCareId, usualCarePlan } from '#twin/plan-check.ts';
import { nothingGiven, resolvePlan, type Subject } from './elements.ts';

export interface Asked {
  readonly record: PatientRecord;
  readonly today: IsoDate;
  readonly now: IsoMinute;
  readonly explained: Explained;
  /** Null, or the plan with the id of usual care, is usual care. */
  readonly plan: Plan | null;
  readonly horizonDays: number;
}

/** Throws `AppError` for a record or a plan that must be mended, and `request_invalid` for a difference without a plan. */
export function subjectOf(pack: Pack, { record, today, now, explained, plan, horizonDays }: Asked): Subject {
  const { manifest } = pack;
  const own = plan?.id === usualCareId ? null : plan;
  if (explained.kind === 'difference' && !own)
    throw new AppError('request_invalid', 'A difference to usual care needs a plan. Choose one, or ask about the figure itself.');
  requireHorizon(manifest, horizonDays);
  if (own) {
    if (manifest.kind === 'learned') checkPlan(manifest, own);
    else checkEquationsPlan(manifest, own);
  }
  const continuing = manifest.kind === 'equations' ? readPerson(manifest, record, now).continuing : [];
  const usual = resolvePlan(usualCarePlan(manifest, horizonDays), continuing);
  return {
    manifest,
    record,
    today,
    now,
    horizonDays,
    plan: own ? resolvePlan(own, continuing) : usual,
    planReference: explained.kind === 'difference' ? usual : nothingGiven,
  };
}

/** Throws where the pack withholds its forecast of this person: there is then nothing to explain. */
export function requireInside(fit: { readonly standing: string; readonly reasons: readonly string[] }): void {
  if (fit.standing !== 'outside') return;
  throw new AppError('request_invalid', `The forecast is withheld, so there is nothing to explain. ${fit.reasons.join(' ')}`);
}

function requireHorizon({ grid }: Pack['manifest'], horizonDays: number): void {
  const most = grid.horizonSteps * grid.stepDays;
  if (horizonDays > 0 && horizonDays <= most * (1 + 1e-9)) return;
  throw new AppError(
    'request_invalid',
    `Horizon: found ${horizonDays} days, expected more than 0 and at most ${most}. Choose a horizon in this range.`,
  );
}
