import { dotQuantile } from '#domain/forecast.ts';

/** `count` equally likely values out of samples: the midpoints' quantiles (Kay et al. 2016, quantile dot plots). So many stay as they are. */
export function quantileValues(samples: ArrayLike<number>, count: number): number[] {
  const sorted = Array.from(samples)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  if (sorted.length === 0) return [];
  return Array.from({ length: count }, (_, k) => dotQuantile(sorted, (k + 0.5) / count));
}

export interface PlacedDot {
  /** Centre in value units (column) and height in dots from the ground (row 0 lies on it). */
  readonly x: number;
  readonly row: number;
  readonly value: number;
}

/**
 * Columns of equal width, counted from zero outwards, so that no column mixes both signs. Values within `tolerance` of zero count as none
 * and stand on zero itself; the columns beside it then begin where it ends.
 */
export function stackDots(values: readonly number[], width: number, tolerance = 0): PlacedDot[] {
  const heights = new Map<number, number>();
  return [...values]
    .sort((a, b) => a - b)
    .map((value) => {
      const isNone = Math.abs(value) <= tolerance;
      const beside = tolerance > 0 ? Math.max(tolerance, width / 2) : 0;
      const column = Math.floor(Math.max(0, Math.abs(value) - tolerance) / width);
      const x = isNone ? 0 : Math.sign(value) * (beside + (column + 0.5) * width);
      const row = heights.get(x) ?? 0;
      heights.set(x, row + 1);
      return { x, row, value };
    });
}

/** The narrowest round column width with which the tallest stack still fits `rows`. */
export function columnWidth(all: readonly number[], rows: number, columns: number, tolerance = 0): number {
  const values = all.filter((value) => Math.abs(value) > tolerance);
  if (values.length === 0) return 1;
  const span = Math.max(...values, 0) - Math.min(...values, 0) || Math.abs(values[0]) || 1;
  let width = span / columns;
  for (let tries = 0; tries < 40; tries++) {
    if (Math.max(...stackDots(values, width, tolerance).map((dot) => dot.row)) < rows) return width;
    width *= 0.8;
  }
  return width;
}

/**
 * Columns for dots along an axis (Wilkinson 1999): from the left, all within `width` stand on one another at their mean. No column
 * holds dots of both sides of a break, so that none is moved across it. `xs` ascending.
 */
export function pileUp(
  xs: readonly number[],
  width: number,
  breaks: readonly number[],
): { readonly x: number; readonly row: number }[] {
  const piles: number[][] = [];
  for (const x of xs) {
    const pile = piles.at(-1);
    const first = pile?.[0];
    if (!pile || first === undefined || x - first > width || breaks.some((one) => first <= one !== x <= one)) piles.push([x]);
    else pile.push(x);
  }
  return piles.flatMap((pile) => {
    const x = pile.reduce((sum, one) => sum + one, 0) / pile.length;
    return pile.map((_, row) => ({ x, row }));
  });
}

/** How many lie on one side of a line: at least and at most, where of the outermost only an edge is known. */
export function countBeyond(
  values: readonly { readonly value: number; readonly beyond: 'low' | 'high' | null }[],
  { value: line, direction }: { readonly value: number; readonly direction: 'above' | 'below' },
): readonly [least: number, most: number] {
  const sign = direction === 'above' ? 1 : -1;
  const outwards = direction === 'above' ? 'high' : 'low';
  const sure = values.filter(({ value, beyond }) => sign * (value - line) > 0 && (beyond === null || beyond === outwards));
  const possible = values.filter(({ value, beyond }) => beyond === outwards || sign * (value - line) > 0);
  return [sure.length, possible.length];
}

export function countSides(values: readonly number[], tolerance = 0): { below: number; above: number; zero: number } {
  const below = values.filter((value) => value < -tolerance).length;
  const above = values.filter((value) => value > tolerance).length;
  return { below, above, zero: values.length - below - above };
}

/**
 * Which event each of `of` people has, in the order of `events`, event-free last: index into `events`, or -1. The same person stands at
 * the same place in every arm. Counts are rounded so that they add up (largest remainder), never past `of`.
 */
export function assignPeople(counts: readonly number[], of: number): number[] {
  const floors = counts.map((count) => Math.floor(Math.max(0, count)));
  let left =
    Math.min(of, Math.round(counts.reduce((sum, count) => sum + Math.max(0, count), 0))) - floors.reduce((a, b) => a + b, 0);
  const byRemainder = counts.map((count, index) => ({ index, rest: count - floors[index] })).sort((a, b) => b.rest - a.rest);
  for (const { index } of byRemainder) {
    if (left <= 0) break;
    floors[index] += 1;
    left -= 1;
  }
  const people = floors.flatMap((count, index) => new Array<number>(count).fill(index)).slice(0, of);
  return [...people, ...new Array<number>(of - people.length).fill(-1)];
}
