import { defined, notDefined, requireBinary, requireSameLength, type Estimate, type Numbers } from './estimate.ts';

/** Rates of a yes/no decision within one group. A rate whose denominator is empty is not defined. */
export interface GroupRates {
  readonly n: number;
  readonly selectionRate: Estimate;
  readonly truePositiveRate: Estimate;
  readonly falsePositiveRate: Estimate;
  readonly falseNegativeRate: Estimate;
  readonly positivePredictiveValue: Estimate;
  readonly accuracy: Estimate;
}

const share = (count: number, of: number, emptyReason: string): Estimate =>
  of === 0 ? notDefined(emptyReason) : defined(count / of);

/** Rates by group, keyed by the group's label in order of first appearance. */
export function ratesByGroup(truth: Numbers, decision: Numbers, group: readonly string[]): Map<string, GroupRates> {
  const n = requireSameLength({ truth, decision, group: { length: group.length } });
  requireBinary('truth', truth);
  requireBinary('decision', decision);
  const counts = new Map<string, [tn: number, fp: number, fn: number, tp: number]>();
  for (let i = 0; i < n; i++) {
    const cells = counts.get(group[i]!) ?? [0, 0, 0, 0];
    cells[truth[i]! * 2 + decision[i]!]! += 1;
    counts.set(group[i]!, cells);
  }
  return new Map(
    [...counts].map(([label, [tn, fp, fn, tp]]) => {
      const total = tn + fp + fn + tp;
      return [
        label,
        {
          n: total,
          selectionRate: share(tp + fp, total, 'empty group'),
          truePositiveRate: share(tp, tp + fn, 'no positives in the group'),
          falsePositiveRate: share(fp, fp + tn, 'no negatives in the group'),
          falseNegativeRate: share(fn, tp + fn, 'no positives in the group'),
          positivePredictiveValue: share(tp, tp + fp, 'nobody selected in the group'),
          accuracy: share(tp + tn, total, 'empty group'),
        },
      ];
    }),
  );
}

export interface GroupDisparity {
  /** Largest minus smallest selection rate, and smallest over largest. */
  readonly demographicParityDifference: number;
  readonly demographicParityRatio: Estimate;
  /** The worse of the gaps in true and in false positive rate. */
  readonly equalizedOddsDifference: number;
  readonly equalizedOddsRatio: Estimate;
  readonly equalOpportunityDifference: number;
}

/** Worst-case disparities over groups. Not defined when a group lacks positives or negatives. */
export function groupDisparity(rates: ReadonlyMap<string, GroupRates>): Estimate<GroupDisparity> {
  const range = (pick: (r: GroupRates) => Estimate): Estimate<{ gap: number; ratio: Estimate }> => {
    const values: number[] = [];
    for (const [label, r] of rates) {
      const rate = pick(r);
      if (!rate.defined) return notDefined(`group ${label}: ${rate.reason}`);
      values.push(rate.value);
    }
    if (values.length === 0) return notDefined('no groups');
    const high = Math.max(...values);
    const low = Math.min(...values);
    return defined({ gap: high - low, ratio: high === 0 ? notDefined('every rate is 0') : defined(low / high) });
  };
  const selection = range((r) => r.selectionRate);
  const tpr = range((r) => r.truePositiveRate);
  const fpr = range((r) => r.falsePositiveRate);
  if (!selection.defined) return selection;
  if (!tpr.defined) return tpr;
  if (!fpr.defined) return fpr;
  const [tprRatio, fprRatio] = [tpr.value.ratio, fpr.value.ratio];
  return defined({
    demographicParityDifference: selection.value.gap,
    demographicParityRatio: selection.value.ratio,
    equalizedOddsDifference: Math.max(tpr.value.gap, fpr.value.gap),
    equalizedOddsRatio: !tprRatio.defined
      ? tprRatio
      : !fprRatio.defined
        ? fprRatio
        : defined(Math.min(tprRatio.value, fprRatio.value)),
    equalOpportunityDifference: tpr.value.gap,
  });
}
