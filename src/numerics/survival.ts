import {
  defined,
  notDefined,
  requireSameLength,
  requireSurvivalData,
  MetricInputError,
  type Estimate,
  type Numbers,
} from './estimate.ts';
import { dot, solveSymmetric, zeros } from './linear-algebra.ts';
import { normalCritical } from './moments.ts';
import { chiSquareUpper } from './special-functions.ts';

/** Counts at each distinct observed time, ascending: what every estimator of this file starts from. */
interface RiskTable {
  readonly time: number[];
  readonly atRisk: number[];
  readonly events: number[];
  readonly censored: number[];
}

function riskTable(time: Numbers, event: Numbers): RiskTable {
  const n = requireSurvivalData(time, event);
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => time[a]! - time[b]!);
  const table: RiskTable = { time: [], atRisk: [], events: [], censored: [] };
  for (let start = 0; start < n;) {
    const t = time[order[start]!]!;
    let end = start;
    let events = 0;
    while (end < n && time[order[end]!] === t) events += event[order[end++]!]!;
    table.time.push(t);
    table.atRisk.push(n - start);
    table.events.push(events);
    table.censored.push(end - start - events);
    start = end;
  }
  return table;
}

/** A curve that is constant between its times: `value[k]` holds from `time[k]` up to the next time. */
export interface StepCurve {
  readonly time: readonly number[];
  readonly value: readonly number[];
}

/** Index of the last time ≤ t (or < t when `before`), or −1. */
function lastIndex(times: Numbers, t: number, before: boolean): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before ? times[middle]! < t : times[middle]! <= t) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Value of a step curve at t, or `start` before its first time (1 for survival, 0 for a cumulative hazard). */
export function stepAt(curve: StepCurve, t: number, start: number): number {
  const k = lastIndex(curve.time, t, false);
  return k < 0 ? start : curve.value[k]!;
}

/** Value of a step curve just before t (its left limit). */
export function stepBefore(curve: StepCurve, t: number, start: number): number {
  const k = lastIndex(curve.time, t, true);
  return k < 0 ? start : curve.value[k]!;
}

/** Kaplan–Meier estimate; every array has one entry a distinct observed time, ascending, censoring times included. */
export interface KaplanMeier {
  readonly time: readonly number[];
  readonly atRisk: readonly number[];
  readonly events: readonly number[];
  readonly survival: readonly number[];
  /** Greenwood's standard error of the survival; `null` once the survival is 0. */
  readonly standardError: readonly (number | null)[];
  /** Pointwise log(−log) limits; `null` while the survival is 1 and once it is 0, where the transform has no value. */
  readonly lower: readonly (number | null)[];
  readonly upper: readonly (number | null)[];
}

/**
 * Kaplan–Meier with Greenwood's variance and log(−log) limits (Kalbfleisch & Prentice 2002, section 1.4).
 * Events come before censorings at the same time. `level` defaults to 0.95.
 */
export function kaplanMeier(time: Numbers, event: Numbers, level = 0.95): Estimate<KaplanMeier> {
  const table = riskTable(time, event);
  if (table.time.length === 0) return notDefined('no persons');
  const z = normalCritical(level);
  const survival: number[] = [];
  const standardError: (number | null)[] = [];
  const lower: (number | null)[] = [];
  const upper: (number | null)[] = [];
  let s = 1;
  let greenwood = 0;
  for (let k = 0; k < table.time.length; k++) {
    const n = table.atRisk[k]!;
    const d = table.events[k]!;
    s *= 1 - d / n;
    if (d > 0 && d < n) greenwood += d / (n * (n - d));
    survival.push(s);
    standardError.push(s > 0 ? s * Math.sqrt(greenwood) : null);
    if (s > 0 && s < 1) {
      const half = (z * Math.sqrt(greenwood)) / Math.abs(Math.log(s));
      lower.push(s ** Math.exp(half));
      upper.push(s ** Math.exp(-half));
    } else {
      lower.push(null);
      upper.push(null);
    }
  }
  return defined({ time: table.time, atRisk: table.atRisk, events: table.events, survival, standardError, lower, upper });
}

/** Survival of a Kaplan–Meier estimate at t; beyond the last observed time it stays at its last value. */
export function survivalAt(km: KaplanMeier, t: number): number {
  return stepAt({ time: km.time, value: km.survival }, t, 1);
}

/**
 * Smallest time by which a share `level` has had the event, or the middle of the flat piece when the curve lies exactly at
 * 1 − level there (as R's `quantile.survfit`). Not defined when the curve never falls so far.
 */
export function survivalQuantile(km: KaplanMeier, level: number): Estimate {
  const target = 1 - level;
  const tolerance = 1e-9; // products of fractions such as 0.9·(5/9) miss 0.5 by rounding only
  const first = km.survival.findIndex((s) => s <= target + tolerance);
  if (first < 0) return notDefined(`survival does not fall to ${target}`);
  if (Math.abs(km.survival[first]! - target) > tolerance) return defined(km.time[first]!);
  const next = km.survival.findIndex((s) => s < target - tolerance);
  return defined((km.time[first]! + km.time[next < 0 ? km.time.length - 1 : next]!) / 2);
}

/** Restricted mean survival time to `tau` and its standard error, in the unit of the times. */
export interface RestrictedMean {
  readonly rmst: number;
  readonly standardError: number;
}

/**
 * Area under the Kaplan–Meier curve to `tau`, with the variance of Klein & Moeschberger (2003), formula 4.5.2.
 * Not defined when the curve is unknown at `tau`: the last observation is an earlier censoring.
 */
export function restrictedMean(km: KaplanMeier, tau: number): Estimate<RestrictedMean> {
  if (!(tau > 0)) throw new MetricInputError(`tau ${tau} is not after 0.`);
  const last = km.time.length - 1;
  if (tau > km.time[last]! && km.survival[last]! > 0) return notDefined(`nobody was followed to ${tau}`);
  let rmst = 0;
  let variance = 0;
  let end = tau;
  // From the right, so that the area still to come after each event time is at hand.
  for (let k = last; k >= 0; k--) {
    const t = km.time[k]!;
    if (t >= tau) continue;
    rmst += km.survival[k]! * (end - t);
    end = t;
    const n = km.atRisk[k]!;
    const d = km.events[k]!;
    if (d > 0 && d < n) variance += (rmst * rmst * d) / (n * (n - d));
  }
  return defined({ rmst: rmst + end, standardError: Math.sqrt(variance) });
}

/** Nelson–Aalen cumulative hazard at each distinct observed time. */
export function nelsonAalen(time: Numbers, event: Numbers): Estimate<StepCurve> {
  const table = riskTable(time, event);
  if (table.time.length === 0) return notDefined('no persons');
  let hazard = 0;
  return defined({ time: table.time, value: table.events.map((d, k) => (hazard += d / table.atRisk[k]!)) });
}

/**
 * Kaplan–Meier of the censoring time, for weights by inverse probability of censoring. Events leave the risk set before
 * censorings at the same time, since an event at t could no longer be censored at t.
 */
export function censoringSurvival(time: Numbers, event: Numbers): StepCurve {
  const table = riskTable(time, event);
  let g = 1;
  const value = table.censored.map((c, k) => {
    const atRisk = table.atRisk[k]! - table.events[k]!;
    return c === 0 ? g : (g *= 1 - c / atRisk);
  });
  return { time: table.time, value };
}

/** Aalen–Johansen estimate: the probability of still being event-free and of each cause by each distinct observed time. */
export interface AalenJohansen {
  readonly time: readonly number[];
  readonly eventFree: readonly number[];
  /** Cumulative incidence by cause 1, 2, …; `cumulativeIncidence[0]` belongs to cause 1. */
  readonly cumulativeIncidence: readonly (readonly number[])[];
}

/**
 * Cumulative incidence with competing causes. `cause` is 0 for censored, else 1, 2, … `causes` (default: the largest seen).
 * One minus Kaplan–Meier per cause would overstate each of them.
 */
export function aalenJohansen(time: Numbers, cause: Numbers, causes?: number): Estimate<AalenJohansen> {
  requireSameLength({ time, cause });
  const causeCount = causes ?? Math.max(1, ...Array.from(cause));
  for (let i = 0; i < cause.length; i++) {
    if (!Number.isInteger(cause[i]) || cause[i]! < 0 || cause[i]! > causeCount) {
      throw new MetricInputError(`cause[${i}] is ${cause[i]}. Expected 0 (censored) to ${causeCount}.`);
    }
  }
  const table = riskTable(
    time,
    Array.from(cause, (c) => (c > 0 ? 1 : 0)),
  );
  if (table.time.length === 0) return notDefined('no persons');
  const position = new Map(table.time.map((t, k) => [t, k]));
  const counts = zeros(causeCount, table.time.length);
  for (let i = 0; i < cause.length; i++) if (cause[i]! > 0) counts[cause[i]! - 1]![position.get(time[i]!)!]! += 1;
  let free = 1;
  const eventFree: number[] = [];
  const cumulativeIncidence: number[][] = Array.from({ length: causeCount }, () => []);
  for (let k = 0; k < table.time.length; k++) {
    const n = table.atRisk[k]!;
    for (let c = 0; c < causeCount; c++) {
      const before = k === 0 ? 0 : cumulativeIncidence[c]![k - 1]!;
      cumulativeIncidence[c]!.push(before + (free * counts[c]![k]!) / n);
    }
    free *= 1 - table.events[k]! / n;
    eventFree.push(free);
  }
  return defined({ time: table.time, eventFree, cumulativeIncidence });
}

export interface LogRank {
  readonly chiSquare: number;
  readonly degreesOfFreedom: number;
  readonly p: number;
  /** By group, in ascending order of the group's label. */
  readonly groups: readonly number[];
  readonly observed: readonly number[];
  readonly expected: readonly number[];
}

/** Log-rank test of two or more groups with the hypergeometric variance. Not defined for one group or without events. */
export function logRank(time: Numbers, event: Numbers, group: Numbers): Estimate<LogRank> {
  requireSameLength({ time, event, group });
  const table = riskTable(time, event);
  const groups = [...new Set(Array.from(group))].sort((a, b) => a - b);
  if (groups.length < 2) return notDefined('fewer than two groups');
  const g = groups.length;
  const position = new Map(table.time.map((t, k) => [t, k]));
  const leaving = zeros(table.time.length, g);
  const events = zeros(table.time.length, g);
  const atRisk = new Array<number>(g).fill(0);
  for (let i = 0; i < time.length; i++) {
    const k = position.get(time[i]!)!;
    const j = groups.indexOf(group[i]!);
    leaving[k]![j]! += 1;
    events[k]![j]! += event[i]!;
    atRisk[j]! += 1;
  }
  const observed = new Array<number>(g).fill(0);
  const expected = new Array<number>(g).fill(0);
  const variance = zeros(g - 1, g - 1);
  for (let k = 0; k < table.time.length; k++) {
    const n = table.atRisk[k]!;
    const d = table.events[k]!;
    for (let j = 0; j < g; j++) {
      observed[j]! += events[k]![j]!;
      expected[j]! += (d * atRisk[j]!) / n;
    }
    if (d > 0 && n > 1) {
      const factor = (d * (n - d)) / (n - 1);
      for (let i = 0; i < g - 1; i++) {
        for (let j = 0; j < g - 1; j++) {
          variance[i]![j]! += factor * ((i === j ? atRisk[i]! / n : 0) - (atRisk[i]! * atRisk[j]!) / (n * n));
        }
      }
    }
    for (let j = 0; j < g; j++) atRisk[j]! -= leaving[k]![j]!;
  }
  const difference = observed.slice(0, g - 1).map((o, j) => o - expected[j]!);
  const solved = solveSymmetric(variance, difference);
  if (solved === null) return notDefined('no event happened while more than one group was at risk');
  const chiSquare = dot(difference, solved);
  const degreesOfFreedom = g - 1;
  return defined({ chiSquare, degreesOfFreedom, p: chiSquareUpper(chiSquare, degreesOfFreedom), groups, observed, expected });
}
