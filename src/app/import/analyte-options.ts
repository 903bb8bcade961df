/** What a person may say that a column, a name or a code stands for. */
import { analyteById, analytes, needsUnit } from '#interop/analytes.ts';
import { unitText } from '../units.ts';

export interface Option {
  readonly value: string;
  readonly label: string;
}

export const analyteOptions: readonly Option[] = analytes
  .map(({ id, label }) => ({ value: id, label }))
  .sort((a, b) => a.label.localeCompare(b.label, 'en'));

export function analyteLabel(id: string | null): string {
  return (id !== null && analyteById(id)?.label) || '';
}

/** The units that values of an analyte may be in, its own first. UCUM. */
export function unitOptions(id: string | null): readonly Option[] {
  const analyte = id === null ? null : analyteById(id);
  if (!analyte) return [];
  const units = [analyte.unit, ...Object.keys(analyte.units).filter((unit) => unit !== analyte.unit)];
  return units.map((unit) => ({ value: unit, label: unitText(unit) || 'plain number' }));
}

/** Whether values of it are kept as received where nobody says a unit. True of what is not known. */
export function lacksUnit(id: string | null): boolean {
  const analyte = id === null ? null : analyteById(id);
  return !analyte || needsUnit(analyte);
}
