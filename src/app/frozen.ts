/** The doors through which frozen forecasts and local corrections come back from the vault. */
import * as v from 'valibot';
import type { Forecast } from '#domain/forecast.ts';
import type { FrozenShelf, Recalibration } from '#domain/trust.ts';

const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const finite = v.pipe(v.number(), v.finite());

const frozenSchema = v.object({
  format: v.literal(1),
  forecasts: v.array(
    v.object({
      format: v.literal(1),
      id: v.string(),
      patientId: v.string(),
      frozenAt: v.number(),
      now: v.string(),
      sha256: v.string(),
      record: v.object({
        entryDate: v.string(),
        covariates: v.record(v.string(), v.union([v.number(), v.string()])),
        isSynthetic: v.boolean(),
      }),
      planId: v.string(),
      // A summary made by this app and sealed as it was; whether it is still the same its digest says.
      forecast: v.custom<Forecast>((value) => typeof value === 'object' && value !== null && 'timesDays' in value),
    }),
  ),
});

const numbers = v.record(v.string(), finite);
const figure = v.object({
  label: v.string(),
  value: finite,
  low: finite,
  high: finite,
  n: whole,
  wanted: v.nullable(finite),
});

const correctionsSchema = v.object({
  format: v.literal(1),
  isConformalOn: v.boolean(),
  made: v.array(
    v.object({
      format: v.literal(1),
      id: v.string(),
      packId: v.string(),
      packDigest: v.string(),
      madeAt: v.number(),
      correction: v.variant('kind', [
        v.object({ kind: v.literal('intervals'), factors: numbers }),
        v.object({
          kind: v.literal('event-odds'),
          events: v.record(v.string(), v.object({ intercept: finite, slope: finite })),
        }),
        v.object({ kind: v.literal('head'), drift: numbers, logScale: numbers, logHazard: numbers }),
      ]),
      trainedOn: whole,
      testedOn: whole,
      before: v.array(figure),
      after: v.array(figure),
      isOn: v.boolean(),
    }),
  ),
});

/** Of one pack: what was learned here, and whether the pack's own conformal corrections are on. */
export interface CorrectionShelf {
  readonly format: 1;
  readonly isConformalOn: boolean;
  readonly made: readonly Recalibration[];
}

export const noCorrections: CorrectionShelf = { format: 1, isConformalOn: false, made: [] };

export function readFrozen(stored: unknown): FrozenShelf {
  return v.parse(frozenSchema, stored);
}

export function readCorrections(stored: unknown): CorrectionShelf {
  return v.parse(correctionsSchema, stored);
}
