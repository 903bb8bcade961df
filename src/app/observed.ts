/** What was observed of a person, in the pack's units and in days from a given day. */
import { daysBetween } from '#domain/record.ts';
import type { IsoDate, PatientRecord } from '#domain/record.ts';
import { toCanonical } from '#packs/conditioning.ts';
import type { PackManifest } from '#packs/manifest.ts';

export interface ObservedValue {
  readonly day: number;
  readonly date: IsoDate;
  readonly value: number;
  readonly source: string;
}

/** Values of one marker or sign, oldest first; what is dated after `today` or in a unit the pack does not know is left out. */
export function observedValues(
  record: PatientRecord,
  manifest: PackManifest,
  code: string,
  today: IsoDate,
): readonly ObservedValue[] {
  const marker = manifest.markers.find((one) => one.id === code);
  return record.observations
    .filter((one) => one.code === code && one.date <= today)
    .flatMap((one) => {
      try {
        const value = marker ? toCanonical(marker, one.value, one.unit) : one.value;
        return [{ day: daysBetween(today, one.date), date: one.date, value, source: one.source }];
      } catch {
        // A unit of another pack. The record keeps it; under this one it cannot be drawn.
        return [];
      }
    })
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
