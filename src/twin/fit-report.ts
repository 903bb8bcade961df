import type { FitReport } from '#domain/forecast.ts';
import type { CovariateValue } from '#domain/record.ts';
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
  const { outside, partly } = brokenCriteria(manifest.population.criteria, ({ of, id, at }) =>
    of === 'covariate' ? history.person.covariates[id] : (at === 'entry' ? history.atEntry : history.latest).get(id),
  );
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

/** Reasons of the hard limits that are broken, and of the soft ones. A value that is missing breaks none: it is named among the inputs. */
export function brokenCriteria(
  criteria: readonly Criterion[],
  valueOf: (criterion: Criterion) => CovariateValue | undefined,
): { readonly outside: string[]; readonly partly: string[] } {
  const broken = criteria.filter((criterion) => {
    const { min = -Infinity, max = Infinity } = criterion;
    const value = valueOf(criterion);
    return typeof value === 'number' && (value < min || value > max);
  });
  const reasonsOf = (kind: Criterion['severity']) =>
    broken.filter(({ severity }) => severity === kind).map(({ reason }) => reason);
  return { outside: reasonsOf('hard'), partly: reasonsOf('soft') };
}
