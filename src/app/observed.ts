/** What was observed of a person, in the pack's units and in days from a given moment. */
import type { IsoDate, IsoMinute, PatientRecord } from '#domain/record.ts';
import { toCanonical } from '#packs/conditioning.ts';
import type { PackManifest } from '#packs/manifest.ts';
import { dayOf } from './read-time.ts';

export interface ObservedValue {
  /** A whole number where the record has no clock time. */
  readonly day: number;
  readonly date: IsoDate;
  /** The value is a limit, and the true one lies below or above it; null for a measured value. */
  readonly limit: '<' | '>' | null;
  readonly value: number;
  readonly source: string;
}

/** Values of one marker or sign, oldest first; what is dated after `now` or in a unit the pack does not know is left out. */
export function observedValues(
  record: PatientRecord,
  manifest: PackManifest,
  code: string,
  now: IsoMinute,
): readonly ObservedValue[] {
  const marker = manifest.markers.find((one) => one.id === code);
  return record.observations
    .filter((one) => one.code === code)
    .flatMap((one) => {
      try {
        const value = marker ? toCanonical(marker, one.value, one.unit) : one.value;
        const { date, time = '', source } = one;
        const limit = one.isBelowLimit ? ('<' as const) : one.isAboveLimit ? ('>' as const) : null;
        return [{ day: dayOf(date, time, now), date, value, source, limit }];
      } catch {
        // A unit of another pack. The record keeps it; under this one it cannot be drawn.
        return [];
      }
    })
    .filter(({ day }) => day <= 0)
    .sort((a, b) => a.day - b.day);
}

/** "61 at entry, female": age and sex as far as the pack knows such covariates. */
export function personWords(record: PatientRecord, manifest: PackManifest | null): string {
  const age = record.covariates['age'];
  const sex = record.covariates['sex'];
  const covariate = manifest?.covariates.find((one) => one.id === 'sex');
  const label = covariate?.kind === 'category' ? covariate.categories.find((one) => one.value === sex)?.label : undefined;
  const parts = [
    typeof age === 'number' ? `${Math.floor(age)} at entry` : '',
    label?.toLowerCase() ?? (typeof sex === 'string' ? sex : ''),
  ];
  return parts.filter(Boolean).join(', ');
}
