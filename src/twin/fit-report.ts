import type { FitReport } from '#domain/forecast.ts';
import type { Standing } from '#domain/trust.ts';
import type { Criterion, LearnedManifest } from '#packs/manifest.ts';
import type { Twin } from './fit.ts';
import type { History } from './history.ts';

/** Below the first a history is called surprising, below the second the pack is taken not to describe this person. */
export const conflict = { partly: 0.01, outside: 0.0001 } as const;

/** A person's place among the pack's people, as src/trust finds it: it joins the criteria in what is withheld and what is degraded. */
export type Placing<Subject> = (subject: Subject, conflictProbability: number | null) => Pick<Standing, 'verdict' | 'reasons'>;

/** How well the person and the twin fit the pack, with a reason for everything short of "fits". Without a placing by criteria alone. */
export function reportFit(manifest: LearnedManifest, history: History, twin: Twin, placing?: Placing<History>): FitReport {
  const broken = manifest.population.criteria.filter((criterion) => isBroken(criterion, history));
  const outside = broken.filter(({ severity }) => severity === 'hard').map(({ reason }) => reason);
  const partly = broken.filter(({ severity }) => severity === 'soft').map(({ reason }) => reason);
  const { conflictProbability } = twin;
  const place = placing?.(history, conflictProbability);
  if (place) (place.verdict === 'outside' ? outside : partly).push(...place.reasons);
  if (conflictProbability !== null && conflictProbability < conflict.outside) {
    outside.push('This history contradicts the pack: under it, fewer than 1 in 10,000 would be as surprising.');
  } else if (conflictProbability !== null && conflictProbability < conflict.partly) {
    partly.push('This history is unusual: under the pack, fewer than 1 in 100 would be as surprising.');
  }
  return {
    standing: outside.length > 0 ? 'outside' : partly.length > 0 ? 'partly' : 'fits',
    reasons: [...outside, ...partly],
    particles: twin.particles,
    effectiveSampleSize: twin.effectiveSampleSize,
    temperedMoves: twin.temperedMoves,
    conflictProbability,
    observationsUsed: history.observationsUsed,
    inputs: history.uses,
  };
}

/** A value that is missing breaks no criterion: it is named among the inputs instead. */
function isBroken({ of, id, min = -Infinity, max = Infinity }: Criterion, history: History): boolean {
  const value = of === 'covariate' ? history.person.covariates[id] : history.latest.get(id);
  return typeof value === 'number' && (value < min || value > max);
}
