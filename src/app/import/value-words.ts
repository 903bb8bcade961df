/** A value of a file in words: as it was received, and what it became. */
import { normaliseName } from '#interop/analytes.ts';
import type { ImportedObservation } from '#interop/imported.ts';
import { unitText } from '../units.ts';
import { analyteLabel } from './analyte-options.ts';
import { codeWords } from './import-words.ts';

export function receivedText({
  receivedValue,
  receivedUnit,
}: Pick<ImportedObservation, 'receivedValue' | 'receivedUnit'>): string {
  return [receivedValue, receivedUnit].filter(Boolean).join(' ') || 'nothing';
}

/** As the file calls it, and what it is read as where that has another name. */
export function measureText({ label, analyte }: ImportedObservation['concept']): string {
  const known = analyteLabel(analyte);
  if (label === '') return known || 'without a name';
  return known === '' || normaliseName(known) === normaliseName(label) ? label : `${label} (${known})`;
}

const shown = (value: number) => String(Number(value.toPrecision(6)));

/** "< 2.01 mg/dL"; empty where it is kept as received. */
export function readText({ value, unit, comparator }: Pick<ImportedObservation, 'value' | 'unit' | 'comparator'>): string {
  if (value === null) return '';
  return [comparator ?? '', shown(value), unitText(unit)].filter(Boolean).join(' ');
}

/** Why it is not read, or what a person should look at; empty where nothing is to be said. */
export function remarkText({ problem, doubts }: Pick<ImportedObservation, 'problem' | 'doubts'>): string {
  return [...new Set([...(problem ? [problem] : []), ...doubts])].map((code) => codeWords[code]).join('; ');
}
