import type { CovariateValue } from '#domain/record.ts';
import type { PlanInputs } from '#engine/drive.ts';
import { conditioningAt } from '#packs/conditioning.ts';
import type { LearnedManifest } from '#packs/manifest.ts';

/** Days since some day zero during which an intervention is given; `stopDay` is exclusive. */
export interface ActiveSpan {
  readonly intervention: string;
  readonly startDay: number;
  readonly stopDay: number;
}

/** What does not change from step to step. */
export interface Person {
  readonly covariates: Readonly<Record<string, CovariateValue>>;
  /** [C] their inputs, from `covariateInputs`. */
  readonly inputs: Float64Array;
}

/**
 * Conditioning of `steps` grid steps from day zero. A span is active in a step if it covers the step's midpoint: the model has no
 * half-steps, and the midpoint rule gets the total duration right on average.
 *
 * A cited effect (class X) is laid on the hazards of its events while it is active. Several at once multiply their hazard ratios,
 * and their errors, which come from different trials, add in quadrature.
 */
export function stepInputs(manifest: LearnedManifest, person: Person, spans: readonly ActiveSpan[], steps: number): PlanInputs {
  const { V, K } = manifest.network;
  const v = new Float64Array(steps * V);
  const logHazardShift = new Float64Array(steps * K);
  const effectError = new Float64Array(steps * K);
  for (let step = 0; step < steps; step++) {
    const midpoint = (step + 0.5) * manifest.grid.stepDays;
    const covers = ({ startDay, stopDay }: ActiveSpan) => startDay <= midpoint && midpoint < stopDay;
    const active = new Set(spans.filter(covers).map(({ intervention }) => intervention));
    v.set(conditioningAt(manifest, person.inputs, active, person.covariates), step * V);
    for (const { id, citedEffect } of manifest.interventions) {
      if (!citedEffect || !active.has(id)) continue;
      manifest.events.forEach((event, k) => {
        if (!citedEffect.events.includes(event.id)) return;
        logHazardShift[step * K + k]! += citedEffect.logHazardRatio;
        effectError[step * K + k] = Math.hypot(effectError[step * K + k]!, citedEffect.standardError);
      });
    }
  }
  return { v, logHazardShift, effectError };
}
