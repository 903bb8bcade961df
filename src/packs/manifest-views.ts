/** Small questions that several folders ask of a manifest, answered in one place. */
import type { Head } from './network.ts';
import type { Intervention, LearnedManifest, PackDescription, WhatIfClass } from './manifest.ts';

/**
 * Classes a person may plan with. What was only observed (O) is never a lever: in treated people it mixes the treatment's effect
 * with the reasons it was given for. Natural history (N) is what plans are held against.
 */
export const leverClasses: readonly WhatIfClass[] = ['R', 'X', 'M', 'S'];

/** The interventions a plan may offer. */
export function leverInterventions(manifest: Pick<PackDescription, 'interventions'>): readonly Intervention[] {
  return manifest.interventions.filter((intervention) => leverClasses.includes(intervention.whatIfClass));
}

/** One head per component of s: markers first, then signs. */
export function headsOf(manifest: Pick<PackDescription, 'markers' | 'signs'>): readonly Head[] {
  return [
    ...manifest.markers.map((): Head => ({ kind: 'continuous' })),
    ...manifest.signs.map((sign): Head => ({ kind: 'ordinal', cuts: sign.cuts })),
  ];
}

/** C: how many of the conditioning inputs describe the person; the rest are interventions. */
export function covariateInputCount(manifest: Pick<LearnedManifest, 'conditioning'>): number {
  return manifest.conditioning.filter((input) => input.from !== 'intervention').length;
}
