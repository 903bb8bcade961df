/** Where dots of a front lie and which of them is meant. Pure: numbers in, numbers out. */

import type { PlanIdentity } from './chart-types.ts';

export interface FrontInterval {
  readonly low: number;
  readonly value: number;
  readonly high: number;
}

/** A plan among others, by two of its figures. */
export interface FrontPoint {
  readonly id: string;
  /** What is given, in words. */
  readonly name: string;
  readonly x: FrontInterval;
  readonly y: FrontInterval;
  /** Usual care, plans of the page and ticked ones: drawn with their hue and letter, and with their intervals. */
  readonly plan?: PlanIdentity | undefined;
  readonly isTicked: boolean;
  /** No other is as good in every goal and better in one. */
  readonly isOnFront: boolean;
  readonly isBreaking: boolean;
  readonly isOutside: boolean;
}

export interface FrontAxis {
  /** As in a sentence, with its unit: "days without an event", "death within 5 years, of 100". */
  readonly label: string;
  readonly wish: 'more' | 'less';
  /** A value in the unit of the label, without it. */
  readonly text: (value: number) => string;
}

export interface Dot {
  readonly id: string;
  readonly x: number;
  readonly y: number;
}

export type Direction = 'left' | 'right' | 'up' | 'down';

/**
 * The next dot by arrow key: to the left and right in the order of x, up and down in the order of y (upwards on the screen), so that
 * every dot is reached by pressing one key again and again. The other coordinate, then the place in the list, settle ties.
 */
export function nextDot(dots: readonly Dot[], from: string | null, direction: Direction): string | null {
  if (dots.length === 0) return null;
  const along = direction === 'left' || direction === 'right' ? 'x' : 'y';
  const across = along === 'x' ? 'y' : 'x';
  const order = dots.toSorted((a, b) => a[along] - b[along] || a[across] - b[across]);
  // Of pixels, y grows downwards.
  const step = direction === 'right' || direction === 'down' ? 1 : -1;
  const at = order.findIndex(({ id }) => id === from);
  if (at < 0) return order[step > 0 ? 0 : order.length - 1]!.id;
  return order[Math.min(order.length - 1, Math.max(0, at + step))]!.id;
}

/** Even–odd rule: a lasso may cross itself. */
export function isInside(loop: readonly (readonly [x: number, y: number])[], x: number, y: number): boolean {
  let inside = false;
  loop.forEach(([xi, yi], i) => {
    const [xj, yj] = loop[(i + loop.length - 1) % loop.length]!;
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  });
  return inside;
}

/** The nearest dot within `reach` pixels, or null. */
export function dotNear(dots: readonly Dot[], x: number, y: number, reach: number): string | null {
  let found: string | null = null;
  let least = reach;
  for (const dot of dots) {
    const distance = Math.hypot(dot.x - x, dot.y - y);
    // The later of two is drawn on top.
    if (distance <= least) {
      least = distance;
      found = dot.id;
    }
  }
  return found;
}

/**
 * Ids of the dots that no other dot beats on both of the two drawn axes, in the order of x: what the light line joins. `wish` says
 * which way is wanted on each axis.
 */
export function frontOfTwo(
  dots: readonly Dot[],
  wish: { readonly x: 'more' | 'less'; readonly y: 'more' | 'less' },
): readonly string[] {
  const signX = wish.x === 'more' ? -1 : 1;
  const signY = wish.y === 'more' ? -1 : 1;
  const order = dots.toSorted((a, b) => signX * (a.x - b.x) || signY * (a.y - b.y));
  let least = Infinity;
  const front = order.filter(({ y }) => {
    if (signY * y >= least) return false;
    least = signY * y;
    return true;
  });
  return front.toSorted((a, b) => a.x - b.x).map(({ id }) => id);
}
