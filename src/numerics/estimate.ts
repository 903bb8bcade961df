/** Sequences of numbers as this folder takes them: plain arrays or typed arrays, read only. */
export type Numbers = ArrayLike<number>;

/**
 * A statistic that may not exist for the data at hand. A concordance without an event has no value; returning 0, 0.5 or NaN
 * would let a later average hide that, so the caller must look at `defined` first and can show the reason.
 */
export type Estimate<T = number> =
  { readonly defined: true; readonly value: T } | { readonly defined: false; readonly reason: string };

export const defined = <T>(value: T): Estimate<T> => ({ defined: true, value });

export const notDefined = (reason: string): { readonly defined: false; readonly reason: string } => ({
  defined: false,
  reason,
});

/** Input that no data set could make meaningful (a NaN prediction, a probability of 1.2): the caller's fault, so it throws. */
export class MetricInputError extends Error {
  readonly code = 'metric_input_invalid';

  constructor(message: string) {
    super(`metric_input_invalid: ${message}`);
    this.name = 'MetricInputError';
  }
}

export function requireFinite(name: string, values: Numbers): void {
  for (let i = 0; i < values.length; i++) {
    // `null` read from JSON is not caught by the type checker and would count as 0.
    if (typeof values[i] !== 'number' || !Number.isFinite(values[i])) {
      throw new MetricInputError(`${name}[${i}] is ${String(values[i])}. Expected a finite number; drop or impute the row.`);
    }
  }
}

export function requireSameLength(columns: Readonly<Record<string, Numbers>>): number {
  const entries = Object.entries(columns);
  const [firstName, first] = entries[0]!;
  for (const [name, values] of entries) {
    if (values.length !== first.length) {
      throw new MetricInputError(`${name} has ${values.length} values, ${firstName} has ${first.length}. Expected one a row.`);
    }
  }
  return first.length;
}

export function requireProbabilities(name: string, values: Numbers): void {
  requireFinite(name, values);
  for (let i = 0; i < values.length; i++) {
    if (values[i]! < 0 || values[i]! > 1) {
      throw new MetricInputError(`${name}[${i}] is ${values[i]}. Expected a probability between 0 and 1.`);
    }
  }
}

export function requireBinary(name: string, values: Numbers): void {
  for (let i = 0; i < values.length; i++) {
    if (values[i] !== 0 && values[i] !== 1) {
      throw new MetricInputError(`${name}[${i}] is ${String(values[i])}. Expected 0 or 1.`);
    }
  }
}

/** Checks that time and event are one pair a row, times finite and not negative, events 0 or 1. Gives the number of rows. */
export function requireSurvivalData(time: Numbers, event: Numbers): number {
  const n = requireSameLength({ time, event });
  requireFinite('time', time);
  requireBinary('event', event);
  for (let i = 0; i < n; i++) {
    if (time[i]! < 0) throw new MetricInputError(`time[${i}] is ${time[i]}. Expected a time from the start, not before it.`);
  }
  return n;
}
