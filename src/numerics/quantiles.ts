import { defined, notDefined, requireFinite, MetricInputError, type Estimate, type Numbers } from './estimate.ts';

/** A sorted copy. */
export function sorted(values: Numbers): Float64Array {
  return Float64Array.from(values).sort();
}

/** Type 7 quantile (Hyndman & Fan 1996; the default of R and NumPy) of values already ascending and not empty. */
export function quantileOfSorted(ascending: Numbers, level: number): number {
  const position = (ascending.length - 1) * level;
  const below = Math.floor(position);
  const above = Math.min(below + 1, ascending.length - 1);
  return ascending[below]! + (position - below) * (ascending[above]! - ascending[below]!);
}

/** Type 7 quantile at one level, in [0, 1]. Not defined for no values. */
export function quantile(values: Numbers, level: number): Estimate {
  requireFinite('values', values);
  if (!(level >= 0 && level <= 1)) throw new MetricInputError(`level ${level} is not between 0 and 1.`);
  if (values.length === 0) return notDefined('no values');
  return defined(quantileOfSorted(sorted(values), level));
}
