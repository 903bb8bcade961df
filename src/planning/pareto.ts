/**
 * Which of many plans no other one beats. Every goal is written so that more is better; a plan also keeps some number of limits, and
 * only what keeps as many can beat it. What is not a number is worse than any number.
 */

export interface Rated {
  /** More is better in each. */
  readonly goals: readonly number[];
  /** How many limits it keeps. */
  readonly kept: number;
}

/** Keeps as many limits, is at least as good in every goal, and better in one. */
export function dominates(a: Rated, b: Rated): boolean {
  if (a.kept < b.kept) return false;
  let isBetter = false;
  for (let i = 0; i < a.goals.length; i++) {
    const difference = order(a.goals[i]!, b.goals[i]!);
    if (difference < 0) return false;
    if (difference > 0) isBetter = true;
  }
  return isBetter;
}

/** For each whether no other dominates it. */
export function nonDominated(rated: readonly Rated[]): boolean[] {
  return rated.map((one) => !rated.some((other) => dominates(other, one)));
}

/**
 * The `most` that a search keeps, the most worth keeping first; all of them unless told otherwise: more limits kept, then front by front
 * (Deb 2002: the front, the front of the rest, and so on), within a front those that stand farther from their neighbours, then the
 * earlier.
 */
export function keepingOrder(rated: readonly Rated[], most = rated.length): number[] {
  const order: number[] = [];
  let left = rated.map((_, i) => i);
  while (left.length > 0 && order.length < most) {
    const kept = Math.max(...left.map((i) => rated[i]!.kept));
    const rivals = left.filter((i) => rated[i]!.kept === kept);
    const front = rivals.filter((i) => !rivals.some((j) => dominates(rated[j]!, rated[i]!)));
    const distance = crowdingDistances(front.map((i) => rated[i]!));
    const place = new Map(front.map((i, at) => [i, distance[at]!]));
    order.push(...front.sort((a, b) => byLarger(place.get(a)!, place.get(b)!) || a - b));
    left = left.filter((i) => !place.has(i));
  }
  return order.slice(0, most);
}

/** Infinity less Infinity is no number. */
const byLarger = (a: number, b: number) => (a === b ? 0 : b - a);

/** Of each member of a front, how far apart its neighbours lie, goal by goal, in shares of the front's range; Infinity at its ends. */
function crowdingDistances(front: readonly Rated[]): number[] {
  const distances = front.map(() => 0);
  const goals = front[0]?.goals.length ?? 0;
  for (let goal = 0; goal < goals; goal++) {
    const value = (i: number) => front[i]!.goals[goal]!;
    const ascending = front.map((_, i) => i).sort((a, b) => order(value(a), value(b)) || a - b);
    const range = value(ascending.at(-1)!) - value(ascending[0]!);
    // Where all are alike in a goal, none of them stands at its end.
    if (!(range > 0)) continue;
    ascending.forEach((i, at) => {
      const [below, above] = [ascending[at - 1], ascending[at + 1]];
      distances[i]! += below === undefined || above === undefined ? Infinity : (value(above) - value(below)) / range;
    });
  }
  return distances;
}

function order(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
  return a - b;
}
