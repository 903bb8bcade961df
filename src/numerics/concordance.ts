import {
  defined,
  notDefined,
  requireFinite,
  requireSameLength,
  requireSurvivalData,
  type Estimate,
  type Numbers,
} from './estimate.ts';
import { censoringSurvival, stepBefore } from './survival.ts';

export interface Concordance {
  readonly cIndex: number;
  /** Infinitesimal-jackknife standard error, as `survival::concordance` in R. */
  readonly standardError: number;
  readonly concordant: number;
  readonly discordant: number;
  /** Comparable pairs with equal risk; they count one half. */
  readonly tiedRisk: number;
  /** Comparable pairs whose event and censoring fall on the same time; they are also counted among the three above. */
  readonly tiedEventTimePairs: number;
  readonly comparablePairs: number;
}

const noPairs = "no comparable pair: no event precedes another person's time";

/**
 * Harrell's C: the share of comparable pairs in which the earlier event had the higher risk. Higher risk means earlier
 * event. A pair is comparable when the earlier time is an event; an event precedes a censoring at the same time, and two
 * events at the same time are not comparable. O(n²).
 */
export function harrellC(time: Numbers, event: Numbers, risk: Numbers): Estimate<Concordance> {
  const n = requireSurvivalData(time, event);
  requireSameLength({ time, risk });
  requireFinite('risk', risk);
  // Twice the score (2 concordant, 1 tied, 0 discordant) and the number of pairs that each person is part of.
  const score = new Float64Array(n);
  const pairs = new Float64Array(n);
  let concordant = 0;
  let discordant = 0;
  let tiedRisk = 0;
  let tiedEventTimePairs = 0;
  for (let i = 0; i < n; i++) {
    if (event[i] !== 1) continue;
    for (let j = 0; j < n; j++) {
      const isTiedTime = time[j] === time[i] && event[j] === 0;
      if (!(time[j]! > time[i]! || isTiedTime)) continue;
      if (isTiedTime) tiedEventTimePairs++;
      let points = 0;
      if (risk[i]! > risk[j]!) {
        points = 2;
        concordant++;
      } else if (risk[i] === risk[j]) {
        points = 1;
        tiedRisk++;
      } else discordant++;
      score[i]! += points;
      score[j]! += points;
      pairs[i]! += 1;
      pairs[j]! += 1;
    }
  }
  const comparablePairs = concordant + discordant + tiedRisk;
  if (comparablePairs === 0) return notDefined(noPairs);
  const cIndex = (concordant + tiedRisk / 2) / comparablePairs;
  let variance = 0;
  for (let i = 0; i < n; i++) variance += ((score[i]! / 2 - cIndex * pairs[i]!) / comparablePairs) ** 2;
  return defined({
    cIndex,
    standardError: Math.sqrt(variance),
    concordant,
    discordant,
    tiedRisk,
    tiedEventTimePairs,
    comparablePairs,
  });
}

/**
 * Uno's C (Uno et al. 2011): pairs weighted by 1 / G(t−)², G the Kaplan–Meier of censoring on the same sample, so that the
 * limit does not depend on the censoring. Events at or after `tau` are left out; `tau` defaults to no limit. O(n²).
 */
export function unoC(time: Numbers, event: Numbers, risk: Numbers, tau = Infinity): Estimate {
  const n = requireSurvivalData(time, event);
  requireSameLength({ time, risk });
  requireFinite('risk', risk);
  const g = censoringSurvival(time, event);
  let total = 0;
  let agreeing = 0;
  for (let i = 0; i < n; i++) {
    if (event[i] !== 1 || time[i]! >= tau) continue;
    let pairs = 0;
    let score = 0;
    for (let j = 0; j < n; j++) {
      if (!(time[j]! > time[i]! || (time[j] === time[i] && event[j] === 0))) continue;
      pairs++;
      if (risk[i]! > risk[j]!) score += 1;
      else if (risk[i] === risk[j]) score += 0.5;
    }
    // G(t−) is positive: this person was still under observation at t.
    const weight = 1 / stepBefore(g, time[i]!, 1) ** 2;
    total += weight * pairs;
    agreeing += weight * score;
  }
  return total === 0 ? notDefined(noPairs) : defined(agreeing / total);
}
