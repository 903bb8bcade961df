import {
  defined,
  notDefined,
  requireBinary,
  requireFinite,
  requireProbabilities,
  requireSameLength,
  type Estimate,
  type Numbers,
} from './estimate.ts';
import { type Interval } from './intervals.ts';
import { normalCritical } from './moments.ts';

function requireForecasts(y: Numbers, p: Numbers): number {
  const n = requireSameLength({ y, p });
  requireBinary('y', y);
  requireProbabilities('p', p);
  return n;
}

/** Mean squared difference between probability and outcome. */
export function brierScore(y: Numbers, p: Numbers): Estimate {
  const n = requireForecasts(y, p);
  if (n === 0) return notDefined('no persons');
  let total = 0;
  for (let i = 0; i < n; i++) total += (p[i]! - y[i]!) ** 2;
  return defined(total / n);
}

/** Mean negative log-likelihood in nats. Not defined where a certain forecast was wrong: the loss is infinite. */
export function logLoss(y: Numbers, p: Numbers): Estimate {
  const n = requireForecasts(y, p);
  if (n === 0) return notDefined('no persons');
  let total = 0;
  for (let i = 0; i < n; i++) total -= y[i] === 1 ? Math.log(p[i]!) : Math.log1p(-p[i]!);
  return Number.isFinite(total) ? defined(total / n) : notDefined('a probability of 0 or 1 was wrong');
}

export interface RocAuc {
  readonly auc: number;
  /** DeLong, DeLong & Clarke-Pearson (1988). `null` with fewer than two of a class. */
  readonly variance: number | null;
  /** auc ± z · √variance, cut to [0, 1]. */
  readonly interval: Interval | null;
}

/** Area under the ROC curve with DeLong's variance; ties count one half. Not defined for one class. `level` defaults to 0.95. */
export function rocAuc(y: Numbers, score: Numbers, level = 0.95): Estimate<RocAuc> {
  const n = requireSameLength({ y, score });
  requireBinary('y', y);
  requireFinite('score', score);
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => score[a]! - score[b]!);
  let positives = 0;
  for (let i = 0; i < n; i++) positives += y[i]!;
  const negatives = n - positives;
  if (positives === 0 || negatives === 0) return notDefined('only one class');
  // The placement of a positive is the share of negatives below it; of a negative, the share of positives above it.
  const placement = new Float64Array(n);
  let below = [0, 0];
  for (let start = 0; start < n;) {
    let end = start;
    const tied = [0, 0];
    while (end < n && score[order[end]!] === score[order[start]!]) tied[y[order[end++]!]!]! += 1;
    for (let k = start; k < end; k++) {
      const i = order[k]!;
      placement[i] = y[i] === 1 ? (below[0]! + tied[0]! / 2) / negatives : (positives - below[1]! - tied[1]! / 2) / positives;
    }
    below = [below[0]! + tied[0]!, below[1]! + tied[1]!];
    start = end;
  }
  let auc = 0;
  for (let i = 0; i < n; i++) if (y[i] === 1) auc += placement[i]! / positives;
  const squares = [0, 0];
  for (let i = 0; i < n; i++) squares[y[i]!]! += (placement[i]! - auc) ** 2;
  if (positives < 2 || negatives < 2) return defined({ auc, variance: null, interval: null });
  const variance = squares[1]! / (positives - 1) / positives + squares[0]! / (negatives - 1) / negatives;
  const half = normalCritical(level) * Math.sqrt(variance);
  return defined({ auc, variance, interval: { lower: Math.max(0, auc - half), upper: Math.min(1, auc + half) } });
}

/** Average precision: Σ (recall step) · precision over the distinct scores from the highest, without interpolation. */
export function averagePrecision(y: Numbers, score: Numbers): Estimate {
  const n = requireSameLength({ y, score });
  requireBinary('y', y);
  requireFinite('score', score);
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => score[b]! - score[a]!);
  let found = 0;
  let total = 0;
  for (let start = 0; start < n;) {
    let end = start;
    let here = 0;
    while (end < n && score[order[end]!] === score[order[start]!]) here += y[order[end++]!]!;
    found += here;
    total += here * (found / end);
    start = end;
  }
  return found === 0 ? notDefined('no positives') : defined(total / found);
}

export interface NetBenefit {
  readonly model: number;
  readonly treatAll: number;
  readonly truePositives: number;
  readonly falsePositives: number;
}

/** Net benefit of treating at p ≥ threshold (Vickers & Elkin 2006), and of treating everybody; treating nobody is 0. */
export function netBenefit(y: Numbers, p: Numbers, threshold: number): Estimate<NetBenefit> {
  const n = requireForecasts(y, p);
  if (n === 0) return notDefined('no persons');
  if (!(threshold > 0 && threshold < 1)) return notDefined('the threshold is not between 0 and 1');
  const odds = threshold / (1 - threshold);
  let truePositives = 0;
  let falsePositives = 0;
  let positives = 0;
  for (let i = 0; i < n; i++) {
    positives += y[i]!;
    if (p[i]! >= threshold) {
      truePositives += y[i]!;
      falsePositives += 1 - y[i]!;
    }
  }
  return defined({
    model: truePositives / n - (falsePositives / n) * odds,
    treatAll: positives / n - ((n - positives) / n) * odds,
    truePositives,
    falsePositives,
  });
}
