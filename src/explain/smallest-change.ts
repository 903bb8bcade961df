/**
 * The smallest changes that take a figure past a limit: one change first, then two, then three. What is found is minimal: no answer
 * holds another's changes and more.
 */
export interface Axis {
  /** Axes of one input exclude each other: more of it, less of it, another choice. */
  readonly input: string;
  /** A step is taken or not; along the other kind any share between 0 and 1 can be gone. */
  readonly isStep: boolean;
  /** How large a change by this share of the way is, in ranges of what was seen. */
  readonly sizeAt: (share: number) => number;
  /** Axes of a lower rank are named first. */
  readonly rank: number;
}

/** How far along which axes, by their place in the list. */
export type Change = readonly { readonly axis: number; readonly share: number }[];

export interface FoundChange {
  readonly change: Change;
  readonly size: number;
  readonly reached: number;
}

export interface SearchOptions {
  /** Answers wanted; more changes at once are tried only while there are fewer. */
  readonly wanted: number;
  readonly mostEvaluations: number;
}

/** Quarters are looked at before the bisection, so that a figure that turns on the way is not missed at its end. */
const quarters = [0.25, 0.5, 0.75, 1];
const bisections = 6;
/** Triples are of the axes that do most alone. */
const mostOfTriples = 6;

/** `distance` is what is left to the limit: at 0 or below it is reached. `evaluate` gives the figure after a change. */
export async function smallestChanges(
  axes: readonly Axis[],
  evaluate: (change: Change) => Promise<number>,
  distance: (value: number) => number,
  { wanted, mostEvaluations }: SearchOptions,
): Promise<FoundChange[]> {
  let evaluations = 0;
  const known = new Map<string, number>();
  const valueOf = async (change: Change): Promise<number> => {
    const key = JSON.stringify(change);
    const before = known.get(key);
    if (before !== undefined) return before;
    evaluations++;
    const value = await evaluate(change);
    known.set(key, value);
    return value;
  };
  const isReached = async (change: Change) => distance(await valueOf(change)) <= 0;
  const found: FoundChange[] = [];
  const keep = async (change: Change) => {
    found.push({ change, size: sizeOf(axes, change), reached: await valueOf(change) });
  };
  const start = distance(await valueOf([]));
  const gains: number[] = [];
  const ends: number[] = [];

  for (const [axis, { isStep }] of axes.entries()) {
    let nearest = Infinity;
    let end = 1;
    let before = 0;
    for (const share of isStep ? [1] : quarters) {
      if (evaluations >= mostEvaluations) break;
      const left = distance(await valueOf([{ axis, share }]));
      if (left < nearest) [nearest, end] = [left, share];
      if (left <= 0) {
        await keep(isStep ? [{ axis, share }] : await bisect([], axis, before, share, isReached));
        break;
      }
      before = share;
    }
    gains.push(start - nearest);
    ends.push(end);
  }

  const helpful = gains.flatMap((gain, axis) => (gain > 0 ? [axis] : [])).sort((a, b) => gains[b]! - gains[a]!);
  for (const count of [2, 3]) {
    if (found.length >= wanted) break;
    for (const set of subsets(count === 2 ? helpful : helpful.slice(0, mostOfTriples), count)) {
      if (evaluations >= mostEvaluations) break;
      if (new Set(set.map((axis) => axes[axis]!.input)).size < count || holdsAnother(set, found)) continue;
      const whole = set.map((axis) => ({ axis, share: ends[axis]! }));
      if (!(await isReached(whole))) continue;
      const reduced: Change[] = [];
      for (const axis of set) {
        const rest = whole.filter((one) => one.axis !== axis);
        if (!axes[axis]!.isStep) reduced.push(await bisect(rest, axis, 0, ends[axis]!, isReached));
      }
      await keep(smallest(axes, [whole, ...reduced]));
    }
  }
  const rankOf = ({ change }: FoundChange) => Math.max(...change.map(({ axis }) => axes[axis]!.rank));
  return found.sort((a, b) => a.change.length - b.change.length || rankOf(a) - rankOf(b) || a.size - b.size);
}

/** The least share of an axis, beside `rest`, at which the limit is reached, between one at which it is not and one at which it is. */
async function bisect(
  rest: Change,
  axis: number,
  from: number,
  to: number,
  isReached: (change: Change) => Promise<boolean>,
): Promise<Change> {
  const at = (share: number): Change => [...rest, { axis, share }].sort((a, b) => a.axis - b.axis);
  let [low, high] = [from, to];
  for (let k = 0; k < bisections; k++) {
    const middle = (low + high) / 2;
    if (await isReached(at(middle))) high = middle;
    else low = middle;
  }
  return at(high);
}

function holdsAnother(set: readonly number[], found: readonly FoundChange[]): boolean {
  return found.some(({ change }) => change.every(({ axis }) => set.includes(axis)));
}

function smallest(axes: readonly Axis[], changes: readonly Change[]): Change {
  return changes.reduce((least, change) => (sizeOf(axes, change) < sizeOf(axes, least) ? change : least));
}

function sizeOf(axes: readonly Axis[], change: Change): number {
  return change.reduce((sum, { axis, share }) => sum + axes[axis]!.sizeAt(share), 0);
}

function subsets(of: readonly number[], count: number): number[][] {
  if (count === 0) return [[]];
  return of.flatMap((first, i) => subsets(of.slice(i + 1), count - 1).map((rest) => [first, ...rest].sort((a, b) => a - b)));
}
