/** The words that every schema of the pack format is made of. */
import * as v from 'valibot';

export const text = v.pipe(v.string(), v.minLength(1), v.maxLength(4000));
export const id = v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/));
export const finite = v.pipe(v.number(), v.finite());
export const positive = v.pipe(finite, v.gtValue(0));
export const share = v.pipe(finite, v.minValue(0), v.maxValue(1));
export const whole = (low: number, high: number) => v.pipe(v.number(), v.integer(), v.minValue(low), v.maxValue(high));
export const list = <const T extends v.GenericSchema>(item: T, low = 0, high = 256) =>
  v.pipe(v.array(item), v.minLength(low), v.maxLength(high));
