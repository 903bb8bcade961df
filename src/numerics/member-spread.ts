/**
 * What the few members of an ensemble leave open of a figure. Quantiles over members are too narrow: of six equally likely places for
 * the truth among five members, two lie outside them all. Student's t allows for it.
 */
import { sum } from './moments.ts';
import { studentQuantile } from './special-functions.ts';
import type { Numbers } from './estimate.ts';

/** Student's t with `freedom` degrees of freedom, moved to `centre` and stretched by `scale`. All are NaN where nothing is known. */
export interface MemberSpread {
  readonly centre: number;
  readonly scale: number;
  readonly freedom: number;
}

/**
 * Where one more draw of the world would lie, of which the groups are draws: a group is one member with one draw of what else is not
 * known, and one more member is off the members' mean by as much as the truth is (the bootstrap's own premise). Groups stand member by
 * member, as many of each; a group that is NaN says nothing and is left out, as is a member without any.
 *
 * With B the variance of members, W that of groups inside one, w the members' shares of the N known groups and n their numbers, the draw
 * is off the mean of all groups with variance B (1 + Σ w²) + W (1 + 1/N). The variance b of the members' means, with one degree of
 * freedom fewer than members, estimates B + W · mean(1/n), so that what is left over for W is 1 + 1/N − (1 + Σ w²) mean(1/n): for equal
 * numbers 1 − 1/n. Degrees of freedom of the sum are those of Welch (1947) and Satterthwaite (1946). Of one member only W is known.
 */
export function memberSpread(groups: Numbers, members: number): MemberSpread {
  const perMember = groups.length / members;
  const known = Array.from({ length: members }, (_, m) =>
    Array.from({ length: perMember }, (_, g) => groups[m * perMember + g]!).filter((value) => !Number.isNaN(value)),
  ).filter((own) => own.length > 0);
  if (known.length === 0) return { centre: Number.NaN, scale: Number.NaN, freedom: Number.NaN };
  const M = known.length;
  const N = sum(known.map(({ length }) => length));
  const means = known.map((own) => sum(own) / own.length);
  const centre = sum(known.map(sum)) / N;
  const inside = N > M ? sum(known.map((own, m) => squares(own, means[m]!))) / (N - M) : 0;
  const perMean = M > 1 ? 1 + sum(known.map(({ length }) => (length / N) ** 2)) : 0;
  const fromMembers = M > 1 ? (perMean * squares(means, sum(means) / M)) / (M - 1) : 0;
  const counted = (perMean * sum(known.map(({ length }) => 1 / length))) / M;
  const fromInside = inside * Math.max(0, 1 + 1 / N - counted);
  const variance = fromMembers + fromInside;
  if (variance === 0) return { centre, scale: 0, freedom: Infinity };
  const freedom = variance ** 2 / ((M > 1 ? fromMembers ** 2 / (M - 1) : 0) + (N > M ? fromInside ** 2 / (N - M) : 0));
  return { centre, scale: Math.sqrt(variance), freedom };
}

/**
 * How far chance moves a figure of many draws: Student's t around the mean of independent batches of them, each as large, with the standard
 * error that the batches show. NaN batches say nothing; one alone shows no spread. All are NaN where nothing is known.
 */
export function batchSpread(batches: Numbers): MemberSpread {
  const known = Array.from(batches).filter((value) => !Number.isNaN(value));
  const N = known.length;
  if (N === 0) return { centre: Number.NaN, scale: Number.NaN, freedom: Number.NaN };
  const centre = sum(known) / N;
  const variance = N > 1 ? squares(known, centre) / (N - 1) / N : 0;
  return { centre, scale: Math.sqrt(variance), freedom: variance > 0 ? N - 1 : Infinity };
}

const squares = (values: Numbers, centre: number) => sum(Array.from(values, (value) => (value - centre) ** 2));

/** At `level`, between 0 and 1, of the spread. */
export function spreadQuantile({ centre, scale, freedom }: MemberSpread, level: number): number {
  return scale > 0 ? centre + scale * studentQuantile(level, freedom) : centre;
}

/** An even number of equally likely values of the spread, ascending: the i-th of n at (i + ½)/n. */
export function spreadDots(spread: MemberSpread, count: number): number[] {
  const below = Array.from({ length: count / 2 }, (_, i) => spreadQuantile(spread, (i + 0.5) / count));
  return [...below, ...below.toReversed().map((value) => 2 * spread.centre - value)];
}
